"""What strategies say of orders, over the socket: shared names, contradictions, one contract in two feeds."""
import datetime
import decimal
import threading

import backtrader as bt
import pytest
from test_oca import AWAY, fill
from test_trading import FULL, agrees, check, fill_now, rests

import helpers
import stage
from backtrader_ib_insync import doubts, synchroniser
from backtrader_ib_insync.errors import BadOrder, BadParameter, RequestRefused

Order = bt.Order
LIMIT = {'size': 10, 'exectype': Order.Limit, 'price': 150.0}


@pytest.fixture(scope='module')
def run():
    with stage.open() as run:
        yield run


def left_over(run):
    """Whether TWS works anything; a bracket that is taken back goes without a word."""
    return run.gateway.call(lambda world: world.exchange.open_orders(1))


# -- keywords ----------------------------------------------------------------------------------------------------------

def test_p50_p57_orders_that_share_a_reference_of_the_user_are_not_taken_for_one_another():
    with stage.open() as run:
        first, second = run.do(lambda s: [s.buy(orderRef='mine', **LIMIT) for _ in range(2)])
        for order in (first, second):
            run.reaches(order, 'Accepted')
        assert {order.orderRef for order in (first, second)} == {'mine'}
        run.do(lambda s: s.cancel(second))
        run.ends(second, 'Submitted', 'Accepted', 'Canceled')
        run.gateway.call(lambda world: fill_now(world, first.orderId))
        run.ends(first, *FULL)
        agrees(run)


def test_p56_orders_of_a_group_may_share_a_reference_of_the_user():
    with stage.open() as run:
        first = rests(run, orderRef='mine')
        second = run.do(lambda s: s.sell(oco=first, orderRef='mine', **AWAY))
        run.reaches(second, 'Accepted')
        run.gateway.call(lambda world: fill(world, second.orderId, 100.0))
        run.ends(second, *FULL)
        run.ends(first, 'Submitted', 'Accepted', 'Canceled')


def test_p57_a_number_as_a_reference_and_any_change_after_it_end_no_run(run):
    order = run.do(lambda s: s.sell(size=10, exectype=Order.StopTrailLimit, trailamount=60.0, price=200.0,
                                    orderRef=decimal.Decimal(7), lmtPriceOffset='0.5'))
    run.reaches(order, 'Accepted')
    assert run.do(lambda s: s.broker.modify(order, size=9))
    run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).order.totalQuantity == 9)
    assert order.orderRef == '7' and run.sent()[-1].order.lmtPriceOffset == 0.5
    run.do(lambda s: s.cancel(order))
    run.ends(order, 'Submitted', 'Accepted', 'Canceled')


@pytest.mark.client_errors
def test_p57_an_order_of_which_no_message_can_be_made_is_rejected_and_a_change_taken_back(run):
    class Nothing:
        condType = 1
    order = run.do(lambda s: s.buy(conditions=[Nothing()], **LIMIT))
    run.ends(order, 'Submitted', 'Rejected')
    assert 'never left' in order.info['message']
    order = rests(run)
    assert run.do(lambda s: s.broker.modify(order, conditions=[Nothing()]))
    run.until(lambda: order.life.before is None)
    assert not order.conditions and 'never left' in order.info['message']
    assert run.do(lambda s: s.broker.modify(order, price=151.0))
    run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).order.lmtPrice == 151.0)
    run.do(lambda s: s.cancel(order))
    run.ends(order, 'Submitted', 'Accepted', 'Canceled')


@pytest.mark.parametrize('name', ['whatif', 'whatIf', 'm_whatIf'])
def test_p57_asking_what_an_order_would_cost_has_three_names_and_places_nothing(run, name):
    asked = len(run.sent())
    order = run.do(lambda s: s.buy(**dict(LIMIT, **{name: True})))
    assert float(order.info['whatif'].initMarginAfter) > 0
    assert all(sent.order.whatIf for sent in run.sent()[asked:]) and not run.life(order)
    legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0, **{name: True}))
    assert float(legs[0].info['whatif'].initMarginAfter) > 0 and run.sent()[-1].order.transmit
    for leg in legs[1:]:
        run.ends(leg, 'Rejected')
        assert 'it is Created' in leg.info['message']
    worked = rests(run)
    with pytest.raises(BadParameter, match='whatI|whati'):
        run.do(lambda s: s.broker.modify(worked, price=1.0, **{name: True}))
    run.do(lambda s: s.cancel(worked))
    run.ends(worked, 'Submitted', 'Accepted', 'Canceled')


