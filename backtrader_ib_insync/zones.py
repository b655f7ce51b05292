"""Time zones and dates as TWS writes them; every zone object of this library is made here."""
import calendar
import collections
import datetime
import functools
import re
from typing import NamedTuple

from .errors import UnknownZone
from .zonenames import ALIASES, WORDS

try:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError
except ImportError:  # before Python 3.9
    from backports.zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 86400

_STAMP = re.compile(r'(\d{4})(\d\d)(\d\d)(?:(-|\s+|;)(\d\d):?(\d\d)(?::?(\d\d)(\.\d+)?)?(?:\s+(\S.*))?)?$')
_HOURS = re.compile(r'(?:(\d{8}):)?(\d\d)(\d\d)-(?:(\d{8}):)?(\d\d)(\d\d)$')


class Zone(datetime.tzinfo):
    """A tzinfo with the two methods backtrader takes from pytz; wraps any other tzinfo."""

    def __init__(self, inner, name):
        self.inner = inner
        self.name = name

    def utcoffset(self, dt):
        return self.inner.utcoffset(self._inside(dt))

    def dst(self, dt):
        return self.inner.dst(self._inside(dt))

    def tzname(self, dt):
        return self.inner.tzname(self._inside(dt))

    def fromutc(self, dt):
        return self.inner.fromutc(self._inside(dt)).replace(tzinfo=self)

    def localize(self, dt, is_dst=False):
        """The naive `dt` read in this zone, an aware one converted; `is_dst` chooses in the hour that comes twice."""
        if dt.tzinfo is not None:
            return dt.astimezone(self)
        dt = aware(dt, self)
        first, second = dt.replace(fold=0), dt.replace(fold=1)
        repeated = first.utcoffset() > second.utcoffset()
        return second if repeated and not is_dst else first

    def normalize(self, dt):
        """`dt` with the offset this zone has at that instant; a local time that never was moves past the gap."""
        return dt.astimezone(datetime.timezone.utc).astimezone(self)

    def _inside(self, dt):
        return dt if dt is None else dt.replace(tzinfo=self.inner)

    def __eq__(self, other):
        return isinstance(other, Zone) and self.name == other.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f'Zone({self.name!r})'

    def __str__(self):
        return self.name

    def __reduce__(self):
        return type(self), (self.inner, self.name)


UTC = Zone(datetime.timezone.utc, 'UTC')

_known = {'UTC': UTC}


def zone(name):
    """The zone TWS means by `name`: IANA ids old and new, abbreviations, Java's and Windows' long names.

    Raises UnknownZone. TWS's own words win over the tz database: its EST has daylight saving time, IANA's has none.
    """
    if name not in _known:
        _known[name] = _find(name)
    return _known[name]


def as_zone(thing):
    """A Zone from a name or any tzinfo: zoneinfo, pytz, dateutil, datetime.timezone. Raises UnknownZone."""
    if isinstance(thing, Zone):
        return thing
    if isinstance(thing, str):
        return zone(thing)
    if not isinstance(thing, datetime.tzinfo):
        raise UnknownZone(f'time zone {thing!r} is neither a name nor a tzinfo object: '
                          'give a name such as "America/New_York" or a zoneinfo.ZoneInfo')
    # a pytz object bound to a date it was not localized for answers with the local mean time of the 19th century
    name = getattr(thing, 'zone', None)
    if name:
        return zone(name)
    return Zone(thing, getattr(thing, 'key', None) or str(thing))


def _find(name):
    text = ' '.join(name.split())
    for candidate in (_alias(text), text, _alias(_short(text)), _short(text)):
        found = _database(candidate) if candidate else None
        if found is not None:
            return found
    raise UnknownZone(f'unknown time zone {name!r}: the tz database has no such id and TWS is not known to use it; '
                      'pass tz= with a name such as "America/New_York"')


def _short(text):
    """'EST (Eastern Standard Time)' is TWS's form of 'EST'."""
    return text.split('(')[0].strip()


def _alias(text):
    """Summer and winter have one name here: a zone is the same zone all year."""
    key = text.casefold()
    for summer in WORDS:
        key = key.replace(summer, ' standard ')
    return ALIASES.get(key)


