"""What TWS tells late, takes back, lists after a reconnection, or never tells: orders and positions stay true."""
import datetime

import backtrader as bt
import pytest
from test_trading import FULL, LIMIT, agrees, apple, fill_now, rests

import helpers
import stage
from backtrader_ib_insync import doubts, ibdata, order_life, simulator
from backtrader_ib_insync.simulator import requests

Order = bt.Order
AGAIN = {'reconnect': -1, 'timeout': 0.2}
#: partial fills of these sizes, and then none
NO_MORE = [0] * 100000
MINUTES = {'timeframe': bt.TimeFrame.Minutes, 'backfill_start': True,
           'fromdate': datetime.datetime(2024, 11, 20, 9, 40)}


def reconnects(run, *faults):
    """The link is cut, `faults` (functions of the gateway's world) happen, and the feed is live again."""
    live = run.statuses.count('LIVE')
    run.gateway.call(lambda world: [world.faults.inject('cut')] + [happen(world) for happen in faults])
    run.until(lambda: run.statuses.count('LIVE') > live)


# -- what is told after a reconnection can be acted on -----------------------------------------------------------------

@pytest.mark.parametrize('feed', [{}, MINUTES], ids=['ticks', 'minutes'])
@pytest.mark.parametrize('how', [('cut',), ('lost', '2')], ids=['cut', '1102'])
def test_p67_a_protective_order_placed_when_a_reconnection_tells_the_fill_is_taken(how, feed):
    stops = []

    def protect(strategy, order):
        if order.isbuy() and order.status == Order.Completed:
            stops.append(strategy.sell(size=10, exectype=Order.Stop, price=50.0))
    with stage.open(store=AGAIN, gateway={'speed': 20}, feed=feed, hooks={'on_order': protect}) as run:
        order = rests(run)
        run.gateway.call(lambda world: (world.faults.inject(*how), fill_now(world, order.orderId)))
        run.ends(order, *FULL)
        run.until(lambda: stops)
        run.reaches(stops[0], 'Accepted')
        assert run.life(stops[0]) == ['Submitted', 'Accepted']


def test_p50_p67_what_happens_while_history_is_away_is_told_and_a_position_can_be_left(monkeypatch):
    monkeypatch.setattr(ibdata, 'HELD_UP_SECONDS', 0.5)
    with stage.open(store=AGAIN, gateway={'speed': 20}, feed=MINUTES) as run:
        filled, gone = rests(run), rests(run)
        run.gateway.call(lambda world: (world.faults.inject('farm', 'history', '100000'), world.faults.inject('cut')))
        run.until(lambda: any('connected again' in said for said in run.said) and run.datas[0].held_up)
        run.gateway.call(lambda world: (fill_now(world, filled.orderId),
                                        world.exchange.cancel_by_hand(world.now, gone.permId)))
        run.ends(filled, *FULL)
        run.ends(gone, 'Submitted', 'Accepted', 'Canceled')
        assert run.statuses[-1] == 'DELAYED'
        stop = run.do(lambda s: s.sell(size=10, exectype=Order.Stop, price=50.0))
        run.reaches(stop, 'Accepted')
        # what makes a position larger still waits for bars
        more = run.do(lambda s: s.buy(size=10))
        run.ends(more, 'Rejected')
        assert 'still delivers history' in more.info['message']
        assert run.do(lambda s: s.broker.modify(stop, size=50)) is False
        closing, twice = run.do(lambda s: (s.close(), s.close()))
        run.ends(closing, *FULL)
        run.ends(twice, 'Rejected')
        agrees(run)


# -- what TWS never says -----------------------------------------------------------------------------------------------

@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(doubts, 'WORD_SECONDS', 0.5)


def test_p51_an_order_that_tws_works_without_a_word_is_found(impatient):
    with stage.open() as run:
        run.gateway.fault('drop', 'order')
        run.gateway.fault('drop', 'status')
        assert rests(run).alive() and run.sent('CancelOrder') == []


