"""Live feeds, by what their params say and what the market may do: statuses, stamps, ends, late ticks, real data."""
import datetime
import time
from unittest import mock

import backtrader as bt
import pytest
import stepped
import truth
from gateways import BY_HAND, asked, by_hand
from known import Known
from stepped import APPLE, COIN, EURO, INDEX, MINI, MINUTE, QUIET, Feed, Minutes, added, are_true, in_session, one
from test_real_data import real, rows

from backtrader_ib_insync.simulator.market import Market
from backtrader_ib_insync.simulator.replay import Csv

BERLIN = 'Europe/Berlin'


def live(run):
    run.until_live()
    return run.gateway.now()


# -- before live -------------------------------------------------------------------------------------------------------

def test_p35_backfill_from_then_history_then_live(market):
    """Another feed's bars first, IB's from its last one on, then live ones: none twice, none missing."""
    begin = in_session(market) // MINUTE * MINUTE
    earlier = market.call(lambda world: truth.live(
        world.market, truth.instrument(world.market, APPLE), MINUTE, begin - 1800, begin - 600, 'US/Eastern'))
    marked = [row[:5] + (row[5] + 0.5,) for row in earlier]
    with stepped.Run(market, one(backfill_from=Known(rows=marked), timeframe=Minutes)) as run:
        live(run)
        for _ in range(6):
            run.step(31.7)
        run.pass_edge()
        found = run.bars[0]
        assert found[:len(earlier)] == marked
        rest = market.call(lambda world: truth.live(
            world.market, truth.instrument(world.market, APPLE), MINUTE, begin - 600, market.now() - 3, 'US/Eastern'))
        assert found[len(earlier):] == rest
        assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']


@pytest.mark.parametrize('resampled', [False, True])
def test_p36_fromdate_bounds_the_backfill(market, resampled):
    begin = in_session(market) // MINUTE * MINUTE
    since = truth.utc(begin - 420)
    feed = Feed(APPLE, resampled=resampled, fromdate=since)
    with stepped.Run(market, added(begin, feed)) as run:
        live(run)
        assert run.bars[0][0][0] == begin - 360
        feed.is_true(run, 0)


def test_p20_p87_the_statuses_come_before_the_bars_they_describe(market):
    begin = in_session(market)
    with stepped.Run(market, one(fromdate=truth.utc(begin - 180))) as run:
        live(run)
        run.step(130)
        story = [told if isinstance(told, str) else 'bar' for told in run.story[0]]
        assert story[:3] == ['CONNECTED', 'DELAYED', 'bar']
        bars = [told[0] for told in run.story[0][:run.story[0].index('LIVE')] if not isinstance(told, str)]
        assert max(bars) <= begin and story[-1] == 'bar'


def test_p87_1100_is_a_broken_connection(market):
    in_session(market)
    with stepped.Run(market, one()) as run:
        live(run)
        run.break_link(('lost', '10', 'kept'))
        run.step(11)
        live(run)
        assert run.statuses[0][-4:] == ['CONNBROKEN', 'CONNECTED', 'DELAYED', 'LIVE']


@pytest.mark.parametrize('name, params', [
    (APPLE, dict()), (APPLE, dict(resampled=True)), (APPLE, dict(rtbar=True)), (EURO, dict(what='BID'))],
    ids=str)
