"""The way a feed takes: history, the seam to live, live, lost and back. One method per state, on the strategy thread.

    history --> seam --> (gap) --> live
       ^         ^                  |
       '---------'------ lost <-----'

The rule of the seam: a bar that was not watched from its first to its last moment is never built from part of its
ticks, it is fetched from history once it has closed. Hence no loss, no double, no wrong volume, whatever the link does.
"""
from .bars import Seam
from .delivery import Delivery
from .excerpt import Excerpt
from .frontier import SETTLED_SECONDS
from .journey import Journey
from .livequeue import MARKET
from .messages import Bar, HistoryFailed, Tick, Watching
from .zones import DAY, UTC, moment

#: bars of at least so many seconds are asked for again when history is behind; shorter ones come with the next
WORTH_ASKING = 60.0
#: seconds after which a bar that is still on its way from history is old: TWS's pace may hold it back for minutes
OLD_SECONDS = 15.0
#: downloads that may follow the first one before a feed is called live, for bars that closed meanwhile
MORE_ROUNDS = 3


class Course(Journey):
    """The course of a feed of bars."""

    def __init__(self, feed, store, assembler):
        super().__init__(feed, store)
        self.assembler = assembler
        self.seam = Seam()
        self.delivery = Delivery(feed, assembler, self.seam)
        #: what history is asked for, and how often it was asked in vain
        self.excerpt = None
        self._tries = 0
        #: the end of the bar that history, when it was asked at first, may not have had yet
        self._missing = None
        self._is_told = False
        self._sizes = assembler.sizes(False)
        self._rounds = 0

    @property
    def _travels(self):
        return self.state in (self._history, self._gap) or self._is_held

    @property
    def lags(self):
        """Whether a bar that closed long ago is still on its way though the feed is live."""
        travels = self.state in (self._history, self._gap)
        return travels and self._is_told and self.proof.now() > self.excerpt.until + OLD_SECONDS

    @property
    def _is_held(self):
        """Whether live records wait for the bar before them, which is not asked for yet."""
        waits = self._live.is_from(self.seam.whole_from) and not self._live.has_hole
        return waits and self.state == self._at_seam

    # -- states: each takes what is there and returns whether it got any further ---------------------------------------

    def _history(self):
        """Delivering history: of a historical feed, at start, or after a hole."""
        if self._hole():
            return True
        if not self.answers:
            return False
        if self._take_history(self.answers.popleft()):
            self._history_done()
        return True

    def _at_seam(self):
        """Up to date but for the bar in progress, not watched from its start: it is fetched when it has closed."""
        if self._hole():
            return True
        self._skip_partial()
        if self.state != self._at_seam:
            return True
        edge = self.seam.whole_from
        if edge is not None and self.seam.gap() is None:
            self.state = self._following
        elif edge is not None and self._has_passed(edge):
            self._tries = 0
            self._fetch_gap()
        elif self._missing is not None and self.proof.now() >= self._missing + SETTLED_SECONDS:
            self._tries = 1
            self._fetch(self.seam.covered, self._missing)
        else:
            self._wait_at_seam(edge)
            return False
        return True

    def _wait_at_seam(self, edge):
        """For the end of the bar in progress, or till history has the one before it."""
        times = [] if edge is None else [self._asks_at(edge)]
        if self._missing is not None:
            times.append(self._missing + SETTLED_SECONDS)
        if times:
            self.proof.wait_for(min(times))

    def _has_passed(self, edge):
        """Whether it is time to ask for what was in progress till `edge`; live records may prove it before the clock.

        Questions are dated in whole seconds: the first of them is worth one when the answer can show it, too.
        """
        if self._live and (self.proof.delayed or int(self._live.newest()) > self._live[0].time):
            return True
        return self._proven >= self._asks_at(edge)

    def _asks_at(self, edge):
        """When history is asked for what ended at `edge`."""
        return edge

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
        progress = bool(self._live)
        while self._live and self.state == self._following:
            self._handle(self._live.popleft())
        if self.state != self._following:
            return True
        finished = self.delivery.finish(self._proven)
        ends = self.assembler.ends()
        if ends is None:
            self.proof.rest()
        else:
            self.proof.wait_for(ends)
        return progress or finished

    # -- history -------------------------------------------------------------------------------------------------------

    def catch_up(self, begin, end):
        """Deliver the bars of [begin, end) from history, then go on live (a historical feed: end)."""
        self.feed.rows.tell(self.feed.DELAYED)
        self._rounds = self._tries = 0
        self._is_told = False
        self._sizes = self.assembler.sizes(self.seam.covered is None)
        self._fetch(self.assembler.begin(begin), end)

    def _fetch(self, begin, end):
        self.state = self._history
        if not self._ask(begin, end):
            self._history_done()

    def _ask(self, begin, end):
        """Ask for the bars of [begin, end); whether there was anything to ask for."""
        self.proof.rest()
        self.excerpt = Excerpt(self.assembler, self.proof, self._sizes[0], begin, end, not self.feed.islive())
        return self.feed.archive.download(begin, end, self._sizes[0], self.answers, self._live.newest())

    def has_past(self, begin):
        """Whether there is history to begin with: as much as one request gives when `begin` is None."""
        return True

    def ends_at(self, todate):
        """Where the history of a historical feed ends."""
        now = self.store.clock()
        return now if todate is None else min(now, todate)

    def closed_up_to(self):
        """The latest edge that TWS's clock is proven to have passed: no bar before it is in progress."""
        grid, now = self.assembler.grid, self.proof.now()
        return now if grid is None else grid.start(now)

    def _take_history(self, record):
        """Deliver an answer's bars; whether it was the last one."""
        if isinstance(record, HistoryFailed):
            self.feed.archive.failed(record)
            # what it would have gone on with is not there
            self.assembler.drop()
            self.excerpt.fail()
            return True
        self.delivery.history(self.excerpt.take(record.bars))
        self.feed.archive.progress.told(record.number + 1, record.of)
        return record.number == record.of - 1

    def _history_done(self):
        if len(self._sizes) > 1:
            self._fetch_rest()
        elif not self.feed.islive():
            self._take_rest()
            self.delivery.finish_history(self.excerpt.until)
            nothing = 'TWS has no data {}'.format(self.excerpt) if self.seam.covered is None else ''
            self.end(self.feed.DISCONNECTED, nothing)
        else:
            self._caught_up()

    def _take_rest(self):
        """Where nothing follows, what TWS has is all there is to be had."""
        rest = self.excerpt.rest()
        self.delivery.history(rest)
        if rest:
            self.feed.say('the last bar had closed only seconds before: TWS may not have had all of it')

    def _ask_later(self):
        """History is behind what has traded: ask again in a while; False when it was asked often enough."""
        pause = self.excerpt.pause(self._tries, self.proof.local())
        if pause is None:
            return False
        self._tries += 1
        self.proof.wait_until(self.store.clock() + pause)
        return True

    def _caught_up(self):
        """All of the answer that is to be believed has been delivered; what is held back comes with the next bar."""
        excerpt, grid, end = self.excerpt, self.assembler.grid, self.closed_up_to()
        self.delivery.finish_history(excerpt.reached)
        self.assembler.drop()
        self.seam.deliver(max(grid.start(excerpt.reached), excerpt.begin or 0.0))
        is_missing = not excerpt.is_reached and grid.seconds >= WORTH_ASKING and not self._tries
        self._missing = excerpt.until if is_missing else None
        if end > excerpt.until and self._rounds < MORE_ROUNDS:
            # a long download: what closed meanwhile is no more live than the rest
            self._rounds += 1
            self._fetch(self.seam.covered, end)
        else:
            self.go_live()

    def _fetch_rest(self):
        """After the days the smaller bars of the day in progress."""
        self._sizes = self._sizes[1:]
        until = self.excerpt.until
        known = [time for time in (self.excerpt.begin, self.seam.covered) if time is not None]
        self._fetch(max(known) if known else until - DAY, until)

    def go_live(self):
        """Up to date: what follows is real time."""
        if not self._is_told:
            self._is_told = True
            self.seam.owed = None
            self.feed.rows.tell(self.feed.LIVE)
        self.state = self._at_seam

    # -- the seam ------------------------------------------------------------------------------------------------------

    def _skip_partial(self):
        """Drop what belongs to the bar in progress, up to the first record of a bar that is watched whole."""
        while self._live and self.state == self._at_seam and not self._live.is_from(self.seam.whole_from):
            record = self._live.popleft()
            if isinstance(record, MARKET):
                # a quote is nothing that history must have a bar of
                if isinstance(record, Bar) or record.size:
                    self.seam.saw(record.time)
            else:
                self._handle(record)

    def _fetch_gap(self):
        self.state = self._gap
        self._missing = None
        if not self._ask(*self.seam.gap()):
            self._gap_done()

    def _gap_done(self):
        """The answer for the bar in progress is in; one that must be there, since it traded, may be late."""
        if (self.seam.owed is not None or not self.excerpt.is_reached) and self._ask_later():
            self.assembler.drop()
            return
        self.delivery.history(self.excerpt.rest())
        if self.seam.owed is not None:
            self.feed.say('TWS has no bar from {} on though it traded then'.format(
                moment(self.seam.covered, self.feed.zone or UTC)))
        edge = self.seam.whole_from
        self.delivery.finish_history(edge)
        self.seam.deliver(edge)
        self.seam.owed = None
        self.proof.rest()
        self.state = self._following

    # -- records of the live stream ------------------------------------------------------------------------------------

    def _on_tick(self, tick):
        self.delivery.tick(tick)

    def _on_bar(self, bar):
        self.delivery.bar(bar)

    def _on_watching(self, watching):
        self.seam.watched(watching.since, self.assembler.grid.next_edge)
        if self.seam.covered is None:
            self.seam.deliver(self.seam.whole_from)
        if self.state == self._following and self.seam.gap() is not None:
            # TWS's clock had told too early a beginning: the bar in progress was not watched whole
            self.assembler.drop()
            self.state = self._at_seam

    _HANDLERS = dict(Journey._HANDLERS)
    _HANDLERS.update({Tick: _on_tick, Bar: _on_bar, Watching: _on_watching})

    def _broke(self, lost):
        self.delivery.broke(lost.heard)
        self._missing = None

    def _resume(self):
        if self.feed.p.backfill:
            self.feed.archive.resume(self.seam.covered)
        else:
            self.seam.covered = None
            self._is_told = False
            self.go_live()

    # -- what the feed and its filters delivered -----------------------------------------------------------------------

    def played(self, time):
        """A bar of another feed, which ends at `time`, comes before this one's."""
        self.seam.deliver(time)

    def rewind(self, filters):
        """The stream has a hole: what backtrader's filters hold of a bar is asked for anew."""
        self.delivery.rewind(filters)
