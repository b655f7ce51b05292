"""What TWS will serve as history: its sizes, its durations, and the requests that cover a range of time."""
import calendar
import datetime
import itertools
import math
from typing import NamedTuple

from backtrader import TimeFrame

from .errors import HistoryFailed, NotSupportedTimeframe
from .zones import DAY, moment, utc_text

_WEEK = 7 * DAY
_MONTH = 31 * DAY
_LENGTHS = {'S': 1, 'D': DAY, 'W': _WEEK}


class Size(NamedTuple):
    """A bar size of TWS: its length in seconds (the longest month's), and what one request is asked for."""
    text: str
    timeframe: int
    compression: int
    seconds: int
    number: int
    unit: str


# Source: ib-codes.md 'Limits'; for 5 to 30 seconds IB's page historical_limitations, beyond which TWS may answer
# 'invalid step'. From a minute on larger durations are answered as well, but late, and what comes late may time out.
SIZES = {size.text: size for size in (
    Size('1 secs', TimeFrame.Seconds, 1, 1, 2000, 'S'),
    Size('5 secs', TimeFrame.Seconds, 5, 5, 3600, 'S'),
    Size('10 secs', TimeFrame.Seconds, 10, 10, 14400, 'S'),
    Size('15 secs', TimeFrame.Seconds, 15, 15, 14400, 'S'),
    Size('30 secs', TimeFrame.Seconds, 30, 30, 28800, 'S'),
    Size('1 min', TimeFrame.Minutes, 1, 60, 1, 'W'),
    Size('2 mins', TimeFrame.Minutes, 2, 120, 2, 'W'),
    Size('3 mins', TimeFrame.Minutes, 3, 180, 2, 'W'),
    Size('5 mins', TimeFrame.Minutes, 5, 300, 1, 'M'),
    Size('10 mins', TimeFrame.Minutes, 10, 600, 1, 'M'),
    Size('15 mins', TimeFrame.Minutes, 15, 900, 2, 'M'),
    Size('20 mins', TimeFrame.Minutes, 20, 1200, 2, 'M'),
    Size('30 mins', TimeFrame.Minutes, 30, 1800, 3, 'M'),
    Size('1 hour', TimeFrame.Minutes, 60, 3600, 6, 'M'),
    Size('2 hours', TimeFrame.Minutes, 120, 7200, 1, 'Y'),
    Size('3 hours', TimeFrame.Minutes, 180, 10800, 1, 'Y'),
    Size('4 hours', TimeFrame.Minutes, 240, 14400, 1, 'Y'),
    Size('8 hours', TimeFrame.Minutes, 480, 28800, 1, 'Y'),
    Size('1 day', TimeFrame.Days, 1, DAY, 10, 'Y'),
    Size('1 week', TimeFrame.Weeks, 1, _WEEK, 20, 'Y'),
    Size('1 month', TimeFrame.Months, 1, _MONTH, 20, 'Y'),
)}

# TWS keeps bars of 30 seconds and less for six months, and paces requests for them hard (ib-codes.md 'Limits')
SMALL = 30
SMALL_MONTHS = 6

_BY_SECONDS = {size.seconds: size.text for size in SIZES.values() if size.seconds < DAY}
_BY_CALENDAR = {TimeFrame.Days: '1 day', TimeFrame.Weeks: '1 week', TimeFrame.Months: '1 month',
                TimeFrame.Years: '1 month'}
UNIT_SECONDS = {TimeFrame.Seconds: 1, TimeFrame.Minutes: 60}

# the whole hours that TWS counts from are known for one hour only: larger bars are built from hours, never from 4 hours
_LARGEST_PART = 3600


class Request(NamedTuple):
    """One request: what is sent, and which bars of the answer count: those labelled in [first, last).

    The answer is asked for wider than that on both sides, so that no bar at a seam is half a bar. `end` is TWS's text,
    UTC, empty for now; `first` and `last` are epoch seconds, as labels of bars are: a bar's start, a date's 00:00 UTC.
    """
    end: str
    duration: str
    size: str
    first: float
    last: float


def base_size(timeframe, compression=1):
    """TWS's name for the largest bars that bars of this size are made of; the bars themselves when TWS has them.

    Ticks are one-second bars in history. Raises NotSupportedTimeframe.
    """
    _check(timeframe, compression)
    if timeframe == TimeFrame.Ticks:
        return '1 secs'
    if timeframe in _BY_CALENDAR:
        return _BY_CALENDAR[timeframe]
    seconds = UNIT_SECONDS[timeframe] * compression
    return _BY_SECONDS.get(seconds) or _BY_SECONDS[max(
        part for part in _BY_SECONDS if part <= _LARGEST_PART and seconds % part == 0)]


def _check(timeframe, compression):
    known = timeframe == TimeFrame.Ticks or timeframe in UNIT_SECONDS or timeframe in _BY_CALENDAR
    if known and isinstance(compression, int) and compression >= 1:
        return
    raise NotSupportedTimeframe(
        'no bars of timeframe {} ({}) and compression {!r}: TWS has {}, and whole multiples of these are built'.format(
            timeframe, TimeFrame.getname(timeframe, 1) if timeframe in range(1, 10) else 'unknown', compression,
            ', '.join(SIZES)))


