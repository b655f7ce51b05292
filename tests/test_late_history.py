"""TWS's history is late, away, or in disorder: no bar is lost, none comes twice, none lacks part of its trades."""
import contextlib
import datetime
import sys
from unittest import mock

import backtrader as bt
import pytest
import stepped
import truth
from gateways import asked, by_hand
from known import Known
from moments import cut_at, in_random, scripts
from stepped import APPLE, COIN, EURO, MINUTE, NEW_YORK, Feed, added, are_true, one

from backtrader_ib_insync import downloads, pacing, request_desk
from backtrader_ib_insync.excerpt import AUCTION_SECONDS
from backtrader_ib_insync.simulator import history_service, replies

Days, Weeks, Seconds = bt.TimeFrame.Days, bt.TimeFrame.Weeks, bt.TimeFrame.Seconds
pytestmark = pytest.mark.usefixtures('unpaced')


def at(text):
    return truth.at(text, NEW_YORK)


def market(text):
    """A gateway whose clock is stepped, from a moment of New York's on."""
    return by_hand(start=text + ' US/Eastern')


def days(gateway, since, till, rth, close=datetime.time(20), name=APPLE, size='1 day', what='TRADES'):
    return gateway.call(lambda world: truth.days(
        world.market, truth.instrument(world.market, name), size, truth.at(since), at(till), what, rth,
        None if rth else close), timeout=60)


def ends(run, number=0):
    return [bar[0] for bar in run.bars[number]]


# -- history that lags -------------------------------------------------------------------------------------------------

FEEDS = [Feed(), Feed(rtbar=True), Feed(resampled=True), Feed(compression=5), Feed(timeframe=Seconds, compression=30)]


def goes_on_truly(run, feeds):
    """Step through some minutes, at first in small steps; every bar there is then is the market's."""
    for _ in range(80):
        run.step(2.0)
    for _ in range(8):
        run.step(60.0)
    are_true(run, feeds)


@pytest.mark.parametrize('start', ['10:05:00', '10:05:01', '10:05:03', '10:05:07', '10:09:58'])
def test_p37_a_start_just_after_an_edge(start):
    with market('2024-11-20 ' + start) as gateway:
        gateway.fault('lag', 3)
        begin = gateway.now() // 300 * 300 - 300
        with stepped.Run(gateway, added(begin, *FEEDS)) as run:
            run.until_live()
            goes_on_truly(run, FEEDS)
            for number in range(len(FEEDS)):
                assert run.bars[number][0][0] <= begin + 60, run.story[number][:5]
            assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']


@pytest.mark.parametrize('back', [-1.0, 0.5, 2.5, 6.0])
def test_p37_a_reconnection_about_an_edge(back):
    with market('2024-11-20 10:05:20') as gateway:
        gateway.fault('lag', 3)
        begin = gateway.now()
        with stepped.Run(gateway, added(begin, *FEEDS)) as run:
            run.until_live()
            run.go_to(at('2024-11-20 10:09:40'))
            run.cut_off(20 + back)
            run.until_live()
            goes_on_truly(run, FEEDS)


@pytest.fixture(scope='module')
def lagging(unpaced):
    with by_hand() as gateway:
        gateway.fault('lag', 3)
        yield gateway


@in_random(scripts(wait=70, hole=150), 12)
def test_p37_cut_anywhere(lagging, script):
    cut_at(lagging, script, *FEEDS)


def test_an_hour_s_bar_need_not_wait_for_the_next():
    with market('2024-11-20 11:00:01') as gateway:
        gateway.fault('lag', 3)
        with stepped.Run(gateway, one(compression=60, fromdate=truth.utc(at('2024-11-20 08:00')))) as run:
            run.until_live()
            for _ in range(8):
                run.step(2.0)
            assert ends(run)[-1] == at('2024-11-20 11:00')
            wanted = gateway.call(lambda world: truth.live(
                world.market, truth.instrument(world.market, APPLE), 3600, at('2024-11-20 08:00'), gateway.now(),
                'US/Eastern'))
            assert run.bars[0] == wanted and run.statuses[0].count('LIVE') == 1


