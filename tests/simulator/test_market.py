from itertools import groupby

import pytest

from backtrader_ib_insync.simulator import bars as barring
from backtrader_ib_insync.simulator import zones
from backtrader_ib_insync.simulator.market import START, Market
from backtrader_ib_insync.simulator.records import Contract, Quote
from backtrader_ib_insync.simulator.zones import parse

MARKET = Market()
DAY = 86400
OPEN = parse('2024-11-20 09:30 US/Eastern')


def only(**fields):
    instrument, = MARKET.find(Contract(**fields), START)
    return instrument


APPLE = only(symbol='AAPL', secType='STK')
QUIET = only(symbol='QUIET', secType='STK')
EURO = only(symbol='EUR', secType='CASH')
MINI = only(localSymbol='ESZ4', secType='FUT')
INDEX = only(symbol='SPX', secType='IND')
BITCOIN = only(symbol='BTC', secType='CRYPTO')
OPTION = only(localSymbol='AAPL  241220C00200000', secType='OPT')
TOYOTA = only(symbol='7203', secType='STK')


def from_trades(trades, label):
    """Bars made of trades by hand: (label, open, high, low, close, volume)."""
    made = []
    for time, group in groupby(trades, lambda trade: label(trade.time)):
        group = list(group)
        prices = [trade.price for trade in group]
        volume = round(sum(trade.size for trade in group), 8)
        made.append((time, prices[0], max(prices), min(prices), prices[-1], volume))
    return made


@pytest.mark.parametrize('instrument', [APPLE, MINI, BITCOIN, OPTION, INDEX], ids=lambda one: one.contract.localSymbol)
@pytest.mark.parametrize('size', [size for size in barring.SIZES if size not in barring.LONG])
def test_bars_of_every_size_are_what_the_trades_make(instrument, size):
    start = START if barring.SIZES[size] <= 1800 else parse('2024-11-20 00:00', instrument.zone)
    end = START + min(2 * 3600, 30 * barring.SIZES[size])
    spans = [span for session in instrument.hours.between(start, end) for span in session.spans]

    def label(time):
        return barring.start_of(time, barring.SIZES[size], instrument.zone, spans)
    bars = MARKET.bars(instrument, size, start, end)
    assert [tuple(bar[:6]) for bar in bars] == from_trades(
        [trade for trade in MARKET.trades(instrument, start, end) if label(trade.time) >= start], label)


@pytest.mark.parametrize('instrument', [APPLE, MINI, BITCOIN, OPTION], ids=lambda one: one.contract.localSymbol)
def test_a_day_is_what_its_trades_make(instrument):
    session = instrument.hours.session(zones.date_of(START))
    bars = MARKET.bars(instrument, '1 day', zones.label_of(session.date), session.close)
    trades = MARKET.trades(instrument, session.open, session.close)
    assert [tuple(bar[:6]) for bar in bars] == from_trades(trades, lambda time: zones.label_of(session.date))
    assert trades[-1].total == bars[0].volume


def test_regular_hours_leave_out_what_is_outside():
    session = APPLE.hours.session(zones.date_of(START))
    opened, closed = session.liquid[0]
    day, = MARKET.bars(APPLE, '1 day', zones.label_of(session.date), session.close, rth=True)
    assert [tuple(day[:6])] == from_trades(MARKET.trades(APPLE, opened, closed), lambda time: day.time)
    hours = MARKET.bars(APPLE, '1 hour', session.open, session.close, rth=True)
    assert [zones.local(bar.time, APPLE.zone).strftime('%H:%M') for bar in hours] == [
        '09:30', '10:00', '11:00', '12:00', '13:00', '14:00', '15:00']


@pytest.mark.parametrize('size', ['2 hours', '3 hours', '4 hours', '8 hours'])
def test_long_intraday_bars_lie_on_the_local_clock_and_break_at_the_session(size):
    bars = MARKET.bars(MINI, size, parse('2024-11-18 12:00 US/Central'), parse('2024-11-20 12:00 US/Central'))
    walls = [zones.local(bar.time, MINI.zone) for bar in bars]
    hours = barring.SIZES[size] // 3600
    assert all(wall.hour % hours == 0 or (wall.hour, wall.minute) == (17, 0) for wall in walls)
    assert [wall.day for wall in walls if (wall.hour, wall.minute) == (17, 0)] == [18, 19]
    assert walls == sorted(walls) and len(set(walls)) == len(walls)


