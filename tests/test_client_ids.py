"""Orders belong to the client id that placed them: with another one a run cannot change them, and must say so."""
from test_trading import rests

import stage
from backtrader_ib_insync import simulator


def told(run):
    return [said for said in run.said if 'clientId' in said]


def test_p68_orders_of_an_earlier_run_with_an_id_drawn_at_random_are_told_of():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway, store={'clientId': None}) as run:
            earlier, order = run.store.clientId, rests(run)
        with stage.open(served=gateway, store={'clientId': None}) as run:
            text, = run.until(lambda: told(run))
            assert 'client {}'.format(earlier) in text and 'AAPL' in text
            assert run.broker.get_orders_open() == [] and run.orders == []
            # an id of its own that is the same as the other's is another order
            rests(run, price=140.0)
            run.gateway.fault('cut')
            run.until(lambda: any('connected again' in said for said in run.said))
            assert told(run) == [text]
        working = gateway.call(lambda world: [opened.order.permId for opened, _ in world.exchange.open_orders(earlier)])
        assert working == [order.permId]


def test_p68_orders_of_other_clients_that_are_not_of_this_library_are_nothing_to_tell():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway, store={'clientId': 7}) as run:
            rests(run, orderRef='mine')
        with stage.open(served=gateway, store={'clientId': None}) as run:
            rests(run)
            assert told(run) == [] and len(run.broker.get_orders_open()) == 1
