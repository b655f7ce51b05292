"""TWS's whole view after a (re)connection: accounts, positions, orders, executions, in this order. Loop thread only."""
import asyncio
import logging

from .errors import BadParameter, NotConnected, RequestRefused, TimedOut
from .loop import retrieve
from .messages import OrdersListed, Synchronised, Synchronising

log = logging.getLogger(__name__)

#: seconds TWS has for each step
STEP_SECONDS = 20.0
#: what TWS refuses requests with that fail its checks, one for orders in read-only mode among them
READ_ONLY = 321
#: steps that TWS in read-only mode refuses, under no request id
ORDER_STEPS = ('open orders', 'completed orders')
#: TWS is known to leave this one unanswered; executions tell the fills, and what is not listed as open has ended
DISPENSABLE = 'completed orders'


class Synchroniser:
    """Has TWS tell its view to the account stream: all of it, or an error, never a part."""

    def __init__(self, ib, account, beat, settings):
        self.ib = ib
        self.account = account
        self.beat = beat
        self.settings = settings
        #: TWS said that it takes no orders and tells of none
        self.is_read_only = settings.readonly
        self._refusal = asyncio.Event()
        self._turn = asyncio.Lock()

    def begin(self):
        """A new session: TWS may have left its read-only mode."""
        self.is_read_only = self.settings.readonly
        self._refusal.clear()

    def refuse_orders(self):
        """TWS is in read-only mode; a step that asks for orders waits in vain."""
        self.is_read_only = True
        self._refusal.set()

    async def run(self):
        """Raises NotConnected, TimedOut, BadParameter for an account the login does not have."""
        async with self._turn:
            await self._tell_all()
            while self.account.is_left_out:
                await self._tell_all()

    async def _tell_all(self):
        self.account.tell(Synchronising())
        for name, ask in self._steps():
            await self._step(name, ask)
        self.account.tell(Synchronised(not self.is_read_only))

    async def list_orders(self, number):
        """Have TWS list the open orders once more; raises NotConnected, TimedOut, RequestRefused."""
        async with self._turn:
            # it may have left its read-only mode
            self._refusal.clear()
            await self._step(ORDER_STEPS[0], self.ib.reqOpenOrdersAsync)
            if self._refusal.is_set():
                raise RequestRefused(READ_ONLY, 'the API is read-only')
            self.account.tell(OrdersListed(number))

    async def _step(self, name, ask):
        try:
            answer = asyncio.ensure_future(ask())
            answer.add_done_callback(retrieve)
            await self._answered(name, answer)
        except ConnectionError as error:
            raise NotConnected(str(error)) from None

    async def _answered(self, name, answer):
        waits = [answer] + [asyncio.ensure_future(self._refusal.wait())] * (name in ORDER_STEPS)
        try:
            await asyncio.wait(waits, timeout=STEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
            elif name == DISPENSABLE:
                log.warning('TWS did not tell %s within %g s', name, STEP_SECONDS)
            elif not self._refusal.is_set():
                raise TimedOut('TWS did not tell {} within {:g} s'.format(name, STEP_SECONDS))
        finally:
            for wait in waits:
                wait.cancel()

    def _steps(self):
        ib = self.ib
        accounts = ib.client.getAccounts()
        main = self.settings.account or accounts[0]
        if main not in accounts:
            raise BadParameter('account {!r}: this login has {}'.format(main, ', '.join(accounts)))
        # streams are asked for after this: where they begin is told by TWS's clock, not by ours
        yield 'the time', self._ask_time
        yield 'account values', lambda: ib.reqAccountUpdatesAsync(main)
        for account in accounts if len(accounts) > 1 else ():
            yield 'values of ' + account, lambda account=account: ib.reqAccountUpdatesMultiAsync(account)
        yield 'positions', ib.reqPositionsAsync
        if ib.client.clientId == 0 and not self.is_read_only:
            ib.reqAutoOpenOrders(True)
        # with an id drawn at random the orders of an earlier run are another client's
        orders = ib.reqOpenOrdersAsync if self.settings.clientId is not None else ib.reqAllOpenOrdersAsync
        for name, ask in zip(ORDER_STEPS, (orders, lambda: ib.reqCompletedOrdersAsync(False))):
            if not self.is_read_only:
                yield name, ask
        yield 'executions', ib.reqExecutionsAsync

    def _ask_time(self):
        self.beat.asking()
        return self.ib.reqCurrentTimeAsync()
