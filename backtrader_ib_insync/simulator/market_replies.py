"""What a gateway says about the market: ticks, bars, history."""
from typing import NamedTuple, Optional, Sequence, Tuple

from . import fields
from .records import Bar, Quote, Trade


class TickPrice(NamedTuple):
    reqId: int
    tickType: int
    price: float
    size: float
    attribs: int = 0

    HEAD = (1, 6)

    def body(self, version):
        return self._replace(size=fields.size(self.size, version))


class TickSize(NamedTuple):
    reqId: int
    tickType: int
    size: float

    HEAD = (2, 6)

    def body(self, version):
        return self._replace(size=fields.size(self.size, version))


class TickGeneric(NamedTuple):
    reqId: int
    tickType: int
    value: float

    HEAD = (45, 6)


class TickString(NamedTuple):
    reqId: int
    tickType: int
    value: str

    HEAD = (46, 6)


class TickOptionComputation(NamedTuple):
    """Greeks and prices of an option; None is "not computed"."""
    reqId: int
    tickType: int
    tickAttrib: int = 0
    impliedVol: Optional[float] = None
    delta: Optional[float] = None
    optPrice: Optional[float] = None
    pvDividend: Optional[float] = None
    gamma: Optional[float] = None
    vega: Optional[float] = None
    theta: Optional[float] = None
    undPrice: Optional[float] = None

    HEAD = (21,)

    def body(self, version):
        absent = (-1, -2, -1, -1, -2, -2, -2, -1)
        numbers = (none if value is None else value for value, none in zip(self[3:], absent))
        return self[:3] + tuple(numbers)


class TickReqParams(NamedTuple):
    reqId: int
    minTick: float
    bboExchange: str = ''
    snapshotPermissions: int = 3

    HEAD = (81,)


class TickSnapshotEnd(NamedTuple):
    reqId: int

    HEAD = (57, 1)


class MarketDataType(NamedTuple):
    """Kind: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""
    reqId: int
    kind: int

    HEAD = (58, 1)


class RealtimeBar(NamedTuple):
    reqId: int
    bar: Bar

    HEAD = (50, 3)

    def body(self, version):
        bar = self.bar
        return (self.reqId, int(bar.time), bar.open, bar.high, bar.low, bar.close, fields.size(bar.volume, version),
                bar.wap, bar.count)


class HistoricalData(NamedTuple):
    """The answer to a history request: (label as TWS writes it, bar) for each row."""
    reqId: int
    start: str
    end: str
    rows: Sequence[Tuple[str, Bar]]

    HEAD = (17,)

    def body(self, version):
        yield from (self.reqId, self.start, self.end, len(self.rows))
        for date, bar in self.rows:
            volume = fields.size(bar.volume, version)
            yield from (date, bar.open, bar.high, bar.low, bar.close, volume, bar.wap, bar.count)


class HistoricalDataUpdate(NamedTuple):
    reqId: int
    dateText: str
    bar: Bar

    HEAD = (90,)

    def body(self, version):
        bar = self.bar
        return (self.reqId, bar.count, self.dateText, bar.open, bar.close, bar.high, bar.low, bar.wap,
                fields.size(bar.volume, version))


class HeadTimestamp(NamedTuple):
    reqId: int
    text: str

    HEAD = (88,)


class HistoricalTicks(NamedTuple):
    """Mid-points: `price` and `size` of each tick are what counts."""
    reqId: int
    ticks: Sequence[Trade]
    done: bool = True

    HEAD = (96,)

    def body(self, version):
        yield from (self.reqId, len(self.ticks))
        for tick in self.ticks:
            yield from (int(tick.time), 0, tick.price, fields.size(tick.size, version))
        yield self.done


class HistoricalTicksBidAsk(NamedTuple):
    reqId: int
    ticks: Sequence[Quote]
    done: bool = True

    HEAD = (97,)

    def body(self, version):
        yield from (self.reqId, len(self.ticks))
        for tick in self.ticks:
            yield from (int(tick.time), 0, tick.bid, tick.ask)
            yield from (fields.size(tick.bidSize, version), fields.size(tick.askSize, version))
        yield self.done


class HistoricalTicksLast(NamedTuple):
    """Trades, all from one exchange."""
    reqId: int
    ticks: Sequence[Trade]
    done: bool = True
    exchange: str = ''
    specialConditions: str = ''

    HEAD = (98,)

    def body(self, version):
        yield from (self.reqId, len(self.ticks))
        for tick in self.ticks:
            yield from (int(tick.time), 0, tick.price, fields.size(tick.size, version), self.exchange,
                        self.specialConditions)
        yield self.done


class TickByTickAllLast(NamedTuple):
    """One trade; `tickType` is 1 for Last, 2 for AllLast."""
    reqId: int
    tickType: int
    tick: Trade
    exchange: str = ''
    specialConditions: str = ''
    attribs: int = 0

    HEAD = (99,)

    def body(self, version):
        tick = self.tick
        return (self.reqId, self.tickType, int(tick.time), tick.price, fields.size(tick.size, version), self.attribs,
                self.exchange, self.specialConditions)


class TickByTickBidAsk(NamedTuple):
    reqId: int
    tick: Quote
    attribs: int = 0

    HEAD = (99,)

    def body(self, version):
        tick = self.tick
        return (self.reqId, 3, int(tick.time), tick.bid, tick.ask, fields.size(tick.bidSize, version),
                fields.size(tick.askSize, version), self.attribs)


class TickByTickMidPoint(NamedTuple):
    reqId: int
    time: float
    midPoint: float

    HEAD = (99,)

    def body(self, version):
        return self.reqId, 4, int(self.time), self.midPoint


class HistoricalSchedule(NamedTuple):
    """Sessions as (start, end, reference date) texts."""
    reqId: int
    start: str
    end: str
    timeZone: str
    sessions: Sequence[Tuple[str, str, str]]

    HEAD = (106,)

    def body(self, version):
        yield from self[:4]
        yield len(self.sessions)
        for session in self.sessions:
            yield from session