def test_p59_p66_an_order_that_tws_loses_is_rejected_and_never_works(impatient):
    with stage.open() as run:
        run.gateway.fault('swallow')
        lost = run.do(lambda s: s.buy(**LIMIT))
        works = rests(run)
        assert 'does not list the order' in run.ends(lost, 'Submitted', 'Rejected').info['message']
        assert works.alive() and any('last sent of order {}:'.format(lost.ref) in said for said in run.said)
        run.until(lambda: [asked.orderId for asked in run.sent('CancelOrder')][:1] == [lost.orderId])


def test_p53_a_bracket_that_tws_loses_a_leg_of_is_taken_back(impatient):
    with stage.open() as run:
        run.gateway.fault('swallow')
        legs = run.do(lambda s: s.buy_bracket(size=10, price=100.0, stopprice=50.0, limitprice=500.0))
        for leg in legs:
            run.until(lambda leg=leg: run.ended(leg))
        assert run.gateway.call(lambda world: world.exchange.open_orders(1)) == []


@pytest.mark.client_errors
def test_p58_a_cancel_that_tws_answers_with_silence_is_told_all_the_same(impatient):
    with stage.open() as run:
        order = rests(run)
        run.gateway.fault('drop', 'status')
        run.gateway.fault('drop', 'error')
        run.do(lambda s: s.cancel(order))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')


@pytest.mark.parametrize('changes', [False, True], ids=['alone', 'with a change'])
def test_p58_a_cancel_that_tws_loses_is_sent_again(impatient, changes):
    with stage.open() as run:
        order = rests(run)

        def lose(world):
            handle = world._handlers[requests.CancelOrder]
            world._handlers[requests.CancelOrder] = lambda session, request: world._handlers.update(
                {requests.CancelOrder: handle})
        run.gateway.call(lose)
        if changes:
            run.gateway.fault('swallow')
            assert run.do(lambda s: s.broker.modify(order, price=140.0))
        run.do(lambda s: s.cancel(order))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert len(run.sent('CancelOrder')) == 2


def test_p61_a_change_that_tws_loses_is_not_taken_for_made(impatient):
    with stage.open() as run:
        order = rests(run)
        run.gateway.fault('swallow')
        assert run.do(lambda s: s.broker.modify(order, price=140.0))
        run.until(lambda: order.lmtPrice == order.created.price == 150.0 and order.life.before is None)
        assert order.alive() and any('last sent of order {}:'.format(order.ref) in said for said in run.said)
        assert 'without the change' in order.info['message']


def test_p66_what_somebody_sold_while_the_link_was_lost_is_no_fill_of_an_order_that_tws_lost():
    with stage.open(store=AGAIN, gateway={'speed': 20}) as run:
        run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        run.gateway.fault('swallow')
        lost = run.do(lambda s: s.sell(size=10, exectype=Order.Stop, price=50.0))
        run.until(lambda: len(run.sent()) == 2)
        reconnects(run, lambda world: world.ledger.give(stage.ACCOUNT, apple(world), 0, 100.0))
        run.ends(lost, 'Submitted', 'Rejected')
        assert lost.executed.size == 0 and not any(trade.pnl for trade in run.trades)


# -- executions that are late ------------------------------------------------------------------------------------------

def test_p50_p62_an_execution_that_another_overtakes_leaves_the_trade_at_its_price():
    """TWS's position is believed before its execution comes: the trade does not take it for somebody else's."""
    with stage.open() as run:
        run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        run.gateway.fault('late', 'execution', '30')
        late = run.do(lambda s: s.buy(size=35))
        run.until(lambda: run.position().size == 45)
        believed = run.store.clock()
        run.until(lambda: run.store.clock() > believed + 3)
        for act, size in (('buy', 5), ('sell', 2)):
            run.ends(run.do(lambda s, act=act, size=size: getattr(s, act)(size=size)), *FULL)
        assert run.life(late) == ['Submitted', 'Accepted']
        run.ends(late, *FULL)
        trade, = run.strategy._trades[run.datas[0]][0]
        paid = sum(bit.size * bit.price for told in run.orders for bit in told.executed.getpending())
        assert trade.size == 48 and trade.size * trade.price - trade.pnl == pytest.approx(paid)


