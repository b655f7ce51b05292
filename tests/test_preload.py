"""Whole columns into the lines, and what a preloaded run is told (P86)."""
import datetime

import backtrader as bt
import pytest
from gateways import asked
from helpers import APPLE, Recorder, bar, run

from backtrader_ib_insync import columns, progress
from backtrader_ib_insync.errors import NotConnected
from backtrader_ib_insync.ibstore import IBStore

RANGE = dict(fromdate=datetime.datetime(2024, 11, 4, 10), todate=datetime.datetime(2024, 11, 4, 12))
MINUTES = dict(dataname=APPLE, timeframe=bt.TimeFrame.Minutes, historical=True, **RANGE)


@pytest.fixture
def still(make_gateway):
    return make_gateway(speed=0)


def seen(store, gateway, **options):
    """The bars a strategy saw, with an average over three of them."""
    class Averaged(bt.Strategy):
        def __init__(self):
            self.average = bt.indicators.SMA(self.data, period=3)
            self.bars = []

        def next(self):
            self.bars.append(bar(self.data) + (self.average[0],))

    cerebro = bt.Cerebro(stdstats=False, **options)
    cerebro.adddata(store(gateway).getdata(**MINUTES))
    cerebro.addstrategy(Averaged)
    return cerebro.run()[0].bars


@pytest.mark.parametrize('options', [dict(runonce=False), dict(preload=False, runonce=False), dict(exactbars=1)])
def test_columns_give_what_bar_by_bar_gives(still, store, options):
    bars = seen(store, still)
    assert len(bars) > 100
    assert bars == seen(store, still, **options)


def test_the_slow_path_gives_the_same(still, store, monkeypatch):
    bars = seen(store, still)
    monkeypatch.setattr(columns, 'takes', lambda data: False)
    assert bars == seen(store, still)


def test_lookahead_is_left_where_it_was(still, store):
    assert seen(store, still, lookahead=5) == seen(store, still)


def test_a_filter_is_asked_about_every_bar(still, store):
    data = store(still).getdata(**MINUTES)
    heard = []
    data.addfilter_simple(lambda bars: heard.append(len(bars)) or len(heard) % 2)
    recorder = run(data)
    assert len(recorder.bars[0]) == len(heard) // 2 > 50


@pytest.mark.parametrize('options', [
    dict(), dict(runonce=False), dict(preload=False, runonce=False), dict(oldsync=True, runonce=False)])
def test_p86_a_historical_run_is_told_of_data_and_store(still, store, options):
    story = []

    class Told(Recorder):
        def notify_data(self, data, status, *args, **kwargs):
            story.append(data._getstatusname(status))

        def notify_store(self, msg, *args, **kwargs):
            story.append('store')

        def next(self):
            story.append('bar')

    cerebro = bt.Cerebro(**options)
    cerebro.adddata(store(still).getdata(**MINUTES))
    cerebro.addstrategy(Told)
    cerebro.run()
    assert 'store' in story
    assert [word for word in story if word != 'store'][:3] == ['CONNECTED', 'DELAYED', 'bar']
    assert [word for word in story if word != 'store'][-2:] == ['bar', 'DISCONNECTED']


def test_p86_with_oldsync_the_end_comes_with_the_last_bar(still, store):
    """After it cerebro asks for nothing more."""
    story = []

    class Told(bt.Strategy):
        def notify_data(self, data, status, *args, **kwargs):
            story.append((data._getstatusname(status), len(data)))

        def notify_store(self, msg, *args, **kwargs):
            story.append(('store', len(self.data)))

    cerebro = bt.Cerebro(oldsync=True)
    cerebro.adddata(store(still).getdata(**MINUTES))
    cerebro.addstrategy(Told)
    bars = len(cerebro.run()[0])
    assert bars > 100 and ('store', 1) in story
    assert [told for told in story if told[0] != 'store'] == [('CONNECTED', 1), ('DELAYED', 1), ('DISCONNECTED', bars)]


def test_p86_two_feeds_are_told_each_of_its_own(still, store):
    made = store(still)
    recorder = run(made.getdata(**MINUTES), made.getdata(**dict(MINUTES, dataname='MSFT-STK-SMART-USD')))
    assert recorder.statuses == [['CONNECTED', 'DELAYED', 'DISCONNECTED']] * 2
    assert all(len(bars) > 100 for bars in recorder.bars)


def test_a_second_run_gives_the_same(still, store):
    data = store(still).getdata(**MINUTES)
    cerebro = bt.Cerebro()
    cerebro.adddata(data)
    cerebro.addstrategy(Recorder)
    first, second = cerebro.run()[0], cerebro.run()[0]
    assert first.bars == second.bars and first.statuses == second.statuses


def test_two_resampled_histories_keep_their_bars(still, store):
    made = store(still)
    cerebro = bt.Cerebro()
    for name in (APPLE, 'MSFT-STK-SMART-USD'):
        cerebro.resampledata(made.getdata(**dict(MINUTES, dataname=name)), timeframe=bt.TimeFrame.Minutes,
                             compression=5)
    cerebro.addstrategy(Recorder)
    recorder = cerebro.run()[0]
    assert [len(bars) for bars in recorder.bars] == [24, 24]


def test_a_long_download_tells_how_far_it_is(caplog):
    caplog.set_level('INFO', progress.__name__)
    made = progress.Progress('AAPL')
    for done in range(1, 41):
        made.told(done, 40)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == 'AAPL: 4 of 40 requests for history answered' and len(told) == 10


def test_a_short_download_says_nothing(caplog):
    caplog.set_level('INFO', progress.__name__)
    made = progress.Progress('AAPL')
    made.told(1, 1)
    made.close()
    assert not caplog.records


def test_a_terminal_shows_a_bar(monkeypatch):
    pytest.importorskip('tqdm')

    class Terminal:
        written = ''

        def isatty(self):
            return True

        def write(self, text):
            self.written += text

        def flush(self):
            pass

    terminal = Terminal()
    monkeypatch.setattr(progress.sys, 'stderr', terminal)
    made = progress.Progress('AAPL')
    for done in range(1, 11):
        made.told(done, 10)
    made.close()
    assert 'AAPL' in terminal.written and '10/10' in terminal.written


class Tuned(bt.Strategy):
    params = (('period', 5),)

    def __init__(self):
        self.average = bt.ind.SMA(period=self.p.period)

    def start(self):
        self.told = []

    def next(self):
        self.told.append(self.average[0])


class Last(bt.Analyzer):
    def stop(self):
        self.rets = self.strategy.told[-1], len(self.strategy.told)


def optimised(data, **options):
    cerebro = bt.Cerebro(**options)
    cerebro.adddata(data)
    cerebro.addanalyzer(Last, _name='last')
    cerebro.optstrategy(Tuned, period=range(3, 7))
    return [(runs[0].p.period, runs[0].analyzers.last.get_analysis()) for runs in cerebro.run()]


def test_an_optimisation_in_several_processes(still, store):
    """Its feeds are loaded once; what works on them does not connect."""
    made = store(still)
    found = optimised(made.getdata(**MINUTES), maxcpus=2)
    assert len(asked(still)) == 1 and len(found) == 4
    assert found == optimised(made.getdata(**MINUTES), maxcpus=1)
    assert IBStore() is made


def test_an_optimisation_that_would_have_to_connect_is_an_error(still, store):
    data = store(still).getdata(**MINUTES)
    with pytest.raises(NotConnected, match='maxcpus=1'):
        optimised(data, maxcpus=2, optdatas=False)