class Several:
    """As numpy's arrays: neither true nor false."""

    def __bool__(self):
        raise ValueError

    def __str__(self):
        return '[1. 2.]'


@pytest.mark.parametrize('asked', [
    {'price': 'x', 'trailamount': 1.0}, {'trailamount': 'x'}, {'trailpercent': 'x'}, {'price': [1], 'trailamount': 1},
    {'price': Several(), 'trailamount': 1.0}, {'trailpercent': b'x', 'price': 2 ** 31}])
def test_p66_a_trail_of_what_is_no_number_is_rejected_and_ends_no_run(run, asked):
    order = run.do(lambda s: s.buy(size=10, exectype=Order.StopTrail, **asked))
    run.ends(order, 'Rejected')
    assert str(list(asked.values())[0]) in order.info['message'] and 'must be a number' in order.info['message']


def test_p66_a_line_in_place_of_its_value_is_rejected_and_ends_no_run(run):
    for exectype in (Order.Limit, Order.StopTrail):
        order = run.do(lambda s, exectype=exectype: s.buy(
            size=10, exectype=exectype, price=s.data.close, trailamount=1.0))
        run.ends(order, 'Rejected')
        assert 'LineBuffer' in order.info['message'] and 'must be a number' in order.info['message']


def test_p57_an_exec_type_out_of_a_file_of_settings_is_one(run):
    order = run.do(lambda s: s.buy(**dict(LIMIT, exectype=2.0)))
    run.reaches(order, 'Accepted')
    assert run.do(lambda s: s.broker.modify(order, trailamount=1.0)) is False
    assert 'a Limit order has none' in order.info['message'] and 'ExecType: Limit' in str(order)
    run.do(lambda s: s.cancel(order))
    run.ends(order, 'Submitted', 'Accepted', 'Canceled')


def test_p66_p89_numbers_of_any_kind_are_numbers(run):
    order = run.do(lambda s: s.sell(size=decimal.Decimal(10), exectype=Order.StopTrail, trailamount='60.5',
                                    price=decimal.Decimal('200.01')))
    run.reaches(order, 'Accepted')
    assert (order.auxPrice, order.trailStopPrice, order.created.price) == (60.5, 139.51, 139.51)
    assert run.do(lambda s: s.broker.modify(order, trailamount=decimal.Decimal('61.5'), size=decimal.Decimal(9)))
    run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).order.auxPrice == 61.5)
    assert (order.trailamount, order.size) == (61.5, -9)
    run.do(lambda s: s.cancel(order))
    run.ends(order, 'Submitted', 'Accepted', 'Canceled')


@pytest.mark.parametrize('size', [decimal.Decimal('0.3'), 0.1 + 0.2])
def test_p89_a_size_of_any_kind_is_filled_in_parts_to_the_last_bit(size):
    with stage.open(datanames=('BTC-CRYPTO-PAXOS-USD',), gateway={'speed': 10}) as run:
        run.scenario(lambda scenario: scenario.partial('BTC', [0.1, 0.1, 0.1]))
        order = run.do(lambda s: s.buy(size=size, exectype=Order.Limit, price=1e6))
        run.ends(order, 'Submitted', 'Accepted', 'Partial', 'Partial', 'Completed')
        assert (order.executed.size, order.executed.remsize, order.size, order.terms.size) == (0.3, 0, 0.3, 0.3)


def test_p61_a_trail_becomes_one_by_percent_by_tws_s_name_too():
    with stage.open() as run:
        order = run.do(lambda s: s.sell(size=10, exectype=Order.StopTrail, trailamount=60.0))
        run.reaches(order, 'Accepted')
        assert run.do(lambda s: s.broker.modify(order, trailingPercent=7.0))
        check(run, order, {'trailingPercent': 7.0, 'auxPrice': None})
        with pytest.raises(BadParameter, match='trailingPercent'):
            run.do(lambda s: s.broker.modify(order, trailingPercent='x'))
        assert (order.trailpercent, order.trailamount) == (0.07, None)
        run.until(lambda: order.life.before is None)
        assert run.life(order) == ['Submitted', 'Accepted']


