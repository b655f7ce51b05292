"""backtrader's resampler and replayer on the intervals of TWS, and closed by what TWS's time proves.

Four things are put right; every option keeps its meaning:
- backtrader compares times of day in UTC: a bar that is open at midnight UTC would swallow the hours after it.
- It joins a piece that ends on an edge to a bar that is open since an earlier interval.
- It closes bars by the machine's clock, or by another feed's bar: what is still on its way would make a bar of its
  own.
- Days, weeks and months it closes with the first piece of the next one only, and a day it takes for over it goes on
  filling.
"""
import datetime
import functools
import time

import backtrader as bt
from backtrader.resamplerfilter import DTFaker

from .daynumber import exact, number
from .history import UNIT_SECONDS
from .proof import Proof
from .zones import DAY

#: seconds within which a time counts as on an edge, finer than backtrader's numbers can tell
ON_EDGE = 2.5e-5


class Aligned:
    """What resampler and replayer share. An interval holds its end and not its start here, as right-edge stamps ask.

    With a trading calendar, `boundoff`, or units below a second, backtrader's own rules hold.
    """

    def __init__(self, data):
        super().__init__(data)
        # what a feed hands on may be smaller than the bars it was declared to have
        self.componly = False
        self._counted = 0.0

    @property
    def _is_long(self):
        return self.p.timeframe >= bt.TimeFrame.Days and self.data._calendar is None

    @property
    def _is_plain(self):
        length = UNIT_SECONDS.get(self.p.timeframe, 0) * self.p.compression
        return 0 < length <= DAY and not self.p.boundoff

    @property
    def _grid(self):
        count = self.p.compression if self.p.bar2edge else 1
        return self.data.timetable.lattice(UNIT_SECONDS[self.p.timeframe] * count)

    def _end(self, stamp):
        """The end of the interval that a bar or tick with this datetime belongs to."""
        if self._is_long:
            return self.data.timetable.day_ends(self.p.timeframe).next_end(exact(stamp) - ON_EDGE)
        return self._grid.end(exact(stamp) - ON_EDGE)

    def _is_over(self, now):
        return now > self.bar.datetime and self._end(now) != self._end(self.bar.datetime)

    def ends(self):
        """When the bar in progress ends; None when there is none, or its end is no matter of the clock."""
        ruled = self._is_plain or self._is_long
        return self._end(self.bar.datetime) if ruled and self.bar.isopen() else None

    def begins(self):
        """When the bar in progress began; for days and longer when the last one ended, the epoch if none has."""
        if self._is_plain:
            return self._grid.start(exact(self.bar.datetime) - ON_EDGE)
        return exact(self.data.datetime[-1]) if len(self.data) > 1 else 0.0

    # -- backtrader's questions ----------------------------------------------------------------------------------------

    def _barover_subdays(self, data):
        return self._is_over(data.datetime[0]) if self._is_plain else super()._barover_subdays(data)

    def _checkbarover(self, data, fromcheck=False, forcedata=None):
        if not self._is_long:
            return super()._checkbarover(data, fromcheck=fromcheck, forcedata=forcedata)
        now = DTFaker(data, forcedata) if fromcheck else data
        return self._is_over(now.datetime[0]) and self._count(self._end(self.bar.datetime))

    def _count(self, end):
        """A day, week, month that is over is counted once; whether it completes the bar."""
        if end <= self._counted:
            return False
        self._counted = end
        self.compcount += 1
        return not self.compcount % self.p.compression

    def _dataonedge(self, data):
        if not (self._is_long or self.subdays and self._is_plain and self.p.bar2edge):
            return super()._dataonedge(data)
        now = data.datetime[0]
        end = self._end(now)
        on_edge = self._joins(end) and end - exact(now) <= ON_EDGE
        return on_edge and (not self._is_long or self._count(end)), True

    def _joins(self, end):
        """Whether what belongs to the interval with this end belongs to the bar in progress."""
        mine = self._end(self.bar.datetime) if self.bar.isopen() else end
        return mine == end or self._is_long and mine <= self._counted

    def _calcadjtime(self, greater=False):
        if self._is_long:
            return number(self._end(self.bar.datetime))
        if not self._is_plain or not self.p.bar2edge:
            return super()._calcadjtime(greater=greater)
        end = self._end(self.bar.datetime)
        return number(end if self.p.rightedge else self.begins())


class Resampler(Aligned, bt.resamplerfilter.Resampler):
    """backtrader's resampler, aligned."""


class Replayer(Aligned, bt.resamplerfilter.Replayer):
    """backtrader's replayer, aligned."""

    def _checkbarover(self, data, fromcheck=False, forcedata=None):
        # of days and longer it heeds no clock: what is asked between pieces must not count them
        if fromcheck and not self.doadjusttime:
            return False
        return super()._checkbarover(data, fromcheck=fromcheck, forcedata=forcedata)


class FilterClock:
    """Closes the bars in a feed's filters by the time TWS has proven.

    The feed has `ib`, `backlog()`, and its `course` when it has set out; it gives `check` its inherited `_check`.
    """

    def __init__(self, feed):
        self._feed = feed
        self._proven = None
        self._proof = Proof(feed.ib)

    def offset(self):
        """TWS's clock minus the machine's; while filters are checked, what is proven of it."""
        return self._feed.ib.timeoffset() if self._proven is None else self._proven

    def check(self, check, forcedata):
        feed = self._feed
        if not feed.islive():
            check(forcedata=forcedata)
        elif feed.course is not None and feed.course.follows:
            # what another feed delivered proves nothing of this one; and the proof is asked for before what waits, or
            # a tick that comes in between would be overtaken by its own proof
            proven = feed.course.proof.time()
            if not feed.backlog():
                self._check(check, proven)

    def _check(self, check, proven):
        self._proven = datetime.timedelta(seconds=proven - time.time())
        try:
            check()
        finally:
            self._proven = None

    def left(self):
        """Seconds until the clock has to be looked at, for the first bar in progress in a filter to end."""
        ends = [made.ends() for made in self._aligned()]
        end = min((end for end in ends if end is not None), default=None)
        if end is None:
            self._proof.rest()
        else:
            self._proof.delayed = self._feed.course.proof.delayed
            self._proof.wait_for(end)
        return self._proof.left()

    def drop(self):
        """Empty the filters of a bar in progress; when it began, None when there was none."""
        begun = [made for made in self._aligned() if made.bar.isopen()]
        begins = min((made.begins() for made in begun), default=None)
        for made in begun:
            made.bar.bstart(maxdate=True)
        return begins

    def _aligned(self):
        return [made for made, _, _ in self._feed._filters if isinstance(made, Aligned)]


def aligned(feed):
    """A class of feeds whose `resampledata` and `replaydata` use these filters; each feed has a `filterclock`."""
    inherited = feed._check
    feed.resample = lambda self, **kwargs: self.addfilter(Resampler, **kwargs)
    feed.replay = lambda self, **kwargs: self.addfilter(Replayer, **kwargs)
    feed._timeoffset = lambda self: self.filterclock.offset()
    feed._check = lambda self, forcedata=None: self.filterclock.check(functools.partial(inherited, self), forcedata)
    return feed