def check_declared(timeframe, compression=1):
    """Raises NotSupportedTimeframe for bars that TWS lacks and that only backtrader's own filters can join."""
    seconds = UNIT_SECONDS.get(timeframe, 0) * compression
    if timeframe == TimeFrame.Years or seconds > DAY:
        raise NotSupportedTimeframe(
            'no bars of {} {}: within a day they are counted from its midnight, and TWS has none longer than a month; '
            'give the feed smaller ones and join them with resampledata, or take days, weeks or months'.format(
                compression, TimeFrame.getname(timeframe, compression)))


def is_small(size):
    """Whether TWS paces requests for bars of this size (given by its text)."""
    return SIZES[size].seconds <= SMALL


def plan(start, end, size, now=None):
    """The requests that cover bars of `size` labelled in [start, end), oldest first; () when there are none.

    Pure; times in epoch seconds; `start` None is one request, the largest there is. `now`, when known, bounds what
    is asked for, and lets this raise HistoryFailed for bars TWS no longer keeps.
    """
    if start is not None and start >= end:
        return ()
    kind = SIZES[size]
    start, end = _labels(kind, start, end)
    _kept(kind, start, now)
    if start is None:
        return (_request(kind, kind.number, kind.unit, _asked(kind, end, now), -math.inf, end),)
    requests = []
    while end > start:
        asked = _asked(kind, end, now)
        first = max(start, _reached(kind, kind.number, kind.unit, asked))
        requests.append(_request(kind, *_smallest(kind, first, asked), asked, first, end))
        end = first
    return tuple(reversed(requests))


def has_no_end(secType, what):
    """Whether TWS takes no end date: for a continuous future (10339), nor for prices adjusted up to now (321)."""
    return secType == 'CONTFUT' or what == 'ADJUSTED_LAST'


def plan_till_now(start, now, size):
    """The one request for what takes no end date: from `start`, or the largest."""
    if start is not None and start >= now:
        return ()
    kind = SIZES[size]
    start, end = _labels(kind, start, now)
    if start is None:
        number, unit, start = kind.number, kind.unit, -math.inf
    else:
        number, unit = _smallest(kind, start, now)
    return (_request(kind, number, unit, None, start, end),)


def _labels(kind, start, end):
    """Days and longer are labelled with the 00:00 UTC of a date: the range takes in the dates it touches."""
    if kind.seconds < DAY:
        return start, end
    return start if start is None else start // DAY * DAY, -(-end // DAY) * DAY


def _kept(kind, start, now):
    if start is None or now is None or kind.seconds > SMALL:
        return
    oldest = back(now, SMALL_MONTHS, 'M')
    if start < oldest:
        raise HistoryFailed(
            f'bars of {kind.text} from {utc_text(start)} on: TWS keeps bars of {SMALL} seconds and less for '
            f'{SMALL_MONTHS} months; begin at {utc_text(oldest + DAY)} UTC or later, or take larger bars')


def _asked(kind, end, now):
    """The end that is sent: later by a bar, so that the last that counts is whole; never later than now."""
    later = end + kind.seconds
    return later if now is None else min(later, now)


def _reached(kind, number, unit, asked):
    """The first label that the answer is sure to hold whole.

    Whether TWS counts a day of a duration from midnight, over 24 hours or from the session's open is not documented:
    one day is given away. The first bar may be cut.
    """
    margin = kind.seconds if unit == 'S' else max(kind.seconds, DAY)
    return back(asked, number, unit) + margin


def _smallest(kind, first, asked):
    """The shortest duration that reaches back to `first`; longer than 365 days TWS wants in years (321)."""
    seconds = math.ceil((asked - first) / kind.seconds + 1) * kind.seconds
    if kind.seconds < DAY and seconds <= DAY:
        return max(seconds, kind.seconds), 'S'
    return next((number, unit) for number, unit in _durations() if _reached(kind, number, unit, asked) <= first)


def _durations():
    for unit, numbers in (('D', range(1, 7)), ('W', range(1, 5)), ('M', range(1, 12)), ('Y', itertools.count(1))):
        for number in numbers:
            yield number, unit


def back(seconds, number, unit):
    """The instant a duration of TWS before `seconds`; a month before 31 March is the last of February."""
    if unit in _LENGTHS:
        return seconds - number * _LENGTHS[unit]
    date = moment(seconds)
    months = date.year * 12 + date.month - 1 - number * (12 if unit == 'Y' else 1)
    year, month = max(months // 12, 1), months % 12 + 1
    day = min(date.day, calendar.monthrange(year, month)[1])
    return seconds - (date.toordinal() - datetime.date(year, month, day).toordinal()) * DAY


def _request(kind, number, unit, asked, first, last):
    return Request('' if asked is None else utc_text(asked), f'{number} {unit}', kind.text, first, last)
