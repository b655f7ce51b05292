"""What the tests over the socket share: a strategy that writes down what it is told, and bounded waiting."""
import os
import threading
import time

import backtrader as bt

from backtrader_ib_insync.ibstore import IBStore

APPLE = 'AAPL-STK-SMART-USD'
THREAD = 'backtrader_ib_insync'


def wait_until(condition, seconds=10.0, story=None):
    """What `condition()` gives once it is true; AssertionError, which tells `story()`, after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, 'did not come true within {:g} s: {}'.format(
            seconds, condition if story is None else story())
        time.sleep(0.002)


def our_threads():
    """The threads of the library that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def open_sockets():
    """How many sockets this process has open; 0 where the system does not tell."""
    try:
        names = os.listdir('/proc/self/fd')
    except OSError:
        return 0
    return sum(_is_socket('/proc/self/fd/' + name) for name in names)


def _is_socket(path):
    try:
        return os.readlink(path).startswith('socket:')
    except OSError:
        return False


def forget_store():
    """Stop the store of the process, if there is one, and let the next test make its own."""
    store, IBStore._singleton = IBStore._singleton, None
    if store is not None:
        store.stop()


class Bounded(bt.Strategy):
    """A strategy whose run is ended as `timed_out` after so many `seconds` of wall time."""

    params = (('seconds', 20.0),)

    def __init__(self):
        self.timed_out = False
        self._timer = threading.Timer(self.p.seconds, self._give_up)
        self._timer.daemon = True

    def start(self):
        self._timer.start()

    def stop(self):
        self._timer.cancel()
        self._timer.join()

    def _give_up(self):
        self.timed_out = True
        self.env.runstop()


class Recorder(Bounded):
    """Writes down all it is told; `act(strategy)` runs at each bar, `until(strategy)` ends the run: functions of it."""

    params = (('act', None), ('until', None))

    def __init__(self):
        super().__init__()
        self.statuses = [[] for _ in self.datas]
        self.bars = [[] for _ in self.datas]
        self.reasons = []
        self.orders = []
        self.trades = []
        self.messages = []
        self._seen = [0] * len(self.datas)

    def is_live(self, number=0):
        """Whether the feed with this number was LIVE last."""
        return self.statuses[number][-1:] == ['LIVE']

    def ended(self):
        """The last status of every order, by its ref."""
        return {order.ref: order.getstatusname() for order in self.orders}

    def notify_data(self, data, status, *args, **kwargs):
        self.statuses[self._number(data)].append(data._getstatusname(status))
        self.reasons.extend(args)
        self._look()

    def notify_store(self, msg, *args, **kwargs):
        self.messages.append(str(msg))
        self._look()

    def notify_order(self, order):
        self.orders.append(order)
        self._look()

    def notify_trade(self, trade):
        self.trades.append(trade)

    def prenext(self):
        self.next()

    def next(self):
        for number, new in new_bars(self.datas, self._seen):
            self.bars[number].append(new)
        if self.p.act is not None:
            self.p.act(self)
        self._look()

    def _number(self, data):
        return next(number for number, known in enumerate(self.datas) if known is data)

    def _look(self):
        if self.p.until is not None and self.p.until(self):
            self.env.runstop()


def bar(data):
    """The bar a feed stands at: (end in epoch seconds, open, high, low, close, volume)."""
    seconds = round((data.datetime[0] - 719163.0) * 86400.0, 3)
    return (seconds, data.open[0], data.high[0], data.low[0], data.close[0], data.volume[0])


def new_bars(datas, seen):
    """(number, bar) of each data that is longer than it was `seen`: lengths, which are brought up to date."""
    for number, data in enumerate(datas):
        if len(data) > seen[number]:
            seen[number] = len(data)
            yield number, bar(data)


def run(*datas, broker=None, **params):
    """Run a Recorder over the datas and return it; AssertionError when it did not come to its `until` in time."""
    cerebro = bt.Cerebro()
    if broker is not None:
        cerebro.setbroker(broker)
    for data in datas:
        cerebro.adddata(data)
    cerebro.addstrategy(Recorder, **params)
    recorder = cerebro.run()[0]
    assert not recorder.timed_out, 'timed out; it was told {} {} {} and {} bars'.format(
        recorder.statuses, recorder.messages, recorder.ended(), [len(bars) for bars in recorder.bars])
    return recorder
