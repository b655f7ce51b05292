"""Feeds of ticks, at start and through holes: every trade of the market's once, in order, whatever the link does.

The gateway's clock is stepped, so that a cut comes at a moment between two trades and not when a machine happens to be
slow.
"""
import math
import random

import backtrader as bt
import pytest
import stepped
import truth
from gateways import asked
from helpers import forget_store
from known import Known
from moments import in_random, play, scripts
from stepped import APPLE, COIN, EURO, INDEX, MINI, QUIET, added, in_session

from backtrader_ib_insync import downloads, request_desk, simulator
from backtrader_ib_insync.errors import HistoryFailed
from backtrader_ib_insync.ibstore import IBStore

Ticks, Minutes = bt.TimeFrame.Ticks, bt.TimeFrame.Minutes
SCRIPTS = scripts(wait=20, hole=40)


def quick(pacing):
    """One that waits less after a violation."""
    pacing.limits = pacing.limits._replace(violation_seconds=0.05)
    return pacing


class TickFeed:
    """What a run adds: a feed of ticks from some seconds before the run's begin on."""

    def __init__(self, name=APPLE, before=20.0, **params):
        self.name = name
        self.before = before
        self.params = params

    def add(self, cerebro, store, begin):
        given = dict(dataname=self.name, timeframe=Ticks, tz='UTC', **self.params)
        if self.before is not None:
            given['fromdate'] = truth.utc(begin - self.before)
        return cerebro.adddata(store.getdata(**given))


def until_live(run, numbers=None):
    """Step till the feeds say that they are live."""
    numbers = range(len(run.datas)) if numbers is None else numbers
    for _ in range(60):
        run.settle()
        if all(run.is_live(number) for number in numbers) and run.store.connected():
            return
        run.step(0.5)
    raise AssertionError('never live: {} {}'.format(dict(run.statuses), run.messages[-8:]))


def trades(gateway, begin, end, name=APPLE):
    return gateway.call(lambda world: [
        (trade.time, trade.price, trade.size) for trade in world.market.trades(
            truth.instrument(world.market, name), begin, end)])


def every_trade_once(run, number, begin, name=APPLE, late=0.0):
    """In order, with a time that is the trade's or within its second, and that never goes back.

    The last may be `late`: a standing clock looks slow to the first trade after a hole, which then waits for history.
    """
    found = [(bar[0], bar[4], bar[5]) for bar in run.bars[number]]
    wanted = trades(run.gateway, begin, run.gateway.now(), name)
    due = [trade for trade in wanted if trade[0] <= run.gateway.now() - late]
    wanted = wanted[:max(len(due), len(found))]
    assert [tick[1:] for tick in found] == [trade[1:] for trade in wanted], first_difference(found, wanted)
    times = [tick[0] for tick in found]
    assert times == sorted(times)
    assert [math.floor(time) for time in times] == [math.floor(trade[0]) for trade in wanted]
    assert all(time <= trade[0] + 0.001 or time == before for time, before, trade in zip(times, [0] + times, wanted))
    return found


def first_difference(found, wanted):
    place = next((place for place, (one, other) in enumerate(zip(found, wanted)) if one[1:] != other[1:]),
                 min(len(found), len(wanted)))
    return 'of {} and {} the first that differ are {}: {} and {}'.format(
        len(found), len(wanted), place, found[max(place - 2, 0):place + 3], wanted[max(place - 2, 0):place + 3])


# -- random moments ----------------------------------------------------------------------------------------------------

def cut_at(market, script, *feeds):
    """Play a script over feeds and hold what they delivered against the truth."""
    begun, holes = script
    market.advance(begun)
    begin = math.floor(in_session(market))
    with stepped.Run(market, added(begin, *feeds)) as run:
        play(run, holes, until_live)
        for _ in range(3):
            run.step(3.3)
        for number, one in enumerate(feeds):
            every_trade_once(run, number, begin - one.before, one.name, late=5.0)
            assert not [said for said in run.messages if 'does not have' in said]


@in_random(SCRIPTS, 30)
def test_p37_ticks_cut_anywhere(market, script):
    cut_at(market, script, TickFeed(), TickFeed(MINI, before=5.0), TickFeed(COIN, before=40.0))


@in_random(SCRIPTS, 6)
def test_p37_tick_by_tick_data_cut_anywhere(market, script):
    cut_at(market, script, TickFeed(tick_by_tick='AllLast'), TickFeed(MINI, tick_by_tick='Last', before=5.0))


# -- in words ----------------------------------------------------------------------------------------------------------

def broken(run, *fault):
    """The run's link breaks for a while."""
    run.gateway.fault(*fault)
    run.until(lambda: not run.is_live(0))


