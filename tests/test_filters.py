"""backtrader's own filters on a live feed: intervals as TWS has them, around midnight, for days, weeks, odd sizes."""
import datetime

import backtrader as bt
import pytest
import stepped
import truth
from gateways import by_hand
from helpers import APPLE
from truth import at, utc

Seconds, Minutes, Ticks = bt.TimeFrame.Seconds, bt.TimeFrame.Minutes, bt.TimeFrame.Ticks
Days, Weeks, Months = bt.TimeFrame.Days, bt.TimeFrame.Weeks, bt.TimeFrame.Months
NEW_YORK, CHICAGO = 'America/New_York', 'America/Chicago'
MINI, EURO = 'ES-202412-CME-USD-50', 'EUR.USD-CASH-IDEALPRO'


def gateway_at(text):
    return by_hand(start=text)


def of_trades(gateway, name, length, start, end, zone):
    return gateway.call(lambda world: truth.live(
        world.market, truth.instrument(world.market, name), length, start, end, zone), timeout=60)


def played(gateway, add, *steps):
    """The bars of each feed after so many seconds, in steps."""
    with stepped.Run(gateway, add) as test:
        test.until_live()
        test.settle()
        for step in steps:
            test.step(step)
        return [test.bars[number] for number in range(len(test.datas))]


@pytest.mark.parametrize('compression', [5, 7, 60])
def test_resampled_over_midnight_utc(compression):
    length = compression * 60
    with gateway_at('2024-11-20 17:40 US/Central') as gateway:
        begin = at('2024-11-20 17:00', CHICAGO) - 60

        def add(cerebro, store):
            cerebro.resampledata(store.getdata(dataname=MINI, fromdate=utc(begin), tz='UTC'), timeframe=Minutes,
                                 compression=compression)
        bars, = played(gateway, add, *[300] * 16)
        wanted = of_trades(gateway, MINI, length, begin, gateway.now() - 3, CHICAGO)
        assert bars == [bar for bar in wanted if bar[0] >= bars[0][0]]
        assert bars[0][0] - begin <= 2 * length and bars[-1][0] >= at('2024-11-21 00:00')


def test_p84_raw_and_resampled_of_one_feed():
    with gateway_at('2024-11-20 10:00 US/Eastern') as gateway:
        begin = gateway.now() - 600

        def add(cerebro, store):
            data = store.getdata(dataname=APPLE, timeframe=Minutes, fromdate=utc(begin), tz='UTC')
            cerebro.adddata(data)
            cerebro.resampledata(data, timeframe=Minutes, compression=3)

        with stepped.Run(gateway, add) as test:
            test.until(lambda: test.is_live(0))
            test.settle()
            for _ in range(8):
                test.step(60)
            raw, clone = test.datas
            assert clone.tradecontract is raw.tradecontract and clone.contractdetails is raw.contractdetails
            ones, threes = test.bars[0], test.bars[1]
        assert ones == of_trades(gateway, APPLE, 60, begin, ones[-1][0], NEW_YORK)
        assert threes == of_trades(gateway, APPLE, 180, begin, threes[-1][0], NEW_YORK)
        assert threes[-1][0] + 180 > ones[-1][0]


def of_days(gateway, name, start, last):
    """Days up to the one of the label `last`."""
    found = gateway.call(lambda world: truth.days(
        world.market, truth.instrument(world.market, name), '1 day', start, last + 43200, 'TRADES', False,
        datetime.time(20)), timeout=60)
    return [bar for bar in found if bar[0] < last + 43200]


def test_days_resampled_live_hold_the_day_in_progress_whole():
    with gateway_at('2024-11-19 19:40 US/Eastern') as gateway:
        begin = at('2024-11-11')

        def add(cerebro, store):
            cerebro.resampledata(store.getdata(dataname=APPLE, fromdate=utc(begin), tz=NEW_YORK), timeframe=Days)
        bars, = played(gateway, add, *[240] * 6)
        assert bars == of_days(gateway, APPLE, begin, at('2024-11-20'))
        assert bars[-1][0] == at('2024-11-19 20:00', NEW_YORK)


def test_two_days_resampled():
    with gateway_at('2024-11-20 10:00 US/Eastern') as gateway:
        begin = at('2024-11-04')

        def add(cerebro, store):
            cerebro.resampledata(store.getdata(dataname=APPLE, fromdate=utc(begin), tz=NEW_YORK), timeframe=Days,
                                 compression=2)
        bars, = played(gateway, add, 30)
        days = of_days(gateway, APPLE, begin, at('2024-11-20'))
        assert [(bar[0], bar[1], bar[4], bar[5]) for bar in bars] == [
            (two[0], one[1], two[4], one[5] + two[5]) for one, two in zip(days[::2], days[1::2])]


