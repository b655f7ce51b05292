"""The replies against real decoders: ib_insync and ib_async hear what was said, and log no error."""
import datetime
import importlib
import logging
import math
from types import SimpleNamespace

import pytest

from backtrader_ib_insync.simulator import replies, wire
from backtrader_ib_insync.simulator.order_echo import NO_DELTA_NEUTRAL, filled_in
from backtrader_ib_insync.simulator.order_layout import CONDITIONS, KINDS
from backtrader_ib_insync.simulator.records import (
    Bar, ComboLeg, CommissionReport, Condition, Contract, Execution, Order, OrderState, Quote, Trade)

LIBRARIES = {'ib_insync': (157,) + tuple(range(159, 177)), 'ib_async': (157,) + tuple(range(159, 179))}
UNSET = 1.7976931348623157e308
UTC = datetime.timezone.utc
NOW = 1732114800.25
MOMENT = datetime.datetime(2024, 11, 20, 15, 0, tzinfo=UTC)
BAR = Bar(NOW, 1.5, 2.5, 0.5, 2.0, 1200.0, 1.75, 12)
AAPL = Contract(
    conId=265598, symbol='AAPL', secType='STK', exchange='SMART', primaryExchange='NASDAQ', currency='USD',
    localSymbol='AAPL', tradingClass='NMS')
CALL = Contract(
    conId=7, symbol='AAPL', secType='OPT', lastTradeDateOrContractMonth='20241220', strike=200.5, right='C',
    multiplier='100', exchange='SMART', currency='USD', localSymbol='AAPL  241220C00200500', tradingClass='AAPL')
NAMED = ('conId', 'symbol', 'secType', 'lastTradeDateOrContractMonth', 'strike', 'right', 'multiplier', 'currency',
         'localSymbol', 'tradingClass')
CASES = [(name, version) for name, versions in sorted(LIBRARIES.items()) for version in versions]


class Wrapper:
    """Keeps every call of the decoder."""
    defaultTimezone = UTC
    ib = SimpleNamespace(TimezoneTWS='')

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name,) + args)


class Ear:
    """A client that only listens."""

    def __init__(self, name, version):
        self.name, self.version = name, version
        self.wrapper = Wrapper()
        self.client = importlib.import_module(name + '.client').Client(self.wrapper)
        self.client._tcpDataArrived = self.client._tcpDataProcessed = None
        self.client._serverVersion = self.client.decoder.serverVersion = version
        self.client._apiReady = True

    def hears(self, reply):
        """The calls that a reply makes when its bytes arrive one by one."""
        self.wrapper.calls = []
        for byte in wire.frame(replies.encode(reply, self.version)):
            self.client._onSocketHasData(bytes([byte]))
        return self.wrapper.calls


@pytest.fixture(params=CASES, ids='{0[0]}-{0[1]}'.format)
def ear(request, caplog):
    pytest.importorskip(request.param[0])
    with caplog.at_level(logging.INFO):
        yield Ear(*request.param)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def sized(version, size):
    return size if version >= 163 else int(size)


def test_simple_messages(ear):
    hears = ear.hears
    assert hears(replies.TickSize(5, 8, 1200)) == [('tickSize', 5, 8, 1200)]
    assert hears(replies.TickGeneric(5, 49, 0.0)) == [('tickGeneric', 5, 49, 0.0)]
    assert hears(replies.TickString(5, 45, '1732114800')) == [('tickString', 5, 45, '1732114800')]
    assert hears(replies.TickReqParams(5, 0.01, '9c0001', 3)) == [('tickReqParams', 5, 0.01, '9c0001', 3)]
    assert hears(replies.TickSnapshotEnd(5)) == [('tickSnapshotEnd', 5)]
    assert hears(replies.MarketDataType(5, 3)) == [('marketDataType', 5, 3)]
    assert hears(replies.NextValidId(9)) == [('nextValidId', 9)]
    assert hears(replies.ManagedAccounts(['U1', 'U2'])) == [('managedAccounts', 'U1,U2')]
    assert hears(replies.CurrentTime(NOW)) == [('currentTime', 1732114800)]
    assert hears(replies.OpenOrderEnd()) == [('openOrderEnd',)]
    assert hears(replies.CompletedOrdersEnd()) == [('completedOrdersEnd',)]
    assert hears(replies.ExecDetailsEnd(5)) == [('execDetailsEnd', 5)]
    assert hears(replies.OrderBound(2 ** 40, 0, -5)) == [('orderBound', 2 ** 40, 0, -5)]
    assert hears(replies.HeadTimestamp(5, '20041118  14:30:00')) == [('headTimestamp', 5, '20041118  14:30:00')]


