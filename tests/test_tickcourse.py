"""The course of a feed of ticks where history is late, fails, or is overtaken by a hole. Scripted, no socket."""
import pytest
import testbed
from testbed import NOON

from backtrader_ib_insync.frontier import LATE_TRIES
from backtrader_ib_insync.messages import (
    Closed, HistoryFailed, Lost, Refused, Restored, Tick, TickHistory, Watching)
from backtrader_ib_insync.tickcourse import TickCourse
from backtrader_ib_insync.tickhistory import TickKind

class Feed(testbed.Feed):
    """A feed of ticks; its times are seconds after noon."""

    def __init__(self):
        super().__init__()
        self.course = TickCourse(self, self.store, TickKind('TRADES', 'TRADES'))

    def download_ticks(self, begin, end, kind, answers):
        self.asked.append((begin - NOON, end - NOON))
        return len(self.asked)

    def resume(self, covered):
        self.course.catch_up(covered, None)

    def pass_tick(self, tick, history):
        self.story.append((round(tick.time - NOON, 3), tick.price))

    def run(self, *records, now=None):
        super().run(*records, now=None if now is None else NOON + now)

    def answer(self, *ticks, done=True):
        super().answer(TickHistory(ticks, NOON, done))


def tick(time, price):
    return Tick(NOON + time, float(price), 1.0)


def watching(since):
    return Watching(NOON + since, NOON + since)


def after_a_hole():
    """Live, cut after two ticks of second 5, and back at second 20."""
    feed = Feed()
    feed.course.go_live()
    feed.run(watching(1), tick(4.5, 1), tick(5.2, 2), tick(5.4, 3), now=6)
    feed.run(Lost('cut'), now=7)
    feed.run(Restored('back'), now=19)
    return feed


def test_the_gap_is_asked_for_when_the_stream_is_whole():
    feed = after_a_hole()
    assert feed.story[-3:] == ['CONNBROKEN', 'CONNECTED', 'DELAYED'] and feed.asked == []
    feed.run(watching(19.6), tick(19.8, 7), tick(20.1, 8), now=20)
    assert feed.asked == []
    feed.run(now=21)
    assert feed.asked == [(5, 20)]
    feed.answer(tick(5, 2), tick(5, 3), tick(5, 4), tick(9, 5), done=False)
    assert feed.story[-2:] == [(5.4, 4), (9, 5)]
    feed.run(tick(21.5, 9))
    feed.answer(tick(19, 7))
    assert feed.story[-4:] == [(19, 7), (20.1, 8), (21.5, 9), 'LIVE']
    assert feed.course.follows and not feed.said


def test_p37_a_late_history_is_asked_again_and_every_trade_comes_once_in_order():
    """The trade of second 19 was seen live, and is not in history yet when this is asked for."""
    feed = after_a_hole()
    feed.run(watching(19.9), tick(18.8, 6), tick(19.8, 7), tick(20.1, 8), now=22)
    feed.answer(tick(5, 2), tick(5, 3), tick(12, 5), tick(18, 6))
    assert feed.asked == [(5, 20)] and feed.delivered()[-2:] == [(12, 5), (18, 6)] and feed.story[-1] != 'LIVE'
    feed.run(now=23)
    assert len(feed.asked) == 1
    feed.run(now=24)
    assert feed.asked == [(5, 20), (18, 20)]
    feed.answer(tick(18, 6), tick(19, 7), tick(19, 9))
    assert feed.delivered()[-5:] == [(12, 5), (18, 6), (19, 7), (19, 9), (20.1, 8)]
    assert feed.story[-1] == 'LIVE' and not feed.said


