"""The way of a feed of days, weeks or months: TWS's own bars, each asked for when it has ended."""
from .course import Course
from .excerpt import AUCTION_SECONDS
from .frontier import LATE_TRIES
from .zones import UTC, moment

#: seconds between two questions for a bar that TWS does not have yet, or never will: a holiday
AGAIN_SECONDS = 60.0


class DayCourse(Course):
    """Live records are not for it; `covered` moves with bars alone, so that what TWS did not have comes later."""

    @property
    def lags(self):
        """Whether a bar that closed long ago is still on its way: nobody trades on it till the next session."""
        return False

    def _asks_at(self, edge):
        return edge + AUCTION_SECONDS

    def _caught_up(self):
        self.go_live()

    def go_live(self):
        """Up to date: what follows is real time."""
        super().go_live()
        if self.seam.covered is None:
            self.seam.deliver(self.proof.now())
        self._await_day(0.0 if self.excerpt is None else self.excerpt.settled)

    def played(self, time):
        """A bar of another feed, which may be stamped with its date alone, comes before this one's."""
        self.seam.deliver(self.assembler.days.stamped(time))

    def _await_day(self, after):
        """The next bar is that of the first day that ends later."""
        self.seam.whole_from = self.assembler.days.next_end(max(after, self.seam.covered))
        self.state = self._at_seam

    def _gap_done(self):
        """The answer is in. TWS may be late with a day's bar; of a day without trading there is none."""
        edge = self.seam.whole_from
        is_shown = self.excerpt.day >= edge
        if not is_shown and self._tries < LATE_TRIES:
            self._tries += 1
            self.proof.wait_until(self.store.clock() + AGAIN_SECONDS)
            return
        if not is_shown and self.assembler.days.is_listed(edge):
            self.feed.say('TWS has no bar yet of the session that ended at {}: it is asked for again with the next'
                          .format(moment(edge, self.feed.zone or UTC)))
        self.proof.rest()
        self._await_day(edge)
