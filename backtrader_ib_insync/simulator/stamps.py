"""Times as TWS writes and reads them. Moments are UTC epoch seconds."""
import re
from datetime import datetime

from . import zones

INSTRUMENT_TIMEZONE = 174
FORM = re.compile(r'(\d{8})(?:-| {1,2})(\d{1,2}:\d\d(?::\d\d)?)(?: (\S.*))?$')


def in_zone(time, zone):
    """`20241120 10:00:00 US/Eastern`."""
    return f'{zones.local(time, zone):%Y%m%d %H:%M:%S} {zone}'


def intraday(time, zone, version):
    """With the zone from server version 174 on; before it in the zone alone, after two blanks."""
    if version >= INSTRUMENT_TIMEZONE:
        return in_zone(time, zone)
    return f'{zones.local(time, zone):%Y%m%d  %H:%M:%S}'


def day(label):
    """The date of a daily bar, stamped 00:00 UTC."""
    return '{:%Y%m%d}'.format(zones.local(label, 'UTC'))


def utc(time):
    """`20241120-15:00:00`."""
    return '{:%Y%m%d-%H:%M:%S}'.format(zones.local(time, 'UTC'))


def hour_minute(time, zone):
    return f'{zones.local(time, zone):%H:%M}'


def has_zone(text):
    """Whether the client said which zone it means; a dash means UTC."""
    found = FORM.match(text.strip())
    return bool(found and (found.group(3) or text.strip()[8] == '-'))


def parse(text, default):
    """The moment a client means by `yyyymmdd hh:mm:ss[ zone]` or `yyyymmdd-hh:mm:ss`; GMT is refused, as by TWS."""
    text = text.strip()
    found = FORM.match(text)
    if not found:
        raise ValueError(f'{text!r} is no date and time: yyyymmdd hh:mm:ss zone, or yyyymmdd-hh:mm:ss for UTC')
    date, clock, zone = found.groups()
    if zone == 'GMT':
        raise ValueError(f'{text!r} names the zone GMT, which is not known here: UTC is')
    form = '%Y%m%d %H:%M:%S' if clock.count(':') == 2 else '%Y%m%d %H:%M'
    wall = datetime.strptime(f'{date} {clock}', form)
    name = 'UTC' if text[8] == '-' else zone or default
    return wall.replace(tzinfo=zones.zone(name)).timestamp()
