"""Orders on their way out, into whatever session there is. Loop thread only."""
import asyncio
import collections
import copy
import time

from . import codes
from .errors import BadOrder, NotConnected, RequestRefused
from .messages import Notice, OrderUnsent

#: the client library's code for a message that found no socket
NOT_CONNECTED = 504
#: seconds that an order waits, from when it was given, for what may still be said of it: TWS lets none join a group
#: later (10326). The strategy thread's pass ends sooner, unless a strategy computes on
HOLD_SECONDS = 0.015
#: seconds to the next look whether TWS takes one more; it takes one every 25 ms on the average
TURN_SECONDS = 0.02


class Waiting:
    """A cancel, or an order (or a change of one) when `contract` is there, that has not left; `given` on our clock.

    Without an order it is something to do in its turn, `act()`.
    """
    __slots__ = ('order', 'contract', 'given', 'act')

    def __init__(self, order, contract=None, given=float('-inf'), act=None):
        self.order = order
        self.contract = contract
        self.given = given
        self.act = act


class Refusal:
    """Hears why there is no answer to what an order would cost: `come` has the error then."""

    def __init__(self):
        self.come = asyncio.Future()

    def error(self, code, text):
        if codes.ends_order(code, text, None):
            self._end(RequestRefused(code, text))

    def lost(self, reason, code=None):
        # a farm of data, which comes without a code, has no part in it
        if code is not None:
            self._end(NotConnected(reason))

    def _end(self, error):
        if not self.come.done():
            self.come.set_result(error)


class OrderLine:
    """Sends orders and takes them back, in order, as fast as TWS takes them, and before whatever feeds ask.

    A change of an order that still waits takes its place, so TWS sees the order only as it was meant in the end.
    `account` hears of those that could not leave, `publish` of cancels that could not.
    """

    def __init__(self, ib, account, publish):
        self.ib = ib
        self.account = account
        self.publish = publish
        self._queue = collections.deque()
        self._unsent = {}
        #: the largest id that left: ids grow, and orders leave in their order
        self._newest = 0
        #: the ids of those that the last loss of the link kept here for good
        self._dropped = set()
        #: how many of the queue nothing more is to be said of
        self._released = 0
        self._first = None
        self._timer = None
        self._is_called = False
        ib.client.throttleEnd += self._go_on

    def place(self, contract, order, given):
        """Send an order, or a change of one, in its turn; it was `given` then, by `time.monotonic`."""
        if order.orderId in self._dropped:
            # who changes it has not heard that it is gone
            self._tell_unsent(order, 'the link was lost before')
            return
        order = copy.copy(order)
        waiting = self._unsent.get(order.orderId)
        if waiting is not None:
            # what transmits a family is its last member
            order.transmit = waiting.order.transmit
            waiting.order = order
            return
        waiting = self._unsent[order.orderId] = Waiting(order, contract, given)
        self._put(waiting)

    def cancel(self, order):
        """Ask TWS to cancel an order, after what waits; not one that TWS has never heard of."""
        if order.orderId not in self._dropped:
            self._put(Waiting(copy.copy(order)))

    def then(self, act):
        """Do something when TWS has been sent all that waits; not at all when that is dropped."""
        self._put(Waiting(None, act=act))

    def release(self):
        """Nothing more is to be said of the orders that wait."""
        self._released = len(self._queue)
        self._work_off()

    def flush(self):
        """Hand all that waits to the client library, which sends it as fast as TWS takes it."""
        while self._queue:
            self._send(self._next())

    def drop(self, reason):
        """Send none of the orders that wait: who gave them is told, and TWS never hears of them."""
        waiting, self._queue = self._queue, collections.deque()
        self._released = 0
        unsent, self._unsent = self._unsent, {}
        if unsent:
            self._dropped = set()
        for one in waiting:
            if one.contract is not None:
                self._tell_unsent(one.order, reason)
            elif one.act is None and one.order.orderId not in unsent:
                self._send_cancel(one.order)

    async def what_if(self, contract, order):
        """Margin and commission an order would have; nothing is placed. Raises RequestRefused, NotConnected, BadOrder.

        It goes by its own id, one of orders: by a request's, as the client library sends it, those of all later orders
        would have to be larger still.
        """
        self.flush()
        refusal = self.ib.routes[order.orderId] = Refusal()
        try:
            told = self._ask_what_if(contract, order)
            await asyncio.wait([told, refusal.come], return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                told.cancel()
                raise refusal.come.result()
            return told.result()
        except ConnectionError as error:
            raise NotConnected('TWS did not tell what the order would cost: {}'.format(error)) from None
        finally:
            self.ib.routes.pop(order.orderId, None)

    def _ask_what_if(self, contract, order):
        asked = copy.copy(order)
        asked.whatIf = True
        told = self.ib.wrapper.startReq(order.orderId, contract)
        try:
            self.ib.client.placeOrder(order.orderId, contract, asked)
        except ConnectionError:
            raise
        except Exception as error:
            # what the client library can make no message of
            raise BadOrder('it never left for TWS: {}: {}'.format(type(error).__name__, error)) from None
        return told

    # -- out of the queue ----------------------------------------------------------------------------------------------

    def _put(self, waiting):
        """What comes at one go is looked at together: the last of it may change the first."""
        self._queue.append(waiting)
        self._go_on()

    def _go_on(self):
        if not self._is_called:
            self._is_called = True
            asyncio.get_event_loop().call_soon(self._work_off)

    def _work_off(self):
        self._is_called = False
        now = time.monotonic()
        while self._queue and self._may_leave(now) and not self._is_full():
            self._send(self._next())
            self._first = self.ib.put_first()
        if self._queue:
            self._look_again(TURN_SECONDS if self._may_leave(now) else self._queue[0].given + HOLD_SECONDS - now)

    def _may_leave(self, now):
        return self._released > 0 or self._queue[0].given + HOLD_SECONDS <= now

    def _next(self):
        self._released = max(0, self._released - 1)
        return self._queue.popleft()

    def _look_again(self, seconds):
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_event_loop().call_later(seconds, self._work_off)

    def _is_full(self):
        """Whether the last one sent is still held back: TWS takes no more for now."""
        return self._first is not None and self.ib.holds_back(self._first)

    def _send(self, waiting):
        order = waiting.order
        if waiting.act is not None:
            waiting.act()
            return
        if waiting.contract is None:
            self._send_cancel(order)
            return
        self._unsent.pop(order.orderId, None)
        try:
            self._send_order(waiting.contract, order)
        except ConnectionError as error:
            self._tell_unsent(order, str(error))
        except Exception as error:
            # what the client library can make no message of
            self._tell_unsent(order, '{}: {}'.format(type(error).__name__, error))
        else:
            self._newest = max(self._newest, order.orderId)

    def _send_order(self, contract, order):
        known = self.ib.wrapper.trades.get((self.ib.client.clientId, order.orderId))
        if known is not None and known.isDone():
            # ib_insync refuses to change what it holds to be dead; TWS decides
            self.ib.client.placeOrder(order.orderId, contract, order)
        else:
            self.ib.placeOrder(contract, order)

    def _send_cancel(self, order):
        try:
            self.ib.cancelOrder(order)
        except ConnectionError as error:
            self.publish(Notice(order.orderId, NOT_CONNECTED, 'the order was not cancelled: {}'.format(error)))

    def _tell_unsent(self, order, reason):
        if not order.permId and order.orderId > self._newest:
            self._dropped.add(order.orderId)
        text = 'it never left for TWS: {}'.format(reason)
        self.account.tell(OrderUnsent(order.orderId, NOT_CONNECTED, text, order.orderId in self._dropped))
