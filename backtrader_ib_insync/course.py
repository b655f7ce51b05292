"""The way a feed takes: history, the seam to live, live, lost and back. One method per state, on the strategy thread.

    history --> seam --> (gap) --> live
       ^         ^                  |
       '---------'------ lost <-----'

The rule of the seam: a bar that was not watched from its first to its last moment is never built from part of its
ticks, it is fetched from history once it has closed. Hence no loss, no double, no wrong volume, whatever the link does.
"""
import collections
import logging

from . import codes
from .bars import DAY, Seam, whole
from .messages import (
    Bar, Closed, DataType, HistoryFailed, Lost, Refused, Restored, Tick, Warned, Watching)
from .proof import DELAYED_SECONDS, Proof
from .zones import UTC, moment, utc_text

log = logging.getLogger(__name__)

#: seconds TWS is given to have a bar in its history that has just closed, and how often it is asked then
LATE_SECONDS = 2.0
LATE_TRIES = 5
#: seconds by which the clock may be wrong before TWS has told its own
CLOCK_DOUBT = 2.0
#: downloads that may follow the first one before a feed is called live, for bars that closed meanwhile
MORE_ROUNDS = 3
REAL_TIME_BAR = 5.0
#: kinds of market data that run late
DELAYED_KINDS = (3, 4)

#: records after which the stream no longer holds everything
HOLES = (Lost, Closed, Refused)


