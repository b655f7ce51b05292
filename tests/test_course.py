"""The seam where history is late: what was seen to trade is waited for, and counted once. Scripted, no socket."""
import collections

import backtrader as bt
import pytest
import testbed
from testbed import NOON

from backtrader_ib_insync.assembler import Assembler
from backtrader_ib_insync.bars import Grid
from backtrader_ib_insync.course import Course
from backtrader_ib_insync.daybars import DayEnds
from backtrader_ib_insync.frontier import LATE_TRIES
from backtrader_ib_insync.messages import Bar, Closed, History, HistoryFailed, Lost, Refused, Restored, Tick, Watching
from backtrader_ib_insync.zones import UTC

MINUTE = 60.0


class Feed(testbed.Feed):
    """A feed of bars of so many minutes."""

    def __init__(self, minutes):
        super().__init__()

        def lattice(seconds):
            return Grid(seconds, UTC)
        days = DayEnds(bt.TimeFrame.Minutes, '', UTC)
        self.course = Course(self, self.store, Assembler(
            bt.TimeFrame.Minutes, minutes, '1 min', lattice, days, False))

    def download(self, begin, end, size, answers, seen):
        self.asked.append((begin, end))
        return True

    def resume(self, covered):
        self.course.catch_up(covered, self.course.closed_up_to())

    def push(self, built, history):
        self.story.append((built.end, built.open, built.close, built.volume))

    def answer(self, *minutes):
        """History's answer: bars of one trade a minute, of price and size 1."""
        super().answer(History(tuple(Bar(time, 1, 1, 1, 1, 1.0, 1.0, 1) for time in minutes), 0, 1))


def live_at(moment, minutes=1):
    """A feed that went live at `moment`, with history up to noon; subscribed, the bar in progress unseen."""
    feed = Feed(minutes)
    feed.store.heard = moment
    feed.resume(NOON - 10 * MINUTE)
    feed.answer(*[NOON + number * MINUTE for number in range(-10, 1)])
    feed.run(Watching(moment, moment))
    assert feed.story[-1] == feed.LIVE
    return feed


def ends(feed):
    return [told[0] for told in feed.delivered()]


def test_p37_the_bar_in_progress_comes_from_history():
    feed = live_at(NOON + 20)
    feed.run(Tick(NOON + 30, 5.0, 5.0), now=NOON + 30)
    feed.run(Tick(NOON + 61, 7.0, 7.0), now=NOON + 61)
    assert feed.asked[-1] == (NOON, NOON + MINUTE)
    feed.answer(NOON, NOON + MINUTE)
    feed.run(now=NOON + 2 * MINUTE + 3)
    assert feed.story[-2:] == [(NOON + MINUTE, 1, 1, 1.0), (NOON + 2 * MINUTE, 7.0, 7.0, 7.0)]


def test_p37_a_late_history_is_asked_again_and_counted_once():
    """A bar of five pieces, of which the last is not in history yet when it is asked for."""
    feed = live_at(NOON + 20, minutes=5)
    feed.run(Tick(NOON + 290, 5.0, 5.0), now=NOON + 290)
    feed.run(Tick(NOON + 301, 7.0, 7.0), now=NOON + 301)
    assert len(feed.asked) == 2
    feed.answer(*[NOON + number * MINUTE for number in range(4)])
    assert len(feed.asked) == 2 and ends(feed)[-1] == NOON
    feed.run(now=NOON + 304)
    assert len(feed.asked) == 3
    feed.answer(*[NOON + number * MINUTE for number in range(6)])
    assert feed.story[-1] == (NOON + 300, 1, 1, 5.0)
    assert not feed.said


def test_p39_a_history_that_never_has_it_holds_nothing_up():
    feed = live_at(NOON + 20)
    feed.run(Tick(NOON + 30, 5.0, 5.0), Tick(NOON + 61, 7.0, 7.0), now=NOON + 61)
    for number in range(LATE_TRIES + 1):
        feed.answer()
        feed.run(now=NOON + 64 + number * 3)
    assert len(feed.said) == 1 and 'though it traded' in feed.said[0]
    feed.run(now=NOON + 2 * MINUTE + 3)
    assert feed.story[-1] == (NOON + 2 * MINUTE, 7.0, 7.0, 7.0)