# -- days --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('rth, close', [(True, '16:00'), (False, '20:00')])
def test_a_day_is_asked_for_when_its_auction_is_over(rth, close):
    """TWS's bar of the day may change for minutes after the close."""
    with market('2024-11-20 15:50') as gateway:
        gateway.fault('lag', 200)
        with stepped.Run(gateway, one(timeframe=Days, useRTH=rth, fromdate=datetime.datetime(2024, 11, 11))) as run:
            run.until_live()
            edge = at('2024-11-20 ' + close)
            run.go_to(edge + AUCTION_SECONDS - 10)
            assert ends(run)[-1] == edge - truth.DAY
            run.step(15)
            run.until(lambda: ends(run)[-1] == edge)
            assert run.bars[0] == days(gateway, '2024-11-11', '2024-11-21', rth)


def test_a_start_within_minutes_of_the_close_waits_for_the_day():
    with market('2024-11-20 16:00:01') as gateway:
        gateway.fault('lag', 30)
        add = one(timeframe=Days, useRTH=True, fromdate=datetime.datetime(2024, 11, 11))
        with stepped.Run(gateway, add) as run:
            run.until_live()
            assert ends(run)[-1] == at('2024-11-19 16:00')
            run.step(AUCTION_SECONDS + 5)
            run.until(lambda: ends(run)[-1] == at('2024-11-20 16:00'))
            assert run.bars[0] == days(gateway, '2024-11-11', '2024-11-21', True)


def test_a_day_that_tws_does_not_have_for_hours_comes_with_the_next():
    with market('2024-11-20 15:50') as gateway:
        add = one(timeframe=Days, useRTH=True, fromdate=datetime.datetime(2024, 11, 11))
        with stepped.Run(gateway, add) as run:
            run.until_live()
            gateway.fault('lag', '9h')
            run.go_to(at('2024-11-20 16:00') + AUCTION_SECONDS)
            for _ in range(8):
                run.step(61.0)
            run.until(lambda: any('no bar yet of the session' in message for message in run.messages))
            gateway.fault('lag', 0)
            for _ in range(25):
                run.step(3600.0)
            run.until(lambda: len(run.bars[0]) == 9)
            assert run.bars[0] == days(gateway, '2024-11-11', '2024-11-22', True)


@pytest.mark.parametrize('name, timeframe, rth', [(APPLE, Days, True), (APPLE, Weeks, False), (EURO, Days, False)])
def test_p37_two_days_or_weeks_to_a_bar_count_each_once(name, timeframe, rth):
    with market('2024-11-11 10:00') as gateway:
        since = datetime.datetime(2024, 10, 14)
        add = one(dataname=name, timeframe=timeframe, compression=2, useRTH=rth, fromdate=since)
        with stepped.Run(gateway, add) as run:
            run.until_live()
            begun = len(run.bars[0])
            for _ in range(4 * (7 if timeframe == Days else 28)):
                run.step(6 * 3600.0)
            found = list(run.bars[0])
        size, what = ('1 day' if timeframe == Days else '1 week'), ('BID' if name == EURO else 'TRADES')
        close = datetime.time(17) if name == EURO else datetime.time(20)
        ones = days(gateway, '2024-10-14', '2024-12-20', rth, close, name, size, what)
        pairs = [(later[0], first[1], max(first[2], later[2]), min(first[3], later[3]), later[4],
                  round(first[5] + later[5], 8)) for first, later in zip(ones[::2], ones[1::2])]
        assert [bar[1:] for bar in found] == [bar[1:] for bar in pairs[:len(found)]]
        assert len(found) >= begun + 2


