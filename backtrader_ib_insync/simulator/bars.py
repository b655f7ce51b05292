"""Bar sizes as TWS names them, and the bars of a tape in any of them."""
from datetime import timedelta
from typing import NamedTuple

from . import cells, zones
from .records import Bar
from .sessions import HALF_HOUR
from .tapes import pieces

HOUR = 3600
DAY = 86400
SIZES = {
    '1 secs': 1, '5 secs': 5, '10 secs': 10, '15 secs': 15, '30 secs': 30, '1 min': 60, '2 mins': 120, '3 mins': 180,
    '5 mins': 300, '10 mins': 600, '15 mins': 900, '20 mins': 1200, '30 mins': 1800, '1 hour': HOUR,
    '2 hours': 2 * HOUR, '3 hours': 3 * HOUR, '4 hours': 4 * HOUR, '8 hours': 8 * HOUR, '1 day': DAY, '1 week': 7 * DAY,
    '1 month': 31 * DAY,
}
LONG = ('1 day', '1 week', '1 month')
TRADES = ('TRADES', 'ADJUSTED_LAST', 'AGGTRADES')
QUOTES = ('MIDPOINT', 'BID', 'ASK', 'BID_ASK')


def seconds(size):
    """The length of a bar size (a day's and longer: nominal); ValueError naming the legal ones."""
    if size not in SIZES:
        raise ValueError('bar size {!r} is not one of {}'.format(size, ', '.join(SIZES)))
    return SIZES[size]


class Offsets(NamedTuple):
    """How far below and above the last price, in ticks, bid and ask stand."""
    below: float
    above: float


def offsets(instrument):
    return Offsets((instrument.spread + 1) // 2, instrument.spread // 2)


class Builder:
    """Joins cells of one session after the other into bars, as long as their label stays."""

    def __init__(self, instrument, what, factor=1.0):
        self._instrument = instrument
        self._what = what
        self.factor = factor
        self._label = None
        self._cells = []
        self.bars = []

    def add(self, label, cell):
        if label != self._label:
            self.flush()
            self._label = label
        self._cells.append(cell)

    def flush(self):
        if self._cells:
            self.bars.append(bar(self._instrument, self._label, self._cells, self._what, self.factor))
        self._cells = []


def bar(instrument, label, parts, what, factor=1.0):
    """The Bar stamped `label` of cells in a row."""
    whole = cells.merge(parts)
    if what in TRADES:
        return _trade_bar(instrument, label, whole, _average(parts, whole), factor)
    below, above = offsets(instrument)
    if what == 'BID_ASK':
        prices = (whole.wap - below, whole.high + above, whole.low - below, whole.wap + above)
    else:
        shift = {'BID': -below, 'ASK': above, 'MIDPOINT': (above - below) / 2}[what]
        prices = [price + shift for price in whole[:4]]
    return Bar(label, *map(instrument.price, prices), volume=-1, wap=-1, count=-1)


def _trade_bar(instrument, label, whole, wap, factor):
    volume = round(whole.volume * instrument.size_step, 8)
    prices = [instrument.price(price * factor) for price in whole[:4]]
    count = whole.count if whole.volume else 0
    return Bar(label, *prices, volume=volume, wap=instrument.price(wap * factor), count=count)


def _average(parts, whole):
    """Volume-weighted, from as fine parts as there are."""
    return sum(part.wap * part.volume for part in parts) / whole.volume if whole.volume else whole.wap


def start_of(time, length, zone, spans):
    """The start of the bar of `length` seconds that `time` lies in: on the local clock, not before trading began."""
    wall = zones.local(time, zone)
    if length <= HOUR:
        start = time - (time + wall.utcoffset().total_seconds()) % length
    else:
        minutes = (wall.hour * 60 + wall.minute) * 60 // length * length // 60
        start = zones.to_utc(wall.date(), minutes, zone)
    opened = max(begin for begin, _ in spans if begin <= time)
    return max(float(start), opened)


def period(size, date):
    """What tells one week or month from the next."""
    return {'1 day': date, '1 week': date - timedelta(date.weekday()), '1 month': date.replace(day=1)}[size]


def intraday(builder, tape, session, size, start, end, rth):
    """Give the builder what of `session` belongs to bars that start in [start, end), and nothing from `end` on."""
    length = seconds(size)
    hours = session.hours(rth)
    for time, cell in pieces(tape, session, start, end, rth, length):
        label = start_of(time, length, tape.instrument.zone, hours)
        if label >= start:
            builder.add(label, cell)
    builder.flush()


def whole_session(tape, session, end, rth):
    """The cell of what a session has traded before `end`, None for nothing."""
    if end >= session.close:
        return tape.regular(session) if rth else tape.day(session)
    return cells.merge(cell for _, cell in pieces(tape, session, session.open, end, rth, HALF_HOUR))
