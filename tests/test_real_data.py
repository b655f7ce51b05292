"""Real prices, replayed by the simulated gateway, come out of a historical feed as the files have them."""
import csv

import backtrader as bt
import pytest
from programs import SHARED
from test_feed_history import history
from truth import at

from backtrader_ib_insync.simulator.market import Market
from backtrader_ib_insync.simulator.replay import Csv

BERLIN = 'Europe/Berlin'


def real(name):
    path = SHARED / 'data' / name
    if not path.is_file():
        pytest.skip('the real data {} is not here: it is not part of the repository'.format(path))
    return path


def rows(path):
    with open(str(path), newline='') as lines:
        return list(csv.reader(lines))[1:]


def test_the_fesx_minutes_come_out_as_the_file_has_them(make_gateway, store):
    path = real('fesx-2006-1min.csv')
    market = Market(prices={'FESX': Csv(path, zone=BERLIN, stamps='end')})
    gateway = make_gateway(speed=0, market=market, start='2006-03-01 12:00 Europe/Berlin')
    found = history(store, gateway, at('2006-01-01'), at('2006-02-11'), dataname='FESX-200603-EUREX-EUR-10',
                    timeframe=bt.TimeFrame.Minutes)
    wanted = [(at(date + ' ' + clock, BERLIN),) + tuple(map(float, prices))
              for date, clock, *prices, _ in rows(path) if date < '2006-02-11']
    assert found == wanted
    assert len(found) > 20000


def test_the_nvda_days_come_out_as_the_file_has_them(make_gateway, store):
    path = real('nvda-1999-2014-daily.csv')
    gateway = make_gateway(speed=0, market=Market(prices={'NVDA': Csv(path)}), start='2015-01-05 12:00 US/Eastern')
    found = history(store, gateway, at('2004-01-01'), at('2015-01-01'), dataname='NVDA-STK-SMART-USD',
                    timeframe=bt.TimeFrame.Days, useRTH=True)
    wanted = [(at(date + ' 16:00', 'America/New_York'),) + tuple(map(float, prices)) + (float(volume),)
              for date, *prices, _, volume in rows(path) if date >= '2004-01-01']
    assert [bar[0] for bar in found] == [bar[0] for bar in wanted]
    for bar, row in zip(found, wanted):
        # the file has more digits than the share has ticks
        assert bar[1:5] == pytest.approx(row[1:5], abs=0.0051) and bar[5] == row[5]
    assert len(found) == 2769
