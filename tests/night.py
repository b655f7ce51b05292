"""A night out: a strategy trades brackets on several symbols while a gateway misbehaves, and oracles judge it.

Bars are held against the market's ground truth, fills and positions against the gateway's ledger.
"""
import collections
import datetime

import backtrader as bt
import truth
from helpers import Bounded, bar

ACCOUNT = 'U1234567'
MINUTE = 60.0
#: where simulated gateways begin, and from when on feeds are asked to deliver, on the same day
BEGIN = truth.at('2024-11-20 10:00', 'America/New_York')
SINCE = datetime.datetime(2024, 11, 20, 9, 30)
ENDED = (bt.Order.Completed, bt.Order.Canceled, bt.Order.Expired, bt.Order.Margin, bt.Order.Rejected)


class Trader(Bounded):
    """Enters a bracket whenever a live feed has none; after `until` (epoch seconds) it takes all back and ends the run.

    params: size of each entry, 0 to watch only; act: a function of the strategy at each bar.
    """

    params = (('until', BEGIN), ('size', 10), ('act', None), ('seconds', 60.0))

    def __init__(self):
        super().__init__()
        self.bars = collections.OrderedDict((data, []) for data in self.datas)
        self.statuses = {data: [] for data in self.datas}
        self.messages = []
        self.notified = []
        self.ends = collections.Counter()
        self.executed = {}
        self._brackets = {}

    def notify_store(self, msg, *args, **kwargs):
        self.messages.append(str(msg))

    def notify_data(self, data, status, *args, **kwargs):
        self.statuses[data].append(data._getstatusname(status))

    def notify_order(self, order):
        self.notified.append((order.ref, order.getstatusname(), order.executed.size))
        self.ends[order.ref] += order.status in ENDED
        self.executed[order.ref] = order

    def is_live(self, data):
        return self.statuses[data][-1:] == ['LIVE']

    def prenext(self):
        self.next()

    def next(self):
        for data, bars in self.bars.items():
            if len(data) and (not bars or bars[-1][0] != bar(data)[0]):
                bars.append(bar(data))
        if self.p.act is not None:
            self.p.act(self)
        if self._is_late():
            self._take_back()
        elif self.p.size:
            for data in self.datas:
                self._enter(data)

    def _is_late(self):
        return all(bars and bars[-1][0] > self.p.until for bars in self.bars.values())

    def _enter(self, data):
        bracket = self._brackets.get(data, ())
        if self.is_live(data) and not any(self.broker.orderstatus(order) < bt.Order.Completed or order.alive()
                                          for order in bracket):
            price = data.close[0]
            self._brackets[data] = self.buy_bracket(
                data=data, size=self.p.size, exectype=bt.Order.Market, limitprice=round(price * 1.0006, 2),
                stopprice=round(price * 0.9994, 2))

    def _take_back(self):
        alive = self.broker.get_orders_open()
        for order in alive:
            if not self.broker.store.link.reason_not_trading():
                self.cancel(order)
        if not alive and all(self.is_live(data) for data in self.datas):
            self.env.runstop()


def spend(store, *datas, **params):
    """Run a Trader over the feeds; AssertionError when it had to be given up."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(store.getbroker())
    for data in datas:
        cerebro.adddata(data)
    cerebro.addstrategy(Trader, **params)
    trader = cerebro.run()[0]
    assert not trader.timed_out, 'given up: {}'.format(report(trader))
    return trader


def report(trader):
    bars = {data._name: (len(bars), bars[-1:]) for data, bars in trader.bars.items()}
    return '\n'.join(map(str, [
        bars, trader.statuses, trader.messages[-12:], trader.notified[-20:],
        [(order.ref, order.getstatusname(), order.tws.orderId) for order in trader.broker.get_orders_open()]]))


# -- the oracles -------------------------------------------------------------------------------------------------------

def deaths(faults):
    """When the faults of a plan let subscriptions die in silence."""
    return [BEGIN + float(line.split()[1][:-1]) for line in faults.splitlines() if line.split()[2] == 'unsubscribe']


def bars_are_true(gateway, trader, died=()):
    """Every bar that a feed delivered is the market's, and none of the market's is missing.

    One in which a subscription `died` in silence may have come without its last part.
    """
    doubtful = {(moment // MINUTE + 1) * MINUTE for moment in died}
    for data, bars in trader.bars.items():
        contract = data.contract

        def wanted(world, data=data, bars=bars, contract=contract):
            which = world.market.by_conId(contract.conId)
            return truth.intraday(world.market, which, '1 min', bars[0][0] - MINUTE, bars[-1][0] - MINUTE / 2)
        found = gateway.call(wanted)
        partial = {bar[0]: bar for bar in bars if bar[0] in doubtful}
        found = [partial.get(bar[0], bar) for bar in found]
        assert bars == found, '{}: wrong {}, missing {}\n{}'.format(
            data._name, [bar for bar in bars if bar not in found][:4], [bar for bar in found if bar not in bars][:4],
            report(trader))


def ledger_agrees(gateway, trader):
    """Fills and positions are the gateway's, and every order has ended once."""
    held, filled, left = gateway.call(_books)
    for data in trader.datas:
        position = trader.broker.getposition(data)
        assert position.size == held.get(data.contract.conId, 0), (data._name, held, report(trader))
    told = {order.tws.orderRef: abs(order.executed.size) for order in trader.executed.values() if order.executed.size}
    assert told == filled, '{}\n{}'.format(set(told.items()) ^ set(filled.items()), report(trader))
    assert not left, (left, report(trader))
    often = {ref: [name for told, name, _ in trader.notified if told == ref]
             for ref, ends in trader.ends.items() if ends != 1}
    assert not often, '{}\n{}'.format(often, report(trader))
    assert not trader.broker.get_orders_open()


def _books(world):
    """(size by conId, executed by orderRef, orders that are still open)"""
    held = {row.contract.conId: row.position for row in world.ledger.positions(ACCOUNT)}
    filled = collections.Counter()
    for fill in world.exchange.executions():
        filled[fill.execution.orderRef] += fill.execution.shares
    return held, dict(filled), [opened.order.orderId for opened, _ in world.exchange.open_orders()]


def nothing_is_left(gateway):
    """The client has gone: no session, no subscription."""
    gateway.wait(lambda world: not world.sessions and not world.lines)
