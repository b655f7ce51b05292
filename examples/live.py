"""Three live feeds of different kinds and sizes, one of them resampled: what comes, as it comes."""
import backtrader as bt

from where import tws


class Watch(bt.Strategy):
    """Prints every new bar of every feed; ends after so many."""

    params = (('bars', 25),)

    def __init__(self):
        self.seen = {data: 0 for data in self.datas}
        self.left = self.p.bars

    def notify_data(self, data, status, *args, **kwargs):
        print('{:24} {}'.format(data._name, data._getstatusname(status)), *args)

    def prenext(self):
        self.next()

    def next(self):
        for data in self.datas:
            if len(data) > self.seen[data]:
                self.seen[data] = len(data)
                print('{:24} {:%H:%M:%S}  {:>10.5g}  volume {:.0f}'.format(
                    data._name, data.datetime.datetime(0), data.close[0], data.volume[0]))
                self.left -= 1
        if self.left <= 0:
            self.env.runstop()


with tws(__doc__) as (store, gateway):
    cerebro = bt.Cerebro(stdstats=False)
    # one-minute bars of every trade
    stock = cerebro.adddata(store.getdata(
        dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes, backfill_start=False))
    # half-minute bars of a pair that has quotes and no trades: what=MIDPOINT or ASK takes another side than BID
    cerebro.adddata(store.getdata(
        dataname='EUR.USD-CASH-IDEALPRO', timeframe=bt.TimeFrame.Seconds, compression=30, backfill_start=False))
    # TWS's own 5-second bars, made one-minute bars by backtrader
    future = store.getdata(dataname='ES-202412-CME-USD-50', timeframe=bt.TimeFrame.Seconds, compression=5, rtbar=True,
                           backfill_start=False)
    cerebro.resampledata(future, timeframe=bt.TimeFrame.Minutes, compression=1)
    cerebro.addstrategy(Watch)
    cerebro.run()
