"""What a history request means: its words turned into a stretch of market time, or the refusal TWS gives."""
import calendar
import re
from typing import Any, NamedTuple

from . import stamps, zones
from .bars import SIZES

SPELLINGS = {'1W': '1 week', '1M': '1 month'}
WHATS = ('TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST', 'AGGTRADES', 'SCHEDULE')
TRADE_WHATS = ('TRADES', 'ADJUSTED_LAST', 'AGGTRADES')
DAY = 86400
SMALL = 30
SMALL_AGE = 183 * DAY
AGGTRADES_SINCE = 168
# How much TWS answers in one request: (largest bar size, seconds); ib-codes.md, limits.
LONGEST = ((1, 2000), (5, 10000), (10, 14400), (15, 21600), (30, 43200), (60, 35 * DAY), (180, 70 * DAY),
           (1800, 370 * DAY))
HMDS = 'Historical Market Data Service error message:{}'


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text


class Query(NamedTuple):
    """A history request understood: bars that start in [start, end), UTC epoch seconds, as they stand at `limit`."""
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
        raise invalid(f'Date formatting selection of {request.formatDate} rejected')
    end = _end(request, instrument, what, now, zone)
    number, unit = _duration(request.durationStr)
    start = _start(instrument, end, number, unit, request.useRTH)
    if SIZES[size] >= DAY:
        start = zones.label_of(zones.local(start, instrument.zone).date())
    if unit != 'D' and _is_too_fine(size, end - start) or unit == 'D' and _is_too_fine(size, number * DAY):
        raise Refused(162, HMDS.format(f'invalid step: {SIZES[size]}'))
    return Query(instrument, size, start, end, min(end, now), what, request.useRTH, request.keepUpToDate)


def invalid(cause):
    """The refusal of a request that makes no sense to TWS."""
    return Refused(321, f"Error validating request.-'bK' : cause - {cause}")


def no_data(instrument, what):
    """The refusal for a query that finds nothing."""
    contract = instrument.contract
    name = contract.localSymbol or contract.symbol
    return Refused(162, HMDS.format(f'HMDS query returned no data: {name}@{contract.exchange} {what.capitalize()}'))


def sessions_until(instrument, end, number, rth):
    """The last `number` sessions that have opened before `end`, oldest first."""
    hours = instrument.hours
    found = [session for session in hours.between(end - (number * 2 + 15) * DAY, end)
             if session.hours(rth) and session.hours(rth)[0][0] < end]
    return found[-number:]


def _size(text):
    size = SPELLINGS.get(text, text)
    if size not in SIZES:
        legal = ', '.join([size for size in SIZES if size not in SPELLINGS.values()] + list(SPELLINGS))
        raise invalid(f'Historical data bar size setting is invalid. Legal ones are: {legal}')
    return size


def _what(text, instrument, version):
    what, secType = text.upper(), instrument.contract.secType
    if what not in WHATS:
        raise invalid(f'Invalid whatToShow: {text}')
    if what in TRADE_WHATS and not instrument.has_last:
        raise Refused(162, HMDS.format('No historical market data for {}/{}@{} Last 60'.format(
            instrument.contract.symbol, secType, 'FXSUBPIP' if secType == 'CASH' else instrument.contract.exchange)))
    if what == 'TRADES' and secType == 'CRYPTO' and version >= AGGTRADES_SINCE:
        raise Refused(10299, 'Expected what to show is AGGTRADES, please use that instead of TRADES.')
    return what


def _end(request, instrument, what, now, zone):
    text = request.endDateTime.strip()
    if not text:
        return now
    if request.keepUpToDate:
        raise invalid('End date not supported with the keepUpToDate option')
    if what == 'ADJUSTED_LAST':
        raise invalid('End date not supported with adjusted last')
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
        raise invalid(f"Historical data query duration '{text}' is invalid: a number and one of S D W M Y")
    number, unit = int(found.group(1)), found.group(2)
    if unit == 'S' and number > DAY:
        raise invalid('Historical data request for durations longer than 86400 seconds must be made in days.')
    if unit == 'D' and number > 365:
        raise invalid('Historical data requests for durations longer than 365 days must be made in years.')
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
    return wall.replace(year=year, month=month, day=day).timestamp()


def _is_too_fine(size, length):
    longest = next((longest for seconds, longest in LONGEST if SIZES[size] <= seconds), None)
    return longest is not None and length > longest