def test_a_history_that_fails_is_told_and_live_bars_go_on():
    feed = live_at(NOON + 20)
    feed.run(Tick(NOON + 61, 7.0, 7.0), now=NOON + 61)
    feed.course.answers.append(HistoryFailed(162, 'gone'))
    feed.run(now=NOON + 2 * MINUTE + 3)
    assert feed.said == ['gone'] and feed.story[-1] == (NOON + 2 * MINUTE, 7.0, 7.0, 7.0)


def test_a_failed_chunk_leaves_no_half_of_a_bar():
    """Three minutes of seven are there when the rest fails."""
    feed = Feed(7)
    feed.store.heard = NOON + 20 * MINUTE
    feed.resume(NOON - 4 * MINUTE)
    begin, end = feed.asked[-1]
    feed.course.answers.append(History(tuple(Bar(begin + number * MINUTE, 1, 1, 1, 1, 1.0, 1.0, 1)
                                             for number in range(10)), 0, 2))
    feed.course.answers.append(HistoryFailed(0, 'no answer'))
    feed.run(now=NOON + 20 * MINUTE)
    assert end - begin > 10 * MINUTE and feed.said == ['no answer']
    assert feed.delivered() == [(begin + 7 * MINUTE, 1, 1, 7.0)]


def test_a_bar_that_waits_for_its_history_is_told_as_such():
    """LIVE was told; orders would follow prices of long ago."""
    feed = live_at(NOON + 20)
    feed.run(Tick(NOON + 61, 7.0, 7.0), now=NOON + 61)
    assert not feed.course.lags
    feed.store.heard = NOON + 80
    assert feed.course.lags
    feed.answer(NOON, NOON + MINUTE)
    assert not feed.course.lags


def test_p46_a_trade_out_of_order_counts_in_its_bar():
    feed = live_at(NOON)
    feed.run(now=NOON + MINUTE + 1)
    feed.answer(NOON, NOON + MINUTE)
    for second, price in ((70, 3.0), (80, 9.0), (75, 5.0), (65, 2.0), (90, 4.0), (85, 6.0), (59, 8.0)):
        feed.run(Tick(NOON + second, price, 1.0), now=NOON + 91)
    feed.run(now=NOON + 2 * MINUTE + 1)
    assert feed.story[-1] == (NOON + 2 * MINUTE, 2.0, 4.0, 6.0)


def test_p39_a_market_without_a_trade_asks_for_its_bar_by_the_clock():
    feed = live_at(NOON + 20)
    feed.run(now=NOON + MINUTE + 0.5)
    assert len(feed.asked) == 1
    feed.run(now=NOON + MINUTE + 1)
    assert feed.asked[-1] == (NOON, NOON + MINUTE)
    feed.answer()
    feed.run(now=NOON + MINUTE + 11)
    assert feed.asked[2:] == [(NOON, NOON + MINUTE)]
    feed.answer()
    assert feed.course.follows and feed.story[-1] == feed.LIVE and not feed.said


def test_p37_a_bar_that_history_shows_as_the_last_is_not_believed_at_once():
    """It is there, yet TWS may lack its last seconds; a later one proves it whole."""
    feed = live_at(NOON + 20)
    feed.run(now=NOON + MINUTE + 1)
    feed.answer(NOON)
    assert ends(feed)[-1] == NOON and len(feed.asked) == 2
    feed.run(now=NOON + MINUTE + 4)
    assert len(feed.asked) == 3
    feed.answer(NOON, NOON + MINUTE)
    assert ends(feed)[-1] == NOON + MINUTE and feed.course.follows


