"""The life of some orders: a market order, a limit that is changed and cancelled, a trailing stop, a pair of which one
cancels the other, and one that TWS refuses."""
import datetime

import backtrader as bt

from where import tws


class Orders(bt.Strategy):
    """Places them all on the first live bar, changes one on the next, tidies up and ends a few bars later."""

    def __init__(self):
        self.bars = 0
        self.live = False

    def notify_data(self, data, status, *args, **kwargs):
        self.live = status == data.LIVE

    def notify_order(self, order):
        print('{:>3} {:4} {:<14} {:10} {:>6g} at {:<8.2f} {}'.format(
            order.ref, 'buy' if order.isbuy() else 'sell', order.getordername(), order.getstatusname(),
            order.executed.size, order.executed.price, order.info.get('message') or ''))

    def notify_trade(self, trade):
        print('    trade: position {:g}, profit {:+.2f} after commission'.format(trade.size, trade.pnlcomm))

    def next(self):
        if not self.live:
            return
        self.bars += 1
        price = self.data.close[0]
        if self.bars == 1:
            self.buy(size=100)
            self.limit = self.buy(size=50, exectype=bt.Order.Limit, price=price * 0.98,
                                  valid=datetime.timedelta(hours=2))
            self.sell(size=100, exectype=bt.Order.StopTrail, trailpercent=0.02)
            first = self.sell(size=100, exectype=bt.Order.Limit, price=price * 1.03)
            self.sell(size=100, exectype=bt.Order.Stop, price=price * 0.97, oco=first)
            self.buy(size=10 ** 7)
        elif self.bars == 2:
            self.broker.modify(self.limit, price=price * 0.97, size=60)
        elif self.bars == 3:
            for order in self.broker.get_orders_open():
                self.cancel(order)
            self.close()
        elif self.bars == 5:
            self.env.runstop()


with tws(__doc__, speed=20) as (store, gateway):
    cerebro = bt.Cerebro()
    cerebro.setbroker(store.getbroker())
    cerebro.adddata(store.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Seconds, compression=30,
                                  backfill_start=False))
    cerebro.addstrategy(Orders)
    cerebro.run()
    print('\ncash {:,.2f}, value {:,.2f}'.format(cerebro.broker.getcash(), cerebro.broker.getvalue()))