def test_prices_carry_sizes(ear):
    assert ear.hears(replies.TickPrice(5, 1, 229.05, 1.5)) == [('priceSizeTick', 5, 1, 229.05, sized(ear.version, 1.5))]


def test_errors(ear):
    advanced = '{"reason": 1}' if ear.version >= 166 else ''
    assert ear.hears(replies.Error(7, 201, 'Order rejected - reason:\nno', '{"reason": 1}')) == [
        ('error', 7, 201, 'Order rejected - reason:\nno', advanced)]
    assert ear.hears(replies.Error(-1, 2104, 'farm: caf\u00e9 \U0001f600')) == [
        ('error', -1, 2104, 'farm: caf\\u00e9 \\ud83d\\ude00', '')]


def test_order_status(ear):
    assert ear.hears(replies.OrderStatus(7, 'Submitted', 1.5, 98.5, 10.25, 99, 3, 10.5, 12, 'locate', 2.0)) == [
        ('orderStatus', 7, 'Submitted', 1.5, 98.5, 10.25, 99, 3, 10.5, 12, 'locate', 2.0)]


def test_account(ear):
    hears = ear.hears
    assert hears(replies.AccountValue('NetLiquidation', '1.5', 'USD', 'U1')) == [
        ('updateAccountValue', 'NetLiquidation', '1.5', 'USD', 'U1')]
    assert hears(replies.AccountUpdateTime('15:00')) == [('updateAccountTime', '15:00')]
    assert hears(replies.AccountDownloadEnd('U1')) == [('accountDownloadEnd', 'U1')]
    assert hears(replies.AccountSummary(5, 'U1', 'Tag', '2', 'USD')) == [('accountSummary', 5, 'U1', 'Tag', '2', 'USD')]
    assert hears(replies.AccountSummaryEnd(5)) == [('accountSummaryEnd', 5)]
    assert hears(replies.AccountUpdateMulti(5, 'U1', 'm', 'Key', '2', 'USD')) == [
        ('accountUpdateMulti', 5, 'U1', 'm', 'Key', '2', 'USD')]
    assert hears(replies.AccountUpdateMultiEnd(5)) == [('accountUpdateMultiEnd', 5)]
    assert hears(replies.PnL(5, 1.5, None, -2.0)) == [('pnl', 5, 1.5, UNSET, -2.0)]
    assert hears(replies.PnLSingle(5, 100, 1.5, -2.0, None, 9.0)) == [('pnlSingle', 5, 100, 1.5, -2.0, UNSET, 9.0)]


def test_portfolio_and_positions(ear):
    (name, contract, *rest), = ear.hears(replies.PortfolioValue(AAPL, 1.5, 2.0, 3.0, 4.0, 5.0, -6.0, 'U1'))
    assert (name, rest) == ('updatePortfolio', [1.5, 2.0, 3.0, 4.0, 5.0, -6.0, 'U1'])
    assert (contract.primaryExchange, contract.exchange, contract.right) == ('NASDAQ', '', '0')
    (name, account, contract, *rest), = ear.hears(replies.Position('U1', CALL, -3, 12.5))
    assert (name, account, rest) == ('position', 'U1', [-3.0, 12.5])
    same_contract(contract, CALL)
    (name, reqId, account, model, contract, *rest), = ear.hears(replies.PositionMulti(5, 'U1', 'm', CALL, -3, 12.5))
    assert (name, reqId, account, model, rest) == ('positionMulti', 5, 'U1', 'm', [-3.0, 12.5])
    same_contract(contract, CALL)
    assert ear.hears(replies.PositionEnd()) == [('positionEnd',)]
    assert ear.hears(replies.PositionMultiEnd(5)) == [('positionMultiEnd', 5)]