def test_a_cut_within_a_second_that_is_full_of_trades(market):
    """The trades of that second which came are not told again, those that did not are."""
    begin = math.floor(in_session(market)) + 10
    rows = [(begin + 0.001 * number, 200 + number % 3, 10 + number % 2) for number in range(0, 900, 9)]
    with stepped.Run(market, added(begin, TickFeed(QUIET, before=None))) as run:
        until_live(run)
        market.call(lambda world: world.market.inject(truth.instrument(world.market, QUIET), *rows))
        run.go_to(begin + 0.4005)
        assert 0 < len(run.bars[0]) < len(rows)
        market.fault('refuse', 5)
        broken(run, 'cut', 'rst')
        market.advance(6)
        until_live(run)
        every_trade_once(run, 0, begin, QUIET)


def test_without_fromdate_there_are_no_ticks_of_the_past(market):
    in_session(market)
    with stepped.Run(market, added(0.0, TickFeed(before=None))) as run:
        until_live(run)
        begin = market.now()
        run.step(20)
        every_trade_once(run, 0, begin)
        assert run.statuses[0] == ['CONNECTED', 'LIVE']


def test_a_link_lost_before_the_first_trade(market):
    """Nothing was delivered yet, but the feed was live: what trades in the gap belongs to it."""
    begin = math.floor(in_session(market))
    with stepped.Run(market, added(begin, TickFeed(QUIET, before=None))) as run:
        until_live(run)
        run.step(3)
        market.fault('refuse', 30)
        broken(run, 'cut', 'fin')
        market.call(lambda world: world.market.inject(
            truth.instrument(world.market, QUIET), (begin + 15.5, 50.0, 100), (begin + 15.6, 51.0, 200)))
        market.advance(31)
        until_live(run)
        assert len(every_trade_once(run, 0, begin, QUIET)) == 2


def test_the_statuses_of_a_gap(market):
    begin = math.floor(in_session(market))
    with stepped.Run(market, added(begin, TickFeed())) as run:
        until_live(run)
        assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']
        lost = market.now()
        market.fault('refuse', 60)
        broken(run, 'cut', 'rst')
        market.advance(61)
        until_live(run)
        run.step(5)
        assert run.statuses[0][3:] == ['CONNBROKEN', 'CONNECTED', 'DELAYED', 'LIVE']
        story = run.story[0]
        delayed = len(story) - 1 - story[::-1].index('DELAYED')
        gap = [told[0] for told in story[delayed:] if isinstance(told, tuple) and lost + 1 < told[0] < lost + 60]
        assert gap and all(time == int(time) for time in gap)
        assert story.index('LIVE', delayed) > delayed + len(gap)


def test_backfill_off_leaves_the_gap(market):
    begin = math.floor(in_session(market))
    with stepped.Run(market, added(begin, TickFeed(before=None, backfill=False))) as run:
        until_live(run)
        run.step(20)
        before = len(asked(market, 'ReqHistoricalTicks'))
        market.fault('refuse', 40)
        broken(run, 'cut', 'rst')
        lost = market.now()
        market.advance(41)
        until_live(run)
        run.step(20)
        assert len(asked(market, 'ReqHistoricalTicks')) == before
        times = [bar[0] for bar in run.bars[0]]
        assert not [time for time in times if lost < time < lost + 40] and times[-1] > lost + 41


def test_a_start_of_many_pages_and_full_seconds(market):
    """Over a thousand ticks, and over a thousand in one second, while the market trades on."""
    begin = math.floor(in_session(market))
    crowd = [(begin - 30 + 0.0005 * number, 300 + number % 7, 1 + number % 5) for number in range(1700)]
    rows = [(begin - 100 + 0.07 * number, 300 + number % 5, 2) for number in range(1350)]
    market.call(lambda world: world.market.inject(truth.instrument(world.market, QUIET), *sorted(crowd + rows)))
    with stepped.Run(market, added(begin, TickFeed(QUIET, before=200.0))) as run:
        until_live(run)
        assert len(every_trade_once(run, 0, begin - 200, QUIET)) >= 3050
        assert len(asked(market, 'ReqHistoricalTicks')) >= 4


def test_p35_another_feed_s_bars_first_then_ticks(market):
    begin = math.floor(in_session(market)) // 60 * 60
    rows = [(begin - 600 + 60 * number, 1.0, 2.0, 0.5, 1.5, 100.0 + number) for number in range(9)]
    with stepped.Run(market, added(begin, TickFeed(before=None, backfill_from=Known(rows=rows)))) as run:
        until_live(run)
        run.step(5)
        assert run.bars[0][:9] == rows and run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']
        run.bars[0] = run.bars[0][9:]
        every_trade_once(run, 0, begin - 120)


