"""Random lives of orders: whatever happens to them, orders, positions, cash and trades end as the gateway's ledger."""
import contextlib
import datetime
import itertools
import os

import backtrader as bt
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import stage
from backtrader_ib_insync import account, attempts, holding, order_life, pacing, request_desk
from test_trading import by_hand, fill_now

Order = bt.Order
FINAL = ('Completed', 'Canceled', 'Expired', 'Margin', 'Rejected')
#: BT_IB_LIVES=1000 for so many, drawn at random (--hypothesis-seed=N repeats them), and not always the same
LIVES = int(os.environ.get('BT_IB_LIVES', 0))
#: the gateway's seconds to one of ours: what waits for a tick need not wait long
SPEED = 30.0
LOW, HIGH = 100.0, 500.0

SIZES, SHARES = st.integers(1, 60), st.integers(1, 100)
PRICES = st.sampled_from([LOW, 400.0, HIGH])

#: how the exchange behaves in a life
FATES = st.fixed_dictionaries({
    'report_order': st.permutations(['execution', 'status', 'commission']).map(tuple),
    'repeats': st.integers(1, 3),
    'dropped': st.frozensets(st.sampled_from(['Filled', 'Submitted', 'PreSubmitted']), max_size=2),
    'commission': st.sampled_from(['normal', 'normal', 'missing', 'sentinel', 'unset']),
    'commission_delay': st.sampled_from([0.0, 0.0, 10.0]),
    'cancel_delay': st.sampled_from([0.0, 0.0, 6.0]),
    'pending_cancel': st.booleans(),
})
REFUSALS = st.lists(st.one_of(
    st.tuples(st.sampled_from([201, 203, 321]), st.just('place')),
    st.tuples(st.sampled_from([105, 201, 203, 321]), st.just('modify')),
    st.tuples(st.sampled_from([161, 321]), st.just('cancel'))), max_size=2)

#: what befalls the gateway, its link and its executions, on which no strategy acts
FOREIGN = ('foreign', 'late', 'correct', 'cut', 'swallowed', 'uplink', 'engulfed', 'window', 'torn')

#: what a strategy, or somebody else, does; the number picks one of the orders there are
OURS = st.one_of(
    st.tuples(st.just('market'), st.booleans(), SHARES),
    st.tuples(st.just('limit'), st.booleans(), SHARES, PRICES, st.sampled_from([None, 0])),
    st.tuples(st.just('stop'), st.booleans(), SHARES, PRICES),
    st.tuples(st.just('bracket'), SIZES, PRICES),
    st.tuples(st.just('pair'), PRICES, PRICES),
    st.tuples(st.just('three'), PRICES, PRICES),
    st.tuples(st.just('trail'), st.booleans(), SHARES, st.sampled_from([0.01, 50.0])),
    st.tuples(st.just('guarded'), SIZES, st.sampled_from([0.01, 50.0]), PRICES),
    st.tuples(st.just('moment'), st.booleans(), SHARES, PRICES, st.sampled_from(['IOC', 'FOK', 20.0])),
    st.tuples(st.just('join'), st.integers(0, 9), PRICES),
    st.tuples(st.just('twice'), st.integers(0, 9), SHARES, PRICES),
    st.tuples(st.just('price'), st.integers(0, 9), PRICES),
    st.tuples(st.just('size'), st.integers(0, 9), SHARES),
    st.tuples(st.just('cancel'), st.integers(0, 9)))
DEEDS = st.lists(st.one_of(
    OURS, OURS,
    st.tuples(st.just('foreign'), st.sampled_from([-20, 15])),
    st.tuples(st.just('uplink'), st.booleans()),
    st.tuples(st.just('engulfed'), SIZES, PRICES),
    st.tuples(st.just('torn'), st.integers(0, 7), st.integers(0, 30), st.lists(OURS, min_size=1, max_size=3)),
    st.tuples(st.just('window'), st.integers(0, 9), PRICES, st.booleans()),
    st.tuples(st.just('late'), st.sampled_from([3, 8, 15]), st.integers(1, 2)),
    st.tuples(st.just('correct'), st.sampled_from([0.0, 0.5])),
    st.tuples(st.just('cut'), st.integers(0, 9), PRICES, st.booleans()),
    st.tuples(st.just('swallowed'), st.integers(0, 9), st.integers(0, 9), PRICES)), min_size=1, max_size=8)


