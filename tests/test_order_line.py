"""Orders between `buy()` and the wire: groups made at first sight, bursts, what follows an order that still waits."""
import threading

import backtrader as bt
import pytest
from test_trading import FULL, LIMIT, agrees, rests

import stage
from backtrader_ib_insync import heartbeat, order_line, simulator
from backtrader_ib_insync.messages import Lost, Restored

Order = bt.Order


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """A pass that a busy machine interrupts is no shorter: what waits is let go by its end."""
    monkeypatch.setattr(order_line, 'HOLD_SECONDS', 10.0)


def three(strategy):
    """backtrader's own way to a group: one names the other, all in one `next`."""
    first = strategy.buy(**LIMIT)
    return [first, strategy.sell(size=10, exectype=Order.Stop, price=100.0, oco=first),
            strategy.sell(size=10, exectype=Order.Limit, price=500.0, oco=first)]


def wire(run):
    return [asked.order for asked in run.sent()]


# -- groups ------------------------------------------------------------------------------------------------------------

def test_p56_orders_of_one_next_are_a_group_from_the_first_that_tws_sees_of_them():
    with stage.open() as run:
        orders = run.do(three)
        for order in orders:
            run.reaches(order, 'Accepted')
        sent = wire(run)
        assert [order.orderId for order in sent] == [order.orderId for order in orders]
        assert len({order.ocaGroup for order in sent}) == 1 and sent[0].ocaGroup
        assert {order.ocaType for order in sent} == {1}
        assert not any(order.info['messages'] for order in orders)
        run.do(lambda s: s.broker.modify(orders[2], price=150.0))
        run.ends(orders[2], *FULL)
        for order in orders[:2]:
            run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        # it was TWS that cancelled them: this holds when no process is there
        assert run.sent('CancelOrder') == []
        agrees(run)


def test_p56_a_group_is_one_though_the_loop_thread_had_no_turn_for_longer_than_an_order_waits(monkeypatch):
    monkeypatch.setattr(order_line, 'HOLD_SECONDS', 0.0)
    with stage.open() as run:
        def act(strategy):
            busy, ordered = threading.Event(), threading.Event()
            occupied = threading.Thread(target=run.store.call, args=(lambda ib: busy.set() or ordered.wait(15.0),))
            occupied.start()
            assert busy.wait(15.0)
            orders = three(strategy)
            ordered.set()
            occupied.join()
            return orders
        orders = run.do(act)
        for order in orders:
            run.reaches(order, 'Accepted')
        sent = wire(run)
        assert [order.orderId for order in sent] == [order.orderId for order in orders]
        assert len({order.ocaGroup for order in sent}) == 1 and sent[0].ocaGroup


def test_p56_an_order_that_joins_one_at_work_is_kept_with_it_by_the_broker():
    with stage.open() as run:
        first = rests(run)
        second = run.do(lambda s: s.sell(size=10, exectype=Order.Limit, price=500.0, oco=first))
        run.reaches(second, 'Accepted')
        assert not first.ocaGroup and second.ocaGroup and first.info['messages'] == []
        run.do(lambda s: s.broker.modify(second, price=150.0))
        run.ends(second, *FULL)
        run.ends(first, 'Submitted', 'Accepted', 'Canceled')
        assert [asked.orderId for asked in run.sent('CancelOrder')] == [first.orderId]


def test_p56_a_group_that_comes_after_the_order_has_left_is_kept_by_the_broker_all_the_same(monkeypatch):
    with stage.open() as run:
        def late(strategy):
            first = strategy.buy(**LIMIT)
            strategy.broker.store._release()
            run.gateway.wait(lambda world: world.exchange.open_orders())
            return first, strategy.sell(size=10, exectype=Order.Limit, price=500.0, oco=first)
        first, second = run.do(late)
        run.until(lambda: first.info['code'] == 10326)
        run.reaches(second, 'Accepted')
        run.do(lambda s: s.broker.modify(second, price=150.0))
        run.ends(second, *FULL)
        run.ends(first, 'Submitted', 'Accepted', 'Canceled')


# -- what follows an order that still waits ----------------------------------------------------------------------------

def test_a_change_of_an_order_that_waits_is_what_is_sent():
    with stage.open() as run:
        def act(strategy):
            order = strategy.buy(**LIMIT)
            assert strategy.broker.modify(order, price=151.0, size=7)
            return order
        order = run.do(act)
        run.reaches(order, 'Accepted')
        sent, = wire(run)
        assert (sent.lmtPrice, sent.totalQuantity, sent.transmit) == (151.0, 7, True)
        assert (order.lmtPrice, order.size) == (151.0, 7)


def test_p53_a_bracket_that_is_changed_while_it_waits_stays_one_group():
    with stage.open() as run:
        def act(strategy):
            legs = strategy.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0)
            assert strategy.broker.modify(legs[0], price=149.0)
            return legs
        legs = run.do(act)
        run.reaches(legs[2], 'Accepted')
        sent = wire(run)
        assert [order.orderId for order in sent] == [leg.orderId for leg in legs]
        assert [order.transmit for order in sent] == [False, False, True]
        assert [order.lmtPrice for order in sent][::2] == [149.0, 400.0]


def test_p58_a_cancel_in_the_same_next_follows_the_order():
    with stage.open() as run:
        def act(strategy):
            order = strategy.buy(**LIMIT)
            strategy.cancel(order)
            return order
        order = run.do(act)
        run.until(lambda: run.ended(order))
        assert run.life(order)[-1] == 'Canceled' and len(wire(run)) == 1
        names = run.gateway.call(lambda world: [type(asked.request).__name__ for asked in world.requests])
        assert names.index('PlaceOrder') < names.index('CancelOrder')


