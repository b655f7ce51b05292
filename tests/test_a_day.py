"""A day on end: ten feeds on an accelerated clock leave memory and threads as they were.

The suite spends half an hour of simulated time on it; BTIB_HOURS=24 asks for the day.
"""
import datetime
import logging
import os
import re
import threading

import backtrader as bt
import pytest
from helpers import forget_store
from programs import Program

from backtrader_ib_insync.ibstore import IBStore

log = logging.getLogger(__name__)

HOURS = float(os.environ.get('BTIB_HOURS', '0.5'))
SPEED = 300.0
SYMBOLS = ('AAPL', 'MSFT', 'SPY', 'IBM', 'NVDA', 'EUR.USD-CASH-IDEALPRO', 'GBP.USD-CASH-IDEALPRO',
           'USD.JPY-CASH-IDEALPRO', 'ES-202412-CME-USD-50', 'NQ-202412-CME-USD-20')
BEGIN = datetime.datetime(2024, 11, 20, 15, 0)
#: what the halves of a run may differ by, in bytes: backtrader keeps every bar, and allocators breathe
BREATH = 12e6


def memory():
    """Resident memory of this process in bytes."""
    with open('/proc/self/statm') as told:
        return int(told.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


class Diary(bt.Strategy):
    """Notes memory and threads once a simulated twentieth of the run."""

    params = (('hours', HOURS), ('store', None))

    def __init__(self):
        self.notes = []
        self.stamps = [[] for _ in self.datas]
        self.drift = None

    def next(self):
        for data, stamps in zip(self.datas, self.stamps):
            if len(data) and (not stamps or stamps[-1] != data.datetime[0]):
                stamps.append(data.datetime[0])
        passed = (max(data.datetime.datetime(0)
                      for data in self.datas if len(data)) - BEGIN).total_seconds() / 3600.0 / self.p.hours
        if passed >= (len(self.notes) + 1) / 20.0:
            self.notes.append((memory(), threading.active_count()))
        if passed >= 1.0:
            answer = self.p.store.call(lambda ib: ib.reqCurrentTimeAsync())
            self.drift = self.p.store.clock() - answer.timestamp()
            self.env.runstop()

    prenext = next


@pytest.mark.timeout(int(120 + HOURS * 3600 / SPEED * 4))
@pytest.mark.skipif(not os.path.exists('/proc/self/statm'), reason='this system does not tell what memory is in use')
def test_memory_threads_and_clock_stay_as_they_are():
    forget_store()
    with Program('-m', 'backtrader_ib_insync.simulator', '--port', '0', '--speed', str(SPEED)) as gateway:
        port = int(gateway.until(lambda: re.search(r'127\.0\.0\.1:(\d+)', gateway.output)).group(1))
        store = IBStore(port=port, clientId=1, timerefresh=0.2, reconnect=-1)
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(store.getbroker())
        for name in SYMBOLS:
            cerebro.adddata(store.getdata(dataname=name, timeframe=bt.TimeFrame.Minutes, backfill_start=False,
                                          tz='UTC'))
        cerebro.addstrategy(Diary, store=store)
        try:
            diary = cerebro.run()[0]
        finally:
            forget_store()
    half = len(diary.notes) // 2
    assert diary.notes[-1][0] - diary.notes[half][0] < BREATH, [note[0] for note in diary.notes]
    assert len({threads for _, threads in diary.notes[2:]}) == 1
    assert all(sooner < later for stamps in diary.stamps for sooner, later in zip(stamps, stamps[1:]))
    # stocks sleep at night, currencies hardly do; at this speed two seconds to set out are ten minutes
    assert min(map(len, diary.stamps)) >= HOURS * 60 * 0.25 - 5
    assert max(map(len, diary.stamps)) >= HOURS * 60 * 0.9 - 10
    assert abs(diary.drift) < SPEED, diary.drift
    log.info('memory grew by {:.1f} MB in the second half, the clock is off by {:.0f} simulated s'.format(
        (diary.notes[-1][0] - diary.notes[half][0]) / 1e6, diary.drift))
