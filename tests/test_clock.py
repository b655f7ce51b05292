"""What is known of TWS's clock."""
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync.clock import SPELLS, ServerClock

TRUE = 1000.0


def ask(clock, local, offset=100.0, travel=0.0):
    """A question at `local` time, answered in whole seconds by a server whose clock is ahead by `offset`."""
    clock.answered(int(local + travel / 2 + offset), local, local + travel)


def test_nothing_is_known_at_first():
    clock = ServerClock()
    assert clock.offset() == 0.0 and clock.heard == 0.0 and clock.latest(5.0) == 6.0


@given(st.floats(-1e6, 1e6), st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(0.0, 0.5)), min_size=1, max_size=20))
def test_answers_bound_the_offset_from_both_sides(offset, questions):
    clock, now = ServerClock(), 2e6
    for pause, travel in questions:
        now += pause
        ask(clock, now, offset, travel)
        now += travel
    assert clock.low - 1e-6 <= offset <= clock.high + 1e-6
    assert clock.latest(now) >= now + offset - 1e-6
    assert clock.heard <= now + offset


def test_many_answers_leave_little_doubt():
    clock = ServerClock()
    for tenth in range(20):
        ask(clock, TRUE + tenth * 1.05)
    assert clock.high - clock.low < 0.2 and abs(clock.offset() - 100) < 0.2


def test_a_clock_that_was_set_forward_begins_anew():
    clock = ServerClock()
    ask(clock, TRUE)
    ask(clock, TRUE + 10, offset=3700.0)
    assert abs(clock.offset() - 3700) <= 1 and clock.heard == 4710.0


def test_what_a_clock_that_is_set_back_had_told_proves_nothing():
    clock = ServerClock()
    ask(clock, TRUE, offset=3700.0)
    ask(clock, TRUE + 10)
    assert abs(clock.offset() - 100) <= 1 and clock.heard == 1110.0


def test_a_stamp_proves_that_its_time_has_passed():
    clock = ServerClock()
    ask(clock, TRUE)
    clock.stamped(1102.5, TRUE + 1)
    assert clock.heard == 1102.5 and clock.low == 101.5


def test_stamps_before_the_first_answer_bound_nothing():
    clock = ServerClock()
    clock.stamped(1102.5, TRUE)
    assert clock.low is None and clock.heard == 1102.5


# -- by how much it runs ahead of its market ---------------------------------------------------------------------------

def beat(clock, local, skew=0.0, lags=(0.0,), late=0.0):
    """Trades with these lags in the ten seconds before `local`, then an answer; all is read `late` seconds later.

    The market's time is the local one, TWS's clock is wrong by `skew`.
    """
    for number, lag in enumerate(lags, 1):
        sent = local - 10.0 + 10.0 * number / (len(lags) + 1)
        clock.stamped(sent - lag, sent + late)
    clock.answered(int(local + skew), local, local + late)


@given(st.floats(-60.0, 60.0), st.lists(st.integers(0, 5), min_size=1, max_size=40), st.floats(0.0, 0.3))
def test_what_is_proven_is_never_after_the_market_s_time_and_soon_little_before_it(skew, counts, travel):
    clock, now = ServerClock(), TRUE
    beat(clock, now, skew, ())
    for count in [1] + counts:
        now += 10.0
        beat(clock, now, skew, [0.0] * count, travel)
        assert clock.proven() <= now + 1.0
        assert skew < 0 or now - 2.0 - travel <= clock.proven()


def test_a_gateway_whose_clock_is_fast_proves_no_more_than_its_trades_do():
    clock = ServerClock()
    for number in range(5):
        beat(clock, TRUE + 10 * number, skew=40.0)
    assert 39.0 <= clock.ahead() <= 40.0
    assert TRUE + 39 <= clock.proven() <= TRUE + 41


def test_one_late_trade_makes_no_fast_clock():
    clock = ServerClock()
    beat(clock, TRUE)
    beat(clock, TRUE + 10)
    beat(clock, TRUE + 20, lags=(60.0,))
    assert clock.ahead() < 1.0


def test_trades_read_late_by_a_busy_machine_make_no_fast_clock():
    """The answer that was said after them is not late by their standards."""
    clock = ServerClock()
    ask(clock, TRUE, offset=0.0)
    for number in range(50):
        clock.stamped(TRUE + number / 10, TRUE + 5.0 + 20.0)
    clock.answered(TRUE + 5, TRUE, TRUE + 5.0 + 20.0)
    assert clock.ahead() < 1.0


def test_one_stall_among_many_spells_makes_no_fast_clock():
    clock = ServerClock()
    for number in range(3):
        beat(clock, TRUE + 10 * number)
    for number in range(40):
        clock.stamped(TRUE + 30 + number / 100, TRUE + 38)
    clock.answered(TRUE + 38, TRUE + 38, TRUE + 38)
    assert clock.ahead() < 1.0


def test_a_clock_that_stands_still_is_no_fast_one():
    """As a stepped gateway's does, however much of the wall's time goes by between two steps."""
    clock, simulated, wall = ServerClock(), TRUE, 5000.0
    clock.answered(int(simulated), wall, wall)
    for _ in range(3 * SPELLS):
        wall += 7.0
        simulated += 0.25
        clock.stamped(simulated, wall + 3.0)
        clock.answered(int(simulated), wall, wall + 4.0)
        assert clock.ahead() == 0.0


def test_a_clock_put_right_is_trusted_again_at_once():
    clock = ServerClock()
    for number in range(SPELLS):
        beat(clock, TRUE + 10 * number, skew=40.0)
    now = TRUE + 10 * SPELLS
    for number in range(2):
        beat(clock, now + 10 * number)
    assert clock.ahead() < 1.0 and clock.proven() >= now + 9.0


def test_a_clock_set_forward_is_found_out_by_the_next_trades():
    clock = ServerClock()
    for number in range(SPELLS):
        beat(clock, TRUE + 10 * number)
    now = TRUE + 10 * SPELLS
    for number in range(2):
        beat(clock, now + 10 * number, skew=40.0)
    assert 39.0 <= clock.ahead() <= 40.0


def test_a_new_session_forgets():
    clock = ServerClock()
    ask(clock, TRUE)
    clock.forget()
    assert clock.low is None and clock.heard == 0.0 and clock.ahead() == 0.0
