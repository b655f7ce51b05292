"""The codec against IB's own Python client, ibapi 9.81: server version 157, and it counts the fields."""
import logging
from types import SimpleNamespace

import pytest

from backtrader_ib_insync.simulator import replies, requests, wire
from backtrader_ib_insync.simulator.records import (
    Bar, ComboLeg, CommissionReport, Condition, Contract, Execution, Order, OrderState, Quote, Trade)

ibapi = pytest.importorskip('ibapi')
from ibapi import comm, contract, decoder, execution, order, order_condition, tag_value  # noqa: E402
from ibapi.client import EClient  # noqa: E402
from ibapi.wrapper import EWrapper  # noqa: E402

VERSION = 157
NOW = 1732114800.25
BAR = Bar(NOW, 1.5, 2.5, 0.5, 2.0, 1200.0, 1.75, 12)
AAPL = Contract(
    conId=265598, symbol='AAPL', secType='STK', exchange='SMART', primaryExchange='NASDAQ', currency='USD',
    localSymbol='AAPL', tradingClass='NMS')
FILL = Execution('0000e0d5.1.01.01', 7, 12, 99, AAPL, NOW, 'U1', 'CBOE', 'SLD', 1.5, 10.25, 2.5, 10.5, 'ref')
DETAILS = SimpleNamespace(
    contract=AAPL, marketName='NMS', minTick=0.01, orderTypes='LMT,MKT', validExchanges='SMART,CBOE', priceMagnifier=1,
    underConId=0, longName='CAF\u00c9 INC', contractMonth='', industry='Technology', category='Computers',
    subcategory='Phones', timeZoneId='US/Eastern', tradingHours='20241120:0930-20241120:1600', liquidHours='',
    evRule='', evMultiplier=0, secIdList=[('ISIN', 'US0378331005')], aggGroup=1, underSymbol='', underSecType='',
    marketRuleIds='26', realExpirationDate='', lastTradeTime='', stockType='COMMON', minSize=1.0, sizeIncrement=1.0,
    suggestedSizeIncrement=100.0)


class Socket:
    def __init__(self):
        self.data = b''

    def isConnected(self):
        return True

    def sendMsg(self, data):
        self.data += data


@pytest.fixture
def client():
    client = EClient(None)
    client.conn, client.connState, client.serverVersion_ = Socket(), EClient.CONNECTED, VERSION
    client.clientId = 12
    return client


def sent(client):
    """What the gateway makes of the one request that the client sent."""
    reader = wire.Reader()
    reader.feed(client.conn.data)
    client.conn.data = b''
    payload, = reader
    return requests.decode(wire.fields(payload), VERSION)


def their_contract():
    theirs = contract.Contract()
    for name, value in AAPL._asdict().items():
        setattr(theirs, name, value)
    theirs.comboLegs = None
    return theirs


def test_the_hello(client):
    reader = wire.Reader(expects_hello=True)
    reader.feed(b'API\0' + comm.make_msg('v100..157'))
    assert [wire.parse_hello(payload) for payload in reader] == [(100, 157, '')]


