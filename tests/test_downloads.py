"""Contract lookups and histories over the socket: in order, repeated as far as sense goes, never half in silence."""
import datetime

import backtrader as bt
import pytest
from gateways import asked
from helpers import APPLE, run

from backtrader_ib_insync import downloads
from backtrader_ib_insync.downloads import stamp
from backtrader_ib_insync.errors import HistoryFailed

WEEKS = dict(dataname=APPLE, timeframe=bt.TimeFrame.Minutes, historical=True, fromdate=datetime.datetime(2024, 10, 28),
             todate=datetime.datetime(2024, 11, 13))


def ends(recorder):
    return [bar[0] for bar in recorder.bars[0]]


def test_stamps_of_both_kinds():
    assert stamp('20241120') == 1732060800.0
    assert stamp('1732114800') == 1732114800.0


def test_p21_several_requests_come_in_order_with_no_bar_twice(store, gateway):
    recorder = run(store(gateway).getdata(**WEEKS))
    found = ends(recorder)
    assert len(asked(gateway)) > 2
    assert found == sorted(set(found)) and len(found) > 9000


def test_p22_times_go_out_in_utc(store, gateway):
    run(store(gateway).getdata(**WEEKS))
    assert all(len(request.endDateTime) == 17 and request.endDateTime[8] == '-' for request in asked(gateway))
    assert asked(gateway)[-1].formatDate == 2


def test_p23_a_pacing_violation_waits_and_asks_the_same_again(store, gateway, monkeypatch):
    whole = ends(run(store(gateway).getdata(**WEEKS)))
    before = len(asked(gateway))
    gateway.fault('pacing', 2)
    made = store(gateway)
    monkeypatch.setattr(downloads.asyncio, 'sleep', quick(downloads.asyncio.sleep))
    assert ends(run(made.getdata(**WEEKS))) == whole
    assert len(asked(gateway)) >= before * 2


def quick(sleep):
    """Seconds of waiting become hundredths."""
    return lambda seconds, *more: sleep(seconds / 100.0, *more)


def test_p25_a_request_that_is_never_answered_raises_and_names_the_feed(store, gateway, monkeypatch):
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.2)
    monkeypatch.setattr(downloads, 'TRIES', 2)
    gateway.fault('drop', 'history', 1000)
    with pytest.raises(HistoryFailed, match=APPLE):
        run(store(gateway).getdata(**WEEKS))


def test_p25_a_request_that_times_out_once_is_asked_again(store, gateway, monkeypatch):
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 4.0)
    gateway.fault('drop', 'history', 1)
    found = ends(run(store(gateway).getdata(**WEEKS)))
    assert len(found) > 9000 and found == sorted(set(found))


def test_a_cut_in_the_midst_is_survived(store, gateway):
    gateway.fault('late', 'history', 30, 3)
    made = store(gateway, timeout=0.1)
    gateway.call(lambda world: world.faults.at(world.now + 30, lambda: world.faults.inject('cut', 'rst')))
    found = ends(run(made.getdata(**WEEKS)))
    assert len(found) > 9000 and found == sorted(set(found))


def test_ticks_are_paced_as_small_bars_are(store, gateway):
    """More answers than TWS gives of one contract in two seconds."""
    ticks = dict(dataname='ES-202412-CME-USD-50', timeframe=bt.TimeFrame.Ticks, historical=True,
                 fromdate=datetime.datetime(2024, 11, 19, 14), todate=datetime.datetime(2024, 11, 19, 22, 30))
    recorder = run(store(gateway).getdata(**ticks))
    assert len(asked(gateway, 'ReqHistoricalTicks')) > 5 and len(recorder.bars[0]) > 5000
    assert not [said for said in recorder.messages if 'pacing' in said]


def test_no_data_is_no_error(store, gateway):
    weekend = dict(WEEKS, fromdate=datetime.datetime(2024, 11, 16), todate=datetime.datetime(2024, 11, 17))
    assert ends(run(store(gateway).getdata(**weekend))) == []
