"""The tape of one instrument: its sessions cut into half hours, those into minutes, those into prints; each on demand.

A tape answers four questions, each consistent with the next: `day`, `slots`, `minutes`, `prints`. Prices are in ticks,
volumes in size steps (see cells.py). Nothing is kept but bounded caches.
"""
from bisect import bisect_left
from functools import lru_cache
from itertools import groupby
from random import Random
from typing import NamedTuple

from . import cells, options, zones
from .prices import QUIET_SHARE
from .sessions import HALF_HOUR

MINUTE = 60
BUSY_EDGE = 1.8
SLOT_KEY, MINUTE_KEY, PRINT_KEY, TIME_KEY, PART_KEY = range(1, 6)


class Stretch(NamedTuple):
    """A piece of the tape: [start, end) and what was traded in it, None for nothing."""
    start: float
    end: float
    cell: object


class Print(NamedTuple):
    time: float
    ticks: float
    steps: float

    @property
    def cell(self):
        return cells.Cell(self.ticks, self.ticks, self.ticks, self.ticks, self.steps, 1)


class Tape:
    """Days of a walk, split downwards."""
    has_past = True

    def __init__(self, instrument, walk):
        self.instrument = instrument
        self.walk = walk
        self.slots = lru_cache(maxsize=4096)(self._slots)
        self.minutes = lru_cache(maxsize=4096)(self._minutes)
        self.prints = lru_cache(maxsize=2048)(self._prints)

    def day(self, session):
        """The session's Cell, None without a print."""
        return self.walk.day(self.instrument, session)

    def regular(self, session):
        """What of the day lies in regular hours, as a Cell, None without a print."""
        return cells.merge(cell for part, cell in self._parts(session) if part[0].is_liquid)

    def _parts(self, session):
        """The day cut into before, in and after regular hours: pairs of slots and Cell."""
        parts = [list(part) for _, part in groupby(session.slots(), lambda slot: slot.is_liquid)]
        cell = self.day(session)
        if not cell:
            return [(part, None) for part in parts]
        weights = [sum(self._weights(part)) for part in parts]
        return zip(parts, cells.split_by(cell, weights, self._key(PART_KEY, session.open)))

    def _slots(self, session):
        """The session's half hours as Stretches, in order."""
        found = []
        for slots, cell in self._parts(session):
            shares = [None] * len(slots)
            if cell:
                shares = cells.split_by(cell, self._weights(slots), self._key(SLOT_KEY, slots[0].start))
            found += [Stretch(slot.start, slot.end, share) for slot, share in zip(slots, shares)]
        return found

    def _weights(self, slots):
        """Regular hours are busy, at both ends the most."""
        weights = [(slot.end - slot.start) * (1.0 if slot.is_liquid else QUIET_SHARE) for slot in slots]
        if slots[0].is_liquid:
            weights[0] *= BUSY_EDGE
            weights[-1] *= BUSY_EDGE
        return weights

    def _minutes(self, slot):
        """A half hour's minutes as Stretches, in order."""
        spans = minutes_between(slot.start, slot.end)
        parts = [None] * len(spans)
        if slot.cell:
            parts = cells.split_by(slot.cell, [end - start for start, end in spans], self._key(MINUTE_KEY, slot.start))
        return [Stretch(start, end, part) for (start, end), part in zip(spans, parts)]

    def _prints(self, minute):
        """A minute's prints, in order of time."""
        if not minute.cell:
            return []
        parts = cells.prints(minute.cell, self._key(PRINT_KEY, minute.start))
        times = stamps(minute.start, minute.end, len(parts), self._key(TIME_KEY, minute.start))
        return [Print(time, part.close, part.volume) for time, part in zip(times, parts)]

    def _key(self, kind, time):
        return self.walk.key(self.instrument.conId, kind, int(time))

    def factor(self, session):
        """What ADJUSTED_LAST multiplies prices of a session with."""
        return 1.0

    def resting_price(self, time):
        """The price in ticks where nothing was printed yet."""
        return float(round(self.instrument.base / self.instrument.minTick))


class OptionTape(Tape):
    """Half hours worked out from the underlying's, by the worth of the option at its prices."""

    def __init__(self, instrument, walk, underlying):
        super().__init__(instrument, walk)
        self.underlying = underlying

    def day(self, session):
        return cells.merge(slot.cell for slot in self.slots(session))

    def regular(self, session):
        return regular_of(self, session)

    def _slots(self, session):
        theirs = self.underlying.instrument.hours.session(session.date)
        known = {slot.start: slot.cell for slot in self.underlying.slots(theirs)} if theirs else {}
        return [Stretch(slot.start, slot.end, self._cell(slot, known.get(slot.start))) for slot in session.slots()]

    def _cell(self, slot, theirs):
        instrument = self.instrument
        if not theirs or not instrument.activity:
            return None
        opened, high, low, closed = (self._worth(price, slot.start) for price in theirs[:4])
        chance = cells.fraction(self.walk.seed, instrument.conId, SLOT_KEY, int(slot.start))
        count = int(instrument.activity * (slot.end - slot.start) / MINUTE * (0.5 + chance))
        count = max(count, cells.least_count(opened, max(high, low), min(high, low), closed))
        volume = int(count * instrument.lot * (0.5 + chance)) + count
        return cells.Cell(opened, max(high, low), min(high, low), closed, volume, count)

    def _worth(self, ticks, time):
        underlying = self.underlying.instrument.price(ticks)
        worth = greeks(self.instrument, underlying, time).price
        return max(1.0, float(round(worth / self.instrument.minTick)))

    def resting_price(self, time):
        return self._worth(self.underlying.resting_price(time), time)