def terms(tws):
    """Size and prices, 0.0 for what is not set."""
    return [number if number and number < 1e300 else 0.0 for number in (tws.totalQuantity, tws.lmtPrice, tws.auxPrice)]


class Life:
    """Does the deeds of one life on the strategy thread: each in a pass of its own, or all in one."""

    def __init__(self, run):
        self.run = run
        self.orders = []
        self.corrected = set()
        self.groups = []
        self.begun = run.gateway.call(lambda world: len(world.exchange.executions(clientId=1)))

    def live(self, fate, partials, refusals, deeds, at_once):
        self.do(fate, partials, refusals, deeds, at_once)
        self.agree()
        # a cancel that TWS refuses leaves its order working
        if not any(on == 'cancel' for _, on in refusals):
            self.end_groups()
        self.calm()

    def do(self, fate, partials, refusals, deeds, at_once):
        def set_up(scenario):
            vars(scenario).update(fate)
            scenario.partial('AAPL', partials)
            for code, on in refusals:
                scenario.refuse_next(code, 'Order rejected - reason:fate', on=on)
        self.run.scenario(set_up)
        for is_foreign, some in itertools.groupby(deeds, lambda deed: deed[0] in FOREIGN):
            some = list(some)
            if is_foreign:
                for deed in some:
                    getattr(self, '_' + deed[0])(*deed[1:])
            else:
                for batch in [some] if at_once else [[deed] for deed in some]:
                    self._by_us(batch)

    def _foreign(self, size):
        if self.run.has_others:
            self.run.gateway.call(lambda world: by_hand(world, size))

    def _late(self, seconds, count):
        """Executions that come when TWS's position has been believed."""
        self.run.gateway.fault('late', 'execution', str(seconds), str(count))

    def _correct(self, part):
        """The last execution is busted, or made smaller."""
        def correct(world):
            made = [fill.execution for fill in world.exchange.executions(clientId=1)[self.begun:]]
            if made and made[-1].shares:
                world.exchange.correct(world.now, made[-1].execId, shares=made[-1].shares * part // 1)
                self.corrected.add(made[-1].permId)
        self.run.gateway.call(correct)

    def _cut(self, number, price, cancels):
        """The link is cut, and meanwhile somebody changes an order in TWS."""
        live = self.run.statuses.count('LIVE')
        order = self._pick(number)

        def cut(world):
            world.faults.inject('cut')
            ticket = order is not None and order.tws is not None and world.exchange._book.find(1, order.orderId)
            if ticket and ticket.alive and order.exectype == Order.Limit:
                fill_now(world, order.orderId, price)
                if cancels:
                    world.exchange.cancel_by_hand(world.now, ticket.order.permId)
        self.run.gateway.call(cut)
        self.run.until(lambda: self.run.statuses.count('LIVE') > live)

    def _swallowed(self, cancelled, changed, price):
        """A cancel and a change go into a socket that is dead, which shows only then."""
        live = self.run.statuses.count('LIVE')
        self.run.gateway.fault('stall', '1000')
        self._by_us([('cancel', cancelled), ('price', changed, price)])
        self.run.do(lambda strategy: strategy.broker.store.call(lambda ib: None))
        self.run.gateway.fault('cut', 'rst')
        self.run.until(lambda: self.run.statuses.count('LIVE') > live)

    def _uplink(self, lost):
        """TWS loses IB for some seconds."""
        live = self.run.statuses.count('LIVE')
        self.run.gateway.fault('lost', '10', 'data' if lost else 'kept')
        self.run.until(lambda: self.run.statuses.count('LIVE') > live)

    def _engulfed(self, size, price):
        """Orders go into a socket that is dead, which shows only then."""
        live = self.run.statuses.count('LIVE')
        self.run.gateway.fault('stall', '1000')
        self._by_us([('market', True, size), ('bracket', size, price), ('pair', price, HIGH)])
        self.run.do(lambda strategy: strategy.broker.store.call(lambda ib: None))
        self.run.gateway.fault('cut', 'rst')
        self.run.until(lambda: self.run.statuses.count('LIVE') > live)

    def _torn(self, heard, said, deeds):
        """The socket dies in the middle of this: a part of it arrives, a part of what TWS says is heard."""
        live = self.run.statuses.count('LIVE')
        self.run.gateway.fault('tear', heard, said)
        self._by_us(deeds)
        self.run.do(lambda strategy: strategy.broker.store.call(lambda ib: None))
        self.run.gateway.fault('cut')
        self.run.until(lambda: self.run.statuses.count('LIVE') > live)

    def _window(self, number, price, cancels):
        """Somebody changes or cancels an order in TWS's window."""
        order = self._pick(number)

        def act(world):
            ticket = order is not None and order.tws is not None and world.exchange._book.find(1, order.orderId)
            if ticket and ticket.alive and cancels:
                world.exchange.cancel_by_hand(world.now, ticket.order.permId)
            elif ticket and ticket.alive and order.exectype == Order.Limit:
                fill_now(world, order.orderId, price)
        self.run.gateway.call(act)

    def _by_us(self, deeds):
        self.run.do(lambda strategy: [getattr(self, '_' + deed[0])(strategy, *deed[1:]) for deed in deeds])

    def _market(self, strategy, buys, size):
        self.orders.append((strategy.buy if buys else strategy.sell)(size=size))

    def _limit(self, strategy, buys, size, price, valid):
        self.orders.append((strategy.buy if buys else strategy.sell)(
            size=size, exectype=Order.Limit, price=price, valid=valid))

    def _stop(self, strategy, buys, size, price):
        self.orders.append((strategy.buy if buys else strategy.sell)(size=size, exectype=Order.Stop, price=price))

    def _bracket(self, strategy, size, price):
        self.orders += strategy.buy_bracket(size=size, price=price, stopprice=50.0, limitprice=HIGH)

    def _pair(self, strategy, bid, offer):
        first = strategy.buy(size=10, exectype=Order.Limit, price=bid)
        second = strategy.sell(size=10, exectype=Order.Limit, price=offer, oco=first)
        self.orders += [first, second]
        self.groups.append([first, second])

    def _three(self, strategy, bid, offer):
        """A chain: each joins the one before."""
        first = strategy.buy(size=10, exectype=Order.Limit, price=bid)
        second = strategy.sell(size=10, exectype=Order.Limit, price=offer, oco=first)
        third = strategy.sell(size=10, exectype=Order.Stop, price=50.0, oco=second)
        self.orders += [first, second, third]
        self.groups.append([first, second, third])

    def _trail(self, strategy, buys, size, amount):
        self.orders.append((strategy.buy if buys else strategy.sell)(
            size=size, exectype=Order.StopTrail, trailamount=amount))

    def _guarded(self, strategy, size, amount, limit):
        """A purchase at market with a trailing stop and a limit."""
        self.orders += strategy.buy_bracket(size=size, exectype=Order.Market, stopexec=Order.StopTrail,
                                            stopargs={'trailamount': amount}, limitprice=limit)

    def _moment(self, strategy, buys, size, price, force):
        force = {'tif': force} if isinstance(force, str) else {'valid': datetime.timedelta(seconds=force)}
        self.orders.append((strategy.buy if buys else strategy.sell)(
            size=size, exectype=Order.Limit, price=price, **force))

    def _join(self, strategy, number, offer):
        """An order comes into a group with one that may be working, or done."""
        other = self._pick(number)
        if other is not None:
            order = strategy.sell(size=10, exectype=Order.Limit, price=offer, oco=other)
            self.orders.append(order)
            self.groups.append([other, order])

    def _twice(self, strategy, number, size, price):
        """Two changes are on their way at the same time."""
        for deed in (('size', number, size), ('price', number, price)):
            getattr(self, '_' + deed[0])(strategy, *deed[1:])
            strategy.broker.store._release()

    def _price(self, strategy, number, price):
        order = self._pick(number)
        if order is not None and order.exectype in (Order.Limit, Order.Stop):
            strategy.broker.modify(order, price=price)

    def _size(self, strategy, number, size):
        order = self._pick(number)
        if order is not None and size > abs(order.executed.size):
            strategy.broker.modify(order, size=size)

    def _cancel(self, strategy, number):
        order = self._pick(number)
        if order is not None:
            strategy.cancel(order)

    def _pick(self, number):
        return self.orders[number % len(self.orders)] if self.orders else None

    def agree(self):
        """What TWS works of an order is what the order says, if TWS ever said a word of it."""
        def look(world):
            tickets = [(order, world.exchange._book.find(1, order.orderId)) for order in self.orders if order.permId]
            return [(order.orderId, terms(order.tws), terms(ticket.order)) for order, ticket in tickets
                    if ticket is not None and ticket.alive and ticket.cancelling is None]

        try:
            self.run.until(lambda: all(ours == theirs for _, ours, theirs in self.run.gateway.call(look)))
        except AssertionError:
            raise AssertionError(self.run.gateway.call(look)) from None

    def end_groups(self):
        """Of a group of which one was filled nothing works."""
        for group in self.groups:
            if any(order.executed.size for order in group):
                self.run.until(lambda group=group: all(self.run.ended(order) or order.executed.size for order in group))

    def calm(self):
        """Fate relents; what is left is cancelled, and all come to their end."""
        def set_up(scenario):
            scenario._partials.clear()
            scenario._refusals.clear()
            scenario.cancel_delay = 0.0
        self.run.scenario(set_up)
        self.run.gateway.fault('relent')
        self.run.do(lambda s: [s.cancel(order) for order in self.orders])
        self.run.until(lambda: all(self.run.ended(order) for order in self.orders))


def check(run, life):
    for order in life.orders:
        told = run.life(order)
        ends = [status for status in told if status in FINAL]
        assert len(ends) == 1 or order.permId in life.corrected and len(set(ends)) == 1, told
        assert told[-1] in FINAL, told
        assert told.count('Accepted') <= 1, told
    run.gateway.wait(lambda world: not world.exchange.open_orders(0))
    # nor does one wait there that a person could transmit
    run.gateway.wait(lambda world: all(ticket.ended is not None for ticket in world.exchange._book.tickets()))
    run.until(lambda: run.position().size == run.ledger()[0])
    fills, working = run.gateway.call(lambda world: (
        [(fill.execution.permId, fill.execution.shares) for fill in world.exchange.executions()],
        [opened.order.orderId for opened, _ in world.exchange.open_orders(1)]))
    assert not working, working
    for order in life.orders:
        filled = sum(shares for permId, shares in fills if permId == order.permId and permId)
        try:
            # a correction is told when its fill has been
            run.until(lambda order=order, filled=filled: abs(order.executed.size) == filled)
        except AssertionError:
            raise AssertionError(order.ref, run.life(order), order.executed.size, filled) from None
    run.until(lambda: run.broker.getcash() == pytest.approx(run.ledger()[1]['USD']))
    assert run.broker.get_orders_open() == []
    check_trades(run, life)


def money(run):
    """(what the account has paid for shares by the ledger, fees aside; the same by the strategy's trades)."""
    def paid(world):
        return -sum((1 if fill.execution.side == 'BOT' else -1) * fill.execution.shares * fill.execution.price
                    for fill in world.exchange.executions())

    def traded(strategy):
        trades = strategy._trades[run.datas[0]][0]
        return sum(trade.pnl - trade.size * trade.price for trade in trades), sum(trade.size for trade in trades)
    return run.gateway.call(paid), run.do(traded)


def check_trades(run, life):
    """Executions told to strategies, each once, come to what the orders say; trades to position and ledger."""
    if not run.has_others:
        try:
            run.until(lambda: money(run)[1] == pytest.approx((money(run)[0], run.position().size), abs=0.01))
        except AssertionError:
            raise AssertionError(money(run), run.position().size) from None
    for order in life.orders:
        told = sum(bit.size for told in list(run.orders) if told.ref == order.ref for bit in told.executed.getpending())
        assert order.executed.size == told, (order.ref, run.life(order), told)


@contextlib.contextmanager
def impatient():
    """The library waits no longer for what the gateway, which runs fast, will not say."""
    patience = pytest.MonkeyPatch()
    # what the library waits for in vain here is made up by the exchange: it will not come
    patience.setattr(order_life, 'UNTOLD_PATIENCE', 0.2)
    patience.setattr(order_life, 'DOUBT_PATIENCE', 0.3)
    patience.setattr(order_life, 'LISTING_PATIENCE', 0.5)
    # by the gateway's clock, which we know well enough here
    patience.setattr(order_life, 'FILLS_PATIENCE', 2.0 * SPEED)
    patience.setattr(account, 'AHEAD_SECONDS', 0.1)
    # a link that is lost all the time is not tried again at once
    patience.setattr(attempts, 'BACKOFF_SECONDS', 0.1)
    # of the gateway's clock we know at best what it was some of its seconds ago
    patience.setattr(holding, 'CLOCK_SECONDS', 0.2 * SPEED)
    # a feed that is cut off so often would have to wait for its gaps
    limits = pacing.LIMITS._replace(alike=10 ** 6, requests=10 ** 6, identical_seconds=0.0, violation_seconds=0.1)
    patience.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))
    yield
    patience.undo()