def test_a_gap_over_night(market):
    """From the evening of one session into the morning of the next: no answer of TWS's holds both."""
    in_session(market)
    close = truth.at(truth.utc(market.now()).strftime('%Y-%m-%d') + ' 20:00', stepped.NEW_YORK)
    market.advance(close - 60 - market.now())
    begin = math.floor(market.now())
    with stepped.Run(market, added(begin, TickFeed())) as run:
        until_live(run)
        run.step(10)
        market.fault('refuse', 9 * 3600)
        broken(run, 'cut', 'fin')
        market.advance(9 * 3600 + 1)
        until_live(run)
        found = every_trade_once(run, 0, begin - 20)
        assert found[0][0] < close and found[-1][0] > close + 8 * 3600


def test_a_clone_s_bars_hold_the_ticks_of_the_gap(market):
    begin = math.floor(in_session(market)) // 60 * 60

    def add(cerebro, store):
        data = TickFeed(before=60.0).add(cerebro, store, begin)
        cerebro.resampledata(data, timeframe=Minutes, compression=1)
    with stepped.Run(market, add) as run:
        until_live(run, [0])
        run.step(50.3)
        market.fault('refuse', 45)
        broken(run, 'cut', 'rst')
        market.advance(46)
        until_live(run, [0])
        for _ in range(6):
            run.step(20)
        every_trade_once(run, 0, begin - 60)
        end = (market.now() - stepped.LATE) // 60 * 60
        wanted = truth.from_trades([Trade(*one) for one in trades(market, begin - 60, end)],
                                   truth.since_midnight(60, 'UTC'))
        assert run.bars[1][:len(wanted)] == wanted and len(wanted) >= 3


class Trade:
    def __init__(self, time, price, size):
        self.time, self.price, self.size = time, price, size


def test_a_subscription_that_dies_in_silence(market):
    """Found out late: what passed since its last sign of life is fetched."""
    begin = math.floor(in_session(market))
    with stepped.Run(market, added(begin, TickFeed())) as run:
        until_live(run)
        run.step(5)
        market.fault('unsubscribe')
        for _ in range(60):
            run.step(10)
            if 'CONNBROKEN' in run.statuses[0]:
                break
        until_live(run)
        run.step(5)
        assert run.statuses[0][3:] == ['CONNBROKEN', 'CONNECTED', 'DELAYED', 'LIVE']
        every_trade_once(run, 0, begin - 20)


def walk(world, name, seconds):
    """A market that moves some times a second, from a minute ago on."""
    chance, price, time = random.Random(7), 10500, world.now - 60
    rows = []
    while time < world.now + seconds:
        price += chance.choice([-1, -1, 1, 1, 2])
        rows.append((round(time, 3), price / 10000, 1e6))
        time += chance.expovariate(3)
    world.market.script(truth.instrument(world.market, name), rows)


def five_more(run):
    """Wait for ticks after it is live."""
    run.until(lambda: run.is_live(0))
    count = len(run.bars[0])
    run.until(lambda: len(run.bars[0]) > count + 5)


def test_quotes_through_a_hole():
    """TWS dates no live quote: at a gateway whose clock runs as ours does, every change of the price comes once."""
    with simulator.running(speed=1.0) as gateway:
        gateway.call(lambda world: walk(world, EURO, 60))
        begin = math.floor(gateway.now())
        feed = TickFeed(EURO, before=10.0, what='ASK')
        with stepped.Run(gateway, added(begin, feed), timeout=0.2) as run:
            for length in (1.3, 2.1):
                five_more(run)
                gateway.fault('refuse', length)
                broken(run, 'cut', 'rst')
            five_more(run)
            found = [bar[4] for bar in run.bars[0]]
        asks = gateway.call(lambda world: [quote.ask for quote in world.market.quotes(
            truth.instrument(world.market, EURO), begin - 10, world.now)])
        changes = [one for one, before in zip(asks, [None] + asks) if one != before]
        assert found == changes[:len(found)] and len(found) > 40


# -- errors ------------------------------------------------------------------------------------------------------------

def test_p23_a_pacing_violation_waits_and_asks_again(market, monkeypatch):
    made = request_desk.Pacing
    monkeypatch.setattr(request_desk, 'Pacing', lambda: quick(made()))
    begin = math.floor(in_session(market))
    market.fault('pacing', 2)
    with stepped.Run(market, added(begin, TickFeed())) as run:
        until_live(run)
        run.step(5)
        every_trade_once(run, 0, begin - 20)


