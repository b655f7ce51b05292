"""TWS's executions and commissions, into positions, orders and what strategies are told. Strategy thread."""
import collections
import math

from . import trades
from .account import signed
from .fills import base, is_correction, is_leg
from .messages import Execution
from .order_fields import tidy
from .order_life import CLOCK_SECONDS
from .orders import date_number
from .strangers import name_of


#: seconds in which an execution of ours may still come that explains what TWS's position shows
LATE_SECONDS = 30.0


class Executions:
    """Each execution once: the account moves at once, its order is told it when the commission is there."""

    def __init__(self, broker, book, accounts, fills):
        self.broker = broker
        self.book = book
        self.accounts = accounts
        self.fills = fills
        #: by ref of its order, what of a fill that was made up no execution has explained
        self._made_up = {}
        self._currencies = set()
        #: what was executed before this moment (epoch seconds), when TWS's first whole view began, was in that
        self.since = 0.0

    def take(self, record, now, is_news, is_listed):
        """An execution or a correction of one, `is_listed` in a whole view of TWS's; returns the order.

        `is_news` tells that one of somebody else's is to be told.
        """
        known = self.fills.find(record)
        if known is not None:
            if record.execId != known.execution.execId:
                self._correct(known, record, now)
            return known.order
        order = self.book.find_by(record)
        if order is not None and is_correction(record.execId) and order.tws.permId not in (0, record.permId):
            # of an earlier day, before TWS began to count its ids anew
            order = None
        if order is not None:
            self.book.name(order, record.permId)
            order.life.acknowledged = True
            # a bust that came before what it busts: what was told as filled was with that
            is_bust = is_correction(record.execId) and not record.shares
            order.life.corrected = order.life.corrected or is_bust
        made_up = order and self._made_up.get(order.ref)
        if made_up and _is_of(made_up, record) and 0 < record.shares <= abs(made_up.size):
            self._explain(made_up, record)
        else:
            self._fill(order, record, now, is_news, not is_listed and self._is_past(order, record))
        return order

    def _is_past(self, order, record):
        """Whether it was executed before this run, and so is in the position: corrected, or told, as late as this."""
        if order is not None and (order.owner is not None or record.time >= self.since - CLOCK_SECONDS):
            return False
        is_late = not record.live and (order is not None or record.time < self.since - CLOCK_SECONDS)
        return is_correction(record.execId) or is_late

    def _fill(self, order, record, now, is_news, is_past):
        if order is not None:
            if order.life.earlier and record.time < order.life.looked - CLOCK_SECONDS:
                # TWS lists it late: it was held for one of another day
                order.fill_earlier(-min(order.life.earlier, record.shares))
            if is_leg(order, record.contract):
                order = None
        elif is_news and not is_past:
            self.broker.said('an execution that is not of this broker: {} {:g} {}{} at {}'.format(
                record.side, record.shares, name_of(record.contract), self.accounts.other(record.account),
                record.price), record)
        if is_past and is_correction(record.execId):
            self._say_corrected(record)
        size = signed(record)
        enter = self.accounts.recall if is_past else self.accounts.execute
        moved = enter(record.contract, record.account, size, record.price, now, record.time)
        self.fills.add(record, order, size, moved, now)

    def seek(self, orders):
        """TWS lists these orders no more, nor executions of another day: positions tell what they had opened.

        Of several that may have made the same move nobody knows which it was. And what is closed is, for all that a
        position tells, expired, assigned, or sold by somebody.
        """
        missing = [order for order in orders if order.life.is_missing()]
        rivals = collections.Counter(_way(order) for order in orders if order in missing or order.life.owes(order.done))
        for order in missing:
            holding = self.accounts.holding(order.data.tradecontract, order.tws.account)
            left = order.executed.remsize
            if rivals[_way(order)] == 1 and holding is not None and holding.has_opened(left):
                order.life.found(order.done + min(abs(holding.leap), abs(left)), order.terms.size)

    def make_up(self, order, size, now):
        """An order ended with `size` more filled than executions have told: take that as one, at the price TWS implies.

        Returns that. Executions of it that come later still put price and commission right.
        """
        price = self._implied(order, size)
        side = 'BOT' if order.isbuy() else 'SLD'
        contract, account = order.data.tradecontract, order.tws.account
        record = Execution('untold.{}.01'.format(order.ref), order.tws.orderId, order.tws.clientId, order.tws.permId,
                           account, now, side, size, price, order.life.filled, price, order.tws.orderRef, '', contract)
        text = 'TWS told no execution for {:g} of it, taken to be at {:g}'.format(size, price)
        order.tell(0, text)
        self.broker.said('order {}: {}'.format(order.ref, text))
        moved = self.accounts.execute(contract, account, signed(record), price, now, -math.inf)
        made_up = self._made_up[order.ref] = self.fills.add(record, order, signed(record), moved, now)
        made_up.commission = 0.0
        return record

    def _explain(self, made_up, record):
        """TWS tells an execution after all: it is in what was made up, maybe at another price."""
        change = record.price - made_up.execution.price
        part = self.fills.part(made_up, record)
        if change:
            self._say_corrected(record)
            self._reprice(part, change)
        early = self.fills.early.pop(record.execId, None)
        if early is not None:
            self.commission(early)

    def _implied(self, order, size):
        """By the order's average price; else by the position that it opened, else what it asked for."""
        done, average = abs(order.executed.size), order.life.average
        if average:
            return average if order.life.earlier else (average * (done + size) - order.executed.price * done) / size
        position = self.accounts.position(order.data.tradecontract, order.tws.account)
        return position.price if position.size * order.size > 0 else order.created.price

    def settle(self, now):
        """Tell the fills that are due."""
        for fill in self.fills.due(now, self._can_tell):
            self._tell(fill, now)

    def _can_tell(self, order):
        return trades.can_tell(order) and self.broker.can_act(order)

    def _tell(self, fill, now):
        order, execution = fill.order, fill.execution
        fill.bit = order.fill(fill.size, execution.price, date_number(execution.time), fill.moved,
                              fill.commission or 0.0)
        if fill.moved.beyond and self._may_be_ours(fill, now):
            fill.bit.held = fill.moved.counted
        self._realize(fill)
        if not order.alive():
            self.book.retire(order)
        self.broker.notify(order)

    def _may_be_ours(self, fill, now):
        """Whether what TWS's position had beyond executions when this one came is of orders of ours: told, or late."""
        contract, account = fill.execution.contract, fill.execution.account
        surplus = self.accounts.holding(contract, account).surplus
        if surplus is None:
            return True
        if now - surplus.time >= LATE_SECONDS or abs(fill.moved.closed) > abs(fill.moved.counted[0]):
            return False
        left = [order.executed.remsize for order in self.book.by_ref.values() if order.tws.account == account
                and order.data.tradecontract.conId == contract.conId]
        return abs(sum(size for size in left if size * surplus.size > 0)) >= abs(surplus.size)

    def _correct(self, fill, record, now):
        """TWS replaced an execution by another: of another price, another size, or none."""
        if record.execId < fill.execution.execId:
            self._take_back(fill, record, now)
            return
        if not record.shares:
            # taken back at the price that it was told at, whatever that of nothing is
            record = record._replace(price=fill.execution.price)
        change, size = record.price - fill.execution.price, signed(record) - fill.size
        fill.execution = record
        self._say_corrected(record)
        if fill.order is not None:
            fill.order.life.correct(abs(record.shares) - abs(fill.size))
        if change:
            self._reprice(fill, change)
        if size:
            self._resize(fill, size, now)

    def _take_back(self, fill, record, now):
        """An execution comes after its correction: what that took off is not to be made up, or was made up in error."""
        if fill.order is None or not fill.overtook:
            return
        fill.overtook = False
        made_up = self._made_up.get(fill.order.ref)
        less = tidy(abs(fill.size) - record.shares)
        if made_up is None:
            fill.order.life.correct(less)
        elif _is_of(made_up, record) and 0 > less >= -abs(made_up.size):
            self._resize(made_up, math.copysign(less, -made_up.size), now)

    def _resize(self, fill, size, now):
        execution = fill.execution
        moved = self.accounts.execute(execution.contract, execution.account, size, execution.price, now, None)
        self.fills.adjust(fill, size, moved, now)
        self._replay(fill)

    def _replay(self, fill):
        """After a correction the position is what executions would have made of it."""
        self.accounts.reprice(fill.execution.contract, fill.execution.account, self.fills.replayed(fill))

    def _say_corrected(self, record):
        self.broker.said('TWS corrected the execution of {} to {:g} at {}'.format(
            name_of(record.contract), record.shares, record.price), record)

    def _reprice(self, fill, change):
        execution = fill.execution
        self.accounts.amend(execution.contract, execution.account, fill.moved.opened, change)
        self._replay(fill)
        if fill.bit is not None:
            # of what was told as one, another part may stay as it was
            change *= fill.size / fill.bit.size
            fill.order.reprice(fill.bit, change)
            trades.reprice(fill.order, fill.bit, change, self.fills.is_gone(fill), self.broker.strategies())

    def commission(self, record):
        """What an execution cost; one that comes after its fill was told is paid by the order and its trade."""
        amended = self.fills.on_commission(record)
        fill = self.fills.find(record)
        if fill is not None and fill.order is not None and record.commission:
            self._compare(record.currency, fill.execution.contract)
        if fill is not None and fill.bit is not None:
            self._realize(fill)
        if amended is not None:
            order = amended.fill.order
            order.recharge(amended.fill.bit, amended.commission)
            trades.charge(order, amended.fill.bit, amended.commission, self.broker.strategies())

    def _compare(self, currency, contract):
        """A commission in another currency than the contract's is worth a word: backtrader adds the two up."""
        pair = currency, contract.currency
        if all(pair) and currency != contract.currency and pair not in self._currencies:
            self._currencies.add(pair)
            self.broker.said('commissions of {} come in {}: they are added as they are to what is in {}'.format(
                name_of(contract), *pair))

    def _realize(self, fill):
        if fill.realizedPNL is not None:
            fill.order.realize(base(fill.execution.execId), fill.realizedPNL)


def _way(order):
    """What an order moves, and which way."""
    return order.tws.account, order.data.tradecontract.conId, order.isbuy()


def _is_of(made_up, record):
    """Whether an execution is of the contract of what was made up: the legs of a combination are executed, too."""
    return record.contract.secType == made_up.execution.contract.secType
