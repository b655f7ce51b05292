import calendar
import copy
import datetime
import pickle

import pytest
from backtrader.utils.dateintern import date2num, num2date, tzparse
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync import zones
from backtrader_ib_insync.errors import UnknownZone
from backtrader_ib_insync.zones import UTC, as_zone, epoch, moment, parse_stamp, session_end, sessions, utc_text, zone

NEW_YORK = zone('America/New_York')
WINTER = datetime.datetime(2024, 1, 15, 12)
SUMMER = datetime.datetime(2024, 7, 15, 12)


def hours(tz, naive):
    return tz.localize(naive).utcoffset().total_seconds() / 3600


@pytest.mark.parametrize('name, winter, summer', [
    ('EST5EDT', -5, -4), ('US/Eastern', -5, -4), ('America/New_York', -5, -4), ('EST', -5, -4), ('EDT', -5, -4),
    ('EST (Eastern Standard Time)', -5, -4), ('Eastern Standard Time', -5, -4), ('Eastern Daylight Time', -5, -4),
    ('CST', -6, -5), ('CST6CDT', -6, -5), ('US/Central', -6, -5), ('CST (Central Standard Time)', -6, -5),
    ('Central Standard Time', -6, -5), ('MST7MDT', -7, -6), ('PST8PDT', -8, -7), ('US/Pacific', -8, -7),
    ('Pacific Standard Time', -8, -7), ('HST', -10, -10),
    ('MET', 1, 2), ('MET (Middle Europe Time)', 1, 2), ('CET', 1, 2), ('Central European Standard Time', 1, 2),
    ('Central European Summer Time', 1, 2), ('W. Europe Standard Time', 1, 2), ('Europe/Berlin', 1, 2),
    ('Europe/Budapest', 1, 2), ('EET', 2, 3), ('WET', 0, 1), ('Portugal', 0, 1), ('Europe/Kiev', 2, 3),
    ('GB', 0, 1), ('GB-Eire', 0, 1), ('BST', 0, 1), ('GMT Standard Time', 0, 1), ('GMT (Greenwich Mean Time)', 0, 0),
    ('GMT', 0, 0), ('UTC', 0, 0), ('Israel', 2, 3), ('Asia/Calcutta', 5.5, 5.5), ('IST', 5.5, 5.5),
    ('India Standard Time', 5.5, 5.5), ('JST', 9, 9), ('Japan', 9, 9), ('JST (Japan Standard Time)', 9, 9),
    ('Asia/Tokyo', 9, 9), ('Hongkong', 8, 8), ('HKT', 8, 8), ('Asia/Hong_Kong', 8, 8), ('Singapore', 8, 8),
    ('China Standard Time', 8, 8), ('中国标准时间', 8, 8), ('Asia/Seoul', 9, 9), ('KST', 9, 9),
    ('Australia/NSW', 11, 10), ('Australian Eastern Daylight Time', 11, 10), ('AET', 11, 10),
    ('Australia/Sydney', 11, 10),
    ('Mexico/General', -6, -6), ('Brazil/East', -3, -3), ('Canada/Eastern', -5, -4), ('  US/Eastern ', -5, -4),
])
def test_p26_every_zone_id_of_tws_is_known(name, winter, summer):
    assert (hours(zone(name), WINTER), hours(zone(name), SUMMER)) == (winter, summer)


@pytest.mark.parametrize('name', ['Mars/Olympus', '', 'XYZ', '../etc/passwd', '/etc/passwd', 'America', 'a\0b', '()'])
def test_p26_an_unknown_zone_is_reported(name):
    with pytest.raises(UnknownZone) as caught:
        zone(name)
    assert repr(name) in str(caught.value)
    assert 'tz=' in str(caught.value)


def test_every_alias_leads_to_a_zone_there_is():
    for name in zones.ALIASES:
        assert zone(name).localize(WINTER).utcoffset() is not None


def test_p26_a_date_of_a_subclass_that_takes_no_such_zone_is_read_as_any_other():
    class Stamp(datetime.datetime):
        def replace(self, *args, **kwargs):
            raise AttributeError
    assert epoch(Stamp(2024, 7, 15, 12), NEW_YORK) == epoch(SUMMER, NEW_YORK)


# -- what backtrader asks of a zone (backtrader-contract.md 3.1) -----------------------------------

