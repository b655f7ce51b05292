"""Random fault schedules over a strategy that trades brackets on several symbols: the truth comes out of every night.

300 schedules run with the suite, BTIB_SCHEDULES=1000 asks for more. One night holds several of them, one after
another; a night that fails prints its faults, which test_adversity.py can then keep as a case with a name.
"""
import os

import pytest
from helpers import forget_store
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from night import bars_are_true, deaths, ledger_agrees, nothing_is_left, spend
from test_adversity import BEGIN, NIGHT, accelerated, feeds

from backtrader_ib_insync import simulator
from backtrader_ib_insync.ibstore import IBStore

SCHEDULES = int(os.environ.get('BTIB_SCHEDULES', '300'))
A_NIGHT = 25
#: simulated seconds between the beginnings of two schedules, and the simulated seconds of one of the wall's
APART = 120
SPEED = 600.0

__all__ = ['accelerated']


def words(*parts):
    """A fault's line: each part is a word or a strategy."""
    return st.tuples(*(part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts)).map(
        lambda found: ' '.join(str(word) for word in found if word != ''))


def upto(least, most):
    return st.integers(least, most)


KIND = st.sampled_from(['execution', 'status', 'commission', 'order'])
FAULT = st.one_of(
    words('cut', st.sampled_from(['fin', 'rst', 'mid'])),
    words('restart', upto(5, 100), st.sampled_from(['', 'ids'])),
    words('stall', st.sampled_from([5, 20, 60, 3600])),
    words('slow', upto(500, 5000), upto(5, 60)),
    words('split', upto(1, 50), upto(5, 60)),
    words('drop', 'status', upto(1, 5)),
    words('duplicate', KIND, upto(1, 5)),
    words('late', KIND, upto(1, 5), upto(1, 5)),
    words('reorder', KIND, upto(2, 4)),
    words('lost', upto(1, 60), st.sampled_from(['kept', 'data'])),
    words('broken', upto(1, 60)),
    words('farm', 'data', upto(5, 60), st.sampled_from(['', 'dead'])),
    words('farm', st.sampled_from(['history', 'secdef']), upto(5, 60)),
    words('unsubscribe', st.sampled_from(['', 'AAPL', 'MSFT'])),
    words('pacing', upto(1, 2)),
    words('busy', 1, upto(5, 60)),
    words('garbage', upto(1, 40)))
SCHEDULE = st.lists(st.tuples(upto(0, 60), FAULT), min_size=1, max_size=3)


def plan(schedules):
    return '\n'.join('after {}s {}'.format(number * APART + at, fault)
                     for number, schedule in enumerate(schedules) for at, fault in schedule)


@pytest.mark.client_errors
@pytest.mark.timeout(600)
@settings(max_examples=max(1, SCHEDULES // A_NIGHT), derandomize=True, deadline=None, database=None,
          phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(SCHEDULE, min_size=A_NIGHT, max_size=A_NIGHT))
def test_any_schedule(store, schedules):
    with simulator.running(speed=SPEED, faults=plan(schedules), messages_per_second=0) as gateway:
        made = IBStore(port=gateway.port, clientId=1, **NIGHT)
        try:
            trader = spend(made, *feeds(made), until=BEGIN + A_NIGHT * APART)
        finally:
            forget_store()
        bars_are_true(gateway, trader, deaths(plan(schedules)))
        ledger_agrees(gateway, trader)
        nothing_is_left(gateway)
