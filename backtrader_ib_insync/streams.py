"""Subscriptions, one object each: what to ask of TWS, what its answers become, how to ask again. Loop thread only.

A stream outlives sessions. The connection sends it (`ask`) whenever a session begins, and tells it when the link is
lost; the stream tells its sink in the words of `messages`.
"""
import collections
import logging

from . import codes
from .localclock import local_time
from .messages import Bar, DataType, Lost, Refused, Restored, Tick, Warned, Watching
from .silence import Silence

log = logging.getLogger(__name__)

BID, ASK, LAST, DELAYED_BID, DELAYED_ASK, DELAYED_LAST = 1, 2, 4, 66, 67, 68
RT_VOLUME, DELAYED_STAMP = 48, 88
#: kinds of market data
DELAYED, DELAYED_FROZEN = 3, 4
#: generic tick that makes TWS send every trade with its size and its millisecond (field 48)
RT_VOLUME_TICKS = '233'
BAR_SECONDS = 5.0
#: seconds till a subscription that TWS ended for a passing reason is asked for again
AGAIN_SECONDS = {'renew': 1.0, 'competing': 30.0, 'pacing': 60.0}
#: the same for one that has worked and is refused, each time anew, an hour in all: then the refusal is believed
REFUSED_AGAIN_SECONDS = (10.0, 20.0, 40.0, 80.0, 160.0) + 11 * (300.0,)
#: seconds after which such a one that was neither refused again nor heard counts as accepted
ACCEPTED_SECONDS = 10.0
#: trades among which a message of TWS may be a repetition
RECENT = 32


def rt_volume(text):
    """`price;size;time ms;total;vwap;single` -> Tick, None when no trade is in it. ValueError on anything else."""
    price, size, stamp = text.split(';')[:3]
    if not price or not size or not float(size):
        return None
    return Tick(int(stamp) / 1000.0, float(price), float(size))


class Retired:
    """Hears what TWS still says under a request id that was given back."""

    def __getattr__(self, name):
        return self._ignore

    def _ignore(self, *args):
        """It concerns nobody."""


