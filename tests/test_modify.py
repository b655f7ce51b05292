"""A change of an order at work changes what was asked, and nothing else of it; also of an order of an earlier run."""
import datetime
import itertools

import backtrader as bt
import pytest
from test_trading import FULL, LIMIT, agrees, check, fill_now, rests

import stage
from backtrader_ib_insync import simulator

Order = bt.Order
STOP = {'size': 10, 'exectype': Order.Stop, 'price': 100.0}
TRAIL = {'size': 10, 'exectype': Order.StopTrail, 'trailamount': 20.0}
NOTHING = {'size': 10, 'exectype': Order.Market}

#: what is sold, what is changed of it, what that changes on the wire
CHANGES = {
    'the price of an order for the day, outside of its hours': (
        dict(LIMIT, price=500.0, valid=Order.DAY, outsideRth=True), {'price': 501.0}, {'lmtPrice': 501.0}),
    'the price of an algorithm': (
        dict(LIMIT, price=500.0, algoStrategy='Adaptive', algoParams={'adaptivePriority': 'Normal'}), {'price': 501.0},
        {'lmtPrice': 501.0}),
    'the size of an order with a date': (
        dict(LIMIT, price=500.0, valid=datetime.timedelta(hours=3)), {'size': 5}, {'totalQuantity': 5}),
    'the price of an order with many attributes': (
        dict(LIMIT, price=500.0, hidden=True, allOrNone=True, ocaGroup='g', triggerMethod=2), {'price': 501.0},
        {'lmtPrice': 501.0}),
    'the limit of a limit if touched': (
        dict(LIMIT, price=500.0, orderType='LIT', auxPrice=499.0), {'price': 501.0}, {'lmtPrice': 501.0}),
    'the trigger of a market if touched': (
        dict(STOP, price=500.0, orderType='MIT'), {'price': 501.0}, {'auxPrice': 501.0}),
    'a field of TWS of a limit if touched': (
        dict(LIMIT, price=500.0, orderType='LIT', auxPrice=499.0), {'auxPrice': 498.0}, {'auxPrice': 498.0}),
    'the stop': (STOP, {'price': 99.0}, {'auxPrice': 99.0}),
    'the limit of a stop limit': (
        dict(STOP, exectype=Order.StopLimit, plimit=98.0), {'plimit': 97.0}, {'lmtPrice': 97.0}),
    'the size of a trail': (TRAIL, {'size': 5}, {'totalQuantity': 5}),
    'the distance of a trail': (TRAIL, {'trailamount': 21.0}, {'auxPrice': 21.0}),
    'the percentage of a trail': (
        dict(NOTHING, exectype=Order.StopTrail, trailpercent=0.1), {'trailpercent': 0.2}, {'trailingPercent': 20.0}),
    'the size of a trail with a limit': (
        dict(TRAIL, exectype=Order.StopTrailLimit), {'size': 5}, {'totalQuantity': 5, 'trailStopPrice': None}),
}
#: what TWS tells of every order, and takes back as it told it
FILLED_IN = ('clearingIntent', 'dontUseAutoPriceForHedge', 'ocaType')


def sold(run, asked):
    """An order to sell that TWS works."""
    order = run.do(lambda s: s.sell(**asked))
    run.reaches(order, 'Accepted')
    return order


def differences(run, orderId):
    """What the last two orders TWS was sent of an id differ in: what the later has."""
    before, after = [asked.order for asked in run.sent() if asked.order.orderId == orderId][-2:]
    return {name: getattr(after, name) for name in type(after).__slots__
            if getattr(after, name) != getattr(before, name) and name not in FILLED_IN}


@pytest.mark.parametrize('case', CHANGES)
@pytest.mark.parametrize('is_adopted', [False, True])
def test_p68_a_change_leaves_the_rest_of_the_order_as_it_was(case, is_adopted):
    asked, changes, wanted = CHANGES[case]
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            order = sold(run, asked)
            if not is_adopted:
                changed(run, order, changes, wanted)
        if is_adopted:
            with stage.open(served=gateway) as run:
                order, = run.until(run.broker.get_orders_open)
                changed(run, order, changes, wanted)