def test_p56_oco_and_a_group_that_is_another_are_not_taken_together(run):
    first = rests(run, ocaGroup='mine', ocaType=2)
    for asked in ({'ocaGroup': 'other'}, {'ocaType': 3}):
        order = run.do(lambda s, asked=asked: s.sell(oco=first, **dict(AWAY, **asked)))
        run.ends(order, 'Rejected')
        assert repr(list(asked.values())[0]) in order.info['message'] and 'oco=' in order.info['message']
    second = run.do(lambda s: s.sell(oco=first, **dict(AWAY, ocaGroup='mine', ocaType=2)))
    run.reaches(second, 'Accepted')
    assert (second.ocaGroup, second.ocaType) == ('mine', 2)
    lone = rests(run, ocaType=3)
    order = run.do(lambda s: s.sell(oco=lone, **dict(AWAY, ocaType=3)))
    run.ends(order, 'Rejected')
    for order in (first, second, lone):
        run.do(lambda s, order=order: s.cancel(order))
        run.until(lambda order=order: run.ended(order))


def test_p57_a_question_takes_whatever_an_order_takes(run):
    state = run.do(lambda s: s.broker.whatif(
        s.data, 10, exectype=Order.Limit, price=150.0, valid=Order.DAY, tradeid=1, oco=None, parent=None, owner=s,
        transmit=False, whatif=True, displaySize=5.0))
    assert state.commission == 1.0 and run.sent()[-1].order.transmit and run.sent()[-1].order.displaySize == 5


def test_p66_what_tws_refuses_to_price_is_refused_and_no_answer(run):
    with pytest.raises(RequestRefused, match='387'):
        run.do(lambda s: s.broker.whatif(s.data, 10, orderType='VOL'))
    order = run.do(lambda s: s.buy(size=10, orderType='VOL', whatif=True))
    run.ends(order, 'Rejected')
    assert '387' in order.info['message'] and 'whatif' not in order.info

    class Nothing:
        condType = 1
    with pytest.raises(BadOrder, match='never left'):
        run.do(lambda s: s.broker.whatif(s.data, 10, conditions=[Nothing()]))


@pytest.mark.parametrize('fault', [('cut', 'rst'), ('lost', '5')])
def test_p66_a_link_that_is_lost_before_the_answer_is_told_and_ends_no_run(fault):
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        def act(strategy):
            run.gateway.fault('drop', 'order', '1000')
            timer = threading.Timer(0.5, run.gateway.fault, fault)
            timer.start()
            return strategy.buy(size=10, whatif=True)
        order = run.do(act)
        run.ends(order, 'Rejected')
        assert 'lost' in order.info['message'] or 'onnect' in order.info['message']


def test_p10_p69_what_an_order_would_cost_is_asked_by_an_id_of_orders_which_go_on_by_one():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}, broker={'backfill_orders': True}) as run:
        first = run.do(lambda s: [s.buy(**LIMIT), s.broker.whatif(s.data, 10)][0])
        second = rests(run)
        assert [(sent.orderId, sent.order.whatIf) for sent in run.sent()] == [
            (first.orderId, False), (first.orderId + 1, True), (second.orderId, False)]
        assert second.orderId == first.orderId + 2
        run.gateway.fault('cut')
        run.until(lambda: any('connected again' in said for said in run.said))
        assert rests(run).orderId == second.orderId + 1


def test_p61_a_price_by_tws_s_name_is_the_price_and_none_is_as_it_was(run):
    order = rests(run)
    run.do(lambda s: s.broker.modify(order, lmtPrice=148.0, size=None))
    run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).order.lmtPrice == 148.0)
    assert (order.price, order.created.price, order.lmtPrice, order.size) == (148.0, 148.0, 148.0, 10)
    for changes in ({'price': 1.0, 'lmtPrice': 2.0}, {'plimit': 140.0}, {'size': 'many'}, {'size': 0}):
        assert run.do(lambda s, changes=changes: s.broker.modify(order, **changes)) is False
        assert order.info['message'].startswith('not changed: ') and order.info['message'] in run.said[-1]
    assert order.lmtPrice == 148.0
    run.do(lambda s: s.broker.modify(order, valid=datetime.timedelta(days=1)))
    run.until(lambda: order.tif == 'GTD' and order.life.before is None)
    run.do(lambda s: s.cancel(order))
    run.ends(order, 'Submitted', 'Accepted', 'Canceled')


def test_p54_p57_what_is_none_is_not_said(run):
    order = rests(run, tif=None, account=None, goodTillDate=None)
    assert run.sent()[-1].order.tif == 'GTC' and run.sent()[-1].order.account == stage.ACCOUNT
    run.do(lambda s: s.cancel(order))
    run.ends(order, 'Submitted', 'Accepted', 'Canceled')


