"""How far an answer of history is believed."""
from types import SimpleNamespace

from backtrader_ib_insync.bars import Grid
from backtrader_ib_insync.frontier import SETTLED_SECONDS, Frontier
from backtrader_ib_insync.zones import UTC

NOON = 1732104000.0
MINUTES = Grid(60, UTC)


def asked(until, now):
    return Frontier(until, now, MINUTES.start)


def passed(frontier, *minutes):
    """The minutes from noon of the bars that are believed."""
    bars = [SimpleNamespace(time=NOON + 60 * minute) for minute in minutes]
    return [(bar.time - NOON) / 60 for bar in frontier.passed(bars, MINUTES.end)]


def test_p37_the_last_bar_is_whole_when_a_later_one_is_there():
    frontier = asked(NOON, NOON + 2)
    assert passed(frontier, -3, -2, -1) == [-3, -2] and frontier.reached == NOON - 60 and not frontier.is_reached
    frontier = asked(NOON, NOON + 2)
    assert passed(frontier, -3, -2, -1, 0) == [-3, -2, -1] and frontier.reached == NOON and frontier.is_reached
    assert frontier.release() == []


def test_p37_the_last_bar_is_whole_when_it_closed_long_ago():
    frontier = asked(NOON, NOON + SETTLED_SECONDS)
    assert passed(frontier, -2, -1) == [-2, -1] and frontier.is_reached


def test_what_is_held_back_may_come_in_one_answer_and_be_shown_whole_in_the_next():
    frontier = asked(NOON, NOON + 2)
    assert passed(frontier, -2, -1) == [-2] and passed(frontier, 0) == [-1]


def test_what_is_held_back_can_be_had_all_the_same():
    frontier = asked(NOON, NOON + 2)
    passed(frontier, -2, -1)
    assert [bar.time for bar in frontier.release()] == [NOON - 60] and frontier.release() == []


def test_where_no_bars_of_a_grid_are_asked_for_all_is_believed():
    frontier = Frontier(NOON)
    assert frontier.is_reached and frontier.reached == NOON