def same_contract(theirs, ours):
    assert [getattr(theirs, name) for name in NAMED] == [getattr(ours, name) for name in NAMED]


def test_fills(ear):
    fill = Execution('0000e0d5.1.01.01', 7, 12, 99, CALL, NOW, 'U1', 'CBOE', 'SLD', 1.5, 10.25, 2.5, 10.5, 'ref')
    (name, reqId, contract, told), = ear.hears(replies.ExecDetails(-1, fill, '20241120 15:00:00 UTC'))
    assert (name, reqId, told.time) == ('execDetails', -1, MOMENT)
    same_contract(contract, CALL)
    for field in ('execId', 'orderId', 'clientId', 'permId', 'exchange', 'side', 'shares', 'price', 'cumQty',
                  'avgPrice', 'orderRef', 'liquidation', 'modelCode', 'lastLiquidity'):
        assert getattr(told, field) == getattr(fill, field)
    assert told.acctNumber == 'U1'


def test_commissions(ear):
    (name, report), = ear.hears(replies.CommissionReport(CommissionReport('e.1', 1.25, 'USD', -3.5)))
    assert (name, report.execId, report.commission, report.currency) == ('commissionReport', 'e.1', 1.25, 'USD')
    assert (report.realizedPNL, report.yield_) == (-3.5, UNSET)
    (name, report), = ear.hears(replies.CommissionReport(CommissionReport('e.1', None, 'USD')))
    assert (report.commission, report.realizedPNL) == (UNSET, UNSET)


def test_history(ear):
    rows = [('20241120  15:00:00', BAR), ('20241121', BAR._replace(volume=-1.0, wap=-1.0, count=-1))]
    first, second, end = ear.hears(replies.HistoricalData(5, 'from', 'to', rows))
    assert end == ('historicalDataEnd', 5, 'from', 'to')
    bar = first[2]
    assert (bar.date, bar.open, bar.high, bar.low, bar.close) == ('20241120  15:00:00', 1.5, 2.5, 0.5, 2.0)
    assert (bar.volume, bar.average, bar.barCount) == (1200, 1.75, 12)
    assert (second[2].volume, second[2].average, second[2].barCount) == (-1, -1, -1)
    assert ear.hears(replies.HistoricalData(5, 'from', 'to', [])) == [('historicalDataEnd', 5, 'from', 'to')]


def test_bars_that_are_still_growing(ear):
    (name, reqId, bar), = ear.hears(replies.HistoricalDataUpdate(5, '20241120  15:00:00', BAR))
    assert (name, reqId, bar.date) == ('historicalDataUpdate', 5, '20241120  15:00:00')
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.average, bar.barCount) == tuple(BAR[1:])
    assert ear.hears(replies.RealtimeBar(5, BAR)) == [
        ('realtimeBar', 5, 1732114800, 1.5, 2.5, 0.5, 2.0, 1200, 1.75, 12)]


def test_ticks_of_the_past(ear):
    (_, reqId, (tick,), done), = ear.hears(replies.HistoricalTicks(5, [Trade(NOW, 1.5, 0.5)], False))
    assert (reqId, done, tuple(tick)) == (5, False, (MOMENT, 1.5, sized(ear.version, 0.5)))
    (_, _, (tick,), done), = ear.hears(replies.HistoricalTicksBidAsk(5, [Quote(NOW, 1.5, 1.75, 100, 200)]))
    assert (done, tick.time, tuple(tick)[2:]) == (True, MOMENT, (1.5, 1.75, 100, 200))
    (_, _, (tick,), done), = ear.hears(replies.HistoricalTicksLast(5, [Trade(NOW, 1.5, 100)], True, 'NASDAQ', 'T'))
    assert (tick.time, tuple(tick)[2:]) == (MOMENT, (1.5, 100, 'NASDAQ', 'T'))


