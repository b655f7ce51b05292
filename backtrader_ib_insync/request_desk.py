"""The streams and questions of a store: their request ids, and that they run again in time. Loop thread only."""
import asyncio
import logging

from .errors import NotConnected, TimedOut
from .line import ended
from .messages import Closed, MarketRule, Warned
from .pacing import Pacing
from .subscription import Retired

log = logging.getLogger(__name__)

RETIRED = Retired()
MARKET_DATA_FARM = 2103


class RequestDesk:
    """Open while TWS can be asked; `publish` takes what belongs to no stream, `beat` asks for the time."""

    def __init__(self, ib, publish, beat):
        self.ib = ib
        self.publish = publish
        self.beat = beat
        self.pacing = Pacing()
        self.streams = []
        #: farms that TWS lost, by name: whether each is one of market data
        self.farms = {}
        self.tasks = set()
        self._opened = asyncio.Event()
        self._closed = None
        self._survived = True
        self._rules = {}

    @property
    def is_open(self):
        return self._opened.is_set() and not self._closed

    # -- open and closed -----------------------------------------------------------------------------------------------

    def open(self, kept=''):
        """TWS can be asked: every stream is, but those it kept while it had lost IB (`kept` says how that ended)."""
        self._opened.set()
        survived, self._survived = self._survived, True
        for stream in list(self.streams):
            if kept and survived and stream.reqId is not None:
                stream.kept(kept)
                self._hold(stream)
            else:
                self._ask(stream)

    def subscriptions_lost(self):
        """TWS kept none of them, whatever it says of a later loss before they have been asked for again."""
        self._survived = False

    def pause(self, reason, code):
        """TWS lost IB: streams hold, questions are lost."""
        self._opened.clear()
        for stream in self.streams + self._questions():
            stream.lost(reason, code)

    def forget(self, reason):
        """The session is over, and its request ids with it."""
        self.pause(reason, 0)
        self.ib.routes.clear()
        self.farms.clear()
        for stream in self.streams:
            stream.reqId = None

    def close(self, reason):
        """Nothing will ever be asked again."""
        self._closed = reason
        self._opened.set()
        for stream in self.streams:
            stream.sink(Closed(reason))

    def hang_up(self):
        """Give back every subscription."""
        for stream in list(self.streams):
            self.unsubscribe(stream)

    async def clear(self):
        """No task is left."""
        for task in list(self.tasks):
            await ended(task)

    def _questions(self):
        return [asked for asked in self.ib.routes.values() if asked is not RETIRED and asked not in self.streams]

    # -- farms ---------------------------------------------------------------------------------------------------------

    def farm_lost(self, name, text, code, of_market_data):
        """Which streams it feeds nobody tells: all hold till data come again; questions are bounded in time anyway."""
        self.farms[name] = of_market_data
        for stream in self.streams if of_market_data else ():
            stream.lost(text, code)

    def farm_ok(self, name):
        """A farm is back. What stayed silent is subscribed anew, questions are asked again."""
        of_market_data = self.farms.pop(name, None)
        if of_market_data and not self.is_open:
            self.subscriptions_lost()
        if of_market_data is None or not self.is_open:
            return
        for stream in list(self.streams) if of_market_data else ():
            if stream.is_unproven:
                stream.lost('a market data farm had been lost, and it may have fed this: {}'.format(name))
            if stream.broken:
                self._ask(stream)
        for question in () if of_market_data else self._questions():
            question.lost('a data farm of TWS had been lost: {}'.format(name))

    def is_dark(self):
        """Whether TWS has lost a farm that answers questions; which ones, nobody tells."""
        return not all(self.farms.values())

    # -- questions -----------------------------------------------------------------------------------------------------

    def now(self):
        return asyncio.get_event_loop().time()

    async def ready(self):
        """Wait till TWS can be asked; raises NotConnected when that will never be."""
        if not self._closed and not self.ib.client.isReady():
            # the session is ending, though we have not been told yet; the next one opens anew
            self._opened.clear()
        await self._opened.wait()
        if self._closed:
            raise NotConnected(self._closed)

    async def question(self, question, seconds):
        """Ask once and return the answer; raises RequestRefused, TimedOut after `seconds`, or NotConnected."""
        reqId = self._route(question)
        try:
            question.ask(self.ib, reqId)
            return await asyncio.wait_for(question.answer, seconds)
        except asyncio.TimeoutError:
            self.ib.routes[reqId] = RETIRED
            if self.ib.client.isReady():
                question.cancel(self.ib, reqId)
            raise TimedOut('TWS did not answer within {:g} s'.format(seconds)) from None
        except ConnectionError as error:
            raise NotConnected(str(error)) from None
        finally:
            if self.ib.routes.get(reqId) is question:
                del self.ib.routes[reqId]

    async def learn_rules(self, details):
        """Have TWS tell the price steps of a contract, once each; without them its minTick has to do."""
        for rule in sorted(set(filter(None, details.marketRuleIds.split(',')))):
            if rule not in self._rules:
                self._rules[rule] = self.spawn(self._learn_rule(int(rule)))
            await asyncio.wait([self._rules[rule]])

    async def _learn_rule(self, rule):
        try:
            steps = await self.ib.reqMarketRuleAsync(rule)
        except ConnectionError as error:
            log.info('market rule %s was not told: %s', rule, error)
            steps = None
        if steps:
            self.publish(MarketRule(rule, tuple((step.lowEdge, step.increment) for step in steps)))
        else:
            self._rules.pop(str(rule), None)

    def run(self, job):
        """Start a lookup or a download."""
        self.spawn(job.run(self))

    def spawn(self, coroutine):
        """Run a coroutine beside the others; what it raises is logged."""
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error('a request ended in an error', exc_info=task.exception())

    # -- streams -------------------------------------------------------------------------------------------------------

    def subscribe(self, stream):
        """Keep `stream` running, now and after each reconnection, till `unsubscribe`."""
        self.streams.append(stream)
        stream.renew, stream.tell_time = self._renew_later, self.beat.tell_time
        stream.later = asyncio.get_event_loop().call_later
        if self._closed:
            stream.sink(Closed(self._closed))
        elif self.is_open:
            self._ask(stream)

    def unsubscribe(self, stream):
        if stream in self.streams:
            self.streams.remove(stream)
            self._silence(stream)

    def _renew_later(self, stream, seconds):
        asyncio.get_event_loop().call_later(seconds, self._renew, stream)

    def _renew(self, stream):
        if stream in self.streams and stream.broken and self.is_open:
            self._ask(stream)

    def _silence(self, stream):
        if stream.reqId is not None:
            self.ib.routes[stream.reqId] = RETIRED
            if self.ib.client.isReady():
                stream.cancel(self.ib)

    def _ask(self, stream):
        self._silence(stream)
        if stream.paced and not self._may_ask(stream):
            return
        try:
            stream.ask(self.ib, self._route(stream))
            self._hold(stream)
        except (ConnectionError, NotConnected) as error:
            # the session ends this very moment; the next one asks again
            log.info('not subscribed: %s', error)

    def _hold(self, stream):
        """What is asked of a farm that is lost stays silent; nobody tells whose farm it is."""
        dark = sorted(name for name, of_market_data in self.farms.items() if of_market_data)
        if dark:
            stream.lost('market data farm still lost: {}'.format(', '.join(dark)), MARKET_DATA_FARM)

    def _may_ask(self, stream):
        """Whether TWS's pace of new 5-second bars allows one more; it is asked for later when not."""
        wait = self.pacing.delay_stream(self.now())
        if wait <= 0:
            self.pacing.note_stream(self.now())
            return True
        stream.sink(Warned(0, 'TWS takes {} new subscriptions to 5-second bars in {:g} s: this waits {:.0f} s'.format(
            self.pacing.limits.streams, self.pacing.limits.streams_seconds, wait)))
        asyncio.get_event_loop().call_later(wait, self._ask_late, stream)
        return False

    def _ask_late(self, stream):
        if stream in self.streams and stream.reqId is None and self.is_open:
            self._ask(stream)

    def _route(self, stream):
        try:
            reqId = self.ib.client.getReqId()
        except ConnectionError as error:
            raise NotConnected(str(error)) from None
        self.ib.routes[reqId] = stream
        return reqId
