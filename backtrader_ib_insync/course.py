"""The way a feed takes: history, the seam to live, live, lost and back. One method per state, on the strategy thread.

    history --> seam --> (gap) --> live
       ^         ^                  |
       '---------'------ lost <-----'

The rule of the seam: a bar that was not watched from its first to its last moment is never built from part of its
ticks, it is fetched from history once it has closed. Hence no loss, no double, no wrong volume, whatever the link does.
"""
from .assembler import LONG
from .bars import REAL_TIME_BAR, Seam, whole
from .frontier import SETTLED_SECONDS, Frontier
from .history import is_small
from .journey import Journey
from .messages import Bar, HistoryFailed, Tick, Watching
from .zones import DAY, UTC, moment, utc_text

#: seconds TWS is given to have a bar in its history that has just closed, and how often it is asked then
LATE_SECONDS = 2.0
LATE_TRIES = 5
#: seconds after the end of a session in which a day's bar may still change: the closing auction is reported after it
AUCTION_SECONDS = 300.0
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
        self._passed_to = self._latest = None
        #: the end of the last bar made of live records, and when a stream that died in silence was heard the last time
        self._built = 0.0
        self._heard = None
        #: when a trade was seen that history, asked for its bar, must know of
        self._owed = None
        self._tries = 0
        self._asked = self._until = None
        self._frontier = Frontier()
        #: the end of the bar that history, when it was asked at first, may not have had yet
        self._missing = None
        self._is_told = False
        #: the end of the last day that history has shown, and till when one must have ended for its bar to be final
        self._day = self._settled = 0.0
        self._sizes = assembler.sizes(False)
        self._rounds = 0

    @property
    def follows(self):
        """Whether live records are delivered as they come."""
        return self.state == self._following

    @property
    def _travels(self):
        return self.state in (self._history, self._gap) or self._is_held

    @property
    def lags(self):
        """Whether a bar that closed long ago is still on its way though the feed is live."""
        travels = self.state in (self._history, self._gap)
        return travels and self._is_told and self.proof.now() > self._until + OLD_SECONDS

    @property
    def _is_held(self):
        """Whether live records wait for the bar before them, which is not asked for yet."""
        return self.state == self._at_seam and not self._holes and bool(self._live) and self._is_whole(self._live[0])

    def _is_whole(self, record):
        """Whether a record belongs to a bar that is watched from its start."""
        edge = self.seam.whole_from
        return isinstance(record, (Tick, Bar)) and edge is not None and record.time >= edge

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
        if self._live and (self.proof.delayed or int(self._seen()) > self._live[0].time):
            return True
        return self.proof.time() >= self._asks_at(edge)

    def _asks_at(self, edge):
        """When history is asked for what ended at `edge`."""
        return edge

    def _seen(self):
        """The time of the newest live record that waits."""
        return self._live[-1].time if self._live and isinstance(self._live[-1], (Tick, Bar)) else 0.0

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

    # -- history -------------------------------------------------------------------------------------------------------

    def catch_up(self, begin, end):
        """Deliver the bars of [begin, end) from history, then go on live (a historical feed: end)."""
        self.feed.rows.tell(self.feed.DELAYED)
        self._rounds = self._tries = 0
        self._is_told = False
        self._sizes = self.assembler.sizes(self.seam.covered is None)
        self._fetch(self.assembler.begin(begin), end)

    def _fetch(self, begin, end):
        self._asked, self._until = begin, end
        self.state = self._history
        if not self._download(begin):
            self._history_done()

    def _download(self, begin):
        self.proof.rest()
        size, now = self._sizes[0], self.proof.now()
        self._settled = now - AUCTION_SECONDS if self.feed.islive() else self._until
        start = None if size in LONG else self.assembler.piece_start
        # one of the two clocks may be ahead of the market
        self._frontier = Frontier(self._until, min(now, self.proof.local()), start)
        return self.feed.archive.download(begin, self._until, size, self.answers, self._seen())

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
            self._frontier = Frontier(self._until)
            return True
        if self._sizes[0] in LONG:
            self._take_days(record.bars)
        else:
            self._take_bars(self._frontier.passed(record.bars, self.assembler.piece_end))
        self.feed.archive.progress.told(record.number + 1, record.of)
        return record.number == record.of - 1

    def _take_bars(self, bars):
        for bar in bars:
            if self._owed is not None and self.assembler.piece_end(bar.time) > self._owed:
                self._owed = None
            self._push(self.assembler.history(bar, self._sizes[0], self._until), history=True)

    def _take_days(self, bars):
        for bar in bars:
            if self.assembler.days.finished(bar.time, self._settled):
                self._day = max(self._day, self.assembler.days.end(bar.time))
            self._push(self.assembler.history(bar, self._sizes[0], self._settled), history=True)

    def _history_done(self):
        if len(self._sizes) > 1:
            self._fetch_rest()
        elif not self.feed.islive():
            self._take_rest()
            self._finish(self._until)
            self.end(self.feed.DISCONNECTED, self._nothing())
        else:
            self._caught_up()

    def _take_rest(self):
        """Where nothing follows, what TWS has is all there is to be had."""
        rest = self._frontier.release()
        self._take_bars(rest)
        if rest:
            self.feed.say('the last bar had closed only seconds before: TWS may not have had all of it')

    def _ask_later(self):
        """History is behind what has traded: ask again in a while; False when it was asked often enough."""
        is_early = not self._frontier.is_reached and self.proof.local() < self._until
        if self._tries >= LATE_TRIES and not is_early:
            return False
        self._tries += 1
        # TWS paces requests for small bars: one when it must have them, not one after the other
        is_slow = self._tries > LATE_TRIES or is_small(self._sizes[0]) and not self._frontier.is_reached
        self.proof.wait_until(self.store.clock() + (SETTLED_SECONDS if is_slow else LATE_SECONDS))
        return True

    def _caught_up(self):
        """All of the answer that is to be believed has been delivered; what is held back comes with the next bar."""
        self._finish(self._frontier.reached)
        self.assembler.drop()
        grid, end = self.assembler.grid, self.closed_up_to()
        self.seam.deliver(max(grid.start(self._frontier.reached), self._asked or 0.0))
        is_missing = not self._frontier.is_reached and grid.seconds >= WORTH_ASKING and not self._tries
        self._missing = self._until if is_missing else None
        if end > self._until and self._rounds < MORE_ROUNDS:
            # a long download: what closed meanwhile is no more live than the rest
            self._rounds += 1
            self._fetch(self.seam.covered, end)
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
        if not self._is_told:
            self._is_told = True
            self._owed = None
            self.feed.rows.tell(self.feed.LIVE)
        self.state = self._at_seam

    # -- the seam ------------------------------------------------------------------------------------------------------

    def _skip_partial(self):
        """Drop what belongs to the bar in progress, up to the first record of a bar that is watched whole."""
        while self._live and self.state == self._at_seam:
            if self._is_whole(self._live[0]):
                return
            record = self._live.popleft()
            if not isinstance(record, (Tick, Bar)):
                self._handle(record)
            elif self.seam.is_new(record.time):
                self._owed = record.time

    def _fetch_gap(self):
        self.proof.rest()
        self.state = self._gap
        self._missing = None
        begin, self._until = self.seam.gap()
        if not self._download(begin):
            self._gap_done()

    def _gap_done(self):
        """The answer for the bar in progress is in; one that must be there, since it traded, may be late."""
        if (self._owed is not None or not self._frontier.is_reached) and self._ask_later():
            self.assembler.drop()
            return
        self._take_bars(self._frontier.release())
        if self._owed is not None:
            self.feed.say('TWS has no bar from {} on though it traded then'.format(
                moment(self.seam.covered, self.feed.zone or UTC)))
        edge = self.seam.whole_from
        self._finish(edge)
        self.seam.deliver(edge)
        self._owed = None
        self.proof.rest()
        self.state = self._following

    # -- records of the live stream ------------------------------------------------------------------------------------

    def _on_tick(self, tick):
        # a trade out of order belongs to the bar in progress as well
        if self._is_late(tick.time, self.assembler.begun(self._newest)):
            return
        if self.assembler.builds:
            self._push(self.assembler.tick(tick))
        elif tick.time < self._newest and not self.feed.p.latethrough:
            self.feed.rows.pass_late(tick, self._latest)
        else:
            self._latest = tick
            self._pass(tick.time)
            self.feed.rows.pass_tick(tick)
        self._newest = max(self._newest, tick.time)

    def _pass(self, start):
        """A piece goes to backtrader's filters; what they hold of a bar in progress is not delivered yet."""
        self.seam.deliver(self.assembler.grid.start(start))
        self._passed_to = self.assembler.declared_end(start)

    def played(self, time):
        """A bar of another feed, which ends at `time`, comes before this one's."""
        self.seam.deliver(time)

    def rewind(self, filters):
        """The stream has a hole: a bar that backtrader's filters had begun is dropped, and asked for anew.

        When they held none they have delivered the bars of all pieces they were given.
        """
        begins = filters.drop()
        if begins is not None:
            self.seam.covered = begins or None
        elif self._passed_to is not None:
            self._doubt(self._passed_to)
            self.seam.deliver(self._passed_to)
        self._passed_to = None

    def _is_late(self, time, newest):
        """Part of a bar that was not watched whole; or older than `newest`, which the user may let by."""
        if self.seam.whole_from is not None and time < self.seam.whole_from:
            return True
        if self.feed.p.latethrough:
            return False
        return time < newest or self.assembler.builds and time < (self.seam.covered or 0.0)

    def _on_bar(self, bar):
        if self._is_late(bar.time, self._newest):
            return
        end = self._newest = bar.time + REAL_TIME_BAR
        if self.assembler.builds:
            for built in self.assembler.bar(bar, end):
                self._push(built)
        else:
            self._pass(bar.time)
            self.feed.rows.push(whole(bar, end), history=False)

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
        self._heard = lost.heard
        self._doubt(self._built)
        self.seam.broke()
        self._missing = None
        self.assembler.drop()

    def _doubt(self, end):
        """The bar in which a stream died unnoticed was closed by the clock, perhaps without its last part."""
        if self._heard is not None and end > max(self._heard, self._newest):
            self.feed.say('the bar that ends at {} may have come without its last part: the subscription had died'
                          .format(moment(end, self.feed.zone or UTC)))

    def _resume(self):
        if self.feed.p.backfill:
            self.feed.archive.resume(self.seam.covered)
        else:
            self.seam.covered = None
            self._is_told = False
            self.go_live()

    # -- out -----------------------------------------------------------------------------------------------------------

    def _finish(self, time):
        built = self.assembler.finish(time)
        self._push(built)
        return built is not None

    def _push(self, built, history=False):
        """Deliver a finished bar, once."""
        if built is not None and self.seam.is_new(built.end):
            if self.follows:
                self._built = built.end
            self.seam.deliver(built.end)
            self.feed.rows.push(built, history)
