"""backtrader's resampler and replayer on the intervals of TWS, and closed by what TWS's time proves.

Three things are put right, all with the default `bar2edge` and no `boundoff`; every option keeps its meaning:
- backtrader compares times of day in UTC: a bar that is open at midnight UTC would swallow the hours after it.
- It joins a piece that ends on an edge to a bar that is open since an earlier interval.
- It closes bars by the machine's clock, or by another feed's bar: what is still on its way would make a bar of its own.
"""
import datetime
import time

import backtrader as bt

from .bars import DAY
from .daynumber import exact, number

#: seconds within which a time counts as on an edge, finer than backtrader's numbers can tell
ON_EDGE = 2.5e-5
UNITS = {bt.TimeFrame.Seconds: 1, bt.TimeFrame.Minutes: 60}


class Aligned:
    """What resampler and replayer share. An interval holds its end and not its start here, as right-edge stamps ask."""

    @property
    def _is_plain(self):
        length = UNITS.get(self.p.timeframe, 0) * self.p.compression
        return 0 < length <= DAY and not self.p.boundoff

    def _cell(self, stamp):
        """(start, end) of the interval that a bar or tick with this datetime belongs to."""
        count = self.p.compression if self.p.bar2edge else 1
        grid = self.data.lattice(UNITS[self.p.timeframe] * count)
        moment = exact(stamp) - ON_EDGE
        return grid.start(moment), grid.end(moment)

    def ends(self):
        """When the bar in progress ends; None when there is none, or its end is no matter of the clock."""
        if not self.bar.isopen() or self.p.timeframe > bt.TimeFrame.Days:
            return None
        if self.p.timeframe == bt.TimeFrame.Days:
            return None if self._nexteos is None else exact(self._nextdteos)
        return self._cell(self.bar.datetime)[1] if self._is_plain else None

    def begins(self):
        """When the bar in progress began; for days and longer when the last one ended, the epoch if none has."""
        if self._is_plain:
            return self._cell(self.bar.datetime)[0]
        return exact(self.data.datetime[-1]) if len(self.data) > 1 else 0.0

    def _barover_subdays(self, data):
        if not self._is_plain:
            return super()._barover_subdays(data)
        now = data.datetime[0]
        return now > self.bar.datetime and self._cell(now) != self._cell(self.bar.datetime)

    def _dataonedge(self, data):
        if not self.subdays or not self._is_plain or not self.p.bar2edge:
            return super()._dataonedge(data)
        now = data.datetime[0]
        cell = self._cell(now)
        joins = not self.bar.isopen() or self._cell(self.bar.datetime) == cell
        return joins and cell[1] - exact(now) <= ON_EDGE, True

    def _calcadjtime(self, greater=False):
        if self.p.timeframe == bt.TimeFrame.Days:
            return self._lastdteos if self._nexteos is None else self._nextdteos
        if not self._is_plain or not self.p.bar2edge:
            return super()._calcadjtime(greater=greater)
        start, end = self._cell(self.bar.datetime)
        return number(end if self.p.rightedge else start)


class Resampler(Aligned, bt.resamplerfilter.Resampler):
    """backtrader's resampler, aligned."""


class Replayer(Aligned, bt.resamplerfilter.Replayer):
    """backtrader's replayer, aligned."""


class FilterClock:
    """Closes the bars in a feed's filters by the time TWS has proven.

    The feed has `ib`, `proven()`, `backlog()`, `is_watched()`; it gives `check` its inherited `_check`.
    """

    def __init__(self, feed):
        self._feed = feed
        self._proven = None

    def offset(self):
        """TWS's clock minus the machine's; while filters are checked, what is proven of it."""
        return self._feed.ib.timeoffset() if self._proven is None else self._proven

    def check(self, check, forcedata):
        feed = self._feed
        if not feed.islive():
            check(forcedata=forcedata)
        elif feed.is_watched() and not feed.backlog():
            # what another feed delivered proves nothing of this one
            self._proven = datetime.timedelta(seconds=feed.proven() - time.time())
            try:
                check()
            finally:
                self._proven = None

    def ends(self):
        """When the first bar in progress in a filter ends, None when there is none."""
        ends = [made.ends() for made in self._aligned()]
        return min((end for end in ends if end is not None), default=None)

    def drop(self):
        """Empty the filters of a bar in progress; when it began, None when there was none."""
        begun = [made for made in self._aligned() if made.bar.isopen()]
        begins = min((made.begins() for made in begun), default=None)
        for made in begun:
            made.bar.bstart(maxdate=True)
        return begins

    def _aligned(self):
        return [made for made, _, _ in self._feed._filters if isinstance(made, Aligned)]
