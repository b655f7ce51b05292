import calendar
import datetime
import math
import re

import pytest
from backtrader import TimeFrame
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from backtrader_ib_insync import history
from backtrader_ib_insync.errors import HistoryFailed, NotSupportedTimeframe
from backtrader_ib_insync.history import SIZES, back, base_size, check_declared, plan, plan_till_now
from backtrader_ib_insync.zones import DAY, moment, parse_stamp


def utc(year, month=1, day=1, *clock):
    return float(calendar.timegm((year, month, day) + clock + (0,) * (3 - len(clock))))


# -- sizes -----------------------------------------------------------------------------------------

@pytest.mark.parametrize('timeframe, compression, text', [
    (TimeFrame.Seconds, 1, '1 secs'), (TimeFrame.Seconds, 5, '5 secs'), (TimeFrame.Seconds, 10, '10 secs'),
    (TimeFrame.Seconds, 15, '15 secs'), (TimeFrame.Seconds, 30, '30 secs'), (TimeFrame.Seconds, 60, '1 min'),
    (TimeFrame.Minutes, 1, '1 min'), (TimeFrame.Minutes, 2, '2 mins'), (TimeFrame.Minutes, 3, '3 mins'),
    (TimeFrame.Minutes, 5, '5 mins'), (TimeFrame.Minutes, 10, '10 mins'), (TimeFrame.Minutes, 15, '15 mins'),
    (TimeFrame.Minutes, 20, '20 mins'), (TimeFrame.Minutes, 30, '30 mins'), (TimeFrame.Minutes, 60, '1 hour'),
    (TimeFrame.Minutes, 120, '2 hours'), (TimeFrame.Minutes, 180, '3 hours'), (TimeFrame.Minutes, 240, '4 hours'),
    (TimeFrame.Minutes, 480, '8 hours'), (TimeFrame.Days, 1, '1 day'), (TimeFrame.Weeks, 1, '1 week'),
    (TimeFrame.Months, 1, '1 month'),
])
def test_every_size_of_tws_has_its_name(timeframe, compression, text):
    assert base_size(timeframe, compression) == text
    assert SIZES[text].text == text


@pytest.mark.parametrize('timeframe, compression, base', [
    (TimeFrame.Ticks, 1, '1 secs'), (TimeFrame.Seconds, 7, '1 secs'), (TimeFrame.Seconds, 20, '10 secs'),
    (TimeFrame.Seconds, 90, '30 secs'), (TimeFrame.Minutes, 7, '1 min'), (TimeFrame.Minutes, 45, '15 mins'),
    (TimeFrame.Minutes, 90, '30 mins'), (TimeFrame.Minutes, 25, '5 mins'), (TimeFrame.Minutes, 720, '1 hour'),
    (TimeFrame.Minutes, 1440, '1 hour'), (TimeFrame.Days, 2, '1 day'), (TimeFrame.Days, 7, '1 day'),
    (TimeFrame.Weeks, 2, '1 week'), (TimeFrame.Months, 3, '1 month'), (TimeFrame.Years, 1, '1 month'),
    (TimeFrame.Years, 2, '1 month'),
])
def test_p24_a_size_tws_lacks_is_built_from_the_largest_that_fits(timeframe, compression, base):
    assert base_size(timeframe, compression) == base


@pytest.mark.parametrize('timeframe, compression', [
    (TimeFrame.MicroSeconds, 1), (TimeFrame.NoTimeFrame, 1), (TimeFrame.Minutes, 0), (TimeFrame.Minutes, -1),
    (TimeFrame.Minutes, 1.5), (TimeFrame.Days, None), (42, 1),
])
def test_p24_what_can_not_be_served_is_told_with_the_sizes_there_are(timeframe, compression):
    with pytest.raises(NotSupportedTimeframe) as caught:
        base_size(timeframe, compression)
    assert '1 secs, 5 secs, 10 secs' in str(caught.value)
    assert repr(compression) in str(caught.value)


@pytest.mark.parametrize('timeframe, compression, may', [
    (TimeFrame.Years, 1, False), (TimeFrame.Minutes, 1441, False), (TimeFrame.Seconds, 100000, False),
    (TimeFrame.Minutes, 1440, True), (TimeFrame.Seconds, 86400, True), (TimeFrame.Months, 12, True),
    (TimeFrame.Ticks, 1, True)])
def test_p24_what_backtrader_alone_can_join_is_refused_with_the_way_to_it(timeframe, compression, may):
    if may:
        check_declared(timeframe, compression)
        return
    with pytest.raises(NotSupportedTimeframe, match='resampledata'):
        check_declared(timeframe, compression)