def test_p57_a_bad_keyword_in_a_leg_takes_the_bracket_back(run):
    before = left_over(run)
    with pytest.raises(BadParameter, match='stopp'):
        run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0,
                                       limitargs={'stopp': 3}))
    run.until(lambda: not run.broker.get_orders_open())
    run.gateway.wait(lambda world: len(world.exchange.open_orders(1)) == len(before))


@pytest.mark.parametrize('name', ['oco', 'parent'])
def test_p56_p57_what_is_no_order_is_none_to_join_and_takes_the_bracket_back(run, name):
    legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0))
    with pytest.raises(BadParameter, match=name + '=.*must be one order'):
        run.do(lambda s: s.sell(**dict(LIMIT, price=400.0, **{name: legs})))
    run.do(lambda s: s.cancel(legs[0]))
    run.until(lambda: not run.broker.get_orders_open())

    def act(strategy):
        parent = strategy.buy(transmit=False, **LIMIT)
        with pytest.raises(BadParameter):
            strategy.sell(parent=parent, size=10, exectype=Order.Stop, price=100.0, oco=legs)
        return parent
    run.ends(run.do(act), 'Submitted', 'Canceled')


@pytest.mark.client_errors
def test_p53_what_left_of_a_bracket_before_the_link_was_lost_does_not_stay_untransmitted_at_tws():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        def act(strategy):
            parent = strategy.buy(transmit=False, **LIMIT)
            strategy.broker.store._release()
            run.gateway.wait(lambda world: world.exchange._book.find(1, parent.orderId))
            run.gateway.call(lambda world: (world.faults.inject('refuse', '20'), world.faults.inject('cut')))
            run.until(lambda: not run.store.call(lambda ib: ib.isConnected()))
            return parent, strategy.sell(parent=parent, exectype=Order.Stop, price=100.0, size=10)
        parent, child = run.do(act)
        # it depends on who hears of the loss first whether the child was tried to be sent
        run.until(lambda: run.ended(parent) and run.ended(child))
        assert run.life(child)[-1] == 'Rejected' and run.life(parent) == ['Submitted', 'Canceled']
        assert 'taken back' in ' '.join(parent.info['messages'])
        run.gateway.wait(lambda world: world.exchange._book.find(1, parent.orderId) is None)


@pytest.mark.client_errors
@pytest.mark.parametrize('refused', [0, 1])
def test_p53_what_arrived_of_a_bracket_whose_rest_the_dead_link_swallowed_does_not_stay_untransmitted_at_tws(refused):
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        def act(strategy):
            parent = strategy.buy(transmit=False, **LIMIT)
            strategy.broker.store._release()
            run.gateway.wait(lambda world: world.exchange._book.find(1, parent.orderId))
            for _ in range(refused):
                run.gateway.call(lambda world: world.exchange.scenario.refuse_next(321, 'not now', on='cancel'))
            run.gateway.fault('stall', '1000')
            child = strategy.sell(parent=parent, exectype=Order.Stop, price=100.0, size=10)
            strategy.broker.store._release()
            strategy.broker.store.call(lambda ib: None)
            run.gateway.fault('cut', 'rst')
            return parent, child
        for order in run.do(act):
            run.until(lambda order=order: run.ended(order))
            assert run.life(order) == ['Submitted', 'Rejected']
        run.gateway.wait(lambda world: not world.exchange._book.tickets())


@pytest.mark.client_errors
def test_p53_p57_a_leg_of_which_no_message_can_be_made_takes_the_bracket_back(run):
    class Nothing:
        condType = 1
    legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0,
                                          stopargs={'conditions': [Nothing()]}))
    run.until(lambda: all(run.ended(leg) for leg in legs))
    assert run.life(legs[1]) == ['Submitted', 'Rejected'] and run.life(legs[0])[-1] == 'Canceled'
    assert not run.broker.get_orders_open()


