"""Replies as the fields that travel: the facts of the wire, written down one by one."""
import math
from types import SimpleNamespace

import pytest

from backtrader_ib_insync.simulator import fields, replies
from backtrader_ib_insync.simulator.order_layout import COMPLETED, OPEN
from backtrader_ib_insync.simulator.records import Bar, CommissionReport, Contract, Execution, Order, OrderState

DOUBLE = '1.7976931348623157E308'
AAPL = Contract(
    conId=265598, symbol='AAPL', secType='STK', exchange='SMART', primaryExchange='NASDAQ', currency='USD',
    localSymbol='AAPL', tradingClass='NMS')
NAMED = ['265598', 'AAPL', 'STK', '', '0.0', '', '', 'SMART', 'USD', 'AAPL', 'NMS']
BAR = Bar(1732114800.0, 1.5, 2.5, 0.5, 2.0, 1200.5, 1.75, 12)
FILL = Execution('e.1', 7, 12, 99, AAPL, 0.0, 'U1', 'ISLAND', 'BOT', 100.0, 10.25, 100.0, 10.25)
STOCK = SimpleNamespace(
    contract=AAPL, marketName='NMS', minTick=0.01, orderTypes='LMT', validExchanges='SMART', priceMagnifier=1,
    underConId=0, longName='APPLE', contractMonth='', industry='', category='', subcategory='', timeZoneId='US/Eastern',
    tradingHours='', liquidHours='', evRule='', evMultiplier=0, secIdList=(), aggGroup=1, underSymbol='',
    underSecType='', marketRuleIds='26', realExpirationDate='', lastTradeTime='', stockType='COMMON', minSize=1.0,
    sizeIncrement=1.0, suggestedSizeIncrement=100.0)


@pytest.mark.parametrize('reply, told', [
    (replies.TickPrice(5, 1, 229.05, 100.0), ['1', '6', '5', '1', '229.05', '100', '0']),
    (replies.TickPrice(5, 1, -1.0, 0.0, 5), ['1', '6', '5', '1', '-1.0', '0', '5']),
    (replies.TickSize(5, 0, 0.5), ['2', '6', '5', '0', '0.5']),
    (replies.OrderStatus(7, 'Submitted', 0.0, 100.0, 0.0, 99, 0, 0.0, 12), [
        '3', '7', 'Submitted', '0', '100', '0.0', '99', '0', '0.0', '12', '', '0.0']),
    (replies.Error(-1, 2104, 'ok'), ['4', '2', '-1', '2104', 'ok', '']),
    (replies.AccountValue('k', 'v', 'USD', 'U1'), ['6', '2', 'k', 'v', 'USD', 'U1']),
    (replies.NextValidId(1), ['9', '1', '1']),
    (replies.ExecDetails(-1, FILL, 'now'), ['11', '-1', '7'] + NAMED + [
        'e.1', 'now', 'U1', 'ISLAND', 'BOT', '100', '10.25', '99', '12', '0', '100', '10.25', '', '', '', '', '2']),
    (replies.ManagedAccounts(['U1', 'U2']), ['15', '1', 'U1,U2']),
    (replies.HistoricalData(5, 'a', 'b', [('20241120', BAR)]), [
        '17', '5', 'a', 'b', '1', '20241120', '1.5', '2.5', '0.5', '2.0', '1200.5', '1.75', '12']),
    (replies.HistoricalDataUpdate(5, 'd', BAR), [
        '90', '5', '12', 'd', '1.5', '2.0', '2.5', '0.5', '1.75', '1200.5']),
    (replies.RealtimeBar(5, BAR), [
        '50', '3', '5', '1732114800', '1.5', '2.5', '0.5', '2.0', '1200.5', '1.75', '12']),
    (replies.CurrentTime(1732114800.9), ['49', '1', '1732114800']),
    (replies.OpenOrderEnd(), ['53', '1']),
    (replies.CommissionReport(CommissionReport('e.1', 1.0, 'USD')), [
        '59', '1', 'e.1', '1.0', 'USD', DOUBLE, DOUBLE, '']),
    (replies.Position('U1', AAPL, 100.0, 10.26), ['61', '3', 'U1'] + NAMED + ['100', '10.26']),
    (replies.PositionEnd(), ['62', '1']),
    (replies.PnL(5, 1.0, None, None), ['94', '5', '1.0', DOUBLE, DOUBLE]),
    (replies.OrderBound(99, 0, -5), ['100', '99', '0', '-5']),
    (replies.CompletedOrdersEnd(), ['102'])])
