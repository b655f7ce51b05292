"""The codec against real clients: what ib_insync and ib_async send is understood, what we send they understand."""
import importlib
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtrader_ib_insync.simulator import requests, wire
from backtrader_ib_insync.simulator.order_layout import (
    CONDITIONS, DELTA_NEUTRAL, KINDS, PEG_BENCH, PEGGED_TO_BENCHMARK, PEGGED_TO_BEST, PEGGED_TO_MIDPOINT, SCALE)
from backtrader_ib_insync.simulator.records import ComboLeg, Condition, Contract, Order

LIBRARIES = {'ib_insync': (157,) + tuple(range(159, 177)), 'ib_async': (157,) + tuple(range(159, 179))}


class Sink:
    """A transport that keeps what is written."""

    def __init__(self):
        self.data = b''

    def write(self, data):
        self.data += data


class Client:
    """A real client at a server version, its socket replaced by bytes."""

    def __init__(self, name, version):
        self.library = importlib.import_module(name)
        self.version = version
        module = importlib.import_module(name + '.client')
        self.client = module.Client(object())
        self.client.MaxRequests = 0
        self.client.connState = self.client.CONNECTED
        self.client._serverVersion = version
        self.client.conn.transport = Sink()

    def sent(self, method, *args):
        """What the gateway makes of a request of this client."""
        getattr(self.client, method)(*args)
        sink, self.client.conn.transport = self.client.conn.transport, Sink()
        reader = wire.Reader()
        reader.feed(sink.data)
        payload, = reader
        return requests.decode(wire.fields(payload), self.version)


@pytest.fixture(params=sorted(LIBRARIES))
def library(request):
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture(params=(157, 159, 169, 170, 175, 176))
def client(library, request):
    return Client(library, request.param)


@pytest.fixture
def contract(client):
    """(theirs, ours) of one contract with every field set."""
    fields = dict(
        conId=265598, symbol='BRK B', secType='OPT', lastTradeDateOrContractMonth='20241220', strike=200.5, right='C',
        multiplier='100', exchange='SMART', primaryExchange='NYSE', currency='USD', localSymbol='BRK  241220C',
        tradingClass='BRKB')
    return client.library.Contract(includeExpired=True, **fields), Contract(**fields)


def test_start(client):
    client.client.clientId = 12
    assert client.sent('startApi') == requests.StartApi(12, '')


def test_requests_without_arguments(client):
    assert client.sent('reqOpenOrders') == requests.ReqOpenOrders()
    assert client.sent('reqAllOpenOrders') == requests.ReqAllOpenOrders()
    assert client.sent('reqManagedAccts') == requests.ReqManagedAccts()
    assert client.sent('reqCurrentTime') == requests.ReqCurrentTime()
    assert client.sent('reqGlobalCancel') == requests.ReqGlobalCancel()
    assert client.sent('reqPositions') == requests.ReqPositions()
    assert client.sent('cancelPositions') == requests.CancelPositions()


@pytest.mark.parametrize('method', [
    'cancelMktData', 'cancelHistoricalData', 'cancelRealTimeBars', 'cancelAccountSummary', 'cancelPositionsMulti',
    'cancelAccountUpdatesMulti', 'cancelPnL', 'cancelPnLSingle', 'cancelTickByTickData'])
def test_cancellations(client, method):
    assert client.sent(method, 77) == getattr(requests, 'C' + method[1:])(77)


def test_cancel_of_a_head_timestamp(client):
    assert client.sent('cancelHeadTimeStamp', 77) == requests.CancelHeadTimestamp(77)


def test_market_data(client, contract):
    theirs, ours = contract
    assert client.sent('reqMktData', 5, theirs, '233,375', True, False, []) == requests.ReqMktData(
        5, ours, '233,375', True, False, '')
    assert client.sent('reqRealTimeBars', 5, theirs, 5, 'TRADES', True, []) == requests.ReqRealTimeBars(
        5, ours, 5, 'TRADES', True)
    assert client.sent('reqTickByTickData', 5, theirs, 'AllLast', 10, True) == requests.ReqTickByTickData(
        5, ours, 'AllLast', 10, True)
    assert client.sent('reqMarketDataType', 3) == requests.ReqMarketDataType(3)


