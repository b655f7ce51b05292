"""The real ib_insync against the gateway, over a socket; its own log is listened to."""
import logging

import ib_insync
import pytest
from rawclient import connected, until

from backtrader_ib_insync import simulator
from backtrader_ib_insync.simulator.records import Order


class Ear(logging.Handler):
    """Keeps every record of WARNING and worse."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.heard = []

    def emit(self, record):
        self.heard.append('{} {}'.format(record.name, record.getMessage()))


@pytest.fixture
def ear():
    """ib_insync's log; the test fails when an error was logged that it did not take away."""
    ear = Ear()
    logger = logging.getLogger('ib_insync')
    logger.addHandler(ear)
    yield ear
    logger.removeHandler(ear)
    assert ear.heard == []


@pytest.fixture
def gateway():
    with simulator.running(speed=10) as served:
        yield served


@pytest.fixture
def ib(gateway, ear):
    client = connected(gateway)
    yield client
    client.disconnect()


@pytest.fixture
def apple(ib):
    contract = ib_insync.Stock('AAPL', 'SMART', 'USD')
    assert ib.qualifyContracts(contract) == [contract]
    return contract


def test_it_connects_and_knows_its_account(ib, gateway):
    assert ib.managedAccounts() == ['U1234567']
    assert ib.client.serverVersion() == 176
    assert {value.tag for value in ib.accountValues()} >= {'NetLiquidation', 'TotalCashValue', 'AvailableFunds'}
    assert ib.reqCurrentTime().timestamp() == pytest.approx(gateway.now(), abs=20)


def test_contract_details(ib):
    details, = ib.reqContractDetails(ib_insync.Stock('AAPL', 'SMART', 'USD'))
    assert details.contract.conId == 265598 and details.minTick == 0.01
    assert details.timeZoneId == 'US/Eastern' and '20241120:0930-20241120:1600' in details.liquidHours


