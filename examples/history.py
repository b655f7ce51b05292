"""Downloads history: days of a stock, minutes of a currency pair. It ends when all is there."""
import datetime

import backtrader as bt

from where import tws

FEEDS = (
    ('AAPL-STK-SMART-USD', bt.TimeFrame.Days, datetime.datetime(2024, 1, 1), datetime.datetime(2024, 11, 1)),
    ('EUR.USD-CASH-IDEALPRO', bt.TimeFrame.Minutes, datetime.datetime(2024, 11, 18), datetime.datetime(2024, 11, 19)),
)


class Table(bt.Strategy):
    """Prints the first and the last bars of each feed."""

    def stop(self):
        for data in self.datas:
            size = data.buflen()
            print('\n{}, {} bars of one {}'.format(data._name, size, bt.TimeFrame.getname(data._timeframe, 1).lower()))
            for ago in list(range(1 - size, 4 - size)) + list(range(-2, 1)):
                prices = ''.join('{:10.5g}'.format(line[ago]) for line in (data.open, data.high, data.low, data.close))
                print('  {:%Y-%m-%d %H:%M}{}{:12.0f}'.format(data.datetime.datetime(ago), prices, data.volume[ago]))
                if ago == 3 - size:
                    print('  ...')


with tws(__doc__) as (store, gateway):
    for name, timeframe, first, last in FEEDS:
        # each feed is a run of its own: together, the bars of the longer one would wait for those of the other
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(store.getdata(
            dataname=name, timeframe=timeframe, historical=True, fromdate=first, todate=last))
        cerebro.addstrategy(Table)
        cerebro.run()
