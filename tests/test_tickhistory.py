"""One answer after the other: what of each counts and where the next begins. Pure; the rest is in test_tick_gaps."""
import pytest

from backtrader_ib_insync import tickhistory
from backtrader_ib_insync.messages import Tick
from backtrader_ib_insync.tickhistory import page


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(tickhistory, 'MOST', 4)


def rows(*seconds, counts=True):
    return [(Tick(float(second), 1.0, 1.0), counts) for second in seconds]


def paged(rows, begin=10.0, end=100.0):
    ticks, following, unsure = page(rows, begin, end)
    return [tick.time for tick in ticks], following, unsure


def test_the_last_second_of_a_full_answer_is_asked_for_again():
    assert paged(rows(10, 11, 12, 12)) == ([10, 11], 12, False)


def test_a_second_with_a_whole_answer_in_it_is_believed():
    assert paged(rows(10, 10, 10, 10, 10)) == ([10] * 5, 11, False)


def test_what_reaches_the_end_is_all():
    assert paged(rows(10, 11, 100, 100)) == ([10, 11], None, False)
    assert paged(rows(10, 99, 103)) == ([10, 99], None, True)


def test_after_a_short_answer_it_has_to_be_looked_for():
    assert paged(rows(10, 12)) == ([10, 12], 12, True)
    assert paged([]) == ([], 10, True)


def test_what_is_earlier_than_asked_for_does_not_count():
    assert paged(rows(7, 8)) == ([], 10, True)
    assert paged(rows(7, 8, 9, 9)) == ([], 11, False)


def test_what_does_not_count_fills_an_answer_all_the_same():
    assert paged(rows(10, 11, 12) + rows(13, counts=False)) == ([10, 11, 12], 13, False)