def test_a_clock_change_neither_drops_nor_doubles_a_bar():
    for start, hours in (('2024-03-10', 23), ('2024-11-03', 25)):
        begin = parse(start, 'US/Eastern')
        bars = MARKET.bars(BITCOIN, '1 hour', begin, begin + hours * 3600)
        assert [bar.time for bar in bars] == [begin + n * 3600 for n in range(hours)]
        day, = MARKET.bars(BITCOIN, '1 day', parse(start), begin + hours * 3600)
        assert round(sum(bar.volume for bar in bars), 8) == day.volume
        long = MARKET.bars(BITCOIN, '4 hours', begin, begin + hours * 3600)
        assert round(sum(bar.volume for bar in long), 8) == day.volume


def test_a_lunch_break_splits_no_bar_wrongly():
    bars = MARKET.bars(TOYOTA, '1 hour', parse('2024-11-20 00:00 Japan'), parse('2024-11-20 23:00 Japan'))
    assert [zones.local(bar.time, 'Japan').strftime('%H:%M') for bar in bars] == [
        '09:00', '10:00', '11:00', '12:30', '13:00', '14:00']


def test_nothing_from_the_end_on_is_told():
    now = START + 90.5
    last = MARKET.bars(APPLE, '1 min', START, now)[-1]
    assert [tuple(last[:6])] == from_trades(MARKET.trades(APPLE, START + 60, now), lambda time: START + 60)
    day = MARKET.bars(APPLE, '1 day', parse('2024-11-20'), now)[-1]
    assert day.close == MARKET.trades(APPLE, START - 600, now)[-1].price
    assert day.volume == MARKET.trades(APPLE, START - 600, now)[-1].total


def test_a_bar_begun_before_the_start_is_left_out():
    bars = MARKET.bars(APPLE, '5 mins', START + 1, START + 1200)
    assert [bar.time - START for bar in bars] == [300, 600, 900]


def test_weeks_and_months_carry_their_last_trading_day():
    weeks = MARKET.bars(APPLE, '1 week', parse('2024-11-04'), parse('2024-12-07'))
    assert [bar.time for bar in weeks] == [parse(day) for day in (
        '2024-11-08', '2024-11-15', '2024-11-22', '2024-11-29', '2024-12-06')]
    running = MARKET.bars(APPLE, '1 week', parse('2024-11-18'), START)
    assert [bar.time for bar in running] == [parse('2024-11-20')]
    months = MARKET.bars(APPLE, '1 month', parse('2024-01-01'), parse('2024-04-01'))
    assert [bar.time for bar in months] == [parse(day) for day in ('2024-01-31', '2024-02-29', '2024-03-28')]
    days = MARKET.bars(APPLE, '1 day', parse('2024-02-01'), parse('2024-03-01 04:00 US/Eastern'))
    assert months[1].volume == sum(day.volume for day in days)
    assert (months[1].open, months[1].close) == (days[0].open, days[-1].close)


def test_holidays_and_weekends_have_no_bars():
    bars = MARKET.bars(APPLE, '1 day', parse('2024-11-25'), parse('2024-12-03'))
    assert [zones.date_of(bar.time).day for bar in bars] == [25, 26, 27, 29, 2]
    assert MARKET.bars(APPLE, '1 min', parse('2024-11-28 06:00'), parse('2024-11-29 06:00')) == []


@pytest.mark.parametrize('size', ['30 secs', '1 min', '1 hour', '1 day'])
def test_quote_bars_follow_the_quotes(size):
    session = EURO.hours.session_at(START)
    start, end = (START, START + 3600) if size != '1 day' else (parse('2024-11-20'), session.close)
    bid, ask, middle, both = (
        MARKET.bars(EURO, size, start, end, what) for what in ('BID', 'ASK', 'MIDPOINT', 'BID_ASK'))
    assert bid and all(bar[5:] == (-1, -1, -1) for bar in bid + ask + middle + both)
    for low, high, mid, pair in zip(bid, ask, middle, both):
        assert low.close < mid.close < high.close
        assert mid.high == pytest.approx((low.high + high.high) / 2)
        assert (pair.low, pair.high) == (low.low, high.high)
    begin, finish = (START, START + 3600) if size != '1 day' else (session.open, session.close)
    quotes = [quote for quote in MARKET.quotes(EURO, begin, finish) if quote.bid > 0]
    assert max(quote.bid for quote in quotes) == max(bar.high for bar in bid)
    assert quotes[-1].ask == ask[-1].close


def test_what_has_no_trades_has_no_trade_bars():
    assert MARKET.bars(EURO, '1 min', START, START + 600) == []
    assert MARKET.bars(INDEX, '1 min', START, START + 600, 'BID') == []
    assert MARKET.trades(EURO, START, START + 600) == []
    bar = MARKET.bars(INDEX, '1 min', START, START + 60)[0]
    assert (bar.volume, bar.count) == (0, 0)
    assert all(trade.size == 0 for trade in MARKET.trades(INDEX, START, START + 60))


