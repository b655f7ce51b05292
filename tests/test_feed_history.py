"""`historical=True` against the ground truth of the simulated market, bar for bar, over the socket."""
import backtrader as bt
import pytest
import truth
from truth import at, utc

from backtrader_ib_insync.history import SIZES

Seconds, Minutes, Days, Weeks, Months = (
    bt.TimeFrame.Seconds, bt.TimeFrame.Minutes, bt.TimeFrame.Days, bt.TimeFrame.Weeks, bt.TimeFrame.Months)

NEW_YORK = 'America/New_York'
#: the bars of seed.md's table (and 1 second) with a range of several requests; autumn's DST weekend, then spring's
RANGES = {
    '1 secs': ('2024-11-04 14:31', '2024-11-04 16:10'),
    '5 secs': ('2024-11-01 19:00', '2024-11-04 15:00'),
    '10 secs': ('2024-11-01 19:00', '2024-11-04 15:00'),
    '15 secs': ('2024-11-01 19:00', '2024-11-04 15:00'),
    '30 secs': ('2024-10-31 19:00', '2024-11-04 15:00'),
    '1 min': ('2024-10-30 15:00', '2024-11-12 16:20'),
    '2 mins': ('2024-03-01 15:00', '2024-03-20 16:20'),
    '3 mins': ('2024-03-01 15:00', '2024-03-20 16:21'),
    '5 mins': ('2024-03-01 15:00', '2024-04-20 16:20'),
    '10 mins': ('2024-03-01 15:00', '2024-04-20 16:20'),
    '15 mins': ('2024-01-20 15:00', '2024-04-20 16:15'),
    '20 mins': ('2024-01-20 15:00', '2024-04-20 16:20'),
    '30 mins': ('2023-12-20 15:00', '2024-04-20 16:30'),
    '1 hour': ('2023-09-01 00:00', '2024-04-01 00:00'),
    '2 hours': ('2023-01-01 00:00', '2024-04-01 00:00'),
    '3 hours': ('2023-01-01 00:00', '2024-04-01 00:00'),
    '4 hours': ('2023-01-01 00:00', '2024-04-01 00:00'),
    '8 hours': ('2023-01-01 00:00', '2024-04-01 00:00'),
}
OPENS = {'EUR': (17 * 3600 + 900,)}


@pytest.fixture(scope='module')
def standing():
    """A gateway whose clock stands still, for all tests of this file: history does not move."""
    from backtrader_ib_insync import simulator
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
@pytest.mark.parametrize('name, key', [
    ('AAPL-STK-SMART-USD', ('AAPL',)), ('EUR.USD-CASH-IDEALPRO', ('EUR', 'CASH')),
    ('ES-202412-CME-USD-50', ('ES', 'FUT'))])
@pytest.mark.parametrize('rth', [False, True])
def test_p21_every_size_over_several_requests(standing, store, size, name, key, rth):
    start, end = (at(text) for text in RANGES[size])
    what = 'BID' if 'CASH' in key else 'TRADES'
    asked = standing.call(lambda gateway: len(gateway.requests))
    kind = SIZES[size]
    found = history(store, standing, start, end, dataname=name, timeframe=kind.timeframe, compression=kind.compression,
                    useRTH=rth)
    more = {'lastTradeDateOrContractMonth': '20241220'} if 'FUT' in key else {'currency': 'USD'} if 'CASH' in key else {}
    wanted = standing.call(lambda gateway: truth.intraday(
        gateway.market, truth.instrument(gateway.market, *key, **more), size, start, end, what, rth,
        OPENS.get(key[0], ())), timeout=60)
    is_whole(end, found, wanted)
    requests = standing.call(lambda gateway: [one for one in list(gateway.requests)[asked:]
                                              if type(one.request).__name__ == 'ReqHistoricalData'])
    assert len(requests) > 1
