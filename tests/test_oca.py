"""One-cancels-all groups that TWS would not keep, because one of the orders worked already: the broker keeps them."""
import backtrader as bt
import pytest
from test_trading import FULL, LIMIT, agrees, fill_now, rests

import stage
from backtrader_ib_insync import simulator

Order = bt.Order
AWAY = {'size': 10, 'exectype': Order.Limit, 'price': 500.0}
LINK = {'reconnect': -1, 'timeout': 0.2}


def joins(run, other, **asked):
    """An order to sell that joins `other` and works."""
    order = run.do(lambda s: s.sell(oco=other, **dict(AWAY, **asked)))
    run.reaches(order, 'Accepted')
    return order


def fill(world, orderId, price=400.0):
    """The market comes to an order."""
    ticket = world.exchange._book.find(1, orderId)
    world.exchange.place(world.now, 1, ticket.order.replace(lmtPrice=price), ticket.contract, ticket.instrument)


def test_p56_tws_is_not_asked_for_a_group_it_would_refuse():
    with stage.open() as run:
        first = rests(run)
        second, third = joins(run, first), joins(run, first, price=510.0)
        assert [asked.order.orderId for asked in run.sent()] == [first.orderId, second.orderId, third.orderId]
        assert not first.ocaGroup and second.ocaGroup == third.ocaGroup != ''
        assert first.info['messages'] == []
        run.do(lambda s: s.broker.modify(second, price=150.0))
        run.ends(second, *FULL)
        for order in (first, third):
            run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        agrees(run)


@pytest.mark.parametrize('cancelled', [0, 1, 2])
def test_p56_who_cancels_one_of_a_group_that_we_keep_cancels_all_of_it(cancelled):
    with stage.open() as run:
        first = rests(run)
        group = first, joins(run, first), joins(run, first, price=510.0)
        alone = rests(run)
        run.do(lambda s: s.cancel(group[cancelled]))
        for order in group:
            run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert alone.alive()


def test_p56_who_cancels_one_of_a_group_that_tws_keeps_cancels_all_of_it():
    with stage.open() as run:
        def pair(strategy):
            first = strategy.buy(**LIMIT)
            return first, strategy.sell(oco=first, **AWAY)
        first, second = run.do(pair)
        run.reaches(second, 'Accepted')
        run.do(lambda s: s.cancel(first))
        for order in (first, second):
            run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert [asked.orderId for asked in run.sent('CancelOrder')] == [first.orderId]


def test_p56_the_others_are_cancelled_before_the_commission_is_known():
    with stage.open(broker={'commission_wait': 1000.0}) as run:
        first = rests(run)
        second = joins(run, first)
        run.scenario(lambda scenario: setattr(scenario, 'commission', 'missing'))
        run.gateway.call(lambda world: fill(world, first.orderId))
        run.ends(second, 'Submitted', 'Accepted', 'Canceled')
        assert 'Completed' not in run.life(first)


@pytest.mark.parametrize('fault', [('cut',), ('lost', '5')])
@pytest.mark.parametrize('filled', [0, 1])
def test_p56_p67_an_order_filled_while_the_link_was_down_ends_its_group(fault, filled):
    with stage.open(store=LINK) as run:
        first = rests(run)
        group = first, joins(run, first), joins(run, first, price=510.0)

        def act(world):
            world.faults.inject(*fault)
            fill(world, group[filled].orderId, (400.0, 150.0)[filled])
        run.gateway.call(act)
        for order in group:
            run.until(lambda order=order: run.ended(order))
        assert [run.life(order)[-1] for order in group].count('Canceled') == 2
        assert run.life(group[filled])[-1] == 'Completed'
        run.until(lambda: run.position().size == run.ledger()[0])


def earlier(gateway):
    """The ids of a group that an earlier run has left: the first is in it by our word alone."""
    with stage.open(served=gateway) as run:
        first = rests(run)
        second = joins(run, first)
        return first.orderId, second.orderId


def test_p56_p68_a_group_is_kept_after_a_restart():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        first, second = earlier(gateway)
        with stage.open(served=gateway) as run:
            orders = run.until(lambda: len(run.broker.get_orders_open()) == 2 and run.broker.get_orders_open())
            third = joins(run, orders[1], price=510.0)
            gateway.call(lambda world: fill(world, first))
            for order in orders + [third]:
                run.until(lambda order=order: run.ended(order))
            assert [run.life(order)[-1] for order in orders] == ['Completed', 'Canceled']
            assert run.life(third)[-1] == 'Canceled'


@pytest.mark.parametrize('filled', [0, 1])
def test_p56_p68_an_order_filled_while_no_process_was_there_ends_its_group(filled):
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        ids = earlier(gateway)
        gateway.call(lambda world: fill(world, ids[filled], (400.0, 150.0)[filled]))
        gateway.wait(lambda world: len(world.exchange.open_orders(1)) == 1)
        with stage.open(served=gateway) as run:
            left, = run.until(lambda: [order for order in run.orders if order.orderId == ids[1 - filled]][:1])
            run.until(lambda: run.ended(left))
            assert run.life(left) == ['Accepted', 'Canceled']
            assert gateway.call(lambda world: world.exchange.open_orders(1)) == []