def test_p53_p58_a_bracket_of_three_generations_is_cancelled_when_tws_says_so(run):
    def three(strategy):
        first = strategy.buy(transmit=False, **LIMIT)
        second = strategy.sell(parent=first, transmit=False, exectype=Order.Limit, price=400.0, size=10)
        return first, second, strategy.buy(parent=second, exectype=Order.Limit, price=100.0, size=10)
    orders = run.do(three)
    for order in orders:
        run.reaches(order, 'Accepted')
    assert run.do(lambda s: s.broker.modify(orders[1], price=401.0))
    run.gateway.wait(lambda world: world.exchange._book.find(1, orders[1].orderId).order.lmtPrice == 401.0)
    run.scenario(lambda scenario: setattr(scenario, 'cancel_delay', 3.0))
    try:
        run.do(lambda s: s.cancel(orders[0]))
        assert all(order.alive() for order in orders)
        for order in orders:
            run.ends(order, 'Submitted', 'Accepted', 'Canceled')
    finally:
        run.scenario(lambda scenario: setattr(scenario, 'cancel_delay', 0.0))
    assert not left_over(run)


@pytest.mark.client_errors
@pytest.mark.parametrize('leg', [1, 2])
def test_p53_p59_a_bracket_of_which_tws_refuses_a_leg_is_taken_back(leg):
    with stage.open() as run:
        # a type that TWS has, but not for stocks (387)
        refused = {('stopargs', 'limitargs')[leg - 1]: {'orderType': 'VOL'}}
        legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0, **refused))
        run.until(lambda: all(run.ended(order) for order in legs))
        assert [run.life(order)[-1] == 'Rejected' for order in legs] == [False, leg == 1, leg == 2]
        assert 'taken back' in legs[0].info['messages'][0]
        assert not run.broker.get_orders_open()
        run.gateway.wait(lambda world: not any(
            ticket.ended is None for ticket in world.exchange._book.tickets()))


def test_p53_p59_what_guards_a_position_stays_when_another_leg_is_refused():
    with stage.open(broker={'commission_wait': 1000.0}) as run:
        # of the parent's fill strategies hear when its commission is there
        run.scenario(lambda scenario: setattr(scenario, 'commission_delay', 5.0))

        def three(strategy):
            main = strategy.buy(size=10, transmit=False)
            limit = strategy.sell(parent=main, size=10, exectype=Order.Limit, price=400.0, transmit=False,
                                  orderType='VOL')
            return main, limit, strategy.sell(parent=main, size=10, exectype=Order.Stop, price=100.0)
        main, limit, stop = run.do(three)
        run.until(lambda: run.ended(limit) and run.ended(main))
        assert run.life(limit)[-1] == 'Rejected' and run.life(main)[-1] == 'Completed'
        run.do(lambda s: None)
        assert stop.alive() and len(left_over(run)) == 1


def test_p53_p58_a_change_of_a_working_parent_transmits_no_child_that_is_held_back():
    with stage.open() as run:
        parent = rests(run)
        child = run.do(lambda s: s.sell(parent=parent, exectype=Order.Stop, price=100.0, size=10, transmit=False))
        run.gateway.wait(lambda world: world.exchange._book.find(1, child.orderId))
        assert run.do(lambda s: s.broker.modify(parent, price=149.0))
        run.gateway.wait(lambda world: world.exchange._book.find(1, parent.orderId).order.lmtPrice == 149.0)
        run.do(lambda s: s.cancel(child))
        run.ends(child, 'Submitted', 'Canceled')
        assert parent.alive()


def test_p53_a_leg_that_is_given_to_a_working_order_and_refused_leaves_it_alone():
    with stage.open() as run:
        parent = rests(run)
        run.scenario(lambda scenario: scenario.refuse_next(201, 'Order rejected - reason:for now', on='place'))
        child = run.do(lambda s: s.sell(parent=parent, exectype=Order.Stop, price=100.0, size=10))
        run.ends(child, 'Submitted', 'Rejected')
        run.do(lambda s: None)
        assert parent.alive() and not parent.info['messages']


# -- without a link ----------------------------------------------------------------------------------------------------

def test_p58_p61_without_a_link_a_change_is_not_made_and_a_cancel_comes_later():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        order, other = rests(run), rests(run)

        def act(strategy):
            run.gateway.call(lambda world: (world.faults.inject('refuse', '20'), world.faults.inject('cut')))
            run.until(lambda: not run.store.link.up or run.store.link.drain())
            return strategy.broker.modify(order, price=151.0), strategy.broker.cancel(other)
        assert run.do(act) == (False, False)
        assert order.info['message'].startswith('not changed: ') and order.lmtPrice == 150.0
        run.ends(other, 'Submitted', 'Accepted', 'Canceled')
        assert order.alive()


