"""What makes a bar: where intervals begin and end, and how ticks or smaller bars become bars of any size (pure).

Times are seconds since the epoch, UTC; an interval holds its start and not its end, as TWS counts.
"""
import datetime
import math
from typing import NamedTuple

from .zones import DAY, epoch, moment

HOUR = 3600
#: seconds of the bars that TWS sends as they close
REAL_TIME_BAR = 5.0


class Grid:
    """The intervals of `seconds` into which TWS divides a day: by the clock of the exchange's zone, anew from midnight.

    `opens` are the times of day, in seconds, at which sessions open: trading that begins in an interval begins a bar.
    """

    def __init__(self, seconds, zone, opens=()):
        if not 0 < seconds <= DAY:
            raise ValueError('a grid divides a day: {} s is not between 0 and {}'.format(seconds, DAY))
        self.seconds = seconds
        self._zone = zone
        self._opens = tuple(opens)
        self._start = self._end = 0.0

    def start(self, time):
        """The start of the interval that holds `time`."""
        self._find(time)
        return self._start

    def end(self, time):
        """The end of the interval that holds `time`."""
        self._find(time)
        return self._end

    def next_edge(self, time):
        """The first edge that is not before `time`."""
        start = self.start(time)
        return start if start == time else self._end

    def _find(self, time):
        if self._start <= time < self._end:
            return
        passed, length, at = self._clock(math.floor(time))
        first = passed // self.seconds * self.seconds
        last = min([first + self.seconds, length] + [opened for opened in self._opens if opened > passed])
        first = max([first] + [opened for opened in self._opens if opened <= passed])
        self._start, self._end = at(first), at(last)

    def _clock(self, second):
        """Seconds passed of the day at `second`, the day's length, and a function that dates seconds of it."""
        local = moment(second, self._zone)
        wall = local.hour * HOUR + local.minute * 60 + local.second
        if HOUR % self.seconds == 0:
            # clocks change on the hour: what divides it keeps its length through it
            return wall, DAY, lambda count: second - wall + count
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

        def at(count):
            return epoch(midnight + datetime.timedelta(seconds=count), self._zone)
        if self.seconds % HOUR == 0:
            return wall, DAY, at
        # the clock would count some of them twice when it changes
        begun = at(0)
        return second - begun, at(DAY) - begun, lambda count: begun + count


class Built(NamedTuple):
    """A finished bar with both its edges."""
    start: float
    end: float
    open: float
    high: float
    low: float
    close: float
    volume: float


def whole(bar, end):
    """A bar of TWS as a finished one; -1, TWS's "no such thing" for a volume of quotes, is no volume (P29)."""
    return Built(bar.time, end, bar.open, bar.high, bar.low, bar.close, max(bar.volume, 0.0))


class Builder:
    """Makes bars of one grid out of ticks or smaller bars; nothing is delivered unfinished.

    They come in time order, but for some that are late within their bar: those count, and take their place in it.
    """

    def __init__(self, grid):
        self._grid = grid
        self._open = None
        #: the times of what the bar in progress opened and closed with, so far
        self._first = self._last = 0.0

    def tick(self, tick):
        """Add a trade or quote; returns the bar that it shows to be finished, or None."""
        return self._add(tick.time, tick.price, tick.price, tick.price, tick.price, tick.size)

    def bar(self, bar):
        """Add a bar whose interval lies inside one of the grid's; returns the bar it shows to be finished, or None."""
        return self._add(bar.time, bar.open, bar.high, bar.low, bar.close, max(bar.volume, 0.0))

    def _add(self, time, open_, high, low, close, volume):
        finished = self.finish(time)
        now = self._open
        if now is None:
            self._first = self._last = time
            self._open = Built(self._grid.start(time), self._grid.end(time), open_, high, low, close, volume)
        else:
            # sums of hundreds of fractional sizes must not drift from TWS's own total
            volume = round(now.volume + volume, 8)
            self._open = now._replace(high=max(now.high, high), low=min(now.low, low), volume=volume)
            self._set_ends(time, open_, close)
        return finished

    def _set_ends(self, time, open_, close):
        if time >= self._last:
            self._last = time
            self._open = self._open._replace(close=close)
        elif self._open.start <= time < self._first:
            self._first = time
            self._open = self._open._replace(open=open_)

    def finish(self, time):
        """The bar in progress, when `time` has reached its end; None otherwise."""
        if self._open is None or time < self._open.end:
            return None
        finished, self._open = self._open, None
        return finished

    def starts(self):
        """When the bar in progress started, None when there is none."""
        return None if self._open is None else self._open.start

    def ends(self):
        """When the bar in progress ends, None when there is none."""
        return None if self._open is None else self._open.end

    def drop(self):
        """Forget the bar in progress: it was not watched whole."""
        self._open = None


class Counter:
    """Joins every `count` bars to one, as backtrader counts days, weeks and months; the first bar begins the count."""

    def __init__(self, count):
        self._count = count
        self._bars = []
        self._end = -math.inf

    def add(self, bar):
        """Add a finished bar, once; returns the joined one when it is complete, or None."""
        if bar.end <= self._end:
            return None
        self._end = bar.end
        self._bars.append(bar)
        if len(self._bars) < self._count:
            return None
        bars, self._bars = self._bars, []
        high, low = max(bar.high for bar in bars), min(bar.low for bar in bars)
        volume = round(sum(bar.volume for bar in bars), 8)
        return Built(bars[0].start, bars[-1].end, bars[0].open, high, low, bars[-1].close, volume)


class Seam:
    """Which records of history and of the live stream a feed still owes, so that each bar is delivered once, whole.

    `covered` is the time up to which everything was delivered; `whole_from` the first edge from which the live stream
    holds everything, None while no stream is watched; `owed` when a trade was seen that history has to know of.
    """

    def __init__(self):
        self.covered = None
        self.whole_from = None
        self.owed = None

    def gap(self):
        """The (start, end) that history must fill before live bars may follow, None when there is no such gap."""
        if self.whole_from is None or self.covered is None or self.covered >= self.whole_from:
            return None
        return self.covered, self.whole_from

    def watched(self, since, edge_after):
        """A stream holds everything from `since` on; the first bar watched whole starts at the next edge."""
        edge = edge_after(since)
        self.whole_from = edge if self.whole_from is None else max(edge, self.whole_from)

    def broke(self):
        """The stream has a hole: what follows must be watched anew."""
        self.whole_from = None

    def is_new(self, end):
        """Whether a bar that ends at `end` was not delivered yet (P37: an equal one was)."""
        return self.covered is None or end > self.covered

    def deliver(self, end):
        self.covered = end if self.covered is None else max(self.covered, end)

    def saw(self, time):
        """Something traded in a bar that is to come from history."""
        if self.is_new(time):
            self.owed = time

    def shown(self, end):
        """History has a bar that ends at `end`."""
        if self.owed is not None and end > self.owed:
            self.owed = None
