"""Live records that wait, and the holes among them; no socket."""
import pytest

from backtrader_ib_insync.livequeue import LiveQueue
from backtrader_ib_insync.messages import Bar, Closed, DataType, Lost, Refused, Restored, Tick, Watching

NOON = 1732104000.0
TICK, LATER = Tick(NOON, 1.0, 1.0), Tick(NOON + 1, 2.0, 1.0)
BAR = Bar(NOON, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1)


def queue(*records):
    made = LiveQueue()
    for record in records:
        made.append(record)
    return made


@pytest.mark.parametrize('hole', [Lost('cut'), Closed('stopped'), Refused(200, 'unknown')])
def test_a_hole_is_taken_out_with_what_came_before_it(hole):
    waiting = queue(TICK, Restored('back'), hole, LATER)
    assert waiting.has_hole and waiting.pop_hole() is hole
    assert list(waiting) == [LATER] and not waiting.has_hole


def test_each_hole_counts_until_it_is_taken():
    waiting = queue(Lost('cut'), Closed('stopped'), TICK)
    assert isinstance(waiting.popleft(), Lost) and waiting.has_hole
    assert isinstance(waiting.popleft(), Closed) and not waiting.has_hole


@pytest.mark.parametrize('records, edge, is_from', [
    ((TICK,), NOON, True), ((BAR, Lost('cut')), NOON, True), ((TICK, LATER), NOON + 1, False), ((TICK,), None, False),
    ((), NOON, False), ((Watching(NOON, NOON), LATER), NOON, False)])
def test_what_comes_next_may_be_of_a_bar_that_is_watched_whole(records, edge, is_from):
    assert queue(*records).is_from(edge) == is_from


@pytest.mark.parametrize('records, newest', [
    ((TICK, LATER), NOON + 1), ((BAR,), NOON), ((), 0.0), ((LATER, DataType(1)), 0.0)])
def test_the_newest_time_of_the_market(records, newest):
    assert queue(*records).newest() == newest
