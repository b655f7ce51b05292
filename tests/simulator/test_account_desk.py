"""Account values, positions and profit without a socket."""
import pytest
from conversation import AT, Talk, talk

from backtrader_ib_insync.simulator.gateway import Gateway
from backtrader_ib_insync.simulator.records import Order

ACCOUNT = 'U1234567'


@pytest.fixture
def one():
    return talk()


def trade(gateway, action='BUY', size=100, orderId=1):
    """A market order of client 99 for AAPL."""
    instrument = gateway.market.by_conId(265598)
    order = Order(orderId=orderId, action=action, totalQuantity=size, orderType='MKT', tif='DAY', account=ACCOUNT)
    gateway.exchange.place(gateway.now, 99, order, instrument.contract, instrument)
    gateway.publish()


def test_account_updates_come_at_once_and_end(one):
    one.say(6, 2, 1, ACCOUNT)
    told = one.hear()
    assert ['6', '2', 'NetLiquidation', '1000000.00', 'USD', ACCOUNT] in told
    assert told[-2:] == [['8', '1', '10:00'], ['54', '1', ACCOUNT]]


def test_a_trade_is_told_at_once_and_only_what_it_changes(one):
    one.say(6, 2, 1, ACCOUNT)
    first = one.hear_only(6)
    trade(one.gateway)
    told = one.hear()
    portfolio, = [fields for fields in told if fields[0] == '7']
    assert portfolio[3] == 'AAPL' and '100' in portfolio
    assert 0 < len([fields for fields in told if fields[0] == '6']) < len(first)


def test_prices_are_told_every_three_minutes(one):
    trade(one.gateway)
    one.say(6, 2, 1, ACCOUNT)
    one.hear()
    one.gateway.advance(AT + 179)
    assert one.hear() == []
    one.gateway.advance(AT + 180)
    assert {'6', '7'} == {fields[0] for fields in one.hear()}


def test_updates_end_when_told_to(one):
    one.say(6, 2, 1, ACCOUNT)
    one.say(6, 2, 0, ACCOUNT)
    one.hear()
    trade(one.gateway)
    assert one.hear() == [] and one.gateway.accounts.next_time() is None


def test_an_unknown_account_is_refused(one):
    one.say(6, 2, 1, 'U9')
    one.say(76, 1, 5, 'U9', '', 0)
    one.say(74, 1, 6, 'U9', '')
    one.say(92, 7, 'U9', '')
    assert one.errors() == [(-1, 321), (5, 321), (6, 321), (7, 321)]


def test_positions_follow_trades_to_flat(one):
    one.say(61, 1)
    assert one.hear() == [['62', '1']]
    trade(one.gateway)
    held, = one.hear_only(61)
    assert held[2:5] == [ACCOUNT, '265598', 'AAPL'] and float(held[-2]) == 100
    trade(one.gateway, 'SELL', orderId=2)
    assert [float(fields[-2]) for fields in one.hear_only(61)] == [0]
    one.say(64, 1)
    trade(one.gateway, orderId=3)
    assert one.hear() == []


def test_the_other_forms(one):
    trade(one.gateway)
    one.say(74, 1, 5, ACCOUNT, '')
    one.say(76, 1, 6, ACCOUNT, '', 0)
    told = one.hear()
    assert {fields[0] for fields in told} == {'71', '72', '73', '74'}
    one.say(76, 1, 6, ACCOUNT, '', 0)
    assert one.errors() == [(6, 322)]
    one.say(75, 1, 5)
    one.say(77, 1, 6)
    trade(one.gateway, orderId=2)
    assert one.hear() == []


def test_two_summaries_and_no_more(one):
    for reqId in (1, 2, 3):
        one.say(62, 1, reqId, 'All', 'NetLiquidation,$LEDGER')
    told = one.hear()
    assert ['63', '1', '1', ACCOUNT, 'NetLiquidation', '1000000.00', 'USD'] in told
    assert [fields[2:4] for fields in told if fields[0] == '4'] == [['3', '322']]
    one.say(63, 1, 1)
    one.say(62, 1, 4, 'All', 'NetLiquidation')
    assert one.hear()[-1] == ['64', '1', '4']


def test_profit_every_second(one):
    trade(one.gateway)
    one.say(92, 5, ACCOUNT, '')
    one.say(94, 6, ACCOUNT, '', 265598)
    assert [fields[0] for fields in one.hear()] == ['94', '95']
    for second in range(1, 11):
        one.gateway.advance(AT + second)
    told = {fields[0] for fields in one.hear()}
    assert told == {'94', '95'}
    one.say(93, 5)
    one.say(95, 6)
    assert one.gateway.accounts.next_time() is None


def test_every_client_has_its_own_subscriptions():
    gateway = Gateway(now=AT)
    one, two = Talk(gateway, 1), Talk(gateway, 2)
    one.say(61, 1)
    two.say(61, 1)
    one.hear()
    two.hear()
    gateway.disconnect(one.session)
    trade(gateway)
    assert one.hear() == [] and len(two.hear()) == 1


def test_what_a_client_had_before_it_came_is_told():
    gateway = Gateway(now=AT)
    gateway.ledger.give(ACCOUNT, gateway.market.by_conId(265598), -50, 200.0)
    one = Talk(gateway)
    one.say(61, 1)
    held, = one.hear_only(61)
    assert [float(text) for text in held[-2:]] == [-50, 200]
