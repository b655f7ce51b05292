"""The params of a feed that are not about seams: what is asked for, by which name, and what the feed answers to."""
import datetime

import backtrader as bt
import pytest
import stepped
import truth
from gateways import asked
from helpers import APPLE, run
from known import Known
from stepped import one
from truth import at, utc

from backtrader_ib_insync import pacing, request_desk
from backtrader_ib_insync.errors import BadParameter, HistoryFailed, NotSupportedTimeframe
from backtrader_ib_insync.insync import Contract

Minutes, Ticks, Days = bt.TimeFrame.Minutes, bt.TimeFrame.Ticks, bt.TimeFrame.Days
NEW_YORK = 'America/New_York'
OCTOBER = dict(timeframe=Days, historical=True, fromdate=datetime.datetime(2024, 10, 1),
               todate=datetime.datetime(2024, 11, 1))


def trades(gateway, start, end, name=APPLE):
    return gateway.call(lambda world: world.market.trades(truth.instrument(world.market, name), start, end))


def quotes(gateway, start, end, name=APPLE):
    return gateway.call(lambda world: world.market.quotes(truth.instrument(world.market, name), start, end))


# -- names -------------------------------------------------------------------------------------------------------------

def test_a_contract_or_a_conid_will_do_as_dataname(still, store):
    made = store(still)
    by_name = made.getdata(dataname=APPLE, **OCTOBER)
    wanted = run(by_name).bars
    conId = by_name.contract.conId
    named = Contract(symbol='AAPL', secType='STK', exchange='SMART', currency='USD')
    for dataname in (conId, 'conId:{}'.format(conId), named, Contract(conId=conId, exchange='SMART')):
        data = made.getdata(dataname=dataname, **OCTOBER)
        assert run(data).bars == wanted
        assert data._name and data.contract.symbol == 'AAPL'


def test_what_the_dataname_leaves_out_comes_from_the_params(still, store):
    data = store(still).getdata(dataname='EUR.USD', sectype='CASH', exchange='IDEALPRO', **OCTOBER)
    assert run(data).bars[0]
    assert (data.contract.secType, data.contract.exchange, data.contract.currency) == ('CASH', 'IDEALPRO', 'USD')


def test_names_of_ibpy_are_answered(still, store):
    data = store(still).getdata(dataname=APPLE, **OCTOBER)
    run(data)
    assert data.contract.m_symbol == 'AAPL' and data.contract.m_secType == 'STK'
    assert data.contractdetails.m_timeZoneId == data.contractdetails.timeZoneId
    assert data.contractdetails.m_summary is data.contract
    assert data.tradecontract is data.contract and data.tradecontractdetails is data.contractdetails
    with pytest.raises(AttributeError, match='no_such'):
        getattr(data.contract, 'no_such')  # noqa: B009  the line is about the attribute
    with pytest.raises(AttributeError, match='nothing'):
        getattr(data.contract, 'm_nothing')  # noqa: B009


def test_tradename_is_what_orders_are_for(still):
    def trade(strategy):
        if strategy.data._laststatus == strategy.data.LIVE and not strategy.p.run.messages.count('bought'):
            strategy.p.run.messages.append('bought')
            strategy.buy(size=1)

    def add(cerebro, store):
        cerebro.setbroker(store.getbroker())
        one(tradename='SPY-STK-SMART-USD', fromdate=utc(still.now() - 300))(cerebro, store)

    with stepped.Run(still, add) as test:
        test.on_next = trade
        test.until_live()
        assert test.datas[0].contract.symbol == 'AAPL' and test.datas[0].tradecontract.symbol == 'SPY'
        test.step(130)
        test.until(lambda: asked(still, 'PlaceOrder'))
    assert {request.contract.symbol for request in asked(still, 'PlaceOrder')} == {'SPY'}


def test_p43_p44_what_is_wrong_with_tradename_is_told(still, store):
    data = store(still).getdata(dataname=APPLE, tradename='NOSUCH-STK-SMART-USD', **OCTOBER)
    with pytest.raises(Exception, match='NOSUCH'):
        run(data)


def test_expired_futures_have_history(still, store):
    data = store(still).getdata(dataname='ES-202406-CME-USD-50', timeframe=Days, historical=True,
                                fromdate=datetime.datetime(2024, 5, 1), todate=datetime.datetime(2024, 6, 1))
    assert len(run(data).bars[0]) > 15


