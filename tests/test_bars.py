"""What makes a bar: intervals on the exchange's clock, pieces joined to bars, the seam. Pure."""
import datetime

import backtrader as bt
import pytest
import truth
from hypothesis import given, settings
from hypothesis import strategies as st

from backtrader_ib_insync.assembler import Assembler
from backtrader_ib_insync.bars import Builder, Counter, Grid, Seam, whole
from backtrader_ib_insync.daybars import DayEnds
from backtrader_ib_insync.messages import Bar, Tick
from backtrader_ib_insync.zones import DAY, zone

NEW_YORK, CALCUTTA, BERLIN = 'America/New_York', 'Asia/Calcutta', 'Europe/Berlin'
NOON = truth.at('2024-11-20 12:00', NEW_YORK)


def fixed(test):
    return settings(derandomize=True, database=None, deadline=None, max_examples=200)(test)


def bar(time, *prices, volume=1.0):
    return Bar(time, *prices, volume, 0.0, 1)


# -- grids -----------------------------------------------------------------------------------------

@pytest.mark.parametrize('seconds, where, moment, start, end', [
    (60, NEW_YORK, '12:00:00', '12:00:00', '12:01:00'), (60, NEW_YORK, '12:00:59', '12:00:00', '12:01:00'),
    (420, NEW_YORK, '12:00:00', '11:54:00', '12:01:00'), (3600, CALCUTTA, '12:10:00', '12:00:00', '13:00:00'),
    (8 * 3600, NEW_YORK, '17:00:00', '16:00:00', '23:59:60'), (5, BERLIN, '09:00:04', '09:00:00', '09:00:05')])
def test_intervals_count_from_midnight_of_the_exchange(seconds, where, moment, start, end):
    def of(text):
        hours, minutes, rest = map(int, text.split(':'))
        return truth.at('2024-11-20', where) + (hours * 60 + minutes) * 60 + rest
    grid = Grid(seconds, zone(where))
    assert (grid.start(of(moment)), grid.end(of(moment))) == (of(start), of(end))


@pytest.mark.parametrize('date, hours', [('2024-03-10', 23), ('2024-11-03', 25), ('2024-11-20', 24)])
@pytest.mark.parametrize('seconds', [5, 60, 420, 1800, 3600, 5400, 2 * 3600, 4 * 3600, 8 * 3600])
def test_a_day_of_any_length_is_covered_without_gap(date, hours, seconds):
    grid = Grid(seconds, zone(NEW_YORK))
    time = begin = truth.at(date, NEW_YORK)
    while time < begin + hours * 3600:
        assert grid.start(time) == time < grid.end(time)
        time = grid.end(time)
    assert time == begin + hours * 3600


@fixed
@given(st.integers(0, 40 * 366 * DAY), st.sampled_from([1, 5, 7, 30, 60, 300, 420, 3600, 7200, DAY]),
       st.sampled_from([NEW_YORK, CALCUTTA, BERLIN, 'UTC', 'Australia/Lord_Howe']), st.integers(0, 999))
def test_an_interval_holds_its_start_and_not_its_end(second, seconds, where, milliseconds):
    grid = Grid(seconds, zone(where))
    time = second + milliseconds / 1000
    start, end = grid.start(time), grid.end(time)
    assert start <= time < end
    assert grid.start(start) == start and grid.start(end) == end
    assert grid.next_edge(start) == start and (time == start or grid.next_edge(time) == end)


def test_an_open_within_an_interval_ends_it():
    half_past = truth.at('2024-11-20 09:30', NEW_YORK)
    grid = Grid(3600, zone(NEW_YORK), opens=(34200,))
    assert (grid.start(half_past), grid.end(half_past)) == (half_past, half_past + 1800)
    assert (grid.start(half_past - 1), grid.end(half_past - 1)) == (half_past - 1800, half_past)


@pytest.mark.parametrize('seconds', [0, -1, DAY + 1])
def test_a_grid_of_no_day_is_refused(seconds):
    with pytest.raises(ValueError, match=str(seconds)):
        Grid(seconds, zone('UTC'))


# -- builders --------------------------------------------------------------------------------------

