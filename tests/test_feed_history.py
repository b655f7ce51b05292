"""`historical=True` against the ground truth of the simulated market, bar for bar, over the socket."""
import datetime
import re

import backtrader as bt
import pytest
import truth
from gateways import asked
from helpers import APPLE, run
from truth import at, utc

from backtrader_ib_insync import downloads, simulator
from backtrader_ib_insync.errors import HistoryFailed, NotSupportedTimeframe, UnknownContract
from backtrader_ib_insync.history import SIZES
from backtrader_ib_insync.pacing import LIMITS, Pacing

Seconds, Minutes, Days, Weeks, Months = (
    bt.TimeFrame.Seconds, bt.TimeFrame.Minutes, bt.TimeFrame.Days, bt.TimeFrame.Weeks, bt.TimeFrame.Months)

NEW_YORK = 'America/New_York'
#: the bars of seed.md's table (and 1 second) with a range of several requests; autumn's DST weekend, then spring's
RANGES = {
    '1 secs': ('2024-11-04 14:31', '2024-11-04 15:37'),
    '5 secs': ('2024-11-04 13:59', '2024-11-04 17:00'),
    '10 secs': ('2024-11-03 22:00', '2024-11-04 15:00'),
    '15 secs': ('2024-11-03 22:00', '2024-11-04 15:00'),
    '30 secs': ('2024-11-03 20:00', '2024-11-04 15:00'),
    '1 min': ('2024-10-31 15:00', '2024-11-08 16:20'),
    '2 mins': ('2024-03-06 15:00', '2024-03-21 16:20'),
    '3 mins': ('2024-03-06 15:00', '2024-03-21 16:21'),
    '5 mins': ('2024-03-01 15:00', '2024-04-05 16:20'),
    '10 mins': ('2024-03-01 15:00', '2024-04-05 16:20'),
    '15 mins': ('2024-01-20 15:00', '2024-03-25 16:15'),
    '20 mins': ('2024-01-20 15:00', '2024-03-25 16:20'),
    '30 mins': ('2023-12-20 15:00', '2024-03-25 16:30'),
    '1 hour': ('2023-09-01 00:00', '2024-03-15 00:00'),
    '2 hours': ('2023-03-01 00:00', '2024-03-15 00:00'),
    '3 hours': ('2023-03-01 00:00', '2024-03-15 00:00'),
    '4 hours': ('2023-03-01 00:00', '2024-03-15 00:00'),
    '8 hours': ('2023-03-01 00:00', '2024-03-15 00:00'),
}
OPENS = {'EUR': (17 * 3600 + 900,), 'ES-': (17 * 3600,)}


@pytest.fixture(scope='module')
def standing():
    """A gateway whose clock stands still, for all tests of this file: history does not move."""
    with simulator.running(speed=0) as gateway:
        yield gateway


def history(store, gateway, start, end, **params):
    """What a historical feed put into its lines."""
    data = store(gateway).getdata(historical=True, fromdate=utc(start), todate=utc(end), tz='UTC', **params)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(data)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    return truth.lines(data)


def is_whole(end, found, wanted):
    assert len(found) == len(wanted), (len(found), len(wanted), sorted(set(found) ^ set(wanted))[:4])
    assert found == wanted
    assert found and found[-1][0] <= end


@pytest.mark.parametrize('size', RANGES)
@pytest.mark.parametrize('name, rth', [
    ('AAPL-STK-SMART-USD', False), ('AAPL-STK-SMART-USD', True), ('EUR.USD-CASH-IDEALPRO', False),
    ('ES-202403-CME-USD-50', False)])
def test_p21_every_size_over_several_requests(standing, store, size, name, rth):
    start, end = (at(text) for text in RANGES[size])
    if name.startswith('ES') and SIZES[size].seconds <= 60:
        name = 'ES-202412-CME-USD-50'
    what = 'BID' if 'CASH' in name else 'TRADES'
    before = len(asked(standing))
    kind = SIZES[size]
    found = history(store, standing, start, end, dataname=name, timeframe=kind.timeframe, compression=kind.compression,
                    useRTH=rth)
    wanted = standing.call(lambda gateway: truth.intraday(
        gateway.market, truth.instrument(gateway.market, name), size, start, end, what, rth,
        OPENS.get(name[:3], ())), timeout=60)
    is_whole(end, found, [bar for bar in wanted if bar[0] <= end])
    assert len(asked(standing)) > before + 1


@pytest.mark.parametrize('name, rth, close', [
    ('AAPL-STK-SMART-USD', True, datetime.time(16)), ('AAPL-STK-SMART-USD', False, datetime.time(20)),
    ('ES-202412-CME-USD-50', False, datetime.time(16)), ('EUR.USD-CASH-IDEALPRO', False, datetime.time(17))])
