"""The way of a feed of ticks: every trade, once. One method per state, on the strategy thread.

    waiting --> filling --> draining --> live
       ^                                  |
       '--------------- lost <------------'

After a hole, and at the start of a feed that begins in the past, live ticks wait: the stream tells from when on it is
whole, history fills the seconds before that (see `tickseam`), then what waited is delivered, and what comes.
"""
import math

from .frontier import LATE_SECONDS, LATE_TRIES
from .journey import Journey
from .messages import HistoryFailed, Tick, Watching
from .tickseam import QuoteSeam, TickSeam
from .zones import UTC, moment, utc_text


class TickCourse(Journey):
    """The course of a feed of ticks of this `kind` (a TickKind)."""

    def __init__(self, feed, store, kind):
        super().__init__(feed, store)
        self.kind = kind
        self.seam = QuoteSeam() if kind.changes else TickSeam()
        #: live ticks that came before history was here, and history's that wait for those it has to know of
        self._early = []
        self._held = []
        self._gap = self._download = None
        #: what is earlier is history's
        self._floor = None
        self._tries = 0
        self._is_told = False
        #: the time of the last tick
        self._newest = 0.0

    @property
    def _travels(self):
        return self.state == self._filling

    # -- states: each takes what is there and returns whether it got any further ---------------------------------------

    def _waiting(self):
        """Till it is known, and proven, from when on the stream holds every tick."""
        progress = bool(self._live)
        while self._live and self.state == self._waiting:
            record = self._live.popleft()
            if isinstance(record, Tick):
                self._early.append(record)
            else:
                self._handle(record)
        if self.state != self._waiting:
            return True
        edge = self.seam.whole_from
        if edge is None:
            # delayed data may not tell before they trade
            return self.proof.delayed and self._tell_live() or progress
        if self._proven < edge:
            self.proof.wait_for(edge)
            return progress
        self._fill()
        return True

    def _filling(self):
        """Delivering history."""
        if self._hole():
            return True
        if self.answers:
            self._take(self.answers.popleft())
            return True
        if self.proof.left() > 0:
            return False
        self._fill()
        return True

    def _draining(self):
        """What waited for history comes before the word that all is live."""
        progress = self._deliver_live(self._draining)
        if self.state != self._draining:
            return True
        self._tell_live()
        self.state = self._following
        return progress

    def _following(self):
        """Live: delivering what comes."""
        return self._deliver_live(self._following)

    def _deliver_live(self, state):
        progress = bool(self._live)
        while self._live and self.state == state:
            self._handle(self._live.popleft())
        return progress

    # -- history -------------------------------------------------------------------------------------------------------

    def has_past(self, begin):
        """Whether there is history to begin with: a live feed of ticks has none when `begin` is None."""
        return begin is not None

    def ends_at(self, todate):
        """Where the history of a historical feed ends: with the whole second `todate`, which its ticks carry."""
        now = math.floor(self.store.clock())
        return float(now if todate is None else min(now, math.floor(todate) + 1))

    def closed_up_to(self):
        """The stream tells where history ends."""

    def catch_up(self, begin, end):
        """Deliver the ticks from `begin` on from history, then go on live (a historical feed: end at `end`)."""
        self.feed.rows.tell(self.feed.DELAYED)
        self._is_told = False
        if self.seam.covered is None and begin is not None:
            self.seam.reach(begin)
        if self.feed.islive():
            self._wait()
        else:
            self._gap = self.seam.covered, end
            self._ask()

    def go_live(self):
        """From now on."""
        self.seam.covered = None
        self._is_told = False
        self._tell_live()
        self.state = self._following

    def _wait(self):
        self._early = []
        self._tries = 0
        self.state = self._waiting

    def _fill(self):
        self._gap = self.seam.gap()
        if self._gap is None:
            self._filled()
        else:
            self._ask()

    def _ask(self):
        self._held = []
        self.seam.begin(self._early)
        self.proof.rest()
        self.state = self._filling
        self._download = self.feed.archive.download_ticks(*self._gap, kind=self.kind, answers=self.answers)

    def _take(self, record):
        """Deliver an answer's ticks; from where history lacks a trade that was seen live they wait till it has it."""
        if isinstance(record, HistoryFailed):
            self.feed.archive.failed(record)
            self._complete()
            return
        begin, end = self._gap[0] or 0.0, self._gap[1]
        new = self.seam.new(record.ticks, begin)
        since = self.seam.owes_from()
        for tick in new:
            if self._held or since is not None and tick.time >= since:
                self._held.append(tick)
            else:
                self._deliver(tick, history=True)
        self.feed.archive.progress.told(int(record.until - begin), int(end - begin))
        if record.done:
            self._done()

    def _done(self):
        """All answers are in; a trade that must be there, since it was seen, may be late."""
        if not self.feed.islive():
            self._end()
        elif self.seam.owes_from() is not None and self._tries < LATE_TRIES:
            self._tries += 1
            self.proof.wait_until(self.store.clock() + LATE_SECONDS)
        else:
            self._compare()
            self._complete()

    def _compare(self):
        """What both history and the live stream tell must be the same."""
        lacking = len(self.seam.owed(self._early)) + self.seam.strangers()
        if lacking:
            self.feed.say("TWS's history from {} on does not have {} of the ticks that came live: some may be missing "
                          'there or come twice'.format(moment(self._gap[0], self.feed.zone or UTC), lacking))

    def _complete(self):
        """Deliver what waited, and what history does not know."""
        rest = self._held + self.seam.owed(self._early)
        for tick in sorted(rest, key=lambda tick: tick.time):
            self._deliver(tick, history=True)
        self._held = []
        self._filled()

    def _filled(self):
        self.proof.rest()
        self._live.extendleft(reversed(self.seam.live(self._early)))
        self._early = []
        self._floor = self.seam.floor
        self.seam.reach(self.seam.whole_from)
        self.state = self._draining

    def _end(self):
        since = '' if self._gap[0] is None else 'from {} '.format(utc_text(self._gap[0]))
        nothing = 'TWS has no ticks {}till {} UTC'.format(since, utc_text(self._gap[1]))
        self.end(self.feed.DISCONNECTED, '' if self._newest else nothing)

    # -- records of the live stream ------------------------------------------------------------------------------------

    def _on_tick(self, tick):
        if self._floor is not None and tick.time < self._floor:
            return
        if tick.time < self._newest and not (self.feed.p.latethrough or self.kind.changes):
            return
        self._deliver(tick, history=False)

    def _on_watching(self, watching):
        self.seam.watched(watching.since)
        if self.state not in (self._following, self._draining):
            return
        if self.seam.covered is None:
            self.seam.reach(self.seam.whole_from)
        elif self._floor is not None and self.seam.gap() is not None:
            # TWS's clock had told too early a beginning
            self._wait()

    _HANDLERS = dict(Journey._HANDLERS)
    _HANDLERS.update({Tick: _on_tick, Watching: _on_watching})

    def _broke(self, lost):
        self._abandon()
        self.seam.broke()
        self._floor = None

    def _abandon(self):
        """What is still asked for nobody waits for, and nothing waits for it."""
        self._early, self._held = [], []
        download, self._download = self._download, None
        if download is not None:
            self.store.abandon(download)

    def end(self, status, reason=''):
        self._abandon()
        super().end(status, reason)

    def _resume(self):
        if self.feed.p.backfill and self.seam.covered is not None:
            self.feed.archive.resume(self.seam.covered)
        else:
            self.go_live()

    def played(self, time):
        """A bar of another feed, which ends at `time`, comes before this one's ticks."""
        self._newest = max(self._newest, time)
        self.seam.reach(time)

    def rewind(self, filters):
        """The stream has a hole: bars that backtrader's filters have begun go on with the ticks of history."""

    # -- out -----------------------------------------------------------------------------------------------------------

    def _deliver(self, tick, history):
        """Time does not go back for history's whole seconds, nor for quotes, whose time is a guess."""
        self.seam.deliver(tick)
        if history or self.kind.changes:
            tick = tick._replace(time=max(tick.time, self._newest))
        self._newest = max(self._newest, tick.time)
        self.feed.rows.pass_tick(tick, history)

    def _tell_live(self):
        """Once; whether it was news."""
        if self._is_told:
            return False
        self._is_told = True
        self.feed.rows.tell(self.feed.LIVE)
        return True