@pytest.mark.client_errors
def test_p60_p67_what_was_told_as_cancelled_and_shows_at_work_after_a_reconnection_is_cancelled():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        order = rests(run)
        run.scenario(lambda scenario: scenario.refuse_next(10147, 'not found', on='cancel'))
        run.do(lambda s: s.cancel(order))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        run.gateway.fault('cut')
        run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).status == 'Cancelled')
        assert sum('TWS works it' in said for said in run.said) == 1


@pytest.mark.client_errors
def test_p61_a_question_about_an_order_that_tws_does_not_answer_is_asked_again(monkeypatch):
    monkeypatch.setattr(synchroniser, 'STEP_SECONDS', 0.5)
    monkeypatch.setattr(doubts, 'ANSWER_SECONDS', 1.0)
    with stage.open() as run:
        order = rests(run)
        run.scenario(lambda scenario: scenario.refuse_next(
            201, 'Order rejected - reason:for now', on='modify', inactive=False))
        run.gateway.fault('drop', 'OpenOrderEnd')
        run.do(lambda s: s.broker.modify(order, price=151.0))
        run.until(lambda: order.price == order.lmtPrice == 150.0 and not order.life.doubt)
        assert run.do(lambda s: s.broker.modify(order, price=152.0))
        run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).order.lmtPrice == 152.0)
        assert run.life(order) == ['Submitted', 'Accepted']


@pytest.mark.client_errors
def test_p60_p61_an_order_in_doubt_lives_while_tws_is_read_only_and_lists_none(monkeypatch):
    monkeypatch.setattr(doubts, 'ANSWER_SECONDS', 0.5)
    with stage.open() as run:
        order = rests(run)
        run.gateway.fault('readonly', '15')
        asked = len(run.sent('ReqOpenOrders'))

        def twice(strategy):
            for price in (151.0, 152.0):
                strategy.broker.modify(order, price=price)
                strategy.broker.store._release()
        run.do(twice)
        run.until(lambda: len(run.sent('ReqOpenOrders')) > asked + 1)
        assert order.alive() and order.life.doubt
        run.until(lambda: not order.life.doubt)
        assert order.price == order.lmtPrice == 150.0 and run.life(order) == ['Submitted', 'Accepted']
        assert run.do(lambda s: s.broker.modify(order, price=153.0))


def test_p67_a_run_that_ends_on_its_own_hears_of_its_last_order(make_gateway, store):
    gateway = make_gateway(messages_per_second=0)
    made = store(gateway)
    broker = made.getbroker()
    feed = made.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes, historical=True,
                        fromdate=datetime.datetime(2024, 11, 20, 9, 40), todate=datetime.datetime(2024, 11, 20, 9, 50))
    orders = []
    recorder = helpers.run(feed, broker=broker, act=lambda strategy: orders or orders.append(strategy.buy(size=10)))
    assert orders[0].status == Order.Completed and orders[0].executed.size == 10
    assert broker.getposition(recorder.data).size == 10


def test_p58_what_is_no_order_is_not_cancelled(run):
    legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopexec=None, limitprice=400.0))
    assert legs[1] is None
    assert run.do(lambda s: [s.cancel(leg) for leg in legs]) and run.do(lambda s: s.broker.cancel(None)) is False
    run.until(lambda: not run.broker.get_orders_open())


def test_p64_an_account_that_the_login_does_not_have_is_told_of(make_gateway, store):
    made = store(make_gateway(messages_per_second=0))
    feed = made.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Ticks, backfill_start=False)
    told = helpers.run(feed, broker=made.getbroker(account='NOPE'), until=lambda strategy: any(
        "account 'NOPE': this login has U1234567" in str(said) for said in strategy.messages))
    assert told.broker.getcash() == 0.0


def test_p62_a_commission_in_another_currency_than_the_contract_s_is_worth_a_word():
    with stage.open(datanames=('USD.JPY-CASH-IDEALPRO',)) as run:
        for _ in range(2):
            run.ends(run.do(lambda s: s.buy(size=20000)), *FULL)
        told = [said for said in run.said if 'come in USD: they are added' in said]
        assert len(told) == 1 and 'JPY' in told[0]


# -- a group with a leg of a bracket -----------------------------------------------------------------------------------