def test_p11_a_picture_from_a_farm_that_is_lost_shows_no_life(market, name, params):
    """A session begins while the farm is lost: TWS says what it knew, and nothing of what trades till it is back."""
    begin = (in_session(market) // MINUTE + 1) * MINUTE
    market.advance(begin + 20.0 - market.now())
    feed = Feed(name, **params)
    with stepped.Run(market, added(begin, feed)) as run:
        run.until_live()
        run.step(10.0)
        market.fault('farm', 'data', 60.0)
        market.fault('cut')
        run.until(lambda: run.statuses[0].count('CONNECTED') > 1)
        run.until(run.is_open)
        for _ in range(5):
            run.step(10.0)
            assert not run.is_live(0), run.story[0]
        run.step(12.0)
        run.until_live()
        run.go_to((market.now() // MINUTE + 2) * MINUTE + stepped.LATE + 1.0)
        run.wait_for_history()
        feed.is_true(run, 0)


@pytest.mark.parametrize('timeframe', [bt.TimeFrame.Days, bt.TimeFrame.Weeks])
def test_p03_p87_a_feed_that_only_history_feeds_hears_of_the_link(unpaced, make_gateway, timeframe):
    """It subscribes to nothing and is told the same; farms of market data are no matter of its."""
    market = make_gateway(speed=0, history_pacing=False)
    with stepped.Run(market, one(timeframe=timeframe, fromdate=datetime.datetime(2024, 10, 1)), reconnect=2,
                     timeout=0.05) as run:
        live(run)
        run.break_link(('lost', '10', 'kept'))
        run.step(11)
        live(run)
        assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE', 'CONNBROKEN', 'CONNECTED', 'DELAYED', 'LIVE']
        market.fault('cut', 'rst')
        run.until(lambda: run.statuses[0].count('CONNBROKEN') == 2)
        live(run)
        bars = list(run.bars[0])
        assert [bar[0] for bar in bars] == sorted({bar[0] for bar in bars})
        assert not [kind for kind in ('ReqMktData', 'ReqRealTimeBars') if asked(market, kind)]
        market.fault('refuse', 1e6)
        market.fault('cut', 'rst')
        run.until(lambda: run.has_ended)
        assert run.statuses[0][-2:] == ['CONNBROKEN', 'DISCONNECTED'] and 'nothing listens' in run.reasons[0][-1]


# -- quiet and closed markets ------------------------------------------------------------------------------------------

@pytest.mark.parametrize('params', [dict(), dict(rtbar=True), dict(resampled=True), dict(backfill_start=False)],
                         ids=['ticks', 'rtbar', 'resampled', 'no backfill'])
@pytest.mark.parametrize('name', [QUIET, '7203-STK-TSEJ-JPY'], ids=['quiet', 'closed'])
def test_p39_a_market_without_a_trade_reaches_live(market, name, params):
    begin = in_session(market)
    feed = Feed(name, **params)
    with stepped.Run(market, added(begin, feed)) as run:
        live(run)
        assert 'CONNBROKEN' not in run.statuses[0]


def test_p39_the_last_bar_before_the_close_is_delivered(market):
    """With no later tick to end it: TWS's time does."""
    in_session(market)
    close = truth.at(truth.utc(market.now()).strftime('%Y-%m-%d') + ' 20:00', stepped.NEW_YORK)
    market.advance(close - 300 - market.now())
    with stepped.Run(market, one(fromdate=truth.utc(close - 600))) as run:
        live(run)
        run.go_to(close + 4)
        last = market.call(lambda world: truth.live(
            world.market, truth.instrument(world.market, APPLE), MINUTE, close - 600, close + 60, 'US/Eastern'))
        assert run.bars[0] == last
        assert run.is_live(0)


# -- ticks -------------------------------------------------------------------------------------------------------------

def ticks(run, number=0):
    return [(bar[0], bar[4], bar[5]) for bar in run.bars[number]]


def traded(market, begin, end, name=APPLE):
    return market.call(lambda world: [
        (round(trade.time, 3), trade.price, trade.size) for trade in world.market.trades(
            truth.instrument(world.market, name), begin, end)])


def test_p31_every_trade_is_a_tick_with_its_own_time(market):
    in_session(market)
    with stepped.Run(market, one(timeframe=bt.TimeFrame.Ticks)) as run:
        begin = live(run)
        for _ in range(4):
            run.step(15.3)
        assert ticks(run) == traded(market, begin, market.now())


def test_p41_fractions_of_a_size_arrive(market):
    in_session(market)
    with stepped.Run(market, one(dataname=COIN, timeframe=bt.TimeFrame.Ticks)) as run:
        begin = live(run)
        run.step(120)
        assert ticks(run) == traded(market, begin, market.now(), COIN)
        assert any(size % 1 for _, _, size in ticks(run))


@pytest.mark.parametrize('fault', [('late', 'TickString', '4', '6'), ('reorder', 'TickString', '8'),
                                   ('duplicate', 'TickString', '8')])
def test_p46_time_never_goes_back(market, fault):
    in_session(market)
    with stepped.Run(market, one(timeframe=bt.TimeFrame.Ticks)) as run:
        live(run)
        for _ in range(3):
            market.fault(*fault)
            for _ in range(16):
                run.step(2.6)
        times = [tick[0] for tick in ticks(run)]
        assert len(times) > 20 and times == sorted(times)


def test_p46_latethrough_lets_them_by(market):
    in_session(market)
    with stepped.Run(market, one(timeframe=bt.TimeFrame.Ticks, latethrough=True)) as run:
        begin = live(run)
        # one at a time: somewhere on the tape the next trade overtakes a late one
        for _ in range(12):
            market.fault('late', 'TickString', '4', '1')
            for _ in range(3):
                run.step(2.6)
        run.wait_for_history()
        found = ticks(run)
        assert sorted(found) == sorted(traded(market, begin, market.now()))
        assert [tick[0] for tick in found] != sorted(tick[0] for tick in found)


def test_p46_a_bar_repeated_by_tws_counts_once(market):
    begin = in_session(market)
    feeds = [Feed(APPLE, rtbar=True), Feed(APPLE, rtbar=True, resampled=True)]
    with stepped.Run(market, added(begin, *feeds)) as run:
        live(run)
        for _ in range(5):
            market.fault('duplicate', 'bar', 9)
            run.step(37.0)
        run.pass_edge()
        are_true(run, feeds)


def test_p46_a_trade_repeated_by_tws_counts_once(market):
    begin = in_session(market)
    feeds = [Feed(APPLE), Feed(APPLE, resampled=True)]

    def add(cerebro, store):
        for feed in feeds:
            feed.add(cerebro, store, begin)
        one(timeframe=bt.TimeFrame.Ticks)(cerebro, store)

    with stepped.Run(market, add) as run:
        start = live(run)
        for _ in range(5):
            market.fault('duplicate', 'TickString', 40)
            run.step(37.0)
        run.pass_edge()
        are_true(run, feeds)
        assert ticks(run, 2) == traded(market, start, market.now())


@pytest.mark.parametrize('params', [
    dict(), dict(rtbar=True), dict(tick_by_tick='Last'), dict(resampled=True), dict(resampled=True, rtbar=True),
    dict(resampled=True, tick_by_tick='Last')], ids=str)
@pytest.mark.parametrize('skew', [40, -40])
def test_a_gateway_whose_clock_is_wrong(market, skew, params):
    """Bars follow the stamps of trades: a fast clock closes none too early, a slow one begins none too early."""
    begin = (in_session(market) // MINUTE + 1) * MINUTE
    market.advance(begin + 5.0 - market.now())
    market.fault('skew', skew)
    feed = Feed(**params)
    try:
        with stepped.Run(market, added(begin, feed)) as run:
            run.until_live()
            # whole seconds, in which TWS tells its time: the machine's clock, which stands still here, says no more
            for _ in range(5 * 60 + 50):
                run.step(1.0)
            feed.is_true(run, 0)
    finally:
        market.fault('skew', 0)


def test_the_machines_clock_may_be_set(market):
    """An hour ahead and back again: quotes, which TWS does not stamp, keep their time, and what is made of them too."""
    begin = in_session(market)
    ahead = [0.0]
    clock = time.time
    feeds = [Feed(EURO, what='BID', resampled=True), Feed(EURO, what='BID')]

    def add(cerebro, store):
        cerebro.adddata(store.getdata(dataname=EURO, timeframe=bt.TimeFrame.Ticks, tz='UTC'))
        for feed in feeds:
            feed.add(cerebro, store, begin)
    with mock.patch('time.time', lambda: clock() + ahead[0]), stepped.Run(market, add) as run:
        live(run)
        for ahead[0] in (0.0, 3600.0, 0.0):
            before = len(run.bars[0])
            for _ in range(6):
                run.step(61.3)
            assert len(run.bars[0]) > before and run.bars[0][-1][0] <= market.now()
        run.pass_edge()
        for number, feed in enumerate(feeds, 1):
            feed.is_true(run, number)


# -- what is asked -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, params, wanted', [
    (APPLE, dict(rtbar=True), ('TRADES', False)), (APPLE, dict(rtbar=True, useRTH=True), ('TRADES', True)),
    (APPLE, dict(rtbar=True, what='MIDPOINT'), ('MIDPOINT', False)), (EURO, dict(rtbar=True), ('BID', False)),
    (EURO, dict(rtbar=True, what='ASK'), ('ASK', False)), (COIN, dict(rtbar=True), ('TRADES', False)),
    (INDEX, dict(), ('TRADES', False))])
def test_p40_p42_what_5_second_bars_are_asked_for(market, name, params, wanted):
    in_session(market)
    before = market.call(lambda world: len(world.requests))
    with stepped.Run(market, one(dataname=name, backfill_start=False, **params)) as run:
        live(run)
        found = [(request.whatToShow, bool(request.useRTH)) for request in asked(market, 'ReqRealTimeBars', before)]
        assert found == [wanted]


# -- what is shown -----------------------------------------------------------------------------------------------------

def true_to_history(market, *feeds, steps=6, seconds=31.7, hole=0):
    """Run these feeds live for a while, and on after a hole of so many seconds; their bars are the market's."""
    begin = in_session(market)
    with stepped.Run(market, added(begin, *feeds)) as run:
        live(run)
        for _ in range(steps):
            run.step(seconds)
        if hole:
            run.cut_off(hole + 1)
            live(run)
            for _ in range(steps):
                run.step(seconds)
        run.pass_edge()
        are_true(run, feeds)
        return run


@pytest.mark.parametrize('resampled', [False, True])
@pytest.mark.parametrize('name', [APPLE, EURO, MINI])
def test_quotes_that_history_shows_are_followed_live(market, name, resampled):
    """The bars of `what` are the same from history and live, on a stock as on a currency."""
    feeds = [Feed(name, what=what, resampled=resampled) for what in ('BID', 'ASK', 'MIDPOINT')]
    true_to_history(market, *feeds, hole=100)


def test_what_may_be_written_small(market):
    true_to_history(market, Feed(APPLE, what='bid'))


@pytest.mark.parametrize('what', ['BID', 'ASK'])
def test_quotes_of_a_stock_are_ticks_when_asked_for(market, what):
    in_session(market)
    with stepped.Run(market, one(timeframe=bt.TimeFrame.Ticks, what=what)) as run:
        begin = live(run)
        for _ in range(12):
            run.step(10.3)
        quotes = market.call(lambda world: world.market.quotes(
            truth.instrument(world.market, APPLE), begin, market.now()))
        known = [quote.bid if what == 'BID' else quote.ask for quote in quotes]
        changes = [price for price, before in zip(known[1:], known) if price != before]
        found = [bar[4] for bar in run.bars[0]]
        assert len(changes) > 3 and found[-len(changes):] == changes
        assert all(bar[5] == 0 for bar in run.bars[0])


@pytest.mark.parametrize('name, params, may', [
    (EURO, dict(what='TRADES'), 'BID, ASK, MIDPOINT'), (EURO, dict(what='AGGTRADES'), 'BID, ASK, MIDPOINT'),
    (EURO, dict(what='BID_ASK'), 'BID, ASK, MIDPOINT'),
    (EURO, dict(what='TRADES', timeframe=bt.TimeFrame.Ticks), 'BID, ASK, MIDPOINT'),
    (APPLE, dict(what='BID_ASK'), 'TRADES, AGGTRADES, ADJUSTED_LAST, BID, ASK, MIDPOINT'),
    (APPLE, dict(what='NONSENSE'), 'TRADES'), (APPLE, dict(what='NONSENSE', timeframe=bt.TimeFrame.Days), 'FEE_RATE'),
    (APPLE, dict(what='BID', tick_by_tick='Last'), 'TRADES, AGGTRADES, ADJUSTED_LAST'),
    (APPLE, dict(what='BID', tick_by_tick='MidPoint'), 'MIDPOINT')], ids=str)
def test_what_tws_does_not_show_live_is_an_error_and_others_go_on(market, name, params, may):
    begin = in_session(market)

    def add(cerebro, store):
        one(dataname=name, **params)(cerebro, store)
        one(fromdate=truth.utc(begin - 180))(cerebro, store)

    with stepped.Run(market, add) as run:
        run.until(lambda: run.is_live(1))
        assert run.statuses[0] == ['DISCONNECTED'] and not run.bars[0]
        assert repr(params['what']) in run.reasons[0][-1] and may in run.reasons[0][-1]
        run.step(61)
        run.wait_for_history()
        assert len(run.bars[1]) >= 3


def test_days_show_what_only_history_has(market):
    """They come from history, live too."""
    in_session(market)
    with stepped.Run(market, one(timeframe=bt.TimeFrame.Days, what='BID_ASK')) as run:
        live(run)
        assert run.bars[0]


@pytest.mark.parametrize('resampled', [False, True])
@pytest.mark.parametrize('seconds', [7, 12, 10])
def test_5_second_bars_make_only_what_they_divide(market, seconds, resampled):
    """Bars of other lengths are made of ticks, and the feed says so."""
    feed = Feed(timeframe=stepped.Seconds, compression=seconds, rtbar=True, resampled=resampled)
    run = true_to_history(market, feed, steps=20, seconds=6.3)
    assert any('5-second bars' in message for message in run.messages) == bool(seconds % 5)


# -- regular hours -----------------------------------------------------------------------------------------------------

def bars_of_regular_hours(market, begin, seconds):
    return market.call(lambda world: [one for one in truth.live(
        world.market, truth.instrument(world.market, APPLE), seconds, begin, market.now(), stepped.NEW_YORK)
        if _is_regular(one[0] - seconds)])


def _is_regular(time):
    wall = datetime.datetime.fromtimestamp(time, truth.ZoneInfo(stepped.NEW_YORK))
    return datetime.time(9, 30) <= wall.time() < datetime.time(16)


@pytest.mark.parametrize('start', ['2024-11-20 09:28 US/Eastern', '2024-11-20 15:57 US/Eastern'], ids=['open', 'close'])
def test_regular_hours_are_kept_live(unpaced, make_gateway, start):
    """No bar and no tick of other hours comes live, by whatever stream; what history shows of them is not more."""
    market = make_gateway(start=start, **BY_HAND)
    begin = market.now()
    rth = dict(useRTH=True, fromdate=truth.utc(begin - 60))
    feeds = [Feed(**rth), Feed(rtbar=True, **rth), Feed(resampled=True, **rth), Feed(timeframe=stepped.Seconds, **rth)]

    def add(cerebro, store):
        for feed in feeds:
            feed.add(cerebro, store, begin)
        one(timeframe=bt.TimeFrame.Ticks, backfill_start=False, useRTH=True)(cerebro, store)
        cerebro.replaydata(store.getdata(dataname=APPLE, tz='UTC', **rth), timeframe=Minutes)

    with stepped.Run(market, add) as run:
        live(run)
        for _ in range(10):
            run.step(30.0)
        run.pass_edge()
        minutes = bars_of_regular_hours(market, begin - 60, 60)
        assert 3 <= len(minutes) <= 4
        for number in range(3):
            assert run.bars[number] == minutes
        assert [bar for bar in run.bars[3] if bar[0] <= market.now() - 3] == [
            bar for bar in bars_of_regular_hours(market, begin - 60, 1) if bar[0] <= market.now() - 3]
        assert ticks(run, 4) == [trade for trade in traded(market, begin, market.now()) if _is_regular(trade[0])]
        assert len(run.bars[5]) >= 4 and all(_is_regular(bar[0] - 0.001) for bar in run.bars[5])
        assert not [message for message in run.messages if 'has no bar' in message]


def test_regular_hours_are_read_again_before_they_run_out(unpaced, make_gateway):
    """TWS told nothing yet of the Friday after Thanksgiving, which ends early, when the feed began nine days before."""
    market = make_gateway(start='2024-11-20 15:00 US/Eastern', **BY_HAND)
    with stepped.Run(market, one(timeframe=bt.TimeFrame.Ticks, useRTH=True, backfill=False)) as run:
        live(run)
        run.step(5)
        friday = truth.at('2024-11-29 12:58', stepped.NEW_YORK)
        run.cut_off(friday - market.now())
        begin = live(run)
        for _ in range(10):
            run.step(30.0)
        found = [tick for tick in ticks(run) if tick[0] >= begin]
        close = truth.at('2024-11-29 13:00', stepped.NEW_YORK)
        assert traded(market, close, market.now())
        assert found == traded(market, begin, close)


# -- real data ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('params', [dict(), dict(rtbar=True), dict(resampled=True)],
                         ids=['ticks', 'rtbar', 'resampled'])
def test_fesx_minutes_replayed_live(unpaced, params):
    """Real minutes of the EURO STOXX 50 future come out of a live run, through a hole, as the file has them."""
    path = real('fesx-2006-1min.csv')
    world = Market(prices={'FESX': Csv(path, zone=BERLIN, stamps='end')})
    with by_hand(market=world, start='2006-01-04 10:00:23 Europe/Berlin') as gateway:
        begin = gateway.now()
        feed = Feed('FESX-200603-EUREX-EUR-10', **params)
        with stepped.Run(gateway, added(begin, feed)) as run:
            live(run)
            for _ in range(20):
                run.step(41.0)
            run.cut_off(131)
            live(run)
            for _ in range(20):
                run.step(41.0)
            run.pass_edge()
            first, last = run.bars[0][0][0], gateway.now() - 3
        wanted = [(truth.at(date + ' ' + clock, BERLIN),) + tuple(map(float, prices))
                  for date, clock, *prices, _ in rows(path) if date == '2006-01-04']
        assert run.bars[0] == [row for row in wanted if first <= row[0] <= last]
        assert first <= begin and len(run.bars[0]) >= 30
