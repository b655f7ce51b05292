"""The real ib_insync against the gateway, over a socket; its own log is listened to."""
import logging
import time

import ib_insync
import pytest

from backtrader_ib_insync import simulator


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
    with simulator.running() as served:
        yield served


@pytest.fixture
def ib(gateway, ear):
    client = ib_insync.IB()
    client.connect('127.0.0.1', gateway.port, clientId=1)
    yield client
    client.disconnect()


@pytest.fixture
def apple(ib):
    contract = ib_insync.Stock('AAPL', 'SMART', 'USD')
    assert ib.qualifyContracts(contract) == [contract]
    return contract


def until(ib, condition, timeout=10.0):
    """Let ib_insync run until `condition()` holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, 'timed out'
        ib.sleep(0.01)


def test_it_connects_and_knows_its_account(ib, gateway):
    assert ib.managedAccounts() == ['U1234567']
    assert ib.client.serverVersion() == 176
    assert {value.tag for value in ib.accountValues()} >= {'NetLiquidation', 'TotalCashValue', 'AvailableFunds'}
    assert ib.reqCurrentTime().timestamp() == pytest.approx(gateway.now(), abs=2)


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
    until(ib, lambda: bars, 15)
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
