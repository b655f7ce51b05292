"""Random lives of orders: whatever happens to them, orders, positions, cash and trades end as the gateway's ledger."""
import os
import random

import backtrader as bt
import pytest

import stage
from test_trading import by_hand

Order = bt.Order
FINAL = ('Completed', 'Canceled', 'Expired', 'Margin', 'Rejected')
#: lives in the suite; BT_IB_LIVES=1000 for more
LIVES = int(os.environ.get('BT_IB_LIVES', 300))
A_RUN = 50
REPORTS = ('execution', 'status', 'commission')


class Life:
    """What a strategy and fate do with a handful of orders, drawn from one seed."""

    def __init__(self, run, seed):
        self.run = run
        self.draw = random.Random(seed)
        self.orders = []

    def live(self):
        self.fate()
        for _ in range(self.draw.randint(1, 4)):
            self.draw.choice([self.market, self.market, self.touch, self.rest, self.bracket, self.pair,
                              self.foreign])()
            if self.draw.random() < 0.5:
                self.draw.choice([self.change, self.cancel])()
        self.calm()

    def fate(self):
        """How the exchange behaves this time."""
        draw, order = self.draw, list(REPORTS)
        draw.shuffle(order)
        sizes = [draw.randint(1, 60) for _ in range(draw.randint(0, 4))]
        refusals = [(draw.choice([201, 203, 321]), draw.choice(['place', 'modify']))] if draw.random() < 0.3 else []
        switches = {'report_order': tuple(order), 'repeats': draw.randint(1, 3),
                    'dropped': frozenset(draw.sample(['Filled', 'Submitted', 'PreSubmitted'], draw.randint(0, 2))),
                    'commission': draw.choice(['normal', 'normal', 'normal', 'missing', 'sentinel', 'unset']),
                    'cancel_delay': draw.choice([0.0, 0.0, 0.2]), 'pending_cancel': draw.random() < 0.5}

        def set_up(scenario):
            for name, value in switches.items():
                setattr(scenario, name, value)
            scenario._refusals.clear()
            scenario._partials.clear()
            scenario.partial('AAPL', sizes)
            for code, on in refusals:
                scenario.refuse_next(code, 'Order rejected - reason:fate', on=on)
        self.run.scenario(set_up)

    def calm(self):
        """Let partial orders go on, cancel what is left, wait for the end of all."""
        def set_up(scenario):
            scenario._partials.clear()
            scenario._refusals.clear()
            scenario.cancel_delay = 0.0
        self.run.scenario(set_up)
        for order in self.orders:
            self.run.do(lambda s, order=order: s.cancel(order))
        self.run.until(lambda: all(self.run.ended(order) for order in self.orders))

    def side(self, strategy):
        return strategy.buy if self.draw.random() < 0.5 else strategy.sell

    def place(self, **asked):
        order = self.run.do(lambda s: self.side(s)(size=self.draw.randint(1, 100), **asked))
        self.orders.append(order)
        return order

    def market(self):
        self.place()

    def touch(self):
        order = self.run.do(lambda s: s.buy(size=self.draw.randint(1, 100), exectype=Order.Limit, price=400.0))
        self.orders.append(order)

    def rest(self):
        order = self.run.do(lambda s: s.sell(size=self.draw.randint(1, 100), exectype=Order.Limit, price=500.0,
                                             valid=self.draw.choice([None, 0])))
        self.orders.append(order)

    def bracket(self):
        price = self.draw.choice([100.0, 400.0])
        self.orders += self.run.do(lambda s: s.buy_bracket(size=self.draw.randint(1, 50), price=price, stopprice=50.0,
                                                           limitprice=500.0))

    def pair(self):
        def both(strategy):
            first = strategy.buy(size=10, exectype=Order.Limit, price=100.0)
            price = self.draw.choice([500.0, 100.0])
            return [first, strategy.sell(size=10, exectype=Order.Limit, price=price, oco=first)]
        self.orders += self.run.do(both)

    def foreign(self):
        size = self.draw.choice([-20, 15])
        self.run.gateway.call(lambda world: by_hand(world, size))

    def change(self):
        order = self.draw.choice(self.orders) if self.orders else None
        if order is not None and order.exectype == Order.Limit:
            price = self.draw.choice([order.terms.price, 100.0, 400.0, 500.0])
            self.run.do(lambda s: s.broker.modify(order, price=price))

    def cancel(self):
        if self.orders:
            order = self.draw.choice(self.orders)
            self.run.do(lambda s: s.cancel(order))


def check(run, life):
    for order in life.orders:
        told = run.life(order)
        assert sum(status in FINAL for status in told) == 1, told
        assert told[-1] in FINAL, told
        assert told.count('Accepted') <= 1, told
    run.until(lambda: run.position().size == run.ledger()[0])
    fills = run.gateway.call(lambda world: [(fill.execution.permId, fill.execution.shares)
                                            for fill in world.exchange.executions()])
    for order in life.orders:
        filled = sum(shares for permId, shares in fills if permId == order.permId and permId)
        assert abs(order.executed.size) == filled, (order.ref, run.life(order), filled)
    run.until(lambda: run.broker.getcash() == pytest.approx(run.ledger()[1]['USD']))


def check_trades(run):
    """Executions told to strategies, each once, come to what the orders say."""
    told = {}
    for order in run.orders:
        told[order.ref] = told.get(order.ref, 0) + sum(bit.size for bit in order.executed.getpending())
    assert all(run.last(order).executed.size == told[order.ref] for order in run.orders)


@pytest.mark.client_errors
@pytest.mark.parametrize('first', range(0, LIVES, A_RUN))
def test_p51_p58_p60_whatever_happens_all_ends_as_the_ledger_says(first):
    with stage.open(gateway={'cash': 1e8}, broker={'commission_wait': 0.2}) as run:
        for seed in range(first, min(first + A_RUN, LIVES)):
            life = Life(run, seed)
            try:
                life.live()
                check(run, life)
            except AssertionError as error:
                raise AssertionError('seed {}: {}: {}'.format(seed, error, [
                    (order.ref, run.life(order), order.info['messages']) for order in life.orders])) from error
        check_trades(run)
        assert run.broker.get_orders_open() == []
