"""What leaves a feed of bars: each bar once, whole; to backtrader's own filters the pieces of bars as they come."""
from .bars import REAL_TIME_BAR, whole
from .zones import UTC, moment


class Delivery:
    """To the rows of `feed`: what history has, and what the live stream tells, as far as `seam` has it owed.

    `assembler` makes bars of the live stream; where it does not, pieces are passed on.
    """

    def __init__(self, feed, assembler, seam):
        self._feed = feed
        self._assembler = assembler
        self._seam = seam
        #: the time of the newest live record, the last tick that was passed on, and when the bar of such a piece ends
        self._newest = 0.0
        self._latest = self._passed_to = None
        #: the end of the last bar made of live records, and when a stream that died in silence was heard the last time
        self._built = 0.0
        self._heard = None

    def _push(self, built, history):
        """Each bar once."""
        if built is not None and self._seam.is_new(built.end):
            self._seam.deliver(built.end)
            self._feed.rows.push(built, history)

    # -- history -------------------------------------------------------------------------------------------------------

    def history(self, found):
        """Bars of history: (its end, the finished bar that it is or makes, None when there is none) of each."""
        for end, built in found:
            self._seam.shown(end)
            self._push(built, history=True)

    def finish_history(self, time):
        """The bar in progress, which history alone makes, if it ends by `time`."""
        self._push(self._assembler.finish(time), history=True)

    # -- the live stream -----------------------------------------------------------------------------------------------

    def tick(self, tick):
        """A trade or quote."""
        # a trade out of order belongs to the bar in progress as well
        if self._is_late(tick.time, self._assembler.begun(self._newest)):
            return
        if self._assembler.builds:
            self._push_live(self._assembler.tick(tick))
        elif tick.time < self._newest and not self._feed.p.latethrough:
            self._feed.rows.pass_late(tick, self._latest)
        else:
            self._latest = tick
            self._pass(tick.time)
            self._feed.rows.pass_tick(tick)
        self._newest = max(self._newest, tick.time)

    def bar(self, bar):
        """A 5-second bar."""
        if self._is_late(bar.time, self._newest):
            return
        end = self._newest = bar.time + REAL_TIME_BAR
        if self._assembler.builds:
            for built in self._assembler.bar(bar, end):
                self._push_live(built)
        else:
            self._pass(bar.time)
            self._feed.rows.push(whole(bar, end), history=False)

    def finish(self, time):
        """The bar in progress, if it ends by `time`; whether it does."""
        built = self._assembler.finish(time)
        self._push_live(built)
        return built is not None

    def _push_live(self, built):
        if built is not None and self._seam.is_new(built.end):
            self._built = built.end
        self._push(built, history=False)

    def _is_late(self, time, newest):
        """Part of a bar that was not watched whole; or older than `newest`, which the user may let by."""
        if self._seam.whole_from is not None and time < self._seam.whole_from:
            return True
        if self._feed.p.latethrough:
            return False
        return time < newest or self._assembler.builds and time < (self._seam.covered or 0.0)

    def _pass(self, start):
        """A piece goes to backtrader's filters; what they hold of a bar in progress is not delivered yet."""
        self._seam.deliver(self._assembler.grid.start(start))
        self._passed_to = self._assembler.declared_end(start)

    # -- holes ---------------------------------------------------------------------------------------------------------

    def broke(self, heard):
        """The stream has a hole; `heard` is given when it had died unnoticed, at or after that time."""
        self._heard = heard
        self._doubt(self._built)
        self._seam.broke()
        self._assembler.drop()

    def rewind(self, filters):
        """A bar that backtrader's filters had begun when the stream broke is dropped, and asked for anew.

        When they held none they have delivered the bars of all pieces they were given.
        """
        begins = filters.drop()
        if begins is not None:
            self._seam.covered = begins or None
        elif self._passed_to is not None:
            self._doubt(self._passed_to)
            self._seam.deliver(self._passed_to)
        self._passed_to = None

    def _doubt(self, end):
        """The bar in which a stream died unnoticed was closed by the clock, perhaps without its last part."""
        if self._heard is not None and end > max(self._heard, self._newest):
            self._feed.say('the bar that ends at {} may have come without its last part: the subscription had died'
                           .format(moment(end, self._feed.zone or UTC)))
