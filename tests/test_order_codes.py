"""What each code of TWS does to a new order, to a change of one and to a cancel; over the socket, as the table says."""
import datetime

import backtrader as bt
import pytest

import stage

Order = bt.Order
LIMIT = {'size': 10, 'exectype': Order.Limit, 'price': 150.0}
TEXT = 'by request'
DATE = datetime.datetime(2024, 12, 2, 15, tzinfo=datetime.timezone.utc)
NO_FUNDS = 'Order rejected - reason:YOUR EQUITY WITH LOAN VALUE MUST EXCEED THE INITIAL MARGIN'


def ends_of(*parts):
    """The codes of ranges: the first, one within, the last."""
    codes = []
    for part in parts:
        first, last = part if isinstance(part, tuple) else (part, part)
        codes += sorted({first, (first + last) // 2, last})
    return codes


#: ib-codes.md, "Orders", word for word
REFUSED_NOW = ends_of(
    103, 109, 111, (113, 126), (131, 136), (146, 148), (152, 160), 163, 167, 168, 200, 201, 203, (312, 315), 325, 328,
    (347, 350), 355, (358, 364), (367, 383), (387, 398), (400, 403), (405, 413), (417, 419), 421, 423, 424, (427, 429),
    433, (435, 437), (439, 449), 460, 463, (10006, 10014), 10020, 10052, 10058, 10243, 10268, 10289, 10293,
    10318)
KEPT = ends_of((104, 107), 110, 321, 329)
INFORMS = ends_of(399, 404, 434, 2109, 2148, 10149, 10311, 10349)
#: ib-codes.md does not have them
UNLISTED = [888, 10777]
#: 434 says that there is no size: of a new order it leaves nothing to work
NOTHING_TO_WORK = 434


@pytest.fixture(scope='module')
def run():
    with stage.open() as run:
        yield run


def rests(run, count):
    """So many orders that TWS works, at prices of their own."""
    orders = run.do(lambda s: [s.buy(**dict(LIMIT, price=100.0 + number)) for number in range(count)])
    run.until(lambda: all('Accepted' in run.life(order) for order in orders))
    return orders


def scripted(run, codes, on, inactive=False, say='refuse_next', text=TEXT):
    def set_up(scenario):
        for code in codes:
            more = {'inactive': inactive} if say == 'refuse_next' else {}
            getattr(scenario, say)(code, text, on=on, **more)
    run.scenario(set_up)


def heard(run, orders, codes, text=TEXT):
    run.until(lambda: all(order.info['messages'] for order in orders))
    assert [(order.info['code'], order.info['message']) for order in orders] == [(code, text) for code in codes]


def alive(run, orders, price=None):
    """They stand as TWS works them: once accepted, with their old price or with `price`."""
    run.do(lambda s: None)
    run.until(lambda: all(order.life.ending is None for order in orders))
    for number, order in enumerate(orders):
        assert order.alive(), (order.info['messages'], run.life(order))
        assert run.life(order) == ['Submitted', 'Accepted'], order.info['messages']
        assert order.lmtPrice == (price or 100.0 + number), (order.info['messages'], order.lmtPrice)
    working = run.gateway.call(lambda world: {opened.order.orderId: opened.order.lmtPrice
                                              for opened, _ in world.exchange.open_orders()})
    assert {order.orderId: order.lmtPrice for order in orders} == {
        order.orderId: working.get(order.orderId) for order in orders}


def settled(run, orders):
    """No change of theirs is in doubt."""
    run.until(lambda: all(order.life.before is None for order in orders))


def ended(run, orders, *life):
    run.until(lambda: all(run.ended(order) for order in orders))
    assert [(order.info['code'], run.life(order)) for order in orders] == [
        (order.info['code'], list(life)) for order in orders]


@pytest.fixture(autouse=True)
def tidy(run):
    yield
    run.scenario(lambda scenario: (scenario._refusals.clear(), scenario._notices.clear()))
    run.gateway.call(lambda world: world.exchange.global_cancel(world.now))
    run.until(lambda: not run.broker.get_orders_open())


@pytest.mark.client_errors
def test_p59_a_new_order_is_rejected_by_what_refuses(run):
    codes = REFUSED_NOW + KEPT + [NOTHING_TO_WORK]
    scripted(run, codes, 'place')
    orders = run.do(lambda s: [s.buy(**LIMIT) for _ in codes])
    heard(run, orders, codes)
    ended(run, orders, 'Submitted', 'Rejected')


@pytest.mark.client_errors
def test_p59_a_new_order_lives_with_what_informs(run):
    codes = [code for code in INFORMS if code != NOTHING_TO_WORK]
    scripted(run, codes, 'place', say='inform_next')
    orders = rests(run, len(codes))
    heard(run, orders, codes)
    alive(run, orders)


@pytest.mark.client_errors
def test_p60_lack_of_funds_is_margin_new_or_changed(run):
    scripted(run, [201], 'place', text=NO_FUNDS)
    order = run.do(lambda s: s.buy(**LIMIT))
    ended(run, [order], 'Submitted', 'Margin')
    order, = rests(run, 1)
    scripted(run, [201], 'modify', inactive=True, text=NO_FUNDS)
    run.do(lambda s: s.broker.modify(order, size=20))
    ended(run, [order], 'Submitted', 'Accepted', 'Margin')


@pytest.mark.client_errors
def test_p61_a_change_that_is_refused_leaves_the_order_as_tws_works_it(run):
    codes = KEPT + REFUSED_NOW
    orders = rests(run, len(codes))
    scripted(run, codes, 'modify')
    run.do(lambda s: [s.broker.modify(order, price=99.0) for order in orders])
    heard(run, orders, codes)
    alive(run, orders)


@pytest.mark.client_errors
def test_p59_a_change_by_which_tws_drops_the_order_rejects_it(run):
    orders = rests(run, len(REFUSED_NOW))
    scripted(run, REFUSED_NOW, 'modify', inactive=True)
    run.do(lambda s: [s.broker.modify(order, price=99.0) for order in orders])
    heard(run, orders, REFUSED_NOW)
    ended(run, orders, 'Submitted', 'Accepted', 'Rejected')


@pytest.mark.client_errors
def test_p59_a_change_goes_through_with_what_informs(run):
    codes = [code for code in INFORMS if code != NOTHING_TO_WORK]
    orders = rests(run, len(codes))
    scripted(run, codes, 'modify', say='inform_next')
    run.do(lambda s: [s.broker.modify(order, price=99.0) for order in orders])
    heard(run, orders, codes)
    alive(run, orders, 99.0)


@pytest.mark.client_errors
def test_p61_what_an_unlisted_code_does_to_a_change_is_what_tws_works_then(run):
    refused = rests(run, len(UNLISTED))
    scripted(run, UNLISTED, 'modify')
    run.do(lambda s: [s.broker.modify(order, price=99.0) for order in refused])
    heard(run, refused, UNLISTED)
    settled(run, refused)
    alive(run, refused)
    run.do(lambda s: [s.cancel(order) for order in refused])
    taken = rests(run, len(UNLISTED))
    scripted(run, UNLISTED, 'modify', say='inform_next')
    run.do(lambda s: [s.broker.modify(order, price=99.0) for order in taken])
    heard(run, taken, UNLISTED)
    settled(run, taken)
    alive(run, taken, 99.0)


@pytest.mark.client_errors
@pytest.mark.parametrize('say', ['refuse_next', 'inform_next'])
@pytest.mark.parametrize('name, old, new', [
    ('outsideRth', False, True), ('tif', 'GTC', 'DAY'), ('displaySize', 5, 7),
    ('valid', DATE, DATE + datetime.timedelta(days=1)), ('valid', None, DATE),
])
def test_p61_so_it_is_for_a_change_of_anything_else(run, name, old, new, say):
    order = run.do(lambda s: s.buy(**dict(LIMIT, **{name: old})))
    run.reaches(order, 'Accepted')
    scripted(run, UNLISTED[:1], 'modify', say=say)
    run.do(lambda s: s.broker.modify(order, **{name: new}))
    heard(run, [order], UNLISTED[:1])
    settled(run, [order])
    held = new if say == 'inform_next' else old
    if name == 'valid':
        assert order.tif == ('GTD' if held else 'GTC')
        assert order.goodTillDate == (held.strftime('%Y%m%d-%H:%M:%S') if held else '')
    else:
        assert getattr(order, name) == held


@pytest.mark.client_errors
def test_p59_an_unlisted_code_about_an_order_that_nobody_changed_asks_nothing(run):
    order, = rests(run, 1)
    asked = len(run.sent('ReqOpenOrders'))
    run.gateway.fault('error', str(UNLISTED[0]), str(order.orderId), TEXT)
    heard(run, [order], UNLISTED[:1])
    alive(run, [order])
    assert len(run.sent('ReqOpenOrders')) == asked


@pytest.mark.client_errors
def test_p58_p61_a_cancel_that_is_refused_leaves_the_order_alive(run):
    codes = KEPT + REFUSED_NOW + INFORMS + [161, 10148]
    orders = rests(run, len(codes))
    scripted(run, codes, 'cancel')
    run.do(lambda s: [s.cancel(order) for order in orders])
    heard(run, orders, codes)
    alive(run, orders)
    assert not any(order.life.cancel_asked for order in orders if order.info['code'] not in INFORMS)


@pytest.mark.client_errors
def test_p58_p60_a_cancel_that_is_done_or_finds_nothing_ends_the_order(run):
    done, gone, late = rests(run, 3)
    scripted(run, [10147, 10148], 'cancel')
    run.scenario(lambda scenario: scenario._refusals.__setitem__(1, scenario._refusals[1]._replace(
        text='OrderId 7 that needs to be cancelled cannot be cancelled, state: Cancelled.')))
    run.do(lambda s: (s.cancel(gone), s.cancel(late), s.cancel(done)))
    ended(run, [done, gone, late], 'Submitted', 'Accepted', 'Canceled')
    assert [order.info['code'] for order in (done, gone, late)] == [202, 10147, 10148]


# -- an error that seems to end what TWS works -------------------------------------------------------------------------

def works(run, order):
    """TWS works it, and it is open for us."""
    run.reaches(order, 'Accepted')
    run.until(lambda: order.life.ending is None and not order.life.doubt)
    assert run.life(order) == ['Submitted', 'Accepted'] and order in run.broker.get_orders_open()
    assert order.orderId in run.gateway.call(
        lambda world: [opened.order.orderId for opened, _ in world.exchange.open_orders(1)])


@pytest.mark.client_errors
@pytest.mark.parametrize('inactive', [True, False])
def test_p59_an_order_that_is_refused_while_its_change_waits_to_leave_works_if_tws_takes_the_change(run, inactive):
    scripted(run, [203], 'place', inactive=inactive)

    def act(strategy):
        order = strategy.buy(**LIMIT)
        strategy.broker.store._release()
        run.gateway.wait(lambda world: not world.exchange.scenario._refusals)
        # of the refusal this thread knows nothing yet
        assert strategy.broker.modify(order, price=151.0)
        return order
    order = run.do(act)
    if inactive:
        works(run, order)
        assert order.lmtPrice == order.price == 151.0
    else:
        # an order that is not there cannot be changed (103)
        ended(run, [order], 'Submitted', 'Rejected')


@pytest.mark.client_errors
@pytest.mark.parametrize('code', [321, 201])
def test_p58_a_refused_cancel_of_an_order_that_tws_said_nothing_of_leaves_it_alive(run, code):
    run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset(['PreSubmitted', 'Submitted'])))
    try:
        order = run.do(lambda s: s.buy(**LIMIT))
        run.gateway.wait(lambda world: world.exchange.open_orders(1))
        scripted(run, [code], 'cancel')
        run.do(lambda s: s.cancel(order))
        heard(run, [order], [code])
        works(run, order)
    finally:
        run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset()))


