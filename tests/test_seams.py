"""Seams at random moments: where history ends and live begins, at start and after every hole. Each bar once, whole, in order.

The gateway's clock is stepped, so that a cut comes at a moment between two ticks and not when a machine happens to be slow. The
feeds of a run are cut at the same moments: by ticks and by 5-second bars, declared and resampled.
"""
import datetime

import backtrader as bt
import pytest
import stepped
import truth
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backtrader_ib_insync import insync, pacing, request_desk, simulator

Seconds, Minutes = bt.TimeFrame.Seconds, bt.TimeFrame.Minutes
MINUTE = 60.0
DAY = 86400
NEW_YORK = 'America/New_York'
APPLE, EURO, MINI, INDEX = 'AAPL-STK-SMART-USD', 'EUR.USD-CASH-IDEALPRO', 'ES-202412-CME-USD-50', 'SPX-IND-CBOE-USD'
#: examples times (a start and HOLES holes) are the cut points
HOLES = 4


@pytest.fixture(scope='module')
def market():
    """One gateway for all examples: each runs on in its time."""
    with simulator.running(speed=0, messages_per_second=0, history_pacing=False) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def unpaced(monkeypatch):
    """Pacing counts the wall's time, in which minutes of the stepped clock pass."""
    limits = pacing.LIMITS._replace(alike=10 ** 6, requests=10 ** 6, identical_seconds=0.0, slack=0.0, open_seconds=0.01)
    monkeypatch.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))
    monkeypatch.setattr(insync, 'BURST', 0)


# -- random moments --------------------------------------------------------------------------------------------------------

def lengths(longest):
    """Seconds of market time, to the millisecond."""
    return st.integers(1, int(longest * 1000)).map(lambda milliseconds: milliseconds / 1000)


#: a stretch of time, in steps
WAIT = st.lists(lengths(70), min_size=1, max_size=3)
#: the words of a fault, and how long it lasts
HOLE = st.one_of(
    st.tuples(st.sampled_from([('cut', 'fin'), ('cut', 'rst'), ('cut', 'mid')]), st.one_of(st.just(0.0), lengths(150))),
    st.tuples(st.sampled_from([('lost', 'data'), ('lost', 'kept'), ('broken',), ('farm', 'data'), ('farm', 'data', 'dead')]),
              lengths(150)))
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
        for line in words(fault, length):
            run.gateway.fault(*line)
        if not hasty:
            run.until(lambda: not any(run.is_live(number) for number in range(len(run.datas))))
        run.gateway.advance(length)
        if not hasty:
            run.until_live()
    run.until_live()


def to_the_end(run, seconds):
    """To a few seconds after the end of a bar of so many seconds that was watched from its start."""
    now = run.gateway.now()
    run.go_to((now // seconds + 2) * seconds + 4.0)


def in_session(gateway, opens='09:45', closes='15:15'):
    """The time of the gateway's, within a trading day's hours."""
    now = datetime.datetime.fromtimestamp(gateway.now(), truth.ZoneInfo(NEW_YORK))
    if now.weekday() > 4 or not opens <= now.strftime('%H:%M') < closes:
        days = 1 if now.strftime('%H:%M') >= closes else 0
        while (now + datetime.timedelta(days=days)).weekday() > 4:
            days += 1
        date = (now + datetime.timedelta(days=days)).strftime('%Y-%m-%d')
        gateway.advance(truth.at('{} {}'.format(date, opens), NEW_YORK) - gateway.now())
    return gateway.now()


def feed(name, begin, timeframe=Minutes, compression=1, resampled=False, **params):
    """A function that adds a feed of these bars, from so many bars before `begin` on."""
    length = compression * (MINUTE if timeframe == Minutes else 1.0)

    def add(cerebro, store):
        given = dict(dataname=name, tz='UTC', fromdate=truth.utc(begin - 5 * length), **params)
        if resampled:
            cerebro.resampledata(store.getdata(**given), timeframe=timeframe, compression=compression)
        else:
            cerebro.adddata(store.getdata(timeframe=timeframe, compression=compression, **given))
    add.length = length
    return add


def is_true(run, number, length, **which):
    """Every bar that feed delivered is the market's, each once, in order, and none is missing."""
    found = run.bars[number]
    contract = run.datas[number].contract
    zone = run.datas[number].contractdetails.timeZoneId
    now = run.gateway.now()
    wanted = run.gateway.call(lambda world: truth.live(
        world.market, world.market.by_conId(contract.conId), length, found[0][0] - length, now, zone, **which))
    wanted = [one for one in wanted if one[0] <= now - 3.0]
    assert found == wanted, '{}: wrong {}, missing {}\n{}'.format(
        number, [one for one in found if one not in wanted][:4], [one for one in wanted if one not in found][:4],
        '\n'.join(map(str, run.story[number])))


def cut_at(market, script, *feeds, which=None):
    """Play a script over feeds and hold what they delivered against the truth."""
    begun, holes = script
    begin = in_session(market)
    market.advance(begun)
    added = [make(begin) for make in feeds]
    with stepped.Run(market, lambda cerebro, store: [add(cerebro, store) for add in added]) as run:
        play(run, holes)
        to_the_end(run, max(add.length for add in added))
        for number, add in enumerate(added):
            assert run.bars[number][0][0] <= begin, run.story[number][:5]
            is_true(run, number, add.length, **which or {})
    return run


# -- 250 moments each ------------------------------------------------------------------------------------------------------

@in_random_scripts(30)
def test_p37_a_minute_cut_anywhere(market, script):
    cut_at(market, script, *[lambda begin, more=more: feed(APPLE, begin, **more) for more in (
        dict(), dict(rtbar=True), dict(resampled=True), dict(rtbar=True, resampled=True))])
