"""A cerebro on a thread of its own against a simulated gateway: a test acts in it step by step and waits for facts.

    with stage.open() as run:
        order = run.do(lambda strategy: strategy.buy(size=100))
        run.until(lambda: run.ended(order))
"""
import contextlib
from unittest import mock

import backtrader as bt
from backstage import Backstage, Task

import backtrader_ib_insync as ibnew
from backtrader_ib_insync import insync, simulator

ACCOUNT = 'U1234567'


class Witness(bt.Strategy):
    """Does what the test asks and keeps what it is told."""

    params = (('run', None),)

    def __init__(self):
        self.p.run.strategy = self
        self.p.run.on_init(self)

    def start(self):
        self.p.run.on_start(self)

    def notify_timer(self, timer, when, *args, **kwargs):
        self.p.run.on_timer(self)

    def notify_store(self, msg, *args, **kwargs):
        if isinstance(msg, Task):
            msg.run()
        else:
            self.p.run.said.append(str(msg))
            self.p.run.on_store(self, str(msg))

    def notify_order(self, order):
        self.p.run.orders.append(order)
        self.p.run.on_order(self, order)

    def notify_trade(self, trade):
        self.p.run.trades.append(trade)

    def notify_data(self, data, status, *args, **kwargs):
        self.p.run.statuses.append(data._getstatusname(status))
        self.p.run.on_data(self, data._getstatusname(status))

    def next(self):
        self.p.run.bars += 1


class Run(Backstage):
    """A run of cerebro that a test looks into; `orders` and `trades` are what was notified, in order.

    `hooks` are functions of the strategy by name: on_init, on_start, on_timer, on_store, on_data, on_order.
    """

    def __init__(self, gateway, datanames=('AAPL-STK-SMART-USD',), analyzers=(), broker=(), feed=(), store=(),
                 hooks=()):
        self.gateway = gateway
        self.orders, self.trades, self.said, self.statuses = [], [], [], []
        self.bars = 0
        for name in ('on_init', 'on_start', 'on_timer', 'on_store', 'on_data', 'on_order'):
            setattr(self, name, lambda strategy, *told: None)
        vars(self).update(hooks)
        self.strategy = None
        ibnew.IBStore._singleton = None
        super().__init__(ibnew.IBStore(port=gateway.port, **dict({'clientId': 1}, **dict(store))),
                         bt.Cerebro(stdstats=False))
        self.broker = self.store.getbroker(**dict(broker))
        self.cerebro.setbroker(self.broker)
        given = dict({'timeframe': bt.TimeFrame.Ticks, 'backfill_start': False}, **dict(feed))
        self.datas = [self.cerebro.adddata(self.store.getdata(dataname=name, **given)) for name in datanames]
        self.cerebro.addstrategy(Witness, run=self)
        for analyzer, kwargs in analyzers:
            self.cerebro.addanalyzer(analyzer, **kwargs)

    def last_words(self):
        return 'said {}, life {}'.format(self.said[-5:], [(order.ref, order.getstatusname()) for order in self.orders])

    def start(self, live=True):
        self._thread.start()
        self.until(lambda: self.strategy is not None and self.broker.accounts.value())
        if live:
            self.until(lambda: self.statuses.count('LIVE') >= len(self.datas) and self.bars)

    def stop(self):
        self.cerebro.runstop()
        self.store.waker.kick()
        self.join()
        if self.error is not None:
            raise self.error

    def do(self, function):
        """What `function(strategy)` returns on the strategy thread."""
        return super().do(lambda: function(self.strategy))

    # -- what was told -------------------------------------------------------------------------------------------------

    def life(self, order):
        """The names of the statuses told of an order."""
        return [told.getstatusname() for told in list(self.orders) if told.ref == order.ref]

    def last(self, order):
        """The order as it was told last; itself before that."""
        return [told for told in [order] + list(self.orders) if told.ref == order.ref][-1]

    def ended(self, order):
        return bool(self.life(order)) and not self.last(order).alive()

    def ends(self, order, *lives):
        """Wait till the order ended; check that its life was `lives`."""
        self.until(lambda: self.ended(order))
        assert self.life(order) == list(lives)
        return self.last(order)

    def reaches(self, order, status):
        self.until(lambda: status in self.life(order))

    def position(self, data=None):
        return self.broker.getposition(self.datas[0] if data is None else data)

    # -- the other side ------------------------------------------------------------------------------------------------

    def sent(self, kind='PlaceOrder'):
        """What the gateway was asked, of one kind."""
        return self.gateway.call(lambda gateway: [asked.request for asked in gateway.requests
                                                  if type(asked.request).__name__ == kind])

    def scenario(self, act):
        return self.gateway.call(lambda gateway: act(gateway.exchange.scenario))

    def ledger(self, symbol='AAPL', account=ACCOUNT):
        """(size, cash) as the gateway has them."""
        def look(gateway):
            held = [held for held in gateway.ledger.positions(account) if held.contract.symbol == symbol]
            return (held[0].position if held else 0), gateway.ledger.cash(account)
        return self.gateway.call(look)


@contextlib.contextmanager
def open(live=True, served=None, gateway=(), **options):
    """A run against a gateway of its own (or `served`), stopped at the end."""
    if served is None:
        # a test need not wait for its turn where the gateway does not count
        burst = insync.BURST if 'messages_per_second' in gateway else 0
        with simulator.running(**dict({'messages_per_second': 0, 'speed': 5}, **dict(gateway))) as served:
            with mock.patch.object(insync, 'BURST', burst), open(live, served, **options) as run:
                yield run
        return
    run = Run(served, **options)
    run.start(live)
    try:
        yield run
    finally:
        run.stop()
