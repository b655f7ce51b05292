"""TWS's executions and commissions, into positions, orders and what strategies are told. Strategy thread."""
import math

from . import trades
from .account import Moved, signed
from .fills import base
from .messages import Execution
from .order_life import CLOCK_SECONDS
from .orders import date_number
from .strangers import name_of

UNMOVED = Moved(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Executions:
    """Each execution once: the account moves at once, its order is told it when the commission is there."""

    def __init__(self, broker, book, accounts, fills):
        self.broker = broker
        self.book = book
        self.accounts = accounts
        self.fills = fills
        self._made_up = set()

    def take(self, record, now, is_news):
        """An execution or a correction of one; `is_news` tells that one of somebody else's is to be told."""
        known = self.fills.find(record)
        if known is None:
            self._fill(record, now, is_news)
        elif record.execId != known.execution.execId:
            self._correct(known, record, now)

    def _fill(self, record, now, is_news):
        order = self.book.find_by(record)
        if order is not None and order.ref in self._made_up:
            self.book.name(order, record.permId)
            self.fills.add(record, None, signed(record), UNMOVED, now)
            return
        if order is not None:
            self.book.name(order, record.permId)
            order.life.acknowledged = True
            if order.life.earlier and record.time < order.life.looked - CLOCK_SECONDS:
                # TWS lists it late: it was held for one of another day
                order.fill_earlier(-min(order.life.earlier, record.shares))
            if order.data.tradecontract.secType == 'BAG' != record.contract.secType:
                order = None
        elif is_news:
            self.broker.said('an execution that is not of this broker: {} {:g} {} at {}'.format(
                record.side, record.shares, name_of(record.contract), record.price), record)
        size = signed(record)
        moved = self.accounts.execute(record.contract, record.account, size, record.price, now, record.time)
        self.fills.add(record, order, size, moved, now)

    def make_up(self, order, size, now):
        """An order ended with `size` more filled than executions have told: take that as one, at the price TWS implies.

        Executions of it that come later still change nothing any more.
        """
        price = self._implied(order, size)
        side = 'BOT' if order.isbuy() else 'SLD'
        contract, account = order.data.tradecontract, order.tws.account
        record = Execution('untold.{}.01'.format(order.ref), order.tws.orderId, order.tws.clientId, order.tws.permId,
                           account, now, side, size, price, order.life.filled, price, order.tws.orderRef, '', contract)
        text = 'TWS told no execution for {:g} of it, taken to be at {:g}'.format(size, price)
        order.tell(0, text)
        self.broker.said('order {}: {}'.format(order.ref, text))
        self._made_up.add(order.ref)
        moved = self.accounts.execute(contract, account, signed(record), price, now, -math.inf)
        self.fills.add(record, order, signed(record), moved, now).commission = 0.0

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
            self._tell(fill)

    def _can_tell(self, order):
        return trades.can_tell(order) and self.broker.can_act(order)

    def _tell(self, fill):
        order, execution = fill.order, fill.execution
        fill.bit = order.fill(fill.size, execution.price, date_number(execution.time), fill.moved,
                              fill.commission or 0.0)
        self._realize(fill)
        if not order.alive():
            self.book.retire(order)
        self.broker.notify(order)

    def _correct(self, fill, record, now):
        """TWS replaced an execution by another: of another price, another size, or none."""
        if record.execId < fill.execution.execId:
            return
        change, size = record.price - fill.execution.price, signed(record) - fill.size
        fill.execution = record
        self.broker.said('TWS corrected the execution of {} to {:g} at {}'.format(
            name_of(record.contract), record.shares, record.price), record)
        if fill.order is not None:
            fill.order.life.correct(abs(record.shares) - abs(fill.size))
        if change and record.shares:
            self._reprice(fill, change)
        if size:
            moved = self.accounts.execute(record.contract, record.account, size, record.price, now)
            self.fills.adjust(fill, size, moved, now)

    def _reprice(self, fill, change):
        execution = fill.execution
        self.accounts.amend(execution.contract, execution.account, fill.moved.opened, change)
        if fill.bit is not None:
            fill.order.reprice(fill.bit, execution.price)
            trades.reprice(fill.order, fill.bit, change, self.broker.strategies())

    def commission(self, record):
        """What an execution cost; one that comes after its fill was told is paid by the order and its trade."""
        amended = self.fills.on_commission(record)
        fill = self.fills.find(record)
        if fill is not None and fill.bit is not None:
            self._realize(fill)
        if amended is not None:
            order = amended.fill.order
            order.recharge(amended.fill.bit, amended.commission)
            trades.charge(order, amended.commission, self.broker.strategies())

    def _realize(self, fill):
        if fill.realizedPNL is not None:
            fill.order.realize(base(fill.execution.execId), fill.realizedPNL)
