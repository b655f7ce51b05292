"""One API session after another: connect, synchronise, watch, reconnect. Loop thread only.

    connecting --> synchronising --> watching --> (lost) --> waiting --> connecting ...
         \\______________\\_______________________________________\\--> closed

TWS's codes become four words here (Lost, Restored, Refused, Closed) and nothing above this file reads a link code.
"""
import asyncio
import logging
import random
import re
import time
from typing import NamedTuple, Optional

from . import codes
from .clock import ServerClock
from .errors import IBError, NotConnected, TimedOut
from .insync import TappedIB
from .messages import Closed, Heard, Lost, MarketRule, Notice, Restored, Session, Synchronised, Synchronising
from .pacing import Pacing

log = logging.getLogger(__name__)

#: request ids start here and order ids stay below, as in backtrader, so that an id tells its kind
REQIDBASE = 0x01000000
#: seconds for the handshake, and for each step of the synchronisation
CONNECT_SECONDS = 10.0
SYNC_SECONDS = 20.0
#: seconds between questions for the time, and of silence after which the link is held to be dead
BEAT_SECONDS = 10.0
DEAD_SECONDS = 25.0
#: seconds that reconnecting for ever backs off to
BACKOFF_SECONDS = 60.0

NOT_CONNECTED = 504
MARKET_DATA_FARM_LOST = 2103


class Settings(NamedTuple):
    """What a store's params say about the link."""
    host: str
    port: int
    clientId: Optional[int]
    reconnect: int
    timeout: float
    readonly: bool
    account: str
    timerefresh: float
    marketdatatype: int


