import re

import pytest

from backtrader_ib_insync import codes
from backtrader_ib_insync.codes import history_error, is_notice, link, market_data_error, order_error


def numbers(text):
    """ib-codes.md's way to list codes: '111 113-126'."""
    return [code for first, last in re.findall(r'(\d+)(?:-(\d+))?', text)
            for code in range(int(first), int(last or first) + 1)]


REFUSED = ('103 109 111 113-126 131-136 146-148 152-160 163 167 168 200 201 203 312-315 321 325 328 347-350 355 '
           '358-364 367-383 387-398 400-403 405-413 417-419 421 423 424 427-429 433 435-437 439-449 460 463 '
           '10006-10014 10020 10052 10058 10243 10268 10289 10293 10318')


@pytest.mark.parametrize('code', numbers(REFUSED))
def test_p59_a_refused_order_is_rejected(code):
    assert order_error(code, 'Order rejected - reason:no') == 'rejected'
    assert codes.ends_order(code, '', 'PendingSubmit')


@pytest.mark.parametrize('code', numbers('399 404 2109 2148 10149 10311 10349 165 2100-2199 10167'))
@pytest.mark.parametrize('acknowledged', [False, True])
def test_p59_codes_that_inform_kill_no_order(code, acknowledged):
    assert order_error(code, 'Warning: something', acknowledged) == 'information'
    assert not codes.ends_order(code, '', 'Submitted' if acknowledged else 'PendingSubmit')


@pytest.mark.parametrize('text', [
    'Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH '
    'LOAN VALUE [1.00 USD] MUST EXCEED THE INITIAL MARGIN [2.00 USD]',
    'Order rejected - reason:Insufficient settled cash', 'Order rejected - reason:Available Funds are not enough'])
def test_p60_a_lack_of_funds_is_margin(text):
    assert order_error(201, text) == 'margin'
    assert order_error(203, text) == 'rejected'


@pytest.mark.parametrize('text', [
    'Order rejected - reason:No trading permissions for margin', 'Order rejected - reason:Exchange is closed'])
def test_p60_another_refusal_is_none(text):
    assert order_error(201, text) == 'rejected'


@pytest.mark.parametrize('code', numbers('104 105 106 107 110 321 329 434'))
def test_p61_a_refused_modification_leaves_the_order_alive(code):
    assert order_error(code, '', acknowledged=True) == 'modification refused'
    assert order_error(code, '', acknowledged=False) == 'rejected'
    for status in ('Submitted', 'PreSubmitted', 'PendingCancel'):
        assert not codes.ends_order(code, '', status)


def test_p58_answers_to_a_cancel():
    assert order_error(202, 'Order Canceled - reason:') == 'cancel done'
    assert order_error(161, '') == order_error(10148, 'state: Filled') == 'cancel refused'
    assert order_error(10147, '') == 'dead'
    assert not codes.ends_order(10148, 'state: Filled', 'Submitted')


def test_an_unlisted_code_kills_only_what_tws_never_took():
    assert order_error(9999, 'no', acknowledged=True) == 'unclear'
    assert not codes.ends_order(9999, 'no', 'Submitted')
    assert order_error(9999, 'no', acknowledged=False) == 'rejected'
    assert order_error(9999, 'Warning: beware', acknowledged=False) == 'information'


def test_p11_p12_the_link():
    assert [link(code) for code in (1100, 1101, 1102, 1300, 2110, 326)] == [
        'lost', 'renewed', 'restored', 'moved', 'lost', 'refused']
    assert {link(code) for code in (2103, 2105, 2157)} == {'farm_lost'}
    assert {link(code) for code in (2104, 2106, 2158)} == {'farm_ok'}
    assert {link(code) for code in (2107, 2108, 2119, 162, 201)} == {''}


@pytest.mark.parametrize('text, meaning', [
    ('Historical Market Data Service error message:HMDS query returned no data: ESM3@CME Trades', 'none'),
    ('Historical Market Data Service error message:Historical data request pacing violation', 'pacing'),
    ('Historical Market Data Service error message:API historical data query cancelled: 16777216', 'cancelled'),
    ('Historical Market Data Service error message:invalid step: 1', 'refused'),
    ('Historical Market Data Service error message:No market data permissions for NYSE STK', 'refused'),
    ('Historical Market Data Service error message:No historical market data for EUR/CASH@FXSUBPIP Last 60', 'refused'),
    ('Historical Market Data Service error message:Trading TWS session is connected from a different IP', 'retry'),
    ('', 'retry'),
])
def test_p23_p25_history_by_the_text_of_162(text, meaning):
    assert history_error(162, text) == meaning


@pytest.mark.parametrize('code, meaning', [
    (366, 'cancelled'), (321, 'refused'), (200, 'refused'), (354, 'refused'), (10314, 'refused'), (10339, 'refused'),
    (10299, 'refused'), (322, 'retry'), (100, 'pacing'), (10182, 'retry'), (504, 'retry'), (1100, 'retry'),
])
def test_p25_history_by_code(code, meaning):
    assert history_error(code, '') == meaning


@pytest.mark.parametrize('code, meaning', [
    (101, 'refused'), (200, 'refused'), (321, 'refused'), (10189, 'refused'), (10190, 'refused'), (9999, 'refused'),
    (354, 'not subscribed'), (10089, 'not subscribed'), (10090, 'not subscribed'), (10091, 'not subscribed'),
    (10168, 'not subscribed'), (10186, 'not subscribed'), (420, 'not subscribed'),
    (10167, 'notice'), (165, 'notice'), (300, 'notice'), (366, 'notice'), (2174, 'notice'), (2104, 'notice'),
    (10197, 'competing'), (10225, 'renew'), (316, 'renew'), (317, 'renew'), (10182, 'renew'), (322, 'renew'),
    (504, 'renew'),
])
def test_p43_p44_market_data(code, meaning):
    assert market_data_error(code) == meaning


def test_real_time_bars_can_be_paced_too():
    assert market_data_error(420, 'Invalid Real-time Query:Historical data request pacing violation') == 'pacing'


def test_notices_end_no_question():
    assert all(is_notice(code) for code in numbers('165 300 366 2100-2199 10167'))
    assert not any(is_notice(code) for code in numbers('162 200 321 354 1100 10314'))