def zone_objects():
    import dateutil.tz
    found = ['America/New_York', 'US/Eastern', NEW_YORK, zones.ZoneInfo('America/New_York'),
             dateutil.tz.gettz('America/New_York')]
    try:
        import pytz
    except ImportError:
        return found
    return found + [pytz.timezone('America/New_York')]


@pytest.mark.parametrize('thing', zone_objects(), ids=repr)
def test_p92_zone_objects_of_every_kind_work(thing):
    made = as_zone(thing)
    assert (hours(made, WINTER), hours(made, SUMMER)) == (-5, -4)
    assert tzparse(made) is made
    assert num2date(date2num(SUMMER), tz=made).replace(tzinfo=None) == datetime.datetime(2024, 7, 15, 8)


@pytest.mark.parametrize('thing', [
    datetime.timezone.utc, datetime.timezone(datetime.timedelta(0), 'zero'), UTC, 'UTC'], ids=repr)
def test_p92_fixed_offsets_work(thing):
    assert hours(as_zone(thing), SUMMER) == 0


class Pytz(datetime.tzinfo):
    """As pytz has it: bound to a date it was not localized for it answers with the local mean time."""
    zone = 'America/New_York'

    def utcoffset(self, dt):
        return datetime.timedelta(hours=-4, minutes=-56)


def test_p92_a_pytz_zone_gives_no_local_mean_time():
    assert hours(as_zone(Pytz()), WINTER) == -5


@pytest.mark.parametrize('thing', [None, 5, object()])
def test_p92_what_is_no_zone_is_refused(thing):
    with pytest.raises(UnknownZone):
        as_zone(thing)


def test_p92_an_aware_date_is_converted_not_overwritten():
    aware = datetime.datetime(2024, 1, 15, 15, tzinfo=datetime.timezone.utc)
    assert NEW_YORK.localize(aware).replace(tzinfo=None) == datetime.datetime(2024, 1, 15, 10)


def test_the_hour_that_comes_twice():
    twice = datetime.datetime(2024, 11, 3, 1, 30)
    assert hours(NEW_YORK, twice) == -5
    assert NEW_YORK.localize(twice, is_dst=True).utcoffset() == datetime.timedelta(hours=-4)


def test_the_hour_that_never_was_moves_on():
    never = NEW_YORK.localize(datetime.datetime(2024, 3, 10, 2, 30))
    assert NEW_YORK.normalize(never).replace(tzinfo=None) == datetime.datetime(2024, 3, 10, 3, 30)


@given(st.integers(0, 4 * 10 ** 9),
       st.sampled_from(['America/New_York', 'Europe/London', 'Asia/Calcutta', 'AET', 'UTC']))
def test_an_instant_survives_every_zone(seconds, name):
    there = moment(seconds, zone(name))
    assert epoch(there) == seconds
    assert there.utctimetuple()[:6] == moment(seconds).utctimetuple()[:6]


def test_zones_compare_copy_pickle_and_print():
    for other in (copy.copy(NEW_YORK), copy.deepcopy(NEW_YORK), pickle.loads(pickle.dumps(NEW_YORK))):
        assert other == NEW_YORK
        assert hash(other) == hash(NEW_YORK)
    assert NEW_YORK != UTC
    assert str(NEW_YORK) == 'America/New_York'
    assert repr(NEW_YORK) == "Zone('America/New_York')"
    assert UTC.utcoffset(None) == datetime.timedelta(0)
    assert NEW_YORK.localize(WINTER).tzname() == 'EST'
    assert NEW_YORK.localize(SUMMER).dst() == datetime.timedelta(hours=1)


# -- dates -----------------------------------------------------------------------------------------

NOON = calendar.timegm((2024, 1, 15, 17, 0, 0))


@pytest.mark.parametrize('text', [
    '20240115 12:00:00', '20240115  12:00:00', '20240115 12:00', '20240115 12:00:00 US/Eastern', '20240115-17:00:00',
    '20240115 17:00:00 UTC', '20240115 18:00:00 Central European Standard Time', '20240115 12:00:00 EST', str(NOON),
    NOON, float(NOON), datetime.datetime(2024, 1, 15, 12),
    datetime.datetime(2024, 1, 15, 17, tzinfo=datetime.timezone.utc),
    '20240115;120000',
])
def test_p22_every_date_of_tws_is_read(text):
    assert parse_stamp(text, NEW_YORK) == NOON


