from backtrader_ib_insync.simulator.limits import HistoryPacing, Window


def test_a_window_takes_so_many_and_slides():
    window = Window(2, 1.0)
    assert [window.take(0.0), window.take(0.5), window.take(0.9)] == [True, True, False]
    assert window.count(0.9) == 3
    assert window.take(1.5)


def test_an_identical_request_within_fifteen_seconds_is_too_much():
    pacing = HistoryPacing()
    assert pacing.allows(0.0, 'a', 'AAPL')
    assert not pacing.allows(14.9, 'a', 'AAPL')
    assert pacing.allows(30.0, 'a', 'AAPL')


def test_six_of_one_contract_within_two_seconds_are_too_many():
    pacing = HistoryPacing()
    assert [pacing.allows(0.1 * n, n, 'AAPL') for n in range(6)] == [True] * 5 + [False]
    assert pacing.allows(0.6, 'other', 'MSFT')


def test_sixty_in_ten_minutes_and_bid_ask_counts_twice():
    pacing = HistoryPacing()
    allowed = [pacing.allows(5.0 * n, n, n, units=2) for n in range(31)]
    assert allowed == [True] * 30 + [False]
    assert pacing.allows(605.0, 'later', 'later')