def changed(run, order, changes, wanted):
    count = len(run.sent())
    assert run.do(lambda s: s.broker.modify(order, **changes))
    run.until(lambda: len(run.sent()) > count)
    assert differences(run, order.orderId) == wanted
    run.until(lambda: order.life.before is None)
    assert order.alive() and order.info['messages'] == []


def stop_of(run, order):
    return run.gateway.call(lambda world: world.exchange._book.find(1, order.orderId).order.trailStopPrice)


@pytest.mark.parametrize('more', [{}, {'price': True}, {'exectype': Order.StopTrailLimit, 'plimit': True}])
def test_a_trail_is_not_loosened_by_a_change_of_something_else(more):
    with stage.open() as run:
        last = run.do(lambda s: s.data.close[0])
        given = {'price': last - 30, 'plimit': last - 1}
        order = sold(run, dict(TRAIL, **{name: given.get(name, value) for name, value in more.items()}))

        def trailed(world):
            # as if the market had risen by 8 and come back
            world.exchange._book.find(1, order.orderId).order.trailStopPrice = round(last - 12, 2)
        run.gateway.call(trailed)
        for changes in ({'size': 5}, {'valid': Order.DAY}):
            assert run.do(lambda s, changes=changes: s.broker.modify(order, **changes))
            check(run, order, {'trailStopPrice': None, 'totalQuantity': 5})
            run.until(lambda: order.life.before is None)
            assert stop_of(run, order) == round(last - 12, 2)
        # the start of a trail is sent when it is what is changed
        assert run.do(lambda s: s.broker.modify(order, price=last - 5))
        check(run, order, {'trailStopPrice': round(last - 25, 2)})


def test_p58_what_is_being_cancelled_is_not_changed_any_more():
    with stage.open() as run:
        order = rests(run)
        assert run.do(lambda s: (s.broker.cancel(order), s.broker.modify(order, price=149.0))) == (True, False)
        assert 'being cancelled' in order.info['message']
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert len(run.sent()) == 1


@pytest.mark.client_errors
@pytest.mark.parametrize('code', [161, 10999])
def test_p58_p61_what_tws_does_not_cancel_can_be_changed(code):
    with stage.open() as run:
        order = rests(run)
        run.scenario(lambda scenario: scenario.refuse_next(code, 'not now', on='cancel'))
        run.do(lambda s: s.broker.cancel(order))
        run.until(lambda: order.info['code'] == code)
        assert run.do(lambda s: s.broker.modify(order, price=149.0))
        check(run, order, {'lmtPrice': 149.0})


def test_a_trail_by_an_amount_becomes_one_by_percent_and_back():
    with stage.open() as run:
        order = sold(run, TRAIL)
        for changes, fields in (({'trailpercent': 0.1}, {'auxPrice': None, 'trailingPercent': 10.0}),
                                ({'trailamount': 15.0}, {'auxPrice': 15.0, 'trailingPercent': None})):
            assert run.do(lambda s, changes=changes: s.broker.modify(order, **changes))
            check(run, order, fields)
        run.until(lambda: order.life.before is None)
        assert order.alive() and order.info['messages'] == []


def test_p54_a_span_of_time_is_counted_from_the_order_on_not_from_its_change():
    with stage.open() as run:
        order = rests(run, valid=datetime.timedelta(seconds=600))
        date, until = order.goodTillDate, order.valid
        run.gateway.advance(300)
        run.do(lambda s: s.broker.modify(order, price=149.0))
        check(run, order, {'lmtPrice': 149.0, 'tif': 'GTD', 'goodTillDate': date})
        assert (order.goodTillDate, order.valid) == (date, until)
        run.do(lambda s: s.broker.modify(order, valid=None))
        check(run, order, {'lmtPrice': 149.0, 'tif': 'GTC', 'goodTillDate': None})
        assert order.life.until is None


@pytest.mark.parametrize('asked', [
    {'valid': datetime.timedelta(hours=1)}, {'tif': 'GTD', 'goodTillDate': '20241122-15:00:00'}])