def test_tick_by_tick(ear):
    (name, reqId, kind, time, price, size, _, exchange, conditions), = ear.hears(
        replies.TickByTickAllLast(5, 2, Trade(NOW, 1.5, 100), 'NASDAQ', 'T'))
    assert (name, reqId, kind, time) == ('tickByTickAllLast', 5, 2, 1732114800)
    assert (price, size, exchange, conditions) == (1.5, 100, 'NASDAQ', 'T')
    (name, reqId, time, *prices, attribs), = ear.hears(
        replies.TickByTickBidAsk(5, Quote(NOW, 1.5, 1.75, 100, 200), attribs=1))
    assert (name, reqId, time, prices) == ('tickByTickBidAsk', 5, 1732114800, [1.5, 1.75, 100, 200])
    assert attribs.bidPastLow and not attribs.askPastHigh


@pytest.mark.parametrize('ear', [case for case in CASES if case[0] == 'ib_insync'], indirect=True, ids=str)
def test_mid_points(ear):
    """Not with ib_async: 2.1 makes a float of a list there, and cannot read any."""
    assert ear.hears(replies.TickByTickMidPoint(5, NOW, 1.625)) == [('tickByTickMidPoint', 5, 1732114800, 1.625)]


def test_option_computation(ear):
    (_, reqId, kind, attrib, *numbers), = ear.hears(replies.TickOptionComputation(5, 13, 0, 0.25, 0.5, 10.0))
    assert (reqId, kind, attrib, numbers) == (5, 13, 0, [0.25, 0.5, 10.0, -1, -2, -2, -2, -1])


def test_schedule(ear):
    sessions = [('20241120-09:30:00', '20241120-16:00:00', '20241120')]
    (name, reqId, *times, heard), = ear.hears(replies.HistoricalSchedule(5, 'from', 'to', 'US/Eastern', sessions))
    assert (name, reqId, times) == ('historicalSchedule', 5, ['from', 'to', 'US/Eastern'])
    assert (heard[0].startDateTime, heard[0].endDateTime, heard[0].refDate) == sessions[0]


DETAILS = SimpleNamespace(
    contract=CALL._replace(primaryExchange='CBOE'), marketName='AAPL', minTick=0.01, orderTypes='LMT,MKT',
    validExchanges='SMART,CBOE', priceMagnifier=1, underConId=265598, longName='CAF\u00c9 INC', contractMonth='202412',
    industry='Technology', category='Computers', subcategory='Phones', timeZoneId='US/Eastern',
    tradingHours='20241120:0930-20241120:1600', liquidHours='20241121:CLOSED', evRule='', evMultiplier=0,
    secIdList=[('ISIN', 'US0378331005'), ('CUSIP', '037833100')], aggGroup=2, underSymbol='AAPL', underSecType='STK',
    marketRuleIds='32,109', realExpirationDate='20241220', lastTradeTime='16:00:00', stockType='COMMON', minSize=0.5,
    sizeIncrement=0.25, suggestedSizeIncrement=100.0)
TOLD = ('marketName', 'minTick', 'orderTypes', 'validExchanges', 'priceMagnifier', 'underConId', 'longName',
        'contractMonth', 'industry', 'category', 'subcategory', 'timeZoneId', 'tradingHours', 'liquidHours', 'evRule',
        'evMultiplier', 'aggGroup', 'underSymbol', 'underSecType', 'marketRuleIds', 'realExpirationDate', 'stockType',
        'lastTradeTime')
SIZES = ('minSize', 'sizeIncrement', 'suggestedSizeIncrement')