def test_messages_of_today(reply, told):
    assert replies.encode(reply, 176) == told


def test_the_portfolio_tells_the_primary_exchange():
    told = replies.encode(replies.PortfolioValue(AAPL, 100.0, 11.0, 1100.0, 10.0, 100.0, 0.0, 'U1'), 176)
    assert told == ['7', '8', '265598', 'AAPL', 'STK', '', '0.0', '0', '', 'NASDAQ', 'USD', 'AAPL', 'NMS', '100',
                    '11.0', '1100.0', '10.0', '100.0', '0.0', 'U1']


def test_sizes_are_whole_before_163():
    assert replies.encode(replies.TickSize(5, 0, 1.5), 162)[-1] == '1'
    assert replies.encode(replies.TickSize(5, 0, 1.5), 163)[-1] == '1.5'


def test_fills_are_fractional_at_any_version():
    assert '0.5' in replies.encode(replies.ExecDetails(-1, FILL._replace(shares=0.5), 'now'), 157)


def test_rejects_to_override_come_with_166():
    assert replies.encode(replies.Error(7, 201, 'no', '{}'), 165) == ['4', '2', '7', '201', 'no']
    assert replies.encode(replies.Error(7, 201, 'no', '{}'), 166) == ['4', '2', '7', '201', 'no', '{}']


def test_price_revisions_come_with_178():
    assert len(replies.encode(replies.ExecDetails(-1, FILL, 'now'), 177)) == 31
    assert replies.encode(replies.ExecDetails(-1, FILL, 'now'), 178)[31:] == ['0']


@pytest.mark.parametrize('version, opening, sizes', [
    (162, ['10', '8', '5', 'AAPL'], ['COMMON']),
    (163, ['10', '8', '5', 'AAPL'], ['COMMON', '100.0']),
    (164, ['10', '5', 'AAPL'], ['COMMON', '1.0', '1.0', '100.0'])])
def test_contract_details_change_with_163_and_164(version, opening, sizes):
    told = replies.encode(replies.ContractDetails(5, STOCK), version)
    assert told[:len(opening)] == opening
    assert told[-len(sizes):] == sizes


def test_a_last_trade_has_a_time_and_a_zone():
    future = SimpleNamespace(**dict(vars(STOCK), lastTradeTime='08:30:00', timeZoneId='US/Central',
                                    contract=AAPL._replace(secType='FUT', lastTradeDateOrContractMonth='20241220')))
    assert replies.encode(replies.ContractDetails(5, future), 176)[4] == '20241220 08:30:00 US/Central'


def test_a_bond_is_another_message():
    bond = SimpleNamespace(**dict(vars(STOCK), contract=AAPL._replace(secType='BOND')))
    assert replies.encode(replies.ContractDetails(5, bond), 176)[0] == '18'


def echo(order, version=176, state=None):
    told = replies.encode(replies.OpenOrder(order, AAPL, state or OrderState('Submitted')), version)
    assert told[0] == '5'
    return told


