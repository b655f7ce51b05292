"""A stretch of trading as open, high, low, close, volume and count; cut into parts that add up to it exactly.

Prices are in ticks (1.0 is one minimum tick; only a replayed row may be off the grid), volumes in size steps. A cell of
n trades is thought of as n prints in a row: the first at the open, the last at the close, one at the high, one at the
low. `split` deals these prints out to the parts, so the parts' extremes and sums are the whole's by construction;
`split` again, down to parts of one print, and one has the ticks.
"""
from random import Random
from typing import NamedTuple

MASK = (1 << 64) - 1


class Cell(NamedTuple):
    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int

    @property
    def wap(self):
        """A fair average price: what is kept of the path says no more."""
        return (self.open + self.high + self.low + self.close) / 4


def key_of(*parts):
    """A well mixed 64-bit number of integers: the same on every machine and version."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state ^ (part & MASK)) * 0xBF58476D1CE4E5B9 & MASK
        state ^= state >> 29
    state = state * 0x94D049BB133111EB & MASK
    return state ^ (state >> 32)


def fraction(*parts):
    """A number in [0, 1) drawn from integers."""
    return key_of(*parts) / 2.0 ** 64


def least_count(open, high, low, close):
    """How many prints it takes to show these four prices."""
    if high == low:
        return 1
    return 2 + (high not in (open, close)) + (low not in (open, close))


def deal(total, weights, least=0):
    """`total` in whole numbers by `weights`, none below `least`; sums up exactly."""
    rest = total - least * len(weights)
    scale = rest / (sum(weights) or 1.0)
    shares, dealt, wanted = [], 0, 0.0
    for weight in weights:
        wanted += weight * scale
        share = int(wanted + 0.5) - dealt
        dealt += share
        shares.append(share + least)
    shares[-1] += rest - dealt
    return shares


def split(cell, counts, chance):
    """The parts of `cell` with these numbers of prints (they add up to its count), None for none.

    `chance` is a source of numbers in [0, 1): it decides everything that is free.
    """
    volumes = _volumes(cell, counts, chance)
    extremes = _positions(cell, chance)
    pins = {extremes[1]: cell.low, extremes[0]: cell.high, 0: cell.open, cell.count - 1: cell.close}
    parts, first, last = [], 0, cell.open
    for count, volume in zip(counts, volumes):
        if not count:
            parts.append(None)
            continue
        part = _part(cell, pins, extremes, first, count, volume, last, chance)
        parts.append(part)
        first += count
        last = part.close
    return parts


def split_by(cell, weights, key):
    """The parts of `cell` by weight, with some chance; `key` decides it."""
    chance = Random(key).random
    counts = deal(cell.count, [weight * (0.5 + chance()) for weight in weights])
    return split(cell, counts, chance)


def prints(cell, key):
    """The single prints of `cell`, as cells of count 1."""
    return split(cell, [1] * cell.count, Random(key).random)


def _volumes(cell, counts, chance):
    """Every print has at least one step of the volume, unless the whole has too little for that."""
    least = 1 if cell.volume >= cell.count else 0
    spare = [count * (0.3 + chance()) for count in counts]
    return [extra + count * least for extra, count in zip(deal(cell.volume - cell.count * least, spare), counts)]


def _positions(cell, chance):
    """The numbers of the prints that are the high and the low; the first and last where these are it already."""
    last = cell.count - 1
    where = []
    for extreme in (cell.high, cell.low):
        if extreme in (cell.open, cell.close):
            where.append(0 if extreme == cell.open else last)
        else:
            where.append(1 + int(chance() * (last - 1)))
    high, low = where
    if high == low and 0 < high < last:
        low = low + 1 if low + 1 < last else low - 1
    return high, low


def _part(cell, pins, extremes, first, count, volume, last_price, chance):
    """The part that holds prints `first` .. `first + count - 1`: on from `last_price`, through those with a pin."""
    opened = pins[first] if first in pins else _step(cell, last_price, first, 1, chance)
    if count == 1:
        return Cell(opened, opened, opened, opened, volume, 1)
    end = first + count - 1
    closed = pins[end] if end in pins else _step(cell, opened, end, count, chance)
    high, low = (opened, closed) if opened > closed else (closed, opened)
    free = count - 2
    for number in extremes:
        if first < number < end and not low <= pins[number] <= high:
            free -= 1
            high, low = max(high, pins[number]), min(low, pins[number])
    reach = 0.5 * (cell.high - cell.low) * (count / cell.count) ** 0.5
    if free > 0 and high < cell.high:
        higher = min(cell.high, high + int(chance() * reach))
        free -= higher > high
        high = higher
    if free > 0 and low > cell.low:
        low = max(cell.low, low - int(chance() * reach))
    return Cell(opened, high, low, closed, volume, count)


def _step(cell, price, number, count, chance):
    """A price for print `number`, `count` prints after `price`, on the way to the close; on the grid, within bounds."""
    left = cell.count - number
    drift = (cell.close - price) * min(1.0, count / left)
    noise = (chance() - 0.5) * (cell.high - cell.low) * 1.5 * (count / cell.count) ** 0.5
    return min(cell.high, max(cell.low, float(round(price + drift + noise))))


def merge(cells):
    """The cell that some cells in a row make together, None of none."""
    cells = [cell for cell in cells if cell]
    if not cells:
        return None
    return Cell(cells[0].open, max(cell.high for cell in cells), min(cell.low for cell in cells), cells[-1].close,
                sum(cell.volume for cell in cells), sum(cell.count for cell in cells))