def test_p07_a_next_that_goes_on_computing_does_not_keep_its_order(monkeypatch):
    monkeypatch.setattr(order_line, 'HOLD_SECONDS', 0.01)
    with stage.open() as run:
        def act(strategy):
            order = strategy.buy(**LIMIT)
            # next() is not done before the order is at the exchange
            run.gateway.wait(lambda world: world.exchange.open_orders())
            return order
        run.reaches(run.do(act), 'Accepted')


# -- the link dies meanwhile -------------------------------------------------------------------------------------------

def test_p66_orders_that_wait_when_the_link_dies_are_rejected_and_never_sent():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        known = rests(run)

        def act(strategy):
            orders = three(strategy) + list(strategy.buy_bracket(size=10, price=150.0, stopprice=1.0, limitprice=400.0))
            strategy.broker.modify(known, price=149.0)
            run.gateway.fault('refuse', '5')
            run.gateway.fault('cut')
            # the pass goes on, and knows nothing of it yet
            run.until(lambda: any(isinstance(record, Lost) for record in run.store.link.inbox))
            return orders
        orders = run.do(act)
        for order in orders:
            run.ends(order, 'Submitted', 'Rejected')
            assert 'never left' in order.info['message']
        assert known.alive() and known.lmtPrice == 150.0
        run.until(lambda: run.statuses.count('LIVE') == 2)
        again = rests(run)
        assert [order.orderId for order in wire(run)] == [known.orderId, again.orderId]


def test_p61_a_change_that_the_link_swallowed_is_not_believed(monkeypatch):
    monkeypatch.setattr(heartbeat, 'DEAD_SECONDS', 0.6)
    with stage.open(store={'reconnect': -1, 'timeout': 0.1, 'timerefresh': 0.3}) as run:
        order = rests(run)
        run.gateway.fault('stall', '1d')
        assert run.do(lambda s: s.broker.modify(order, price=149.0, tif='DAY'))
        assert order.lmtPrice == 149.0
        run.until(lambda: any('connected again' in said for said in run.said))
        run.until(lambda: order.lmtPrice == 150.0)
        assert order.alive() and order.tif == 'GTC' and order.created.price == 150.0
        assert 'without the change' in order.info['message'] and run.life(order) == ['Submitted', 'Accepted']
        assert [asked.order.lmtPrice for asked in run.sent()] == [150.0]


def test_p66_a_change_or_cancel_of_an_order_that_a_lost_link_kept_here_is_not_sent():
    with stage.open() as run:
        def act(strategy):
            order = strategy.buy(**LIMIT)
            # by then the order waits on the loop thread
            run.store.call(lambda ib: None)
            run.gateway.fault('lost', '1')
            # the pass goes on till all is well again, and knows nothing of it
            run.until(lambda: any(isinstance(record, Restored) for record in list(run.store.link.inbox)))
            assert strategy.broker.modify(order, price=149.0)
            strategy.cancel(order)
            return order
        order = run.do(act)
        run.ends(order, 'Submitted', 'Rejected')
        again = rests(run)
        assert [order.orderId for order in wire(run)] == [again.orderId]
        assert run.sent('CancelOrder') == []


def test_p66_what_waits_for_its_turn_when_tws_loses_ib_is_rejected():
    with stage.open(gateway={'messages_per_second': 50}) as run:
        orders = run.do(lambda s: [s.buy(**LIMIT) for _ in range(100)])
        run.gateway.fault('lost', '1')
        run.until(lambda: all(order.status in (Order.Accepted, Order.Rejected) for order in orders), 30)
        refused = [order for order in orders if order.status == Order.Rejected]
        assert refused and all(run.life(order) == ['Submitted', 'Rejected'] for order in refused)
        run.until(lambda: run.store.link.up)
        working = run.gateway.call(lambda world: [opened.order.orderId for opened, _ in world.exchange.open_orders()])
        assert working == [order.orderId for order in orders if order not in refused]


# -- leaving -----------------------------------------------------------------------------------------------------------

def test_p69_what_waits_when_the_store_is_stopped_is_sent_in_its_group():
    with simulator.running(messages_per_second=0) as gateway:
        with stage.open(served=gateway) as run:
            def act(strategy):
                orders = three(strategy)
                # cerebro.stop() comes before any further pass
                strategy.env.runstop()
                return orders
            run.do(act)
        # it may be reading still
        gateway.wait(lambda world: len(world.exchange.open_orders()) == 3)
        groups = gateway.call(lambda world: {opened.order.ocaGroup for opened, _ in world.exchange.open_orders()})
        assert len(groups) == 1 and all(groups)


# -- its turn ----------------------------------------------------------------------------------------------------------

def test_an_order_does_not_wait_behind_what_feeds_ask():
    with stage.open(gateway={'messages_per_second': 50}) as run:
        run.store.call(lambda ib: [ib.client.reqIds(1) for _ in range(200)])
        orders = run.do(lambda s: [s.buy(**LIMIT) for _ in range(10)])
        run.until(lambda: len(wire(run)) == 10)
        assert [order.orderId for order in wire(run)] == [order.orderId for order in orders]
        assert len(run.sent('ReqIds')) < 150
        assert not any(said.startswith('100 ') for said in run.said)
