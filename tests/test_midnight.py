"""TWS lists the executions, and the orders that are done, of the day alone: what was missed before midnight."""
import contextlib

import backtrader as bt
import pytest
from test_trading import fill_now

import stage

Order = bt.Order
MINUTE = 60.0
ASKED = {'size': 5, 'exectype': Order.Limit, 'price': 3000.0}


@contextlib.contextmanager
def late_in_the_evening():
    with stage.open(live=False, datanames=('ES-202412-CME-USD-50',), broker={'backfill_orders': True},
                    store={'reconnect': -1, 'timeout': 0.2},
                    gateway={'speed': 0, 'start': '2024-11-20 23:50 US/Eastern'}) as run:
        run.until(lambda: getattr(run.datas[0], 'tradecontract', None))
        yield run


def accepted(run, **asked):
    order = run.do(lambda s: s.buy(**dict(ASKED, **asked)))
    run.reaches(order, 'Accepted')
    return order


def is_away_over_midnight(run, happens):
    """The link is lost; `happens(world)`; it is back after midnight, and time goes on till all have ended."""
    def act(world):
        world.faults.inject('cut')
        world.faults.inject('refuse', '1000')
        happens(world)
    run.gateway.call(act)
    for _ in range(17):
        run.gateway.advance(MINUTE)

    def is_over():
        run.gateway.advance(0.5)
        return any('connected again' in said for said in run.said)
    run.until(is_over)


def ends(run, order):
    def has_ended():
        run.gateway.advance(0.5)
        return run.ended(order)
    run.until(has_ended)
    assert run.position().size == run.ledger('ES')[0]
    return run.life(order)[-1], order.executed.size


def cancelled(world, order):
    world.exchange.cancel_by_hand(world.now, order.permId)


def test_p67_an_order_filled_before_midnight_while_the_link_was_cut_is_told_as_filled():
    with late_in_the_evening() as run:
        order, other = accepted(run), accepted(run, price=2900.0)
        is_away_over_midnight(run, lambda world: fill_now(world, order.orderId, 9000.0))
        assert ends(run, order) == ('Completed', 5)
        assert order.executed.price == pytest.approx(run.position().price)
        assert other.alive() and run.position().size == 5


def test_p67_what_was_filled_of_an_order_before_it_was_cancelled_is_told():
    with late_in_the_evening() as run:
        order = accepted(run)
        run.scenario(lambda scenario: scenario.partial('ES', [2]))
        is_away_over_midnight(run, lambda world: (fill_now(world, order.orderId, 9000.0), cancelled(world, order)))
        assert ends(run, order) == ('Canceled', 2)


def test_p67_an_order_that_was_cancelled_before_midnight_has_filled_nothing():
    with late_in_the_evening() as run:
        lost, other = accepted(run), accepted(run, price=2900.0)
        is_away_over_midnight(run, lambda world: cancelled(world, lost))
        assert ends(run, lost) == ('Canceled', 0)
        assert other.alive()


def test_p67_of_two_orders_that_may_have_been_filled_neither_is_taken_to_be():
    with late_in_the_evening() as run:
        orders = first, second = accepted(run), accepted(run, price=2900.0)
        is_away_over_midnight(run, lambda world: (fill_now(world, second.orderId, 9000.0), cancelled(world, first)))
        assert [ends(run, order) for order in orders] == [('Canceled', 0)] * 2
        assert any('the position in ESZ4 is 5 now' in said for said in run.said)


def test_p67_of_an_order_that_works_on_after_midnight_all_is_told_when_it_is_filled():
    with late_in_the_evening() as run:
        order = accepted(run)
        run.scenario(lambda scenario: scenario.partial('ES', [2] + [0] * 100000))
        is_away_over_midnight(run, lambda world: fill_now(world, order.orderId, 9000.0))
        assert order.alive() and run.position().size == 2
        run.scenario(lambda scenario: scenario._partials.clear())
        assert ends(run, order) == ('Completed', 5)
        assert run.position().size == 5


def test_p67_a_move_that_another_order_owes_is_not_taken_for_one_of_an_order_that_is_gone():
    with late_in_the_evening() as run:
        works, gone = accepted(run), accepted(run, price=2900.0)
        run.scenario(lambda scenario: scenario.partial('ES', [2] + [0] * 100000))
        is_away_over_midnight(run, lambda world: (fill_now(world, works.orderId, 9000.0), cancelled(world, gone)))
        assert ends(run, gone) == ('Canceled', 0)
        run.scenario(lambda scenario: scenario._partials.clear())
        assert ends(run, works) == ('Completed', 5)
        assert run.position().size == 5


def test_p67_what_was_closed_over_midnight_need_not_have_been_closed_by_the_order_that_is_gone():
    """It may have expired, or been sold by hand: the price of the order would make up a profit."""
    with late_in_the_evening() as run:
        bought = run.do(lambda s: s.buy(size=5))
        assert ends(run, bought) == ('Completed', 5)
        sale = run.do(lambda s: s.sell(size=5, exectype=Order.Limit, price=9000.0))
        run.reaches(sale, 'Accepted')

        def happens(world):
            future = [held for held in world.ledger.positions(stage.ACCOUNT) if held.position][0]
            world.ledger.give(stage.ACCOUNT, world.market.by_conId(future.contract.conId), 0, 0.0)
            cancelled(world, sale)
        is_away_over_midnight(run, happens)
        assert ends(run, sale) == ('Canceled', 0)
        assert sale.executed.pnl == 0.0