def test_expired_futures_are_found_by_whatever_names_them(still, store):
    """The type, which tells that a contract may have expired, is in none of these names."""
    known = still.call(lambda world: truth.instrument(world.market, 'ES-202406-CME-USD-50').contract)
    made, bars = store(still), []
    for dataname in (known.conId, 'conId:{}'.format(known.conId), Contract(conId=known.conId, exchange='CME'),
                     'localSymbol:{}-exchange:CME'.format(known.localSymbol)):
        data = made.getdata(dataname=dataname, timeframe=Days, historical=True,
                            fromdate=datetime.datetime(2024, 5, 1), todate=datetime.datetime(2024, 6, 1))
        bars.append(run(data).bars[0])
        assert data.contract.conId == known.conId and data.contract.includeExpired
    assert len(bars[0]) > 15 and bars == [bars[0]] * 4
    stock = made.getdata(dataname=265598, **OCTOBER)
    assert run(stock).bars[0] and not stock.contract.includeExpired


def test_a_continuous_future_has_history_and_its_end_is_no_question(still, store):
    data = store(still).getdata(dataname='ES-CONTFUT-CME-USD', **OCTOBER)
    assert len(run(data).bars[0]) > 15
    assert [request.endDateTime for request in asked(still, 'ReqHistoricalData')] == ['']


# -- what TWS shows ----------------------------------------------------------------------------------------------------

def test_adjusted_prices_are_asked_for_without_an_end(still, store):
    """TWS adjusts up to now only and refuses an end date."""
    for more in (dict(), dict(todate=datetime.datetime(2024, 11, 20))):
        data = store(still).getdata(dataname=APPLE, what='ADJUSTED_LAST', timeframe=Minutes, historical=True,
                                    **dict(fromdate=datetime.datetime(2024, 11, 19), **more))
        found = run(data).bars[0]
        wanted = still.call(lambda world: truth.intraday(
            world.market, truth.instrument(world.market, APPLE), '1 min', at('2024-11-19', NEW_YORK), still.now(),
            'ADJUSTED_LAST'))
        end = at('2024-11-20', NEW_YORK) if more else still.now()
        assert found == [bar for bar in wanted if bar[0] <= end]
    assert [request.endDateTime for request in asked(still, 'ReqHistoricalData')] == ['', '']


def test_adjusted_prices_fill_the_gaps_of_a_live_feed(still):
    begin = still.now()
    with stepped.Run(still, one(what='ADJUSTED_LAST', fromdate=utc(begin - 600))) as test:
        test.until_live()
        test.step(61)
        test.break_link(('cut', 'rst'))
        still.advance(200)
        test.until_live()
        for _ in range(4):
            test.step(30)
        test.pass_edge()
        found = test.bars[0]
        wanted = still.call(lambda world: truth.intraday(
            world.market, truth.instrument(world.market, APPLE), '1 min', found[0][0] - 60, found[-1][0]))
        assert found == [bar for bar in wanted if bar[0] <= found[-1][0]] and found[-1][0] >= still.now() - 64
    assert {request.endDateTime for request in asked(still, 'ReqHistoricalData')} == {''}


@pytest.mark.parametrize('what', ['MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST'])
def test_what_is_asked_for(still, store, what):
    data = store(still).getdata(dataname=APPLE, what=what, useRTH=True, **OCTOBER)
    found = run(data).bars[0]
    wanted = still.call(lambda world: truth.days(
        world.market, truth.instrument(world.market, APPLE), '1 day', at('2024-10-01'), at('2024-11-01'), what,
        close=datetime.time(16)))
    assert found == [bar for bar in wanted if bar[0] <= at('2024-11-01')]


def test_what_tws_does_not_know_is_refused_with_its_words(still, store):
    data = store(still).getdata(dataname=APPLE, what='NONSENSE', **OCTOBER)
    with pytest.raises(HistoryFailed, match='whatToShow: NONSENSE'):
        run(data)


@pytest.mark.parametrize('kind', ['Last', 'AllLast'])
def test_tick_by_tick_trades_make_the_same_bars(still, kind):
    begin = still.now() - 300
    with stepped.Run(still, one(tick_by_tick=kind, fromdate=utc(begin))) as test:
        test.until_live()
        test.settle()
        test.step(200)
        test.step(100)
        found = test.bars[0]
        wanted = still.call(lambda world: truth.intraday(
            world.market, truth.instrument(world.market, APPLE), '1 min', begin, found[-1][0]))
        assert found == [bar for bar in wanted if bar[0] <= found[-1][0]]
        assert found[-1][0] >= still.now() - 64
    assert [request.tickType for request in asked(still, 'ReqTickByTickData')] == [kind]
    assert not asked(still, 'ReqMktData')
    still.wait(lambda world: world.streams.count == 0)


@pytest.mark.parametrize('kind, price', [
    ('MidPoint', lambda quote: (quote.bid + quote.ask) / 2), ('BidAsk', lambda quote: quote.bid)])