def test_p56_an_order_that_joins_one_that_was_filled_on_its_way_is_cancelled():
    with stage.open() as run:
        def act(strategy):
            first = strategy.buy(size=10)
            strategy.broker.store._release()
            # filled, and nobody here has heard of it
            run.gateway.wait(lambda world: world.exchange.executions())
            return first, strategy.sell(oco=first, **AWAY)
        first, second = run.do(act)
        run.ends(first, *FULL)
        run.until(lambda: run.ended(second))
        assert run.life(second)[-1] == 'Canceled'
        agrees(run)


def test_p56_of_two_orders_of_one_next_the_first_may_be_filled_before_the_other_arrives():
    with stage.open() as run:
        first, second = run.do(lambda s: (lambda made: (made, s.sell(oco=made, **AWAY)))(s.buy(size=10)))
        run.ends(first, *FULL)
        run.ends(second, 'Submitted', 'Accepted', 'Canceled')
        agrees(run)


@pytest.mark.parametrize('filled', [0, 1])
def test_p56_p68_what_is_left_of_an_order_that_was_filled_in_part_goes_on(filled):
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        ids = earlier(gateway)
        gateway.call(lambda world: world.exchange.scenario.partial('AAPL', [4, 1000]))
        gateway.call(lambda world: fill(world, ids[filled], (400.0, 150.0)[filled]))
        gateway.wait(lambda world: world.exchange.executions())
        gateway.call(lambda world: fill(world, ids[filled], (150.0, 500.0)[filled]))
        with stage.open(served=gateway) as run:
            orders = run.until(lambda: len({order.orderId for order in run.orders}) == 2 and list(run.orders))
            by_id = {order.orderId: order for order in orders}
            run.until(lambda: run.ended(by_id[ids[1 - filled]]))
            assert run.life(by_id[ids[1 - filled]])[-1] == 'Canceled'
            gateway.call(lambda world: fill(world, ids[filled], (400.0, 150.0)[filled]))
            run.until(lambda: run.ended(by_id[ids[filled]]))
            assert run.life(by_id[ids[filled]])[-1] == 'Completed'
            agrees(run)


def test_p56_a_fill_that_tws_tells_by_its_status_alone_ends_a_group_that_we_keep():
    with stage.open() as run:
        order = rests(run)
        other = rests(run, oco=order, price=149.0)
        run.gateway.fault('drop', 'execution', '100')
        run.gateway.call(lambda world: fill_now(world, order.orderId))
        run.ends(order, *FULL)
        run.until(lambda: run.ended(other))
        assert run.life(other)[-1] == 'Canceled'


def test_p53_what_tws_reduces_by_itself_is_left_alone():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            legs = run.do(lambda s: s.buy_bracket(size=10, exectype=Order.Market, stopprice=100.0, limitprice=500.0))
            run.ends(legs[0], *FULL)
            run.reaches(legs[2], 'Accepted')
        # the group that TWS made of them shows only now
        with stage.open(served=gateway) as run:
            orders = run.until(lambda: len(run.broker.get_orders_open()) == 2 and run.broker.get_orders_open())
            stop, limit = sorted(orders, key=lambda order: order.orderId)
            gateway.call(lambda world: world.exchange.scenario.partial('AAPL', [4, 1000]))
            gateway.call(lambda world: fill(world, limit.orderId, 150.0))
            run.until(lambda: run.ended(limit) and run.ended(stop))
            assert run.life(limit)[-1] == 'Completed'
            assert run.sent('CancelOrder') == []
            agrees(run)


@pytest.mark.client_errors
def test_p56_an_order_in_doubt_when_its_group_ends_is_cancelled_when_it_turns_out_to_work():
    with stage.open() as run:
        first = rests(run)
        second = joins(run, first)
        run.scenario(lambda scenario: scenario.refuse_next(201, 'Order rejected - reason:for now', on='cancel'))

        def act(strategy):
            strategy.cancel(second)
            run.gateway.wait(lambda world: not world.exchange.scenario._refusals)
            run.gateway.call(lambda world: fill(world, first.orderId))
        run.do(act)
        run.ends(first, *FULL)
        run.ends(second, 'Submitted', 'Accepted', 'Canceled')
        assert run.gateway.call(lambda world: world.exchange.open_orders(1)) == []


@pytest.mark.client_errors
@pytest.mark.parametrize('code', [161, 321, 10999])
def test_p56_a_cancel_that_tws_refuses_is_asked_again_for_what_should_be_no_more(code):
    with stage.open() as run:
        first = rests(run)
        second = joins(run, first)
        run.scenario(lambda scenario: scenario.refuse_next(code, 'not now', on='cancel'))
        run.gateway.call(lambda world: fill(world, first.orderId))
        run.ends(first, *FULL)
        run.ends(second, 'Submitted', 'Accepted', 'Canceled')
        assert [asked.orderId for asked in run.sent('CancelOrder')] == [second.orderId] * 2