GATEWAY = {'cash': 1e9, 'speed': SPEED, 'messages_per_second': 0}
OPTIONS = {'broker': {'commission_wait': 0.1}, 'store': {'reconnect': -1, 'timeout': 0.05, 'timerefresh': 0.1}}


@contextlib.contextmanager
def open_run(has_others):
    with impatient(), stage.open(gateway=GATEWAY, **OPTIONS) as run:
        run.failure, run.has_others = '', has_others
        yield run


@pytest.fixture(scope='module')
def alone():
    with open_run(False) as run:
        yield run


@pytest.fixture(scope='module')
def among_others():
    with open_run(True) as run:
        yield run


def lives(count):
    """A test of so many random lives; others than always the same where BT_IB_LIVES asks for a number of them."""
    def decorate(test):
        settled = settings(max_examples=LIVES or count, derandomize=not LIVES, database=None, deadline=None,
                           phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
        drawn = given(FATES, st.lists(SIZES, max_size=4), REFUSALS, DEEDS, st.booleans())
        return pytest.mark.client_errors(pytest.mark.timeout(3 * (LIVES or count))(settled(drawn(test))))
    return decorate


def live(run, *drawn):
    # a life that went wrong leaves orders behind, by which what hypothesis repeats would go wrong otherwise
    assert not run.failure, run.failure
    life = Life(run)
    try:
        life.live(*drawn)
        check(run, life)
    except Exception as error:
        run.failure = '{!r}: {}'.format(error, [
            (order.ref, order.orderId, run.life(order), order.info['messages']) for order in life.orders])
        raise AssertionError(run.failure) from error


@lives(220)
def test_p51_p58_p60_whatever_happens_all_ends_as_the_ledger_says(alone, fate, partials, refusals, deeds, at_once):
    live(alone, fate, partials, refusals, deeds, at_once)


@lives(80)
def test_p62_it_does_so_when_others_trade_too(among_others, fate, partials, refusals, deeds, at_once):
    live(among_others, fate, partials, refusals, deeds, at_once)