def test_the_echo_of_a_market_order_field_by_field():
    order = Order(orderId=7, clientId=12, permId=99, action='SELL', totalQuantity=100.0, orderType='MKT', account='U1')
    named = ['265598', 'AAPL', 'STK', '', '0.0', '?', '', 'SMART', 'USD', 'AAPL', 'NMS']
    assert echo(order) == ['5', '7'] + named + [
        'SELL', '100', 'MKT', '0.0', '0.0', 'DAY', '', 'U1', 'O', '0', '', '12', '99', '0', '0', '0.0', '', '', '', '',
        '', '', '', '', '', '', '', '0', '', '-1', '0', '', '', '', '', '', '2147483647', '0', '0', '0', '', '3', '0',
        '0', '', '0', '0', '', '0', 'None', '', '0', '', '', '', '?', '0', '0', '', '0', '0', '', '', '', '', '', '0',
        '0', '0', '', '', '', '', '0', '', 'IB', '0', '0', '', '0', '0', 'Submitted'] + [DOUBLE] * 9 + [
        '', '', '', '', '', '0', '0', '0', 'None', DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, '0', '', '', '',
        '0.0', '1', '0', '0', '0', '', '', '0', '', '', '', '', '']


def test_a_limit_order_is_told_with_a_stop_one_off():
    for action, stop in (('BUY', '151.5'), ('SELL', '149.5')):
        told = echo(Order(action=action, orderType='LMT', lmtPrice=150.5))
        assert told.count(stop) == 2


def test_a_trailing_order_keeps_its_own_stop():
    told = echo(Order(action='SELL', orderType='TRAIL', trailStopPrice=140.5, trailingPercent=2.5))
    assert (told.count('140.5'), told.count('2.5')) == (2, 1)


def test_what_if_tells_margins_and_commission():
    state = OrderState('PreSubmitted', *(float(number) for number in range(1, 10)), commission=1.25)
    told = echo(Order(whatIf=True), state=state)
    at = told.index('PreSubmitted')
    assert told[at - 1:at + 13] == [
        '1', 'PreSubmitted', '1.0', '2.0', '3.0', '4.0', '5.0', '6.0', '7.0', '8.0', '9.0', '1.25', '', '']


def test_the_tail_of_an_open_order_grows_with_the_versions():
    lengths = {version: len(echo(Order(), version)) for version in (157, 159, 160, 162, 170, 177)}
    grown = {version: length - lengths[157] for version, length in lengths.items()}
    assert grown == {157: 0, 159: 1, 160: 2, 162: 3, 170: 8, 177: 7}


def test_a_completed_order_is_told_without_its_ids():
    order = Order(orderId=7, clientId=12, permId=99, action='BUY', totalQuantity=100.0)
    state = OrderState('Filled', completedTime='20241120 15:00:00 UTC', completedStatus='Filled Size: 100')
    told = replies.encode(replies.CompletedOrder(order, AAPL, state, 100.0), 169)
    assert told[:3] == ['101', '265598', 'AAPL']
    assert (told.count('7'), told.count('12'), told.count('99')) == (0, 0, 1)
    assert told[-13:] == ['0.0', '1', '0', '', '100', '2147483647', '0', 'Not an insider or substantial shareholder',
                          '0', '0', '9223372036854775807', '20241120 15:00:00 UTC', 'Filled Size: 100']


def test_what_is_encoded_leaves_the_order_alone():
    order = Order(orderType='LMT', lmtPrice=1.0)
    echo(order)
    assert order == Order(orderType='LMT', lmtPrice=1.0)


def test_layouts_name_an_order_field_or_a_block():
    for layout in (OPEN, COMPLETED):
        words = [word for word in layout(176) if not word.startswith(('[', '-'))]
        assert set(words) <= set(Order.DEFAULTS)


@pytest.mark.parametrize('value, told', [
    (None, ''), (True, '1'), (False, '0'), (5, '5'), (1.5, '1.5'), (100.0, '100.0'), (0.00005, '5e-05'),
    (math.inf, 'Infinity'), ('x', 'x')])
def test_values_as_text(value, told):
    assert fields.text(value) == told


def test_texts_in_seven_bits():
    assert fields.ascii7('caf\u00e9 \U0001f600\n') == 'caf\\u00e9 \\ud83d\\ude00\n'
