"""Time zones by the names TWS uses ('US/Eastern', 'MET', 'GB-Eire'), and wall clock <-> seconds since the epoch."""
from datetime import datetime, timedelta, timezone
from functools import lru_cache

try:
    from zoneinfo import ZoneInfo
except ImportError:
    from backports.zoneinfo import ZoneInfo

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=None)
def zone(name):
    """The tzinfo called `name`; ValueError for a name nobody knows."""
    if name == 'UTC':
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError('unknown time zone {!r}: give a tz database name such as US/Eastern or Europe/Berlin; '
                         'when it is one, install the package tzdata'.format(name)) from error


def to_utc(date, minutes, name):
    """Seconds since the epoch of wall clock `minutes` after (negative: before) midnight of `date` in zone `name`."""
    wall = datetime(date.year, date.month, date.day, tzinfo=zone(name)) + timedelta(minutes=minutes)
    return wall.timestamp()


def local(time, name):
    """The aware wall clock of `time` (seconds since the epoch) in zone `name`."""
    return datetime.fromtimestamp(time, zone(name))


def date_of(time):
    """The UTC date of `time`, as of a label of a daily bar."""
    return datetime.fromtimestamp(time, UTC).date()


def label_of(date):
    """00:00 UTC of `date` in seconds since the epoch: how days and longer are stamped."""
    return float((date.toordinal() - EPOCH.toordinal()) * 86400)


def parse(text, default='UTC'):
    """Seconds since the epoch of 'yyyy-mm-dd[ HH:MM[:SS]][ zone]'; without a zone in it, `default` is the zone."""
    words = (text[:10] + text[10:].replace('T', ' ', 1) if text[10:11] == 'T' else text).split()
    if not words:
        raise ValueError('empty time: write it as 2024-11-20 10:00 US/Eastern')
    day = words.pop(0)
    clock = words.pop(0) if words and ':' in words[0] else '00:00'
    name = words.pop(0) if words else default
    form = '%Y-%m-%d %H:%M:%S' if clock.count(':') == 2 else '%Y-%m-%d %H:%M'
    try:
        wall = datetime.strptime('{} {}'.format(day, clock), form)
    except ValueError as error:
        raise ValueError('bad time {!r}: write it as 2024-11-20 10:00 US/Eastern'.format(text)) from error
    if words:
        raise ValueError('bad time {!r}: {!r} is too much after the zone'.format(text, ' '.join(words)))
    return wall.replace(tzinfo=zone(name)).timestamp()