def test_market_data_of_a_delta_neutral_combination(client):
    theirs = client.library.Contract(secType='BAG', symbol='A', comboLegs=[
        client.library.ComboLeg(11, 1, 'BUY', 'CBOE')],
        deltaNeutralContract=client.library.DeltaNeutralContract(conId=5, delta=0.5, price=9.5))
    request = client.sent('reqMktData', 5, theirs, '', False, False, [client.library.TagValue('a', 'b')])
    assert request.contract == Contract(secType='BAG', symbol='A', comboLegs=(ComboLeg(11, 1, 'BUY', 'CBOE'),))
    assert request.mktDataOptions == 'a=b;'


def test_history(client, contract):
    theirs, ours = contract
    ours = ours._replace(includeExpired=True)
    when = '20241120 15:00:00 UTC'
    assert client.sent('reqHistoricalData', 5, theirs, when, '1 D', '1 min', 'TRADES', 1, 2, True, []) == \
        requests.ReqHistoricalData(5, ours, when, '1 D', '1 min', True, 'TRADES', 2, True)
    assert client.sent('reqHeadTimeStamp', 5, theirs, 'TRADES', True, 1) == requests.ReqHeadTimestamp(
        5, ours, True, 'TRADES', 1)
    assert client.sent('reqHistoricalTicks', 5, theirs, when, '', 100, 'BID_ASK', False, True, []) == \
        requests.ReqHistoricalTicks(5, ours, when, '', 100, 'BID_ASK', False, True)


def test_contracts(client, contract):
    theirs, ours = contract
    theirs.secIdType, theirs.secId = 'ISIN', 'US0378331005'
    assert client.sent('reqContractDetails', 5, theirs) == requests.ReqContractDetails(
        5, ours._replace(includeExpired=True, secIdType='ISIN', secId='US0378331005'))
    assert client.sent('reqSecDefOptParams', 5, 'ES', 'CME', 'FUT', 495512563) == requests.ReqSecDefOptParams(
        5, 'ES', 'CME', 'FUT', 495512563)
    assert client.sent('reqMatchingSymbols', 5, 'app') == requests.ReqMatchingSymbols(5, 'app')
    assert client.sent('reqMarketRule', 26) == requests.ReqMarketRule(26)


def test_account(client):
    assert client.sent('reqAccountUpdates', True, 'U1') == requests.ReqAccountUpdates(True, 'U1')
    assert client.sent('reqAccountSummary', 5, 'All', 'NetLiquidation,$LEDGER') == requests.ReqAccountSummary(
        5, 'All', 'NetLiquidation,$LEDGER')
    assert client.sent('reqPositionsMulti', 5, 'U1', 'm') == requests.ReqPositionsMulti(5, 'U1', 'm')
    assert client.sent('reqAccountUpdatesMulti', 5, 'U1', '', True) == requests.ReqAccountUpdatesMulti(
        5, 'U1', '', True)
    assert client.sent('reqPnL', 5, 'U1', '') == requests.ReqPnL(5, 'U1', '')
    assert client.sent('reqPnLSingle', 5, 'U1', '', 265598) == requests.ReqPnLSingle(5, 'U1', '', 265598)


def test_orders_and_what_became_of_them(client):
    asked = client.library.ExecutionFilter(3, 'U1', '20241120 15:00:00', 'AAPL', 'STK', 'SMART', 'BUY')
    assert client.sent('reqExecutions', 5, asked) == requests.ReqExecutions(
        5, 3, 'U1', '20241120 15:00:00', 'AAPL', 'STK', 'SMART', 'BUY')
    assert client.sent('reqCompletedOrders', True) == requests.ReqCompletedOrders(True)
    assert client.sent('reqAutoOpenOrders', True) == requests.ReqAutoOpenOrders(True)
    assert client.sent('reqIds', 1) == requests.ReqIds(1)
    assert client.sent('setServerLogLevel', 5) == requests.SetServerLogLevel(5)
    when = '20241120-15:00:00'
    assert client.sent('cancelOrder', 7, when) == requests.CancelOrder(7, when if client.version >= 169 else '')


