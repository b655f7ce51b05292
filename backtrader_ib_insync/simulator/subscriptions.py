"""One subscription each: what it has to tell about a stretch of market time. Times are UTC epoch seconds."""
from . import replies
from .records import Bar

BID, ASK, LAST, HIGH, LOW, CLOSE, OPEN = 1, 2, 4, 6, 7, 9, 14
BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME = 0, 3, 5, 8
LAST_TIME, RT_VOLUME, RT_TRADE_VOLUME, HALTED = 45, 48, 77, 49
DELAYED_TYPES = {BID: 66, ASK: 67, LAST: 68, BID_SIZE: 69, ASK_SIZE: 70, LAST_SIZE: 71, HIGH: 72, LOW: 73, VOLUME: 74,
                 CLOSE: 75, OPEN: 76, LAST_TIME: 88}
DELAY = 900.0
BAR_SECONDS = 5
LONGEST_CLOSURE = 10 * 86400


class Stream:
    """What all have: the request's id, whether it takes a market data line, whether it has died."""
    is_line = True
    is_by_tick = False

    def __init__(self, reqId, market, instrument):
        self.reqId = reqId
        self.instrument = instrument
        self.is_dead = False
        self._market = market

    def next_time(self, now, changes):
        """When there will be something to tell; `changes` knows when the market moves."""
        return changes.after(self.instrument, now)


class TickStream(Stream):
    """reqMktData: prices and sizes as they change, every trade once more as RTVolume when asked for."""

    def __init__(self, reqId, market, instrument, generic, is_delayed=False):
        super().__init__(reqId, market, instrument)
        wanted = {word.strip().split(':')[-1] for word in generic.split(',')}
        self._volumes = [kind for number, kind in (('233', RT_VOLUME), ('375', RT_TRADE_VOLUME)) if number in wanted]
        self._types = DELAYED_TYPES if is_delayed else {}
        self._delay = DELAY if is_delayed else 0.0
        self._told = {}

    def picture(self, now):
        """What is said at once on subscribing: quote, last, and the session so far."""
        now -= self._delay
        yield from self._quote(self._market.quote(self.instrument, now))
        last = self._market.last_trade(self.instrument, now)
        if last:
            yield from self._last(last)
        yield from self._day(now)

    def events(self, start, end):
        """(time, reply) of every tick in [start, end)."""
        start, end = start - self._delay, end - self._delay
        for quote in self._market.quotes(self.instrument, start, end):
            for reply in self._quote(quote):
                yield quote.time + self._delay, reply
        for trade in self._market.trades(self.instrument, start, end):
            for reply in self._trade(trade):
                yield trade.time + self._delay, reply

    def next_time(self, now, changes):
        return changes.after(self.instrument, now) if not self._delay else now // 1.0 + 1.0

    def _quote(self, quote):
        yield from self._sized(BID, BID_SIZE, quote.bid, quote.bidSize)
        yield from self._sized(ASK, ASK_SIZE, quote.ask, quote.askSize)

    def _trade(self, trade):
        if trade.size:
            for kind in self._volumes:
                yield replies.TickString(self.reqId, kind, rt_volume(trade))
            yield replies.TickSize(self.reqId, self._type(VOLUME), trade.total)
        yield from self._last(trade)
        if trade.total == trade.size:
            self._told.update({HIGH: trade.price, LOW: trade.price})
        yield from self._price(HIGH, max(trade.price, self._told.get(HIGH, trade.price)))
        yield from self._price(LOW, min(trade.price, self._told.get(LOW, trade.price)))

    def _last(self, trade):
        """An index has no size."""
        yield replies.TickString(self.reqId, self._type(LAST_TIME), str(int(trade.time)))
        yield replies.TickPrice(self.reqId, self._type(LAST), trade.price, trade.size, 0)
        if trade.size:
            yield replies.TickSize(self.reqId, self._type(LAST_SIZE), trade.size)

    def _sized(self, price_type, size_type, price, size):
        """A price that carries its size and the size once more, as TWS does; nothing when neither has changed."""
        if self._told.get(price_type) != price:
            self._told[price_type], self._told[size_type] = price, size
            yield replies.TickPrice(self.reqId, self._type(price_type), price, size, 0)
            yield replies.TickSize(self.reqId, self._type(size_type), size)
        elif self._told.get(size_type) != size:
            self._told[size_type] = size
            yield replies.TickSize(self.reqId, self._type(size_type), size)

    def _price(self, kind, price):
        if self._told.get(kind) != price:
            self._told[kind] = price
            yield replies.TickPrice(self.reqId, self._type(kind), price, 0, 0)

    def _day(self, now):
        what = 'TRADES' if self.instrument.has_last else 'MIDPOINT'
        days = self._market.bars(self.instrument, '1 day', now - LONGEST_CLOSURE, now, what)
        if not days:
            return
        for kind, price in ((HIGH, days[-1].high), (LOW, days[-1].low), (OPEN, days[-1].open)):
            yield from self._price(kind, price)
        if len(days) > 1:
            yield from self._price(CLOSE, days[-2].close)
        if self.instrument.is_traded:
            yield replies.TickSize(self.reqId, self._type(VOLUME), days[-1].volume)
            yield replies.TickGeneric(self.reqId, HALTED, 0)

    def _type(self, kind):
        return self._types.get(kind, kind)