@pytest.mark.parametrize('late', [('late', 'execution', '3'), ('drop', 'execution')], ids=['late', 'lost'])
def test_p13_an_execution_that_comes_after_its_position_was_believed_counts_once(late):
    with stage.open(store=AGAIN, gateway={'speed': 1}) as run:
        run.gateway.fault(*late)
        order = run.do(lambda s: s.buy(size=10))
        run.until(lambda: run.position().size == 10)
        run.reaches(order, 'Accepted')
        reconnects(run)
        run.ends(order, *FULL)
        assert run.position().size == 10 == run.ledger()[0]
        run.ends(run.do(lambda s: s.close()), *FULL)
        agrees(run)
        assert run.ledger()[0] == 0


def test_p13_executions_that_1102_lists_after_the_position_count_once():
    with stage.open(store=AGAIN, gateway={'speed': 1}) as run:
        order = rests(run)
        run.gateway.fault('late', 'execution', '3', '2')
        run.gateway.call(lambda world: (world.faults.inject('lost', '1'), fill_now(world, order.orderId)))
        run.ends(order, *FULL)
        assert run.position().size == 10 == run.ledger()[0]


# -- what ended while the link was down --------------------------------------------------------------------------------

def test_p60_an_order_that_filled_in_part_and_ended_while_the_link_was_down_is_told_its_end():
    with stage.open(store=AGAIN) as run:
        run.scenario(lambda scenario: scenario.partial('AAPL', [4, 4] + NO_MORE))
        dated = run.do(lambda s: s.buy(valid=datetime.timedelta(seconds=30), **LIMIT))
        order = rests(run)
        run.reaches(dated, 'Accepted')
        reconnects(run, lambda world: world.faults.inject('refuse', '40'),
                   lambda world: (fill_now(world, order.orderId), fill_now(world, dated.orderId)),
                   lambda world: world.exchange.cancel_by_hand(world.now, order.permId))
        run.ends(order, 'Submitted', 'Accepted', 'Partial', 'Canceled')
        run.ends(dated, 'Submitted', 'Accepted', 'Partial', 'Expired')
        assert order.executed.size == dated.executed.size == 4
        agrees(run)


def test_p67_an_order_that_went_out_to_a_session_whose_view_was_before_it_works_though_no_status_says_so():
    with stage.open(store=AGAIN) as run:
        run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset(['PreSubmitted', 'Submitted'])))

        def act(strategy):
            # this thread hears of nothing meanwhile
            views = len(run.sent('ReqExecutions'))
            run.gateway.fault('cut')
            run.until(lambda: len(run.sent('ReqExecutions')) > views and run.store._connection._in_session)
            return strategy.buy(**LIMIT)
        order = run.do(act)
        run.until(lambda: any('connected again' in said for said in run.said))
        run.until(lambda: order.life.ending is None and 'Accepted' in run.life(order))
        assert run.life(order) == ['Submitted', 'Accepted'] and order in run.broker.get_orders_open()


# -- corrections -------------------------------------------------------------------------------------------------------

def correct(run, **changes):
    """The exchange corrects the last fill."""
    run.gateway.call(lambda world: world.exchange.correct(
        world.now, world.exchange._fills.all()[-1].execution.execId, **changes))


def test_p51_a_size_corrected_before_the_fill_is_told_counts_once():
    with stage.open(broker={'commission_wait': 30.0}) as run:
        run.scenario(lambda scenario: setattr(scenario, 'commission_delay', 5.0))
        order = run.do(lambda s: s.buy(size=100))
        run.until(lambda: run.position().size == 100)
        correct(run, shares=90)
        run.until(lambda: 'Partial' in run.life(order) or 'Completed' in run.life(order))
        assert order.executed.size == 90 == run.position().size == run.ledger()[0]
        trade = run.strategy._trades[run.datas[0]][0][-1]
        assert trade.size == 90 and trade.price == pytest.approx(order.executed.price) and trade.pnl == 0.0
        bit = order.executed.exbits[0]
        assert (bit.size, bit.opened, bit.closed) == (90, 90, 0)


