"""One contract in one account: what executions made of the position, and what TWS tells of it (pure)."""
import collections
import math
from typing import NamedTuple

from backtrader.position import Position

from .comminfo import multiplier
from .order_fields import tidy
from .order_life import CLOCK_SECONDS

#: seconds that a position told by TWS may be behind the executions
BEHIND_SECONDS = 10.0


class Moved(NamedTuple):
    """What an execution did to a position; sizes are signed.

    `beyond` is what of `size_before` TWS had told and no execution explained; without it the price was `price_counted`.
    """
    size: float
    price: float
    opened: float
    closed: float
    size_before: float
    price_before: float
    account: str = ''
    beyond: float = 0.0
    price_counted: float = 0.0

    @property
    def counted(self):
        """(size, price) before it, as executions alone had made them."""
        return tidy(self.size_before - self.beyond), self.price_counted if self.beyond else self.price_before

    @property
    def begins(self):
        """Whether all that is held now is of this execution."""
        return not self.size_before or bool(self.opened and self.closed)

    def instead(self, size, price):
        """What an execution of another size and price would have done in its place."""
        position = Position()
        position.fix(self.size_before, self.price_before)
        return _enter(position, size, price)._replace(
            account=self.account, beyond=self.beyond, price_counted=self.price_counted)

    def split(self, size, rest, price):
        """What two executions in its place would have done, of `size` and then of `rest`, at one price."""
        first = self.instead(size, price)
        return first, first._replace(size_before=first.size, price_before=first.price).instead(rest, price)

    def shifted(self, size, before, price):
        """The same as if `size` more had been there before it, where `before` was what came before."""
        found = tidy(self.size_before + size)
        paid = before.price if found == before.size else self.price_before
        return self._replace(size_before=found, price_before=paid).instead(tidy(self.opened + self.closed), price)

    def without(self, size):
        """The same as if `size`, which was there before it, had not been."""
        return self._replace(size_before=tidy(self.size_before - size))


class Told(NamedTuple):
    """A position that TWS told and that no execution explains yet; `time` is epoch seconds."""
    size: float
    price: float
    time: float


class Surplus(NamedTuple):
    """What TWS was believed at `time` beyond the executions that had come: these had led to `position`."""
    position: Position
    size: float
    time: float
    exact: bool


class Holding:
    """One contract in one account: moved by executions at once, held against what TWS tells.

    TWS's position messages and executions come in no fixed order. So a told position is: confirmed when it equals
    ours; behind when it equals ours without some of the last executions, and then ignored; else ahead, and then given
    AHEAD_SECONDS for the executions that explain it before it is believed as it stands. An execution from before that
    moment that comes yet later is in the position already.
    """

    def __init__(self, contract, magnifier=1.0, account=''):
        self.contract = contract
        self.account = account
        #: the value, in the contract's currency, of one at a price of 1
        self.mult = multiplier(contract) / magnifier
        self.position = Position()
        self.recent = collections.deque()
        self.told = None
        self.marketPrice = None
        #: the price is made of executions alone: TWS's own has fees in it
        self.exact = True
        self.surplus = None
        #: by how much TWS's last whole view moved the position, for want of executions
        self.leap = 0.0

    def magnify(self, change):
        """Its prices turn out to be quoted in units that are smaller by `change`: so is what TWS told of its cost."""
        self.mult /= change
        self.marketPrice = self.marketPrice and self.marketPrice * change
        self.told = self.told and self.told._replace(price=self.told.price * change)
        if not self.exact:
            self.position.price *= change
        if self.surplus is not None and not self.surplus.exact:
            self.surplus.position.price *= change

    def mark(self, value, size):
        """TWS told what it is worth, in the contract's currency."""
        if value and size:
            self.marketPrice = value / size / self.mult

    def move(self, size, price, now, happened=math.inf):
        """Enter an execution that TWS dates `happened`, None when it does not; returns what it did, as Moved."""
        counted = None
        if self.surplus is not None:
            counted = _enter(self.surplus.position, size, price)
            self.surplus = self.surplus._replace(exact=self.surplus.exact or counted.begins)
            if self._was_believed(size, happened):
                self._explain(size)
                return counted
        moved = _enter(self.position, size, price)
        if counted is not None:
            moved = moved._replace(beyond=tidy(moved.size_before - counted.size_before),
                                   price_counted=counted.price_before)
        self.exact = self.exact or moved.begins
        self.recent.append((size, now))
        if self.told is not None and self.told.size == self.position.size:
            self.told = None
        return moved

    def has_opened(self, size):
        """Whether that leap may be of an order of signed `size` that opened what is held."""
        return self.leap * size > 0 and self.leap * self.position.size > 0 and abs(self.leap) <= abs(self.position.size)

    def recall(self, size, price):
        """What an execution did that the position had in it from the first, as Moved."""
        before = Position()
        # what has been closed since tells no price
        before.fix(tidy(self.position.size - size), self.position.price if self.position.size * size > 0 else price)
        return _enter(before, size, price)

    def _was_believed(self, size, happened):
        """Whether an execution was in the position that TWS told; in doubt so: what TWS tells next puts that right."""
        explains = size * self.surplus.size > 0 and abs(size) <= abs(self.surplus.size)
        if happened is None:
            return explains
        return happened <= self.surplus.time + (CLOCK_SECONDS if explains else 0.0)

    def _explain(self, size):
        """An execution came that TWS's position had in it: what is explained whole is what executions make it."""
        surplus = self.surplus._replace(size=tidy(self.surplus.size - size))
        self.surplus = surplus if surplus.size else None
        if not surplus.size:
            self.position.fix(surplus.position.size, surplus.position.price)
            self.exact = surplus.exact

    def tell(self, size, avgCost, now):
        """TWS tells a position; returns whether it is in dispute."""
        size = tidy(size)
        behind = self.behind(size, now)
        if behind is None:
            self.told = Told(size, avgCost / self.mult, now)
        else:
            self.told = None
            self.confirm(behind)
        return self.told is not None

    def confirm(self, behind):
        """TWS told our position, without the last `behind` executions: what it tells next has the others in it."""
        while len(self.recent) > behind:
            self.recent.popleft()

    def behind(self, size, now):
        """By how many of the last executions a told size is behind ours; None when they do not explain it."""
        while self.recent and now - self.recent[0][1] > BEHIND_SECONDS:
            self.recent.popleft()
        without = self.position.size
        if without == size:
            return 0
        for count, (moved, _) in enumerate(reversed(self.recent), 1):
            without = tidy(without - moved)
            if without == size:
                return count
        return None

    def believe(self, size, price, now):
        """TWS's word is the truth: take the position it told."""
        by_executions = self.surplus or Surplus(self.position.clone(), 0.0, now, self.exact)
        self.put(size, price)
        self.surplus = by_executions._replace(size=tidy(size - by_executions.position.size), time=now)

    def put(self, size, price):
        self.surplus = None
        self.position.fix(size, price if size else 0.0)
        self.exact = not size
        self.recent.clear()
        self.told = None


def _enter(position, size, price):
    """Move a position by an execution; what it did."""
    before = position.size, position.price
    _, _, opened, closed = position.update(size, price)
    position.size = tidy(position.size)
    if not position.size:
        position.price = 0.0
    return Moved(position.size, position.price, tidy(opened), tidy(closed), *before)
