"""What is known of TWS's clock."""
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync.clock import STAMPS, ServerClock

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


def test_a_gateway_whose_clock_is_fast_proves_no_more_than_its_trades_do():
    clock = ServerClock()
    ask(clock, TRUE, offset=5.0)
    for number in range(STAMPS):
        clock.stamped(TRUE + number, TRUE + number + 0.2)
    ask(clock, TRUE + STAMPS, offset=5.0)
    assert 4.0 <= clock.ahead() <= 5.5
    assert clock.proven() <= TRUE + STAMPS + 1


def test_one_late_trade_makes_no_fast_clock():
    clock = ServerClock()
    ask(clock, TRUE, offset=0.0)
    clock.stamped(TRUE, TRUE + 0.1)
    clock.stamped(TRUE - 60, TRUE + 0.2)
    assert clock.ahead() < 0.2


def test_a_new_session_forgets():
    clock = ServerClock()
    ask(clock, TRUE)
    clock.forget()
    assert clock.low is None and clock.heard == 0.0 and clock.ahead() == 0.0
