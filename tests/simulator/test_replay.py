import pathlib

import pytest

from backtrader_ib_insync.simulator import zones
from backtrader_ib_insync.simulator.market import Market
from backtrader_ib_insync.simulator.records import Contract
from backtrader_ib_insync.simulator.replay import Csv
from backtrader_ib_insync.simulator.zones import parse

DATA = pathlib.Path(__file__).resolve().parents[3] / 'shared' / 'data'
DAY = 86400


def real(name):
    path = DATA / name
    if not path.is_file():
        pytest.skip('the real data {} is not here: it is not part of the repository'.format(path))
    return path


def written(tmp_path, text):
    path = tmp_path / 'prices.csv'
    path.write_text(text)
    return path


def stoxx(market, month, now):
    instrument, = market.find(Contract(symbol='FESX', secType='FUT', lastTradeDateOrContractMonth=month), now)
    return instrument


def test_the_fesx_minutes_come_out_as_the_file_has_them():
    source = Csv(real('fesx-2006-1min.csv'), zone='Europe/Berlin', stamps='end')
    market = Market(prices={'FESX': source})
    start = parse('2006-01-02')
    future = stoxx(market, '200603', start)
    bars = market.bars(future, '1 min', start, start + 60 * DAY)
    assert [(bar.time,) + tuple(bar[1:5]) + (bar.volume,) for bar in bars] == [
        (row.time,) + row.prices + (row.volume,) for row in source.rows]
    assert zones.local(bars[0].time, 'MET').strftime('%H:%M') == '09:00'
    trades = market.trades(future, start, start + 3 * DAY)
    assert sum(trade.size for trade in trades) == sum(bar.volume for bar in bars if bar.time < start + 3 * DAY)
    day = market.bars(future, '1 day', start, start + DAY)[0]
    first = [row for row in source.rows if row.time < start + DAY]
    assert tuple(day[1:6]) == (
        first[0].prices[0], max(row.prices[1] for row in first), min(row.prices[2] for row in first),
        first[-1].prices[3], sum(row.volume for row in first))


def test_the_fesx_trades_come_out_as_the_file_has_them():
    source = Csv(real('fesx-2015-ticks.csv'), zone='Europe/Berlin', stamps='trade')
    market = Market(prices={'FESX': source})
    start = parse('2015-09-23')
    trades = market.trades(stoxx(market, '201512', start), start, start + DAY)
    assert [trade[:3] for trade in trades] == [(row.time, row.prices[3], row.volume) for row in source.rows]
    assert trades[0].time == parse('2015-09-23 20:57:42 MET') + 0.146


def test_the_nvda_days_come_out_as_the_file_has_them():
    source = Csv(real('nvda-1999-2014-daily.csv'))
    market = Market(prices={'NVDA': source})
    share, = market.find(Contract(symbol='NVDA', secType='STK'))
    days = market.bars(share, '1 day', 0, parse('2015-01-01'), rth=True)
    assert [(day.time,) + tuple(day[1:5]) + (day.volume,) for day in days] == [
        (row.time,) + row.prices + (row.volume,) for row in source.rows]
    adjusted = market.bars(share, '1 day', 0, parse('2015-01-01'), 'ADJUSTED_LAST')
    assert [bar.close for bar in adjusted] == pytest.approx([row.adjusted for row in source.rows])
    first = days[0]
    minutes = market.bars(share, '1 min', first.time, first.time + DAY)
    assert (minutes[0].open, max(bar.high for bar in minutes), min(bar.low for bar in minutes), minutes[-1].close, sum(
        bar.volume for bar in minutes)) == tuple(first[1:6])
    assert zones.local(minutes[0].time, 'US/Eastern').strftime('%H:%M') == '09:30'


MINUTES = '''Datetime,Open,High,Low,Close,Volume
2024-11-20 10:00:00,200.00,200.50,199.50,200.25,2
2024-11-20 10:05:00,201,201,201,201,0
'''


def test_minutes_of_ones_own_stamped_with_their_start(tmp_path):
    market = Market(prices={'AAPL': Csv(written(tmp_path, MINUTES), zone='US/Eastern', stamps='start')})
    share, = market.find(Contract(symbol='AAPL', secType='STK'))
    start = parse('2024-11-20 10:00 US/Eastern')
    bars = market.bars(share, '1 min', start - DAY, start + DAY)
    assert [(bar.time - start,) + tuple(bar[1:6]) for bar in bars] == [
        (0, 200.0, 200.5, 199.5, 200.25, 2), (300, 201.0, 201.0, 201.0, 201.0, 0)]
    prices = [trade.price for trade in market.trades(share, start, start + 60)]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (200.0, 200.5, 199.5, 200.25)
    assert market.last(share, start - DAY) == 200.0
    assert market.last(share, start + 30 * DAY) == 201.0
    option, = market.find(Contract(
        symbol='AAPL', secType='OPT', lastTradeDateOrContractMonth='20241220', strike=200.0, right='C'))
    assert 0 < market.last(option, start + 60) < 20


def test_a_source_may_come_later_by_conId(tmp_path):
    market = Market()
    market.replay(265598, Csv(written(tmp_path, MINUTES), zone='US/Eastern', stamps='start'))
    assert market.last(market.by_conId(265598), parse('2024-11-20 10:03 US/Eastern')) == 200.25


@pytest.mark.parametrize('text, error', [
    ('', 'no rows'), ('Date,Open,High,Low,Close,Volume\n', 'no rows'),
    ('Date,Open,High,Low,Close,Volume\n2024-11-20,1,2,one,1,5\n', "line 2: could not convert.*'one'"),
    ('Date,Open,High,Low,Close,Volume\n2024-11-20,1,2,3,1,5\n', 'line 2: high is not the highest'),
    ('Date,Open,Close\n2024-11-20,1,2\n', 'line 2.*date, open, high, low, close and volume are needed'),
    ('Date,Open,High,Low,Close,Volume\n20.11.2024,1,2,1,1,5\n', 'line 2.*20.11.2024')])
def test_a_bad_file_is_an_error_that_names_the_line(tmp_path, text, error):
    with pytest.raises(ValueError, match=error):
        Csv(written(tmp_path, text))


@pytest.mark.parametrize('stamps', ['start', 'trade'])
def test_rows_outside_of_the_hours_are_refused_with_what_may_be_wrong(tmp_path, stamps):
    market = Market(prices={'AAPL': Csv(written(tmp_path, MINUTES), zone='Japan', stamps=stamps)})
    with pytest.raises(ValueError, match=r"line 2: 2024-11-19 20:00:00 US/Eastern.*zone 'Japan' right"):
        market.last(market.by_conId(265598), parse('2024-11-20'))


def test_a_daily_row_on_a_holiday_is_refused(tmp_path):
    source = Csv(written(tmp_path, 'Date,Open,High,Low,Close,Volume\n2024-11-28,1,2,1,1,5\n'))
    with pytest.raises(ValueError, match='line 2: 2024-11-27'):
        Market(prices={'AAPL': source}).bars(Market().by_conId(265598), '1 day', 0, parse('2025-01-01'))


def test_unknown_stamps_zones_and_sources_are_refused():
    with pytest.raises(ValueError, match="stamps='middle' is not one of start, end, trade"):
        Csv('prices.csv', stamps='middle')
    with pytest.raises(ValueError, match='unknown time zone'):
        Csv('prices.csv', zone='Nowhere')
    with pytest.raises(TypeError, match='replay.Csv'):
        Market(prices={'AAPL': 'prices.csv'})
