"""How long `buy()` takes on the strategy thread, in microseconds.

    python tests/benchmarks/orders.py
"""
import time

import backtrader as bt

import backtrader_ib_insync as ibnew
from served import served

ORDERS = 500


class Many(bt.Strategy):
    def next(self):
        spent = []
        for _ in range(ORDERS):
            started = time.perf_counter()
            self.buy(size=1, exectype=bt.Order.Limit, price=100.0)
            spent.append(time.perf_counter() - started)
        spent.sort()
        print('buy(): median {:.0f} us, 99 % {:.0f} us, {} orders in one next'.format(
            spent[ORDERS // 2] * 1e6, spent[ORDERS * 99 // 100] * 1e6, ORDERS))
        self.env.runstop()


with served('--speed', '20') as port:
    store = ibnew.IBStore(port=port, clientId=1)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(store.getbroker())
    cerebro.adddata(store.getdata(dataname='SPY-STK-SMART-USD', timeframe=bt.TimeFrame.Ticks, backfill_start=False))
    cerebro.addstrategy(Many)
    cerebro.run()