def test_history(ib, apple, gateway):
    bars = ib.reqHistoricalData(apple, '20241119 21:00:00 UTC', '1 D', '1 min', 'TRADES', True, formatDate=2)
    assert len(bars) == 390
    instrument = gateway.call(lambda world: world.market.by_conId(apple.conId))
    truth = gateway.call(lambda world: world.market.bars(
        instrument, '1 min', bars[0].date.timestamp(), bars[-1].date.timestamp() + 60, 'TRADES', True))
    assert [(bar.date.timestamp(), bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in truth]


def test_daily_history(ib, apple):
    bars = ib.reqHistoricalData(apple, '', '5 D', '1 day', 'TRADES', True)
    assert [str(bar.date) for bar in bars] == ['2024-11-14', '2024-11-15', '2024-11-18', '2024-11-19', '2024-11-20']


def test_live_ticks(ib, apple):
    ticker = ib.reqMktData(apple, '233')
    until(ib, lambda: ticker.rtTime and ticker.bid > 0)
    assert ticker.bid < ticker.ask and ticker.rtVolume > 0
    ib.cancelMktData(apple)


def test_five_second_bars(ib, apple):
    bars = ib.reqRealTimeBars(apple, 5, 'TRADES', False)
    until(ib, lambda: bars)
    assert bars[0].time.timestamp() % 5 == 0 and bars[0].high >= bars[0].low
    ib.cancelRealTimeBars(bars)


def test_a_market_order_is_filled(ib, apple):
    trade = ib.placeOrder(apple, ib_insync.MarketOrder('BUY', 100))
    until(ib, lambda: trade.isDone() and trade.fills and trade.fills[0].commissionReport.execId)
    assert trade.orderStatus.status == 'Filled' and trade.filled() == 100
    assert trade.fills[0].commissionReport.commission == 1.0
    until(ib, ib.positions)
    position, = ib.positions()
    assert position.contract.conId == apple.conId and position.position == 100
    until(ib, ib.portfolio)


def test_a_resting_limit_order_is_cancelled(ib, apple):
    trade = ib.placeOrder(apple, ib_insync.LimitOrder('BUY', 100, 150))
    until(ib, lambda: trade.orderStatus.status == 'Submitted')
    assert [open_.order.orderId for open_ in ib.reqAllOpenOrders()] == [trade.order.orderId]
    ib.cancelOrder(trade.order)
    until(ib, trade.isDone)
    assert trade.orderStatus.status == 'Cancelled'


@pytest.mark.parametrize('version', [157, 159, 163, 166, 170, 174])
def test_older_gateways_too(version, ear):
    with simulator.running(server_version=version, speed=5) as gateway:
        ib = ib_insync.IB()
        ib.connect('127.0.0.1', gateway.port, clientId=0)
        contract, = ib.qualifyContracts(ib_insync.Stock('IBM', 'SMART', 'USD'))
        assert ib.client.serverVersion() == version
        assert len(ib.reqHistoricalData(contract, '', '2 D', '30 mins', 'TRADES', True)) == 14
        ticker = ib.reqMktData(contract, '233,375')
        trade = ib.placeOrder(contract, ib_insync.MarketOrder('SELL', 100))
        until(ib, lambda: trade.isDone() and trade.fills[0].commissionReport.execId and ticker.bid > 0)
        resting = ib.placeOrder(contract, ib_insync.LimitOrder('BUY', 100, 1.0))
        until(ib, lambda: resting.orderStatus.status == 'Submitted')
        assert len(ib.reqExecutions()) == 1 and len(ib.reqCompletedOrders(False)) == 1
        ib.reqGlobalCancel()
        until(ib, resting.isDone)
        ib.disconnect()


CONTRACTS = [
    ib_insync.Forex('EURUSD'), ib_insync.Future('ES', '202412', 'CME'), ib_insync.Index('SPX', 'CBOE'),
    ib_insync.Option('AAPL', '20241220', 200, 'C', 'SMART'), ib_insync.ContFuture('ES', 'CME'),
    ib_insync.Crypto('BTC', 'PAXOS', 'USD'), ib_insync.CFD('AAPL', 'SMART', 'USD'),
    ib_insync.Commodity('XAUUSD', 'SMART', 'USD'),
    ib_insync.Bond(symbol='912828C57'), ib_insync.Future('FESX', '202412', 'EUREX')]


@pytest.mark.parametrize('asked', CONTRACTS, ids=lambda contract: contract.secType + contract.symbol)
def test_every_kind_of_contract(ib, asked, ear):
    details, = ib.reqContractDetails(asked)
    contract = details.contract
    assert contract.conId and details.timeZoneId
    whats = {'CASH': 'MIDPOINT', 'CFD': 'MIDPOINT', 'CMDTY': 'MIDPOINT', 'CRYPTO': 'AGGTRADES'}
    what = whats.get(contract.secType, 'TRADES')
    assert ib.reqHistoricalData(contract, '', '2 D', '1 hour', what, False)
    assert ib.reqHeadTimeStamp(contract, what, False, 2)
    ticker = ib.reqMktData(contract)
    if contract.secType != 'BOND':
        until(ib, lambda: ticker.bid > 0 or contract.secType == 'IND' and ticker.last > 0)
    ib.cancelMktData(contract)


def test_options_of_an_underlying(ib, apple):
    chains = ib.reqSecDefOptParams('AAPL', '', 'STK', apple.conId)
    assert 200.0 in chains[0].strikes and '20241220' in chains[0].expirations
    assert [sample.contract.symbol for sample in ib.reqMatchingSymbols('AAP')][0] == 'AAPL'
    assert ib.reqMarketRule(26)[0].increment == 0.01


def test_the_account_in_every_form(ib, apple):
    ib.placeOrder(apple, ib_insync.MarketOrder('BUY', 100))
    until(ib, ib.positions)
    tags = {row.tag: row.value for row in ib.accountSummary()}
    assert float(tags['NetLiquidation']) == pytest.approx(1e6, rel=0.01)
    pnl = ib.reqPnL('U1234567')
    single = ib.reqPnLSingle('U1234567', '', apple.conId)
    until(ib, lambda: single.position == 100 and pnl.unrealizedPnL == pnl.unrealizedPnL)
    ib.cancelPnL('U1234567')
    ib.cancelPnLSingle('U1234567', '', apple.conId)
    until(ib, lambda: ib.portfolio() and ib.portfolio()[0].position == 100)


def test_margin_and_commission_are_answered_without_placing(ib, apple):
    state = ib.whatIfOrder(apple, ib_insync.MarketOrder('BUY', 100))
    assert float(state.initMarginChange) > 0 and state.commission > 0
    assert ib.reqAllOpenOrders() == []


def test_history_kept_up_to_date(ib, apple):
    bars = ib.reqHistoricalData(apple, '', '1800 S', '1 min', 'TRADES', True, keepUpToDate=True)
    before = len(bars), bars[-1].volume
    until(ib, lambda: (len(bars), bars[-1].volume) != before)
    ib.cancelHistoricalData(bars)


def test_schedule_and_ticks(ib, apple):
    schedule = ib.reqHistoricalSchedule(apple, 3)
    assert [session.refDate for session in schedule.sessions] == ['20241118', '20241119', '20241120']
    assert 100 <= len(ib.reqHistoricalTicks(apple, '', '20241119 21:00:00 UTC', 100, 'TRADES', True)) < 110
    by_tick = ib.reqTickByTickData(apple, 'AllLast')
    until(ib, lambda: by_tick.tickByTicks)
    ib.cancelTickByTickData(apple, 'AllLast')


def test_several_accounts():
    with simulator.running(accounts=('DU1', 'DU2'), cash=5e4) as gateway:
        ib = ib_insync.IB()
        ib.connect('127.0.0.1', gateway.port, clientId=9)
        assert ib.managedAccounts() == ['DU1', 'DU2']
        assert {value.account for value in ib.accountValues()} == {'DU1', 'DU2'}
        contract, = ib.qualifyContracts(ib_insync.Stock('AAPL', 'SMART', 'USD'))
        ib.placeOrder(contract, ib_insync.MarketOrder('BUY', 10, account='DU2'))
        until(ib, lambda: [(held.account, held.position) for held in ib.positions()] == [('DU2', 10.0)])
        ib.disconnect()


def test_orders_by_hand_are_seen_and_bound_by_client_0():
    with simulator.running() as gateway:
        ib = ib_insync.IB()
        ib.connect('127.0.0.1', gateway.port, clientId=0)

        def by_hand(world):
            instrument = world.market.by_conId(265598)
            order = Order(action='BUY', totalQuantity=10, orderType='LMT', lmtPrice=1.0, tif='GTC', account='U1234567')
            return world.exchange.enter_by_hand(world.now, order, instrument.contract, instrument)

        permId = gateway.call(by_hand)
        until(ib, ib.openTrades)
        trade, = ib.openTrades()
        assert trade.order.permId == permId and trade.order.orderId < 0
        ib.cancelOrder(trade.order)
        until(ib, trade.isDone)
        ib.disconnect()