def test_what_the_gateway_has_no_use_for_is_unknown(client):
    assert client.sent('reqNewsProviders') == requests.Unknown(85, ())
    assert client.sent('reqUserInfo', 5) == requests.Unknown(104, ('5',))


texts = st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'), max_size=8)
reals = st.floats(-1e300, 1e300)
wholes = st.integers(-2**31, 2**31 - 2)
BY_KIND = {str: texts, float: reals, int: wholes, bool: st.booleans()}
BLOCKS = {
    'orderId', 'clientId', 'permId', 'secIdType', 'secId', 'orderType', 'orderComboLegs', 'smartComboRoutingParams',
    'deltaNeutral', 'scaleMore', 'deltaNeutralContract', 'algoParams', 'pegBench', 'conditions', 'conditionsIgnoreRth',
    'conditionsCancelOrder', 'softDollarName', 'softDollarValue', 'orderMiscOptions', 'hedgeParam', 'minTradeQty',
    'minCompeteSize', 'competeAgainstBestOffset', 'midOffsetAtWhole', 'midOffsetAtHalf'}
PLAIN = sorted(set(KINDS) - BLOCKS - {'usePriceMgmtAlgo'})
SINCE = dict(duration=158, postToAts=160, autoCancelParent=162, advancedErrorOverride=166, manualOrderTime=169)
ORDER_TYPES = ('MKT', 'LMT', 'STP LMT', 'TRAIL', 'VOL', 'PEG BENCH', 'PEG BEST', 'PEG MID')
pairs = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
conditions = st.sampled_from(sorted(CONDITIONS)).flatmap(lambda kind: st.builds(
    Condition, st.just(kind), st.sampled_from('ao'),
    st.fixed_dictionaries({name: BY_KIND[of] for name, of in CONDITIONS[kind]})))
legs = st.builds(ComboLeg, wholes, wholes, texts, texts, wholes, wholes, texts, wholes)


def block(fields):
    return st.tuples(*(BY_KIND[kind] for _, kind, _ in fields))


@st.composite
def placed(draw):
    """(contract, order) as the gateway should read them at a version that knows every field."""
    names = draw(st.lists(st.sampled_from(PLAIN), unique=True))
    values = {name: draw(BY_KIND[KINDS[name]]) for name in names + ['usePriceMgmtAlgo']}
    order = Order(orderId=draw(wholes), orderType=draw(st.sampled_from(ORDER_TYPES)), **values)
    contract = Contract(conId=draw(wholes), symbol=draw(texts), secType=draw(st.sampled_from(['STK', 'BAG'])),
                        strike=draw(reals), exchange=draw(st.sampled_from(['SMART', 'IBKRATS'])))
    if contract.secType == 'BAG':
        contract = contract._replace(comboLegs=tuple(draw(st.lists(legs, max_size=2))))
        order.orderComboLegs = tuple(draw(st.lists(st.none() | reals, max_size=2)))
        order.smartComboRoutingParams = draw(pairs)
    for setter in (add_blocks, add_offsets, add_conditions):
        setter(draw, contract, order)
    return contract, order


def add_blocks(draw, contract, order):
    if order.deltaNeutralOrderType:
        order.deltaNeutral = draw(block(DELTA_NEUTRAL))
    if (order.scalePriceIncrement or 0) > 0:
        order.scaleMore = draw(block(SCALE))
    if order.hedgeType:
        order.hedgeParam = draw(texts)
    if order.algoStrategy:
        order.algoParams = draw(pairs)
    if order.orderType in PEGGED_TO_BENCHMARK:
        order.pegBench = draw(block(PEG_BENCH))
    order.softDollarName, order.softDollarValue = draw(texts), draw(texts)
    order.deltaNeutralContract = draw(st.none() | st.tuples(wholes, reals, reals))


