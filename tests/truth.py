"""The oracle of the feed tests: what the simulated market really did, in the bars a feed has to deliver."""
import datetime

from backtrader_ib_insync.contract import parse
from backtrader_ib_insync.simulator.bars import SIZES
from backtrader_ib_insync.simulator.records import Contract

try:
    from zoneinfo import ZoneInfo
except ImportError:
    from backports.zoneinfo import ZoneInfo

DAY = 86400
UTC = datetime.timezone.utc


def at(text, zone='UTC'):
    """Epoch seconds of 'yyyy-mm-dd[ HH:MM[:SS]]' on the clock of `zone`."""
    form = '%Y-%m-%d %H:%M:%S'[:{10: 8, 16: 14, 19: 17}[len(text)]]
    return datetime.datetime.strptime(text, form).replace(tzinfo=ZoneInfo(zone)).timestamp()


def utc(seconds):
    """The naive UTC datetime backtrader's lines hold."""
    return datetime.datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def instrument(market, dataname):
    """The one instrument that a dataname means."""
    fields = {name: value for name, value in parse(dataname)._asdict().items()
              if name in Contract._fields and value != ''}
    found = market.find(Contract(**fields)._replace(includeExpired=True))
    assert len(found) == 1, [one.contract for one in found]
    return found[0]


def right_edge(label, length, zone, opens=()):
    """The end of the bar of `length` seconds that TWS labels `label`: the next multiple on the clock of the zone.

    `opens` are times of day at which a session opens and thereby ends the bar before it.
    """
    wall = datetime.datetime.fromtimestamp(label, ZoneInfo(zone))
    if DAY % length == 0 and length <= 3600:
        offset = wall.utcoffset().total_seconds()
        return label - (label + offset) % length + length
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    passed = (wall.hour * 60 + wall.minute) * 60 + wall.second
    ends = [min((passed // length + 1) * length, DAY)] + [opened for opened in opens if opened > passed]
    return (midnight + datetime.timedelta(seconds=min(ends))).replace(tzinfo=ZoneInfo(zone)).timestamp()


def intraday(market, which, size, start, end, what='TRADES', rth=False, opens=()):
    """What a feed delivers for bars of a TWS size within a day whose label is in [start, end)."""
    length = SIZES[size]
    bars = market.bars(which, size, start, end + length, what, rth)
    return [row(right_edge(bar.time, length, which.zone, opens), bar) for bar in bars if bar.time < end]


def row(end, bar):
    return (round(end, 3), bar.open, bar.high, bar.low, bar.close, max(bar.volume, 0))


def days(market, which, size, start, end, what='TRADES', rth=True, close=None):
    """The same for days, weeks and months; `close` is the time of day at which sessions end."""
    bars = market.bars(which, size, start, end, what, rth)
    return [row(_session_end(which, bar.time, rth, close), bar) for bar in bars]


def _session_end(which, label, rth, close):
    date = datetime.datetime.fromtimestamp(label, UTC).date()
    if close is None:
        return which.hours.session(date).hours(rth)[-1][1]
    return datetime.datetime.combine(date, close).replace(tzinfo=ZoneInfo(which.zone)).timestamp()


def from_trades(trades, edge):
    """Bars out of single trades; `edge(time)` is the end of the bar a trade belongs to."""
    bars = {}
    for trade in trades:
        bars.setdefault(edge(trade.time), []).append(trade)
    return [(round(end, 3), found[0].price, max(one.price for one in found), min(one.price for one in found),
             found[-1].price, round(sum(one.size for one in found), 8)) for end, found in sorted(bars.items())]


def lines(data):
    """Every bar in a feed's lines after a run: (end in epoch seconds, open, high, low, close, volume)."""
    columns = [getattr(data.lines, name).array for name in ('datetime', 'open', 'high', 'low', 'close', 'volume')]
    return [(round((number - 719163.0) * 86400.0, 3),) + tuple(rest) for number, *rest in zip(*columns)
            if number == number]


def since_midnight(seconds, zone):
    """A function for `from_trades`: the end of the interval of so many seconds, counted from the zone's midnight."""
    def edge(time):
        wall = datetime.datetime.fromtimestamp(time, ZoneInfo(zone))
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = time - midnight.timestamp()
        return midnight.timestamp() + min((passed // seconds + 1) * seconds, DAY)
    return edge


def live(market, which, length, start, end, zone, what='TRADES', rth=False):
    """Bars of `length` seconds that end in (start, end], of trades, or of 5-second bars where quotes make bars."""
    edge = since_midnight(length, zone)
    if what == 'TRADES':
        found = from_trades(market.trades(which, start, end), edge)
    else:
        found = from_bars(market.bars(which, '5 secs', start, end, what, rth), edge)
    return [one for one in found if start < one[0] <= end]


def from_bars(bars, edge):
    """Bars out of smaller ones; `edge(time)` is the end of the bar a time belongs to."""
    found = {}
    for bar in bars:
        found.setdefault(edge(bar.time), []).append(bar)
    return [(round(end, 3), parts[0].open, max(one.high for one in parts), min(one.low for one in parts),
             parts[-1].close, round(sum(max(one.volume, 0) for one in parts), 8))
            for end, parts in sorted(found.items())]
