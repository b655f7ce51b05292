"""Subscriptions, one class each: what to ask of TWS, and what its answers become. Loop thread only."""
import collections

from .bars import REAL_TIME_BAR
from .localclock import local_time
from .messages import Bar, Tick
from .subscription import Stream

BID, ASK, LAST, DELAYED_BID, DELAYED_ASK, DELAYED_LAST = 1, 2, 4, 66, 67, 68
RT_VOLUME, DELAYED_STAMP = 48, 88
#: generic tick that makes TWS send every trade with its size and its millisecond (field 48)
RT_VOLUME_TICKS = '233'
#: trades among which a message of TWS may be a repetition
RECENT = 32


def rt_volume(text):
    """`price;size;time ms;total;vwap;single` -> Tick, None when no trade is in it. ValueError on anything else."""
    price, size, stamp = text.split(';')[:3]
    if not price or not size or not float(size):
        return None
    return Tick(int(stamp) / 1000.0, float(price), float(size))


class Stamped(Stream):
    """What TWS stamps: a first tick ahead of its clock shows that this is slow, and its word of the beginning wrong.

    Our idea of the clock may be old: what TWS says after the tick tells. Till then ticks wait, that nobody counts them
    in a bar of which he hears afterwards that it was not watched whole.
    """

    def __init__(self, sink, contract, clock):
        super().__init__(sink, contract, clock)
        self._is_first = True
        self._held = None

    def ask(self, ib, reqId):
        self._is_first = True
        super().ask(ib, reqId)

    def lost(self, reason, code=0, heard=None):
        """What waited comes before the hole."""
        self._release()
        super().lost(reason, code, heard)

    def _traded(self, tick):
        now = local_time()
        if self._is_first and tick.time > self.clock.latest(now):
            self._doubt_beginning(tick.time)
        self._is_first = False
        self.clock.stamped(tick.time, now)
        if self._held is None:
            self._deliver(tick)
        else:
            self._held.append(tick)

    def _doubt_beginning(self, stamp):
        begun, self._held = self._begun, []

        def compare(second):
            if begun == self._begun:
                if stamp >= second + 1.0:
                    self._watch(stamp)
                self._release()
        self.tell_time(compare)

    def _release(self):
        held, self._held = self._held or (), None
        for tick in held:
            self._deliver(tick)


class Trades(Stamped):
    """Every trade of a market, from RTVolume; delayed trades where TWS sends those instead."""

    def __init__(self, sink, contract, clock):
        super().__init__(sink, contract, clock)
        self._stamp = None
        self._recent = collections.deque(maxlen=RECENT)

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
                self._traded(tick)

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
        ib.client.reqRealTimeBars(reqId, self.contract, int(REAL_TIME_BAR), self._what, self._rth, [])
        # TWS confirms nothing, and a quiet market may send no bar for long
        self._watch_from_now()

    def _unsend(self, ib, reqId):
        ib.client.cancelRealTimeBars(reqId)

    def _watch(self, since):
        self._since = -(-since // REAL_TIME_BAR) * REAL_TIME_BAR
        super()._watch(self._since)

    def realtimeBar(self, start, open_, high, low, close, volume, wap, count):
        self.clock.stamped(start + REAL_TIME_BAR, local_time())
        self._answered()
        if self._is_first and start > self._since:
            # TWS's clock may be behind the market's, and what it said of the beginning too early
            self._watch(float(start))
        self._is_first = False
        # nothing traded in these 5 seconds: TWS repeats the last price, history has no such bar; an index never trades
        if count or self.contract.secType == 'IND':
            self._deliver(Bar(float(start), open_, high, low, close, volume, wap, count))


class TickByTick(Stamped):
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
        self._traded(Tick(float(stamp), price, size))

    def tickByTickBidAsk(self, stamp, bid, ask, *about):
        self._answered()
        price = {'BID': bid, 'ASK': ask}.get(self._side, (bid + ask) / 2)
        self._traded(Tick(float(stamp), price, 0.0))

    def tickByTickMidPoint(self, stamp, middle):
        self._answered()
        self._traded(Tick(float(stamp), middle, 0.0))
