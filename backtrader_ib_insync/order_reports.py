"""TWS's records, one by one, into the orders, the positions and what strategies are told. Strategy thread."""
import logging
import math

from backtrader import Order

from . import codes, messages
from .doubts import Doubts
from .executions import Executions
from .order_life import ALIVE, DOUBTED, ENDED, FILLED, FILLS_PATIENCE, STATUSES
from .order_versions import Versions
from .orders import date_number
from .strangers import Strangers, name_of

log = logging.getLogger(__name__)

#: what TWS says of an order that it works no more
OVER = (ENDED, FILLED, DOUBTED)


class Reports:
    """Changes orders and accounts by TWS's records.

    The broker gives: `notify(order)` to tell the strategies of it, `said(text, *args)` for `notify_store`,
    `can_act(order)` whether they could answer, `adopt(record)` -> order or None, `resolving()`, `strategies()`, and its
    `store`; `desk` cancels what has to go.
    """

    def __init__(self, broker, book, accounts, fills, desk):
        self.broker = broker
        self.book = book
        self.accounts = accounts
        self.desk = desk
        self.executions = Executions(broker, book, accounts, fills)
        self.ending = {}
        #: what never left: what is to become of its brackets is clear when the others have been heard of
        self._unsent = []
        self.strangers = Strangers(broker)
        self.view = None
        #: when the link was lost, if it is (epoch seconds)
        self._lost_at = math.inf
        self.doubts = Doubts(broker.store, book, self._clear)
        self.versions = Versions(book, desk.groups, self.doubts, self._note_end)
        #: how many whole views of TWS's have been taken
        self.views = 0
        self.now = 0.0
        self.handlers = {
            messages.OpenOrder: self._open_order, messages.OrderState: self._order_state,
            messages.OrderError: self._order_error, messages.OrderUnsent: self._order_unsent,
            messages.OrdersListed: self.doubts.listed,
            messages.Execution: self._execution, messages.Commission: self.executions.commission,
            messages.CompletedOrder: self._completed_order,
            messages.AccountValue: self.accounts.on_value, messages.Position: self._position,
            messages.Portfolio: self._position, messages.PositionsListed: self._positions_listed,
            messages.Synchronising: self._synchronising,
            messages.Synchronised: self._synchronised, messages.Lost: self._lost,
        }

    def take(self, record, now):
        """Take one record at `now` (epoch seconds); what it changes is told by `settle`."""
        self.now = now
        handle = self.handlers.get(type(record))
        if handle is not None:
            handle(record)

    def settle(self, now):
        """Tell what has become certain: fills, then ends, then positions that TWS insists on."""
        self.now = now
        self.doubts.ask()
        for order, record in self.strangers.adopt():
            self._welcome(order, record)
        self.executions.settle(now)
        unsent, self._unsent = self._unsent, []
        for order in unsent:
            self.desk.cancels.break_up(order, order.info['message'])
        for order in list(self.ending.values()):
            self._try_end(order)
        for holding in self.accounts.settle(now):
            self._say_position(holding)

    def expects(self):
        """Whether orders were sent of which TWS has said nothing, or whose fills or ends are on their way."""
        return bool(self.ending) or any(
            order.life.transmitted and not order.life.acknowledged or self.executions.fills.awaited(order)
            for order in self.book.open())

    # -- orders --------------------------------------------------------------------------------------------------------

    def _open_order(self, record):
        order = self.book.find(record.permId, record.clientId, record.orderId, record.order.orderRef)
        if order is None:
            self.strangers.meet(record)
            return
        self.book.name(order, record.permId)
        order.life.listed = True
        self.versions.shown(order, record.order)
        if record.warning and record.warning != order.info.get('message'):
            order.tell(0, record.warning)
        order.life.shown = '' if STATUSES.get(record.status) in OVER else record.status
        # an end told here says nothing of what had been filled; orderStatus does
        if STATUSES.get(record.status) not in (ENDED, FILLED):
            self._status(order, record.status, 0.0, '')

    def _clear(self, order, was_silent):
        """TWS has answered: of an order in doubt, what it has shown last is true. It works, or has ended.

        `was_silent` tells that the doubt was for want of any word.
        """
        if not order.life.shown:
            if order.life.ending is None:
                order.tell(0, 'TWS does not list the order')
            order.life.confirm(self.now, order.status == Order.Submitted)
            self._note_end(order)
            return
        order.life.go_on()
        has_lost_cancel = was_silent and order.life.cancel_asked and order.life.shown != 'PendingCancel'
        if was_silent and order.life.before is not None:
            self._say_without_change(order)
        if order.life.before is not None or order.life.shown != 'PendingCancel':
            self.versions.restore(order)
        if has_lost_cancel:
            order.life.cancel_asked = False
            self.desk.cancels.surely(order)

    def _say_without_change(self, order):
        order.tell(0, 'TWS works the order without the change that was on its way')
        self.broker.said('order {}: {}'.format(order.ref, order.info['message']))

    def _welcome(self, order, record):
        """An order of an earlier run has been adopted: tell what it is, then what it has executed."""
        order.life.listed = order.life.transmitted = True
        self.book.name(order, record.permId)
        self._status(order, record.status, 0.0, '')
        order.life.looked, earlier = self.strangers.filled.pop(record.permId, (0.0, 0.0))
        order.fill_earlier(earlier)
        self.executions.fills.assign(order, record.permId)

    def _order_state(self, record):
        order = self.book.find_by(record)
        if order is not None:
            self.book.name(order, record.permId)
            order.life.listed = True
            if record.filled:
                order.life.average = record.avgFillPrice
            self._status(order, record.status, record.filled, record.whyHeld)
        elif STATUSES.get(record.status) in (ENDED, FILLED):
            self.strangers.forget(record)
        elif self.view is not None:
            self.view.filled[record.permId] = record.filled

    def _status(self, order, status, filled, whyHeld):
        said = order.life.on_status(status, filled, whyHeld, self.now)
        if said is ALIVE:
            # by whomever
            order.life.transmitted = True
        if said is ALIVE and order.status in (Order.Created, Order.Submitted):
            order.accept(order.broker)
            self.broker.notify(order)
            self.desk.groups.accepted(order)
        if not order.alive() and order.status != Order.Completed:
            self._recall(order, said)
        self._note_end(order)

    def _recall(self, order, said):
        """It was told as ended, and TWS has it all the same."""
        if said is ALIVE and self.desk.cancels.recall(order):
            self.broker.said('order {} was told as {}, but TWS works it: it is cancelled there'.format(
                order.ref, order.getstatusname()))
        elif order.life.inactive:
            self.desk.cancels.recall(order)

    def _order_error(self, record):
        order = self.book.by_id.get((self.broker.store.clientId, record.orderId))
        if order is None:
            return
        life = order.life
        kind = codes.order_error(record.code, record.text, life.acknowledged, life.before is not None)
        if order.status not in (Order.Rejected, Order.Margin):
            order.tell(record.code, record.text)
        log.info('order %s (id %s): %s %s: %s', order.ref, record.orderId, record.code, record.text, kind)
        if kind == 'modification refused':
            self.versions.refused(order)
        elif kind == 'unclear':
            # it may be the cancel that is refused: who wants the order gone has to ask again
            life.cancel_asked = False
            if life.before is not None:
                self.doubts.add(order)
        elif order.life.on_error(kind, record.text, self.now):
            if order.life.is_doubted():
                self.doubts.add(order)
            self._note_end(order)

    def _order_unsent(self, record):
        order = self.book.by_id.get((self.broker.store.clientId, record.orderId))
        if order is None:
            return
        order.tell(record.code, record.text)
        if record.is_new and not order.life.acknowledged:
            order.life.close(Order.Rejected, 0.0, self.now)
            self._note_end(order)
            self._unsent.append(order)
        elif order.life.before is not None:
            # what left before it may have arrived
            self.versions.restore(order, -1)

    def _note_end(self, order):
        if order.life.ending is not None and order.alive():
            self.ending[order.ref] = order

    def _try_end(self, order):
        ending = order.life.ending
        if ending is None or not order.alive():
            del self.ending[order.ref]
        elif (ending.due(order.done, self.now) and not self.executions.fills.awaited(order)
              and self.broker.can_act(order)):
            sizes = [version.terms.size for version in order.versions()]
            if ending.revocable and order.done in sizes:
                # it is gone, and nobody said how: it had all that it was to have
                ending = order.life.ending = ending._replace(status=Order.Completed)
            if ending.status == Order.Completed:
                self.versions.take_least(order)
            untold = order.life.untold(order.done, order.terms.size)
            if untold:
                self.desk.groups.executed(self.executions.make_up(order, untold, self.now), order)
                return
            del self.ending[order.ref]
            # what was busted whole is no longer filled
            self._end(order, ending.status if ending.status != Order.Completed or order.done else Order.Canceled)

    def _end(self, order, status):
        if order.life.inactive or order.life.lost and not order.life.acknowledged:
            # TWS does not list what it was not given to transmit, and keeps it
            self.desk.cancels.recall(order)
        if not order.info.get('message') and status == Order.Rejected:
            order.tell(0, 'TWS holds the order inactive and gave no reason')
        order.end(status, date_number(self.now))
        self.book.retire(order)
        self.broker.notify(order)
        if status in (Order.Rejected, Order.Margin):
            self.desk.cancels.break_up(order, order.info['message'])
        elif status == Order.Canceled and order.life.cancel_asked:
            self.desk.groups.cancelled(order)

    def _execution(self, record):
        if self.view is not None:
            self.view.executions.append(record)
            self.accounts.overtake(record)
        else:
            self._take_execution(record, False)

    def _take_execution(self, record, is_listed):
        self.desk.groups.executed(record, self.executions.take(record, self.now, bool(self.views), is_listed))

    # -- the account ---------------------------------------------------------------------------------------------------

    def _position(self, record):
        self.accounts.on_position(record, self.now)

    def _positions_listed(self, record):
        self.accounts.are_listed()

    def _say_position(self, holding):
        self.broker.said('the position in {}{} is {:g} now, by no execution of this broker'.format(
            name_of(holding.contract), self.accounts.other(holding.account), holding.position.size))

    # -- TWS's whole view, at the start and after a reconnection -------------------------------------------------------

    def _lost(self, record):
        self._lost_at = min(self._lost_at, self.now)

    def _synchronising(self, record):
        self.view = View(self.now)
        self.doubts.begin()
        self.accounts.begin()
        for order in self.book.open():
            order.life.listed = False

    def _completed_order(self, record):
        if self.view is not None:
            self.view.completed.append(record)

    def _synchronised(self, record):
        view, self.view = self.view, None
        if not self.views:
            self.accounts.rewind(view.executions)
            self.executions.since = view.begun
        for execution in view.executions:
            self._take_execution(execution, True)
        for permId, filled in view.filled.items():
            self.strangers.filled[permId] = view.begun, max(0.0, filled - self.executions.fills.total(permId))
        for holding in self.accounts.finish(self.now):
            if self.views:
                self._say_position(holding)
        for completed in view.completed:
            self.desk.groups.completed(completed)
            self._complete(completed)
        if record.orders:
            self.doubts.settle()
            living = self.book.open()
            for order in living:
                self._compare(order)
            if not any(execution.time < self._lost_at for execution in view.executions):
                # else what TWS lists reaches back far enough
                self.executions.seek(living)
        self.views += 1
        self._lost_at = math.inf

    def _complete(self, record):
        """An order that we hold alive has ended while we were away."""
        order = self.book.find(record.permId, orderRef=record.order.orderRef)
        if order is None or not order.alive() or order.life.listed or order.life.ending is not None:
            return
        self.book.name(order, record.permId)
        order.tell(0, record.completedStatus or record.status)
        status = Order.Completed if record.status == 'Filled' else order.life.ended(self.now)
        order.life.close(status, max(order.life.filled, record.filled), self.now + FILLS_PATIENCE)
        self._note_end(order)

    def _compare(self, order):
        """The view is whole: what it does not show is not there."""
        if order.life.listed and order.life.before is not None:
            self._say_without_change(order)
            self.versions.restore(order)
        if order.life.listed and order.life.cancel_asked:
            self.desk.cancels.surely(order)
        if order.life.transmitted and not order.life.listed and order.life.ending is None:
            order.tell(0, 'TWS does not list the order after the reconnection')
            order.life.missed(self.now)
            # it may have been on its way to this very session
            self.doubts.add(order)
            self._note_end(order)


class View:
    """What TWS has listed since it began to tell its whole view."""

    def __init__(self, begun):
        self.begun = begun
        self.executions = []
        self.completed = []
        #: what orders of earlier runs have filled, by permanent id
        self.filled = {}
