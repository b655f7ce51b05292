"""Executions, each once: what they did, and the commission that makes them final (pure)."""
import collections
import itertools
import math
from typing import NamedTuple

from backtrader.position import Position

from .order_fields import tidy


class Fill:
    """One execution on its way to its order; `order` is None when not ours, `bit` is what the order made of it.

    `commission` and `realizedPNL` are TWS's, None while it has not told them. `overtook` tells that it came as a
    correction, and what it corrects has not come.
    """
    __slots__ = ('execution', 'order', 'size', 'moved', 'commission', 'realizedPNL', 'arrived', 'bit', 'overtook')

    def __init__(self, execution, order, size, moved, arrived):
        self.execution = execution
        self.order = order
        self.size = size
        self.moved = moved
        self.commission = self.realizedPNL = None
        self.arrived = arrived
        self.bit = None
        self.overtook = is_correction(execution.execId)


def _key(fill):
    return fill.execution.account, fill.execution.contract.conId


class Amended(NamedTuple):
    """A fill that had been told changed: by `commission` more, or because `execution` replaced what it was made of."""
    fill: Fill
    commission: float = 0.0


def base(execId):
    """What the revisions of one execution share: TWS corrects 'x.01' by 'x.02'."""
    return execId.rpartition('.')[0] or execId


def is_correction(execId):
    """Whether an execution takes the place of one that was told before."""
    number = execId.rpartition('.')[2]
    return number.isdigit() and int(number) > 1


def latest(executions):
    """Of each execution the last revision, once."""
    found = {}
    for execution in executions:
        known = found.setdefault(base(execution.execId), execution)
        if execution.execId > known.execId:
            found[base(execution.execId)] = execution
    return list(found.values())


def is_leg(order, contract):
    """Whether an execution in `contract` is of a leg of the combination that `order` trades."""
    return order.data.tradecontract.secType == 'BAG' != contract.secType


