from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from backtrader_ib_insync.simulator import cells
from backtrader_ib_insync.simulator.cells import Cell

PRICES = st.integers(1, 400).map(float)


@st.composite
def wholes(draw):
    prices = sorted(draw(st.lists(PRICES, min_size=4, max_size=4)))
    low, high = prices[0], prices[3]
    opened, closed = draw(st.permutations(prices))[:2]
    least = cells.least_count(opened, high, low, closed)
    count = draw(st.integers(least, 400))
    return Cell(opened, high, low, closed, draw(st.integers(0, 3) | st.integers(count, 100000)), count)


def is_whole(cell):
    ordered = cell.low <= cell.open <= cell.high and cell.low <= cell.close <= cell.high
    return ordered and cell.count >= cells.least_count(*cell[:4])


@given(wholes(), st.lists(st.floats(0.01, 5.0), min_size=1, max_size=40), st.integers(0, 2 ** 64 - 1))
@settings(deadline=None, max_examples=300)
def test_the_parts_of_a_cell_make_it_up_exactly(whole, weights, key):
    parts = cells.split_by(whole, weights, key)
    assert len(parts) == len(weights)
    assert cells.merge(parts) == whole
    assert all(is_whole(part) for part in parts if part)


@given(wholes(), st.integers(0, 2 ** 64 - 1))
@settings(deadline=None, max_examples=200)
def test_the_prints_of_the_parts_make_it_up_too(whole, key):
    single = [one for part in cells.split_by(whole, [1.0] * 30, key) if part for one in cells.prints(part, key + 1)]
    assert cells.merge(single) == whole
    assert all(one.count == 1 and one.high == one.low for one in single)
    assert all(one.volume >= (whole.volume >= whole.count) for one in single)


def test_a_cell_off_the_grid_keeps_its_prices():
    whole = Cell(175.0, 195.3125, 155.2083, 164.0625, 67867200, 5000)
    parts = cells.split_by(whole, [1.0] * 13, 7)
    assert cells.merge(parts) == whole
    assert max(part.high for part in parts) == 195.3125


def test_dealing_sums_up_and_follows_the_weights():
    assert cells.deal(10, [1, 0, 1]) == [5, 0, 5]
    assert cells.deal(7, [1.0] * 3, least=1) == [2, 3, 2]
    chance = Random(1).random
    weights = [chance() for _ in range(50)]
    assert sum(cells.deal(12345, weights)) == 12345


def test_keys_do_not_depend_on_machine_or_version():
    assert cells.key_of(1, 265598, 738000) == 6017967856161921784
    assert 0 <= cells.fraction(-5, 3) < 1


def test_merging_nothing_is_nothing():
    assert cells.merge([None, None]) is None
