"""A bracket: an entry with a stop loss and a take profit, sent as one group. One leg fills, TWS cancels the other."""
import backtrader as bt

from where import tws


class Bracket(bt.Strategy):
    """Buys with the first live bar and ends when the bracket has."""

    params = (('away', 0.0006),)

    def __init__(self):
        self.live = False
        self.legs = ()

    def notify_data(self, data, status, *args, **kwargs):
        self.live = status == data.LIVE

    def notify_order(self, order):
        leg = ('entry', 'stop loss', 'take profit')[[leg.ref for leg in self.legs].index(order.ref)]
        at = order.executed.price or order.created.price or 0.0
        print('{:11} {:10} {:8.2f}  position {:g}'.format(leg, order.getstatusname(), at, self.position.size))
        if not any(leg.alive() for leg in self.legs):
            self.env.runstop()

    def notify_trade(self, trade):
        if trade.isclosed:
            print('profit {:+.2f} after commission'.format(trade.pnlcomm))

    def next(self):
        if self.live and not self.legs:
            price = self.data.close[0]
            self.legs = self.buy_bracket(
                size=100, exectype=bt.Order.Market, stopprice=price * (1 - self.p.away),
                limitprice=price * (1 + self.p.away))


with tws(__doc__, speed=120) as (store, gateway):
    cerebro = bt.Cerebro()
    cerebro.setbroker(store.getbroker())
    cerebro.adddata(store.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes, backfill_start=False))
    cerebro.addstrategy(Bracket)
    cerebro.run()
