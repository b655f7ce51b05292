"""Seams at random moments, at start and after every hole: each bar of the market's once, whole, in order.

The gateway's clock is stepped, so that a cut comes at a moment between two ticks and not when a machine happens to be
slow. The feeds of a run are cut at the same moments: by ticks and by 5-second bars, declared and resampled.
"""
import backtrader as bt
import pytest
import stepped
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from stepped import COIN, EURO, INDEX, MINI, MINUTE, Feed, in_session

from backtrader_ib_insync import simulator

Seconds = bt.TimeFrame.Seconds
#: examples times (a start and HOLES holes) are the cut points
HOLES = 4


@pytest.fixture(scope='module')
def market(unpaced):
    """One gateway for all examples: each runs on in its time."""
    with simulator.running(speed=0, messages_per_second=0, history_pacing=False) as gateway:
        yield gateway


# -- random moments ------------------------------------------------------------------------------------------------

def lengths(longest):
    """Seconds of market time, to the millisecond."""
    return st.integers(1, int(longest * 1000)).map(lambda milliseconds: milliseconds / 1000)


#: a stretch of time, in steps
WAIT = st.lists(lengths(70), min_size=1, max_size=3)
#: the words of a fault, and how long it lasts
HOLE = st.one_of(
    st.tuples(st.sampled_from([('cut', 'fin'), ('cut', 'rst'), ('cut', 'mid')]), st.one_of(st.just(0.0), lengths(150))),
    st.tuples(st.sampled_from([('lost', 'data'), ('lost', 'kept'), ('broken',), ('farm', 'data'),
                               ('farm', 'data', 'dead')]), lengths(150)))
#: whether the next thing happens before all that this one led to has been done
HASTE = st.booleans()
SCRIPT = st.tuples(lengths(MINUTE), st.lists(st.tuples(WAIT, HOLE, HASTE), min_size=HOLES, max_size=HOLES))


def in_random_scripts(examples):
    return lambda test: settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck))(given(SCRIPT)(test))


def words(fault, length):
    """The fault's lines: a cut goes with a time in which there is no gateway."""
    if fault[0] == 'cut':
        return [('refuse', length)] * bool(length) + [fault]
    if fault[0] == 'farm':
        return [('farm', 'data', length) + fault[2:]]
    return [(fault[0], length) + fault[1:]]


def play(run, script):
    """Go through the waits and holes of a script, then on to the end of a bar that was watched whole."""
    for waits, (fault, length), hasty in script:
        for wait in waits:
            run.step(wait)
        before = run.breaks()
        for line in words(fault, length):
            run.gateway.fault(*line)
        if not hasty:
            # a cut may be mended before anybody looks
            run.until(lambda before=before: all(
                now > then or not run.is_live(number) for number, (now, then) in enumerate(zip(run.breaks(), before))))
        run.gateway.advance(length)
        if not hasty:
            run.until_live()
    run.until_live()


def to_the_end(run, seconds):
    """To where a bar of so many seconds that was watched from its start must have come."""
    now = run.gateway.now()
    run.go_to((now // seconds + 2) * seconds + stepped.LATE + 1.0)
    run.wait_for_history()


def cut_at(market, script, *feeds):
    """Play a script over feeds and hold what they delivered against the truth."""
    begun, holes = script
    begin = in_session(market)
    market.advance(begun)
    with stepped.Run(market, lambda cerebro, store: [one.add(cerebro, store, begin) for one in feeds]) as run:
        play(run, holes)
        to_the_end(run, max(one.length for one in feeds))
        for number, one in enumerate(feeds):
            assert run.bars[number][0][0] <= begin, run.story[number][:5]
            one.is_true(run, number)
    return run


# -- moments: five an example --------------------------------------------------------------------------------------

@in_random_scripts(40)
def test_p37_a_minute_cut_anywhere(market, script):
    cut_at(market, script, Feed(), Feed(rtbar=True), Feed(resampled=True), Feed(resampled=True, rtbar=True))


@in_random_scripts(12)
def test_p37_minutes_of_any_number_cut_anywhere(market, script):
    cut_at(market, script, *[Feed(compression=number, rtbar=rtbar) for number in (5, 7) for rtbar in (False, True)],
           Feed(compression=5, resampled=True), Feed(compression=5, resampled=True, rtbar=True))


@in_random_scripts(12)
def test_p37_seconds_cut_anywhere(market, script):
    cut_at(market, script, *[Feed(timeframe=Seconds, compression=number, rtbar=rtbar)
                             for number in (5, 10, 30) for rtbar in (False, True)],
           Feed(timeframe=Seconds, compression=30, resampled=True))


@in_random_scripts(12)
def test_p31_p42_other_kinds_cut_anywhere(market, script):
    cut_at(market, script, Feed(EURO, what='BID'), Feed(EURO, what='ASK'), Feed(MINI), Feed(MINI, rtbar=True),
           Feed(INDEX), Feed(COIN), Feed(COIN, rtbar=True), Feed(EURO, what='BID', resampled=True, rtbar=True))