@pytest.mark.parametrize('size', ['1 day', '1 week', '1 month'])
def test_p27_days_and_longer_are_stamped_at_the_end_of_their_last_session(standing, store, size, name, rth, close):
    start, end = at('2023-11-01'), at('2024-09-01')
    kind = SIZES[size]
    found = history(store, standing, start, end, dataname=name, timeframe=kind.timeframe, compression=1, useRTH=rth)
    wanted = standing.call(lambda gateway: truth.days(
        gateway.market, truth.instrument(gateway.market, name), size, start, end,
        'BID' if 'CASH' in name else 'TRADES', rth, close), timeout=60)
    is_whole(end, found, [bar for bar in wanted if start <= bar[0] <= end])


def test_ten_years_of_days(standing, store):
    start, end = at('2014-01-01'), at('2024-01-01')
    found = history(store, standing, start, end, dataname=APPLE, timeframe=Days, useRTH=True)
    wanted = standing.call(lambda gateway: truth.days(
        gateway.market, truth.instrument(gateway.market, APPLE), '1 day', start, end, close=datetime.time(16)),
        timeout=60)
    is_whole(end, found, wanted)
    assert len(found) == 2516


def test_a_month_of_minutes(standing, store):
    start, end = at('2024-05-01'), at('2024-06-01')
    found = history(store, standing, start, end, dataname=APPLE, timeframe=Minutes)
    wanted = standing.call(lambda gateway: truth.intraday(
        gateway.market, truth.instrument(gateway.market, APPLE), '1 min', start, end), timeout=60)
    is_whole(end, found, wanted)
    assert len(found) > 18000


@pytest.mark.parametrize('compression, length, timeframe', [
    (7, 420, Minutes), (45, 2700, Minutes), (720, 43200, Minutes)])
def test_p24_sizes_tws_has_not_are_built_from_smaller_ones(standing, store, compression, length, timeframe):
    start, end = at('2024-10-31 15:01'), at('2024-11-05 16:20')
    found = history(store, standing, start, end, dataname=APPLE, timeframe=timeframe, compression=compression)
    trades = standing.call(lambda gateway: gateway.market.trades(
        truth.instrument(gateway.market, APPLE), start, end), timeout=60)
    wanted = truth.from_trades(trades, lambda time: truth.right_edge(time, length, NEW_YORK))
    is_whole(end, found, [bar for bar in wanted if bar[0] <= end
                          and truth.right_edge(bar[0] - length, length, NEW_YORK) == bar[0]
                          and bar[0] - length >= start])


def test_p24_two_days_are_counted_from_the_first(standing, store):
    start, end = at('2024-10-01'), at('2024-10-31')
    ones = history(store, standing, start, end, dataname=APPLE, timeframe=Days)
    twos = history(store, standing, start, end, dataname=APPLE, timeframe=Days, compression=2)
    assert [bar[0] for bar in twos] == [bar[0] for bar in ones[1::2]]
    assert [bar[5] for bar in twos] == [one[5] + two[5] for one, two in zip(ones[::2], ones[1::2])]
    assert [bar[1] for bar in twos] == [bar[1] for bar in ones[:-1:2]]


@pytest.mark.parametrize('timeframe, compression', [(bt.TimeFrame.MicroSeconds, 1), (Minutes, 0), (Minutes, 1.5)])
def test_p24_p87_what_cannot_be_built_is_a_clear_error(standing, store, timeframe, compression):
    with pytest.raises(NotSupportedTimeframe, match='1 secs, 5 secs'):
        history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname=APPLE, timeframe=timeframe,
                compression=compression)


def test_p20_p22_history_alone_makes_no_subscription_and_asks_in_utc(standing, store):
    before = len(asked(standing))
    feed = store(standing).getdata(dataname=APPLE, timeframe=Days, historical=True,
                                   fromdate=datetime.datetime(2024, 10, 1), todate=datetime.datetime(2024, 11, 1))
    recorder = run(feed)
    assert not feed.islive() and feed._load() is False
    assert recorder.statuses == [['CONNECTED', 'DELAYED', 'DISCONNECTED']]
    assert len(recorder.bars[0]) == 23
    assert not asked(standing, 'ReqMktData') and not asked(standing, 'ReqRealTimeBars')
    sent = asked(standing)[before:]
    # P22: times leave in UTC, in the form TWS takes for it
    assert sent and all(re.match(r'\d{8}-\d\d:\d\d:\d\d$', request.endDateTime) for request in sent)
    assert all(request.formatDate == 2 for request in sent)


