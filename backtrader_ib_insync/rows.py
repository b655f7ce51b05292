"""What a feed will load next: bars and ticks as the lines take them, and statuses, each in its place."""
import collections
from typing import NamedTuple

import backtrader as bt

from .daynumber import number

#: a tick on the very edge of an interval opens it; backtrader's filters would close with it, so it comes so much later
EDGE_NUDGE = 5e-5
#: days within which a time is `fromdate` or `todate` itself: backtrader's numbers differ from ours in the last digit
SAME = 3e-10


class Status(NamedTuple):
    """A status to be notified, in its place among the bars."""
    status: int
    args: tuple


class Rows(collections.deque):
    """Rows of (datetime, open, high, low, close, volume), and statuses between them, of one `feed`."""

    def __init__(self, feed):
        super().__init__()
        self._feed = feed

    def __reduce__(self):
        return Rows, (self._feed,), None, iter(self)

    def push(self, built, history):
        """A finished bar; `history` is where `hist_tzo` holds."""
        feed = self._feed
        within_day = feed._timeframe < bt.TimeFrame.Days
        stamp = built.start if within_day and not feed.p.rightedge else built.end
        self.append((self._date(stamp, history),) + built[2:])

    def pass_tick(self, tick, history=False):
        """A tick as it is."""
        on_edge = tick.time == int(tick.time) and self._feed.declared.is_filtered
        self.append((self._date(tick.time + EDGE_NUDGE * on_edge, history),) + (tick.price,) * 4 + (tick.size,))

    def _date(self, time, history):
        feed = self._feed
        date = number(time + feed.p.hist_tzo * 3600 * history)
        if abs(date - feed.fromdate) < SAME:
            return feed.fromdate
        return feed.todate if abs(date - feed.todate) < SAME else date

    def pass_late(self, tick, newest):
        """A tick older than the one passed last, of the same bar: it counts there, and ends nothing."""
        high, low = max(tick.price, newest.price), min(tick.price, newest.price)
        self.append((self._date(newest.time, False), newest.price, high, low, newest.price, tick.size))

    def tell(self, status, *args):
        """A status, once what comes before it has been delivered."""
        self.append(Status(status, args))