def test_p51_p63_a_bust_leaves_the_position_at_the_price_it_would_have_had():
    with stage.open() as run:
        run.scenario(lambda scenario: scenario.partial('AAPL', [4, 3] + NO_MORE))
        order = run.do(lambda s: s.buy(size=10, exectype=Order.Limit, price=500.0))
        run.until(lambda: order.executed.size == 7)
        first = order.executed.exbits[0].price
        assert run.position().price != first
        correct(run, shares=0)
        run.until(lambda: order.executed.size == 4 == run.position().size)
        assert run.position().price == pytest.approx(first)
        run.do(lambda s: s.cancel(order))
        run.until(lambda: run.ended(order))
        run.scenario(lambda scenario: scenario._partials.clear())
        sold = run.ends(run.do(lambda s: s.close()), *FULL)
        correct(run, shares=0)
        run.until(lambda: run.position().size == 4)
        assert run.position().price == pytest.approx(first) and sold.executed.price
        agrees(run)


@pytest.mark.parametrize('sold, busted', [(10, 0), (15, 1), (15, 0)])
def test_p51_p63_so_it_is_through_zero_and_in_a_reversal(sold, busted):
    with stage.open() as run:
        orders = [run.ends(run.do(lambda s: s.buy(size=10)), *FULL)]
        orders.append(run.ends(run.do(lambda s: s.sell(size=sold)), *FULL))
        prices = [order.executed.price for order in orders]
        left = (10, -sold)[1 - busted]
        run.gateway.call(lambda world: world.exchange.correct(
            world.now, world.exchange._fills.all()[busted].execution.execId, shares=0))
        run.until(lambda: run.position().size == left)
        assert run.position().price == pytest.approx(prices[1 - busted])


def test_p51_p63_a_correction_of_a_fill_that_is_long_closed_leaves_the_price_of_what_is_held_now():
    with stage.open() as run:
        old = run.do(lambda s: s.buy(size=10))
        run.ends(old, *FULL)
        run.ends(run.do(lambda s: s.close()), *FULL)
        held = run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        first, price = run.gateway.call(lambda world: world.exchange._fills.all()[0].execution), held.executed.price
        run.gateway.call(lambda world: world.exchange.correct(world.now, first.execId, price=first.price - 5.0))
        run.until(lambda: old.executed.price == pytest.approx(first.price - 5.0))
        trade = run.strategy._trades[run.datas[0]][0][-1]
        assert run.position().price == pytest.approx(price) == trade.price
        agrees(run)


def test_p51_a_fill_that_is_busted_before_it_was_told_is_never_told():
    with stage.open(broker={'commission_wait': 30.0}) as run:
        run.scenario(lambda scenario: (setattr(scenario, 'commission_delay', 5.0),
                                       scenario.partial('AAPL', [4] + NO_MORE)))
        order = run.do(lambda s: s.buy(size=10, exectype=Order.Limit, price=300.0))
        run.until(lambda: run.position().size == 4)
        correct(run, shares=0)
        run.until(lambda: run.position().size == 0)
        run.do(lambda s: s.cancel(order))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert order.executed.size == 0 and not order.executed.exbits
        agrees(run)


def test_p51_a_bust_while_the_link_was_down_and_before_a_restart_breaks_nothing():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        def bust(world):
            fill = world.exchange._fills.all()[-1].execution
            world.exchange.correct(world.now, fill.execId, shares=0)
        with stage.open(served=gateway, store=AGAIN) as run:
            run.scenario(lambda scenario: scenario.partial('AAPL', [4] + NO_MORE))
            order = rests(run)
            reconnects(run, lambda world: fill_now(world, order.orderId), bust)
            run.do(lambda s: None)
            assert run.life(order) == ['Submitted', 'Accepted'] and run.position().size == 0
        with stage.open(served=gateway) as run:
            adopted = run.until(lambda: run.broker.get_orders_open())[0]
            run.do(lambda s: s.cancel(adopted))
            run.ends(adopted, 'Accepted', 'Canceled')
            assert adopted.executed.size == 0 == run.position().size


# -- executions that TWS does not list any more ------------------------------------------------------------------------

def forget_executions(world):
    """A new day: TWS lists the executions of the day only."""
    world.exchange._fills._fills.clear()