def test_what_history_never_has_is_delivered_and_told():
    feed = after_a_hole()
    feed.run(watching(19.9), tick(19.8, 7), tick(20.1, 8), now=22)
    for number in range(LATE_TRIES + 1):
        feed.answer(tick(5, 2), tick(5, 3), tick(19, 6))
        feed.run(now=24 + 2 * number)
    assert feed.delivered()[-3:] == [(19, 6), (19.8, 7), (20.1, 8)] and feed.story[-1] == 'LIVE'
    assert len(feed.asked) == LATE_TRIES + 1
    assert len(feed.said) == 1 and 'does not have 1 of the ticks' in feed.said[0]


def test_a_history_that_fails_is_told_and_live_ticks_go_on():
    feed = after_a_hole()
    feed.run(watching(19.9), tick(19.8, 7), tick(20.1, 8), now=22)
    feed.course.answers.append(HistoryFailed(162, 'no permissions'))
    feed.run(tick(22.5, 9))
    assert feed.said == ['no permissions']
    assert feed.story[-4:] == [(19.8, 7), (20.1, 8), (22.5, 9), 'LIVE']


def test_p37_a_hole_while_history_travels():
    """What had been delivered of it is not asked for again, and nobody waits for the rest."""
    feed = after_a_hole()
    feed.run(watching(20), tick(20.1, 8), now=22)
    feed.answer(tick(5, 2), tick(5, 3), tick(9, 4), tick(12, 5), done=False)
    feed.run(Lost('cut'), now=23)
    assert feed.store.abandoned == [1] and feed.story[-1] == 'CONNBROKEN'
    feed.run(Restored('back'), watching(30), tick(30.5, 9), now=32)
    assert feed.asked == [(5, 20), (12, 30)]
    feed.answer(tick(12, 5), tick(20, 8))
    assert feed.delivered()[-4:] == [(9, 4), (12, 5), (20, 8), (30.5, 9)]
    feed.run(tick(29.9, 7))
    assert feed.delivered()[-1] == (30.5, 9)


def test_a_clock_that_told_too_early_a_beginning():
    """The first trade shows it: what was taken for watched is fetched, too."""
    feed = after_a_hole()
    feed.run(watching(20), now=22)
    feed.answer(tick(5, 2), tick(5, 3))
    assert feed.story[-1] == 'LIVE'
    feed.run(watching(24.3), tick(24.3, 6), tick(25.1, 7), now=27)
    assert feed.asked[-1] == (20, 25)
    feed.answer(tick(22, 5), tick(24, 6))
    assert feed.story[-4:] == ['LIVE', (22, 5), (24, 6), (25.1, 7)]


def test_p39_delayed_data_that_do_not_trade_reach_live():
    feed = after_a_hole()
    feed.course.proof.delayed = True
    feed.run(now=20)
    assert feed.story[-1] == 'LIVE' and feed.story.count('LIVE') == 2


@pytest.mark.parametrize('record, status', [
    (Refused(354, 'not subscribed'), 'NOTSUBSCRIBED'), (Closed('stopped'), 'DISCONNECTED')])
def test_p34_what_has_ended_is_not_looked_at_again(record, status):
    feed = after_a_hole()
    feed.run(watching(20), now=22)
    feed.run(record)
    assert feed.course.over and feed.story[-1] == status and feed.store.abandoned == [1]
    assert feed.course.proof.left() == float('inf') and not feed.course.backlog()


@pytest.mark.parametrize('ends', [
    lambda feed: feed.answer(tick(5, 2), tick(5, 3)), lambda feed: feed.run(Lost('cut'))], ids=['filled', 'cut'])
def test_what_waited_for_history_is_not_kept(ends):
    feed = after_a_hole()
    feed.run(watching(1900), *[tick(20 + number, number) for number in range(1000)], now=1000)
    feed.run(now=1901)
    for _ in range(LATE_TRIES):
        feed.answer()
        feed.run(now=feed.store.heard - NOON + 2)
    ends(feed)
    assert feed.delivered()[-1] == ((1019, 999) if feed.course.follows else (5.4, 3))
    assert sum(len(value) for value in vars(feed.course).values() if isinstance(value, list)) == 0