def test_p37_a_bar_that_history_may_lack_at_the_start_comes_within_seconds():
    """An hour's need not wait for the next one."""
    feed = Feed(60)
    feed.store.heard = NOON + 1
    feed.resume(NOON - 60 * MINUTE)
    feed.answer(*[NOON + number * MINUTE for number in range(-60, 0)])
    feed.run(Watching(NOON + 2, NOON + 2))
    assert feed.story[-1] == feed.LIVE and not ends(feed)
    feed.run(now=NOON + 11)
    assert feed.asked[-1] == (NOON - 60 * MINUTE, NOON)
    feed.answer(*[NOON + number * MINUTE for number in range(-60, 0)])
    assert feed.story[-1] == (NOON, 1, 1, 60.0) and feed.story.count(feed.LIVE) == 1


@pytest.mark.parametrize('record, status', [
    (Refused(354, 'not subscribed'), Feed.NOTSUBSCRIBED), (Refused(200, 'unknown'), Feed.DISCONNECTED),
    (Closed('stopped'), Feed.DISCONNECTED)])
def test_p34_what_has_ended_is_not_looked_at_again(record, status):
    feed = live_at(NOON)
    feed.run(Tick(NOON + 1, 7.0, 7.0), now=NOON + 1)
    assert feed.course.proof.left() < 100
    feed.run(record)
    assert feed.course.over and not feed.subscribed and feed.story[-1] == status
    assert feed.course.proof.left() == float('inf') and not feed.course.backlog()


def test_p37_a_hole_while_history_travels():
    """What was asked before the hole is asked again; nothing of a bar with a hole is used."""
    feed = live_at(NOON)
    feed.run(Tick(NOON + 1, 7.0, 7.0), Lost('cut'), Restored('back'), Watching(NOON + 10, NOON + 9), now=NOON + 10)
    feed.run(Lost('cut'), now=NOON + 11)
    assert feed.story[-1] == feed.CONNBROKEN
    feed.run(Restored('back'), Watching(NOON + 12, NOON + 12), Tick(NOON + 20, 7.0, 7.0), now=NOON + 62)
    assert feed.asked[-1] == (NOON, NOON + MINUTE)
    feed.answer(NOON, NOON + MINUTE)
    assert ends(feed)[-2:] == [NOON, NOON + MINUTE]
    assert feed.story[-1] == feed.LIVE


class Overtaken(collections.deque):
    """Records of which the last is followed by one more, and by the proof that all has come."""

    def __init__(self, store, follows, *records):
        super().__init__(records)
        self._store, self._follows = store, follows

    def __bool__(self):
        if not len(self) and self._follows is not None:
            self._store.heard += MINUTE + 1
            self.late, self._follows = self._follows, None
        return len(self) > 0


def test_p38_no_tick_is_overtaken_by_the_proof_that_closes_its_bar():
    """The proof may be taken in by another thread, which asks TWS something at this very moment."""
    feed = live_at(NOON)
    records = Overtaken(feed.store, Tick(NOON + 59, 9.0, 1.0), Tick(NOON + 10, 7.0, 1.0))
    feed.course.go_on(records)
    assert ends(feed)[-1] == NOON
    feed.course.go_on(collections.deque([records.late]))
    assert feed.story[-1] == (NOON + MINUTE, 7.0, 9.0, 2.0)


def test_p34_live_records_are_backlog_when_they_can_be_taken():
    feed = live_at(NOON)
    feed.course.arrive(Tick(NOON + 1, 7.0, 7.0))
    assert feed.course.backlog()
    feed.run()
    assert not feed.course.backlog()


def test_p39_a_quote_owes_no_bar():
    """History has none where the price stood still; what shows more than a bar later is whole."""
    feed = live_at(NOON + 20)
    feed.run(Tick(NOON + 30, 5.0, 0.0), now=NOON + 30)
    feed.run(Tick(NOON + 61, 7.0, 0.0), now=NOON + 61)
    feed.answer(NOON + MINUTE)
    assert feed.course.follows and len(feed.asked) == 2 and not feed.said
