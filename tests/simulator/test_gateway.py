"""The gateway as a whole, without a socket."""
import pytest
from conversation import APPLE, AT, Talk, talk

from backtrader_ib_insync.simulator import requests
from backtrader_ib_insync.simulator.gateway import Gateway
from backtrader_ib_insync.simulator.records import Contract, Order


def order(**fields):
    given = dict(action='BUY', totalQuantity=100, orderType='LMT', lmtPrice=1.0, tif='GTC', account='U1234567')
    given.update(fields)
    return Order(**given)


def place(one, orderId, **fields):
    contract = one.gateway.market.by_conId(265598).contract
    one.gateway.handle(one.session, requests.PlaceOrder(orderId, contract, order(**fields)))


def ids(one):
    return [fields[0] for fields in one.hear()]


def test_every_request_is_answered_by_somebody():
    one = talk()
    known = {kind for kind in vars(requests).values() if isinstance(kind, type) and hasattr(kind, '_fields')}
    names = {kind.__name__ for kind in known if kind.__name__.startswith(('Req', 'Cancel', 'Place', 'Start', 'Set'))}
    assert names == {kind.__name__ for kind in one.gateway._handlers}


def test_what_was_asked_is_on_record():
    one = talk(clientId=3)
    one.gateway.advance(AT + 5)
    one.say(49, 1)
    asked = one.gateway.requests[-1]
    assert asked.time == AT + 5 and asked.clientId == 3 and asked.request == requests.ReqCurrentTime()


def test_orders_in_true_order():
    one = talk()
    place(one, 1)
    assert ids(one) == ['5', '3']
    place(one, 2, orderType='MKT')
    told = ids(one)
    assert sorted(set(told)) == ['11', '3', '5', '59'] and told[-1] == '59'
    one.say(4, 1, 1, '')
    assert one.hear()[-1][2:4] == ['1', '202']
    one.say(4, 1, 77, '')
    assert one.errors() == [(77, 10147)]


def test_open_orders_of_one_client_and_of_all():
    gateway = Gateway(now=AT)
    one, two = Talk(gateway, 1), Talk(gateway, 2)
    place(one, 1)
    place(two, 5)
    two.hear()
    two.say(5, 1)
    assert ids(two) == ['5', '3', '53']
    two.say(16, 1)
    assert ids(two) == ['5', '3', '5', '3', '53']
    two.say(8, 1, 1)
    assert two.hear() == [['9', '1', '6']]


def test_only_client_0_may_bind():
    one = talk(clientId=1)
    one.say(15, 1, 1)
    assert one.errors() == [(-1, 321)]


def test_executions_can_be_asked_for_with_their_commissions():
    one = talk()
    place(one, 1, orderType='MKT')
    one.hear()
    one.say(7, 3, 9, 0, '', '', '', '', '', '')
    assert ids(one) == ['11', '59', '55']
    one.say(7, 3, 9, 0, '', '20241120-15:00:01', '', '', '', '')
    assert ids(one) == ['55']
    one.say(7, 3, 9, 0, '', 'soon', '', '', '', '')
    assert one.errors() == [(9, 321)]


# https://interactivebrokers.github.io/tws-api/executions_commissions.html
def test_what_the_executions_of_another_client_cost_is_not_told():
    one = talk()
    other = Talk(one.gateway, 2)
    place(one, 1, orderType='MKT')
    other.hear()
    other.say(7, 3, 9, 0, '', '', '', '', '', '')
    assert ids(other) == ['11', '55']


# https://interactivebrokers.github.io/tws-api/executions_commissions.html
def test_of_what_was_done_before_midnight_nothing_is_told_any_more():
    one = talk()
    place(one, 1, orderType='MKT')
    midnight = AT + 14 * 3600
    one.gateway.advance(midnight - 1)
    one.hear()
    one.say(7, 3, 9, 0, '', '', '', '', '', '')
    one.say(99, 0)
    assert ids(one) == ['11', '59', '55', '101', '102']
    one.gateway.advance(midnight)
    one.hear()
    one.say(7, 3, 9, 0, '', '20241120-15:00:00', '', '', '', '')
    one.say(99, 0)
    assert ids(one) == ['55', '102']