def test_a_market_of_seven_days_has_weeks_that_end_on_sunday():
    with market('2024-11-20 15:20') as gateway:
        add = one(dataname=COIN, timeframe=Weeks, fromdate=datetime.datetime(2024, 11, 8))
        with stepped.Run(gateway, add) as run:
            run.until_live()
            assert ends(run) == [at('2024-11-11'), at('2024-11-18')]
            for day in ('2024-11-25', '2024-12-02'):
                run.go_to(at(day) - 10)
                run.step(10 + AUCTION_SECONDS + 5)
                run.until(lambda day=day: ends(run)[-1] == at(day))
            wanted = gateway.call(lambda world: [(bar.open, bar.close, bar.volume) for bar in world.market.bars(
                truth.instrument(world.market, COIN), '1 week', truth.at('2024-11-08'), at('2024-12-02'), 'AGGTRADES',
                False)], timeout=60)
            assert [(bar[1], bar[4], bar[5]) for bar in run.bars[0]] == wanted[:4]


def test_p35_days_of_another_source_are_compared_by_their_dates():
    """A file's 00:00 of a date is the same day as TWS's end of a session."""
    known = [(truth.at('2024-11-{}'.format(day)), 1.0, 2.0, 0.5, 1.5, float(day)) for day in (13, 14, 15)]
    with market('2024-11-20 10:00') as gateway:
        add = one(timeframe=Days, historical=True, backfill_from=Known(rows=known, timeframe=Days))
        with stepped.Run(gateway, add) as run:
            run.until(lambda: run.has_ended)
        assert run.bars[0] == known + days(gateway, '2024-11-18', '2024-11-20', False)


# -- farms and answers that stay away ----------------------------------------------------------------------------------

def test_a_day_comes_when_the_history_farm_is_back(monkeypatch):
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.2)
    with market('2024-11-19 19:58') as gateway:
        with stepped.Run(gateway, one(timeframe=Days, fromdate=datetime.datetime(2024, 11, 11))) as run:
            run.until_live()
            gateway.fault('farm', 'history', 3600)
            gateway.advance(120 + AUCTION_SECONDS + 5)
            run.until(lambda: failures(gateway) > downloads.TRIES + 1)
            gateway.advance(3600)
            run.until(lambda: ends(run)[-1] == at('2024-11-19 20:00'))
            assert not [message for message in run.messages if 'missing' in message]


def failures(gateway):
    """How often the last request was asked."""
    requests = [request._replace(reqId=0) for request in asked(gateway)]
    return requests.count(requests[-1])


def test_p21_a_gap_is_filled_when_the_history_farm_is_back(monkeypatch):
    """It was away before the session began."""
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.2)
    with market('2024-11-20 10:00:20') as gateway:
        feed = Feed()
        with stepped.Run(gateway, added(gateway.now(), feed)) as run:
            run.until_live()
            run.step(90.0)
            run.break_link(('refuse', 120), ('cut', 'rst'))
            gateway.fault('farm', 'history', 600)
            gateway.advance(121)
            run.until(lambda: failures(gateway) > downloads.TRIES + 1)
            gateway.advance(600)
            run.until_live()
            for _ in range(5):
                run.step(30.0)
            feed.is_true(run, 0)


def test_a_contract_that_tws_did_not_find_in_time_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(downloads, 'CONTRACT_SECONDS', 0.3)
    with market('2024-11-20 10:00:20') as gateway:
        gateway.fault('drop', 'ContractDetailsEnd', 3)
        with stepped.Run(gateway, one(fromdate=truth.utc(gateway.now() - 300))) as run:
            run.until_live()
            assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']
            assert sum('the contract is asked for again' in message for message in run.messages) == 3


@pytest.mark.parametrize('compression', [1, 7])
@pytest.mark.parametrize('disorder', [
    lambda rows: [row for row in rows for _ in range(2)], lambda rows: rows[::-1],
    lambda rows: rows[:5] + [rows[6], rows[5]] + rows[7:]], ids=['twice', 'newest first', 'swapped'])