TRADES = st.lists(st.tuples(st.integers(0, 900000), st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=60)


@fixed
@given(TRADES, st.sampled_from([5, 30, 60, 420]))
def test_p37_bars_of_ticks_are_what_was_traded(trades, seconds):
    found = sorted((NOON + milliseconds / 1000, float(price), float(size)) for milliseconds, price, size in trades)
    builder = Builder(Grid(seconds, zone(NEW_YORK)))
    built = [builder.tick(Tick(*trade)) for trade in found] + [builder.finish(NOON + DAY)]
    rows = [(round(one.end, 3),) + tuple(one[2:]) for one in built if one]
    edge = truth.since_midnight(seconds, NEW_YORK)
    assert rows == truth.from_trades([Tick(*trade) for trade in found], edge)


@fixed
@given(TRADES)
def test_bars_of_bars_are_bars_of_their_ticks(trades):
    found = sorted((NOON + milliseconds / 1000, float(price), float(size)) for milliseconds, price, size in trades)

    def run(builder, pieces, add):
        return [one for one in [add(builder, piece) for piece in pieces] + [builder.finish(NOON + DAY)] if one]
    fives = run(Builder(Grid(5, zone(NEW_YORK))), [Tick(*one) for one in found], Builder.tick)
    joined = run(Builder(Grid(60, zone(NEW_YORK))), [
        Bar(one.start, one.open, one.high, one.low, one.close, one.volume, 0.0, 1) for one in fives], Builder.bar)
    assert joined == run(Builder(Grid(60, zone(NEW_YORK))), [Tick(*one) for one in found], Builder.tick)


def test_p29_no_volume_is_none():
    assert whole(bar(NOON, 1, 1, 1, 1, volume=-1), NOON + 60).volume == 0.0
    builder = Builder(Grid(60, zone('UTC')))
    builder.bar(bar(NOON, 1, 1, 1, 1, volume=-1))
    builder.bar(bar(NOON + 5, 1, 2, 1, 1, volume=-1))
    assert builder.finish(NOON + 60).volume == 0.0


def test_p41_fractions_do_not_drift():
    builder = Builder(Grid(60, zone('UTC')))
    for number in range(1000):
        builder.tick(Tick(NOON + number / 100, 1.0, 0.1))
    assert builder.finish(NOON + 60).volume == 100.0


def test_p37_a_dropped_bar_is_gone():
    builder = Builder(Grid(60, zone('UTC')))
    builder.tick(Tick(NOON, 1.0, 1.0))
    assert builder.ends() == NOON + 60
    builder.drop()
    assert builder.ends() is None and builder.finish(NOON + 60) is None


def test_a_bar_is_not_finished_a_moment_too_early():
    builder = Builder(Grid(60, zone('UTC')))
    builder.tick(Tick(NOON, 1.0, 1.0))
    assert builder.finish(NOON + 59.999) is None
    assert builder.finish(NOON + 60) is not None


def test_days_are_counted_from_the_first():
    counter = Counter(2)
    rows = [whole(bar(NOON + number * DAY, number, number + 1, number - 1, number), NOON + number * DAY + 1)
            for number in range(4)]
    built = [counter.add(row) for row in rows]
    assert built[0] is built[2] is None
    assert built[1][2:] == (0, 2, -1, 1, 2.0) and built[1].end == rows[1].end


# -- the seam --------------------------------------------------------------------------------------

def seam(covered=None, since=None):
    made = Seam()
    if covered is not None:
        made.deliver(covered)
    if since is not None:
        made.watched(since, Grid(60, zone('UTC')).next_edge)
    return made


def test_p37_the_gap_reaches_to_the_first_bar_watched_whole():
    assert seam(NOON - 60, NOON + 0.5).gap() == (NOON - 60, NOON + 60)
    assert seam(NOON, NOON).gap() is None
    assert seam(NOON).gap() is None
    assert seam(None, NOON).gap() is None


def test_p37_an_equal_end_was_delivered():
    made = seam(NOON)
    assert not made.is_new(NOON) and made.is_new(NOON + 60) and not made.is_new(NOON - 60)
    made.deliver(NOON - 60)
    assert made.covered == NOON


def test_p37_a_broken_stream_is_watched_anew():
    made = seam(NOON, NOON)
    made.broke()
    assert made.gap() is None
    made.watched(NOON + 61, Grid(60, zone('UTC')).next_edge)
    assert made.gap() == (NOON, NOON + 120)


def test_p37_the_later_of_two_beginnings_counts():
    made = seam(NOON, NOON + 1)
    made.watched(NOON + 61, Grid(60, zone('UTC')).next_edge)
    made.watched(NOON, Grid(60, zone('UTC')).next_edge)
    assert made.whole_from == NOON + 120


# -- the assembler and the ends of days ------------------------------------------------------------

HOURS = '20241120:0930-20241120:1600;20241129:0930-20241129:1300;20241130:CLOSED'


def ends(timeframe, sessionend=None):
    return DayEnds(timeframe, HOURS, zone(NEW_YORK), sessionend)


def assembler(timeframe, compression, size, passing=False):
    return Assembler(timeframe, compression, size, lambda seconds: Grid(seconds, zone(NEW_YORK)), ends(timeframe),
                     passing)


def test_p24_seven_minutes_are_made_of_minutes():
    made = assembler(bt.TimeFrame.Minutes, 7, '1 min')
    start = made.grid.end(NOON)
    built = [made.history(bar(start + number * 60, 1, number + 1, 1, 1), '1 min', NOON + DAY) for number in range(8)]
    assert [one for one in built[:7] if one] == []
    assert (built[7].start, built[7].end, built[7].high, built[7].volume) == (start, start + 420, 7, 7.0)


def test_p37_a_minute_in_progress_is_no_history():
    made = assembler(bt.TimeFrame.Minutes, 1, '1 min')
    assert made.history(bar(NOON, 1, 1, 1, 1), '1 min', NOON + 59) is None
    assert made.history(bar(NOON, 1, 1, 1, 1), '1 min', NOON + 60).end == NOON + 60


@pytest.mark.parametrize('timeframe, label, end', [
    (bt.TimeFrame.Days, '2024-11-20', '2024-11-20 16:00'), (bt.TimeFrame.Weeks, '2024-11-18', '2024-11-22 16:00'),
    (bt.TimeFrame.Weeks, '2024-11-24', '2024-11-22 16:00'), (bt.TimeFrame.Months, '2024-10-01', '2024-10-31 16:00')])
def test_p35_the_date_of_another_source_is_one_of_its_bar(timeframe, label, end):
    assert ends(timeframe).stamped(truth.at(label)) == truth.at(end, NEW_YORK)
    assert ends(timeframe).stamped(truth.at(end, NEW_YORK)) == truth.at(end, NEW_YORK)


def test_p35_a_midnight_that_ends_a_session_is_an_end():
    coins = DayEnds(bt.TimeFrame.Days, '20241123:0000-20241124:0000;20241124:0000-20241125:0000', zone('UTC'))
    assert coins.stamped(truth.at('2024-11-24')) == truth.at('2024-11-24')
    weeks = coins.of(bt.TimeFrame.Weeks)
    assert weeks.next_end(truth.at('2024-11-20')) == truth.at('2024-11-25')


def test_p27_a_day_ends_with_its_session():
    label = truth.at('2024-11-20')
    assert ends(bt.TimeFrame.Days).end(label) == truth.at('2024-11-20 16:00', NEW_YORK)
    assert ends(bt.TimeFrame.Days).end(truth.at('2024-11-29')) == truth.at('2024-11-29 13:00', NEW_YORK)
    given = ends(bt.TimeFrame.Days, datetime.time(17, 15))
    assert given.end(label) == truth.at('2024-11-20 17:15', NEW_YORK)


@pytest.mark.parametrize('timeframe, label, now, is_finished', [
    (bt.TimeFrame.Days, '2024-11-20', '2024-11-20 15:59', False),
    (bt.TimeFrame.Days, '2024-11-20', '2024-11-20 16:00', True),
    (bt.TimeFrame.Weeks, '2024-11-20', '2024-11-21 16:00', False),
    (bt.TimeFrame.Weeks, '2024-11-22', '2024-11-25 00:00', True),
    (bt.TimeFrame.Months, '2024-11-20', '2024-11-28 16:00', False),
    (bt.TimeFrame.Months, '2024-10-31', '2024-11-01 00:00', True)])
def test_p27_what_is_in_progress_is_no_bar(timeframe, label, now, is_finished):
    assert ends(timeframe).finished(truth.at(label), truth.at(now, NEW_YORK)) == is_finished