def test_p68_an_order_that_filled_in_part_on_an_earlier_day_completes_when_the_rest_fills():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            run.scenario(lambda scenario: scenario.partial('AAPL', [40] + NO_MORE))
            half = run.do(lambda s: s.buy(size=100, exectype=Order.Limit, price=300.0))
            run.reaches(half, 'Partial')
        gateway.call(forget_executions)
        with stage.open(served=gateway) as run:
            adopted = run.until(lambda: run.broker.get_orders_open())[0]
            run.reaches(adopted, 'Accepted')
            assert (adopted.executed.size, adopted.executed.remsize, adopted.size) == (0, 60, 100)
            run.do(lambda s: s.broker.modify(adopted, price=301.0))
            assert adopted.executed.remsize == 60
            run.scenario(lambda scenario: scenario._partials.clear())
            run.gateway.call(lambda world: fill_now(world, adopted.orderId))
            run.ends(adopted, 'Accepted', 'Completed')
            assert (adopted.executed.size, adopted.executed.remsize) == (60, 0)
            agrees(run)


def test_p68_an_execution_that_is_listed_late_at_the_start_is_not_held_for_one_of_another_day():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            run.scenario(lambda scenario: scenario.partial('AAPL', [40] + NO_MORE))
            half = run.do(lambda s: s.buy(size=100, exectype=Order.Limit, price=300.0))
            run.reaches(half, 'Partial')
        begun = gateway.now()
        gateway.wait(lambda world: world.now > begun + 2 * order_life.CLOCK_SECONDS)
        gateway.fault('late', 'execution', '10')
        with stage.open(served=gateway) as run:
            adopted = run.until(lambda: run.broker.get_orders_open())[0]
            run.reaches(adopted, 'Partial')
            assert (adopted.executed.size, adopted.executed.remsize) == (40, 60)
            # it was in the position
            assert run.position().size == 40 == run.trades[-1].size


@pytest.mark.parametrize('shares', [None, 4, 0])
@pytest.mark.parametrize('kept', [True, False])
def test_p51_p63_a_correction_of_what_was_executed_before_the_run_is_no_execution_more(kept, shares):
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            run.scenario(lambda scenario: scenario.partial('AAPL', [10] + NO_MORE))
            run.reaches(run.do(lambda s: s.buy(size=100 if kept else 10, exectype=Order.Limit, price=300.0)),
                        'Partial' if kept else 'Completed')
        begun = gateway.now()
        gateway.wait(lambda world: world.now > begun + 2 * order_life.CLOCK_SECONDS)
        fills = gateway.call(lambda world: dict(world.exchange._fills._fills))
        gateway.call(forget_executions)
        with stage.open(served=gateway) as run:
            run.until(lambda: run.position().size == 10 and len(run.broker.get_orders_open()) == kept)
            gateway.call(lambda world: world.exchange._fills._fills.update(fills))
            correct(run, shares=shares, price=250.0)
            run.until(lambda: any('corrected the execution of AAPL' in said for said in run.said))
            assert run.position().size in (10, shares)
            agrees(run)
            for order in run.broker.get_orders_open():
                run.until(lambda order=order: order.executed.size == run.position().size)


def test_p51_p69_a_correction_of_an_order_whose_id_was_given_again_is_none_of_the_new_order():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            old = run.ends(run.do(lambda s: s.buy(size=10, orderRef='mine')), *FULL)
        fills = gateway.call(lambda world: dict(world.exchange._fills._fills))
        # a new day, and TWS's "Reset API order ID sequence"
        gateway.call(lambda world: (forget_executions(world), world.exchange.roll_back_ids()))
        with stage.open(served=gateway) as run:
            order = rests(run, orderRef='mine')
            run.until(lambda: order.permId)
            assert order.orderId == old.orderId and order.permId != old.permId
            gateway.call(lambda world: world.exchange._fills._fills.update(fills))
            correct(run, price=250.0)
            run.until(lambda: any('corrected the execution of AAPL' in said for said in run.said))
            run.do(lambda s: None)
            assert run.life(order) == ['Submitted', 'Accepted'] and order.executed.size == 0
            assert run.position().size == 10


# -- feeds and runs ----------------------------------------------------------------------------------------------------