@pytest.mark.client_errors
def test_p58_an_order_that_waits_for_its_cancel_has_not_ended_by_a_refused_change(run):
    run.scenario(lambda scenario: vars(scenario).update(cancel_delay=1000.0, pending_cancel=True))
    try:
        order, = rests(run, 1)
        scripted(run, [201], 'modify')
        asked = len(run.sent('ReqOpenOrders'))
        run.do(lambda s: (s.broker.modify(order, price=99.0), s.cancel(order)))
        heard(run, [order], [201])
        run.until(lambda: len(run.sent('ReqOpenOrders')) > asked and not order.life.doubt)
        assert order.alive() and order.life.ending is None and order.lmtPrice == 100.0
        # a fill overtakes the cancel
        run.gateway.call(lambda world: world.exchange._floor.fill(
            world.exchange._book.find(1, order.orderId), world.now, 100.0, 10))
        ended(run, [order], 'Submitted', 'Accepted', 'Completed')
    finally:
        run.scenario(lambda scenario: vars(scenario).update(cancel_delay=0.0, pending_cancel=False))


@pytest.mark.client_errors
def test_p60_what_was_told_as_ended_and_works_all_the_same_is_cancelled(run):
    scripted(run, [201], 'place', inactive=True)
    # TWS keeps it, inactive
    scripted(run, [161], 'cancel')
    order = run.do(lambda s: s.buy(**LIMIT))
    ended(run, [order], 'Submitted', 'Rejected')
    run.until(lambda: not order.life.cancel_asked)

    def revive(world):
        ticket = world.exchange._book.find(1, order.orderId)
        world.exchange.place(world.now, 1, ticket.order, ticket.contract, ticket.instrument)
    run.gateway.call(revive)
    run.gateway.wait(lambda world: world.exchange._book.find(1, order.orderId).status == 'Cancelled')
    run.do(lambda s: None)
    assert run.life(order) == ['Submitted', 'Rejected']


@pytest.mark.client_errors
def test_p60_what_was_told_as_cancelled_and_works_all_the_same_is_cancelled_again(run):
    """TWS said that it knows no such order, and then fills part of it."""
    order, = rests(run, 1)
    scripted(run, [10147], 'cancel')
    run.do(lambda s: s.cancel(order))
    ended(run, [order], 'Submitted', 'Accepted', 'Canceled')

    def look(world):
        return world.exchange._book.find(1, order.orderId)
    run.gateway.call(lambda world: world.exchange._floor.fill(look(world), world.now, 100.0, 3))
    run.gateway.wait(lambda world: look(world).status == 'Cancelled')
    run.until(lambda: any('TWS works it' in said for said in run.said))
    run.until(lambda: run.position().size == run.ledger()[0])