@pytest.mark.parametrize('method, args, request_', [
    ('startApi', (), requests.StartApi(12)),
    ('reqCurrentTime', (), requests.ReqCurrentTime()),
    ('reqOpenOrders', (), requests.ReqOpenOrders()),
    ('reqAllOpenOrders', (), requests.ReqAllOpenOrders()),
    ('reqAutoOpenOrders', (True,), requests.ReqAutoOpenOrders(True)),
    ('reqManagedAccts', (), requests.ReqManagedAccts()),
    ('reqPositions', (), requests.ReqPositions()),
    ('cancelPositions', (), requests.CancelPositions()),
    ('reqGlobalCancel', (), requests.ReqGlobalCancel()),
    ('reqIds', (1,), requests.ReqIds(1)),
    ('reqMarketDataType', (3,), requests.ReqMarketDataType(3)),
    ('setServerLogLevel', (5,), requests.SetServerLogLevel(5)),
    ('cancelOrder', (7,), requests.CancelOrder(7)),
    ('cancelMktData', (5,), requests.CancelMktData(5)),
    ('cancelHistoricalData', (5,), requests.CancelHistoricalData(5)),
    ('cancelRealTimeBars', (5,), requests.CancelRealTimeBars(5)),
    ('cancelHeadTimeStamp', (5,), requests.CancelHeadTimestamp(5)),
    ('cancelTickByTickData', (5,), requests.CancelTickByTickData(5)),
    ('reqAccountUpdates', (True, 'U1'), requests.ReqAccountUpdates(True, 'U1')),
    ('reqAccountSummary', (5, 'All', 'NetLiquidation'), requests.ReqAccountSummary(5, 'All', 'NetLiquidation')),
    ('cancelAccountSummary', (5,), requests.CancelAccountSummary(5)),
    ('reqPositionsMulti', (5, 'U1', 'm'), requests.ReqPositionsMulti(5, 'U1', 'm')),
    ('cancelPositionsMulti', (5,), requests.CancelPositionsMulti(5)),
    ('reqAccountUpdatesMulti', (5, 'U1', 'm', True), requests.ReqAccountUpdatesMulti(5, 'U1', 'm', True)),
    ('cancelAccountUpdatesMulti', (5,), requests.CancelAccountUpdatesMulti(5)),
    ('reqPnL', (5, 'U1', 'm'), requests.ReqPnL(5, 'U1', 'm')),
    ('cancelPnL', (5,), requests.CancelPnL(5)),
    ('reqPnLSingle', (5, 'U1', 'm', 265598), requests.ReqPnLSingle(5, 'U1', 'm', 265598)),
    ('cancelPnLSingle', (5,), requests.CancelPnLSingle(5)),
    ('reqSecDefOptParams', (5, 'ES', 'CME', 'FUT', 9), requests.ReqSecDefOptParams(5, 'ES', 'CME', 'FUT', 9)),
    ('reqMatchingSymbols', (5, 'app'), requests.ReqMatchingSymbols(5, 'app')),
    ('reqMarketRule', (26,), requests.ReqMarketRule(26)),
    ('reqCompletedOrders', (True,), requests.ReqCompletedOrders(True))])
def test_requests(client, method, args, request_):
    getattr(client, method)(*args)
    assert sent(client) == request_


@pytest.mark.parametrize('method, args, request_', [
    ('reqContractDetails', (), requests.ReqContractDetails(5, AAPL)),
    ('reqMktData', ('233', False, False, []), requests.ReqMktData(5, AAPL, '233')),
    ('reqHistoricalData', ('', '1 D', '1 min', 'TRADES', 1, 1, False, []),
     requests.ReqHistoricalData(5, AAPL, '', '1 D', '1 min', True, 'TRADES', 1, False)),
    ('reqRealTimeBars', (5, 'TRADES', True, []), requests.ReqRealTimeBars(5, AAPL, 5, 'TRADES', True)),
    ('reqHeadTimeStamp', ('TRADES', 1, 2), requests.ReqHeadTimestamp(5, AAPL, True, 'TRADES', 2)),
    ('reqHistoricalTicks', ('a', '', 10, 'TRADES', 1, True, []),
     requests.ReqHistoricalTicks(5, AAPL, 'a', '', 10, 'TRADES', True, True)),
    ('reqTickByTickData', ('Last', 0, True), requests.ReqTickByTickData(5, AAPL, 'Last', 0, True))])
def test_requests_about_a_contract(client, method, args, request_):
    getattr(client, method)(5, their_contract(), *args)
    assert sent(client) == request_


def test_executions(client):
    asked = execution.ExecutionFilter()
    asked.clientId, asked.acctCode, asked.side = 3, 'U1', 'BUY'
    client.reqExecutions(5, asked)
    assert sent(client) == requests.ReqExecutions(5, 3, 'U1', side='BUY')


def test_a_plain_order_comes_with_their_defaults(client):
    theirs = order.Order()
    theirs.action, theirs.totalQuantity, theirs.orderType, theirs.lmtPrice = 'BUY', 100, 'LMT', 150.5
    client.placeOrder(7, their_contract(), theirs)
    request = sent(client)
    assert request.contract == AAPL
    assert request.order == Order(
        orderId=7, action='BUY', totalQuantity=100.0, orderType='LMT', lmtPrice=150.5, openClose=theirs.openClose,
        eTradeOnly=True, firmQuoteOnly=True)