def test_an_answer_that_never_comes_is_told_and_live_ticks_go_on(market, monkeypatch):
    """What came live before it was given up is delivered."""
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.3)
    monkeypatch.setattr(downloads, 'TRIES', 2)
    begin = math.floor(in_session(market))
    market.fault('drop', 'HistoricalTicksLast', 2)
    with stepped.Run(market, added(begin, TickFeed())) as run:
        until_live(run)
        run.step(20)
        assert [said for said in run.messages if 'history: ' in said and 'ticks are missing here' in said]
        found = [bar[4:6] for bar in run.bars[0]]
        wanted = [trade[1:] for trade in trades(market, begin, market.now())]
        assert found and found == wanted[-len(found):]
        market.fault('refuse', 5)
        lost = market.now()
        broken(run, 'cut', 'rst')
        market.advance(6)
        until_live(run)
        assert [bar[4:6] for bar in run.bars[0] if bar[0] >= lost - 1] == [
            trade[1:] for trade in trades(market, lost - 1, market.now())]


def test_an_index_has_no_history_of_ticks_which_is_told(market):
    begin = math.floor(in_session(market))
    with stepped.Run(market, added(begin, TickFeed(INDEX, before=300.0))) as run:
        until_live(run)
        run.step(10)
        assert run.bars[0]
        assert [said for said in run.messages if 'TWS has bars from' in said and 'ticks are missing here' in said]


# -- history alone -----------------------------------------------------------------------------------------------------

def downloaded(gateway, name=APPLE, **params):
    """(time, price, size) of every tick of a historical feed."""
    forget_store()
    store = IBStore(port=gateway.port, **stepped.PATIENT)
    cerebro = bt.Cerebro()
    data = store.getdata(dataname=name, timeframe=Ticks, historical=True, tz='UTC', **params)
    cerebro.adddata(data)
    try:
        cerebro.run()
    finally:
        forget_store()
    return [(line[0], line[4], line[5]) for line in truth.lines(data)]


def whole_seconds(rows):
    return [(math.floor(time), price, size) for time, price, size in rows]


def test_p36_a_historical_feed_has_every_trade_from_fromdate_to_todate(market):
    """A busy hour of some thousand trades, over an evening and a morning."""
    now = math.floor(in_session(market)) + 7200
    market.advance(7205)
    found = downloaded(market, fromdate=truth.utc(now - 7000), todate=truth.utc(now - 1000))
    assert found == whole_seconds(trades(market, now - 7000, now - 999)) and len(found) > 1000
    over_night = dict(fromdate=truth.utc(now - 86400), todate=truth.utc(now - 72000))
    assert downloaded(market, **over_night) == whole_seconds(trades(market, now - 86400, now - 71999))


def test_seconds_of_many_trades_come_whole(market):
    begin = math.floor(in_session(market))
    rows = [(begin + number // 700 * 2 + 0.001 * (number % 700), 400 + number % 9, 1) for number in range(2800)]
    market.call(lambda world: world.market.inject(truth.instrument(world.market, QUIET), *rows))
    market.advance(20)
    found = downloaded(market, QUIET, fromdate=truth.utc(begin), todate=truth.utc(begin + 10))
    assert found == whole_seconds(trades(market, begin, begin + 11, QUIET)) and len(found) >= 2800


def test_without_fromdate_one_answer(market):
    in_session(market)
    market.advance(3600)
    end = math.floor(market.now()) - 60
    found = downloaded(market, todate=truth.utc(end))
    assert 1000 <= len(found) < 1050
    assert found == whole_seconds(trades(market, end - 7200, end + 1))[-len(found):]


def test_quotes_of_the_past_are_changes_of_the_price(market):
    begin = math.floor(in_session(market))
    market.advance(3600)
    for what in ('BID', 'ASK', 'MIDPOINT'):
        found = downloaded(market, EURO, what=what, fromdate=truth.utc(begin), todate=truth.utc(begin + 3500))
        quotes = market.call(lambda world: [
            (quote.bid, quote.ask) for quote in world.market.quotes(
                truth.instrument(world.market, EURO), begin, begin + 3501)])
        wanted = [{'BID': bid, 'ASK': ask}.get(what, (bid + ask) / 2) for bid, ask in quotes]
        changes = [one for one, before in zip(wanted, [None] + wanted) if one != before]
        assert [price for _, price, _ in found] == pytest.approx(changes) and len(changes) > 5
        assert {size for _, _, size in found} == {0.0}


def test_p39_a_range_without_a_trade_ends_at_once(market):
    begin = truth.at('2024-11-16 12:00')
    assert downloaded(market, fromdate=truth.utc(begin), todate=truth.utc(begin + 7200)) == []
    assert downloaded(market, fromdate=truth.utc(begin), todate=truth.utc(begin)) == []


def test_p25_history_that_is_not_whole_raises(market, monkeypatch):
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.3)
    monkeypatch.setattr(downloads, 'TRIES', 2)
    now = math.floor(in_session(market))
    market.advance(10)
    market.fault('drop', 'HistoricalTicksLast', 2)
    with pytest.raises(HistoryFailed, match=APPLE):
        downloaded(market, fromdate=truth.utc(now - 7200), todate=truth.utc(now))
