"""Where prices come from: a seeded walk that can be asked for any day of any year, at once.

The closing price of a day is a sum of smooth noises of 1, 2, 4 .. 64 days about a base price: it wanders like a market,
keeps near its base (growth aside), and needs nothing of the day before. Times of day come from tapes.py.
"""
from datetime import date as Date
from functools import lru_cache
from math import exp

from .cells import Cell, fraction, key_of, least_count

OCTAVES = 7
ANCHOR = Date(2024, 11, 20)
QUIET_SHARE = 0.1
REACH = 2.5


class Walk:
    """The days of all instruments by one seed."""

    def __init__(self, seed=1):
        self.seed = seed
        self._corner = lru_cache(maxsize=65536)(self._draw_corner)
        self._level = lru_cache(maxsize=65536)(self._sum_octaves)

    def day(self, instrument, session):
        """The whole of a session as a Cell, None when it has no print."""
        path = instrument.path or instrument.conId
        number = session.date.toordinal()
        chances = [fraction(self.seed, instrument.conId, number, n) for n in range(6)]
        count = int(instrument.activity * _busy_minutes(session) * (0.6 + 0.8 * chances[0]) + 0.5)
        if not count:
            return None
        opened = self._price(instrument, path, number - 1) * (1 + instrument.volatility * (chances[1] - 0.5))
        closed = self._price(instrument, path, number)
        reach = REACH * instrument.volatility * closed
        prices = _in_ticks(instrument, opened, max(opened, closed) + reach * chances[2],
                           min(opened, closed) - reach * chances[3], closed)
        count = max(count, least_count(*prices))
        volume = max(count, int(count * instrument.lot * (0.5 + chances[4]))) if instrument.is_traded else 0
        return Cell(*prices, volume=volume, count=count)

    def key(self, *parts):
        """What decides about a part of a day."""
        return key_of(self.seed, *parts)

    def _price(self, instrument, path, number):
        years = (number - ANCHOR.toordinal()) / 365.25
        return instrument.base * exp(instrument.growth * years + self._level(path, instrument.volatility, number)
                                     ) + instrument.basis

    def _sum_octaves(self, path, volatility, number):
        return sum(volatility * 2 ** (octave / 2) * self._noise(path, octave, number) for octave in range(OCTAVES))

    def _noise(self, path, octave, number):
        """Between -1 and 1, smooth over 2 ** octave days."""
        corner, inside = divmod(number, 1 << octave)
        share = inside / (1 << octave)
        share = share * share * (3 - 2 * share)
        before = self._corner(path, octave, corner)
        return before + (self._corner(path, octave, corner + 1) - before) * share

    def _draw_corner(self, path, octave, corner):
        return 2 * fraction(self.seed, path, -1 - octave, corner) - 1


def _busy_minutes(session):
    """The minutes of a session, those outside of regular hours counting less."""
    return sum((slot.end - slot.start) / 60 * (1.0 if slot.is_liquid else QUIET_SHARE) for slot in session.slots())


def _in_ticks(instrument, opened, high, low, closed):
    """Rounded to the grid, at least a tick each, high the highest and low the lowest."""
    ticks = [max(1.0, float(round(price / instrument.minTick))) for price in (opened, high, low, closed)]
    opened, high, low, closed = ticks
    return opened, max(high, opened, closed), min(low, opened, closed), closed