def test_tick_by_tick_quotes(still, kind, price):
    with stepped.Run(still, one(tick_by_tick=kind, timeframe=Ticks)) as test:
        test.until_live()
        test.settle()
        start = still.now()
        test.step(20)
        found = [bar[4] for bar in test.bars[0]]
        wanted = [round(price(quote), 6) for quote in quotes(still, start, still.now())]
        changes = [one for one, before in zip(wanted, [None] + wanted) if one != before]
        assert [one for one, before in zip(map(lambda number: round(number, 6), found), [None] + found)] != []
        assert [round(one, 6) for one in found] and set(round(one, 6) for one in found) == set(changes)


def test_a_kind_of_tick_by_tick_data_that_is_none_is_an_error(still, store):
    with pytest.raises(BadParameter, match="'Last', 'AllLast', 'BidAsk', 'MidPoint'"):
        store(still).getdata(dataname=APPLE, tick_by_tick='Trades')


def test_p40_five_second_bars_are_asked_for_as_the_feed_says(still):
    def add(cerebro, store):
        one(rtbar=True, useRTH=True, what='MIDPOINT', backfill_start=False)(cerebro, store)
        one(dataname='EUR.USD-CASH-IDEALPRO', rtbar=True, backfill_start=False)(cerebro, store)

    with stepped.Run(still, add) as test:
        test.until_live()
        test.until(lambda: len(asked(still, 'ReqRealTimeBars')) == 2)
    assert [(request.whatToShow, request.useRTH) for request in asked(still, 'ReqRealTimeBars')] == [
        ('MIDPOINT', True), ('BID', False)]


def test_p40_new_five_second_bars_keep_the_pace(still, monkeypatch):
    limits = pacing.LIMITS._replace(streams=1, streams_seconds=0.5, slack=0.0)
    monkeypatch.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))

    def add(cerebro, store):
        one(rtbar=True, fromdate=utc(still.now() - 300))(cerebro, store)
        one(rtbar=True, fromdate=utc(still.now() - 300), dataname='SPY-STK-SMART-USD')(cerebro, store)

    with stepped.Run(still, add) as test:
        test.until_live()
        test.until(lambda: any('5-second bars' in message for message in test.messages))
        test.until(lambda: len(asked(still, 'ReqRealTimeBars')) == 2)
        test.settle()
        test.step(130)
        test.step(5)
        assert [len(test.bars[number]) for number in (0, 1)] == [7, 7]


# -- backtrader --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('exactbars, feeds, warns', [
    (1, 2, True), (2, 2, True), (1, 1, False), (0, 2, False), (-1, 2, False)])
def test_p93_exactbars_with_several_feeds_warns(still, store, exactbars, feeds, warns):
    made = store(still)
    cerebro = bt.Cerebro(exactbars=exactbars)
    for _ in range(feeds):
        cerebro.adddata(made.getdata(dataname=APPLE, **OCTOBER))
    told = []
    cerebro.addstorecb(lambda msg, *args, **kwargs: told.append(str(msg)))
    cerebro.addstrategy(bt.Strategy)
    try:
        cerebro.run()
    except IndexError:
        # this is what the warning is about
        assert warns
    told += [str(msg) for msg, _, _ in made.notifs]
    assert len([text for text in told if 'exactbars={}'.format(exactbars) in text]) == warns


def test_p80_a_broker_without_a_feed_has_its_store_started(still, store):
    made = store(still)
    cerebro = bt.Cerebro()
    cerebro.setbroker(made.getbroker())
    assert any(known is made for known in cerebro.stores)


def shelf(*ends):
    """Minutes of another feed, as if from a file."""
    return Known(rows=[(end, 1.0, 2.0, 0.5, 1.5, 10.0) for end in ends])


@pytest.mark.parametrize('historical', [True, False])
def test_p35_history_goes_on_where_another_feed_ends(still, historical):
    now = still.now()
    source = shelf(now - 600, now - 540, now - 480)
    with stepped.Run(still, one(backfill_from=source, historical=historical)) as test:
        if historical:
            test.until(lambda: test.has_ended)
        else:
            test.until_live()
            test.settle()
            test.step(130)
        bars = test.bars[0]
    assert [bar[5] for bar in bars[:3]] == [10.0] * 3 and source.has_stopped
    wanted = still.call(lambda world: truth.intraday(
        world.market, truth.instrument(world.market, APPLE), '1 min', now - 480, bars[-1][0]))
    assert bars[3:] == [bar for bar in wanted if bar[0] <= bars[-1][0]]
    assert len(bars) == 11 if historical else len(bars) == 13


