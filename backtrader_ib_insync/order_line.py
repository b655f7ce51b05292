"""Orders on their way out, into whatever session there is. Loop thread only."""
import asyncio
import collections
import copy
import time

from .messages import Notice, OrderUnsent

#: the client library's code for a message that found no socket
NOT_CONNECTED = 504
#: seconds that an order waits for what may still be said of it: TWS lets none join a group later (10326). The strategy
#: thread's pass ends sooner, unless a strategy computes on
HOLD_SECONDS = 0.01
#: seconds to the next look whether TWS takes one more; it takes one every 25 ms on the average
TURN_SECONDS = 0.02


class Waiting:
    """A cancel, or an order (or a change of one) when `contract` is given, that has not left; it may at `due`.

    Without an order it is something to do in its turn, `act()`.
    """
    __slots__ = ('order', 'contract', 'due', 'act')

    def __init__(self, order, contract=None, due=0.0, act=None):
        self.order = order
        self.contract = contract
        self.due = due
        self.act = act


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
        self._left = set()
        self._released = 0.0
        self._first = None
        self._timer = None
        ib.client.throttleEnd += self._go_on

    def place(self, contract, order):
        """Send an order, or a change of one, in its turn."""
        order = copy.copy(order)
        waiting = self._unsent.get(order.orderId)
        if waiting is None:
            waiting = self._unsent[order.orderId] = Waiting(order, contract, time.monotonic() + HOLD_SECONDS)
            self._queue.append(waiting)
        else:
            # what transmits a family is its last member
            order.transmit = waiting.order.transmit
            waiting.order = order
        self._work_off()

    def cancel(self, order):
        """Ask TWS to cancel an order, after what waits."""
        self._queue.append(Waiting(copy.copy(order)))
        self._work_off()

    def then(self, act):
        """Do something when TWS has been sent all that waits; not at all when that is dropped."""
        self._queue.append(Waiting(None, act=act))
        self._work_off()

    def release(self):
        """Nothing more is to be said of the orders that wait."""
        self._released = time.monotonic() + HOLD_SECONDS
        self._work_off()

    def flush(self):
        """Hand all that waits to the client library, which sends it as fast as TWS takes it."""
        while self._queue:
            self._send(self._queue.popleft())

    def drop(self, reason):
        """Send none of the orders that wait: who gave them is told, and TWS never hears of them."""
        waiting, self._queue = self._queue, collections.deque()
        unsent, self._unsent = self._unsent, {}
        for one in waiting:
            if one.contract is not None:
                self._tell_unsent(one.order, reason)
            elif one.act is None and one.order.orderId not in unsent:
                self._send_cancel(one.order)

    async def what_if(self, contract, order):
        """Margin and commission an order would have; nothing is placed."""
        return await self.ib.whatIfOrderAsync(contract, order)

    # -- out of the queue ----------------------------------------------------------------------------------------------

    def _go_on(self):
        asyncio.get_event_loop().call_soon(self._work_off)

    def _work_off(self):
        now = time.monotonic()
        free = max(now, self._released)
        while self._queue and self._queue[0].due <= free and not self._is_full():
            self._send(self._queue.popleft())
            self._first = self.ib.put_first()
        if self._queue:
            self._look_again(TURN_SECONDS if self._queue[0].due <= free else self._queue[0].due - now)

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
        else:
            self._left.add(order.orderId)

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
        text = 'it never left for TWS: {}'.format(reason)
        self.account.tell(OrderUnsent(order.orderId, NOT_CONNECTED, text, order.orderId not in self._left))