def test_weeks_resampled_live():
    with gateway_at('2024-11-15 19:50 US/Eastern') as gateway:
        begin = at('2024-11-01')

        def add(cerebro, store):
            cerebro.resampledata(store.getdata(dataname=APPLE, fromdate=utc(begin), tz=NEW_YORK), timeframe=Weeks)
        bars, = played(gateway, add, *[300] * 3, 86400 * 2, 8 * 3600 + 1500)
        days = of_days(gateway, APPLE, begin, at('2024-11-16'))
        weeks = [days[:1], days[1:6], days[6:]]
        assert [bar[1:] for bar in bars] == [
            (week[0][1], max(day[2] for day in week), min(day[3] for day in week), week[-1][4],
             sum(day[5] for day in week)) for week in weeks]


def test_a_silent_feed_is_closed_beside_a_busy_one():
    with gateway_at('2024-11-20 10:00 US/Eastern') as gateway:
        def add(cerebro, store):
            cerebro.adddata(store.getdata(dataname=MINI, timeframe=Ticks))
            cerebro.resampledata(store.getdata(dataname='QUIET-STK-SMART-USD', backfill_start=False), timeframe=Seconds,
                                 compression=5)
        with stepped.Run(gateway, add) as test:
            test.until_live()
            test.settle()
            test.step(10)
            now = gateway.now() // 5 * 5
            gateway.call(lambda world: world.market.inject(
                truth.instrument(world.market, 'QUIET-STK-SMART-USD'), (now + 6.5, 50.0, 100)))
            test.step(8)
            for _ in range(5):
                test.step(1)
            assert [(bar[0], bar[4], bar[5]) for bar in test.bars[1]] == [(now + 10, 50.0, 100.0)]


def test_replayed_bars_grow_tick_by_tick():
    with gateway_at('2024-11-20 10:00 US/Eastern') as gateway:
        def add(cerebro, store):
            cerebro.replaydata(store.getdata(dataname=APPLE, backfill_start=False, tz='UTC'), timeframe=Minutes,
                               compression=1)
        volumes = []
        with stepped.Run(gateway, add) as test:
            test.on_next = lambda strategy: volumes.append((len(strategy.data), strategy.data.volume[0]))
            test.until_live()
            test.settle()
            for _ in range(10):
                test.step(20)
            start = gateway.now()
        ends = {length: max(volume for number, volume in volumes if number == length) for length, _ in volumes}
        wanted = of_trades(gateway, APPLE, 60, at('2024-11-20 10:00', NEW_YORK), start, NEW_YORK)
        whole = [ends[length] for length in sorted(ends)][:-1]
        assert whole and whole == [bar[5] for bar in wanted][1:]
        assert len(volumes) > 5 * len(ends)


@pytest.mark.parametrize('fault', [('cut', 'rst'), ('lost', 30, 'kept'), ('lost', 30, 'data')])
@pytest.mark.parametrize('timeframe, compression, length', [
    (Minutes, 7, 420), (Minutes, 5, 300), (Days, 1, 0), (Seconds, 30, 30)])
def test_p37_a_gap_in_a_resampled_bar_is_filled(fault, timeframe, compression, length):
    with gateway_at('2024-11-19 19:20 US/Eastern') as gateway:
        begin = gateway.now() - (5 * 86400 if timeframe == Days else 1800)

        def add(cerebro, store):
            cerebro.resampledata(store.getdata(dataname=APPLE, fromdate=utc(begin), tz='UTC'), timeframe=timeframe,
                                 compression=compression)
        with stepped.Run(gateway, add) as test:
            test.until_live()
            test.settle()
            for seconds in (100, 37, 90):
                test.step(seconds)
                test.break_link(fault)
                gateway.advance(45)
                test.until_live()
                test.settle()
            for _ in range(8):
                test.step(300)
            bars = test.bars[0]
        if timeframe == Days:
            assert bars[-1] == of_days(gateway, APPLE, begin, at('2024-11-20'))[-1]
        else:
            wanted = of_trades(gateway, APPLE, length, begin, gateway.now() - 3, NEW_YORK)
            assert bars == [bar for bar in wanted if bar[0] >= bars[0][0]]
        assert len(bars) == len({bar[0] for bar in bars})