def test_an_order_with_blocks(client):
    theirs = order.Order()
    theirs.orderType, theirs.algoStrategy, theirs.hedgeType, theirs.hedgeParam = 'PEG BENCH', 'Adaptive', 'B', '1.5'
    theirs.algoParams = [tag_value.TagValue('adaptivePriority', 'Normal')]
    theirs.scalePriceIncrement, theirs.usePriceMgmtAlgo = 0.25, True
    theirs.referenceExchange, theirs.deltaNeutralOrderType = 'ISLAND', 'MKT'
    theirs.conditions = [
        order_condition.PriceCondition(2, 265598, 'SMART', True, 150.5),
        order_condition.TimeCondition(True, '20241120'), order_condition.MarginCondition(False, 30),
        order_condition.ExecutionCondition('STK', 'SMART', 'IBM'),
        order_condition.VolumeCondition(265598, 'SMART', True, 100)]
    combo = their_contract()
    combo.secType, combo.comboLegs = 'BAG', [contract.ComboLeg()]
    client.placeOrder(7, combo, theirs)
    request = sent(client)
    assert request.contract.comboLegs == (ComboLeg(0, 0, '', ''),)
    assert (request.order.algoParams, request.order.hedgeParam) == ((('adaptivePriority', 'Normal'),), '1.5')
    assert (request.order.usePriceMgmtAlgo, len(request.order.scaleMore)) == (True, 7)
    assert [condition.kind for condition in request.order.conditions] == [1, 3, 4, 5, 6]
    assert request.order.conditions[0] == Condition(
        1, 'a', dict(isMore=True, price=150.5, conId=265598, exch='SMART', triggerMethod=2))


class Ear:
    """IB's decoder, with every call of the wrapper kept."""

    def __init__(self):
        self.calls = []
        wrapper = EWrapper()
        for name in dir(EWrapper):
            if not name.startswith('_'):
                setattr(wrapper, name, self._keeper(name))
        self.decoder = decoder.Decoder(wrapper, VERSION)

    def _keeper(self, name):
        return lambda *args: self.calls.append((name,) + args)

    def hears(self, reply):
        self.calls.clear()
        payload = wire.frame(replies.encode(reply, VERSION))[4:]
        self.decoder.interpret(comm.read_fields(payload))
        return self.calls


