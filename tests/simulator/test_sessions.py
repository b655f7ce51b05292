from datetime import date

import pytest

from backtrader_ib_insync.simulator import sessions, zones
from backtrader_ib_insync.simulator.zones import parse


def test_a_stock_day_has_all_hours_and_regular_hours():
    session = sessions.US_STOCKS.session(date(2024, 11, 20))
    assert session.spans == ((parse('2024-11-20 04:00 US/Eastern'), parse('2024-11-20 20:00 US/Eastern')),)
    assert session.liquid == ((parse('2024-11-20 09:30 US/Eastern'), parse('2024-11-20 16:00 US/Eastern')),)


def test_an_early_close_cuts_the_regular_hours_and_the_evening():
    session = sessions.US_STOCKS.session(date(2024, 11, 29))
    assert session.close == parse('2024-11-29 17:00 US/Eastern')
    assert session.liquid[-1][1] == parse('2024-11-29 13:00 US/Eastern')


def test_weekends_and_holidays_have_no_session():
    assert sessions.US_STOCKS.session(date(2024, 11, 23)) is None
    assert sessions.US_STOCKS.session(date(2024, 11, 28)) is None
    assert sessions.CRYPTO.session(date(2024, 11, 23)) is not None


def test_a_futures_session_opens_on_the_evening_before():
    at = parse('2024-11-19 18:00 US/Central')
    assert sessions.CME.session_at(at).date == date(2024, 11, 20)
    assert sessions.CME.session_at(at, rth=True) is None
    assert sessions.CME.session_at(parse('2024-11-20 16:30 US/Central')) is None


def test_forex_runs_from_sunday_evening_to_friday():
    assert sessions.FOREX.next_open(parse('2024-11-22 18:00 US/Eastern')) == parse('2024-11-24 17:15 US/Eastern')
    assert sessions.FOREX.next_close(parse('2024-11-22 12:00 US/Eastern')) == parse('2024-11-22 17:00 US/Eastern')
    assert sessions.FOREX.session_at(parse('2024-11-20 17:05 US/Eastern')) is None


def test_tokyo_has_a_lunch_break():
    noon = parse('2024-11-20 12:00 Japan')
    assert sessions.TOKYO.session_at(noon) is None
    assert sessions.TOKYO.next_open(noon) == parse('2024-11-20 12:30 Japan')
    assert sessions.TOKYO.next_close(parse('2024-11-20 10:00 Japan')) == parse('2024-11-20 11:30 Japan')


def test_open_and_close_belong_to_the_moment_they_name():
    opened, closed = parse('2024-11-20 09:30 US/Eastern'), parse('2024-11-20 16:00 US/Eastern')
    hours = sessions.US_STOCKS
    assert hours.session_at(opened, True) and not hours.session_at(closed, True)
    assert hours.next_open(opened, True) == opened
    assert hours.next_close(closed, True) == parse('2024-11-21 16:00 US/Eastern')


@pytest.mark.parametrize('day, hours', [(date(2024, 3, 9), 24), (date(2024, 3, 10), 23), (date(2024, 11, 3), 25)])
def test_a_day_of_clock_change_is_shorter_or_longer(day, hours):
    session = sessions.CRYPTO.session(day)
    assert session.close - session.open == hours * 3600
    assert sum(slot.end - slot.start for slot in session.slots()) == hours * 3600


def test_slots_are_cut_where_regular_hours_begin_and_end():
    slots = sessions.EUREX.session(date(2024, 11, 20)).slots()
    assert (slots[0].end - slots[0].start, slots[1].end - slots[1].start) == (20 * 60, 1800)
    assert sum(slot.end - slot.start for slot in slots if slot.is_liquid) == 8.5 * 3600


def test_sessions_between_two_moments():
    found = sessions.CME.between(parse('2024-11-22 12:00 US/Central'), parse('2024-11-24 18:00 US/Central'))
    assert [session.date for session in found] == [date(2024, 11, 22), date(2024, 11, 25)]
    assert sessions.CME.previous_session(sessions.CME.session(date(2024, 11, 25))).date == date(2024, 11, 22)


def test_the_hours_texts_are_as_tws_writes_them():
    now = parse('2024-11-27 10:00 US/Eastern')
    assert sessions.US_STOCKS.text(now) == (
        '20241127:0400-20241127:2000;20241128:CLOSED;20241129:0400-20241129:1700;20241130:CLOSED;20241201:CLOSED;'
        '20241202:0400-20241202:2000')
    assert sessions.US_STOCKS.text(now, rth=True, days=3) == (
        '20241127:0930-20241127:1600;20241128:CLOSED;20241129:0930-20241129:1300')
    assert sessions.CME.text(parse('2024-11-22 10:00 US/Central'), days=4) == (
        '20241121:1700-20241122:1600;20241123:CLOSED;20241124:1700-20241125:1600')
    assert sessions.TOKYO.text(now, days=1) == '20241128:0900-20241128:1130;20241128:1230-20241128:1500'


def test_ib_insync_reads_the_hours_texts():
    ib_insync = pytest.importorskip('ib_insync')
    details = ib_insync.ContractDetails(
        timeZoneId='US/Central', tradingHours=sessions.CME.text(parse('2024-11-22 10:00 US/Central')))
    first = details.tradingSessions()[0]
    assert first.start.timestamp() == parse('2024-11-21 17:00 US/Central')
    assert zones.local(first.end.timestamp(), 'US/Central').hour == 16


def test_a_calendar_that_never_opens_is_an_error_not_a_loop():
    never = sessions.Hours('UTC', sessions.spans('09:00-17:00'), weekdays=frozenset())
    with pytest.raises(ValueError, match='no session within'):
        never.next_open(0.0)
