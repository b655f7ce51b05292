"""Random lives that a restart breaks off: what TWS has of them is found, told, and can be ended by the run after it."""
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import stage
from backtrader_ib_insync import order_life, simulator
from backtrader_ib_insync.simulator import requests
from test_order_lives import FATES, GATEWAY, OPTIONS, OURS, PRICES, SIZES, Life, impatient, terms
from test_trading import FULL, fill_now, rests

#: restarts in the suite; BT_IB_RESTARTS=300 for so many others
RESTARTS = int(os.environ.get('BT_IB_RESTARTS', 0))

#: what somebody does in TWS's window while nobody is connected; the number picks one of the orders
MEANWHILE = st.lists(st.tuples(st.integers(0, 9), PRICES, st.booleans()), max_size=3)


def working(world):
    """What TWS works of client 1: {permId: (terms, filled)}."""
    return {opened.order.permId: (terms(opened.order), status.filled)
            for opened, status in world.exchange.open_orders(1)}


def first_run(gateway, fate, partials, deeds, at_once, abruptly):
    """The orders it leaves."""
    with stage.open(served=gateway, **OPTIONS) as run:
        run.has_others = False
        life = Life(run)
        life.do(fate, partials, [], deeds, at_once)
        if abruptly:
            gateway.fault('tear', '0', '0')
    return life


def agrees(run):
    """The run has what TWS has: position, cash, and the orders with their terms."""
    def ours():
        return {order.permId: (terms(order.tws), order.done) for order in run.broker.get_orders_open()}
    try:
        run.until(lambda: ours() == run.gateway.call(working))
        run.until(lambda: run.position().size == run.ledger()[0])
        run.until(lambda: run.broker.getcash() == pytest.approx(run.ledger()[1]['USD']))
    except AssertionError:
        raise AssertionError(ours(), run.gateway.call(working), run.position().size, run.ledger()) from None


def ends_all(run):
    """Nothing works any more, each was told so once, and the position closes as one trade."""
    adopted = run.broker.get_orders_open()
    run.do(lambda s: [s.cancel(order) for order in adopted])
    run.until(lambda: not run.broker.get_orders_open())
    for order in adopted:
        ends = [told for told in run.life(order) if told not in ('Submitted', 'Accepted', 'Partial')]
        assert len(ends) == 1, run.life(order)
    assert not run.gateway.call(working)
    run.do(lambda s: s.close())
    run.until(lambda: run.position().size == 0 == run.ledger()[0])
    run.until(lambda: not any(trade.isopen for listed in run.strategy._trades[run.datas[0]].values()
                              for trade in listed))


@pytest.mark.parametrize('step', [requests.ReqOpenOrders, requests.ReqExecutions])
def test_p63_p67_what_is_filled_while_tws_tells_its_view_counts_once(step):
    with simulator.running(messages_per_second=0) as gateway:
        with stage.open(served=gateway) as run:
            rests(run)

        def prepare(world):
            handle = world._handlers[step]

            def fill_first(session, request):
                world._handlers[step] = handle
                fill_now(world, 1)
                handle(session, request)
            world._handlers[step] = fill_first
        gateway.call(prepare)
        with stage.open(served=gateway) as run:
            run.until(lambda: run.position().size == run.ledger()[0] == 10)
            run.ends(run.do(lambda s: s.close()), *FULL)
            run.until(lambda: run.trades[-1].isclosed)
            assert [trade.size for trade in run.trades] == [0]
            assert not any('by no execution' in said for said in run.said)


def test_p63_p67_what_was_executed_before_the_run_and_is_listed_late_is_in_the_position():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            run.ends(run.do(lambda s: s.buy(size=40)), *FULL)
        begun = gateway.now()
        gateway.wait(lambda world: world.now > begun + 2 * order_life.CLOCK_SECONDS)
        gateway.fault('late', 'execution', '10')
        with stage.open(served=gateway) as run:
            # the list that lacks it has been told; now it comes
            run.until(lambda: run.broker.reports.executions.fills.known)
            run.do(lambda s: None)
            assert run.position().size == 40 == run.ledger()[0]
            assert not any('not of this broker' in said for said in run.said)
            run.ends(run.do(lambda s: s.close()), *FULL)
            run.until(lambda: run.position().size == 0 == run.ledger()[0])


@pytest.mark.client_errors
@pytest.mark.timeout(60 + 10 * (RESTARTS or 30))
@settings(max_examples=RESTARTS or 30, derandomize=not RESTARTS, database=None, deadline=None,
          phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(FATES, st.lists(SIZES, max_size=4), st.lists(OURS, min_size=1, max_size=6), st.booleans(), st.booleans(),
       MEANWHILE)
def test_p67_p68_whenever_it_is_restarted_it_finds_what_tws_has(fate, partials, deeds, at_once, abruptly, meanwhile):
    with impatient(), simulator.running(**GATEWAY) as gateway:
        life = first_run(gateway, fate, partials, deeds, at_once, abruptly)
        gateway.fault('relent')
        gateway.call(lambda world: world.exchange.scenario._partials.clear())
        for number, price, cancels in meanwhile:
            life._window(number, price, cancels)
        with stage.open(served=gateway, **OPTIONS) as run:
            agrees(run)
            gateway.call(lambda world: setattr(world.exchange.scenario, 'cancel_delay', 0.0))
            ends_all(run)
