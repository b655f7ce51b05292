"""Survives a restart of the gateway, as TWS does every night: the bars of the gap are there afterwards, each once.

On a real TWS (--port 7497), close it and start it again while this runs.
"""
import backtrader as bt

from where import tws


class Survivor(bt.Strategy):
    """Prints what comes; the third live bar has the simulated gateway restart."""

    params = (('gateway', None), ('bars', 10))

    def __init__(self):
        self.live = False
        self.bars = 0

    def notify_store(self, msg, *args, **kwargs):
        print('          ', msg)

    def notify_data(self, data, status, *args, **kwargs):
        self.live = status == data.LIVE
        print('          ', data._getstatusname(status))

    def next(self):
        late = '' if self.live else '   from history'
        print('{:%H:%M:%S}    {:.2f}{}'.format(self.data.datetime.datetime(0), self.data.close[0], late))
        self.bars += 1
        if self.bars == 3 and self.p.gateway is not None:
            print('           -- the gateway restarts, which takes two minutes --')
            self.p.gateway.fault('restart', 120)
        if self.bars == self.p.bars:
            self.env.runstop()


# reconnect=-1: for ever; the wait between two attempts grows from `timeout` to a minute
with tws(__doc__, reconnect=-1, timeout=0.5) as (store, gateway):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(store.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes, backfill_start=False,
                                  qcheck=0.1))
    cerebro.addstrategy(Survivor, gateway=gateway)
    cerebro.run()