def test_bars_in_progress_are_not_history(standing, store):
    found = history(store, standing, at('2024-11-20 14:30'), at('2024-11-20 19:00'), dataname=APPLE, timeframe=Minutes,
                    compression=7)
    assert found[-1][0] <= standing.now() < found[-1][0] + 420
    assert history(store, standing, at('2024-11-18'), at('2024-11-25'), dataname=APPLE, timeframe=Days)[-1][0] == at(
        '2024-11-19 20:00', NEW_YORK)


def test_p25_a_killed_request_raises(standing, store, monkeypatch):
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.2)
    standing.fault('drop', 'history', 3)
    with pytest.raises(HistoryFailed, match='did not answer within 0.2 s'):
        history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname=APPLE, timeframe=Days)


def test_p25_a_lost_answer_is_asked_for_again(standing, store, monkeypatch):
    monkeypatch.setattr(downloads, 'HISTORY_SECONDS', 0.2)
    standing.fault('drop', 'history', 2)
    assert len(history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname=APPLE, timeframe=Days)) == 22


def test_p25_a_refused_request_raises_with_the_words_of_tws(standing, store):
    with pytest.raises(HistoryFailed, match='No historical market data'):
        history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname='EUR.USD-CASH-IDEALPRO', timeframe=Days,
                what='TRADES')


def test_p23_a_pacing_violation_waits_and_repeats(make_gateway, store, monkeypatch):
    quick = LIMITS._replace(violation_seconds=0.2, identical_seconds=0.1, slack=0.0)
    monkeypatch.setattr(Pacing.__init__, '__defaults__', (quick,))
    standing = make_gateway(speed=0, history_pacing=False)
    standing.fault('pacing', 2)
    start, end = at('2024-11-04 15:00'), at('2024-11-04 15:30')
    found = history(store, standing, start, end, dataname='SPY-STK-SMART-USD', timeframe=Seconds, compression=5)
    wanted = standing.call(lambda gateway: truth.intraday(
        gateway.market, truth.instrument(gateway.market, 'SPY-STK-SMART-USD'), '5 secs', start, end))
    is_whole(end, found, wanted)


def test_no_data_says_so(standing, store):
    made = store(standing)
    feed = made.getdata(dataname=APPLE, timeframe=Minutes, historical=True, fromdate=datetime.datetime(2024, 10, 5),
                        todate=datetime.datetime(2024, 10, 6))
    recorder = run(feed)
    assert recorder.bars == [[]]
    assert recorder.statuses[0][-1] == 'DISCONNECTED'
    assert any('no data from 20241005' in reason for reason in recorder.reasons)


def test_p45_an_ambiguous_contract_lists_the_candidates(standing, store):
    with pytest.raises(UnknownContract) as caught:
        history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname='CSCO', exchange='', timeframe=Days)
    assert 'CSCO' in str(caught.value) and len(caught.value.candidates) > 1
    for candidate in caught.value.candidates:
        assert str(candidate) in str(caught.value)
        assert history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname=candidate, timeframe=Days)


def test_p45_an_unknown_contract_is_named(standing, store):
    with pytest.raises(UnknownContract, match='NOSUCH'):
        history(store, standing, at('2024-10-01'), at('2024-10-31'), dataname='NOSUCH-STK-SMART-USD', timeframe=Days)


@pytest.mark.parametrize('compression', [1, 8])
def test_p28_hist_tzo_shifts_history_by_hours(standing, store, compression):
    """Bars that are joined of smaller ones, too."""
    range_, size = (at('2024-10-01 14:00'), at('2024-10-01 18:00')), dict(timeframe=Minutes, compression=compression)
    plain = history(store, standing, *range_, dataname=APPLE, **size)
    shifted = history(store, standing, *range_, dataname=APPLE, hist_tzo=-2, **size)
    assert [bar[0] + 7200 for bar in shifted] == [bar[0] for bar in plain if bar[0] - 7200 >= range_[0]]


def test_rightedge_false_gives_the_labels_of_tws(standing, store):
    range_ = at('2024-10-01 14:00'), at('2024-10-01 15:00')
    right = history(store, standing, *range_, dataname=APPLE, timeframe=Minutes)
    left = history(store, standing, *range_, dataname=APPLE, timeframe=Minutes, rightedge=False)
    assert [bar[0] + 60 for bar in left] == [bar[0] for bar in right]


def test_p29_quotes_have_no_negative_volume(standing, store):
    found = history(store, standing, at('2024-10-01'), at('2024-10-02'), dataname='EUR.USD-CASH-IDEALPRO',
                    timeframe=Minutes)
    assert found and {bar[5] for bar in found} == {0.0}