class Connection:
    """Keeps a session with TWS; streams and questions go through it, what happens is told to `publish`."""

    def __init__(self, settings, publish, account):
        self.settings = settings
        self.publish = publish
        self.account = account
        self.clock = ServerClock()
        self.pacing = Pacing()
        self.ib = TappedIB(self, account)
        self.clientId = settings.clientId
        self.port = settings.port
        self.streams = []
        self.order_id = 1
        self._ready = asyncio.Event()
        self._broken = None
        self._closed = None
        self._life = None
        self._asked_time = 0.0
        self._heard_at = 0.0
        self._farms = set()
        self._syncing = asyncio.Lock()
        self._tasks = set()
        self._rules = {}

    # -- the life --------------------------------------------------------------------------------------------------------

    def start(self):
        self._life = asyncio.ensure_future(self._live())

    async def _live(self):
        """Connect and stay connected, as `reconnect` and `timeout` say; ends closed."""
        tries = 0
        while True:
            lived, reason = await self._session()
            tries = 0 if lived else tries + 1
            if self._spent(lived, tries):
                return self._close(reason)
            if not lived:
                await asyncio.sleep(self._pause(tries))

    def _spent(self, lived, tries):
        allowed = self.settings.reconnect
        return allowed == 0 if lived else 0 <= allowed < tries

    def _pause(self, tries):
        base = self.settings.timeout
        if self.settings.reconnect != -1:
            return base
        return min(base * 2 ** min(tries - 1, 10), max(BACKOFF_SECONDS, base)) * random.uniform(0.8, 1.2)

    async def _session(self):
        """One session from handshake to end: whether there was one, and why there is none now."""
        try:
            await self._open()
        except (OSError, asyncio.TimeoutError, IBError) as error:
            reason = self._failure(error)
            log.warning(reason)
            self.publish(Notice(-1, 0, reason))
            return False, reason
        reason = await self._watch()
        self._drop(reason)
        return True, reason

    async def _open(self):
        self._broken = asyncio.Future()
        self._farms.clear()
        self.clock.forget()
        if self.clientId is None:
            self.clientId = random.randint(1, 65535)
        client = self.ib.client
        client.updateReqId(REQIDBASE)
        self.ib.wrapper.clientId = self.clientId
        try:
            await self._unless_broken(client.connectAsync(self.settings.host, self.port, self.clientId, CONNECT_SECONDS))
            self._heard_at = time.time()
            await self._synchronise()
        except BaseException:
            self._abort()
            raise
        self._begin()

    def _begin(self):
        ib = self.ib
        log.info('connected to %s:%s, server version %s, as client %s', self.settings.host, self.port,
                 ib.client.serverVersion(), self.clientId)
        self.publish(Session(tuple(ib.client.getAccounts()), self.order_id, ib.client.serverVersion(), self.clientId))
        if self.settings.marketdatatype != 1:
            ib.client.reqMarketDataType(self.settings.marketdatatype)
        self._ready.set()
        for stream in list(self.streams):
            self._ask(stream)
        ib.connectedEvent.emit()

    async def _watch(self):
        """Stay till the session ends; returns the reason."""
        beat = min(BEAT_SECONDS, self.settings.timerefresh)
        while True:
            self.ask_time()
            await asyncio.wait([self._broken], timeout=beat)
            if self._broken.done():
                return self._broken.result()
            if time.time() - self._heard_at > DEAD_SECONDS:
                self._break('TWS has been silent for {:.0f} s and does not tell the time'.format(DEAD_SECONDS))

    def _failure(self, error):
        where = '{}:{}'.format(self.settings.host, self.port)
        if isinstance(error, ConnectionRefusedError):
            return ('cannot connect to {}: nothing listens there. Is TWS or IB Gateway running, its API enabled and this '
                    'its port (7496 live, 7497 paper; 4001 and 4002 for IB Gateway)?').format(where)
        if isinstance(error, (TimedOut, asyncio.TimeoutError)):
            return 'cannot connect to {}: no answer to the API handshake ({})'.format(where, error or 'time-out')
        return 'cannot connect to {}: {}'.format(where, error)

    def _abort(self):
        self._ready.clear()
        transport = self.ib.client.conn.transport
        if transport is not None:
            transport.abort()

    def _break(self, reason):
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(reason)

    def _drop(self, reason):
        self._abort()
        log.warning('connection lost: %s', reason)
        self.publish(Lost(reason))
        self.account.tell(Lost(reason))
        self._tell_streams(reason)

    def _tell_streams(self, reason, code=0):
        for stream in list(self.streams) + [s for s in self.ib.routes.values() if s not in self.streams]:
            stream.lost(reason, code)
        if not code:
            self.ib.routes.clear()

    def _close(self, reason):
        self._closed = reason
        self._ready.set()
        log.error('closed: %s', reason)
        for tell in [self.publish, self.account.tell] + [stream.sink for stream in self.streams]:
            tell(Closed(reason))

    async def shut(self):
        """Say good-bye to TWS: every subscription cancelled, the socket closed, no attempt to come back."""
        if self._life is not None:
            self._life.cancel()
        if self.ib.client.isReady():
            for stream in list(self.streams):
                self.unsubscribe(stream)
            self.ib.client.disconnect()
            # one turn of the loop, for the farewell to leave
            await asyncio.sleep(0.01)
        self._abort()

    async def _unless_broken(self, awaitable):
        """The result of `awaitable`, or NotConnected as soon as the session is known to be dead."""
        task = asyncio.ensure_future(awaitable)
        task.add_done_callback(_retrieve)
        try:
            await asyncio.wait([task, self._broken], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise NotConnected(self._broken.result())
            return task.result()
        finally:
            task.cancel()

    # -- what TWS says of itself -----------------------------------------------------------------------------------------

    def heard(self):
        self._heard_at = time.time()

    def nextValidId(self, orderId):
        self.order_id = max(self.order_id, orderId)

    def currentTime(self, second):
        self.clock.answered(second, self._asked_time, time.time())
        self.publish(Heard(self.clock.heard, self.clock.offset()))

    def ended(self):
        """The client library saw the socket close."""
        self._break('TWS closed the connection')

    def failed(self, text):
        """The client library saw the socket fail."""
        self._break(text)

    def error(self, reqId, code, text, advanced):
        if 0 <= reqId < REQIDBASE:
            self.account.order_error(reqId, code, text, advanced)
        self.publish(Notice(reqId, code, text))
        word = codes.link(code)
        if word:
            getattr(self, '_on_' + word)(code, text)

    def _on_lost(self, code, text):
        self._ready.clear()
        self.publish(Lost(text, code))
        self.account.tell(Lost(text, code))
        self._tell_streams(text, code)

    def _on_restored(self, code, text):
        """1102: TWS kept the subscriptions."""
        self._back(text, lambda stream: stream.kept(text), True)

    def _on_renewed(self, code, text):
        """1101: TWS lost the subscriptions."""
        self._back(text, self._ask, False)

    def _back(self, text, revive, kept):
        self._ready.set()
        self.publish(Restored(text, kept))
        for stream in list(self.streams):
            revive(stream)
        self.spawn(self._resynchronise(text))

    def _on_moved(self, code, text):
        port = re.search(r'(\d+)\s*$', text)
        if port:
            self.port = int(port.group(1))
        self._break(text)

    def _on_refused(self, code, text):
        if self.settings.clientId is None:
            self.clientId = None
        self._break('{} ({})'.format(text, code))

    def _on_farm_lost(self, code, text):
        if code != MARKET_DATA_FARM_LOST:
            return
        self._farms.add(_farm(text))
        for stream in self.streams:
            stream.lost(text, code)

    def _on_farm_ok(self, code, text):
        if _farm(text) in self._farms:
            self._farms.discard(_farm(text))
            if self._ready.is_set():
                for stream in list(self.streams):
                    self._ask(stream)

    # -- requests ----------------------------------------------------------------------------------------------------------

    def now(self):
        return asyncio.get_event_loop().time()

    def ask_time(self):
        """Have TWS tell its time: it dates what we heard, and proves that the link lives."""
        if self.ib.client.isConnected():
            self._asked_time = time.time()
            self.ib.client.reqCurrentTime()

    async def ready(self):
        """Wait for a session; raises NotConnected when there will be none."""
        await self._ready.wait()
        if self._closed:
            raise NotConnected(self._closed)

    async def question(self, question, seconds):
        """Ask once and return the answer; raises RequestRefused, TimedOut after `seconds`, or NotConnected."""
        reqId = self._route(question)
        try:
            question.ask(self.ib, reqId)
            return await asyncio.wait_for(question.answer, seconds)
        except asyncio.TimeoutError:
            question.cancel(self.ib, reqId)
            raise TimedOut('TWS did not answer within {:g} s'.format(seconds)) from None
        except ConnectionError as error:
            raise NotConnected(str(error)) from None
        finally:
            self.ib.routes.pop(reqId, None)

    async def learn_rules(self, details):
        """Have TWS tell the price steps of a contract, once each; without them its minTick has to do."""
        for rule in sorted(set(filter(None, details.marketRuleIds.split(',')))):
            if rule not in self._rules:
                self._rules[rule] = asyncio.ensure_future(self._learn_rule(int(rule)))
            await asyncio.wait([self._rules[rule]])

    async def _learn_rule(self, rule):
        steps = await self.ib.reqMarketRuleAsync(rule)
        if steps:
            self.publish(MarketRule(rule, tuple((step.lowEdge, step.increment) for step in steps)))

    def spawn(self, coroutine):
        """Run a coroutine beside the others; what it raises is logged."""
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error('a request ended in an error', exc_info=task.exception())

    def subscribe(self, stream):
        """Keep `stream` running, now and after each reconnection, till `unsubscribe`."""
        self.streams.append(stream)
        stream.renew = self._renew_later
        if self._closed:
            stream.sink(Closed(self._closed))
        elif self._ready.is_set():
            self._ask(stream)

    def unsubscribe(self, stream):
        if stream not in self.streams:
            return
        self.streams.remove(stream)
        self._silence(stream)

    def _renew_later(self, stream, seconds):
        asyncio.get_event_loop().call_later(seconds, self._renew, stream)

    def _renew(self, stream):
        if stream in self.streams and stream.broken and self._ready.is_set():
            self._ask(stream)

    def _silence(self, stream):
        if stream.reqId is not None:
            self.ib.routes.pop(stream.reqId, None)
            if self.ib.client.isReady():
                stream.cancel(self.ib)

    def _ask(self, stream):
        self._silence(stream)
        stream.ask(self.ib, self._route(stream))

    def _route(self, stream):
        try:
            reqId = self.ib.client.getReqId()
        except ConnectionError as error:
            raise NotConnected(str(error)) from None
        self.ib.routes[reqId] = stream
        return reqId

    # -- orders ------------------------------------------------------------------------------------------------------------

    def place(self, contract, order):
        """Send an order; one that finds no session is answered as TWS would, so that it ends where the others do."""
        try:
            known = self.ib.wrapper.trades.get((self.clientId, order.orderId))
            if known is not None and known.isDone():
                # ib_insync refuses to change what it holds to be dead; TWS decides
                self.ib.client.placeOrder(order.orderId, contract, order)
            else:
                self.ib.placeOrder(contract, order)
        except ConnectionError as error:
            self.account.order_error(order.orderId, NOT_CONNECTED, str(error), '')

    def cancel(self, order):
        try:
            self.ib.cancelOrder(order)
        except ConnectionError as error:
            self.publish(Notice(order.orderId, NOT_CONNECTED, 'the order was not cancelled: {}'.format(error)))

    async def what_if(self, contract, order):
        return await self.ib.whatIfOrderAsync(contract, order)

    # -- the account, in TWS's own order -------------------------------------------------------------------------------

    async def resynchronise(self):
        """Tell the account stream all of TWS's view again, if there is a session to ask."""
        if self._ready.is_set() and not self._closed:
            await self._resynchronise('asked to')

    async def _resynchronise(self, reason):
        try:
            await self._synchronise()
        except (OSError, IBError) as error:
            self._break('the account could not be read after "{}": {}'.format(reason, error))

    async def _synchronise(self):
        """Accounts, positions, open orders, ended orders, executions: all told, or an error, never a part."""
        async with self._syncing:
            self.account.tell(Synchronising())
            for name, ask in self._steps():
                try:
                    await self._unless_broken(asyncio.wait_for(ask(), SYNC_SECONDS))
                except asyncio.TimeoutError:
                    raise TimedOut('TWS did not tell {} within {:g} s'.format(name, SYNC_SECONDS)) from None
            self.account.tell(Synchronised())

    def _steps(self):
        ib = self.ib
        accounts = ib.client.getAccounts()
        yield 'account values', lambda: ib.reqAccountUpdatesAsync(self.settings.account or accounts[0])
        for account in accounts if len(accounts) > 1 else ():
            yield 'values of ' + account, lambda account=account: ib.reqAccountUpdatesMultiAsync(account)
        yield 'positions', ib.reqPositionsAsync
        if not self.settings.readonly:
            if self.clientId == 0:
                ib.reqAutoOpenOrders(True)
            yield 'open orders', ib.reqOpenOrdersAsync
            yield 'completed orders', lambda: ib.reqCompletedOrdersAsync(False)
        yield 'executions', ib.reqExecutionsAsync


def _retrieve(task):
    """Take note of how a task ended that nobody waits for any more: the loss of the session is reported by itself."""
    if not task.cancelled():
        task.exception()


def _farm(text):
    """The farm's name at the end of a farm notice: 'Market data farm connection is OK:usfarm'."""
    return text.rpartition(':')[2].strip()