def test_contract_details(ear):
    (name, reqId, details), = ear.hears(replies.ContractDetails(5, DETAILS))
    assert (name, reqId) == ('contractDetails', 5)
    same_contract(details.contract, DETAILS.contract)
    assert (details.contract.exchange, details.contract.primaryExchange) == ('SMART', 'CBOE')
    for field in TOLD + (SIZES if ear.version >= 164 else ()):
        assert getattr(details, field) == getattr(DETAILS, field), field
    assert [(pair.tag, pair.value) for pair in details.secIdList] == DETAILS.secIdList


def test_contracts_without_a_last_trade(ear):
    stock = SimpleNamespace(**dict(vars(DETAILS), contract=AAPL, lastTradeTime='', secIdList=()))
    (_, _, details), = ear.hears(replies.ContractDetails(5, stock))
    assert (details.contract.lastTradeDateOrContractMonth, details.lastTradeTime) == ('', '')
    same_contract(details.contract, AAPL)


def test_bonds(ear):
    bond = SimpleNamespace(**dict(
        vars(DETAILS), contract=AAPL._replace(secType='BOND', lastTradeDateOrContractMonth='20300115'),
        cusip='037833100', coupon=2.0, callable=True, lastTradeTime=''))
    (name, reqId, details), = ear.hears(replies.ContractDetails(5, bond))
    assert (name, reqId, details.maturity, details.timeZoneId) == ('bondContractDetails', 5, '20300115', 'US/Eastern')
    assert (details.cusip, details.coupon, details.callable, details.putable) == ('037833100', 2, True, False)
    assert (details.longName, details.aggGroup, details.marketRuleIds) == ('CAF\\u00c9 INC', 2, '32,109')
    assert (details.contract.conId, details.contract.exchange, details.minTick) == (265598, 'SMART', 0.01)


def test_what_belongs_to_contracts(ear):
    assert ear.hears(replies.ContractDetailsEnd(5)) == [('contractDetailsEnd', 5)]
    (_, *told), = ear.hears(replies.SecDefOptParams(5, 'SMART', 265598, 'AAPL', '100', ['20241220'], [200.0, 202.5]))
    assert told == [5, 'SMART', '265598', 'AAPL', '100', ['20241220'], [200.0, 202.5]]
    assert ear.hears(replies.SecDefOptParamsEnd(5)) == [('securityDefinitionOptionParameterEnd', 5)]
    (_, rule, increments), = ear.hears(replies.MarketRule(26, [(0.0, 0.01), (1.0, 0.05)]))
    assert (rule, [(step.lowEdge, step.increment) for step in increments]) == (26, [(0.0, 0.01), (1.0, 0.05)])


def test_symbol_samples(ear):
    samples = [replies.Sample(AAPL, ('OPT', 'CFD'), 'APPLE INC', 'e1'), replies.Sample(CALL)]
    (_, reqId, (apple, call)), = ear.hears(replies.SymbolSamples(5, samples))
    assert (reqId, apple.contract.conId, apple.contract.primaryExchange) == (5, 265598, 'NASDAQ')
    assert (apple.derivativeSecTypes, call.derivativeSecTypes) == (['OPT', 'CFD'], [])
    if ear.version >= 176:
        assert (apple.contract.description, apple.contract.issuerId) == ('APPLE INC', 'e1')


PLAIN_LIMIT = Order(
    orderId=7, clientId=12, permId=99, action='BUY', totalQuantity=1.5, orderType='LMT', lmtPrice=150.25, account='U1',
    orderRef='ref', parentId=3, outsideRth=True, tif='GTC')
