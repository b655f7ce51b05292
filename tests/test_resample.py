"""Resampled and replayed feeds: what backtrader's own filters make of a feed, live and through holes."""
import datetime
import time

import backtrader as bt
import helpers
import pytest
import stepped
import truth
from stepped import APPLE, COIN, MINUTE, QUIET, Feed, Minutes, Seconds, in_session

from backtrader_ib_insync import simulator
from backtrader_ib_insync.ibstore import IBStore
from backtrader_ib_insync.resampler import FilterClock


@pytest.fixture(scope='module')
def market(unpaced):
    with simulator.running(speed=0, messages_per_second=0, history_pacing=False) as gateway:
        yield gateway


def raw_and(resampled, begin, name=APPLE, timeframe=Minutes, compression=1, how='resampledata', **params):
    """Adds a feed and, of that very feed, a resampled clone."""
    length = resampled['compression'] * MINUTE

    def add(cerebro, store):
        data = store.getdata(dataname=name, timeframe=timeframe, compression=compression, tz='UTC',
                             fromdate=truth.utc(begin // length * length - 4 * length), **params)
        cerebro.adddata(data)
        getattr(cerebro, how)(data, **resampled)
    return add


def through_a_hole(run):
    """Some minutes of market with a cut in between; a clone has no status of its own."""
    run.until(lambda: run.is_live(0))
    run.settle()
    for _ in range(7):
        run.step(41.3)
    run.gateway.fault('refuse', 200)
    run.gateway.fault('cut', 'rst')
    run.until(lambda: not run.is_live(0))
    run.gateway.advance(201)
    run.until(lambda: run.is_live(0))
    run.settle()
    for _ in range(7):
        run.step(41.3)
    run.go_to((run.gateway.now() // 300 + 1) * 300 + 4)


def ends_rise(run):
    """Each feed's bars come in order, none twice."""
    for bars in run.bars.values():
        ends = [bar[0] for bar in bars]
        assert ends == sorted(set(ends))


@pytest.mark.parametrize('rtbar', [False, True])
def test_p84_raw_and_resampled_of_one_feed(market, rtbar):
    begin = in_session(market)
    five = dict(timeframe=Minutes, compression=5)
    with stepped.Run(market, raw_and(five, begin, rtbar=rtbar)) as run:
        through_a_hole(run)
        ends_rise(run)
        Feed(APPLE).is_true(run, 0)
        Feed(APPLE, compression=5).is_true(run, 1)
        clone = run.datas[1]
        assert clone.tradecontract is run.datas[0].tradecontract and clone.contract.symbol == 'AAPL'
        assert clone.contractdetails is run.datas[0].contractdetails


def test_p38_no_time_frame_sees_another_ones_future(market):
    """Whenever a bar is delivered, all it holds has happened before its stamp, and its stamp is past for every feed."""
    begin = in_session(market)
    feeds = [Feed(APPLE, timeframe=Seconds, compression=30), Feed(APPLE), Feed(APPLE, compression=5),
             Feed(APPLE, compression=5, resampled=True)]
    seen = []

    def look(strategy):
        seen.append((market.now(), [data.datetime[0] if len(data) else None for data in strategy.datas]))
    with stepped.Run(market, lambda cerebro, store: [one.add(cerebro, store, begin) for one in feeds],
                     on_next=look) as run:
        through_a_hole(run)
        for number, one in enumerate(feeds):
            one.is_true(run, number)
        stamps = [{bar[0] for bar in run.bars[number]} for number in range(len(feeds))]
        # one kind of stamp: the end, in history, over the hole and live
        assert all(bar % (5 * MINUTE) == 0 for bar in stamps[2] | stamps[3])
        assert stamps[2] & stamps[1] == {end for end in stamps[2] if end >= min(stamps[1])}
    for now, at in seen:
        assert all(stamp is None or (stamp - 719163.0) * 86400.0 <= now for stamp in at)


@pytest.mark.parametrize('rtbar', [False, True])
def test_replayed(market, rtbar):
    """A replayed bar grows and ends as the market's; over a hole it is history's."""
    begin = in_session(market)

    def add(cerebro, store):
        cerebro.replaydata(store.getdata(dataname=APPLE, tz='UTC', rtbar=rtbar, fromdate=truth.utc(begin - 300)),
                           timeframe=Minutes, compression=1)
    grown = {}

    def look(strategy):
        data = strategy.datas[0]
        grown.setdefault(len(data), []).append(helpers.bar(data))
    with stepped.Run(market, add, on_next=look) as run:
        through_a_hole(run)
        contract = run.datas[0].contract
        wanted = market.call(lambda world: truth.live(
            world.market, world.market.by_conId(contract.conId), MINUTE, grown[1][0][0] - MINUTE,
            market.now() - stepped.LATE, 'US/Eastern'))
    assert grown[1][0][0] <= begin
    found = [bars[-1][1:] for _, bars in sorted(grown.items())]
    # what comes after these may still grow
    assert len(wanted) > 5 and found[:len(wanted)] == [one[1:] for one in wanted]
    assert any(len(bars) > 3 for bars in grown.values())


def test_replayed_days(unpaced):
    """Sessions stay apart: the day in progress ends with its session, not with the next one."""
    start = '2024-11-20 19:20 US/Eastern'
    with simulator.running(speed=0, start=start, messages_per_second=0, history_pacing=False) as gateway:
        grown = {}

        def add(cerebro, store):
            cerebro.replaydata(store.getdata(dataname=APPLE, tz='UTC', fromdate=datetime.datetime(2024, 11, 19)),
                               timeframe=bt.TimeFrame.Days)
        def look(strategy):
            grown[len(strategy.data)] = helpers.bar(strategy.data)
        with stepped.Run(gateway, add, on_next=look) as run:
            run.until_live()
            for _ in range(10):
                run.step(360)
            run.go_to(truth.at('2024-11-21 09:45', stepped.NEW_YORK))
            for _ in range(3):
                run.step(60)
        data = days_of_history(gateway)
        found = [bar[1:] for _, bar in sorted(grown.items())]
        assert found[:2] == [bar[1:] for bar in data] and len(found) == 3


def days_of_history(gateway):
    """The days that TWS's history has of the two sessions."""
    helpers.forget_store()
    data = IBStore(port=gateway.port, clientId=2).getdata(
        dataname=APPLE, historical=True, timeframe=bt.TimeFrame.Days, fromdate=datetime.datetime(2024, 11, 19),
        todate=datetime.datetime(2024, 11, 21), tz=stepped.NEW_YORK)
    return helpers.run(data).bars[0]


def test_p33_a_silent_resampled_feed_closes_in_time(market):
    """Its last trade's bar needs no further trade to be delivered, busy companion or not (contract 3.3)."""
    begin = in_session(market)
    feeds = [Feed(APPLE, timeframe=Seconds, compression=5),
             Feed(QUIET, timeframe=Seconds, compression=10, resampled=True), Feed(QUIET, resampled=True)]
    with stepped.Run(market, lambda cerebro, store: [one.add(cerebro, store, begin) for one in feeds]) as run:
        run.until_live()
        edge = (market.now() // 60 + 2) * 60
        run.go_to(edge - 27.0)

        def trade(world):
            quiet = truth.instrument(world.market, QUIET)
            world.market.inject(quiet, simulator.records.Trade(edge - 26.5, 50.0, 100))
        market.call(trade)
        run.go_to(edge - 18.0)
        assert [bar[0] for bar in run.bars[1]] == [edge - 20.0]
        run.go_to(edge + 2.5)
        assert run.bars[2] == [(edge, 50.0, 50.0, 50.0, 50.0, 100.0)]


def test_p41_fractions_add_up_in_a_resampled_bar(market):
    begin = in_session(market)
    feeds = [Feed(COIN), Feed(COIN, compression=5)]
    with stepped.Run(market, lambda cerebro, store: [one.add(cerebro, store, begin) for one in feeds]) as run:
        through_a_hole(run)
        for number, one in enumerate(feeds):
            one.is_true(run, number)
        assert any(bar[5] % 1 for bar in run.bars[0])


class Overtaken:
    """A feed to which a tick and then its proof come while it is being looked whether anything waits."""

    ib = None
    follows = True

    def __init__(self):
        self.course = self.proof = self
        self.heard = 100.0

    def islive(self):
        return True

    def time(self):
        return self.heard

    def backlog(self):
        self.heard += 1000.0
        return False


def test_p38_no_tick_is_overtaken_by_the_proof_that_closes_its_bar():
    """The proof may be taken in by another thread, which asks TWS something at this very moment."""
    clock, proofs = FilterClock(Overtaken()), []
    clock.check(lambda: proofs.append(clock.offset().total_seconds() + time.time()), None)
    assert len(proofs) == 1 and abs(proofs[0] - 100.0) < 1.0


def test_a_clone_loses_no_bar_when_one_of_its_own_had_to_wait_for_another_feed():
    """backtrader counts what it takes up again twice, and passes over what comes next."""
    day, minutes = datetime.datetime(2024, 11, 19), {'timeframe': bt.TimeFrame.Minutes, 'historical': True}
    with simulator.running() as gateway:
        IBStore._singleton = None
        store, cerebro = IBStore(port=gateway.port), bt.Cerebro(stdstats=False)
        cerebro.adddata(store.getdata(dataname='ES-202412-CME-USD-50', fromdate=day.replace(hour=9),
                                      todate=day.replace(hour=10), tz='US/Eastern', **minutes))
        source = store.getdata(dataname='AAPL-STK-SMART-USD', fromdate=day.replace(hour=9, minute=34),
                               todate=day.replace(hour=10), tz='US/Eastern', **minutes)
        cerebro.adddata(source)
        clone = cerebro.resampledata(source, timeframe=bt.TimeFrame.Minutes, compression=5)
        cerebro.addstrategy(bt.Strategy)
        cerebro.run()
        assert len(source) == 26 and len(clone) == 6
        assert sum(clone.volume.array[:6]) == sum(source.volume.array[:26])
