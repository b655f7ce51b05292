"""Requests as field lists: numbers, unset ones, versions, and what is said about bad ones."""
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync.simulator import requests
from backtrader_ib_insync.simulator.layout import Layout
from backtrader_ib_insync.simulator.order_layout import KINDS, PLACE
from backtrader_ib_insync.simulator.records import ComboLeg, Condition, Contract, Order

STOCK = ['0', 'AAPL', 'STK', '', '0.0', '', '', 'SMART', '', 'USD', '', '']
AAPL = Contract(symbol='AAPL', secType='STK', exchange='SMART', currency='USD')


def order_fields(version=176, blocks=None, **values):
    """placeOrder as fields: empty but for `values`; `blocks` are the fields of conditional blocks by name."""
    told = dict({'[contract]': STOCK, '[deltaNeutralContract]': ['0'], '[conditions]': ['0']}, **(blocks or {}))
    message = ['3', '7']
    for word in PLACE(version):
        empty = [''] if word in ('[secIdType]', '[secId]') or not word.startswith('[') else []
        message += [values[word]] if word in values else told.get(word, empty)
    return message


def placed(version=176, blocks=None, **values):
    return requests.decode(order_fields(version, blocks, **values), version)


def refused(fields, version=176):
    with pytest.raises(requests.BadRequest) as caught:
        requests.decode(fields, version)
    return caught.value


def test_history():
    fields = ['20', '9'] + STOCK + ['1', '20241120 15:00:00 UTC', '1 min', '1 D', '1', 'TRADES', '2', '0', '']
    assert requests.decode(fields, 176) == requests.ReqHistoricalData(
        9, AAPL._replace(includeExpired=True), '20241120 15:00:00 UTC', '1 D', '1 min', True, 'TRADES', 2, False)


def test_a_combination_has_its_legs_in_market_data_and_history():
    combo = ['0', 'AAPL', 'BAG', '', '0', '', '', 'SMART', '', 'USD', '', '']
    legs = ['2', '11', '1', 'BUY', 'CBOE', '12', '2', 'SELL', 'CBOE']
    parsed = (ComboLeg(11, 1, 'BUY', 'CBOE'), ComboLeg(12, 2, 'SELL', 'CBOE'))
    quotes = requests.decode(['1', '11', '5'] + combo + legs + ['1', '77', '0.5', '99', '233', '0', '0', ''], 176)
    assert quotes == requests.ReqMktData(5, AAPL._replace(secType='BAG', comboLegs=parsed), '233', False, False, '')
    history = ['0', '', '1 day', '1 M', '1', 'MIDPOINT', '1']
    bars = requests.decode(['20', '5'] + combo + history + legs + ['0', ''], 176)
    assert bars.contract.comboLegs == parsed


def test_contract_details_at_both_sides_of_the_issuer():
    expected = requests.ReqContractDetails(5, AAPL._replace(secIdType='ISIN', secId='US0378331005'))
    fields = ['9', '8', '5'] + STOCK + ['0', 'ISIN', 'US0378331005']
    assert requests.decode(fields, 175) == expected
    assert requests.decode(fields + ['e123'], 176) == expected


def test_cancel_order_at_both_sides_of_the_manual_time():
    assert requests.decode(['4', '1', '7'], 168) == requests.CancelOrder(7)
    assert requests.decode(['4', '1', '-7', '20241120-15:00:00'], 169) == requests.CancelOrder(-7, '20241120-15:00:00')


def test_an_unknown_message_is_kept():
    assert requests.decode(['104', '5'], 176) == requests.Unknown(104, ('5',))


@pytest.mark.parametrize('field, value', [
    ('', None), ('1.7976931348623157E308', None), ('1.7976931348623157e+308', None), ('0', 0.0),
    ('0.0', 0.0), ('150', 150.0), ('1e-05', 0.00001), ('Infinite', math.inf), ('Infinity', math.inf)])
def test_prices_set_and_unset(field, value):
    assert placed(lmtPrice=field).order.lmtPrice == value


@pytest.mark.parametrize('field, value', [('', None), ('2147483647', None), ('0', 0), ('100', 100)])
def test_whole_numbers_set_and_unset(field, value):
    assert placed(minQty=field).order.minQty == value


def test_an_order_of_empty_fields_is_the_default_order():
    given = placed().order.given()
    assert {name for name in given if KINDS[name] is not str} == {'orderId'}


def test_an_order_with_every_block():
    blocks = {
        '[contract]': ['0', 'AAPL', 'BAG', '', '0', '', '', 'IBKRATS', '', 'USD', '', ''],
        '[combo]': ['1', '11', '1', 'BUY', 'CBOE', '1', '2', 'here', '-1', '2', '1.5', '', '1', 'NonGuaranteed', '1'],
        '[deltaNeutral]': ['5', 'firm', 'acc', 'IB', 'O', '1', '2', 'there'],
        '[scaleMore]': ['0.5', '60', '0.1', '1', '10', '5', '0'],
        '[hedgeParam]': ['1.5'],
        '[deltaNeutralContract]': ['1', '77', '0.5', '99.5'],
        '[algoParams]': ['1', 'adaptivePriority', 'Normal'],
        '[pegBench]': ['8', '1', '0.25', '0.5', 'ISLAND'],
        '[conditions]': [
            '2', '1', 'a', '1', '150.5', '265598', 'SMART', '2', '5', 'o', 'STK', 'SMART', 'IBM', '1', '0'],
        '[ats]': ['100']}
    request = placed(170, blocks, orderType='PEG BENCH', deltaNeutralOrderType='MKT', scalePriceIncrement='0.25',
                     hedgeType='B', algoStrategy='Adaptive')
    order = request.order
    assert request.contract.comboLegs == (ComboLeg(11, 1, 'BUY', 'CBOE', 1, 2, 'here', -1),)
    assert (order.orderComboLegs, order.smartComboRoutingParams) == ((1.5, None), (('NonGuaranteed', '1'),))
    assert order.deltaNeutral == (5, 'firm', 'acc', 'IB', 'O', True, 2, 'there')
    assert order.scaleMore == (0.5, 60, 0.1, True, 10, 5, False)
    assert (order.hedgeParam, order.deltaNeutralContract) == ('1.5', (77, 0.5, 99.5))
    assert (order.algoParams, order.pegBench) == ((('adaptivePriority', 'Normal'),), (8, True, 0.25, 0.5, 'ISLAND'))
    assert order.conditions == (
        Condition(1, 'a', dict(isMore=True, price=150.5, conId=265598, exch='SMART', triggerMethod=2)),
        Condition(5, 'o', dict(secType='STK', exch='SMART', symbol='IBM')))
    assert (order.conditionsIgnoreRth, order.conditionsCancelOrder, order.minTradeQty) == (True, False, 100)