@pytest.fixture
def ear(caplog):
    with caplog.at_level(logging.WARNING):
        yield Ear()
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize('reply, call', [
    (replies.TickSize(5, 8, 100), ('tickSize', 5, 8, 100)),
    (replies.TickGeneric(5, 49, 0.0), ('tickGeneric', 5, 49, 0.0)),
    (replies.TickString(5, 45, '1'), ('tickString', 5, 45, '1')),
    (replies.TickReqParams(5, 0.01, 'x', 3), ('tickReqParams', 5, 0.01, 'x', 3)),
    (replies.TickSnapshotEnd(5), ('tickSnapshotEnd', 5)),
    (replies.MarketDataType(5, 3), ('marketDataType', 5, 3)),
    (replies.OrderStatus(7, 'Filled', 1.5, 0, 2.0, 9, 0, 2.0, 1), (
        'orderStatus', 7, 'Filled', 1.5, 0.0, 2.0, 9, 0, 2.0, 1, '', 0.0)),
    (replies.Error(7, 201, 'caf\u00e9', '{}'), ('error', 7, 201, 'caf\u00e9')),
    (replies.NextValidId(9), ('nextValidId', 9)),
    (replies.ManagedAccounts(['U1', 'U2']), ('managedAccounts', 'U1,U2')),
    (replies.CurrentTime(NOW), ('currentTime', 1732114800)),
    (replies.AccountValue('k', 'v', 'USD', 'U1'), ('updateAccountValue', 'k', 'v', 'USD', 'U1')),
    (replies.AccountUpdateTime('15:00'), ('updateAccountTime', '15:00')),
    (replies.AccountDownloadEnd('U1'), ('accountDownloadEnd', 'U1')),
    (replies.AccountSummary(5, 'U1', 't', 'v', 'USD'), ('accountSummary', 5, 'U1', 't', 'v', 'USD')),
    (replies.AccountSummaryEnd(5), ('accountSummaryEnd', 5)),
    (replies.AccountUpdateMulti(5, 'U1', '', 'k', 'v', 'USD'), ('accountUpdateMulti', 5, 'U1', '', 'k', 'v', 'USD')),
    (replies.AccountUpdateMultiEnd(5), ('accountUpdateMultiEnd', 5)),
    (replies.PositionEnd(), ('positionEnd',)),
    (replies.PositionMultiEnd(5), ('positionMultiEnd', 5)),
    (replies.PnL(5, 1.0, 2.0, 3.0), ('pnl', 5, 1.0, 2.0, 3.0)),
    (replies.PnLSingle(5, 100, 1.0, 2.0, 3.0, 4.0), ('pnlSingle', 5, 100, 1.0, 2.0, 3.0, 4.0)),
    (replies.OpenOrderEnd(), ('openOrderEnd',)),
    (replies.CompletedOrdersEnd(), ('completedOrdersEnd',)),
    (replies.ExecDetailsEnd(5), ('execDetailsEnd', 5)),
    (replies.ContractDetailsEnd(5), ('contractDetailsEnd', 5)),
    (replies.HeadTimestamp(5, 'x'), ('headTimestamp', 5, 'x')),
    (replies.OrderBound(99, 0, -5), ('orderBound', 99, 0, -5)),
    (replies.RealtimeBar(5, BAR), ('realtimeBar', 5, 1732114800, 1.5, 2.5, 0.5, 2.0, 1200, 1.75, 12)),
    (replies.SecDefOptParams(5, 'SMART', 9, 'AAPL', '100', ['20241220'], [200.0]), (
        'securityDefinitionOptionParameter', 5, 'SMART', 9, 'AAPL', '100', {'20241220'}, {200.0})),
    (replies.SecDefOptParamsEnd(5), ('securityDefinitionOptionParameterEnd', 5)),
    (replies.TickOptionComputation(5, 13, 0, 0.25), (
        'tickOptionComputation', 5, 13, 0, 0.25, None, None, None, None, None, None, None)),
    (replies.TickByTickMidPoint(5, NOW, 1.5), ('tickByTickMidPoint', 5, 1732114800, 1.5))])
def test_replies(ear, reply, call):
    assert ear.hears(reply) == [call]


def test_price_and_size_come_apart(ear):
    (_, reqId, kind, price, _), size = ear.hears(replies.TickPrice(5, 1, 229.05, 100.0))
    assert (reqId, kind, price, size) == (5, 1, 229.05, ('tickSize', 5, 0, 100))


def test_open_order(ear):
    ours = Order(orderId=7, permId=99, action='BUY', totalQuantity=100.0, orderType='LMT', lmtPrice=150.5)
    (name, orderId, theirs, told, state), = ear.hears(replies.OpenOrder(ours, AAPL, OrderState('Submitted')))
    assert (name, orderId, theirs.localSymbol, state.status) == ('openOrder', 7, 'AAPL', 'Submitted')
    assert (told.permId, told.lmtPrice, told.adjustedOrderType) == (99, 150.5, 'None')
    assert (told.dontUseAutoPriceForHedge, told.usePriceMgmtAlgo) == (True, False)


def test_completed_order(ear):
    state = OrderState('Filled', completedTime='now', completedStatus='Filled Size: 100')
    ours = Order(orderId=7, permId=99, action='BUY', totalQuantity=100.0, orderType='LMT', lmtPrice=150.5)
    (_, theirs, told, heard), = ear.hears(replies.CompletedOrder(ours, AAPL, state, 100.0))
    assert (theirs.symbol, told.permId, told.filledQuantity) == ('AAPL', 99, 100.0)
    assert (heard.status, heard.completedTime, heard.completedStatus) == ('Filled', 'now', 'Filled Size: 100')


def test_fills_and_commissions(ear):
    (_, reqId, theirs, told), = ear.hears(replies.ExecDetails(-1, FILL, '20241120  15:00:00'))
    assert (reqId, theirs.symbol, told.execId, told.time) == (-1, 'AAPL', FILL.execId, '20241120  15:00:00')
    assert (told.shares, told.cumQty, told.orderRef, told.lastLiquidity) == (1.5, 2.5, 'ref', 2)
    (_, report), = ear.hears(replies.CommissionReport(CommissionReport('e.1', 1.25, 'USD')))
    assert (report.execId, report.commission, report.realizedPNL) == ('e.1', 1.25, 1.7976931348623157e308)


