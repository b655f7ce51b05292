from datetime import date, timedelta

from backtrader_ib_insync.simulator import cells, listings
from backtrader_ib_insync.simulator.prices import Walk

APPLE = listings.stocks()[0]


def days(walk, instrument, first, count):
    sessions = (instrument.hours.session(first + timedelta(n)) for n in range(count))
    return [walk.day(instrument, session) for session in sessions if session]


def test_one_seed_is_one_market_and_another_is_another():
    first = days(Walk(1), APPLE, date(2024, 1, 1), 30)
    assert first == days(Walk(1), APPLE, date(2024, 1, 1), 30)
    assert first != days(Walk(2), APPLE, date(2024, 1, 1), 30)


def test_days_can_be_asked_for_in_any_order():
    walk = Walk(1)
    late = days(walk, APPLE, date(2031, 5, 1), 5)
    days(walk, APPLE, date(1995, 5, 1), 5)
    assert days(Walk(1), APPLE, date(2031, 5, 1), 5) == late


def test_apple_is_at_home_between_180_and_240_in_2024():
    found = days(Walk(1), APPLE, date(2024, 1, 1), 366)
    assert min(day.low for day in found) > 18000 and max(day.high for day in found) < 24000


def test_every_day_of_every_instrument_is_sound():
    for instrument in listings.default().instruments:
        for day in days(Walk(3), instrument, date(2024, 11, 1), 40):
            if day is None:
                assert instrument.activity == 0
                continue
            assert 1 <= day.low <= min(day.open, day.close) and day.high >= max(day.open, day.close)
            assert day.count >= cells.least_count(*day[:4])
            assert (day.volume >= day.count) if instrument.is_traded else day.volume == 0
            assert all(price == int(price) for price in day[:4])


def test_markets_move():
    closes = [day.close for day in days(Walk(1), APPLE, date(2024, 1, 1), 366)]
    steps = [abs(b / a - 1) for a, b in zip(closes, closes[1:])]
    assert 0.002 < sum(steps) / len(steps) < 0.03