def test_p54_a_change_of_the_time_in_force_takes_the_place_of_the_date_that_was(asked):
    with stage.open() as run:
        order = rests(run, **asked)
        for changes, wire in (({'goodTillDate': '20241125-15:00:00'}, ('GTD', '20241125-15:00:00')),
                              ({'tif': 'DAY'}, ('DAY', None)), ({'tif': 'GTC'}, ('GTC', None)),
                              ({'valid': datetime.datetime(2024, 11, 26, 10)}, ('GTD', '20241126-15:00:00')),
                              ({'tif': 'DAY', 'price': 149.0}, ('DAY', None))):
            assert run.do(lambda s, changes=changes: s.broker.modify(order, **changes)), order.info['message']
            check(run, order, dict(zip(('tif', 'goodTillDate'), wire)))
            run.until(lambda: order.life.before is None)
        assert order.life.until is not None and order.info['messages'] == []


def test_p57_what_is_changed_by_name_wins_over_the_keyword_it_was_given_by():
    with stage.open() as run:
        order = rests(run, tif='DAY', lmtPrice=151.0)
        run.do(lambda s: s.broker.modify(order, price=149.0, valid=None))
        check(run, order, {'lmtPrice': 149.0, 'tif': 'GTC'})
        run.do(lambda s: s.broker.modify(order, lmtPrice=148.0, tif='DAY'))
        check(run, order, {'lmtPrice': 148.0, 'tif': 'DAY'})


def test_a_change_of_what_the_order_does_not_have_is_not_sent_and_said():
    with stage.open() as run:
        stop = sold(run, STOP)
        for changes in ({'trailamount': 5.0}, {'trailpercent': 0.1}):
            assert run.do(lambda s, changes=changes: s.broker.modify(stop, **changes)) is False
            assert 'trail' in stop.info['message'] and stop.info['message'] in run.said[-1]
        assert len(run.sent()) == 1


# -- lost with the link ------------------------------------------------------------------------------------------------

def swallowed(run, act):
    """Do `act` with a strategy while the network takes what it sends and brings it nowhere; then the link is cut."""
    run.gateway.fault('stall', '1000')
    # after this nothing is read any more
    run.gateway.call(lambda world: None)
    run.do(act)
    run.do(lambda s: s.broker.store.call(lambda ib: None))
    run.gateway.fault('cut', 'rst')
    run.until(lambda: any('connection lost' in said for said in run.said))
    run.until(lambda: any('connected again' in said for said in run.said))


def test_p58_a_cancel_that_was_lost_with_the_link_is_asked_again():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        orders = [rests(run), rests(run)]
        swallowed(run, lambda s: s.cancel(orders[0]))
        run.ends(orders[0], 'Submitted', 'Accepted', 'Canceled')
        assert run.life(orders[1]) == ['Submitted', 'Accepted']
        assert [asked.orderId for asked in run.sent('CancelOrder')] == [orders[0].orderId]


def test_p61_a_change_that_was_lost_with_the_link_is_known_to_be():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        orders = [rests(run), rests(run)]

        def act(strategy):
            strategy.broker.modify(orders[0], price=140.0, size=4)
            strategy.broker.modify(orders[1], valid=Order.DAY)
        swallowed(run, act)
        for order in orders:
            run.until(lambda order=order: order.life.before is None)
            assert 'without the change' in order.info['message']
        assert (orders[0].lmtPrice, orders[0].size, orders[0].executed.remsize, orders[1].tif) == (150.0, 10, 10, 'GTC')
        run.until(lambda: not run.do(lambda s: s.data.catching_up))
        run.do(lambda s: [s.broker.modify(order, price=151.0) for order in orders])
        check(run, orders[0], {'lmtPrice': 151.0, 'totalQuantity': 10})
        check(run, orders[1], {'lmtPrice': 151.0, 'tif': 'GTC'})


# -- several on their way ----------------------------------------------------------------------------------------------

def each(order, *several):
    """Ask for changes of which none waits for the answer to the one before."""
    def change(strategy):
        for changes in several:
            assert strategy.broker.modify(order, **changes)
            strategy.broker.store._release()
    return change


def refusing(run, numbers):
    """The next changes of orders are refused where their numbers, from 1 on, are among these."""
    def act(world):
        accept, seen = world.exchange._modify, itertools.count(1)

        def modify(ticket, order, instrument, now):
            if next(seen) in numbers:
                world.exchange.scenario.refuse_next(105, 'Order being modified does not match original order.',
                                                    on='modify')
            accept(ticket, order, instrument, now)
        world.exchange._modify = modify
    run.gateway.call(act)


