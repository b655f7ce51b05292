"""IBData: the feed backtrader sees. It looks its contract up, follows its course, and fills the lines."""
import collections
import datetime
import logging
from typing import NamedTuple

import backtrader as bt
from backtrader.feed import DataBase

from . import columns, history, livestream
from .assembler import Assembler
from .bars import Grid
from .course import Course
from .daybars import DayEnds, opens, usual_end
from .daynumber import number, seconds
from .errors import HistoryFailed as DownloadFailed
from .errors import IBError, NotSupportedTimeframe, UnknownZone
from .ibclone import IBDataClone, unseen_resampling
from .ibstore import IBStore
from .identity import Identity
from .progress import Progress
from .proof import FOREVER, Proof
from .resampler import FilterClock, Replayer, Resampler
from .zones import UTC, as_zone, zone

log = logging.getLogger(__name__)

#: seconds `start` waits for the contract, so that its time zone is known before the first bar
START_SECONDS = 15.0
#: a tick on the very edge of an interval opens it; backtrader's filters would close with it, so it comes this much later
EDGE_NUDGE = 5e-5
#: what backtrader puts for a `sessionend` that was not given
LAST_MOMENT = datetime.time(23, 59, 59, 999990)
ROW = ('datetime', 'open', 'high', 'low', 'close', 'volume')


class Status(NamedTuple):
    """A status to be notified, in its place among the bars."""
    status: int
    args: tuple


class MetaIBData(DataBase.__class__):
    def __init__(cls, name, bases, dct):
        super().__init__(name, bases, dct)
        IBStore.DataCls = cls