def test_p21_bars_in_disorder_are_put_in_order(monkeypatch, compression, disorder):
    made = replies.HistoricalData
    with market('2024-11-20 10:00') as gateway:
        monkeypatch.setattr(history_service.replies, 'HistoricalData', lambda reqId, start, end, rows: made(
            reqId, start, end, disorder(list(rows))))
        add = one(compression=compression, historical=True, fromdate=truth.utc(at('2024-11-20 09:20')))
        with stepped.Run(gateway, add) as run:
            run.until(lambda: run.has_ended)
        wanted = gateway.call(lambda world: truth.live(
            world.market, truth.instrument(world.market, APPLE), compression * MINUTE, at('2024-11-20 09:20'),
            at('2024-11-20 10:00'), 'US/Eastern'))
        assert run.bars[0] == wanted[-len(run.bars[0]):] and len(run.bars[0]) >= 40 // compression - 1


def test_a_gap_that_waits_for_tws_s_pace_is_catching_up(monkeypatch):
    limits = pacing.LIMITS._replace(requests=1, requests_seconds=1e6)
    monkeypatch.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))
    with market('2024-11-20 10:00:21') as gateway:
        add = one(timeframe=Seconds, compression=30, fromdate=truth.utc(gateway.now() - 300))
        with stepped.Run(gateway, add) as run:
            run.until(lambda: run.statuses[0][-1:] == ['LIVE'])
            run.until(lambda: not run.do(lambda: run.datas[0].catching_up))
            gateway.advance(60)
            run.until(lambda: run.do(lambda: run.datas[0].catching_up))


# -- trades in disorder, clocks that are wrong -------------------------------------------------------------------------

@pytest.mark.parametrize('fault', [('reorder', 'TickString', 6), ('late', 'TickString', 3, 6)])
def test_p46_trades_out_of_order_count_in_their_bar(fault):
    feeds = [Feed(), Feed(resampled=True), Feed(compression=5)]
    with market('2024-11-20 10:00:20') as gateway:
        begin = gateway.now()
        with stepped.Run(gateway, added(begin, *feeds)) as run:
            run.until_live()
            run.go_to(at('2024-11-20 10:05:05'))
            gateway.fault(*fault)
            for _ in range(20):
                run.step(2.0)
            run.go_to(at('2024-11-20 10:10:05'))
            are_true(run, feeds)


@contextlib.contextmanager
def local_clock(show):
    """The machine's clock shows what `show()` says."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch('time.time', show))
        for name, module in list(sys.modules.items()):
            if name.startswith('backtrader_ib_insync') and hasattr(module, 'local_time'):
                stack.enter_context(mock.patch.object(module, 'local_time', show))
        yield


@pytest.mark.parametrize('skew', [90, 40, -40, -90])
def test_p37_tws_s_clock_may_be_wrong(skew):
    feeds = [Feed(), Feed(rtbar=True), Feed(EURO, what='BID')]
    with market('2024-11-20 10:00:20') as gateway, local_clock(gateway.now):
        gateway.fault('skew', skew)
        begin = gateway.now()
        with stepped.Run(gateway, added(begin, *feeds)) as run:
            run.until_live()
            for _ in range(150):
                run.step(2.0)
            are_true(run, feeds)


@pytest.mark.parametrize('ahead', [90, -90])
def test_p37_the_machine_s_clock_may_be_wrong_and_alone(ahead):
    """timeoffset=False takes TWS's clock for nothing but bars that are over."""
    with market('2024-11-20 10:00:20') as gateway, local_clock(lambda: gateway.now() + ahead):
        feed = Feed()
        with stepped.Run(gateway, added(gateway.now(), feed), timeoffset=False) as run:
            run.until_live()
            for _ in range(14):
                run.step(30.0)
            feed.is_true(run, 0)