def test_p35_another_feed_is_delivered_though_nothing_is_connected(still):
    source = shelf(still.now() - 600, still.now() - 540)
    with stepped.Run(Nowhere(), one(backfill_from=source), reconnect=0) as test:
        test.until(lambda: test.has_ended)
        assert [bar[5] for bar in test.bars[0]] == [10.0, 10.0]
        assert test.statuses[0] == ['DELAYED', 'DISCONNECTED']
        assert 'nothing listens' in test.reasons[0][-1]
    assert source.has_stopped


class Nowhere:
    """A port at which nothing listens."""

    port = 9

    def now(self):
        return 0.0


def test_p87_what_cannot_be_built_is_told_and_others_go_on(still):
    def add(cerebro, store):
        one(timeframe=bt.TimeFrame.MicroSeconds)(cerebro, store)
        one(fromdate=utc(still.now() - 300))(cerebro, store)

    with stepped.Run(still, add) as test:
        test.until(lambda: test.is_live(1))
        assert test.statuses[0] == ['NOTSUPPORTED_TIMEFRAME'] and '1 secs, 5 secs' in test.reasons[0][0]
        test.settle()
        test.step(130)
        assert len(test.bars[1]) >= 5


@pytest.mark.parametrize('size', [
    dict(timeframe=bt.TimeFrame.Years), dict(timeframe=Minutes, compression=2880)], ids=str)
def test_p24_longer_bars_than_are_built_are_refused_and_resampled_all_the_same(still, store, size):
    span = dict(historical=True, dataname=APPLE, fromdate=datetime.datetime(2022, 12, 5),
                todate=datetime.datetime(2024, 1, 9))
    if size['timeframe'] == Minutes:
        span['fromdate'] = datetime.datetime(2023, 12, 20)
    data = store(still).getdata(**dict(span, **size))
    with pytest.raises(NotSupportedTimeframe, match='resampledata'):
        run(data)
    made = store(still)
    cerebro = bt.Cerebro()
    joined = cerebro.resampledata(made.getdata(**span), **size)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    assert len(truth.lines(joined)) >= 2


@pytest.mark.parametrize('size', [
    dict(timeframe=bt.TimeFrame.Years), dict(timeframe=Minutes, compression=2880)], ids=str)
def test_p24_a_live_feed_of_longer_bars_is_told_so_and_others_go_on(still, size):
    def add(cerebro, store):
        one(**size)(cerebro, store)
        one(fromdate=utc(still.now() - 300))(cerebro, store)

    with stepped.Run(still, add) as test:
        test.until(lambda: test.is_live(1))
        assert test.statuses[0] == ['NOTSUPPORTED_TIMEFRAME'] and 'resampledata' in test.reasons[0][0]


def test_p45_a_live_feed_tells_the_candidates_and_others_go_on(still):
    def add(cerebro, store):
        one(dataname='CSCO', exchange='')(cerebro, store)
        one(fromdate=utc(still.now() - 300))(cerebro, store)

    with stepped.Run(still, add) as test:
        test.until(lambda: test.is_live(1))
        assert test.statuses[0] == ['DISCONNECTED']
        assert "'CSCO' is ambiguous" in test.reasons[0][0] and 'CSCO-STK-' in test.reasons[0][0]


def test_p93_exactbars_with_chained_feeds_warns(still, store):
    """cerebro does not know the feeds of a chain."""
    made = store(still)
    cerebro, told = bt.Cerebro(exactbars=1), []
    cerebro.addstorecb(lambda msg, *args, **kwargs: told.append(str(msg)))
    for name in (APPLE, 'MSFT-STK-SMART-USD'):
        dates = [datetime.datetime(2024, month, 1) for month in (8, 9, 10)]
        cerebro.chaindata(*[made.getdata(dataname=name, historical=True, timeframe=Days, fromdate=begin, todate=end)
                            for begin, end in zip(dates, dates[1:])], name=name)
    cerebro.addstrategy(bt.Strategy)
    assert len(cerebro.run()[0]) == 42
    assert len([text for text in told if 'exactbars=1' in text]) == 1


@pytest.mark.parametrize('again', ['adddata', 'resampledata'])
def test_the_same_feed_twice_is_an_error(still, store, again):
    """Each would take bars of the other; of a feed that is there, resampledata makes a clone."""
    data, cerebro = store(still).getdata(dataname=APPLE, **OCTOBER), bt.Cerebro()
    cerebro.adddata(data)
    if again == 'adddata':
        with pytest.raises(BadParameter, match="'AAPL-STK-SMART-USD' is in this cerebro already"):
            cerebro.adddata(data)
    else:
        cerebro.resampledata(data, timeframe=bt.TimeFrame.Weeks)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    assert len(data) == 23