def test_an_order_of_a_feed_without_a_bar_holds_up_no_order_of_another_feed_of_the_contract():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        run = stage.Run(gateway)
        run.datas.append(run.cerebro.adddata(run.store.getdata(
            dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Days, backfill_start=False), name='daily'))
        run.start(live=False)
        try:
            ticks, days = run.datas
            run.until(lambda: run.statuses.count('LIVE') == 2 and len(ticks))
            assert run.do(lambda s: len(days)) == 0
            held = run.do(lambda s: s.buy(data=days, size=10))
            run.until(lambda: run.position().size == 10)
            sold = run.ends(run.do(lambda s: s.sell(data=ticks, size=4)), *FULL)
            assert sold.executed.size == -4 and run.position().size == 6
            assert run.life(held) == ['Submitted', 'Accepted']
            # nobody was told of what it sold: no trade closes
            assert [trade.size for trade in run.trades] == [-4]
        finally:
            run.stop()


def test_a_run_begins_with_what_the_account_has_then(make_gateway, store):
    gateway = make_gateway(speed=5, messages_per_second=0)
    made = store(gateway)
    broker = made.getbroker()

    def once(strategy):
        if len(strategy) == 1:
            strategy.buy(size=100)
    starts = []
    for _ in range(2):
        feed = made.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Ticks, backfill_start=False)
        helpers.run(feed, broker=broker, act=once, until=lambda strategy: 'Completed' in strategy.ended().values())
        starts.append((broker.startingcash, broker.startingvalue))
        gateway.call(lambda world: world.ledger.deposit(stage.ACCOUNT, 5000.0))
    assert starts[0] == (1e6, 1e6) and starts[1][0] < 990000.0 < 1004000.0 < starts[1][1] < 1006000.0


def test_p67_an_order_of_the_first_run_of_a_broker_is_told_to_the_second(make_gateway, store):
    gateway = make_gateway(speed=5, messages_per_second=0)
    made = store(gateway)
    broker = made.getbroker()

    def feed():
        return made.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Ticks, backfill_start=False)

    def once(act):
        return lambda strategy: len(strategy) == 1 and act(strategy)
    helpers.run(feed(), broker=broker, act=once(lambda strategy: strategy.buy(**LIMIT)),
                until=lambda strategy: 'Accepted' in strategy.ended().values())
    second = helpers.run(feed(), broker=broker, until=lambda strategy: strategy.trades,
                         act=once(lambda strategy: gateway.call(lambda world: fill_now(world, 1))))
    assert list(second.ended().values()) == ['Completed'] and second.trades[0].size == 10
    assert second.orders[0].data is second.trades[0].data is second.data


# -- what TWS never tells ----------------------------------------------------------------------------------------------

def test_p67_an_order_that_filled_over_night_is_told_with_its_size_and_price(impatient):
    with stage.open(store=AGAIN) as run:
        order = rests(run)
        reconnects(run, lambda world: (fill_now(world, order.orderId), forget_executions(world)))
        told = run.ends(order, *FULL)
        assert told.executed.size == 10 == run.position().size
        assert told.executed.price == pytest.approx(run.position().price) and told.executed.price > 150
        assert run.trades[-1].size == 10
        assert any('TWS told no execution for 10 of it' in said for said in run.said)
        # what goes over night is sold over night
        sold = run.do(lambda s: s.sell(size=10, exectype=Order.Limit, price=900.0))
        run.reaches(sold, 'Accepted')
        reconnects(run, lambda world: (fill_now(world, sold.orderId, 100.0), forget_executions(world)))
        run.ends(sold, *FULL)
        agrees(run)
        assert run.trades[-1].isclosed and run.position().size == 0


def test_p13_the_execution_of_an_order_that_was_told_without_it_counts_no_more(impatient):
    with stage.open(store=AGAIN, gateway={'speed': 1}) as run:
        run.gateway.fault('drop', 'execution')
        order = run.do(lambda s: s.buy(size=10))
        told = run.ends(order, *FULL)
        price = run.gateway.call(lambda world: world.exchange.executions()[0].execution.price)
        assert (told.executed.size, told.executed.price) == (10, pytest.approx(price))
        said = len(run.said)
        reconnects(run)
        assert run.life(order) == list(FULL) and order.executed.size == 10 == run.position().size
        assert not any('position in AAPL' in text for text in run.said[said:])
        run.ends(run.do(lambda s: s.close()), *FULL)
        agrees(run)
        assert run.trades[-1].isclosed