def test_portfolio_and_positions(ear):
    (_, theirs, *values), = ear.hears(replies.PortfolioValue(AAPL, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 'U1'))
    assert (theirs.primaryExchange, values) == ('NASDAQ', [1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 'U1'])
    (_, account, theirs, *values), = ear.hears(replies.Position('U1', AAPL, -3, 12.5))
    assert (account, theirs.tradingClass, values) == ('U1', 'NMS', [-3.0, 12.5])
    (_, reqId, account, model, theirs, *values), = ear.hears(replies.PositionMulti(5, 'U1', 'm', AAPL, -3, 12.5))
    assert (reqId, account, model, values) == (5, 'U1', 'm', [-3.0, 12.5])


def test_history(ear):
    (_, reqId, bar), end = ear.hears(replies.HistoricalData(5, 'from', 'to', [('20241120', BAR)]))
    assert (reqId, bar.date, bar.close, bar.volume, bar.barCount) == (5, '20241120', 2.0, 1200, 12)
    assert end == ('historicalDataEnd', 5, 'from', 'to')
    (_, reqId, bar), = ear.hears(replies.HistoricalDataUpdate(5, '20241120', BAR._replace(volume=0.5)))
    assert (bar.high, bar.low, bar.close, bar.volume, bar.average) == (2.5, 0.5, 2.0, 0, 1.75)


def test_ticks(ear):
    (_, _, (tick,), done), = ear.hears(replies.HistoricalTicks(5, [Trade(NOW, 1.5, 0.0)]))
    assert (tick.time, tick.price, done) == (1732114800, 1.5, True)
    (_, _, (tick,), done), = ear.hears(replies.HistoricalTicksBidAsk(5, [Quote(NOW, 1.5, 1.75, 100, 200)], False))
    assert (tick.priceBid, tick.priceAsk, tick.sizeBid, tick.sizeAsk, done) == (1.5, 1.75, 100, 200, False)
    (_, _, (tick,), done), = ear.hears(replies.HistoricalTicksLast(5, [Trade(NOW, 1.5, 100)], True, 'NASDAQ', 'T'))
    assert (tick.price, tick.size, tick.exchange, tick.specialConditions) == (1.5, 100, 'NASDAQ', 'T')
    (_, *told), = ear.hears(replies.TickByTickAllLast(5, 1, Trade(NOW, 1.5, 100), 'NASDAQ', 'T'))
    assert told[:5] + told[6:] == [5, 1, 1732114800, 1.5, 100, 'NASDAQ', 'T']
    (_, *told), = ear.hears(replies.TickByTickBidAsk(5, Quote(NOW, 1.5, 1.75, 100, 200)))
    assert told[:6] == [5, 1732114800, 1.5, 1.75, 100, 200]


def test_contract_details(ear):
    (_, reqId, told), = ear.hears(replies.ContractDetails(5, DETAILS))
    assert (reqId, told.contract.conId, told.contract.primaryExchange) == (5, 265598, 'NASDAQ')
    assert (told.longName, told.minTick, told.marketRuleIds, told.stockType) == ('CAF\u00c9 INC', 0.01, '26', 'COMMON')
    bond = SimpleNamespace(**dict(vars(DETAILS), contract=AAPL._replace(secType='BOND'), coupon=2.5))
    (name, reqId, told), = ear.hears(replies.ContractDetails(5, bond))
    assert (name, told.contract.exchange, told.marketRuleIds) == ('bondContractDetails', 'SMART', '26')


def test_symbols_and_rules(ear):
    (_, _, (told,)), = ear.hears(replies.SymbolSamples(5, [replies.Sample(AAPL, ('OPT',), 'APPLE')]))
    assert (told.contract.symbol, told.derivativeSecTypes) == ('AAPL', ['OPT'])
    (_, rule, (step,)), = ear.hears(replies.MarketRule(26, [(0.0, 0.01)]))
    assert (rule, step.lowEdge, step.increment) == (26, 0.0, 0.01)
