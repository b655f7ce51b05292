"""From a tick's arrival in the process to `next`, in milliseconds: 2 and 10 feeds of which only one has ticks.

    python tests/benchmarks/latency.py
"""
import collections
import time

import backtrader as bt

import backtrader_ib_insync as ibnew
from backtrader_ib_insync import streams
from served import served

TICKS = 300


class Count(bt.Strategy):
    def __init__(self):
        self.delays = []

    def prenext(self):
        self.next()

    def next(self):
        if self.arrived and len(self.data):
            self.delays.append(time.perf_counter() - self.arrived.popleft())
        if len(self.delays) == TICKS:
            self.env.runstop()

    arrived = collections.deque()


def measure(feeds):
    ibnew.IBStore._singleton = None
    understand = streams.rt_volume

    def arrive(text):
        tick = understand(text)
        if tick is not None:
            Count.arrived.append(time.perf_counter())
        return tick
    streams.rt_volume = arrive
    Count.arrived.clear()
    with served('--speed', '20') as port:
        store = ibnew.IBStore(port=port, clientId=1)
        cerebro = bt.Cerebro(stdstats=False)
        for number in range(feeds):
            cerebro.adddata(store.getdata(dataname='QUIET-STK-SMART-USD' if number else 'SPY-STK-SMART-USD',
                                          timeframe=bt.TimeFrame.Ticks, backfill_start=False))
        cerebro.addstrategy(Count)
        delays = sorted(cerebro.run()[0].delays)
    streams.rt_volume = understand
    print('{:3} feeds, {} silent: tick to next median {:.2f} ms, 90 % {:.2f} ms, 99 % {:.2f} ms'.format(
        feeds, feeds - 1, *(delays[int(len(delays) * part)] * 1e3 for part in (0.5, 0.9, 0.99))))


for feeds in (2, 10):
    measure(feeds)
