"""Random lives of orders: whatever is placed, changed, cancelled, filled in parts or corrected, the books agree."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import FUTURE, STOCK, Desk

from backtrader_ib_insync.simulator import events

ENDS = ('Filled', 'Cancelled', 'Inactive')
PRICES = st.integers(90, 110).map(float)
PLACE = st.tuples(
    st.just('place'), st.sampled_from(['BUY', 'SELL']), st.integers(1, 50),
    st.sampled_from(['MKT', 'LMT', 'STP', 'STP LMT', 'TRAIL', 'TRAIL LIMIT', 'MIT', 'LIT', 'MOC', 'MTL']),
    PRICES, PRICES,
    st.sampled_from(['DAY', 'GTC', 'IOC', 'FOK']), st.sampled_from(['', '', 'g', 'h']), st.integers(0, 3))
BRACKET = st.tuples(st.just('bracket'), st.integers(1, 50), PRICES)
STEP = st.one_of(
    PLACE, PLACE, BRACKET,
    st.tuples(st.just('modify'), st.integers(1, 20), st.integers(1, 60), PRICES),
    st.tuples(st.just('cancel'), st.integers(1, 20)),
    st.tuples(st.just('print'), PRICES), st.tuples(st.just('print'), PRICES),
    st.tuples(st.just('partial'), st.lists(st.integers(1, 20), max_size=3)),
    st.tuples(st.just('correct'), st.integers(0, 20), PRICES),
    st.tuples(st.just('later'), st.sampled_from([60, 3600, 43200])))


class Life:
    """Plays the steps on one desk."""

    def __init__(self, delay):
        self.desk = Desk(cash=1e7)
        self.desk.scenario.cancel_delay = delay
        self.next_id = 1

    def play(self, name, *details):
        getattr(self, name)(*details)
        self.desk.take()

    def take_id(self):
        self.next_id += 1
        return self.next_id - 1

    def place(self, action, quantity, kind, price, other, tif, group, gap):
        fields = dict(tif='DAY' if kind == 'MOC' else tif, ocaGroup=group, ocaType=gap)
        if kind == 'TRAIL LIMIT':
            fields.update(auxPrice=1.0, lmtPriceOffset=0.5)
        elif kind == 'TRAIL':
            fields.update(auxPrice=1.0 + gap)
        else:
            fields.update(lmtPrice=price, auxPrice=other)
        self.desk.place(self.take_id(), action, quantity, kind, **fields)

    def bracket(self, quantity, price):
        parent = self.take_id()
        self.desk.place(parent, 'BUY', quantity, 'LMT', lmtPrice=price, transmit=False)
        self.desk.place(self.take_id(), 'SELL', quantity, 'STP', auxPrice=price - 3, parentId=parent, transmit=False)
        self.desk.place(self.take_id(), 'SELL', quantity, 'LMT', lmtPrice=price + 3, parentId=parent)

    def modify(self, orderId, quantity, price):
        known = [opened.order for opened, _ in self.desk.exchange.open_orders() if opened.order.orderId == orderId]
        for order in known:
            self.desk.exchange.place(self.desk.now, 1, order.replace(totalQuantity=quantity, lmtPrice=price),
                                     STOCK.contract, STOCK)

    def cancel(self, orderId):
        self.desk.cancel(orderId)

    def print(self, price):
        self.desk.print(price)

    def partial(self, sizes):
        self.desk.scenario.partial('AAA', sizes)

    def correct(self, number, price):
        fills = self.desk.exchange.executions()
        if number < len(fills):
            self.desk.exchange.correct(self.desk.now, fills[number].execution.execId, price=price)

    def later(self, seconds):
        self.desk.advance(seconds)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=30), st.sampled_from([0.0, 0.7]))
def test_the_books_agree(steps, delay):
    life = Life(delay)
    for step in steps:
        life.play(*step)
    desk, ledger = life.desk, life.desk.ledger
    position = sum(size for size, _ in desk.fills())
    held = ledger.position('U1', STOCK.conId)
    assert (held.position if held else 0) == pytest.approx(position)
    pnl = ledger.pnl(desk.now, 'U1')
    assert ledger.figures(desk.now, 'U1').equity == pytest.approx(1e7 + pnl.unrealized + pnl.realized)
    reports = [fill.report for fill in desk.exchange.executions()]
    assert sum(report.realizedPNL or 0 for report in reports) == pytest.approx(pnl.realized) or _was_corrected(desk)
    check_ends(desk)
    check_fills(desk)


def _was_corrected(desk):
    return any(not fill.execution.execId.endswith('.01') for fill in desk.exchange.executions())


def check_ends(desk):
    """Nothing ends twice, and nothing is told of what has ended."""
    ended = set()
    for event in desk.heard:
        if isinstance(event, events.Status):
            assert event.orderId not in ended, event
            if event.status in ENDS:
                ended.add(event.orderId)
    still = {opened.order.orderId for opened, _ in desk.exchange.open_orders()}
    assert not still & ended


def check_fills(desk):
    """What a status says is what its executions sum to, never more than was asked."""
    last = {event.orderId: event for event in desk.heard if isinstance(event, events.Status)}
    for orderId, status in last.items():
        filled = sum(abs(size) for size, _ in desk.fills(orderId))
        assert status.filled == pytest.approx(filled)
        assert filled <= desk.shown(orderId).totalQuantity


def test_futures_and_stocks_together_balance():
    desk = Desk()
    for number, on in enumerate((STOCK, FUTURE, STOCK), 1):
        desk.place(number, 'BUY', 2, 'MKT', on=on)
    desk.print(120.0)
    pnl = desk.ledger.pnl(desk.now, 'U1')
    assert desk.ledger.figures(desk.now, 'U1').equity == pytest.approx(1e6 + pnl.unrealized)
