"""A day on end: ten feeds on an accelerated clock leave memory and threads as they were.

The suite spends half an hour of simulated time on it; BTIB_HOURS=24 asks for the day.
"""
import gc
import logging
import os
import re
import sys
import threading

import backtrader as bt
import pytest
import truth
from helpers import bar, forget_store
from programs import Program

from backtrader_ib_insync.ibstore import IBStore
from backtrader_ib_insync.simulator.market import Market

log = logging.getLogger(__name__)

HOURS = float(os.environ.get('BTIB_HOURS', '0.5'))
SPEED = 300.0
MINUTE = 60.0
TRADED = ('AAPL', 'MSFT', 'SPY', 'IBM', 'NVDA', 'ES-202412-CME-USD-50', 'NQ-202412-CME-USD-20')
#: by TWS's own 5-second bars: quotes have no stamps, and at this speed the machine's clock cannot date them
QUOTED = ('EUR.USD-CASH-IDEALPRO', 'GBP.USD-CASH-IDEALPRO')
BY_QUOTES = 'USD.JPY-CASH-IDEALPRO'
#: objects by which two twentieths of a run may differ for each bar that was delivered meanwhile: what a leak of one
#: object a message, a tick or a question for the time would exceed many times
BREATH = 30
#: simulated seconds by which the clock may be wrong: TWS tells whole ones, and an answer may take long to come
DRIFT = 10.0


def objects():
    """How many blocks of memory Python has in use."""
    gc.collect()
    return sys.getallocatedblocks()


class Diary(bt.Strategy):
    """Keeps all bars; once every feed has one, notes what is in use at each twentieth of the run."""

    params = (('store', None),)

    def __init__(self):
        self.notes = []
        self.bars = [[] for _ in self.datas]
        self.clocks = self.begin = None

    def next(self):
        for data, bars in zip(self.datas, self.bars):
            if len(data) and (not bars or bars[-1][0] != bar(data)[0]):
                bars.append(bar(data))
        if not all(self.bars):
            return
        self.begin = self.begin or max(bars[0][0] for bars in self.bars)
        passed = (min(bars[-1][0] for bars in self.bars) - self.begin) / 3600.0 / HOURS
        if passed >= (len(self.notes) + 1) / 20.0:
            self.notes.append((objects(), threading.active_count(), sum(map(len, self.bars))))
        if passed >= 1.0:
            self.clocks = self._ask(), self._look(), self._ask()
            self.env.runstop()

    prenext = next

    def _ask(self):
        """What TWS's clock shows."""
        return self.p.store.call(lambda ib: ib.reqCurrentTimeAsync()).timestamp()

    def _look(self):
        """What it shows by what was heard of it."""
        self.p.store.connected()
        return self.p.store.clock()


def feed(store, name):
    return store.getdata(dataname=name, timeframe=bt.TimeFrame.Minutes, backfill_start=False, tz='UTC',
                         rtbar=name in QUOTED)


def true_bars(data, what, first, last):
    """What the market did: the gateway's is of the same seed."""
    market = Market()
    which = market.by_conId(data.contract.conId)
    return truth.live(market, which, MINUTE, first - MINUTE, last, data.contractdetails.timeZoneId, what)


@pytest.mark.timeout(int(120 + HOURS * 3600 / SPEED * 4))
def test_memory_threads_and_clock_stay_as_they_are():
    forget_store()
    with Program('-m', 'backtrader_ib_insync.simulator', '--port', '0', '--speed', str(SPEED)) as gateway:
        port = int(gateway.until(lambda: re.search(r'127\.0\.0\.1:(\d+)', gateway.output)).group(1))
        store = IBStore(port=port, clientId=1, timerefresh=0.2, reconnect=-1)
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(store.getbroker())
        for name in TRADED + QUOTED + (BY_QUOTES,):
            cerebro.adddata(feed(store, name))
        cerebro.addstrategy(Diary, store=store)
        try:
            diary = cerebro.run()[0]
        finally:
            forget_store()
    for name, data, bars in zip(TRADED + QUOTED, diary.datas, diary.bars):
        assert bars == true_bars(data, 'BID' if name in QUOTED else 'TRADES', bars[0][0], bars[-1][0]), name
    ends = [bar[0] for bar in diary.bars[-1]]
    assert ends == sorted(set(ends))
    assert len({threads for _, threads, _ in diary.notes}) == 1
    (before, _, fewer), (after, _, more) = diary.notes[len(diary.notes) // 2], diary.notes[-1]
    assert after - before < BREATH * (more - fewer), diary.notes
    sooner, clock, later = diary.clocks
    assert sooner - DRIFT <= clock <= later + DRIFT, diary.clocks
    log.info('%.1f objects a bar in the second half', (after - before) / (more - fewer))
