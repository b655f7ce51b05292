"""When exchanges are closed or close early, by rule for any year.

Each calendar is a function: date -> None (a usual day), CLOSED, or the minute after local midnight it closes at.
"""
from datetime import date, timedelta
from functools import lru_cache

CLOSED = -1
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
NYSE_MOURNING = frozenset(date(*day) for day in (
    (2001, 9, 11), (2001, 9, 12), (2001, 9, 13), (2001, 9, 14), (2004, 6, 11), (2007, 1, 2), (2012, 10, 29),
    (2012, 10, 30), (2018, 12, 5), (2025, 1, 9)))


def nth(year, month, weekday, n):
    """The n-th `weekday` (Monday is 0) of a month; n = -1 is the last."""
    if n < 0:
        return nth(year + month // 12, month % 12 + 1, weekday, 1) - timedelta(7)
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def easter(year):
    """Easter Sunday, by the anonymous Gregorian computus."""
    golden, century, rest = year % 19, year // 100, year % 100
    skipped = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - skipped + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def good_friday(year):
    return easter(year) - timedelta(2)


def nearest(day):
    """A Saturday's holiday is kept on Friday, a Sunday's on Monday."""
    return day + timedelta({SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


def next_monday(day):
    """A weekend's holiday is kept on the Monday after."""
    return day + timedelta({SATURDAY: 2, SUNDAY: 1}.get(day.weekday(), 0))


@lru_cache(maxsize=None)
def _major(year):
    """The days on which all of the US is closed, futures included."""
    new_year = date(year, 1, 1)
    if new_year.weekday() == SUNDAY:
        new_year += timedelta(1)
    return frozenset((new_year, good_friday(year), nearest(date(year, 12, 25))))


@lru_cache(maxsize=None)
def _minor(year):
    """The days on which US stocks are closed and CME closes at noon."""
    days = [nth(year, 2, MONDAY, 3), nth(year, 5, MONDAY, -1), nearest(date(year, 7, 4)), nth(year, 9, MONDAY, 1),
            nth(year, 11, THURSDAY, 4)]
    if year >= 1998:
        days.append(nth(year, 1, MONDAY, 3))
    if year >= 2022:
        days.append(nearest(date(year, 6, 19)))
    return frozenset(days)


@lru_cache(maxsize=None)
def _early(year):
    eves = [day for day in (date(year, 7, 3), date(year, 12, 24)) if day.weekday() <= THURSDAY]
    return frozenset(eves + [nth(year, 11, THURSDAY, 4) + timedelta(1)])


def nyse(day):
    if day in _major(day.year) or day in _minor(day.year) or day in NYSE_MOURNING:
        return CLOSED
    return 13 * 60 if day in _early(day.year) else None


def cboe(day):
    """As NYSE, told in Chicago's clock."""
    return 12 * 60 if nyse(day) == 13 * 60 else nyse(day)


def cme(day):
    if day in _major(day.year):
        return CLOSED
    if day in _minor(day.year):
        return 12 * 60
    return 12 * 60 + 15 if day in _early(day.year) else None


def eurex(day):
    sunday = easter(day.year)
    fixed = (day.month, day.day) in ((1, 1), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31))
    return CLOSED if fixed or day in (sunday - timedelta(2), sunday + timedelta(1)) else None


@lru_cache(maxsize=None)
def _british(year):
    christmas = next_monday(date(year, 12, 25))
    boxing = next_monday(date(year, 12, 26))
    if boxing <= christmas:
        boxing = christmas + timedelta(1)
    return frozenset((next_monday(date(year, 1, 1)), good_friday(year), easter(year) + timedelta(1), christmas, boxing,
                      nth(year, 5, MONDAY, 1), nth(year, 5, MONDAY, -1), nth(year, 8, MONDAY, -1)))


def lse(day):
    return CLOSED if day in _british(day.year) else None


def tokyo(day):
    """The turn of the year only: the moving Japanese holidays are trading days here."""
    return CLOSED if (day.month, day.day) in ((1, 1), (1, 2), (1, 3), (12, 31)) else None


def forex(day):
    return CLOSED if (day.month, day.day) in ((1, 1), (12, 25)) else None


def never(day):
    return None
