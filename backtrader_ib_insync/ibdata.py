"""IBData: the feed backtrader sees. It looks its contract up, follows its course, and fills the lines."""
import collections
import datetime
import math

import backtrader as bt
from backtrader.feed import DataBase

from . import columns, history, livestream
from .archive import Archive
from .assembler import Assembler
from .course import Course
from .daycourse import DayCourse
from .errors import BadParameter, NotConnected, NotSupportedTimeframe, UnknownZone
from .ibclone import IBDataClone, unseen_resampling
from .ibstore import IBStore
from .identity import Identity
from .overture import Overture
from .proof import Proof
from .regularhours import RegularHours
from .resampler import FilterClock, aligned
from .rows import Rows, Status
from .tickcourse import TickCourse
from .timetable import Timetable
from .zones import UTC, as_zone, zone

#: seconds `start` waits for the contract, so that its time zone is known before the first bar
START_SECONDS = 15.0
#: what backtrader puts for a `sessionend` that was not given
LAST_MOMENT = datetime.time(23, 59, 59, 999990)


def _of_identity(name, meaning):
    return property(lambda self: getattr(self.identity, name), doc=meaning)


class MetaIBData(DataBase.__class__):
    def __init__(cls, name, bases, dct):
        super().__init__(name, bases, dct)
        IBStore.DataCls = cls