#: two changes on their way, which of them TWS refuses, and what it works then
SEVERAL = [
    (({'size': 50}, {'price': 151.0}), {2}, {'totalQuantity': 50, 'lmtPrice': 150.0, 'tif': 'GTC'}),
    (({'size': 50}, {'price': 151.0}), {1}, {'totalQuantity': 50, 'lmtPrice': 151.0, 'tif': 'GTC'}),
    (({'size': 50}, {'price': 151.0}), {1, 2}, {'totalQuantity': 10, 'lmtPrice': 150.0, 'tif': 'GTC'}),
    (({'valid': Order.DAY}, {'price': 151.0}), {2}, {'totalQuantity': 10, 'lmtPrice': 150.0, 'tif': 'DAY'}),
    (({'price': 151.0}, {'valid': Order.DAY}), {2}, {'totalQuantity': 10, 'lmtPrice': 151.0, 'tif': 'GTC'}),
    (({'valid': Order.DAY}, {'outsideRth': True}), {1}, {'totalQuantity': 10, 'lmtPrice': 150.0, 'tif': 'DAY'}),
]


@pytest.mark.parametrize('several, refused, works', SEVERAL)
def test_p61_of_two_changes_on_their_way_either_may_be_refused(several, refused, works):
    with stage.open() as run:
        order = rests(run)
        refusing(run, refused)
        run.do(each(order, *several))
        run.until(lambda: len(order.info['messages']) == len(refused) and order.life.before is None)
        run.until(lambda: {name: getattr(order, name) for name in works} == works)
        assert (order.size, order.created.price, order.executed.remsize) == (
            works['totalQuantity'], works['lmtPrice'], works['totalQuantity'])
        assert (order.life.until is None) == (works['tif'] == 'GTC')
        run.do(lambda s: s.broker.modify(order, price=149.0))
        check(run, order, dict(works, lmtPrice=149.0))
        assert order.alive() and run.life(order) == ['Submitted', 'Accepted']


def test_p61_a_view_of_the_order_from_before_the_change_confirms_nothing():
    with stage.open() as run:
        order = rests(run, valid=datetime.timedelta(hours=1))
        date, until = order.goodTillDate, order.life.until
        refusing(run, {1})

        def again(world):
            # TWS repeats itself, as it does at any time
            refuse = world.exchange._modify

            def modify(ticket, *args):
                world.exchange._reports.again(ticket)
                refuse(ticket, *args)
            world.exchange._modify = modify
        run.gateway.call(again)
        run.do(lambda s: s.broker.modify(order, valid=datetime.timedelta(hours=3)))
        run.until(lambda: order.info['messages'])
        run.until(lambda: (order.goodTillDate, order.life.until) == (date, until))


# -- across a fill -----------------------------------------------------------------------------------------------------

def crossing(run, orderId, portions):
    """The next change of orders finds that the market came first, and that so much was filled."""
    def act(world):
        exchange, change = world.exchange, world.exchange._modify

        def modify(ticket, *args):
            exchange._modify = change
            exchange.scenario.partial('AAPL', portions)
            fill_now(world, orderId)
            change(ticket, *args)
        exchange._modify = modify
    run.gateway.call(act)


def test_p61_numbers_that_are_neither_ours_nor_those_before_our_change_are_what_tws_works():
    with stage.open() as run:
        # TWS's word of the order as we changed it is lost, and then somebody changes it by hand
        run.gateway.fault('drop', 'order')

        def act(strategy):
            order = strategy.buy(**LIMIT)
            strategy.broker.modify(order, price=151.0)
            return order
        order = run.do(act)
        run.reaches(order, 'Accepted')
        assert order.life.before is not None
        run.gateway.call(lambda world: fill_now(world, order.orderId, 120.0))
        run.until(lambda: order.life.before is None and order.lmtPrice == order.price == 120.0)
        run.do(lambda s: None)
        assert run.life(order) == ['Submitted', 'Accepted'] and order in run.broker.get_orders_open()