def test_p51_an_order_whose_only_fill_is_busted_before_it_was_told_is_not_completed(impatient):
    with stage.open(broker={'commission_wait': 30.0}) as run:
        run.scenario(lambda scenario: setattr(scenario, 'commission_delay', 5.0))
        order = run.do(lambda s: s.buy(size=10))
        run.until(lambda: run.position().size == 10)
        correct(run, shares=0)
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert order.executed.size == 0 == run.position().size


def test_p60_an_order_that_is_told_rejected_cannot_be_transmitted_in_tws_any_more():
    with stage.open() as run:
        run.scenario(lambda scenario: scenario.refuse_next(201, 'Order rejected - reason:for now'))
        order = run.do(lambda s: s.buy(**LIMIT))
        run.ends(order, 'Submitted', 'Rejected')
        run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).status == 'Cancelled')
        run.do(lambda s: None)
        assert run.life(order) == ['Submitted', 'Rejected'] and order.info['code'] == 201


def test_p60_what_tws_cannot_cancel_because_it_filled_has_ended(impatient):
    with stage.open(gateway={'speed': 1}) as run:
        run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset(['Filled'])))
        order = rests(run)
        run.gateway.fault('drop', 'execution')
        run.gateway.call(lambda world: fill_now(world, order.orderId))
        assert run.do(lambda s: s.broker.cancel(order))
        run.ends(order, *FULL)
        assert order.executed.size == 10 == run.position().size == run.ledger()[0]


@pytest.mark.parametrize('parts', [[10], [4, 6]], ids=['one', 'two'])
def test_p51_executions_that_come_after_they_were_made_up_put_price_and_commission_right(impatient, parts):
    with stage.open(store=AGAIN, gateway={'speed': 1}) as run:
        run.scenario(lambda scenario: scenario.partial('AAPL', parts))
        run.gateway.fault('drop', 'execution', str(len(parts)))
        order = run.do(lambda s: s.buy(size=10))
        run.ends(order, *FULL)
        assert run.gateway.call(lambda world: len(world.exchange.executions())) == len(parts)
        # what was made up was made up at the price that the order came to; TWS tells another
        for fill in run.gateway.call(lambda world: world.exchange.executions()):
            run.gateway.call(lambda world, fill=fill: world.exchange.correct(
                world.now, fill.execution.execId, price=fill.execution.price + 1.0))
        reconnects(run)
        agrees(run)
        made = run.gateway.call(lambda world: world.exchange.executions())
        paid = sum(fill.execution.shares * fill.execution.price for fill in made)
        run.until(lambda: order.executed.price == pytest.approx(paid / 10))
        # where a part was believed before the rest was told, TWS's price has fees in it
        assert run.position().price == pytest.approx(paid / 10, abs=order.executed.comm / 10 + 1e-6)
        assert order.executed.comm > 0 and run.life(order) == list(FULL)
        correct(run, shares=0)
        run.until(lambda: order.executed.size == run.position().size == run.ledger()[0] == 10 - parts[-1])


def test_p51_a_bust_that_overtakes_its_execution_takes_back_what_was_made_up(impatient):
    with stage.open(gateway={'speed': 1}) as run:
        run.gateway.fault('late', 'execution', '3')
        order = run.do(lambda s: s.buy(size=10))
        run.ends(order, *FULL)
        assert order.executed.size == 10
        correct(run, shares=4)
        run.until(lambda: order.executed.size == run.position().size == run.ledger()[0] == 4)


@pytest.mark.parametrize('left', [0, 4])
def test_p51_a_correction_that_overtakes_its_execution_and_its_end_is_not_made_good(left):
    with stage.open(gateway={'speed': 1}) as run:
        run.gateway.fault('late', 'execution', '1')
        run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset(['Filled'])))
        order = run.do(lambda s: s.buy(size=10))
        run.gateway.wait(lambda world: world.exchange.executions())
        correct(run, shares=left)
        # 10148 says that it is filled
        run.do(lambda s: s.cancel(order))
        run.until(lambda: run.ended(order))
        assert run.life(order)[-1] == ('Completed' if left else 'Canceled')
        assert order.executed.size == left == run.position().size == run.ledger()[0]