RICH = PLAIN_LIMIT.replace(
    orderType='PEG BENCH', auxPrice=1.5, minQty=5, hidden=True, ocaGroup='oca', ocaType=2, deltaNeutralOrderType='MKT',
    deltaNeutral=(5, 'firm', 'acc', 'IB', 'O', True, 2, 'there'), deltaNeutralAuxPrice=9.5, scalePriceIncrement=0.25,
    scaleInitLevelSize=10, scaleMore=(0.5, 60, 0.1, True, 10, 5, False), hedgeType='B', hedgeParam='1.5',
    algoStrategy='Adaptive', algoParams=(('adaptivePriority', 'Normal'),), trailStopPrice=140.5, trailingPercent=2.5,
    orderComboLegs=(1.5, None), smartComboRoutingParams=(('NonGuaranteed', '1'),), deltaNeutralContract=(77, 0.5, 99.5),
    pegBench=(8, True, 0.25, 0.5, 'ISLAND'), conditionsIgnoreRth=True, triggerPrice=151.5, adjustedOrderType='STP',
    adjustedStopPrice=149.5, lmtPriceOffset=0.125, adjustedTrailingAmount=0.5, adjustedStopLimitPrice=148.5,
    adjustableTrailingUnit=1, softDollarName='tier', softDollarValue='v', cashQty=1000.0, usePriceMgmtAlgo=True,
    duration=60, postToAts=2, autoCancelParent=True, minTradeQty=10, minCompeteSize=20, whatIf=True,
    competeAgainstBestOffset=math.inf, midOffsetAtWhole=0.01, midOffsetAtHalf=0.005, displaySize=100, modelCode='m',
    conditions=tuple(Condition(kind, 'ao'[kind % 2], {name: of(3) if of is not bool else True for name, of in fields})
                     for kind, fields in CONDITIONS.items()))
COMBO = AAPL._replace(secType='BAG', comboLegs=(ComboLeg(11, 1, 'BUY', 'CBOE', 1, 2, 'here', 0),))
MARGINS = OrderState('PreSubmitted', *(float(number) for number in range(1, 10)), 1.25, 1.0, 2.0, 'USD', 'mind')
SINCE = dict(duration=159, postToAts=160, autoCancelParent=162, minTradeQty=170, minCompeteSize=170,
             competeAgainstBestOffset=170, midOffsetAtWhole=170, midOffsetAtHalf=170)
NOT_ECHOED = {
    'secIdType', 'secId', 'transmit', 'overridePercentageConstraints', 'scaleTable', 'activeStartTime',
    'activeStopTime', 'algoId', 'orderMiscOptions', 'extOperator', 'mifid2DecisionMaker', 'mifid2DecisionAlgo',
    'mifid2ExecutionTrader', 'mifid2ExecutionAlgo', 'advancedErrorOverride', 'manualOrderTime'}
BLOCKS = {
    'orderComboLegs', 'smartComboRoutingParams', 'deltaNeutral', 'scaleMore', 'deltaNeutralContract', 'algoParams',
    'pegBench', 'conditions', 'softDollarName', 'softDollarValue'}
NOT_COMPLETED = {
    'orderId', 'clientId', 'auctionStrategy', 'blockOrder', 'eTradeOnly', 'firmQuoteOnly', 'nbboPriceCap', 'parentId',
    'optOutSmartRouting', 'whatIf', 'adjustedOrderType', 'triggerPrice', 'adjustedStopPrice', 'adjustedStopLimitPrice',
    'adjustedTrailingAmount', 'adjustableTrailingUnit', 'softDollarName', 'softDollarValue',
    'discretionaryUpToLimitPrice', 'usePriceMgmtAlgo', 'duration', 'postToAts'}


def same_fields(theirs, ours, version, skipped):
    for name in set(KINDS) - NOT_ECHOED - BLOCKS - skipped:
        if version >= SINCE.get(name, 0) and not (name == 'faProfile' and version >= 177):
            value, told = getattr(ours, name), getattr(theirs, name)
            assert told == value or value is None and told in (UNSET, 2147483647), name