class IBData(DataBase, metaclass=MetaIBData):
    """A live or historical feed of one contract.

    Params:

      - ``sectype`` ('STK'), ``exchange`` ('SMART'), ``currency`` (''): for what the dataname leaves out.
      - ``rtbar`` (False): follow TWS's 5-second bars instead of ticks.
      - ``historical`` (False): deliver history from ``fromdate`` to ``todate``, then end.
      - ``what`` (None): TRADES, MIDPOINT, BID, ASK, BID_ASK...; by default TRADES, or BID for FX and CFD.
      - ``useRTH`` (False): regular trading hours only.
      - ``qcheck`` (0.5): longest sleep of the strategy thread in seconds when nothing comes at all.
      - ``backfill_start`` (True): history first, from ``fromdate`` or as much as one request gives.
      - ``backfill`` (True): fill the gap from history after a reconnection.
      - ``backfill_from`` (None): another feed that delivers its bars first.
      - ``latethrough`` (False): let ticks by that are older than the last one delivered.
      - ``tradename`` (None): dataname of the contract that orders go to, when it is another one.
      - ``hist_tzo`` (0): hours added to the stamps of history.
      - ``rightedge`` (True): stamp bars within a day with their end; False gives IB's label, the start.
      - ``tick_by_tick`` (None): follow TWS's tick-by-tick data instead of RTVolume: 'Last', 'AllLast' (trades, in whole
        seconds), 'BidAsk' (its bid, or what ``what`` says) or 'MidPoint'. TWS allows few of these at a time.

    A feed of ``TimeFrame.Ticks`` has no history: trades missed while the link was down stay missing.

    All stamps are UTC; ``tz`` (or the contract's own zone) is for display and for naive dates, as in backtrader.
    """

    params = (
        ('sectype', 'STK'),
        ('exchange', 'SMART'),
        ('currency', ''),
        ('rtbar', False),
        ('historical', False),
        ('what', None),
        ('useRTH', False),
        ('qcheck', 0.5),
        ('backfill_start', True),
        ('backfill', True),
        ('backfill_from', None),
        ('latethrough', False),
        ('tradename', None),
        ('hist_tzo', 0),
        ('rightedge', True),
        ('tick_by_tick', None),
    )

    _store = IBStore
    _resampling = 0
    resampling = unseen_resampling
    RTBAR_MINSIZE = livestream.SMALLEST

    def __init__(self, **kwargs):
        self.ib = self._store(**kwargs)
        livestream.checked(self.p.tick_by_tick)
        self.identity = Identity(self.p)
        if not isinstance(self.p.dataname, str) and not self.p.name:
            self._name = self.identity.name
        self.zone = self.course = self._edges = None
        self.filterclock = FilterClock(self)
        self.catching_up = False
        self._arrivals = collections.deque()
        self._found = collections.deque()
        self._rows = collections.deque()
        self._clones = []
        self._stage = self._ended
        self._after_other = None
        self._stream = None
        self._farewell = None
        self._preloading = False
        self._may_wait = False
        self._env = None

    @property
    def contract(self):
        """The contract of the data, None until TWS has told it."""
        return self.identity.contract

    @property
    def contractdetails(self):
        return self.identity.details

    @property
    def tradecontract(self):
        """The contract that orders are for, None until TWS has told it."""
        return self.identity.tradecontract

    @property
    def tradecontractdetails(self):
        return self.identity.tradedetails

    @property
    def precontract(self):
        """The contract that TWS is asked for."""
        return self.identity.asked

    @property
    def pretradecontract(self):
        return self.identity.trade_asked

    # -- backtrader's hooks --------------------------------------------------------------------------------------------

    def setenvironment(self, env):
        super().setenvironment(env)
        self._env = env
        env.addstore(self.ib)

    def islive(self):
        return not self.p.historical

    def start(self):
        super().start()
        # backtrader takes a feed for connected from the start and would swallow the first CONNECTED
        self._laststatus = None
        self._reset()
        self._warn()
        if not self._plan_bars():
            return
        self.ib.start(data=self)
        self.ib.find_contract(self.identity.next(), self._found)
        patience = START_SECONDS if self.islive() else FOREVER
        while self._stage == self._contracts and self.ib.await_record(self._found, patience):
            self._contracts()

    def _reset(self):
        """cerebro may run more than once."""
        self.identity.forget()
        self.course = None
        self._edges = Proof(self.ib)
        self._lattices = {}
        self._stage = self._contracts
        self._after_other = None
        self._farewell = None
        self.catching_up = self.islive()
        for queue in (self._arrivals, self._found, self._rows):
            queue.clear()

    def _warn(self):
        """backtrader keeps one bar with `exactbars`, and loses bars that it has to put back for another feed (P93)."""
        feeds = [data for data in self._env.datas if isinstance(data, IBData)]
        if self._env.p.exactbars >= 1 and len(self._env.datas) > 1 and feeds[0] is self:
            self.ib.notify('exactbars={}: backtrader loses bars when several feeds are kept at a length of one; use '
                           'exactbars=-1, 0 or a single feed'.format(int(self._env.p.exactbars)))

    def _plan_bars(self):
        """What history is asked for; False, told and in history raised, when TWS has nothing for such bars."""
        self._passing = bool(self._resampling or self.replaying) or self._timeframe == bt.TimeFrame.Ticks
        try:
            self._size = history.base_size(self._timeframe, self._compression)
        except NotSupportedTimeframe as error:
            self._fail(error, self.NOTSUPPORTED_TF)
            return False
        return True

    def stop(self):
        super().stop()
        self.unsubscribe()
        self._stage = self._ended
        # cerebro may run again: dates are converted again then
        self._started = False

    def clone(self, **kwargs):
        made = IBDataClone(dataname=self, **kwargs)
        self._clones.append(made)
        return made

    def copyas(self, _dataname, **kwargs):
        made = self.clone(**kwargs)
        made._dataname = made._name = _dataname
        return made

    def _gettz(self):
        return self.zone if self.p.tz is None else as_zone(self.p.tz)

    def qbuffer(self, savemem=0, replaying=False):
        super().qbuffer(savemem=savemem, replaying=replaying or bool(self._resampling))

    def haslivedata(self):
        return self.backlog() or len(self) < self.buflen()

    def backlog(self):
        """Whether records wait to become bars."""
        return bool(self._rows or self._arrivals or self._found or (self.course is not None and self.course.backlog()))

    def due(self):
        """Seconds until this feed has to look at the clock."""
        if self.course is None:
            return FOREVER
        ends = [made.filterclock.ends() for made in [self] + self._clones]
        end = min((end for end in ends if end is not None), default=None)
        if end is None:
            self._edges.rest()
        else:
            self._edges.delayed = self.course.proof.delayed
            self._edges.wait_for(end)
        return min(self.course.proof.left(), self._edges.left())

    def proven(self):
        """The time up to which everything TWS sent has arrived."""
        return self.course.proof.time()

    def resample(self, **kwargs):
        self.addfilter(Resampler, **kwargs)

    def replay(self, **kwargs):
        self.addfilter(Replayer, **kwargs)

    def _check(self, forcedata=None):
        self.filterclock.check(super()._check, forcedata)

    def _timeoffset(self):
        return self.filterclock.offset()

    def is_watched(self):
        """Whether live records are delivered as they come, and no history is on its way."""
        return self.course is not None and self.course.follows

    def lattice(self, seconds):
        """The intervals of so many seconds on which TWS has bars of this contract."""
        if seconds not in self._lattices:
            self._lattices[seconds] = Grid(seconds, self.zone or UTC, opens(self._hours(), self.zone or UTC))
        return self._lattices[seconds]

    def day_ends(self, timeframe):
        """When bars of a day and longer end."""
        return self._day_ends.of(timeframe)

    def do_qcheck(self, onoff, qlapse):
        super().do_qcheck(onoff, qlapse)
        # cerebro lets nobody wait as long as only some feeds are live, which may be for good
        self._may_wait = onoff or not any(data.haslivedata() for data in self._env.datas)

    def next(self, datamaster=None, ticks=True):
        delivered = super().next(datamaster=datamaster, ticks=ticks)
        if delivered:
            self.ib.pass_hit = True
        return delivered

    def preload(self):
        self._preloading = True
        if columns.takes(self):
            rows = list(iter(self._next_row, False))
            columns.fill(self, rows, self.fromdate, self.todate)
            self._last()
            self.home()
        else:
            super().preload()
        self._preloading = False

    def advance_peek(self):
        """Asked for before each bar of a preloaded run, in which cerebro itself delivers no notification (P86)."""
        peek = super().advance_peek()
        if peek == FOREVER:
            self._say_farewell()
        self.ib.drain()
        if self.notifs or self.ib.notifs:
            self._env._storenotify()
            self._env._datanotify()
        return peek

    def _load(self):
        row = self._next_row()
        if not row:
            return row
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        if row[0] > self.todate and self.islive():
            self._rows.clear()
            self.course.end(self.DISCONNECTED, 'todate has been reached')
        return True

    def _next_row(self):
        """The next bar, None when there is none now, False when there will be none."""
        slept = False
        while True:
            if self._rows:
                row = self._rows.popleft()
                if not isinstance(row, Status):
                    return row
                self._notify(row)
            elif self._stage():
                continue
            elif self._stage == self._ended or (self.course is not None and self.course.over):
                self._say_farewell()
                return False
            elif not self.islive():
                self.ib.await_kick(self, self.p.qcheck)
            elif slept or not self._may_wait or self.ib.pass_hit:
                return None
            else:
                slept = True
                self.ib.sleep(self.p.qcheck)

    def _notify(self, row):
        self.catching_up = self.islive() and row.status not in (self.LIVE, self.DISCONNECTED, self.NOTSUBSCRIBED)
        if row.status == self.CONNBROKEN:
            self.course.rewind(self.filterclock.drop())
        if self._preloading and row.status == self.DISCONNECTED:
            self._farewell = row
        else:
            self.put_notification(row.status, *row.args)

    def _say_farewell(self):
        """The end of a preloaded feed is told after its last bar."""
        if not self._preloading and self._farewell is not None:
            row, self._farewell = self._farewell, None
            self.put_notification(row.status, *row.args)

    # -- stages: the contract, TWS's time, another feed's bars, the course -------------------------------------------------

    def _contracts(self):
        """Waiting for the details of the data contract, then of the one to trade."""
        if not self._found:
            return False
        try:
            self.identity.take(self._found.popleft())
        except IBError as error:
            self._fail(error)
            return True
        unknown = self.identity.next()
        if unknown is not None:
            self.ib.find_contract(unknown, self._found)
            return True
        self.tell(self.CONNECTED)
        self._know_zone()
        self._stage = self._clock
        return True

    def _hours(self):
        details = self.contractdetails
        return details.liquidHours if self.p.useRTH else details.tradingHours

    def _know_zone(self):
        try:
            self.zone = zone(self.contractdetails.timeZoneId)
        except UnknownZone as error:
            self.ib.notify(str(error))
        clock = self.zone or UTC
        given = self.p.sessionend if self.p.sessionend != LAST_MOMENT else None
        days = self._day_ends = DayEnds(self._timeframe, self._hours(), as_zone(self.p.tz) if given and self.p.tz else clock, given)
        if given is None:
            self.p.sessionend = usual_end(self._hours(), clock) or LAST_MOMENT
        self.course = Course(self, self.ib, Assembler(
            self._timeframe, self._compression, self._size, self.lattice, days, self._passing))
        self._convert_dates()

    def _convert_dates(self):
        """Dates that the user gave are read in the zone, which is known only now."""
        self._start_finish()
        self._started = True

    def _clock(self):
        """Waiting for TWS's time: what is history and what is yet to come depends on it."""
        if not self.ib.heard:
            self.ib.ask_time()
            return False
        self._set_out()
        return True

    def _set_out(self):
        """All is known: what to subscribe to, and what comes first."""
        self._stage = self._run
        if self.islive():
            self._subscribe()
        if self.p.backfill_from is None:
            self.resume(None, start=True)
        else:
            self._begin_other(self._resume_after_other)

    def _begin_other(self, then):
        source = self.p.backfill_from
        source.setenvironment(self._env)
        source._start()
        self.tell(self.DELAYED)
        self._stage, self._after_other = self._other, then

    def _other(self):
        """Delivering the bars of `backfill_from`."""
        source = self.p.backfill_from
        if not source.next():
            source.stop()
            self._after_other()
            return True
        row = tuple(getattr(source.lines, name)[0] for name in ROW)
        self._rows.append(row)
        if self.course is not None:
            self.course.seam.deliver(seconds(row[0]))
        return True

    def _resume_after_other(self):
        self._stage = self._run
        self.resume(self.course.seam.covered, start=True)

    def _run(self):
        while self._arrivals:
            self.course.arrive(self._arrivals.popleft())
        return self.course.state()

    def _ended(self):
        return False

    # -- what the course asks for --------------------------------------------------------------------------------------

    @property
    def days_only(self):
        """Bars of a day and longer come from history alone: TWS's own day is not the sum of its ticks."""
        return self._timeframe >= bt.TimeFrame.Days and not self._passing

    @property
    def has_history(self):
        return self._timeframe != bt.TimeFrame.Ticks

    @property
    def what(self):
        """What TWS is asked to show."""
        return livestream.what(self)

    def resume(self, covered, start=False):
        """Deliver what history has since `covered` (or since `fromdate`), then go on live."""
        begin = covered
        if begin is None and self.p.fromdate is not None:
            begin = seconds(self.fromdate)
        if not self.islive():
            now = self.ib.clock()
            self.course.catch_up(begin, now if self.p.todate is None else min(now, seconds(self.todate)))
        elif self.has_history and (self.p.backfill_start or not start):
            self.course.catch_up(begin, self.course.closed_up_to())
        else:
            self.course.go_live()

    def download(self, begin, end, size, answers):
        """Ask for the bars of [begin, end); whether there was anything to ask for."""
        # live, the stream has proven that `end` has passed, of which our idea of TWS's clock may fall short
        now = max(self.ib.clock(), end) if self.islive() else self.ib.clock()
        if self.contract.secType == 'CONTFUT':
            plan = history.plan_continuous(begin, now, size)
        else:
            plan = history.plan(begin, end, size, now)
        self.progress = Progress(self._name)
        if plan:
            self.ib.download(self.contract, plan, self.what, self.p.useRTH, answers)
        return bool(plan)

    def history_failed(self, record):
        """History has a hole: an error where history is all there is, a notice where live bars go on."""
        self.progress.close()
        text = 'history: {} {}'.format(record.code or '', record.text)
        if not self.islive():
            self._stage = self._ended
            raise DownloadFailed('{}: {}; what came before is not the whole range'.format(self._name, text))
        self.say(text + '; bars are missing here')

    def push(self, built, history):
        """Queue a finished bar."""
        within_day = self._timeframe < bt.TimeFrame.Days
        stamp = built.start if within_day and not self.p.rightedge else built.end
        if history:
            stamp += self.p.hist_tzo * 3600
        self._rows.append((number(stamp),) + built[2:])

    def pass_tick(self, tick):
        """Queue a tick as it is."""
        on_edge = tick.time == int(tick.time) and (self.has_history or bool(self._clones))
        self._rows.append((number(tick.time + EDGE_NUDGE * on_edge),) + (tick.price,) * 4 + (tick.size,))

    def tell(self, status, *args):
        """Notify a status once the bars before it have been delivered."""
        self._rows.append(Status(status, args))

    def say(self, text):
        """Tell `notify_store` about this feed."""
        self.ib.notify('{}: {}'.format(self._name, text))

    def _fail(self, error, status=None):
        """The feed cannot work: raised where it is all that runs, told where others may go on."""
        self.say(str(error))
        self._stage = self._ended
        if not self.islive():
            raise error
        if self.p.backfill_from is not None and self._after_other is None:
            self._convert_dates()
            self._begin_other(lambda: self._give_up(error, status))
        else:
            self._give_up(error, status)

    def _give_up(self, error, status):
        self.tell(self.DISCONNECTED if status is None else status, str(error))
        self._stage = self._ended

    # -- the live stream -----------------------------------------------------------------------------------------------

    def _subscribe(self):
        make = livestream.stream_for(self)
        if make is not None:
            self._stream = self.ib.subscribe(make, self._arrivals)

    def unsubscribe(self):
        """Give the market data line back."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self.ib.unsubscribe(stream)
