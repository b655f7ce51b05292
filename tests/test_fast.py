"""The few tests that run on every interpreter: import, history, live, an order, a reconnection; all over the socket."""
import datetime

import backtrader as bt
import pytest
from helpers import APPLE, run

pytestmark = pytest.mark.fast

MINUTES = dict(dataname=APPLE, timeframe=bt.TimeFrame.Minutes, compression=1)
START = datetime.datetime(2024, 11, 20, 9, 50)


def test_import():
    import backtrader_ib_insync
    assert backtrader_ib_insync.__version__


def test_history(gateway, store):
    data = store(gateway).getdata(dataname=APPLE, timeframe=bt.TimeFrame.Days, historical=True,
                                  fromdate=datetime.datetime(2024, 10, 1), todate=datetime.datetime(2024, 11, 1))
    recorder = run(data)
    assert len(recorder.bars[0]) == 23


def test_live_and_an_order(gateway, store):
    def trade(strategy):
        if strategy.is_live() and not strategy.orders and not strategy.position:
            strategy.buy(size=100)

    made = store(gateway)
    recorder = run(made.getdata(fromdate=START, **MINUTES), broker=made.getbroker(), act=trade,
                   until=lambda strategy: 'Completed' in strategy.ended().values() and len(strategy.trades) == 1)
    assert recorder.statuses[0][:3] == ['CONNECTED', 'DELAYED', 'LIVE']
    assert recorder.position.size == 100
    assert gateway.call(lambda world: [row.position for row in world.ledger.portfolio(world.now, 'U1234567')]) == [100]


def test_a_cut_socket_leaves_no_gap(gateway, store):
    cut = []

    def pull(strategy):
        if strategy.is_live() and not cut:
            cut.append(len(strategy.bars[0]))
            gateway.fault('cut', 'rst')

    recorder = run(store(gateway, timeout=0.2).getdata(fromdate=START, **MINUTES), act=pull,
                   until=lambda strategy: cut and len(strategy.bars[0]) >= cut[0] + 4, seconds=40)
    ends = [bar[0] for bar in recorder.bars[0]]
    assert [later - earlier for earlier, later in zip(ends, ends[1:])] == [60.0] * (len(ends) - 1)
    assert 'CONNBROKEN' in recorder.statuses[0] and recorder.is_live()