def _database(key):
    if key in ('UTC', 'GMT'):
        return UTC
    try:
        return Zone(ZoneInfo(key), key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def epoch(dt, tz=UTC):
    """Seconds since the epoch of a date (its 00:00 UTC), a naive datetime read in `tz`, or an aware one."""
    if not isinstance(dt, datetime.datetime):
        return float(calendar.timegm(dt.timetuple()))
    if dt.tzinfo is None:
        dt = tz.localize(dt)
    return calendar.timegm(dt.utctimetuple()) + dt.microsecond / 1e6


def aware(dt, tz):
    """The naive `dt` as one of `tz`, its fold kept; plain, for that of pandas takes no zone of ours."""
    return datetime.datetime.combine(dt.date(), dt.time()).replace(tzinfo=tz)


def moment(seconds, tz=UTC):
    """The aware datetime in `tz` of a number of seconds since the epoch."""
    return (datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
            + datetime.timedelta(seconds=seconds)).astimezone(tz)


def parse_stamp(text, tz=UTC):
    """Epoch seconds of a date as TWS writes it, or as the client library has already read it.

    A day alone is its 00:00 UTC; 'yyyymmdd-hh:mm:ss' is UTC; a zone in the text wins over `tz`, which holds
    for all others; digits alone, other than eight, are epoch seconds. Raises ValueError, UnknownZone.
    """
    if isinstance(text, datetime.date):
        return epoch(text, tz)
    if isinstance(text, (int, float)):
        return float(text)
    text = text.strip()
    if text.isdigit() and len(text) != 8:
        return float(text)
    match = _STAMP.match(text)
    if not match:
        raise ValueError(f'{text!r} is no date of TWS: yyyymmdd, yyyymmdd hh:mm:ss [zone], yyyymmdd-hh:mm:ss '
                         'or epoch seconds')
    return _stamp(match, tz)


def _stamp(match, tz):
    year, month, day, mark, hour, minute, second, fraction, name = match.groups()
    if hour is None:
        return epoch(datetime.date(int(year), int(month), int(day)))
    where = zone(name) if name else UTC if mark == '-' else tz
    naive = datetime.datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    return epoch(naive, where) + float(fraction or 0)


def utc_text(seconds):
    """'yyyymmdd-hh:mm:ss', the form TWS takes for UTC (ib-codes.md: another form without a zone gives 2174)."""
    return moment(int(seconds // 1)).strftime('%Y%m%d-%H:%M:%S')


# -- trading hours ---------------------------------------------------------------------------------

class Hours(NamedTuple):
    """One session, in epoch seconds; `date` is the day it belongs to, that of its end."""
    date: datetime.date
    start: float
    end: float


def sessions(hours, tz):
    """The sessions in a `tradingHours` or `liquidHours` text of contract details; closed days have none.

    Both forms of TWS: '20240102:0930-20240102:1600;20240106:CLOSED' and '20240102:0930-1130,1230-1600;...'.
    """
    found = []
    for day in filter(None, (part.strip() for part in (hours or '').split(';'))):
        date, _, spans = day.partition(':')
        if spans != 'CLOSED':
            found.extend(_session(date, span, tz) for span in day.split(','))
    return tuple(sorted(found, key=lambda session: session.end))


def _session(date, span, tz):
    match = _HOURS.match(span.strip())
    if not match:
        raise ValueError(f'{span!r} are no trading hours of TWS: yyyymmdd:hhmm-yyyymmdd:hhmm')
    first, hour, minute, last, till_hour, till_minute = match.groups()
    opened = _clock(first or date, hour, minute)
    closed = _clock(last or first or date, till_hour, till_minute)
    if closed <= opened:
        closed += datetime.timedelta(days=1)
    # a session that ends at midnight belongs to the day before
    return Hours((closed - datetime.timedelta(seconds=1)).date(), epoch(opened, tz), epoch(closed, tz))


def _clock(date, hour, minute):
    return (datetime.datetime.strptime(date, '%Y%m%d')
            + datetime.timedelta(hours=int(hour), minutes=int(minute)))


def session_end(date, hours, tz):
    """Epoch seconds at which the last session of `date` ends; None when `hours` tells nothing.

    TWS lists the days around today only: another day ends at the time of day at which most of those end.
    """
    ends, usual = _ends(hours, tz)
    if date in ends or usual is None:
        return ends.get(date)
    return epoch(datetime.datetime.combine(date, datetime.time()) + usual, tz)


@functools.lru_cache(maxsize=256)
def _ends(hours, tz):
    """The end of each day listed, and the commonest distance of an end from the midnight its day began with."""
    ends = {session.date: session.end for session in sessions(hours, tz)}
    spans = collections.Counter(
        moment(end, tz).replace(tzinfo=None) - datetime.datetime.combine(date, datetime.time())
        for date, end in ends.items())
    return ends, max(spans, key=lambda span: (spans[span], span), default=None)
