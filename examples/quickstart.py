"""A crossover of averages on one-minute bars of a stock: catches up with history, goes live, trades, draws a picture.

    python examples/quickstart.py                a simulated gateway in this process: no TWS, no account, no network
    python examples/quickstart.py --port 7497    the same on TWS paper trading (7496 TWS live; 4002, 4001 IB Gateway)
"""
import argparse
import contextlib

import backtrader as bt

import backtrader_ib_insync as ibnew
import picture
from backtrader_ib_insync import simulator


class Crossover(bt.Strategy):
    """Holds the stock while its fast average is above the slow one; ends flat after so many live bars."""

    params = (('fast', 5), ('slow', 12), ('size', 100), ('bars', 45))

    def __init__(self):
        fast, slow = bt.indicators.SMA(period=self.p.fast), bt.indicators.SMA(period=self.p.slow)
        self.cross = bt.indicators.CrossOver(fast, slow)
        self.live = False
        self.left = self.p.bars
        self.order = None
        self.diary = picture.Diary(self.p.fast, self.p.slow)

    def next(self):
        self.diary.bar(self)
        if not self.live:
            return
        self.left -= 1
        if self.order is None and self.left > 3 and not self.position and self.cross > 0:
            self.order = self.buy(size=self.p.size)
        elif self.order is None and self.position and (self.cross < 0 or self.left <= 3):
            self.order = self.close()
        if self.left <= 0:
            self.env.runstop()

    def notify_order(self, order):
        self.diary.order(self, order)
        if not order.alive():
            self.order = None

    def notify_trade(self, trade):
        self.diary.trade(self, trade)

    def notify_data(self, data, status, *args, **kwargs):
        self.live = status == data.LIVE
        self.diary.say(self, data._getstatusname(status), *args)

    def notify_store(self, msg, *args, **kwargs):
        self.diary.say(self, 'TWS', msg)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--port', type=int, help='port of TWS or IB Gateway; without it a gateway is simulated')
    parser.add_argument('--host', default='127.0.0.1', help='where TWS runs (127.0.0.1)')
    parser.add_argument('--symbol', default='AAPL-STK-SMART-USD', help='dataname of the contract (AAPL-STK-SMART-USD)')
    parser.add_argument('--size', type=int, default=100, help='how many to trade (100)')
    parser.add_argument('--bars', type=int, default=45, help='live one-minute bars after which it ends (45)')
    return parser.parse_args()


@contextlib.contextmanager
def where(chosen):
    """(host, port) of the TWS asked for, or of a simulated one that lives a minute a second on a day in 2024."""
    if chosen.port is not None:
        print('On the TWS at {0.host}:{0.port}; it takes {0.bars} minutes, Ctrl-C ends it.\n'.format(chosen))
        yield chosen.host, chosen.port
        return
    with simulator.running(speed=60, seed=36) as gateway:
        print('On a simulated gateway, one minute a second: it ends by itself in {} s.\n'.format(chosen.bars))
        yield '127.0.0.1', gateway.port


def main():
    chosen = options()
    with where(chosen) as (host, port):
        store = ibnew.IBStore(host=host, port=port, clientId=1, timerefresh=1.0)
        cerebro = bt.Cerebro()
        cerebro.setbroker(store.getbroker())
        cerebro.adddata(store.getdata(dataname=chosen.symbol, timeframe=bt.TimeFrame.Minutes, compression=1))
        cerebro.addstrategy(Crossover, size=chosen.size, bars=chosen.bars)
        strategy = cerebro.run()[0]
        strategy.diary.end(strategy)


if __name__ == '__main__':
    main()
