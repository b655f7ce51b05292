"""What bars a feed was declared to have, and the course on which they come."""
import backtrader as bt

from . import history, livestream
from .assembler import Assembler
from .course import Course
from .daycourse import DayCourse
from .tickcourse import TickCourse


class Declared:
    """For one run of `feed`, which may have got filters since the last. Raises NotSupportedTimeframe."""

    def __init__(self, feed):
        self._feed = feed
        self._passing = bool(feed._resampling or feed.replaying)
        self._size = history.base_size(feed._timeframe, feed._compression)
        if not self._passing:
            history.check_declared(feed._timeframe, feed._compression)

    @property
    def days_only(self):
        """Bars of a day and longer come from history alone: TWS's own day is not the sum of its ticks."""
        return self._feed._timeframe >= bt.TimeFrame.Days and not self._passing

    @property
    def is_of_ticks(self):
        """Whether every trade is a bar."""
        return self._feed._timeframe == bt.TimeFrame.Ticks

    @property
    def is_filtered(self):
        """Whether backtrader's filters may join what is delivered."""
        return self._passing or bool(self._feed._clones)

    def course(self):
        """A course, once the feed knows when its contract trades."""
        feed = self._feed
        if self.is_of_ticks:
            return TickCourse(feed, feed.ib, livestream.tick_kind(feed))
        kind, timetable = DayCourse if self.days_only else Course, feed.timetable
        return kind(feed, feed.ib, Assembler(feed._timeframe, feed._compression, self._size, timetable.lattice,
                                             timetable.day_ends(feed._timeframe), self._passing))
