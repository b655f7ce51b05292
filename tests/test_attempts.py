"""Attempts to connect: how far apart, how many, and what of them is told."""
import collections

import pytest

from backtrader_ib_insync.attempts import BACKOFF_SECONDS, Attempts

Settings = collections.namedtuple('Settings', 'reconnect timeout')


def made(reconnect, timeout=3.0):
    told = []
    return Attempts(Settings(reconnect, timeout), told.append), told


def fail(attempts, times):
    """The pauses after so many attempts that fail at once, one after the other."""
    pauses = []
    for _ in range(times):
        attempts.begin(100.0)
        attempts.fail()
        pauses.append(attempts.due() - 100.0)
    return pauses


def test_the_first_attempt_may_begin_at_once():
    attempts, _ = made(-1)
    assert attempts.due() == float('-inf') and not attempts.are_spent() and not attempts.had_session


@pytest.mark.parametrize('reconnect', [0, 1, 3])
def test_p03_so_many_follow_the_first(reconnect):
    attempts, _ = made(reconnect)
    assert fail(attempts, reconnect) == [3.0] * reconnect and not attempts.are_spent()
    fail(attempts, 1)
    assert attempts.are_spent()


def test_p03_for_ever_they_come_ever_more_rarely_up_to_a_bound():
    attempts, _ = made(-1)
    pauses = fail(attempts, 2000)
    assert pauses[:2] == [3.0, 3.0]
    for pause, whole in zip(pauses[2:], [6.0, 12.0, 24.0, 48.0] + [BACKOFF_SECONDS] * 2000):
        assert 0.8 * whole <= pause <= whole
    assert not attempts.are_spent()


def test_p03_a_pause_longer_than_the_bound_is_kept():
    attempts, _ = made(-1, timeout=300.0)
    assert all(240.0 <= pause <= 300.0 for pause in fail(attempts, 20))


@pytest.mark.parametrize('lasted, follow', [(3.5, 2), (3.0, 1)])
def test_p03_a_session_that_lasted_makes_them_count_anew(lasted, follow):
    attempts, _ = made(2)
    fail(attempts, 1)
    attempts.succeed(200.0)
    attempts.lose(200.0 + lasted)
    assert attempts.had_session
    fail(attempts, follow - 1)
    assert not attempts.are_spent()
    fail(attempts, 1)
    assert attempts.are_spent()


def test_the_first_failure_of_a_row_is_told():
    attempts, told = made(3)
    for row in (1, 2):
        for _ in range(3):
            attempts.fail()
            attempts.tell('reason {}'.format(row))
        assert [str(notice) for notice in told] == [
            'reason {}. Trying again up to {} times, every 3 s at first'.format(row, left)
            for row, left in ((1, 3), (2, 2))[:row]]
        attempts.succeed(200.0)
        attempts.lose(300.0)