def test_p61_an_order_made_smaller_while_it_fills_is_complete_when_tws_says_so():
    with stage.open() as run:
        order = rests(run)
        crossing(run, order.orderId, [4] + [0] * 100000)
        # TWS refuses the change, for 4 are filled already, and works the other 6
        run.gateway.fault('late', 'error', '4')
        run.do(lambda s: s.broker.modify(order, size=4))
        run.reaches(order, 'Partial')
        run.until(lambda: order.info['messages'])
        run.until(lambda: order.life.before is None)
        assert run.life(order) == ['Submitted', 'Accepted', 'Partial'] and order in run.broker.get_orders_open()
        assert (order.executed.size, order.executed.remsize) == (4, 6)
        run.scenario(lambda scenario: scenario._partials.clear())
        run.gateway.call(lambda world: fill_now(world, order.orderId))
        run.ends(order, 'Submitted', 'Accepted', 'Partial', 'Completed')
        agrees(run)


def test_p61_what_was_filled_before_its_change_came_is_not_made_up_to_the_size_it_was_changed_to(impatient):
    with stage.open() as run:
        order = rests(run)
        crossing(run, order.orderId, [])
        run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset(['Filled'])))
        change = each(order, {'size': 30}, {'price': 151.0})
        run.do(lambda s: (change(s), s.cancel(order)))
        run.ends(order, 'Submitted', 'Accepted', 'Partial', 'Completed')
        assert [text.split()[0] for text in order.info['messages'][:3]] == ['104', '104', '10148']
        assert (order.executed.size, order.executed.remsize, order.size) == (10, 0, 10)
        agrees(run)


# -- what a bracket leaves ---------------------------------------------------------------------------------------------

# https://github.com/erdewit/ib_insync/issues/647
@pytest.mark.parametrize('again', [False, True], ids=['this run', 'the next run'])
def test_p53_the_stop_of_a_position_can_be_changed_though_tws_knows_the_entry_no_more(again):
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        gateway.call(lambda world: setattr(world.exchange.scenario, 'forgets_parents', True))
        with stage.open(served=gateway) as run:
            entry, stop, limit = run.do(lambda s: s.buy_bracket(
                size=10, exectype=Order.Market, stopprice=100.0, limitprice=500.0))
            run.ends(entry, *FULL)
            run.reaches(stop, 'Accepted')
            if not again:
                trails(run, stop)
                run.do(lambda s: s.cancel(limit))
                run.ends(stop, 'Submitted', 'Accepted', 'Canceled')
        if again:
            with stage.open(served=gateway) as run:
                orders = run.until(lambda: len(run.broker.get_orders_open()) == 2 and run.broker.get_orders_open())
                trails(run, min(orders, key=lambda order: order.orderId))


def trails(run, stop):
    for price in (110.0, 120.0):
        run.do(lambda s, price=price: s.broker.modify(stop, price=price))
        run.until(lambda price=price: run.gateway.call(
            lambda world: world.exchange._book.find(1, stop.orderId).order.auxPrice) == price)
    assert stop.alive() and stop.info['messages'] == []


# -- what TWS cannot give ----------------------------------------------------------------------------------------------

@pytest.mark.client_errors
def test_p60_p61_a_change_beyond_the_margin_leaves_the_order_as_it_was():
    with stage.open() as run:
        order = rests(run)
        run.do(lambda s: s.broker.modify(order, size=1000000))
        run.until(lambda: any('EQUITY WITH LOAN VALUE' in text for text in order.info['messages']))
        run.until(lambda: order.size == LIMIT['size'])
        assert run.life(order) == ['Submitted', 'Accepted'] and order.alive()
        run.do(lambda s: s.broker.modify(order, size=20))
        run.until(lambda: run.gateway.call(
            lambda world: world.exchange._book.find(1, order.orderId).order.totalQuantity) == 20)
        assert order.size == 20


def test_p53_legs_that_keep_their_size_when_that_of_their_entry_changes_are_named():
    with stage.open() as run:
        entry, stop, limit = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0))
        run.reaches(limit, 'Accepted')
        for order, size in ((stop, 6), (limit, 6), (entry, 6)):
            assert run.do(lambda s, order=order, size=size: s.broker.modify(order, size=size))
        run.do(lambda s: None)
        said = [said for said in run.said if 'those that hang on it' in said]
        assert len(said) == 1 and said[0].startswith('order {} '.format(entry.ref))
