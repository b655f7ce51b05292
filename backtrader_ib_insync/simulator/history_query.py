"""What a history request means: its words checked and turned into a stretch of market time, or the refusal TWS gives."""
import calendar
import re
from datetime import timedelta
from typing import Any, NamedTuple

from . import stamps, zones

SIZES = {'1 secs': 1, '5 secs': 5, '10 secs': 10, '15 secs': 15, '30 secs': 30, '1 min': 60, '2 mins': 120, '3 mins': 180,
         '5 mins': 300, '10 mins': 600, '15 mins': 900, '20 mins': 1200, '30 mins': 1800, '1 hour': 3600, '2 hours': 7200,
         '3 hours': 10800, '4 hours': 14400, '8 hours': 28800, '1 day': 86400, '1 week': 604800, '1 month': 2678400}
SPELLINGS = {'1W': '1 week', '1M': '1 month', '1 sec': '1 secs'}
WHATS = ('TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST', 'AGGTRADES', 'SCHEDULE')
TRADE_WHATS = ('TRADES', 'ADJUSTED_LAST', 'AGGTRADES')
DAY = 86400
SMALL = 30
SMALL_AGE = 183 * DAY
AGGTRADES_SINCE = 168
# How much TWS answers in one request: seconds of bars, by the largest bar size each bound holds for (ib-codes.md, limits).
LONGEST = ((1, 2000), (5, 10000), (10, 14400), (15, 21600), (30, 43200), (60, 35 * DAY), (180, 70 * DAY), (1800, 370 * DAY))
INVALID = "Error validating request.-'bK' : cause - {}"
HMDS = 'Historical Market Data Service error message:{}'


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text


class Query(NamedTuple):
    """A history request understood. Bars start in [start, end), UTC epoch seconds; `limit` is the last moment that counts."""
    instrument: Any
    size: str
    start: float
    end: float
    limit: float
    what: str
    rth: bool
    keeps_up: bool

    @property
    def is_small(self):
        return SIZES[self.size] <= SMALL

    @property
    def is_daily(self):
        return SIZES[self.size] >= DAY


def understand(request, instrument, now, zone, version):
    """The Query a request means at `now`; raises Refused. `zone` is TWS's own."""
    size = _size(request.barSizeSetting)
    what = _what(request.whatToShow, instrument, version)
    if request.formatDate not in (1, 2):
        raise Refused(321, INVALID.format(f'Date formatting selection of {request.formatDate} rejected'))
    end = _end(request, instrument, now, zone)
    number, unit = _duration(request.durationStr)
    start = _start(instrument, end, number, unit, request.useRTH)
    if SIZES[size] >= DAY:
        start = zones.label_of(zones.local(start, instrument.zone).date())
    if unit != 'D' and _is_too_fine(size, end - start) or unit == 'D' and _is_too_fine(size, number * DAY):
        raise Refused(162, HMDS.format(f'invalid step: {SIZES[size]}'))
    return Query(instrument, size, start, end, min(end, now), what, request.useRTH, request.keepUpToDate)


def no_data(instrument, what):
    """The refusal for a query that finds nothing."""
    contract = instrument.contract
    return Refused(162, HMDS.format(f'HMDS query returned no data: {contract.localSymbol or contract.symbol}@{contract.exchange} {what.capitalize()}'))


def sessions_until(instrument, end, number, rth):
    """The last `number` sessions that have opened before `end`, oldest first."""
    hours = instrument.hours
    found = [session for session in hours.between(end - (number * 2 + 15) * DAY, end)
             if session.hours(rth) and session.hours(rth)[0][0] < end]
    return found[-number:]


def _size(text):
    size = SPELLINGS.get(text, text)
    if size not in SIZES:
        legal = ', '.join(list(SIZES)[:19])
        raise Refused(321, INVALID.format(f'Historical data bar size setting is invalid. Legal ones are: {legal}'))
    return size


def _what(text, instrument, version):
    what, secType = text.upper(), instrument.contract.secType
    if what not in WHATS:
        raise Refused(321, INVALID.format(f'Invalid whatToShow: {text}'))
    if what in TRADE_WHATS and not instrument.has_last:
        raise Refused(162, HMDS.format('No historical market data for {}/{}@{} Last 60'.format(
            instrument.contract.symbol, secType, 'FXSUBPIP' if secType == 'CASH' else instrument.contract.exchange)))
    if what == 'TRADES' and secType == 'CRYPTO' and version >= AGGTRADES_SINCE:
        raise Refused(10299, 'Expected what to show is AGGTRADES, please use that instead of TRADES.')
    return what


def _end(request, instrument, now, zone):
    text = request.endDateTime.strip()
    if not text:
        return now
    if request.keepUpToDate:
        raise Refused(321, INVALID.format('End date not supported with the keepUpToDate option'))
    if instrument.contract.secType == 'CONTFUT':
        raise Refused(10339, 'Setting end date/time for continuous future security type is not allowed.')
    try:
        return stamps.parse(text, zone)
    except ValueError:
        raise Refused(10314, 'End Date/Time: The date, time, or time-zone entered is invalid. The correct format is '
                      'yyyymmdd hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional.') from None


def _duration(text):
    found = re.match(r'(\d+) ([SDWMY])$', text.strip())
    if not found or not int(found.group(1)):
        raise Refused(321, INVALID.format(f"Historical data query duration '{text}' is invalid: a number and one of S D W M Y"))
    number, unit = int(found.group(1)), found.group(2)
    if unit == 'S' and number > DAY:
        raise Refused(321, INVALID.format('Historical data request for durations longer than 86400 seconds must be made in days.'))
    if unit == 'D' and number > 365:
        raise Refused(321, INVALID.format('Historical data requests for durations longer than 365 days must be made in years.'))
    return number, unit


def _start(instrument, end, number, unit, rth):
    """Days are sessions that have begun; weeks, months and years go back by the calendar."""
    if unit == 'S':
        return end - number
    if unit == 'D':
        found = sessions_until(instrument, end, number, rth)
        return found[0].hours(rth)[0][0] if found else end
    if unit == 'W':
        return end - number * 7 * DAY
    return _months_before(end, number * (12 if unit == 'Y' else 1), instrument.zone)


def _months_before(end, months, zone):
    wall = zones.local(end, zone)
    number = wall.year * 12 + wall.month - 1 - months
    year, month = number // 12, number % 12 + 1
    day = min(wall.day, calendar.monthrange(year, month)[1])
    return (wall.replace(year=year, month=month, day=day) + timedelta(0)).timestamp()


def _is_too_fine(size, length):
    longest = next((longest for seconds, longest in LONGEST if SIZES[size] <= seconds), None)
    return longest is not None and length > longest
