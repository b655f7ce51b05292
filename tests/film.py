"""A run of cerebro whose simulated time a test moves by hand, with whatever goes wrong on the way."""
import random
import threading

import backtrader as bt
from helpers import Recorder, forget_store, wait_until

from backtrader_ib_insync.ibstore import IBStore

SETTLE_SECONDS = 20.0


class Filmed(Recorder):
    """A Recorder that tells its director it is there."""

    params = (('film', None),)

    def start(self):
        super().start()
        self.p.film.recorder = self


class Film:
    """`play(director)` runs cerebro and, beside it, `director(film)`; the run ends when that returns.

    The director moves time with `pass_time` and waits with `until`.
    """

    def __init__(self, gateway, seed=0, exactbars=False, **params):
        forget_store()
        params = dict({'clientId': 1, 'timerefresh': 0.2, 'timeout': 0.02, 'reconnect': -1}, **params)
        self.gateway = gateway
        self.store = IBStore(port=gateway.port, **params)
        self.cerebro = bt.Cerebro(stdstats=False, exactbars=exactbars)
        self.random = random.Random(seed)
        self.recorder = None
        self.error = None

    def play(self, director, seconds=60.0):
        thread = threading.Thread(target=self._direct, args=(director,), name='director')
        self.cerebro.addstrategy(Filmed, film=self, seconds=seconds)
        thread.start()
        try:
            self.cerebro.run()
        except BaseException as error:
            self.error = self.error or error
        finally:
            thread.join()
            forget_store()
        if self.error is not None:
            raise self.error
        assert not self.recorder.timed_out
        return self.recorder

    def _direct(self, director):
        try:
            wait_until(lambda: self.recorder is not None or self.error is not None, SETTLE_SECONDS)
            if self.error is None:
                director(self)
        except BaseException as error:
            self.error = error
        finally:
            self.cerebro.runstop()
            self.store.waker.kick()

    def pass_time(self, seconds, longest=12.0):
        """Let simulated time pass in steps of random length."""
        end = self.gateway.now() + seconds
        while self.gateway.now() < end:
            self.gateway.advance(min(self.random.uniform(0.1, longest), end - self.gateway.now()))

    def until(self, fact, step=0.0, seconds=SETTLE_SECONDS):
        """Wait for `fact()`, while time passes in steps of so many simulated seconds."""
        def look():
            if self.error is not None:
                raise self.error
            if step:
                self.gateway.advance(step)
            return fact()
        return wait_until(look, seconds)

    def last(self, number):
        """The end of the last bar of the feed with this number."""
        bars = self.recorder.bars[number]
        return bars[-1][0] if bars else 0.0