@aligned
class IBData(DataBase, metaclass=MetaIBData):
    """A live or historical feed of one contract.

    Params:

      - ``sectype`` ('STK'), ``exchange`` ('SMART'), ``currency`` (''): for what the dataname leaves out.
      - ``rtbar`` (False): follow TWS's 5-second bars instead of ticks, for bars that 5 seconds divide.
      - ``historical`` (False): deliver history from ``fromdate`` to ``todate``, then end.
      - ``what`` (None): TRADES, MIDPOINT, BID, ASK, BID_ASK...; by default TRADES, or BID for FX and CFD. Live it means
        what it means in history; but for days there are trades, BID, ASK and MIDPOINT only. Bars of these three are
        made of TWS's 5-second bars where 5 seconds divide them, else of the quotes as they change.
      - ``useRTH`` (False): regular trading hours only. Live bars are then made of TWS's 5-second bars, which keep to
        them; where 5 seconds divide none, ticks are held against the hours that the contract tells.
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

    A feed of ``TimeFrame.Ticks`` delivers every trade (of FX, CFD and indices every change of the price). Trades that
    passed while the link was down come from TWS's history of ticks before it says LIVE again, and with ``fromdate``
    those since then; without it a live feed of ticks begins now. TWS dates ticks of history in whole seconds, so
    several have the same stamp; what was delivered of a second is not told twice. IB filters its history: where it
    lacks a trade that came live ``notify_store`` is told. It gives a thousand ticks a request, 60 requests in 10
    minutes: a day of a busy stock takes an hour or more.

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

    contract = _of_identity('contract', 'The contract of the data, None until TWS has told it.')
    contractdetails = _of_identity('details', 'Its details.')
    tradecontract = _of_identity('tradecontract', 'The contract that orders are for, None until TWS has told it.')
    tradecontractdetails = _of_identity('tradedetails', 'Its details.')
    precontract = _of_identity('asked', 'The contract that TWS is asked for.')
    pretradecontract = _of_identity('trade_asked', 'The one for orders that TWS is asked for.')

    def __init__(self, **kwargs):
        self.ib = self._store(**kwargs)
        livestream.checked(self.p.tick_by_tick)
        self.identity = Identity(self.p)
        if not isinstance(self.p.dataname, str) and not self.p.name:
            self._name = self.identity.name
        self.zone = self.timetable = self._hours = self.archive = self.overture = self.course = self._edges = None
        self.filterclock = FilterClock(self)
        self._catching_up = False
        self._arrivals = collections.deque()
        self.rows = Rows(self)
        self._clones = []
        self._stage = self._ended
        self._has_own_end = True
        self._stream = None
        self._farewell = None
        self._preloading = False
        self._may_wait = False
        self._env = None

    # -- backtrader's hooks --------------------------------------------------------------------------------------------

    def setenvironment(self, env):
        if any(data is self for data in env.datas):
            raise BadParameter('the feed {!r} is in this cerebro already, and twice it would lose bars: make a second '
                               'one with getdata(...)'.format(self._name))
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
        patience = self.ib.patience(START_SECONDS) if self.islive() else math.inf
        while self._stage == self._prepare and self.overture.looks_up and self.ib.await_fact(self.backlog, patience):
            self._prepare()

    def _reset(self):
        """cerebro may run more than once, and an exception may have ended a run."""
        self.unsubscribe()
        self.identity.forget()
        self.course = None
        self._edges = Proof(self.ib)
        self.archive = Archive(self, self.ib)
        self.overture = Overture(self, self.ib, self.p.backfill_from)
        self._stage = self._prepare
        self._farewell = None
        self._catching_up = self.islive()
        for queue in (self._arrivals, self.rows):
            queue.clear()

    def _warn(self):
        """backtrader keeps one bar with `exactbars`, and loses bars that it has to put back for another feed (P93)."""
        if self._env.p.exactbars >= 1 and len(self._env.datas) > 1 and not self.ib.datas:
            self.ib.notify('exactbars={}: backtrader loses bars when several feeds are kept at a length of one; use '
                           'exactbars=-1, 0 or a single feed'.format(int(self._env.p.exactbars)))

    def _plan_bars(self):
        """What history is asked for; False, told and in history raised, when TWS has nothing for such bars."""
        self._passing = bool(self._resampling or self.replaying)
        try:
            self._size = history.base_size(self._timeframe, self._compression)
            if not self._passing:
                history.check_declared(self._timeframe, self._compression)
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
        return bool(self.rows or self._arrivals or self.overture is not None and self.overture.found
                    or self.course is not None and self.course.backlog())

    def due(self):
        """Seconds until this feed has to look at the clock."""
        if self.course is None:
            return math.inf
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
        self._tell(peek == math.inf)
        return peek

    def advance(self, size=1, datamaster=None, ticks=True):
        super().advance(size, datamaster, ticks)
        # a preloaded run with `oldsync` does not even ask before each bar
        if self._env.p.oldsync and self._env._dopreload and self._env._dorunonce:
            self._tell(len(self) >= self.buflen())

    def _tell(self, is_last):
        if is_last:
            self._say_farewell()
        self.ib.link.drain()
        if self.notifs or self.ib.notifs:
            self._env._storenotify()
            self._env._datanotify()

    def _load(self):
        row = self._next_row()
        if not row:
            return row
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        if row[0] > self.todate and self.islive():
            self.rows.clear()
            self.course.end(self.DISCONNECTED, 'todate has been reached')
        return True

    def _next_row(self):
        """The next bar, None when there is none now, False when there will be none."""
        slept = False
        while True:
            if self.rows:
                row = self.rows.popleft()
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
        self._catching_up = self.islive() and row.status not in (self.LIVE, self.DISCONNECTED, self.NOTSUBSCRIBED)
        if row.status == self.CONNBROKEN:
            self.course.rewind(self.filterclock)
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
        return self._is_cut_off() or self.overture.stage()

    def _is_cut_off(self):
        """Whether the store was stopped while there was no stream to end."""
        if self._stream is not None or not self._arrivals:
            return False
        self.fail(NotConnected(self._arrivals.popleft().reason))
        return True

    def introduce(self):
        """The contracts are known: so are the zone and the hours. Raises BadParameter."""
        livestream.check_what(self)
        self.rows.tell(self.CONNECTED)
        try:
            self.zone = zone(self.contractdetails.timeZoneId)
        except UnknownZone as error:
            self.ib.notify(str(error))
        self._make_timetable()
        self._hours = RegularHours(self, self.ib) if self.p.useRTH else None
        self.course = self._plan_course()
        self._convert_dates()

    def _plan_course(self):
        if self.is_of_ticks:
            return TickCourse(self, self.ib, livestream.tick_kind(self))
        days = self.day_ends(self._timeframe)
        kind = DayCourse if self.days_only else Course
        return kind(self, self.ib, Assembler(
            self._timeframe, self._compression, self._size, self.lattice, days, self._passing))

    def _make_timetable(self):
        p = self.p
        own = p.sessionend if self._has_own_end and p.sessionend != LAST_MOMENT else None
        self._has_own_end = own is not None
        endzone = as_zone(p.tz) if p.tz else None
        self.timetable = Timetable(self.contractdetails, p.useRTH, self.zone or UTC, own, endzone)
        if own is None:
            p.sessionend = self.timetable.usual_end(self._gettz() or UTC) or LAST_MOMENT

    def _convert_dates(self):
        """Dates that the user gave are read in the zone, which is known only now."""
        self._start_finish()
        self._started = True

    def set_out(self, covered):
        """All is known, and delivered up to `covered`: the course begins."""
        self._stage = self._run
        self.archive.resume(covered, start=True)

    def arrive(self, record):
        """A word for this feed, from any thread."""
        self._arrivals.append(record)

    def _run(self):
        if not self.islive() and self._is_cut_off():
            return True
        while self._arrivals:
            record = self._arrivals.popleft()
            if self._hours is None or self._hours.admits(record):
                self.course.arrive(record)
        return self.course.state()

    def _ended(self):
        return False

    @property
    def catching_up(self):
        """Whether bars that closed long ago are still to come: orders would follow prices of the past."""
        return self._catching_up or self.course is not None and self.course.lags

    # -- what the course asks for --------------------------------------------------------------------------------------

    @property
    def days_only(self):
        """Bars of a day and longer come from history alone: TWS's own day is not the sum of its ticks."""
        return self._timeframe >= bt.TimeFrame.Days and not self._passing

    @property
    def is_of_ticks(self):
        """Whether every trade is a bar."""
        return self._timeframe == bt.TimeFrame.Ticks

    @property
    def is_filtered(self):
        """Whether backtrader's filters may join what this delivers."""
        return self._passing or bool(self._clones)

    @property
    def what(self):
        """What TWS is asked to show."""
        return livestream.what(self)

    def deliver(self, row, time):
        """Queue a bar of another feed."""
        self.rows.append(row)
        if self.course is not None:
            self.course.played(time)

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
        self.rows.tell(self.DISCONNECTED if status is None else status, str(error))
        self.quit()

    def quit(self):
        """Nothing more will be delivered."""
        self._stage = self._ended

    # -- the live stream -----------------------------------------------------------------------------------------------

    def subscribe(self):
        """Follow the live stream; a feed of history alone does not."""
        if self.islive():
            self._stream = self.ib.subscribe(livestream.stream_for(self), self._arrivals)

    def unsubscribe(self):
        """Give the market data line back."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self.ib.unsubscribe(stream)