class Stream:
    """One live subscription; `sink` takes its records, `clock` is the server clock of the connection.

    The connection gives it `renew`, with which it asks to be asked for again, `tell_time`, which has TWS tell it its
    time in whole seconds after all that came till then, and `later`, which calls a function after some seconds.
    """

    #: whether its records carry TWS's time
    stamped = True
    #: whether TWS takes only so many new ones in a while
    paced = False
    #: whether it tells of quotes that stay as they are, too
    repeats = False
    #: seconds for which an open market may be silent, before anybody asks why
    patience = 60.0

    def __init__(self, sink, contract, clock):
        self.sink = sink
        self.contract = contract
        self.clock = clock
        self.reqId = None
        self.broken = False
        self.renew = self.tell_time = self.later = None
        self.silence = Silence(self.patience)
        #: how to ask the market whether it was silent, too; None when it cannot be asked
        self.habits = None
        self._asked = None
        self._watching = False
        self._begun = 0
        self._delayed = False
        self._may_live = False
        #: whether a record of it was ever delivered, and how often it was refused since the last one
        self._has_worked = False
        self._refusals = 0

    def ask(self, ib, reqId):
        """Subscribe under a new request id; tells `Restored` when something was lost before."""
        self.reqId = reqId
        self._asked = local_time() + (self.clock.low or 0.0)
        self._watching = False
        self._begun += 1
        self.silence.broken()
        if self._refusals:
            self.later(ACCEPTED_SECONDS, self._accept, self._begun)
        elif self.broken:
            self.broken = False
            self.sink(Restored('subscribed again'))
        self._send(ib, reqId)

    def cancel(self, ib):
        """Unsubscribe, so that the market data line is free again."""
        reqId, self.reqId = self.reqId, None
        self._unsend(ib, reqId)

    @property
    def is_awaited(self):
        """Whether it should speak when its market does, as far as anybody knows."""
        return self.reqId is not None and not self.broken and self.habits is not None

    @property
    def is_delayed(self):
        return self._delayed

    def lost(self, reason, code=0, heard=None):
        """The link, or what feeds it, is gone; told once until it is back."""
        self._begun += 1
        if not self.broken:
            self.broken = True
            # a farm was lost, which need not be the one that feeds this stream
            self._may_live = codes.link(code) == 'farm_lost'
            self.sink(Lost(reason, code, heard))

    def kept(self, reason):
        """TWS is back and kept the subscription; what passed meanwhile is lost all the same."""
        self.silence.broken()
        if self.broken:
            self.broken = False
            self.sink(Restored(reason, kept=True))
            self._watch_from_now()

    def error(self, code, text):
        meaning = codes.market_data_error(code, text)
        if meaning == 'notice':
            self.sink(Warned(code, text))
        elif meaning in AGAIN_SECONDS:
            self.lost('{} {}'.format(code, text), code)
            self.renew(self, AGAIN_SECONDS[meaning])
        else:
            self.reqId = None
            self._refuse(code, text)

    def _refuse(self, code, text):
        """What worked before may be refused in passing, by a TWS that has just started: it is asked for again."""
        if not self._has_worked or self._refusals == len(REFUSED_AGAIN_SECONDS):
            self.sink(Refused(code, text))
            return
        pause = REFUSED_AGAIN_SECONDS[self._refusals]
        log.info('refused though it worked before, asked for again in %.0f s: %s %s', pause, code, text)
        self._refusals += 1
        self.lost('{} {}'.format(code, text), code)
        self._may_live = True
        self.renew(self, pause)

    def _accept(self, begun):
        """TWS confirms nothing: that it did not refuse again has to do."""
        if begun == self._begun:
            self.kept('subscribed again')

    def _deliver(self, record):
        self._has_worked = True
        self._refusals = 0
        self.sink(record)

    def _watch_from_now(self):
        """The subscription runs; since when, TWS has to tell: our idea of its clock may fall short of it."""
        self._watching = True
        begun = self._begun

        def date(second):
            if begun == self._begun:
                self._watch(second + 1.0)
        self.tell_time(date)

    def _watch(self, since):
        self._watching = True
        self.sink(Watching(since, self._asked))

    def _answered(self):
        self.silence.broken()
        if self.broken and self._may_live:
            self.kept('market data come all the same')
        elif not self._watching and not (self._delayed and self.stamped):
            # delayed data are whole from their first stamp on, which is long past
            self._watch_from_now()

    def _ignore(self, *args):
        self._answered()

    def tickReqParams(self, *about):
        """Which kind of data follows is told next, and with it from when on they are whole."""

    tickSize = tickGeneric = tickOptionComputation = priceSizeTick = tickString = _ignore

    def marketDataType(self, kind):
        self._delayed = kind in (DELAYED, DELAYED_FROZEN)
        self.sink(DataType(kind))
        self._answered()


class Trades(Stream):
    """Every trade of a market, from RTVolume; delayed trades where TWS sends those instead."""

    def __init__(self, sink, contract, clock):
        super().__init__(sink, contract, clock)
        self._stamp = None
        self._is_first = True
        self._recent = collections.deque(maxlen=RECENT)

    def ask(self, ib, reqId):
        self._is_first = True
        super().ask(ib, reqId)

    def _stamped(self, stamp):
        """A first trade ahead of TWS's clock shows that this is slow, and what it said of the beginning wrong."""
        now = local_time()
        if self._is_first and stamp > self.clock.latest(now):
            self._doubt_beginning(stamp)
        self._is_first = False
        self.clock.stamped(stamp, now)

    def _doubt_beginning(self, stamp):
        """Our idea of TWS's clock may be old: what it says after the trade tells whether it is behind it."""
        begun = self._begun

        def compare(second):
            if begun == self._begun and stamp >= second + 1.0:
                self._watch(stamp)
        self.tell_time(compare)

    def _send(self, ib, reqId):
        ib.client.reqMktData(reqId, self.contract, RT_VOLUME_TICKS, False, False, [])

    def _unsend(self, ib, reqId):
        ib.client.cancelMktData(reqId)

    def tickString(self, tickType, value):
        self._answered()
        if tickType == DELAYED_STAMP:
            self._stamp = float(value)
            if not self._watching:
                self._watch(self._stamp + 1.0)
        elif tickType == RT_VOLUME and not self._delayed:
            tick = rt_volume(value)
            if tick and not self._is_repeated(value):
                self._stamped(tick.time)
                self._deliver(tick)

    def _is_repeated(self, text):
        """The day's volume grows with each trade: when it is the same again, so is the trade."""
        price, size, stamp, total = text.split(';')[:4]
        trade = price, size, stamp, total
        if trade in self._recent:
            return True
        if total and float(total):
            self._recent.append(trade)
        return False

    def priceSizeTick(self, tickType, price, size):
        self._answered()
        if tickType == DELAYED_LAST and price > 0 and size > 0:
            self._deliver(Tick(self._stamp or local_time() + self.clock.offset(), price, size))


