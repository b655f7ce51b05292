from datetime import date, timedelta

import pytest

from backtrader_ib_insync.simulator import holidays
from backtrader_ib_insync.simulator.holidays import CLOSED


@pytest.mark.parametrize('year, sunday', [
    (2006, date(2006, 4, 16)), (2024, date(2024, 3, 31)), (2025, date(2025, 4, 20))])
def test_easter(year, sunday):
    assert holidays.easter(year) == sunday


def test_new_york_in_2024_as_the_exchange_published_it():
    year = [date(2024, 1, 1) + timedelta(n) for n in range(366)]
    closed = [day for day in year if holidays.nyse(day) == CLOSED]
    assert closed == [date(2024, *day) for day in (
        (1, 1), (1, 15), (2, 19), (3, 29), (5, 27), (6, 19), (7, 4), (9, 2), (11, 28), (12, 25))]
    early = [day for day in year if holidays.nyse(day) == 780]
    assert early == [date(2024, *day) for day in ((7, 3), (11, 29), (12, 24))]


@pytest.mark.parametrize('day, kept', [
    (date(2022, 6, 20), True), (date(2021, 6, 18), False), (date(2021, 12, 24), True), (date(2021, 12, 31), False),
    (date(2023, 1, 2), True), (date(2001, 9, 12), True), (date(2012, 10, 29), True), (date(1997, 1, 20), False)])
def test_new_york_in_other_years(day, kept):
    assert (holidays.nyse(day) == CLOSED) is kept


def test_chicago_futures_close_at_noon_where_stocks_are_closed_all_day():
    assert holidays.cme(date(2024, 11, 28)) == 720
    assert holidays.cme(date(2024, 3, 29)) == CLOSED
    assert holidays.cboe(date(2024, 11, 29)) == 720


def test_other_countries_have_their_own():
    assert holidays.eurex(date(2024, 4, 1)) == CLOSED
    assert holidays.lse(date(2022, 12, 27)) == CLOSED
    assert holidays.lse(date(2024, 8, 26)) == CLOSED
    assert holidays.tokyo(date(2025, 1, 2)) == CLOSED
    assert holidays.forex(date(2024, 12, 25)) == CLOSED
    assert holidays.never(date(2024, 12, 25)) is None