@pytest.mark.parametrize('is_at_once', [True, False])
@pytest.mark.parametrize('filled', ['limit', 'stop', 'other'])
def test_p53_p56_an_order_in_a_group_with_a_leg_of_a_bracket_ends_with_it_and_ends_both_legs(is_at_once, filled):
    with stage.open() as run:
        def join(strategy, legs):
            return strategy.sell(oco=legs[2], **AWAY)

        def both(strategy):
            legs = strategy.buy_bracket(size=10, exectype=Order.Market, stopprice=100.0, limitprice=450.0)
            return legs, join(strategy, legs) if is_at_once else None
        legs, other = run.do(both)
        run.ends(legs[0], *FULL)
        if not is_at_once:
            run.reaches(legs[2], 'Accepted')
            other = run.do(lambda s: join(s, legs))
        for order in legs[1:] + [other]:
            run.reaches(order, 'Accepted')
        ends = {'limit': legs[2], 'stop': legs[1], 'other': other}
        if filled == 'stop':
            run.gateway.call(lambda world: world.exchange._floor.fill(
                world.exchange._book.find(1, legs[1].orderId), world.now, 100.0, 10))
        else:
            run.gateway.call(lambda world: fill(world, ends[filled].orderId, 100.0))
        for name, order in ends.items():
            run.until(lambda order=order: run.ended(order))
            assert run.life(order)[-1] == ('Completed' if name == filled else 'Canceled'), name
        agrees(run)
        assert run.position().size == 0 and not left_over(run)


# -- one contract in two feeds -----------------------------------------------------------------------------------------

def test_p62_p84_a_late_commission_and_a_correction_reach_the_trade_that_took_the_fill():
    with stage.open(datanames=('AAPL-STK-SMART-USD',) * 2, broker={'commission_wait': 0.1}) as run:
        first, second = run.datas
        run.until(lambda: run.do(lambda s: len(second)))
        run.ends(run.do(lambda s: s.buy(data=first, size=10)), *FULL)
        run.scenario(lambda scenario: setattr(scenario, 'commission_delay', 5.0))
        sold = run.do(lambda s: s.sell(data=second, size=10))
        run.ends(sold, *FULL)
        trade = run.strategy._trades[first][0][-1]
        run.until(lambda: sold.executed.comm > 0)
        run.do(lambda s: None)
        earned = trade.pnl
        run.gateway.call(lambda world: world.exchange.correct(
            world.now, world.exchange._fills.all()[-1].execution.execId, price=sold.executed.price + 1.0))
        run.until(lambda: trade.pnl == pytest.approx(earned + 10.0))
        run.until(lambda: trade.pnlcomm == pytest.approx(run.ledger()[1]['USD'] - 1e6))


def test_p84_p88_what_one_feed_opens_an_order_of_another_feed_of_the_contract_closes():
    with stage.open(datanames=('AAPL-STK-SMART-USD',) * 2) as run:
        first, second = run.datas
        run.until(lambda: run.do(lambda s: len(second)))
        run.ends(run.do(lambda s: s.buy(data=first, size=10)), *FULL)
        run.ends(run.do(lambda s: s.sell(data=second, size=4)), *FULL)
        run.ends(run.do(lambda s: s.close(data=second)), *FULL)
        run.until(lambda: run.trades[-1].isclosed)
        assert {trade.ref for trade in run.trades} == {run.trades[0].ref} and run.trades[-1].data is first
        assert run.position().size == 0
        # what begins anew is of its own feed
        run.ends(run.do(lambda s: s.buy(data=second, size=3)), *FULL)
        run.until(lambda: run.trades[-1].isopen)
        assert run.trades[-1].data is second and run.trades[-1].size == 3


# -- another contract than that of the bars ----------------------------------------------------------------------------

@pytest.mark.parametrize('is_other', [True, False])
def test_p66_the_last_close_of_another_contract_is_no_price_of_what_is_traded(is_other):
    tradename = 'AAPL-20241220-SMART-USD-200-CALL' if is_other else 'AAPL-STK-SMART-USD'
    with stage.open(feed={'tradename': tradename}) as run:
        order = run.do(lambda s: s.sell(size=1, exectype=Order.StopTrailLimit, trailamount=50.0))
        if is_other:
            # a stop at 160 would sell an option of 15 at once
            run.ends(order, 'Rejected')
            assert 'tradename' in order.info['message'] and run.sent() == []
            order = run.do(lambda s: s.sell(size=1, exectype=Order.StopTrailLimit, trailamount=5.0, price=15.0))
        run.reaches(order, 'Accepted')