class Quotes(Trades):
    """A market that is followed by its quotes: bid, ask, their middle, or the last price of an index (`field`)."""

    FIELDS = {'BID': (BID,), 'ASK': (ASK,), 'MIDPOINT': (BID, ASK), 'LAST': (LAST,)}
    LIVE = {DELAYED_BID: BID, DELAYED_ASK: ASK, DELAYED_LAST: LAST}
    stamped = False

    def __init__(self, sink, contract, clock, field):
        super().__init__(sink, contract, clock)
        self._wanted = self.FIELDS[field]
        self._prices = {}

    def _send(self, ib, reqId):
        ib.client.reqMktData(reqId, self.contract, '', False, False, [])

    def tickString(self, tickType, value):
        self._answered()

    def priceSizeTick(self, tickType, price, size):
        self._answered()
        field = self.LIVE.get(tickType, tickType)
        if field not in self._wanted or price <= 0 or self._prices.get(field) == price:
            return
        self._prices[field] = price
        if len(self._prices) == len(self._wanted):
            middle = sum(self._prices.values()) / len(self._prices)
            self._deliver(Tick(local_time() + self.clock.offset(), middle, 0.0))


class RealTimeBars(Stream):
    """TWS's 5-second bars; one comes every 5 seconds while the market is open, traded or not."""

    paced = repeats = True
    patience = 30.0

    def __init__(self, sink, contract, clock, what, rth):
        super().__init__(sink, contract, clock)
        self._what = what
        self._rth = rth
        self._since = 0.0
        self._is_first = True

    def _send(self, ib, reqId):
        self._since, self._is_first = 0.0, True
        ib.client.reqRealTimeBars(reqId, self.contract, int(BAR_SECONDS), self._what, self._rth, [])
        # TWS confirms nothing, and a quiet market may send no bar for long
        self._watch_from_now()

    def _unsend(self, ib, reqId):
        ib.client.cancelRealTimeBars(reqId)

    def _watch(self, since):
        self._since = -(-since // BAR_SECONDS) * BAR_SECONDS
        super()._watch(self._since)

    def realtimeBar(self, start, open_, high, low, close, volume, wap, count):
        self.clock.stamped(start + BAR_SECONDS, local_time())
        self._answered()
        if self._is_first and start > self._since:
            # TWS's clock may be behind the market's, and what it said of the beginning too early
            self._watch(float(start))
        self._is_first = False
        # nothing traded in these 5 seconds: TWS repeats the last price, history has no such bar; an index never trades
        if count or self.contract.secType == 'IND':
            self._deliver(Bar(float(start), open_, high, low, close, volume, wap, count))


class TickByTick(Stream):
    """Tick-by-tick data: `kind` is Last, AllLast, BidAsk or MidPoint; TWS stamps it in whole seconds."""

    KINDS = ('Last', 'AllLast', 'BidAsk', 'MidPoint')

    def __init__(self, sink, contract, clock, kind, side):
        super().__init__(sink, contract, clock)
        self._kind = kind
        self._side = side

    def _send(self, ib, reqId):
        ib.client.reqTickByTickData(reqId, self.contract, self._kind, 0, False)
        self._watch_from_now()

    def _unsend(self, ib, reqId):
        ib.client.cancelTickByTickData(reqId)

    def tickByTickAllLast(self, tickType, stamp, price, size, *about):
        self._answered()
        self.clock.stamped(float(stamp), local_time())
        self._deliver(Tick(float(stamp), price, size))

    def tickByTickBidAsk(self, stamp, bid, ask, *about):
        self._answered()
        price = {'BID': bid, 'ASK': ask}.get(self._side, (bid + ask) / 2)
        self._deliver(Tick(float(stamp), price, 0.0))

    def tickByTickMidPoint(self, stamp, middle):
        self._answered()
        self._deliver(Tick(float(stamp), middle, 0.0))
