"""What is believed of a stretch of history, and when it is asked for again; no socket."""
import backtrader as bt
import pytest

from backtrader_ib_insync.assembler import Assembler
from backtrader_ib_insync.bars import Grid
from backtrader_ib_insync.daybars import DayEnds
from backtrader_ib_insync.excerpt import AUCTION_SECONDS, Excerpt
from backtrader_ib_insync.frontier import LATE_SECONDS, LATE_TRIES, SETTLED_SECONDS
from backtrader_ib_insync.messages import Bar
from backtrader_ib_insync.zones import UTC

MIDNIGHT = 1732060800.0
NOON = MIDNIGHT + 12 * 3600
MINUTE, DAY = 60.0, 86400.0
SIZES = {'1 min': bt.TimeFrame.Minutes, '5 secs': bt.TimeFrame.Seconds, '1 day': bt.TimeFrame.Days}


class Clock:
    """TWS's and the machine's, which agree."""

    def __init__(self, time):
        self.time = time

    def now(self):
        return self.time

    local = now


def excerpt(size, begin, until, now, compression=1, is_last=False):
    timeframe = SIZES[size]
    days = DayEnds(timeframe, '', UTC)
    made = Assembler(timeframe, compression, size, lambda seconds: Grid(seconds, UTC), days, False)
    return Excerpt(made, Clock(now), size, begin, until, is_last)


def bars(begin, step, count):
    return tuple(Bar(begin + number * step, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1) for number in range(count))


def ends(found):
    return [(end, built and built.end) for end, built in found]


def test_of_small_bars_the_last_is_held_back_till_a_later_one_shows_it_whole():
    asked = excerpt('1 min', NOON, NOON + 2 * MINUTE, now=NOON + 121)
    assert ends(asked.take(bars(NOON, MINUTE, 2))) == [(NOON + MINUTE, NOON + MINUTE)]
    assert not asked.is_reached and asked.reached == NOON + MINUTE
    shown = excerpt('1 min', NOON, NOON + 2 * MINUTE, now=NOON + 121)
    assert ends(shown.take(bars(NOON, MINUTE, 3)))[:2] == [(NOON + number * MINUTE,) * 2 for number in (1, 2)]
    assert shown.is_reached and shown.reached == shown.until and shown.rest() == []


def test_what_was_held_back_has_to_do_in_the_end_but_not_when_tws_refused():
    asked = excerpt('1 min', NOON, NOON + MINUTE, now=NOON + 61)
    assert asked.take(bars(NOON, MINUTE, 1)) == []
    assert ends(asked.rest()) == [(NOON + MINUTE, NOON + MINUTE)]
    asked.take(bars(NOON, MINUTE, 1))
    asked.fail()
    assert asked.rest() == []


def test_pieces_are_told_with_their_own_ends_and_the_bar_with_the_piece_that_shows_its_end():
    asked = excerpt('1 min', NOON, NOON + 10 * MINUTE, now=NOON + DAY, compression=3)
    found = ends(asked.take(bars(NOON, MINUTE, 4)))
    assert [end for end, _ in found] == [NOON + number * MINUTE for number in (1, 2, 3, 4)]
    assert [built for _, built in found] == [None, None, None, NOON + 3 * MINUTE]


@pytest.mark.parametrize('is_last, passed, shown', [
    (False, AUCTION_SECONDS - 2, False), (False, AUCTION_SECONDS + 2, True), (True, 2, True)])
def test_a_day_is_final_when_its_auction_is_over_or_nothing_follows(is_last, passed, shown):
    now = MIDNIGHT + DAY + passed
    asked = excerpt('1 day', MIDNIGHT - DAY, now, now, is_last=is_last)
    found = ends(asked.take(bars(MIDNIGHT - DAY, DAY, 2)))
    assert [built is not None for _, built in found] == [True, shown]
    assert asked.day == found[shown][0]


@pytest.mark.parametrize('size, tries, local, pause', [
    ('1 min', 0, 61, LATE_SECONDS), ('1 min', LATE_TRIES - 1, 61, LATE_SECONDS), ('1 min', LATE_TRIES, 61, None),
    # the machine's clock says that it has not even closed
    ('1 min', LATE_TRIES, 59, SETTLED_SECONDS),
    # TWS paces these
    ('5 secs', 0, 61, SETTLED_SECONDS), ('5 secs', LATE_TRIES, 61, None)])
def test_a_late_history_is_asked_again_soon_then_slowly_then_never(size, tries, local, pause):
    asked = excerpt(size, NOON, NOON + MINUTE, now=NOON + 61)
    assert asked.pause(tries, NOON + local) == pause


@pytest.mark.parametrize('begin, text', [
    (NOON, 'from 20241120-12:00:00 till 20241120-12:01:00 UTC'), (None, 'till 20241120-12:01:00 UTC')])
def test_it_can_be_told(begin, text):
    assert str(excerpt('1 min', begin, NOON + MINUTE, NOON + DAY)) == text