@pytest.mark.parametrize('text', ['20240115', datetime.date(2024, 1, 15)])
def test_a_day_is_its_first_utc_second(text):
    assert parse_stamp(text, NEW_YORK) == calendar.timegm((2024, 1, 15, 0, 0, 0))


@pytest.mark.parametrize('text', ['', 'yesterday', '2024-01-15', '20240115 noon', '20241315 12:00:00'])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):
        parse_stamp(text)


def test_fractions_of_a_second_are_read():
    assert parse_stamp('20240115-17:00:00.25') == NOON + 0.25
    assert epoch(datetime.datetime(2024, 1, 15, 17, 0, 0, 250000)) == NOON + 0.25


@given(st.integers(0, 4 * 10 ** 9))
def test_p22_times_go_out_as_utc_text(seconds):
    text = utc_text(seconds)
    assert len(text) == 17
    assert text[8] == '-'
    assert parse_stamp(text, NEW_YORK) == seconds


# -- sessions --------------------------------------------------------------------------------------

STOCK = '20240115:CLOSED;20240116:0930-20240116:1600;20240117:0930-20240117:1600;20240703:0930-20240703:1300'
FUTURE = '20240114:1700-20240115:1600;20240115:1700-20240116:1600;20240117:CLOSED'
TOKYO = '20240115:0900-1130,1230-1500;20240116:0900-1130,1230-1500'


def local(seconds, tz):
    return moment(seconds, tz).strftime('%Y%m%d %H:%M')


def test_sessions_are_read_in_both_forms():
    assert [(local(one.start, NEW_YORK), local(one.end, NEW_YORK)) for one in sessions(STOCK, NEW_YORK)] == [
        ('20240116 09:30', '20240116 16:00'), ('20240117 09:30', '20240117 16:00'),
        ('20240703 09:30', '20240703 13:00')]
    japan = zone('JST')
    assert [(local(one.start, japan), local(one.end, japan)) for one in sessions(TOKYO, japan)][:2] == [
        ('20240115 09:00', '20240115 11:30'), ('20240115 12:30', '20240115 15:00')]
    assert sessions('', NEW_YORK) == sessions(None, NEW_YORK) == ()


def test_a_session_over_midnight_belongs_to_the_day_it_ends():
    chicago = zone('CST')
    first = sessions(FUTURE, chicago)[0]
    assert first.date == datetime.date(2024, 1, 15)
    assert local(first.start, chicago) == '20240114 17:00'
    midnight = sessions('20240115:1700-20240116:0000', chicago)[0]
    assert midnight.date == datetime.date(2024, 1, 15)
    assert sessions('20240115:0000-2400', chicago)[0].date == datetime.date(2024, 1, 15)


def test_hours_that_are_none_are_refused():
    with pytest.raises(ValueError, match='trading hours'):
        sessions('20240115:morning', NEW_YORK)


@pytest.mark.parametrize('date, end', [
    ((2024, 1, 16), '20240116 16:00'),      # listed
    ((2024, 7, 3), '20240703 13:00'),       # a short day
    ((2024, 6, 3), '20240603 16:00'),       # not listed, in summer
    ((2014, 12, 1), '20141201 16:00'),
])
def test_p27_the_end_of_a_session(date, end):
    assert local(session_end(datetime.date(*date), STOCK, NEW_YORK), NEW_YORK) == end


def test_p27_the_end_of_a_session_of_what_trades_at_night():
    chicago = zone('CST')
    assert local(session_end(datetime.date(2023, 5, 9), FUTURE, chicago), chicago) == '20230509 16:00'
    assert local(session_end(datetime.date(2024, 1, 16), TOKYO, zone('JST')), zone('JST')) == '20240116 15:00'
    round_the_clock = '20240115:0000-20240116:0000;20240116:0000-20240117:0000'
    assert local(session_end(datetime.date(2024, 5, 9), round_the_clock, UTC), UTC) == '20240510 00:00'


def test_p27_hours_that_tell_nothing_give_no_end():
    assert session_end(datetime.date(2024, 1, 16), '', NEW_YORK) is None
    assert session_end(datetime.date(2024, 1, 16), '20240115:CLOSED', NEW_YORK) is None
