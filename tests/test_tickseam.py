"""The seam of ticks: what history still owes after a hole. Pure."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync.messages import Tick
from backtrader_ib_insync.tickseam import QuoteSeam, TickSeam, last_place

NOON = 1732104000.0


def tick(time, price=1.0, size=1.0):
    return Tick(NOON + time, price, size)


def seam_after(*delivered, whole_from=10.0):
    seam = TickSeam()
    for one in delivered:
        seam.deliver(one)
    seam.watched(NOON + whole_from)
    return seam


def filled(seam, history, early=()):
    """The ticks of history that the seam lets by."""
    begin, _ = seam.gap()
    seam.begin(early)
    return seam.new(history, begin)


def test_what_was_delivered_of_the_last_second_is_not_told_again():
    seam = seam_after(tick(2.1, 5.0), tick(3.2, 5.0), tick(3.4, 6.0))
    assert seam.gap() == (NOON + 3, NOON + 10)
    assert filled(seam, [tick(3, 5.0), tick(3, 6.0), tick(3, 6.0), tick(3, 7.0), tick(4, 5.0)]) == [
        tick(3, 6.0), tick(3, 7.0), tick(4, 5.0)]
    assert seam.strangers() == 0 and seam.owes_from() is None


def test_equal_trades_of_one_second_are_counted():
    seam = seam_after(*[tick(3.1 + number / 10) for number in range(3)])
    assert filled(seam, [tick(3)] * 5) == [tick(3)] * 2


def test_a_trade_that_history_does_not_have_is_noticed():
    seam = seam_after(tick(3.2, 5.0))
    assert filled(seam, [tick(3, 6.0)]) == [tick(3, 6.0)]
    assert seam.strangers() == 1


def test_history_must_know_of_what_came_live_in_the_gap():
    early = [tick(8.7, 5.0), tick(9.1, 6.0), tick(10.2, 7.0)]
    seam = seam_after(tick(3.2))
    filled(seam, [tick(3), tick(8, 5.0)], early)
    assert seam.owes_from() == NOON + 9 and seam.owed(early) == [tick(9.1, 6.0)]
    assert seam.live(early) == [tick(10.2, 7.0)]
    seam.begin(early)
    seam.new([tick(3), tick(8, 5.0), tick(9, 6.0)], NOON + 3)
    assert seam.owes_from() is None and seam.owed(early) == []


def test_of_a_long_history_nothing_is_kept():
    """A day of a busy stock has a million ticks, and with each page it is asked what history still owes."""
    seam = seam_after(tick(3.2), whole_from=5000.0)
    filled(seam, [tick(3)] + [tick(number, float(number)) for number in range(4, 4000)], [tick(4500.0)])
    assert seam.owes_from() == NOON + 4500
    assert sum(len(value) for value in vars(seam).values() if hasattr(value, '__len__')) < 10


def test_a_trade_that_tws_repeats_on_subscribing_is_not_waited_for():
    seam = seam_after(tick(3.2, 5.0))
    filled(seam, [tick(3, 5.0)], [tick(3.2, 5.0)])
    assert seam.owes_from() is None


@pytest.mark.parametrize('since, whole_from', [(7.0, 7.0), (7.001, 8.0)])
def test_only_whole_seconds_are_watched_whole(since, whole_from):
    assert seam_after(tick(3.2), whole_from=since).gap() == (NOON + 3, NOON + whole_from)


def test_no_gap_when_nothing_is_known_or_nothing_is_missing():
    assert seam_after().gap() is None
    seam = seam_after(tick(3.2))
    seam.broke()
    assert seam.gap() is None
    seam.reach(NOON + 12)
    seam.watched(NOON + 10)
    assert seam.gap() is None


#: prices and sizes of few kinds, at times within some seconds
TAPE = st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 2), st.integers(1, 2)), max_size=40).map(
    lambda rows: [tick(time / 1000.0, float(price), float(size)) for time, price, size in sorted(rows)])


@given(TAPE, st.integers(0, 6000), st.integers(0, 3000))
def test_whatever_the_moments_of_the_cut_every_trade_once(tape, cut, hole):
    """Cut at one moment and watched again from another on: the three parts are the tape."""
    lost, back = NOON + cut / 1000.0, NOON + (cut + hole) / 1000.0
    seam = TickSeam()
    seam.reach(NOON)
    before = [one for one in tape if one.time < lost]
    for one in before:
        seam.deliver(one)
    seam.watched(back)
    early = [one for one in tape if one.time >= back]
    history = [one._replace(time=float(one.time // 1)) for one in tape if one.time < seam.whole_from]
    new = filled(seam, [one for one in history if one.time >= seam.gap()[0]], early) if seam.gap() else []
    found = before + new + seam.live(early)
    assert [one[1:] for one in found] == [one[1:] for one in tape] or _same_but_for_order(found, tape, lost)
    assert seam.owed(early) == [] and seam.strangers() == 0


def _same_but_for_order(found, tape, lost):
    """Of trades of one second that look the same nobody can tell which was delivered."""
    def key(one):
        return one.time // 1, one[1:]
    cut = lost // 1
    return sorted(map(key, found)) == sorted(map(key, tape)) and [
        one[1:] for one in found if one.time // 1 != cut] == [one[1:] for one in tape if one.time // 1 != cut]


# -- quotes ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('tail, prices, place', [
    ([1, 2, 3], [1, 2, 3, 4], 3), ([1, 2], [1, 2, 1, 2], 2), ([9, 1, 2, 1, 2], [1, 2, 1, 2, 3], 4), ([7], [1, 2], 0),
    ([1, 2, 3], [3, 4], 1), ([], [1], 0), ([1], [], 0)])
def test_the_place_where_both_agree_longest(tail, prices, place):
    assert last_place(tail, prices) == place


def quotes(begin, *prices):
    return [tick(begin + number / 2.0, float(price), 0.0) for number, price in enumerate(prices)]


def seconds(ticks):
    return [one._replace(time=float(one.time // 1)) for one in ticks]


@pytest.mark.parametrize('wrong', [-0.9, -0.3, 0.0, 0.4, 0.9])
def test_quotes_go_on_where_they_ended_however_wrong_their_time_is(wrong):
    """Delivered up to second 5, watched again from 8 on; live quotes are dated by a guess."""
    tape = quotes(0.2, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 7, 8, 9, 8, 9, 7)
    guessed = [one._replace(time=one.time + wrong) for one in tape]
    seam = QuoteSeam()
    for one in guessed[:9]:
        seam.deliver(one)
    seam.watched(NOON + 8)
    begin, end = seam.gap()
    early = guessed[14:]
    seam.begin(early)
    new = seam.new(seconds([one for one in tape if begin <= one.time < end]), begin)
    for one in new:
        seam.deliver(one)
    rest = seam.live(early)
    assert [one.price for one in new + rest] == [one.price for one in tape[9:]]
    assert seam.owed(early) == []


def test_without_history_quotes_that_waited_are_delivered():
    seam = QuoteSeam()
    seam.deliver(tick(1, 5.0))
    seam.watched(NOON + 8)
    early = quotes(7, 1, 2, 3, 4)
    seam.begin(early)
    assert seam.owed(early) + seam.live(early) == early


def test_a_quote_that_did_not_change_is_no_tick():
    seam = QuoteSeam()
    seam.reach(NOON)
    seam.watched(NOON + 8)
    assert [one.price for one in filled(seam, quotes(0, 1, 1, 2, 2, 1))] == [1, 2, 1]
