"""Zones and dates: any `tz`, the contract's own zone, naive and aware dates, and that neither moves a bar (P26 P92)."""
import datetime

import backtrader as bt
import pytest
from helpers import APPLE, bar, run
from truth import ZoneInfo, at

from backtrader_ib_insync import simulator
from backtrader_ib_insync.simulator.instruments import Instrument

NEW_YORK = 'America/New_York'
SHIFT = datetime.timezone(datetime.timedelta(hours=-4))
#: 10:00 to 11:00 in New York, on a summer's day
NAIVE = datetime.datetime(2024, 10, 1, 10), datetime.datetime(2024, 10, 1, 11)
FIRST, LAST = at('2024-10-01 10:01', NEW_YORK), at('2024-10-01 11:00', NEW_YORK)


@pytest.fixture(scope='module')
def still():
    with simulator.running(speed=0) as gateway:
        yield gateway


def foreign():
    """Zone objects of other packages, as far as they are installed."""
    made = [('zoneinfo', lambda: ZoneInfo(NEW_YORK)), ('name', lambda: NEW_YORK), ('old name', lambda: 'US/Eastern'),
            ('short name', lambda: 'EST5EDT'), ('datetime', lambda: SHIFT), ('none', lambda: None),
            ('pytz', lambda: pytest.importorskip('pytz').timezone(NEW_YORK)),
            ('dateutil', lambda: pytest.importorskip('dateutil.tz').gettz(NEW_YORK))]
    return pytest.mark.parametrize('make', [make for _, make in made], ids=[name for name, _ in made])


def minutes(store, gateway, **params):
    given = dict(dict(dataname=APPLE, timeframe=bt.TimeFrame.Minutes, historical=True), **params)
    data = store(gateway).getdata(**given)
    return data, run(data).bars[0]


@foreign()
def test_p92_any_zone_object_reads_naive_dates_and_shows_its_clock(still, store, make):
    data, bars = minutes(store, still, tz=make(), fromdate=NAIVE[0], todate=NAIVE[1])
    assert (bars[0][0], bars[-1][0]) == (FIRST, LAST)
    assert data.num2date(data.datetime[0]).strftime('%H:%M') == '11:00'


@foreign()
def test_p92_aware_dates_are_moments_whatever_the_zone(still, store, make):
    zone = ZoneInfo('Europe/Berlin')
    dates = [naive.replace(tzinfo=SHIFT).astimezone(zone) for naive in NAIVE]
    _, bars = minutes(store, still, tz=make(), fromdate=dates[0], todate=dates[1])
    assert (bars[0][0], bars[-1][0]) == (FIRST, LAST)


def test_p92_a_date_is_the_whole_day(still, store):
    _, bars = minutes(store, still, fromdate=datetime.date(2024, 10, 1), todate=datetime.date(2024, 10, 1))
    assert bars[0][0] > at('2024-10-01 04:00', NEW_YORK) and bars[-1][0] <= at('2024-10-01 20:00', NEW_YORK)
    assert len(bars) > 900


def test_p92_a_zone_that_is_none_is_an_error(still, store):
    with pytest.raises(ValueError, match='Nowhere'):
        minutes(store, still, tz='Nowhere/Atall', fromdate=NAIVE[0], todate=NAIVE[1])


@pytest.mark.parametrize('spring, hours', [('2024-03-10', 23), ('2024-11-03', 25)])
def test_dst_days_are_as_long_as_they_are(still, store, spring, hours):
    date = datetime.datetime.strptime(spring, '%Y-%m-%d')
    data, bars = minutes(store, still, dataname='BTC-CRYPTO-PAXOS-USD', tz=NEW_YORK, compression=60, fromdate=date,
                         todate=date + datetime.timedelta(days=1))
    assert len({bar[0] for bar in bars}) == len(bars) <= hours
    assert (bars[-1][0] - at(spring, NEW_YORK)) / 3600 == hours


@pytest.mark.parametrize('zone', ['EST5EDT', 'US/Eastern', 'EST (Eastern Standard Time)', 'America/New_York'])
def test_p26_the_zone_of_the_contract_is_read_as_tws_writes_it(still, store, monkeypatch, zone):
    tells(monkeypatch, zone)
    data, bars = minutes(store, still, fromdate=NAIVE[0], todate=NAIVE[1])
    assert data.contractdetails.timeZoneId == zone
    assert (bars[0][0], bars[-1][0]) == (FIRST, LAST)
    assert data.num2date(data.datetime[0]).strftime('%H:%M') == '11:00'


def test_p26_an_unknown_zone_is_told_not_dropped(still, store, monkeypatch):
    tells(monkeypatch, 'Mars/Olympus')
    data = store(still).getdata(dataname=APPLE, timeframe=bt.TimeFrame.Minutes, historical=True,
                                fromdate=NAIVE[0], todate=NAIVE[1])
    recorder = run(data)
    assert any('Mars/Olympus' in message for message in recorder.messages)
    assert recorder.bars[0][0][0] == at('2024-10-01 10:01')


def tells(monkeypatch, zone):
    """Let contract details tell this zone id."""
    monkeypatch.setattr(Instrument, 'timeZoneId', property(lambda instrument: zone))


@pytest.mark.parametrize('tz', [None, 'UTC', 'Europe/Berlin'])
def test_a_timer_before_the_end_of_the_session_knows_where_that_is(store, still, tz):
    """backtrader reads `sessionend` in the zone of display."""
    fired = []

    class Timed(bt.Strategy):
        def __init__(self):
            self.add_timer(when=bt.timer.SESSION_END, offset=-datetime.timedelta(minutes=15))

        def notify_timer(self, timer, when, *args, **kwargs):
            fired.append(bar(self.data)[0])
    data = store(still).getdata(
        dataname=APPLE, timeframe=bt.TimeFrame.Minutes, compression=15, historical=True, useRTH=True, tz=tz,
        fromdate=datetime.datetime(2024, 11, 18), todate=datetime.datetime(2024, 11, 20))
    cerebro = bt.Cerebro()
    cerebro.adddata(data)
    cerebro.addstrategy(Timed)
    cerebro.run()
    assert fired == [at('2024-11-18 15:45', NEW_YORK), at('2024-11-19 15:45', NEW_YORK)]
    assert data.p.sessionend == {None: datetime.time(16), 'UTC': datetime.time(21)}.get(tz, datetime.time(22))