def test_pegged_to_best_tells_mid_offsets_only_without_its_own():
    blocks = {'[offsets]': ['100', '0.02']}
    order = placed(170, blocks, orderType='PEG BEST').order
    assert (order.minCompeteSize, order.competeAgainstBestOffset, order.midOffsetAtHalf) == (100, 0.02, None)
    blocks = {'[offsets]': ['100', 'Infinite', '0.01', '0.005']}
    order = placed(170, blocks, orderType='PEGBEST').order
    assert (order.competeAgainstBestOffset, order.midOffsetAtWhole, order.midOffsetAtHalf) == (math.inf, 0.01, 0.005)
    order = placed(170, {'[offsets]': ['0.01', '0.005']}, orderType='PEG MID').order
    assert (order.midOffsetAtWhole, order.midOffsetAtHalf) == (0.01, 0.005)


def test_the_advisor_profile_ends_with_177():
    assert placed(176, faProfile='mine').order.faProfile == 'mine'
    assert len(order_fields(177)) == len(order_fields(176)) - 1
    assert placed(177).order == placed(176).order


def test_every_field_of_an_order_has_its_place_on_the_wire():
    elsewhere = {'orderId', 'clientId', 'permId'}
    in_blocks = {'orderComboLegs', 'smartComboRoutingParams', 'conditionsIgnoreRth', 'conditionsCancelOrder',
                 'minTradeQty', 'minCompeteSize', 'competeAgainstBestOffset', 'midOffsetAtWhole', 'midOffsetAtHalf'}
    told = {word.strip('[]') for word in PLACE(176)}
    assert set(Order.DEFAULTS) - told == elsewhere | in_blocks


def test_a_layout_is_read_by_version():
    layout = Layout('-version reqId [block]>=160 old<177')
    assert layout(159) == ['-version', 'reqId', 'old']
    assert layout(160) == ['-version', 'reqId', '[block]', 'old']
    assert layout(177) == ['-version', 'reqId', '[block]']


@pytest.mark.parametrize('fields', [[], [''], ['x'], ['-1'], ['1.5'], ['\u00b2']])
def test_a_message_without_a_number_is_refused(fields):
    error = refused(fields)
    assert error.reqId == -1
    assert 'the message id is' in error.text


def test_a_bad_number_names_message_field_value_and_rule():
    error = refused(['1', '11', '5', 'abc'] + STOCK[1:] + ['0', '', '0', '0', ''])
    assert error.reqId == 5
    assert error.text == "Error reading request ReqMktData (1): conId is 'abc', but must be a whole number"


@pytest.mark.parametrize('field, kind', [('nan', 'a number'), ('12,5', 'a number'), ('BUY', 'a number')])
def test_a_price_that_is_none_is_refused(field, kind):
    error = refused(order_fields(lmtPrice=field))
    assert error.reqId == 7
    assert error.text == "Error reading request PlaceOrder (3): lmtPrice is {!r}, but must be {}".format(field, kind)


def test_a_flag_is_0_or_1():
    assert 'transmit is \'2\', but must be 0 or 1' in refused(order_fields(transmit='2')).text


def test_a_missing_id_is_refused():
    error = refused(['2', '2', ''])
    assert error.text == 'Error reading request CancelMktData (2): reqId is missing; send a whole number'


def test_a_message_that_ends_early_says_where():
    error = refused(order_fields()[:20])
    assert error.reqId == 7
    assert 'it ends before auxPrice; 19 fields are there' in error.text


def test_a_message_that_goes_on_is_refused():
    assert '1 more fields than the 2 expected' in refused(['2', '2', '5', 'more']).text


@pytest.mark.parametrize('count', ['-1', '1000000000'])
def test_an_absurd_count_is_refused(count):
    assert 'conditions is ' + count in refused(order_fields(blocks={'[conditions]': [count]})).text


def test_an_unknown_condition_names_those_there_are():
    error = refused(order_fields(blocks={'[conditions]': ['1', '2', 'a']}))
    assert 'condition type 2 is not known; there are 1 3 4 5 6 7' in error.text


RUBBISH = st.lists(st.sampled_from(['', '0', '1', '-1', '1.5', 'BAG', 'x', '9' * 400]), max_size=160)


@given(st.sampled_from(sorted(requests.LAYOUTS)), RUBBISH, st.integers(157, 178))
def test_any_rubbish_is_read_or_refused(msgId, rubbish, version):
    try:
        request = requests.decode([str(msgId)] + rubbish, version)
    except requests.BadRequest as error:
        assert error.text.startswith('Error reading request')
    else:
        assert type(request) is requests.LAYOUTS[msgId][0]
