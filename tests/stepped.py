"""A run of cerebro against a gateway whose clock stands still until the test steps it.

After each step the test waits until all that the gateway said has been received, answered and delivered: no sleep decides
anything, and a moment is the same moment in every run.
"""
import asyncio
import collections
import concurrent.futures
import threading
import time

import backtrader as bt
from helpers import bar, forget_store

from backtrader_ib_insync.ibstore import IBStore

#: seconds of wall time after which a wait is given up
WAIT = 20.0
#: attempts that follow each other at once, for as long as it takes
PATIENT = dict(clientId=1, reconnect=10 ** 6, timeout=0.01, timerefresh=60.0)


class Task:
    """A notification that runs a function on the strategy thread."""

    def __init__(self, function):
        self.function = function
        self.future = concurrent.futures.Future()

    def run(self):
        try:
            self.future.set_result(self.function())
        except BaseException as error:
            self.future.set_exception(error)


class Watcher(bt.Strategy):
    """Keeps the bars and statuses of each feed, in the order in which it was told."""

    params = (('run', None),)

    def __init__(self):
        self.p.run.strategy = self
        self._seen = [0] * len(self.datas)

    def notify_store(self, msg, *args, **kwargs):
        if isinstance(msg, Task):
            msg.run()
        else:
            self.p.run.messages.append(str(msg))

    def notify_data(self, data, status, *args, **kwargs):
        number = next(number for number, known in enumerate(self.datas) if known is data)
        self.p.run.statuses[number].append(data._getstatusname(status))
        self.p.run.story[number].append(data._getstatusname(status))
        self.p.run.reasons[number].extend(args)

    def prenext(self):
        self.next()

    def next(self):
        for number, data in enumerate(self.datas):
            if len(data) > self._seen[number]:
                self._seen[number] = len(data)
                self.p.run.bars[number].append(bar(data))
                self.p.run.story[number].append(bar(data))
        self.p.run.on_next(self)


class Run:
    """`add(cerebro, store)` adds the feeds; `bars`, `statuses` and `story` (both as they came) are lists by feed."""

    def __init__(self, gateway, add, **store):
        forget_store()
        self.gateway = gateway
        self.messages = []
        self.bars, self.statuses, self.story, self.reasons = (collections.defaultdict(list) for _ in range(4))
        self.strategy = self.error = None
        self.on_next = lambda strategy: None
        self.store = IBStore(port=gateway.port, **dict(PATIENT, **store))
        self.cerebro = bt.Cerebro(stdstats=False)
        add(self.cerebro, self.store)
        self.cerebro.addstrategy(Watcher, run=self)
        self._thread = threading.Thread(target=self._work, name='cerebro', daemon=True)

    def _work(self):
        try:
            self.cerebro.run()
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self._thread.start()
        self.until(lambda: self.strategy is not None or self.error)
        return self

    def __exit__(self, *error):
        if not self.has_ended:
            self.store.put_notification(Task(self.cerebro.runstop))
            self.store.waker.kick()
        self._thread.join(WAIT)
        forget_store()
        assert not self._thread.is_alive(), 'cerebro does not end'
        if self.error is not None and error[0] is None:
            raise self.error

    @property
    def datas(self):
        return self.strategy.datas

    @property
    def has_ended(self):
        return not self._thread.is_alive()

    def until(self, fact, wait=WAIT):
        """Wait until `fact()` holds, and return it."""
        end = time.monotonic() + wait
        while True:
            found = fact()
            if found:
                return found
            assert time.monotonic() < end, 'in vain: {} {} {}'.format(
                dict(self.statuses), self.messages[-6:], {number: bars[-2:] for number, bars in self.bars.items()})
            time.sleep(0.001)

    def do(self, function):
        """What `function()` returns on the strategy thread, at the start of a pass."""
        task = Task(function)
        self.store.put_notification(task)
        self.store.waker.kick()
        return task.future.result(WAIT)

    def step(self, seconds):
        """Let so many simulated seconds pass, and wait until all that follows from it is done."""
        self.gateway.advance(seconds)
        self.settle()

    def go_to(self, moment):
        """Let time pass until a simulated moment."""
        self.step(max(0.0, moment - self.gateway.now()))

    def settle(self):
        """Wait until whatever the gateway has said was received, answered and delivered."""
        self.until(self._is_settled)

    def _is_settled(self):
        if self.has_ended:
            return True
        self.store.call(self._tell_time, timeout=WAIT)
        # two passes begin one after the other, so one is whole
        self.do(bool)
        return not self.do(self.store.pending) and self.store.call(self._is_idle, timeout=WAIT)

    async def _tell_time(self, ib):
        """TWS's answer to a question comes after all it had to say before."""
        if self._is_open(ib):
            answered = asyncio.Future()
            self.store._link.beat.tell_time(answered.set_result)
            await asyncio.wait([answered, self.store._link.line._broken], return_when=asyncio.FIRST_COMPLETED)

    def _is_open(self, ib):
        return ib.client.isReady() and self.store._link.desk.is_open

    def _is_idle(self, ib):
        desk, beat = self.store._link.desk, self.store._link.beat
        return not desk.is_open or not (desk.tasks or beat._asked or beat._curious)

    def is_live(self, number):
        return self.statuses[number][-1:] == ['LIVE']

    def until_live(self):
        """Wait until the link stands, every feed says that it is live, and nothing is left to be done."""
        self.until(lambda: self._is_settled() and self.store.call(self._is_open, timeout=WAIT)
                   and all(self.is_live(number) for number in range(len(self.datas))))