@given(st.integers(1, 2000), st.sampled_from([TimeFrame.Seconds, TimeFrame.Minutes]))
def test_p24_parts_divide_the_whole(compression, timeframe):
    seconds = compression * (60 if timeframe == TimeFrame.Minutes else 1)
    part = SIZES[base_size(timeframe, compression)]
    assert seconds % part.seconds == 0
    assert part.seconds == seconds or part.seconds <= 3600


def test_small_bars_are_those_that_tws_paces():
    assert [text for text in SIZES if history.is_small(text)] == ['1 secs', '5 secs', '10 secs', '15 secs', '30 secs']


# -- going back ------------------------------------------------------------------------------------

@pytest.mark.parametrize('end, number, unit, start', [
    ((2024, 3, 31), 1, 'M', (2024, 2, 29)),
    ((2023, 3, 31), 1, 'M', (2023, 2, 28)),
    ((2024, 2, 29), 1, 'Y', (2023, 2, 28)),
    ((2024, 2, 29), 4, 'Y', (2020, 2, 29)),
    ((2024, 1, 31), 1, 'M', (2023, 12, 31)),
    ((2024, 1, 31), 11, 'M', (2023, 2, 28)),
    ((2024, 5, 31, 13, 30), 6, 'M', (2023, 11, 30, 13, 30)),
    ((2024, 1, 10), 2, 'W', (2023, 12, 27)),
    ((2024, 3, 1), 1, 'D', (2024, 2, 29)),
    ((2024, 3, 1), 90, 'S', (2024, 2, 29, 23, 58, 30)),
])
def test_p21_durations_go_back_by_the_calendar(end, number, unit, start):
    assert back(utc(*end), number, unit) == utc(*start)


# -- the plan, against a TWS that answers as little as its rules allow -----------------------------

