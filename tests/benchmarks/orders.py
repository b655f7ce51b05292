"""How long `buy()` takes on the strategy thread, in microseconds, and how many times that of backtrader's own broker.

    python tests/benchmarks/orders.py
"""
import time

import backtrader as bt

import backtrader_ib_insync as ibnew
from served import served

ORDERS = 500


class Many(bt.Strategy):
    """Gives all orders at its second bar; `spent` has the seconds each took, sorted."""

    def next(self):
        if len(self) < 2:
            return
        self.spent = []
        for _ in range(ORDERS):
            started = time.perf_counter()
            self.buy(size=1, exectype=bt.Order.Limit, price=100.0)
            self.spent.append(time.perf_counter() - started)
        self.spent.sort()
        self.env.runstop()


def spent(data, broker=None):
    """(median, 99 %) in microseconds."""
    cerebro = bt.Cerebro(stdstats=False)
    if broker is not None:
        cerebro.setbroker(broker)
    cerebro.adddata(data)
    cerebro.addstrategy(Many)
    found = cerebro.run(runonce=False, preload=False)[0].spent
    return found[ORDERS // 2] * 1e6, found[ORDERS * 99 // 100] * 1e6


class Flat(bt.feed.DataBase):
    """Ten bars of no interest, for backtrader's own broker."""

    def _load(self):
        self.lines.datetime[0] = 738000 + len(self)
        for name in ('open', 'high', 'low', 'close'):
            getattr(self.lines, name)[0] = 200.0
        return len(self) < 10


with served('--speed', '20') as port:
    store = ibnew.IBStore(port=port, clientId=1)
    ours = spent(store.getdata(dataname='SPY-STK-SMART-USD', timeframe=bt.TimeFrame.Ticks, backfill_start=False),
                 store.getbroker())
own = spent(Flat())
print('buy(): median {:.0f} us, 99 % {:.0f} us, {} orders in one next; backtrader\'s own broker: median {:.0f} us, '
      '99 % {:.0f} us; ratio {:.1f}'.format(*ours, ORDERS, *own, ours[0] / own[0]))