@pytest.mark.parametrize('order', [PLAIN_LIMIT, RICH], ids=['plain', 'rich'])
def test_open_orders(ear, order):
    contract = COMBO if order is RICH else AAPL
    (name, orderId, named, theirs, state), = ear.hears(replies.OpenOrder(order, contract, MARGINS))
    assert (name, orderId, theirs.orderId) == ('openOrder', 7, 7)
    same_contract(named, contract._replace(right='?'))
    same_fields(theirs, filled_in(order), ear.version, set())
    assert (state.status, state.commissionCurrency, state.warningText) == ('PreSubmitted', 'USD', 'mind')
    assert (state.initMarginBefore, state.equityWithLoanAfter) == ('1.0', '9.0')
    assert (state.commission, state.minCommission, state.maxCommission) == (1.25, 1.0, 2.0)
    if order is RICH:
        same_blocks(theirs, named, order)
        assert (theirs.deltaNeutralSettlingFirm, theirs.deltaNeutralOpenClose) == ('firm', 'O')
        assert (theirs.softDollarTier.name, theirs.softDollarTier.val) == ('tier', 'v')


def same_blocks(theirs, named, order):
    assert [tuple(vars(leg).values()) for leg in named.comboLegs] == [tuple(leg) for leg in COMBO.comboLegs]
    assert [leg.price for leg in theirs.orderComboLegs] == [1.5, UNSET]
    assert [(pair.tag, pair.value) for pair in theirs.smartComboRoutingParams] == [('NonGuaranteed', '1')]
    assert [(pair.tag, pair.value) for pair in theirs.algoParams] == [('adaptivePriority', 'Normal')]
    assert (theirs.deltaNeutralConId, theirs.deltaNeutralDesignatedLocation) == (5, 'there')
    assert (theirs.scalePriceAdjustValue, theirs.scaleInitFillQty, theirs.scaleAutoReset) == (0.5, 5, True)
    neutral = named.deltaNeutralContract
    assert (neutral.conId, neutral.delta, neutral.price) == (77, 0.5, 99.5)
    assert (theirs.referenceContractId, theirs.referenceExchangeId) == (8, 'ISLAND')
    for condition, ours in zip(theirs.conditions, order.conditions):
        told = dict(condType=ours.kind, conjunction=ours.conjunction, **ours.fields)
        assert vars(condition) == told


@pytest.mark.parametrize('order', [PLAIN_LIMIT, RICH], ids=['plain', 'rich'])
def test_completed_orders(ear, order):
    contract = COMBO if order is RICH else AAPL
    state = OrderState('Cancelled', completedTime='20241120 15:00:00 UTC', completedStatus='Cancelled by Trader')
    (name, named, theirs, told), = ear.hears(replies.CompletedOrder(order, contract, state, 0.5))
    assert (name, theirs.orderId, theirs.clientId, theirs.permId) == ('completedOrder', 0, 0, 99)
    same_contract(named, contract._replace(right='?'))
    same_fields(theirs, filled_in(order), ear.version, NOT_COMPLETED)
    assert (told.status, told.completedTime, told.completedStatus) == (
        'Cancelled', '20241120 15:00:00 UTC', 'Cancelled by Trader')
    assert (theirs.filledQuantity, theirs.refFuturesConId) == (0.5, 2147483647)
    assert theirs.shareholder == 'Not an insider or substantial shareholder'
    if order is RICH:
        same_blocks(theirs, named, order)


def test_what_tws_fills_in(ear):
    (_, _, contract, order, state), = ear.hears(replies.OpenOrder(PLAIN_LIMIT, AAPL, OrderState('Submitted')))
    assert (contract.right, order.displaySize, order.ocaType, order.volatilityType) == ('?', 2147483647, 3, 0)
    assert (order.deltaNeutralOrderType, order.deltaNeutralOpenClose) == ('None', NO_DELTA_NEUTRAL[4]) == ('None', '?')
    assert (order.referencePriceType, order.clearingIntent, order.adjustedOrderType) == (0, 'IB', 'None')
    assert (order.cashQty, order.dontUseAutoPriceForHedge, order.auxPrice) == (0.0, True, 0.0)
    assert (order.trailStopPrice, order.triggerPrice, order.minQty) == (151.25, UNSET, 2147483647)
    assert state.initMarginBefore == '1.7976931348623157E308'
    assert (state.commission, state.commissionCurrency) == (UNSET, '')
