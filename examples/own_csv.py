"""Prices of your own in the simulated gateway: a CSV file of one-minute bars is the market, live and in history."""
import csv
import datetime
import math
import os
import tempfile

import backtrader as bt

from backtrader_ib_insync.simulator import Csv, Market
from where import tws


def write(path):
    """A file as you may have it: four hours of a wave around 200, times in New York at the bars' end."""
    first = datetime.datetime(2024, 11, 20, 9, 31)
    with open(path, 'w', newline='') as lines:
        rows = csv.writer(lines)
        rows.writerow(['datetime', 'open', 'high', 'low', 'close', 'volume'])
        for minute in range(240):
            now, then = (round(200 + 2 * math.sin(place / 10), 2) for place in (minute, minute + 1))
            rows.writerow([first + datetime.timedelta(minutes=minute), now, max(now, then), min(now, then), then, 1000])


class Wave(bt.Strategy):
    """Shows that the bars are those of the file, then ends."""

    def next(self):
        data = self.data
        print('{:%H:%M}  {:.2f}  {:.0f}'.format(data.datetime.datetime(0), data.close[0], data.volume[0]))
        if len(self.data) == 40:
            self.env.runstop()


folder = tempfile.mkdtemp()
path = os.path.join(folder, 'wave.csv')
write(path)
market = Market(prices={'AAPL': Csv(path, zone='US/Eastern', stamps='end')})
with tws(__doc__, speed=120, simulated={'market': market}) as (store, gateway):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(store.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes,
                                  fromdate=datetime.datetime(2024, 11, 20, 9, 30)))
    cerebro.addstrategy(Wave)
    cerebro.run()
os.remove(path)
os.rmdir(folder)