class Fills:
    """Holds fills back till their commission came, in order of arrival for each contract; remembers all of them."""

    def __init__(self, patience):
        #: seconds to wait for a commission
        self.patience = patience
        self.known = {}
        self.waiting = collections.OrderedDict()
        self.early = {}

    def find(self, record):
        """The fill that an execution is or corrects, or that a commission is for; None when there is none yet."""
        return self.known.get(base(record.execId))

    def add(self, execution, order, size, moved, now):
        """Enter a new execution; an order's waits for its commission."""
        fill = Fill(execution, order, size, moved, now)
        self.known[base(execution.execId)] = fill
        early = self.early.pop(execution.execId, None)
        if early is not None:
            self._price(fill, early)
        if order is not None:
            self._wait(fill)
        return fill

    def part(self, whole, execution):
        """Part of `whole`, which was made up, is this execution: it becomes a fill of its own, told as far as that."""
        size = math.copysign(execution.shares, whole.size)
        rest = tidy(whole.size - size)
        part = Fill(execution, whole.order, size, whole.moved, whole.arrived)
        part.moved, whole.moved = whole.moved.split(size, rest, whole.execution.price)
        part.commission, part.bit, whole.size = 0.0, whole.bit, rest
        self.known[base(execution.execId)] = part
        queue = self.waiting.get(_key(whole), [])
        if whole in queue:
            queue.insert(queue.index(whole), part)
        return part

    def _wait(self, fill):
        queue = self.waiting.setdefault(_key(fill), [])
        if fill not in queue:
            queue.append(fill)

    def adjust(self, fill, size, moved, now):
        """A correction changed the size of a fill by `size`, which did `moved` to the position.

        A fill that was not told yet is told as corrected, and not at all when nothing is left of it. One that was is
        told the difference as one more, at no cost.
        """
        fill.size = tidy(fill.size + size)
        if fill.bit is None:
            fill.moved = fill.moved.instead(fill.size, fill.execution.price)
            self._shift(fill, size)
            more = fill
        else:
            more = Fill(fill.execution, fill.order, size, moved, now)
            more.commission = 0.0
        if fill.order is not None:
            self._wait(more)

    def magnify(self, conId, change):
        """What is held of a contract was told in prices that are too small by `change`: nothing is told of it yet."""
        before = {}
        for fill in self.known.values():
            key, moved = _key(fill), fill.moved
            if key[1] == conId and fill.bit is None:
                size, price = before.get(key, (moved.size_before, moved.price_before * change))
                fill.moved = moved._replace(size_before=size, price_before=price).instead(
                    fill.size, fill.execution.price)
                before[key] = fill.moved.size, fill.moved.price

    def _shift(self, fill, size):
        """Of what is not told yet, all that came after `fill` found `size` more than it was held for."""
        alike = self._alike(fill)
        since = alike[alike.index(fill):]
        for before, other in zip(since, since[1:]):
            if other.bit is None:
                other.moved = other.moved.shifted(size, before.moved, other.execution.price)

    def assign(self, order, permId):
        """An order of an earlier run was adopted: what it executed is its own now, told in order of arrival."""
        for fill in self._of(permId):
            if fill.order is None and not is_leg(order, fill.execution.contract):
                fill.order = order
                self._wait(fill)
        places = {id(fill): place for place, fill in enumerate(self.known.values())}
        for queue in self.waiting.values():
            queue.sort(key=lambda fill: (fill.arrived, places.get(id(fill), math.inf)))

    def total(self, permId):
        """How much of an order has been executed, as far as TWS listed executions; of a combination not its legs."""
        fills = self._of(permId)
        whole = [fill for fill in fills if fill.execution.contract.secType == 'BAG']
        return tidy(sum(abs(fill.size) for fill in whole or fills))

    def _of(self, permId):
        return [fill for fill in self.known.values() if fill.execution.permId == permId]

    def replayed(self, fill):
        """The position that the fills of this one's contract lead to, from where it stood before the first of them."""
        position, alike = Position(), self._alike(fill)
        position.fix(alike[0].moved.size_before, alike[0].moved.price_before)
        for other in alike:
            if other.size:
                position.update(other.size, other.execution.price)
        position.size = tidy(position.size)
        return position

    def is_gone(self, fill):
        """Whether the position has been flat, or on the other side, since this fill."""
        after = self._alike(fill)
        sizes = list(itertools.accumulate([after[0].moved.size_before] + [other.size for other in after]))
        since = sizes[after.index(fill) + 1:]
        return any(tidy(size) * since[0] <= 0 for size in since)

    def _alike(self, fill):
        return [other for other in self.known.values() if _key(other) == _key(fill)]

    def on_commission(self, record):
        """Take a commission, unknown is 0; returns an Amended when its fill had been told already, else None."""
        fill = self.find(record)
        if fill is None:
            self.early[record.execId] = record
            return None
        paid = fill.commission or 0.0
        self._price(fill, record)
        more = fill.commission - paid
        return Amended(fill, more) if fill.bit is not None and more else None

    def _price(self, fill, record):
        if record.commission is not None or fill.commission is None:
            fill.commission = record.commission or 0.0
        if record.realizedPNL is not None:
            fill.realizedPNL = record.realizedPNL

    def due(self, now, can_tell=bool):
        """Take out the fills that may be told: commission known or waited for long enough, none overtaken.

        `can_tell(order)` says whether the order's strategy can take one now. Where it cannot, the fills of other feeds
        go first, as if the held ones had not been.
        """
        due = []
        for key, queue in list(self.waiting.items()):
            told, held = self._divide(queue, now, can_tell)
            due += told
            if held:
                self.waiting[key] = held
            else:
                del self.waiting[key]
        return due

    def _divide(self, queue, now, can_tell):
        """(the fills of a contract to tell now, those that wait); of one whose size was corrected to 0 neither."""
        told, held, feeds = [], [], set()
        for number, fill in enumerate(queue):
            if not fill.size:
                continue
            if not self._is_final(fill, now):
                return told, held + queue[number:]
            feed = id(getattr(fill.order, 'data', None))
            if feed in feeds or not can_tell(fill.order):
                feeds.add(feed)
                held.append(fill)
            else:
                if held:
                    fill.moved = fill.moved.without(sum(other.size for other in held))
                told.append(fill)
        return told, held

    def _is_final(self, fill, now):
        return fill.commission is not None or now - fill.arrived >= self.patience

    def awaited(self, order):
        """Whether fills of this order have not been told yet."""
        return any(fill.order is order for queue in self.waiting.values() for fill in queue)