class BarStream(Stream):
    """reqRealTimeBars: a bar for every five seconds, said when they are over."""

    def __init__(self, reqId, market, instrument, what, rth, with_empty=False):
        super().__init__(reqId, market, instrument)
        self._what = what
        self._rth = rth
        self._with_empty = with_empty

    def events(self, start, end):
        """A bar that ends in (start, end] is told at its end."""
        first = start // BAR_SECONDS * BAR_SECONDS
        last = end // BAR_SECONDS * BAR_SECONDS
        if first < last:
            bars = {bar.time: bar for bar in self._market.bars(
                self.instrument, '5 secs', first, last, self._what, self._rth)}
            for number in range(int(last - first) // BAR_SECONDS):
                time = first + number * BAR_SECONDS
                bar = bars.get(time) or self._empty(time)
                if bar:
                    yield time + BAR_SECONDS, replies.RealtimeBar(self.reqId, bar)

    def next_time(self, now, changes):
        return next_mark(now)

    def _empty(self, time):
        if not self._with_empty or not self._market.is_open(self.instrument, time, self._rth):
            return None
        last = self._market.last(self.instrument, time)
        return Bar(time, last, last, last, last, 0, last, 0)


class TradeByTrade(Stream):
    """reqTickByTickData Last and AllLast: kind 1 and 2."""
    is_by_tick = True

    def __init__(self, reqId, market, instrument, kind):
        super().__init__(reqId, market, instrument)
        self._kind = kind

    def events(self, start, end):
        for trade in self._market.trades(self.instrument, start, end):
            yield trade.time, replies.TickByTickAllLast(self.reqId, self._kind, trade, place(self.instrument))


class QuoteByQuote(Stream):
    """reqTickByTickData BidAsk and MidPoint."""
    is_by_tick = True

    def __init__(self, reqId, market, instrument, kind, ignore_size=False):
        super().__init__(reqId, market, instrument)
        self._tell = self._mid_point if kind == 'MidPoint' else self._bid_ask
        self._ignore_size = ignore_size
        self._told = None

    def events(self, start, end):
        for quote in self._market.quotes(self.instrument, start, end):
            reply, value = self._tell(quote)
            if value != self._told:
                self._told = value
                yield quote.time, reply

    def _bid_ask(self, quote):
        value = quote[1:3] if self._ignore_size else quote[1:]
        return replies.TickByTickBidAsk(self.reqId, quote), value

    def _mid_point(self, quote):
        mid = (quote.bid + quote.ask) / 2
        return replies.TickByTickMidPoint(self.reqId, quote.time, mid), mid


def next_mark(now):
    """The next moment when five seconds are full."""
    return (now // BAR_SECONDS + 1) * BAR_SECONDS


def rt_volume(trade):
    """`price;size;time in ms;total volume;vwap;single trade`."""
    return f'{trade.price:.10g};{trade.size:.10g};{round(trade.time * 1000)};{trade.total:.10g};{trade.vwap:.10g};true'


def place(instrument):
    """Where it trades: the exchange a print names."""
    return instrument.contract.primaryExchange or instrument.contract.exchange