class Course:
    """Where a feed stands: the feed gives it records (`arrive`, `answers`) and takes bars, ticks and statuses."""

    def __init__(self, feed, store, assembler):
        self.feed = feed
        self.store = store
        self.assembler = assembler
        self.answers = collections.deque()
        self.seam = Seam()
        self.state = self._lost
        self._live = collections.deque()
        self._holes = 0
        self._newest = 0.0
        self._passed_to = None
        #: when a trade was seen that history, asked for its bar, must know of
        self._owed = None
        self._tries = 0
        self.proof = Proof(store, delayed=store.p.marketdatatype in DELAYED_KINDS)
        self._asked = self._until = None
        self._sizes = assembler.sizes(False)
        self._rounds = 0

    def arrive(self, record):
        """A record of the live stream."""
        self._holes += isinstance(record, HOLES)
        self._live.append(record)

    def backlog(self):
        """Whether something is here that can be gone on with at once; live records wait while history is on its way."""
        return bool(self.answers or self._live and self.state not in (self._history, self._gap, self._over))

    @property
    def over(self):
        return self.state == self._over

    @property
    def follows(self):
        """Whether live records are delivered as they come."""
        return self.state == self._following

    # -- states: each takes what is there and returns whether it got any further ---------------------------------------

    def _history(self):
        """Delivering history: of a historical feed, at start, or after a hole."""
        if self._hole():
            return True
        if not self.answers:
            return False
        record = self.answers.popleft()
        if self._take_history(record):
            self._history_done()
        return True

    def _at_seam(self):
        """Up to date but for the bar in progress, not watched from its start: it is fetched when it has closed."""
        proof = self.proof.time()
        self._skip_partial()
        edge = self.seam.whole_from
        if self.state != self._at_seam or edge is None:
            return self.state != self._at_seam
        gap = self.seam.gap()
        if gap is None:
            self.state = self._following
        elif proof < edge and not self._live:
            self.proof.wait_for(edge)
            return False
        else:
            self._tries = 0
            self._fetch_gap()
        return True

    def _gap(self):
        """Delivering the bar that was in progress."""
        if self._hole():
            return True
        if self.answers:
            if self._take_history(self.answers.popleft()):
                self._gap_done()
            return True
        if self.proof.left() > 0:
            return False
        self._fetch_gap()
        return True

    def _following(self):
        """Live: delivering what comes."""
        proof = self.proof.time()
        progress = bool(self._live)
        while self._live and self.state == self._following:
            self._handle(self._live.popleft())
        if self.state != self._following:
            return True
        finished = self._finish(proof)
        ends = self.assembler.ends()
        if ends is None:
            self.proof.rest()
        else:
            self.proof.wait_for(ends)
        return progress or finished

    def _lost(self):
        """The link is gone, or was not there yet; what comes before it is restored belongs to no whole bar."""
        progress = bool(self._live)
        while self._live and self.state == self._lost:
            record = self._live.popleft()
            if isinstance(record, (Restored, Closed, Refused)):
                self._handle(record)
        return progress

    def _over(self):
        """Nothing more will come."""
        return False

    # -- history -------------------------------------------------------------------------------------------------------

    def catch_up(self, begin, end):
        """Deliver the bars of [begin, end) from history, then go on live (a historical feed: end)."""
        self.feed.tell(self.feed.DELAYED)
        self._rounds = 0
        self._sizes = self.assembler.sizes(self.seam.covered is None)
        self._fetch(self.assembler.begin(begin), end)

    def _fetch(self, begin, end):
        self._asked, self._until = begin, end
        self.state = self._history
        if not self.feed.download(begin, end, self._sizes[0], self.answers):
            self._history_done()

    def closed_up_to(self):
        """The latest edge that TWS's clock is proven to have passed: no bar before it is in progress."""
        now = max(self.store.link.heard, self.store.clock() - CLOCK_DOUBT) - DELAYED_SECONDS * self.proof.delayed
        grid = self.assembler.grid
        return now if grid is None else grid.start(now)

    def _take_history(self, record):
        """Deliver an answer's bars; whether it was the last one."""
        if isinstance(record, HistoryFailed):
            self.feed.history_failed(record)
            return True
        for bar in record.bars:
            if self._owed is not None and self.assembler.piece_end(bar.time) > self._owed:
                self._owed = None
            self._push(self.assembler.history(bar, self._sizes[0], self._until), history=True)
        self.feed.progress.told(record.number + 1, record.of)
        return record.number == record.of - 1

    def _history_done(self):
        if len(self._sizes) > 1:
            return self._fetch_rest()
        self._finish(self._until)
        if not self.feed.islive():
            self.end(self.feed.DISCONNECTED, self._nothing())
            return
        self.seam.deliver(self._until)
        begin, end = self._until, self.closed_up_to()
        if end > begin and self._rounds < MORE_ROUNDS and self.assembler.grid is not None:
            # a long download: what closed meanwhile is no more live than the rest
            self._rounds += 1
            self._fetch(begin, end)
        else:
            self.go_live()

    def _fetch_rest(self):
        """After the days the smaller bars of the day in progress."""
        self._sizes = self._sizes[1:]
        known = [time for time in (self._asked, self.seam.covered) if time is not None]
        self._fetch(max(known) if known else self._until - DAY, self._until)

    def _nothing(self):
        """What is said of a history without a bar."""
        if self.seam.covered is not None:
            return ''
        since = '' if self._asked is None else 'from {} '.format(utc_text(self._asked))
        return 'TWS has no data {}till {} UTC'.format(since, utc_text(self._until))

    def go_live(self):
        """Up to date: what follows is real time."""
        self.feed.tell(self.feed.LIVE)
        self._owed = None
        self.state = self._at_seam
        if self.feed.days_only:
            now = self.store.clock() if self.seam.covered is None else self.seam.covered
            self.seam.deliver(now)
            self.seam.whole_from = self.assembler.days.next_end(now)
        elif self.assembler.grid is None:
            self.state = self._following

    # -- the seam ------------------------------------------------------------------------------------------------------

    def _skip_partial(self):
        """Drop what belongs to the bar in progress, up to the first record of a bar that is watched whole."""
        while self._live and self.state == self._at_seam:
            record = self._live[0]
            if not isinstance(record, (Tick, Bar)):
                self._handle(self._live.popleft())
                continue
            if self.seam.whole_from is not None and record.time >= self.seam.whole_from:
                return
            if self.seam.is_new(record.time):
                self._owed = record.time
            self._live.popleft()

    def _fetch_gap(self):
        self.proof.rest()
        self.state = self._gap
        begin, self._until = self.seam.gap()
        if not self.feed.download(begin, self._until, self._sizes[0], self.answers):
            self._gap_done()

    def _gap_done(self):
        """The answer for the bar in progress is in; one that must be there, since it traded, may be late."""
        if self._owed is not None and self._tries < LATE_TRIES:
            self._tries += 1
            self.assembler.drop()
            self.proof.wait_until(self.store.clock() + LATE_SECONDS)
            return
        if self._owed is not None:
            self.feed.say('TWS has no bar from {} on though it traded then'.format(
                moment(self.seam.covered, self.feed.zone or UTC)))
        edge = self.seam.whole_from
        self._finish(edge)
        self.seam.deliver(edge)
        self._owed = None
        self.proof.rest()
        self.state = self._following
        if self.feed.days_only:
            self.seam.whole_from = self.assembler.days.next_end(edge)
            self.state = self._at_seam

    def _hole(self):
        """A hole came into the stream while history was being delivered: the stream counts from its mending on."""
        if not self._holes:
            return False
        record = self._live.popleft()
        while not isinstance(record, HOLES):
            record = self._live.popleft()
        self.answers = collections.deque()
        self._handle(record)
        return True

    # -- records of the live stream ------------------------------------------------------------------------------------

    def _handle(self, record):
        self._holes -= isinstance(record, HOLES)
        self._HANDLERS[type(record)](self, record)

    def _on_tick(self, tick):
        if self._is_late(tick.time):
            return
        self._newest = max(self._newest, tick.time)
        if self.assembler.builds:
            self._push(self.assembler.tick(tick))
        else:
            self._pass(tick.time)
            self.feed.pass_tick(tick)

    def _pass(self, start):
        """A piece goes to backtrader's filters; what they hold of a bar in progress is not delivered yet."""
        if self.assembler.grid is not None:
            self.seam.deliver(self.assembler.grid.start(start))
            self._passed_to = self.assembler.declared_end(start)

    def rewind(self, begins):
        """The stream has a hole: a bar that backtrader's filters had begun at `begins` is dropped, and asked for anew.

        None when they held none: then they have delivered the bars of all pieces they were given.
        """
        if begins is not None:
            self.seam.covered = begins or None
        elif self._passed_to is not None:
            self.seam.deliver(self._passed_to)
        self._passed_to = None

    def _is_late(self, time):
        """Part of a bar that was not watched whole; or older than the last one, which the user may let by."""
        if self.seam.whole_from is not None and time < self.seam.whole_from:
            return True
        if self.feed.p.latethrough:
            return False
        return time < self._newest or self.assembler.builds and time < (self.seam.covered or 0.0)

    def _on_bar(self, bar):
        if self._is_late(bar.time):
            return
        end = self._newest = bar.time + REAL_TIME_BAR
        if self.assembler.builds:
            for built in self.assembler.bar(bar, end):
                self._push(built)
        else:
            self._pass(bar.time)
            self.feed.push(whole(bar, end), history=False)

    def _on_watching(self, watching):
        if self.assembler.grid is not None:
            self.seam.watched(watching.since, self.assembler.grid.next_edge)
            if self.seam.covered is None:
                self.seam.deliver(self.seam.whole_from)
            if self.state == self._following and self.seam.gap() is not None:
                # TWS's clock had told too early a beginning: the bar in progress was not watched whole
                self.assembler.drop()
                self.state = self._at_seam

    def _on_lost(self, lost):
        self.feed.tell(self.feed.CONNBROKEN, lost.reason)
        self.seam.broke()
        self.proof.rest()
        self.assembler.drop()
        self.state = self._lost

    def _on_restored(self, restored):
        self.feed.tell(self.feed.CONNECTED)
        if self.feed.p.backfill and self.feed.has_history:
            self.feed.resume(self.seam.covered)
        else:
            self.seam.covered = None
            self.go_live()

    def _on_refused(self, refused):
        lacking = codes.market_data_error(refused.code, refused.text) == 'not subscribed'
        self.end(self.feed.NOTSUBSCRIBED if lacking else self.feed.DISCONNECTED,
                 '{} {}'.format(refused.code, refused.text))

    def _on_closed(self, closed):
        self.end(self.feed.DISCONNECTED, closed.reason)

    def _on_data_type(self, told):
        self.proof.delayed = told.kind in DELAYED_KINDS
        wanted = self.store.p.marketdatatype
        if told.kind != wanted:
            self.feed.say('TWS sends market data of type {} (1 live, 2 frozen, 3 delayed, 4 delayed and frozen), asked '
                          'for was {}'.format(told.kind, wanted))

    def _on_warned(self, warned):
        self.feed.say('{} {}'.format(warned.code, warned.text))

    _HANDLERS = {Tick: _on_tick, Bar: _on_bar, Watching: _on_watching, Lost: _on_lost, Restored: _on_restored,
                 Refused: _on_refused, Closed: _on_closed, DataType: _on_data_type, Warned: _on_warned}

    # -- out -----------------------------------------------------------------------------------------------------------

    def _finish(self, time):
        built = self.assembler.finish(time)
        self._push(built)
        return built is not None

    def _push(self, built, history=False):
        """Deliver a finished bar, once."""
        if built is not None and self.seam.is_new(built.end):
            self.seam.deliver(built.end)
            self.feed.push(built, history)

    def end(self, status, reason=''):
        """Nothing more will come; the status says why."""
        if reason:
            self.feed.say(reason)
        self.feed.tell(status, *filter(None, [reason]))
        self.feed.unsubscribe()
        self.proof.rest()
        self.state = self._over