def test_a_master_client_hears_of_everybodys_orders():
    gateway = Gateway(now=AT, master=7)
    master, one, other = (Talk(gateway, number) for number in (7, 1, 2))
    for talker in (master, one, other):
        talker.hear()
    place(one, 1, orderType='MKT')
    gateway.advance(AT + 1)
    heard = [fields[0] for fields in master.hear() if fields[0] in ('5', '3', '11', '59')]
    assert heard == [fields[0] for fields in one.hear() if fields[0] != '4']
    assert {'5', '3', '11', '59'} == set(heard) and other.hear() == []
    master.say(7, 3, 9, 0, '', '', '', '', '', '')
    assert ids(master) == ['11', '59', '55']


# https://interactivebrokers.github.io/tws-api/order_submission.html
def test_ids_are_above_all_that_a_client_was_told_of():
    one = talk()
    other = Talk(one.gateway, 2)
    place(one, 50)
    other.hear()
    other.say(16, 1)
    other.hear()
    other.say(8, 1, 1)
    assert other.hear() == [['9', '1', '51']]
    place(other, 50)
    assert other.errors() == [(50, 103)]


def test_an_ambiguous_order_is_refused():
    one = talk()
    contract = Contract(symbol='ES', secType='FUT', exchange='CME')
    one.gateway.handle(one.session, requests.PlaceOrder(1, contract, order()))
    assert one.errors() == [(1, 200)]


def test_an_order_names_its_exchange():
    one = talk()
    contract = one.gateway.market.by_conId(265598).contract._replace(exchange='')
    one.gateway.handle(one.session, requests.PlaceOrder(1, contract, order()))
    assert one.errors() == [(1, 321)]


def test_orders_outlive_their_client():
    gateway = Gateway(now=AT)
    one = Talk(gateway, 1)
    place(one, 1)
    gateway.disconnect(one.session)
    one = Talk(gateway, 1)
    one.hear()
    one.say(5, 1)
    assert ids(one) == ['5', '3', '53']


def test_contracts():
    one = talk()
    one.say(9, 8, 5, '0', 'CSCO', 'STK', '', '0.0', '', '', '', '', '', '', '', 0, '', '', '')
    assert ids(one) == ['10', '10', '52']
    one.say(9, 8, 6, '0', 'NOSUCH', 'STK', '', '0.0', '', '', '', '', '', '', '', 0, '', '', '')
    assert one.errors() == [(6, 200)]
    one.say(91, 4711)
    assert one.errors() == [(-1, 321)]
    one.say(78, 7, 'AAPL', '', 'STK', 265598)
    assert set(ids(one)) == {'75', '76'}


def test_when_to_look_again():
    one = talk()
    gateway = one.gateway
    assert gateway.next_event_time(AT) is None
    one.subscribe(5, APPLE)
    one.hear()
    due = gateway.next_event_time(AT)
    first = gateway.market.trades(gateway.market.by_conId(265598), AT, AT + 60)[0]
    assert due == pytest.approx(first.time + 0.001)
    gateway.advance(due)
    assert one.hear()
    one.say(2, 2, 5)
    assert gateway.next_event_time(gateway.now) is None


def test_events_of_many_streams_come_in_order_of_time():
    one = talk()
    one.subscribe(1, APPLE)
    one.subscribe(2, ('0', 'SPY') + APPLE[2:])
    one.hear()
    one.gateway.advance(AT + 120)
    stamps = [int(fields[4].split(';')[2]) for fields in one.hear_only(46) if fields[3] == '48']
    assert stamps == sorted(stamps) and len(stamps) > 50


def test_two_runs_are_the_same_but_for_the_seed():
    def run(seed):
        one = talk(seed=seed)
        one.subscribe(1, APPLE)
        place(one, 1, orderType='MKT')
        one.gateway.advance(AT + 60)
        return one.hear()
    assert run(1) == run(1) != run(2)