def add_offsets(draw, contract, order):
    if contract.exchange == 'IBKRATS':
        order.minTradeQty = draw(st.none() | wholes)
    if order.orderType in PEGGED_TO_BEST:
        order.minCompeteSize = draw(st.none() | wholes)
        order.competeAgainstBestOffset = draw(st.none() | st.just(math.inf) | reals)
    if order.orderType in PEGGED_TO_MIDPOINT or order.competeAgainstBestOffset == math.inf:
        order.midOffsetAtWhole, order.midOffsetAtHalf = draw(st.none() | reals), draw(st.none() | reals)


def add_conditions(draw, contract, order):
    order.conditions = tuple(draw(st.lists(conditions, max_size=3)))
    if order.conditions:
        order.conditionsIgnoreRth, order.conditionsCancelOrder = draw(st.booleans()), draw(st.booleans())


def their_contract(library, contract, order):
    neutral = order.deltaNeutralContract
    return library.Contract(
        conId=contract.conId, symbol=contract.symbol, secType=contract.secType, strike=contract.strike,
        exchange=contract.exchange, comboLegs=[library.ComboLeg(*leg) for leg in contract.comboLegs],
        deltaNeutralContract=neutral and library.DeltaNeutralContract(*neutral))


def their_order(library, order):
    theirs = library.Order(orderType=order.orderType)
    given = order.given()
    for name in set(given) - (BLOCKS - {
            'hedgeParam', 'conditionsIgnoreRth', 'conditionsCancelOrder', 'minTradeQty', 'minCompeteSize',
            'competeAgainstBestOffset', 'midOffsetAtWhole', 'midOffsetAtHalf'}):
        setattr(theirs, name, given[name])
    for fields, values, prefix in ((DELTA_NEUTRAL, order.deltaNeutral, 'deltaNeutral'), (SCALE, order.scaleMore, ''),
                                   (PEG_BENCH, order.pegBench, '')):
        for (name, _, _), value in zip(fields, values):
            setattr(theirs, prefix + name[0].upper() + name[1:] if prefix else name, value)
    theirs.orderComboLegs = [leg(library, price) for price in order.orderComboLegs]
    theirs.algoParams = tags(library, order.algoParams)
    theirs.smartComboRoutingParams = tags(library, order.smartComboRoutingParams)
    theirs.softDollarTier = library.SoftDollarTier(order.softDollarName, order.softDollarValue, '')
    theirs.conditions = [their_condition(library, condition) for condition in order.conditions]
    return theirs


def leg(library, price):
    return library.OrderComboLeg() if price is None else library.OrderComboLeg(price)


def tags(library, params):
    return [library.TagValue(*pair) for pair in params]


def their_condition(library, condition):
    kind = library.OrderCondition.createClass(condition.kind)
    return kind(condType=condition.kind, conjunction=condition.conjunction, **condition.fields)


def known_at(order, version):
    """The order without what a client of that version cannot say."""
    late = {name for name, since in SINCE.items() if version < since}
    if version >= 177:
        late.add('faProfile')
    if version < 170:
        late |= {'minTradeQty', 'minCompeteSize', 'competeAgainstBestOffset', 'midOffsetAtWhole', 'midOffsetAtHalf'}
    return order.replace(**{name: Order.DEFAULTS[name] for name in late})


@pytest.mark.parametrize('name', sorted(LIBRARIES))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(asked=placed(), data=st.data())
def test_any_order_is_read_as_it_was_meant(name, asked, data):
    pytest.importorskip(name)
    client = Client(name, data.draw(st.sampled_from(LIBRARIES[name])))
    contract, order = asked
    if name == 'ib_async' and not order.orderType.startswith('VOL'):
        order = order.replace(volatility=None)
    theirs = their_contract(client.library, contract, order), their_order(client.library, order)
    request = client.sent('placeOrder', order.orderId, *theirs)
    assert request.contract == contract
    assert request.order.given() == known_at(order, client.version).given()
