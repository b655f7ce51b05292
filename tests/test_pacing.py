from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync.history import Request
from backtrader_ib_insync.pacing import LIMITS, Pacing

KEY = (265598, 'SMART', 'TRADES')
OTHER = (1, 'CME', 'TRADES')


def small(number=0, size='5 secs'):
    return Request(f'20240102-00:00:{number:02}', '3600 S', size, 0.0, float(number))


def send(pacing, now, number=0, key=KEY, what='TRADES', size='5 secs'):
    """Wait as told, send; returns when."""
    now += pacing.delay(now, key, small(number, size), what)
    pacing.note(now, key, small(number, size), what)
    pacing.done()
    return now


def test_p23_an_identical_request_waits():
    pacing = Pacing()
    assert send(pacing, 100.0) == 100.0
    assert 115.0 < send(pacing, 100.0) < 117.0


def test_p23_five_alike_in_two_seconds_then_a_wait():
    pacing = Pacing()
    assert [send(pacing, 0.0, number) for number in range(5)] == [0.0] * 5
    assert 2.0 < send(pacing, 0.0, 5) < 3.0


def test_p23_other_contracts_are_not_held_back():
    pacing = Pacing()
    for number in range(5):
        send(pacing, 0.0, number)
    assert send(pacing, 0.0, key=OTHER) == 0.0


def test_p23_sixty_in_ten_minutes():
    pacing = Pacing()
    sent = [send(pacing, 0.0, 0, key=(number, 'SMART', 'TRADES')) for number in range(61)]
    assert sent[:60] == [0.0] * 60
    assert 600.0 < sent[60] < 602.0


def test_p23_bid_ask_counts_twice():
    pacing = Pacing()
    sent = [send(pacing, 0.0, 0, (number, 'SMART', 'BID_ASK'), 'BID_ASK') for number in range(31)]
    assert sent[29] == 0.0
    assert sent[30] > 600.0


def test_bars_of_a_minute_and_more_are_not_paced():
    pacing = Pacing()
    assert [send(pacing, 0.0, size='1 min') for _ in range(200)] == [0.0] * 200


def test_fifty_requests_may_be_under_way():
    pacing = Pacing()
    for number in range(50):
        assert pacing.delay(0.0, KEY, small(size='1 day'), 'TRADES') == 0.0
        pacing.note(0.0, KEY, small(number % 60, '1 day'), 'TRADES')
    assert pacing.delay(0.0, KEY, small(size='1 day'), 'TRADES') > 0
    pacing.done()
    assert pacing.delay(0.0, KEY, small(size='1 day'), 'TRADES') == 0.0


def test_p23_a_violation_silences_all_small_bars():
    pacing = Pacing()
    pacing.violated(10.0)
    assert pacing.delay(10.0, OTHER, small(), 'TRADES') == LIMITS.violation_seconds
    assert pacing.delay(10.0, OTHER, small(size='1 min'), 'TRADES') == 0.0
    assert pacing.delay(30.0, OTHER, small(), 'TRADES') == 0.0


def test_sixty_new_real_time_bars_in_ten_minutes():
    pacing = Pacing()
    for _ in range(60):
        assert pacing.delay_stream(5.0) == 0.0
        pacing.note_stream(5.0)
    assert 600.0 < pacing.delay_stream(5.0) < 602.0
    assert pacing.delay_stream(606.0) == 0.0


requests = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 9), st.sampled_from([KEY, OTHER]),
                              st.sampled_from(['TRADES', 'BID_ASK'])), max_size=120)


@given(requests)
def test_p23_no_order_of_requests_breaks_a_limit(wanted):
    pacing, now, sent = Pacing(), 0.0, []
    for pause, number, key, what in wanted:
        now = send(pacing, now + pause, number, key, what)
        sent.append((now, number, key, 2 if what == 'BID_ASK' else 1))
    for at, number, key, _ in sent:
        assert sum(cost for then, _, _, cost in sent if at - 600 < then <= at) <= 60
        assert sum(1 for then, _, whose, _ in sent if at - 2 < then <= at and whose == key) < 6
        assert sum(1 for then, which, whose, _ in sent if at - 15 < then <= at and (which, whose) == (number, key)) == 1


def test_what_lies_far_back_is_forgotten():
    pacing = Pacing()
    for number in range(60):
        send(pacing, number * 1000.0, number)
    assert len(pacing._windows) <= 4