class Silent(Tape):
    """Nothing is ever printed by itself; the price rests at `ticks`, or at the instrument's base."""
    has_past = False

    def __init__(self, instrument, walk, ticks=None):
        super().__init__(instrument, walk)
        self._ticks = ticks

    def day(self, session):
        return None

    def resting_price(self, time):
        return super().resting_price(time) if self._ticks is None else self._ticks


class Altered(Tape):
    """A tape with prints of a test's own among (over a Silent one: instead of) the others."""

    def __init__(self, tape):
        self._below = tape
        self._added = []
        self._times = []
        super().__init__(tape.instrument, tape.walk)

    def add(self, rows):
        """More prints, (time, ticks, steps) each, after those of the same moment."""
        self._added = sorted(self._added + [Print(*row) for row in rows], key=lambda one: one.time)
        self._times = [one.time for one in self._added]
        for cache in (self.slots, self.minutes, self.prints):
            cache.cache_clear()

    def _between(self, start, end):
        return self._added[bisect_left(self._times, start):bisect_left(self._times, end)]

    def day(self, session):
        if self._between(session.open, session.close):
            return cells.merge(slot.cell for slot in self.slots(session))
        return self._below.day(session)

    def regular(self, session):
        return regular_of(self, session) if self._between(session.open, session.close) else self._below.regular(session)

    def factor(self, session):
        return self._below.factor(session)

    def _slots(self, session):
        return [self._redone(slot, self.minutes) for slot in self._below.slots(session)]

    def _minutes(self, slot):
        return [self._redone(minute, self.prints) for minute in self._below.minutes(self._slot_below(slot.start))]

    def _redone(self, stretch, parts):
        """The stretch with its cell made of its parts, when there is something of ours in it."""
        if self._between(stretch.start, stretch.end):
            return stretch._replace(cell=cells.merge(part.cell for part in parts(stretch)))
        return stretch

    def _prints(self, minute):
        theirs = next(own for own in self._below.minutes(self._slot_below(minute.start)) if own.start == minute.start)
        return sorted(self._below.prints(theirs) + self._between(minute.start, minute.end), key=lambda one: one.time)

    def _slot_below(self, time):
        session = self.instrument.hours.session_at(time)
        return next(slot for slot in self._below.slots(session) if slot.start <= time < slot.end)

    def resting_price(self, time):
        return self._below.resting_price(time)


def regular_of(tape, session):
    """The regular hours of a tape joined from its half hours."""
    return cells.merge(stretch.cell for slot, stretch in zip(session.slots(), tape.slots(session)) if slot.is_liquid)


def minutes_between(start, end):
    """The clock minutes of [start, end), cut at both ends."""
    edges = [start] + [float(edge) for edge in range(int(start) // MINUTE * MINUTE + MINUTE, int(end), MINUTE)] + [end]
    return list(zip(edges, edges[1:]))


def stamps(start, end, count, key):
    """`count` times in [start, end), whole milliseconds, in order: some share a second, some fall on its edges."""
    chance = Random(key).random
    length = round((end - start) * 1000)
    found = []
    for _ in range(count):
        offset = int(chance() * length)
        kind = chance()
        if kind < 0.06:
            offset -= offset % 1000
        elif kind < 0.12:
            offset += 999 - offset % 1000
        elif kind < 0.30 and found:
            offset = found[-1] // 1000 * 1000 + offset % 1000
        found.append(min(offset, length - 1))
    if chance() < 0.15:
        found[0] = 0
    if chance() < 0.15:
        found[-1] = length - 1
    base = round(start * 1000)
    return [(base + offset) / 1000 for offset in sorted(found)]


def greeks(instrument, underlying, time):
    """The Greeks of an option instrument at `time` on a price of its underlying."""
    expiry = zones.to_utc(instrument.until, 16 * 60, instrument.zone)
    contract = instrument.contract
    return options.worth(underlying, contract.strike, contract.right, expiry - time, instrument.volatility)


def pieces(tape, session, start, end, rth, finest):
    """The stretches of a session within [start, end), as coarse as possible but no coarser than `finest` seconds.

    A half hour that lies wholly within is given whole when `finest` allows, else its minutes, else its single prints.
    """
    for (_, _, is_liquid), slot in zip(session.slots(), tape.slots(session)):
        if slot.cell and slot.start < end and slot.end > start and (is_liquid or not rth):
            if finest >= HALF_HOUR and start <= slot.start and slot.end <= end:
                yield slot.start, slot.cell
            else:
                yield from _minute_pieces(tape, slot, start, end, finest)


def _minute_pieces(tape, slot, start, end, finest):
    for minute in tape.minutes(slot):
        if minute.cell and minute.start < end and minute.end > start:
            if finest >= MINUTE and start <= minute.start and minute.end <= end:
                yield minute.start, minute.cell
            else:
                yield from ((one.time, one.cell) for one in tape.prints(minute) if start <= one.time < end)