def labels(size, start, end):
    """Every label of `size` in [start, end), in a market that never closes."""
    seconds = SIZES[size].seconds
    if seconds < DAY:
        first = -(-start // seconds) * seconds
        return [first + n * seconds for n in range(int(-(-(end - first) // seconds)))]
    days = range(int(-(-start // DAY)) * DAY, int(-(-end // DAY)) * DAY, DAY)
    return [day for day in days if period(size, day)[2] == day]


def period(size, day):
    """First day, day after the last, and label (the last day that trades) of the period that holds `day`."""
    date = moment(day).date()
    if size == '1 day':
        return day, day + DAY, day
    if size == '1 week':
        monday = day - date.weekday() * DAY
        return monday, monday + 7 * DAY, monday + 4 * DAY
    first = utc(date.year, date.month, 1)
    after = first + calendar.monthrange(date.year, date.month)[1] * DAY
    return first, after, after - DAY


def answer(request):
    """What a grudging TWS sends: [(label, whole)]; a duration in days counts from a midnight, edges are cut."""
    number, unit = request.duration.split()
    end = parse_stamp(request.end)
    begin = back(end, int(number), unit)
    if unit != 'S':
        begin = -(-begin // DAY) * DAY
    size = SIZES[request.size]
    if size.seconds < DAY:
        first = begin // size.seconds * size.seconds
        return [(label, begin <= label and label + size.seconds <= end)
                for label in labels(request.size, first, end)]
    bars = {}
    for day in labels('1 day', begin // DAY * DAY, end):
        first, after, label = period(request.size, day)
        bars[min(label, end // DAY * DAY)] = begin <= first and after <= end
    return sorted(bars.items())


def collect(requests):
    """What a caller keeps, oldest first."""
    return [(label, whole) for request in requests for label, whole in answer(request)
            if request.first <= label < request.last]


def legal(request):
    number, unit = request.duration.split()
    assert re.match(r'\d{8}-\d\d:\d\d:\d\d$', request.end)
    assert int(number) <= {'S': 86400, 'D': 365, 'W': 52, 'M': 12, 'Y': 68}[unit]
    if request.size == '1 secs':
        assert (unit, int(number) <= 2000) == ('S', True)
    if unit == 'S':
        assert int(number) % SIZES[request.size].seconds == 0
        assert SIZES[request.size].seconds < DAY


SPANS = {'1 secs': 2 * 3600, '5 secs': DAY // 2, '10 secs': DAY, '15 secs': DAY, '30 secs': 2 * DAY, '1 min': 12 * DAY,
         '2 mins': 30 * DAY, '3 mins': 30 * DAY, '5 mins': 70 * DAY, '10 mins': 70 * DAY, '15 mins': 150 * DAY,
         '20 mins': 150 * DAY, '30 mins': 200 * DAY, '1 hour': 500 * DAY, '1 day': 9000 * DAY}


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(list(SIZES)), st.integers(int(utc(2003)), int(utc(2025))), st.floats(0, 1))
@example('1 hour', int(utc(2024, 3, 31, 12, 17)), 0.9)
@example('5 mins', int(utc(2024, 3, 31)), 1.0)
@example('5 mins', int(utc(2024, 1, 31)), 0.5)
@example('1 day', int(utc(2024, 2, 29)), 1.0)
@example('1 min', int(utc(2024, 11, 3, 6)), 1.0)
@example('1 month', int(utc(2024, 2, 29)), 1.0)
@example('1 week', int(utc(2024, 2, 28)), 1.0)
def test_p21_no_bar_is_lost_doubled_or_cut(size, end, part):
    start = end - math.ceil(part * SPANS.get(size, 2000 * DAY))
    requests = plan(start, end, size)
    for request in requests:
        legal(request)
    if SIZES[size].seconds >= DAY:
        start, end = (start // DAY * DAY, -(-end // DAY) * DAY) if start < end else (end, end)
    assert collect(requests) == [(label, True) for label in labels(size, start, end)]


@given(st.sampled_from(list(SIZES)), st.integers(int(utc(2003)), int(utc(2025))), st.integers(1, 10 * DAY))
def test_p21_requests_are_adjacent_and_oldest_first(size, end, span):
    assume(size != '1 secs' or span < DAY)
    requests = plan(end - span, end, size)
    for older, newer in zip(requests, requests[1:]):
        assert older.last == newer.first
        assert parse_stamp(older.end) < parse_stamp(newer.end)
    assert requests[0].first <= end - span
    assert requests[-1].last >= end


def test_an_empty_range_needs_no_request():
    assert plan(utc(2024), utc(2024), '1 min') == plan(utc(2025), utc(2024), '1 day') == ()


@pytest.mark.parametrize('size, days, most', [
    ('1 min', 31, 6), ('5 mins', 365, 13), ('1 hour', 365, 3), ('1 day', 3650, 2), ('1 week', 3650, 1),
    ('30 secs', 5, 16),
])
def test_requests_are_few(size, days, most):
    end = utc(2024, 5, 1)
    assert 0 < len(plan(end - days * DAY, end, size)) <= most


@pytest.mark.parametrize('size, duration', [
    ('1 secs', '2000 S'), ('30 secs', '28800 S'), ('1 min', '1 W'), ('1 hour', '6 M'), ('1 day', '10 Y')])
def test_an_open_start_is_one_largest_request(size, duration):
    request, = plan(None, utc(2024), size)
    assert request.duration == duration
    assert request.first == -math.inf


def test_p22_the_end_goes_out_in_utc():
    request, = plan(utc(2024, 1, 2, 15), utc(2024, 1, 2, 16), '1 min')
    assert request.end == '20240102-16:01:00'
    assert request.duration == '3720 S'


def test_nothing_is_asked_from_the_future():
    now = utc(2024, 1, 2, 16, 0, 30)
    request, = plan(now - 3600, utc(2030), '1 min', now)
    assert request.end == '20240102-16:00:30'
    assert request.last == utc(2030)
    assert [label for label, whole in collect([request]) if not whole] == [utc(2024, 1, 2, 16)]


def test_small_bars_are_not_asked_for_beyond_six_months():
    now = utc(2024, 8, 31)
    with pytest.raises(HistoryFailed) as caught:
        plan(utc(2024, 2, 28), now, '30 secs', now)
    assert '6 months' in str(caught.value)
    assert '20240228-00:00:00' in str(caught.value)
    assert plan(utc(2024, 3, 1), now, '30 secs', now)
    assert plan(utc(2004, 3, 1), now, '1 min', now)


def test_small_bars_count_from_the_day_the_error_names():
    now = utc(2024, 8, 31, 12)
    with pytest.raises(HistoryFailed) as caught:
        plan(utc(2023), now, '5 secs', now)
    named = re.search(r'begin at (\S+) UTC', str(caught.value)).group(1)
    assert plan(parse_stamp(named), now, '5 secs', now)


def test_durations_of_more_than_a_year_are_in_years():
    request, = plan(utc(2022, 6, 1), utc(2024, 1, 1), '1 day')
    assert request.duration == '2 Y'


def test_a_continuous_future_and_adjusted_prices_have_no_end_date():
    now = utc(2024, 5, 1)
    request, = plan_till_now(now - 40 * DAY, now, '1 min')
    assert (request.end, request.duration) == ('', '2 M')
    assert (request.first, request.last) == (now - 40 * DAY, now)
    request, = plan_till_now(None, now, '1 hour')
    assert (request.end, request.duration, request.first) == ('', '6 M', -math.inf)
    assert plan_till_now(now, now, '1 hour') == ()


def test_a_dst_change_moves_nothing():
    from backtrader_ib_insync.zones import epoch, zone
    berlin = zone('MET')
    start, end = (epoch(datetime.datetime(2024, *date), berlin) for date in ((3, 30), (4, 2)))
    assert len(collect(plan(start, end, '1 hour'))) == 71