@pytest.mark.parametrize('size', ['1 sec', '7 mins', '', '1D'])
def test_a_bar_size_tws_has_not_is_refused_with_the_legal_ones(size):
    with pytest.raises(ValueError, match=r'1 secs, 5 secs.*1 month'):
        MARKET.bars(APPLE, size, START, START + 600)


def test_an_unknown_what_is_refused_with_the_legal_ones():
    with pytest.raises(ValueError, match=r"'VOLUME'.*TRADES.*MIDPOINT"):
        MARKET.bars(APPLE, '1 min', START, START + 600, 'VOLUME')


def test_ranges_of_trades_join_without_seam():
    whole = MARKET.trades(APPLE, START, START + 600)
    cuts = [START, START + 0.5, START + 59.999, START + 60, START + 61.003, START + 299, START + 600]
    assert [trade for a, b in zip(cuts, cuts[1:]) for trade in MARKET.trades(APPLE, a, b)] == [
        pytest.approx(trade) for trade in whole]


def test_trades_have_millisecond_stamps_in_order_some_in_one_second_some_on_its_edge():
    times = [round(trade.time * 1000) for trade in MARKET.trades(APPLE, START, START + 3600)]
    assert times == sorted(times)
    seconds = [time // 1000 for time in times]
    assert len(set(seconds)) < len(seconds)
    assert any(time % 1000 == 0 for time in times) and any(time % 1000 == 999 for time in times)
    assert any(time % 60000 == 0 for time in times) and any(time % 60000 == 59999 for time in times)


def test_the_day_s_volume_grows_with_each_trade():
    trades = MARKET.trades(APPLE, START, START + 600)
    for before, after in zip(trades, trades[1:]):
        assert after.total == before.total + after.size
    opening = MARKET.trades(APPLE, OPEN - 6 * 3600, OPEN)[0]
    assert opening.total == opening.size


def test_the_quote_stands_around_the_last_price():
    for instrument in (APPLE, MINI, OPTION, BITCOIN, EURO):
        quote = MARKET.quote(instrument, START)
        assert 0 < quote.bid < quote.ask and quote.bid <= MARKET.last(instrument, START) <= quote.ask
        assert quote.bidSize > 0 and quote.askSize > 0 and quote.time <= START


def test_the_quote_at_a_moment_is_the_last_of_the_stream():
    quotes = MARKET.quotes(APPLE, START, START + 300)
    for at in (START + 60, START + 123.456, START + 299.999):
        assert MARKET.quote(APPLE, at) == [quote for quote in quotes if quote.time <= at][-1]


def test_a_trade_counts_from_its_own_moment_on():
    trade = MARKET.trades(APPLE, START, START + 60)[3]
    assert MARKET.last(APPLE, trade.time) == trade.price
    assert MARKET.last_trade(APPLE, trade.time).total >= trade.total
    assert MARKET.last_trade(EURO, START) is None


def test_a_closed_market_has_no_quote_but_a_last_price():
    night = parse('2024-11-20 22:00 US/Eastern')
    assert MARKET.quote(APPLE, night) == Quote(night, -1, -1, 0, 0)
    assert MARKET.last(APPLE, night) == MARKET.bars(APPLE, '1 day', parse('2024-11-20'), night)[-1].close
    assert MARKET.quote(INDEX, START)[1:] == (-1, -1, 0, 0)


def test_the_stream_of_quotes_opens_and_closes():
    opened, closed = parse('2024-11-20 04:00 US/Eastern'), parse('2024-11-20 20:00 US/Eastern')
    assert [quote.time for quote in MARKET.quotes(QUIET, opened - 60, opened + 60)] == [opened]
    assert MARKET.quotes(QUIET, closed, closed + 1) == [Quote(closed, -1, -1, 0, 0)]
    assert MARKET.quotes(QUIET, closed - 1, closed) == []


def test_the_quiet_company_never_trades_but_can_be_quoted():
    assert MARKET.trades(QUIET, START, START + DAY) == []
    assert MARKET.quote(QUIET, START).ask == 50.01
    assert MARKET.bars(QUIET, '1 day', START - 30 * DAY, START) == []


def test_the_next_change_is_the_next_trade_or_the_next_edge():
    trade = next(trade for trade in MARKET.trades(APPLE, START, START + 60) if trade.time > START)
    assert MARKET.next_change(APPLE, START) == trade.time
    assert MARKET.next_change(APPLE, parse('2024-11-22 21:00 US/Eastern')) == parse('2024-11-25 04:00 US/Eastern')
    assert MARKET.next_change(QUIET, START) == parse('2024-11-20 20:00 US/Eastern')


def test_option_prices_follow_the_underlying():
    greeks = MARKET.greeks(OPTION, START)
    spot = MARKET.last(APPLE, START)
    assert greeks.price > max(0, spot - 200)
    assert abs(MARKET.last(OPTION, START) - greeks.price) < 3
    assert 0.5 < greeks.delta < 1


def test_the_continuous_future_has_the_front_one_s_bars():
    continuous = only(symbol='ES', secType='CONTFUT')
    start = START - 2 * DAY
    assert MARKET.bars(continuous, '1 hour', start, START) == MARKET.bars(MINI, '1 hour', start, START)
    old = MARKET.bars(continuous, '1 day', parse('2024-07-01'), parse('2024-07-11'))
    september, = MARKET.find(Contract(localSymbol='ESU4', secType='FUT', includeExpired=True), START)
    assert old == MARKET.bars(september, '1 day', parse('2024-07-01'), parse('2024-07-11'))


def test_an_instrument_has_no_data_before_or_after_its_life():
    first = MARKET.head(MINI)
    assert zones.local(first, MINI.zone).year == 2022
    assert MARKET.bars(MINI, '1 day', parse('2020-01-01'), parse('2022-01-01')) == []
    assert MARKET.bars(MINI, '1 day', parse('2024-12-21'), parse('2025-01-21')) == []
    assert MARKET.bars(MINI, '1 min', first - 5 * DAY, first + 600)[0].time >= first


def test_injected_trades_are_part_of_the_truth_everywhere():
    market = Market()
    at = START + 30.25
    plain = market.bars(APPLE, '1 day', parse('2024-11-20'), parse('2024-11-21 04:00 US/Eastern'))[0]
    minute = market.bars(APPLE, '1 min', START, START + 60)[0]
    market.inject(APPLE, (at, 199.5, 7), (at, 260.0, 3))
    inside = [trade[:3] for trade in market.trades(APPLE, at, at + 0.001)]
    assert inside == [(at, 199.5, 7), (at, 260.0, 3)]
    assert market.last(APPLE, at) == 260.0 and market.quote(APPLE, at).bid == 259.99
    after = market.bars(APPLE, '1 min', START, START + 60)[0]
    assert (after.low, after.high, after.volume) == (199.5, 260.0, minute.volume + 10)
    day = market.bars(APPLE, '1 day', parse('2024-11-20'), parse('2024-11-21 04:00 US/Eastern'))[0]
    assert (day.low, day.high, day.volume) == (199.5, 260.0, plain.volume + 10)
    assert (day.open, day.close) == (plain.open, plain.close)
    later = '1 min', START + 60, START + 600
    assert market.bars(APPLE, *later) == Market().bars(APPLE, *later)


def test_a_script_is_all_there_is():
    market = Market()
    rows = [(START + 1, 200.0, 100), (START + 2.5, 200.05, 50), (START + 61, 199.9, 10)]
    market.script(APPLE, rows)
    assert [trade[:3] for trade in market.trades(APPLE, START - DAY, START + DAY)] == rows
    assert market.trades(APPLE, START, START + DAY)[-1].total == 160
    assert [tuple(bar[:6]) for bar in market.bars(APPLE, '1 min', START, START + 300)] == [
        (START, 200.0, 200.05, 200.0, 200.05, 150), (START + 60, 199.9, 199.9, 199.9, 199.9, 10)]
    assert market.last(APPLE, START) == 200.0
    assert market.quote(APPLE, START + 3)[1:3] == (200.04, 200.06)
    assert market.quote(APPLE, START + 3).time == START + 2.5


def test_a_held_instrument_rests_where_it_is_told():
    market = Market()
    market.hold(MINI, 5900.25)
    assert market.trades(MINI, START, START + 600) == []
    assert market.last(MINI, START) == 5900.25
    market.inject(MINI, (START + 5, 5901.0, 2))
    assert market.last(MINI, START + 10) == 5901.0


def test_a_trade_while_closed_is_refused_with_the_next_open():
    with pytest.raises(ValueError, match=r'AAPL is closed at 2024-11-23 .*2024-11-25 04:00'):
        Market().inject(APPLE, (parse('2024-11-23 12:00 US/Eastern'), 200.0, 1))


def test_two_markets_of_one_seed_agree_and_of_two_seeds_differ():
    assert MARKET.bars(APPLE, '1 min', START, START + 600) == Market(seed=1).bars(APPLE, '1 min', START, START + 600)
    assert MARKET.bars(APPLE, '1 min', START, START + 600) != Market(seed=2).bars(APPLE, '1 min', START, START + 600)


def test_averages_lie_within_their_bar():
    for size in ('5 secs', '1 min', '1 hour', '1 day'):
        for bar in MARKET.bars(APPLE, size, START - DAY, START + 3600):
            assert bar.low <= bar.wap <= bar.high
            assert bar.count > 0
