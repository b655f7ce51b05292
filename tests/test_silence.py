"""When a silence is worth a question; no socket."""
import datetime

import pytest

from backtrader_ib_insync.frontier import SETTLED_SECONDS
from backtrader_ib_insync.silence import LONGEST_SECONDS, Silence
from backtrader_ib_insync.zones import Hours

NOON = 1732104000
DAY = datetime.date(2024, 11, 20)


def heard_at(moment, patience=60.0):
    """A silence that begins a second after `moment`."""
    silence = Silence(patience)
    silence.told(moment - 10.0, 0.0)
    silence.broken()
    silence.told(moment, 0.0)
    return silence


def first_question(silence, begin, size=60, until=3600, **more):
    """(seconds from `begin` on, stretch) of the first question, TWS's time being told every 10 seconds."""
    for passed in range(0, until, 10):
        silence.told(begin + passed, 0.0)
        found = silence.stretch(size, **more)
        if found:
            return passed, found
    return None


def test_nothing_is_asked_while_something_comes():
    silence = Silence(60.0)
    for passed in range(0, 3600, 10):
        silence.broken()
        silence.told(NOON + passed, NOON + passed)
        assert silence.stretch(60) is None and silence.lasts() <= 1.0
    silence.broken()
    assert silence.stretch(60) is None and silence.lasts() == 0.0


def test_whole_bars_inside_the_silence_are_asked_about():
    passed, stretch = first_question(heard_at(NOON + 5.0), NOON)
    # the minute under way when it fell silent is none of them; the next one must have had its time to be history
    assert stretch == (NOON + 60.0, NOON + 120.0)
    assert 120 + SETTLED_SECONDS <= passed <= 120 + SETTLED_SECONDS + 10


def test_small_bars_are_asked_about_sooner():
    passed, (begin, end) = first_question(heard_at(NOON + 3.0, patience=30.0), NOON, size=5)
    assert begin == NOON + 5.0 and end == passed // 5 * 5 + NOON - SETTLED_SECONDS
    assert 34 <= passed <= 44


def test_each_silence_that_meant_nothing_makes_more_patient():
    silence, moments, begin = heard_at(NOON), [], NOON
    for _ in range(8):
        passed, (_, end) = first_question(silence, begin)
        silence.asked()
        silence.meant_nothing(end)
        begin += passed
        moments.append(begin - NOON)
    pauses = [later - sooner for sooner, later in zip(moments, moments[1:])]
    assert pauses == sorted(pauses) and pauses[-1] == pytest.approx(LONGEST_SECONDS, abs=70)
    assert len([moment for moment in moments if moment < 3600]) <= 8


def test_patience_outlasts_a_sign_of_life_but_not_for_ever():
    silence = heard_at(NOON)
    passed, (_, end) = first_question(silence, NOON)
    silence.asked()
    silence.meant_nothing(end)
    silence.broken()
    again = NOON + passed
    # a market that speaks every two minutes is not asked about each time
    assert first_question(silence, again)[0] >= 120
    silence.broken()
    assert first_question(silence, again + LONGEST_SECONDS + 10)[0] <= 130


def test_hours_in_which_the_market_is_closed_do_not_count():
    silence = heard_at(NOON)
    night = (Hours(DAY, NOON - 3600.0, NOON + 30.0), Hours(DAY, NOON + 7200.0, NOON + 9000.0))
    passed, stretch = first_question(silence, NOON, until=10000, sessions=night)
    assert stretch == (NOON + 7200.0, NOON + 7260.0) and 7260 < passed < 7290


def test_the_last_minutes_of_a_session_are_asked_about_once():
    sessions = (Hours(DAY, NOON - 3600.0, NOON + 120.0), Hours(DAY, NOON + 90000.0, NOON + 99000.0))
    silence = heard_at(NOON + 50.0, patience=600.0)
    passed, stretch = first_question(silence, NOON + 50, sessions=sessions)
    assert stretch == (NOON + 60.0, NOON + 120.0) and passed <= 90
    silence.asked()
    silence.meant_nothing(NOON + 120.0)
    assert first_question(silence, NOON + 200, until=80000, sessions=sessions) is None


@pytest.mark.parametrize('sessions', [(), (Hours(DAY, NOON - 9000.0, NOON - 3600.0),)], ids=['none', 'all past'])
def test_where_no_hours_are_known_the_market_is_asked(sessions):
    assert first_question(heard_at(NOON), NOON, sessions=sessions)[0] <= 130


def test_before_the_first_session_that_is_known_the_market_is_closed():
    assert first_question(heard_at(NOON), NOON, sessions=(Hours(DAY, NOON + 9000.0, NOON + 9999.0),)) is None


def test_delayed_data_are_silent_for_longer():
    passed, (begin, end) = first_question(heard_at(NOON), NOON, lag=1200.0)
    assert 1260 <= passed <= 1330 and begin >= NOON and end <= NOON + passed - 1200


def test_a_clock_that_is_slow_begins_no_silence_before_what_was_heard():
    """TWS's clock is 40 seconds behind its market: what traded meanwhile had come."""
    silence = Silence(60.0)
    silence.told(float(NOON), NOON + 40.0)
    passed, (begin, _) = first_question(silence, NOON)
    assert begin >= NOON + 40.0


def test_a_clock_that_is_set_back_begins_the_silence_anew():
    silence = heard_at(NOON)
    silence.told(NOON + 50.0, 0.0)
    silence.told(NOON - 3000.0, 0.0)
    assert silence.lasts() <= 0.0
    assert first_question(silence, NOON - 3000)[1] == (NOON - 2940.0, NOON - 2880.0)


def test_it_was_alive_after_the_time_told_before_its_last_word():
    silence = heard_at(NOON)
    first_question(silence, NOON)
    assert silence.alive == NOON - 10.0
