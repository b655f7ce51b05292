"""IBData: the feed backtrader sees. It looks its contract up, follows its course, and fills the lines."""
import collections
import datetime
import logging
from typing import NamedTuple

import backtrader as bt
from backtrader.feed import DataBase

from . import columns, history, livestream
from .assembler import Assembler
from .course import Course
from .daynumber import number, seconds
from .errors import HistoryFailed as DownloadFailed
from .errors import NotSupportedTimeframe, UnknownZone
from .ibclone import IBDataClone, unseen_resampling
from .ibstore import IBStore
from .identity import Identity
from .overture import Overture
from .progress import Progress
from .proof import FOREVER, Proof
from .resampler import FilterClock, aligned
from .timetable import Timetable
from .zones import UTC, as_zone, zone

log = logging.getLogger(__name__)

#: seconds `start` waits for the contract, so that its time zone is known before the first bar
START_SECONDS = 15.0
#: a tick on the very edge of an interval opens it; backtrader's filters would close with it, so it comes so much later
EDGE_NUDGE = 5e-5
#: what backtrader puts for a `sessionend` that was not given
LAST_MOMENT = datetime.time(23, 59, 59, 999990)


class Status(NamedTuple):
    """A status to be notified, in its place among the bars."""
    status: int
    args: tuple


class MetaIBData(DataBase.__class__):
    def __init__(cls, name, bases, dct):
        super().__init__(name, bases, dct)
        IBStore.DataCls = cls


@aligned
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
        self.zone = self.timetable = self.overture = self.course = self._edges = None
        self.filterclock = FilterClock(self)
        self.catching_up = False
        self._arrivals = collections.deque()
        self._rows = collections.deque()
        self._clones = []
        self._stage = self._ended
        self._has_own_end = True
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
        self.overture.begin()
        patience = START_SECONDS if self.islive() else FOREVER
        while self._stage == self._prepare and self.overture.looks_up and self.ib.await_record(
                self.overture.found, patience):
            self.overture.stage()

    def _reset(self):
        """cerebro may run more than once."""
        self.identity.forget()
        self.course = None
        self._edges = Proof(self.ib)
        self.overture = Overture(self, self.ib, self.p.backfill_from)
        self._stage = self._prepare
        self._farewell = None
        self.catching_up = self.islive()
        for queue in (self._arrivals, self._rows):
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
            self.fail(error, self.NOTSUPPORTED_TF)
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
        return bool(self._rows or self._arrivals or self.overture is not None and self.overture.found
                    or self.course is not None and self.course.backlog())

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

    def is_watched(self):
        """Whether live records are delivered as they come, and no history is on its way."""
        return self.course is not None and self.course.follows

    def lattice(self, seconds):
        """The intervals of so many seconds on which TWS has bars of this contract."""
        return self.timetable.lattice(seconds)

    def day_ends(self, timeframe):
        """When bars of a day and longer end."""
        return self.timetable.day_ends(timeframe)

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
        self.ib.link.drain()
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

    # -- stages: the overture, then the course -------------------------------------------------------------------------

    def _prepare(self):
        return self.overture.stage()

    def introduce(self):
        """The contracts are known: so are the zone and the hours."""
        self.tell(self.CONNECTED)
        try:
            self.zone = zone(self.contractdetails.timeZoneId)
        except UnknownZone as error:
            self.ib.notify(str(error))
        self._make_timetable()
        days = self.day_ends(self._timeframe)
        self.course = Course(self, self.ib, Assembler(
            self._timeframe, self._compression, self._size, self.lattice, days, self._passing))
        self._convert_dates()

    def _make_timetable(self):
        p = self.p
        own = p.sessionend if self._has_own_end and p.sessionend != LAST_MOMENT else None
        self._has_own_end = own is not None
        endzone = as_zone(p.tz) if p.tz else None
        self.timetable = Timetable(self.contractdetails, p.useRTH, self.zone or UTC, own, endzone)
        if own is None:
            p.sessionend = self.timetable.usual_end() or LAST_MOMENT

    def _convert_dates(self):
        """Dates that the user gave are read in the zone, which is known only now."""
        self._start_finish()
        self._started = True

    def set_out(self, covered):
        """All is known, and delivered up to `covered`: the course begins."""
        self._stage = self._run
        self.resume(covered, start=True)

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

    def deliver(self, row, time):
        """Queue a bar of another feed."""
        self._rows.append(row)
        if self.course is not None:
            self.course.seam.deliver(time)

    def tell(self, status, *args):
        """Notify a status once the bars before it have been delivered."""
        self._rows.append(Status(status, args))

    def say(self, text):
        """Tell `notify_store` about this feed."""
        self.ib.notify('{}: {}'.format(self._name, text))

    def fail(self, error, status=None):
        """The feed cannot work: raised where it is all that runs, told where others may go on."""
        self.say(str(error))
        self._stage = self._ended
        if not self.islive():
            raise error
        if self.overture.play_other(lambda: self._give_up(error, status)):
            self._convert_dates()
            self._stage = self._prepare
        else:
            self._give_up(error, status)

    def _give_up(self, error, status):
        self.tell(self.DISCONNECTED if status is None else status, str(error))
        self._stage = self._ended

    # -- the live stream -----------------------------------------------------------------------------------------------

    def subscribe(self):
        """Follow the live stream; a feed that has none, and one of history alone, does not."""
        if not self.islive():
            return
        make = livestream.stream_for(self)
        if make is not None:
            self._stream = self.ib.subscribe(make, self._arrivals)

    def unsubscribe(self):
        """Give the market data line back."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self.ib.unsubscribe(stream)
