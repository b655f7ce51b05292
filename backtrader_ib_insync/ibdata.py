"""IBData: the feed. One method per state; records of the loop thread become the lines of backtrader."""
import collections
import datetime
import logging
from typing import NamedTuple

import backtrader as bt
from backtrader.feed import DataBase

from . import codes
from . import contract as contracts
from . import history
from .bars import DAY, Builder, Counter, Grid, Seam, whole
from .daybars import DayEnds, usual_end
from .errors import HistoryFailed as DownloadFailed
from .errors import NotConnected, UnknownContract, UnknownZone
from .ibclone import IBDataClone
from .ibstore import IBStore
from .insync import Contract
from .messages import (
    Bar, Closed, DataType, HistoryFailed, Lost, Refused, Restored, Tick, Warned, Watching)
from .streams import Quotes, RealTimeBars, Trades
from .zones import UTC, as_zone, moment, zone

log = logging.getLogger(__name__)

#: backtrader counts days from year 1, the epoch is day 719163 of that count
EPOCH_DAY = 719163.0
#: seconds `start` waits for the contract, so that its time zone is known before the first bar
START_SECONDS = 15.0
#: seconds after a bar's end before the silence of a market that TWS proves is believed
GRACE_SECONDS = 1.0
#: seconds TWS is given to have a bar in its history that has just closed, and how often it is asked then
LATE_SECONDS = 2.0
LATE_TRIES = 5
#: a tick on the very edge of an interval opens it; backtrader's resampler would close with it, so it comes this much later
EDGE_NUDGE = 2e-5
#: seconds by which the clock may be wrong before TWS has told its own
CLOCK_DOUBT = 2.0
#: seconds between two questions for the time while a bar waits for its proof
ASK_AGAIN_SECONDS = 0.25
REAL_TIME_BAR = 5.0
NO_SUCH_CONTRACT = 200
#: what backtrader puts for a `sessionend` that was not given
LAST_MOMENT = datetime.time(23, 59, 59, 999990)
ROW = ('datetime', 'open', 'high', 'low', 'close', 'volume')
FOREVER = float('inf')


def number(seconds):
    """backtrader's number for a time in seconds since the epoch, UTC."""
    return seconds / DAY + EPOCH_DAY


#: records after which the stream no longer holds everything
HOLES = (Lost, Closed, Refused)


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
    )

    _store = IBStore
    RTBAR_MINSIZE = (bt.TimeFrame.Seconds, 5)

    def __init__(self, **kwargs):
        self.ib = self._store(**kwargs)
        self.precontract = self.parsecontract(self.p.dataname)
        self.pretradecontract = self.parsecontract(self.p.tradename) if self.p.tradename else None
        self.contract = self.contractdetails = self.tradecontract = self.tradecontractdetails = None
        self.catching_up = False
        self._zone = None
        # the first two are filled by the loop thread, the others are the strategy thread's own
        self._arrivals = collections.deque()
        self._answers = collections.deque()
        self._live = collections.deque()
        self._rows = collections.deque()
        self._state = self._st_over
        self._stream = None
        self._may_wait = False
        self._env = None

    def parsecontract(self, dataname):
        """The contract to look up; raises BadDataname."""
        p = self.p
        return contracts.contract_of(dataname, Contract, p.sectype, p.exchange, p.currency)

    # -- backtrader's hooks ----------------------------------------------------------------------------------------------

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
        for queue in (self._arrivals, self._answers, self._live, self._rows):
            queue.clear()
        self.contract = self.contractdetails = self.tradecontract = self.tradecontractdetails = None
        self._plan_bars()
        self._state = self._st_contract
        self.ib.start(data=self)
        self.ib.find_contract(self.precontract, self._answers)
        while self._state == self._st_contract and self.ib.await_record(self._answers, self._patience()):
            self._st_contract()

    def _patience(self):
        return START_SECONDS if self.islive() and not self.ib.closed else FOREVER

    def _plan_bars(self):
        """What will be asked of history and what is made of it; raises NotSupportedTimeframe before anything is sent."""
        self._size = history.base_size(self._timeframe, self._compression)
        self._passing = bool(self.resampling or self.replaying) or self._timeframe == bt.TimeFrame.Ticks
        self._seam = Seam()
        self._grid = self._edges = self._days = self._builder = self._counter = None
        self._whole = self._missing = False
        self._due = FOREVER
        self._tries = self._holes = 0
        self._newest = 0.0
        self.catching_up = self.islive()

    def stop(self):
        super().stop()
        self._unsubscribe()
        self._state = self._st_over
        # cerebro may run again: dates are converted again then
        self._started = False

    def clone(self, **kwargs):
        kwargs['dataname'] = self
        return IBDataClone(**kwargs)

    def _gettz(self):
        if self.p.tz is not None:
            return as_zone(self.p.tz)
        return self._zone

    def _timeoffset(self):
        return self.ib.timeoffset()

    def haslivedata(self):
        return self.backlog() or len(self) < self.buflen()

    def backlog(self):
        """Whether records wait to become bars."""
        return bool(self._rows or self._arrivals or self._answers)

    def do_qcheck(self, onoff, qlapse):
        super().do_qcheck(onoff, qlapse)
        self._may_wait = onoff

    def next(self, datamaster=None, ticks=True):
        delivered = super().next(datamaster=datamaster, ticks=ticks)
        if delivered:
            self.ib.pass_hit = True
        return delivered

    def _check(self, forcedata=None):
        if forcedata is not None or not self.backlog():
            super()._check(forcedata=forcedata)

    def _load(self):
        slept = False
        while True:
            if self._rows:
                row = self._rows.popleft()
                if isinstance(row, Status):
                    self._notify(row)
                    continue
                return self._fill(row)
            self._arrive()
            if self._state():
                continue
            if self._state == self._st_over:
                return False
            if self.p.historical:
                self.ib.await_record(self._answers, self.p.qcheck)
            elif slept or not self._may_wait or self.ib.pass_hit:
                return None
            else:
                slept = True
                self.ib.sleep(self.p.qcheck)

    def _arrive(self):
        while self._arrivals:
            record = self._arrivals.popleft()
            self._holes += isinstance(record, HOLES)
            self._live.append(record)

    def _tell(self, status, *args):
        """Notify a status when the bars before it have been delivered."""
        self._rows.append(Status(status, args))

    def _notify(self, row):
        self.catching_up = self.islive() and row.status not in (self.LIVE, self.DISCONNECTED, self.NOTSUBSCRIBED)
        self.put_notification(row.status, *row.args)

    def _fill(self, row):
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True

    def due(self):
        """Seconds until this feed has to look at the clock."""
        return FOREVER if self._due == FOREVER else self._due - self.ib.clock()

    # -- states: each takes what is there and returns whether it got any further ----------------------------------------

    def _st_contract(self):
        """Waiting for the contract details of the data contract, then of the one to trade."""
        if not self._answers:
            return False
        record = self._answers.popleft()
        asked = self.p.dataname if self.contract is None else self.p.tradename
        if isinstance(record, Refused):
            self._fail(NotConnected(record.text) if record.code != NO_SUCH_CONTRACT else
                       UnknownContract(asked, record.text))
        elif len(record.details) != 1:
            self._fail(UnknownContract(asked, candidates=contracts.names([d.contract for d in record.details])))
        else:
            self._found(record.details[0])
        return True

    def _st_from(self):
        """Delivering the bars of `backfill_from`."""
        source = self.p.backfill_from
        if not source.next():
            source.stop()
            self._open()
            return True
        row = [getattr(source.lines, name)[0] for name in ROW]
        self._rows.append(tuple(row))
        self._seam.deliver((row[0] - EPOCH_DAY) * DAY)
        return True

    def _st_history(self):
        """Delivering history: of a historical feed, at start, or after a gap."""
        if self._lost_meanwhile():
            return True
        if not self._answers:
            return False
        record = self._answers.popleft()
        if isinstance(record, HistoryFailed):
            self._history_failed(record)
            self._history_done()
        else:
            for bar in record.bars:
                self._take(bar)
            if record.number == record.of - 1:
                self._history_done()
        return True

    def _st_seam(self):
        """Up to date but for the bar in progress, which was not watched from its start: it is fetched when it has closed."""
        proof = self._proof()
        if self._skip_partial():
            return True
        if self._state != self._st_seam or self._seam.whole_from is None:
            return False
        gap = self._seam.gap()
        if gap is None:
            self._state = self._st_live
            return True
        if proof < self._seam.whole_from and not self._live:
            self._await_proof(self._seam.whole_from)
            return False
        self._due = FOREVER
        self._tries = 0
        self._download(*gap)
        self._state = self._st_gap
        return True

    def _st_gap(self):
        """Delivering the bar that was in progress."""
        if self._lost_meanwhile():
            return True
        if not self._answers:
            if self._due != FOREVER and self.due() <= 0:
                self._due = FOREVER
                self._download(*self._seam.gap())
            return False
        record = self._answers.popleft()
        if isinstance(record, HistoryFailed):
            self._history_failed(record)
        else:
            for bar in record.bars:
                self._take(bar)
            if record.number < record.of - 1:
                return True
        self._gap_done()
        return True

    def _st_live(self):
        """Delivering what comes."""
        proof = self._proof()
        progress = bool(self._live)
        while self._live and self._state == self._st_live:
            self._handle(self._live.popleft())
        if self._builder is None or self._state != self._st_live:
            return progress
        finished = self._builder.finish(proof)
        if finished:
            self._push(finished)
        ends = self._builder.ends()
        if ends is None:
            self._due = FOREVER
        else:
            self._await_proof(ends)
        return progress or bool(finished)

    def _st_lost(self):
        """The link is gone; what comes before it is restored belongs to no whole bar."""
        progress = bool(self._live)
        while self._live and self._state == self._st_lost:
            record = self._live.popleft()
            if isinstance(record, (Restored, Closed, Refused)):
                self._handle(record)
        return progress

    def _st_over(self):
        return False

    # -- from one state to the next --------------------------------------------------------------------------------------

    def _found(self, details):
        contract = self._named(details, self.precontract if self.contract is None else self.pretradecontract)
        if self.contract is None:
            self.contract, self.contractdetails = contract, details
            if self.pretradecontract is not None:
                self.ib.find_contract(self.pretradecontract, self._answers)
                return
        self.tradecontract, self.tradecontractdetails = contract, details
        self._tell(self.CONNECTED)
        self._know_zone()
        if self.islive():
            self._subscribe()
        source = self.p.backfill_from
        if source is not None:
            source.setenvironment(self._env)
            source._start()
            self._tell(self.DELAYED)
            self._state = self._st_from
        else:
            self._open()

    def _named(self, details, asked):
        """The contract to use in requests: TWS's, at the exchange that was asked for."""
        found = details.contract
        if asked.exchange:
            found.exchange = asked.exchange
        found.lastTradeDateOrContractMonth = found.lastTradeDateOrContractMonth.split(' ')[0]
        found.includeExpired = found.secType == 'FUT'
        return found

    def _know_zone(self):
        """The contract tells the zone and the session; dates given by the user can be read now."""
        details = self.contractdetails
        try:
            self._zone = zone(details.timeZoneId)
        except UnknownZone as error:
            self._zone = None
            self.ib.notify(str(error))
        hours = details.liquidHours if self.p.useRTH else details.tradingHours
        clock = self._zone or UTC
        given = self.p.sessionend if self.p.sessionend != LAST_MOMENT else None
        self._days = DayEnds(self._timeframe, hours, as_zone(self.p.tz) if given and self.p.tz else clock, given)
        if given is None:
            self.p.sessionend = usual_end(hours, clock) or self.p.sessionend
        self._start_finish()
        self._started = True
        self._lay_grid(clock)

    def _lay_grid(self, clock):
        kind = history.SIZES[self._size]
        if self._timeframe >= bt.TimeFrame.Days:
            self._counter = Counter(self._compression) if self._compression > 1 and not self._passing else None
            return
        self._edges = Grid(kind.seconds, clock)
        self._grid = self._edges
        if not self._passing:
            declared = {bt.TimeFrame.Seconds: 1, bt.TimeFrame.Minutes: 60}[self._timeframe] * self._compression
            self._grid = Grid(declared, clock)
            self._builder = Builder(self._grid)

    def _subscribe(self):
        make = self._stream_for(self.contract)
        if make is not None:
            self._stream = self.ib.subscribe(make, self._arrivals)

    def _stream_for(self, contract):
        """How to make the live subscription; None for bars of a day and longer, which history alone has right."""
        what = self.what
        if self._days_only():
            return None
        if self._follows_bars(contract):
            return lambda sink, clock: RealTimeBars(sink, contract, clock, what, self.p.useRTH)
        if contracts.follows_quotes(contract.secType, self.ib.p.indcash):
            field = 'LAST' if contract.secType == 'IND' else what
            return lambda sink, clock: Quotes(sink, contract, clock, field)
        return lambda sink, clock: Trades(sink, contract, clock)

    def _days_only(self):
        return self._timeframe >= bt.TimeFrame.Days and not self._passing

    def _follows_bars(self, contract):
        """5-second bars when asked for, and where quotes make bars: those of TWS are stamped, its quotes are not."""
        if self._timeframe == bt.TimeFrame.Ticks or (self._timeframe, self._compression) < self.RTBAR_MINSIZE:
            return False
        if self.p.rtbar:
            return True
        quoted = contracts.follows_quotes(contract.secType, self.ib.p.indcash)
        return quoted and self._builder is not None and self._grid.seconds % 5 == 0

    @property
    def what(self):
        """What TWS is asked to show."""
        return self.p.what or contracts.default_what(self.contract.secType)

    def _open(self):
        """History first, or live at once."""
        begin = self._seam.covered
        if begin is None and self.p.fromdate is not None:
            begin = (self.fromdate - EPOCH_DAY) * DAY
        if self.p.historical:
            end = self.ib.clock() if self.p.todate is None else (self.todate - EPOCH_DAY) * DAY
            self._catch_up(begin, end)
        elif self.p.backfill_start and self._timeframe != bt.TimeFrame.Ticks:
            self._catch_up(begin, self._closed_up_to())
        else:
            self._go_live()

    def _closed_up_to(self):
        """The latest edge that TWS's clock is proven to have passed: no bar before it is in progress."""
        now = max(self.ib.heard, self.ib.clock() - CLOCK_DOUBT)
        return now if self._grid is None else self._grid.start(now)

    def _catch_up(self, begin, end):
        self._tell(self.DELAYED)
        self._until = end
        self._state = self._st_history
        if not self._download(begin, end):
            self._history_done()

    def _download(self, begin, end):
        """Ask for the bars of [begin, end); whether there was anything to ask for."""
        plan = history.plan(begin, end, self._size, self.ib.clock())
        if self.contract.secType == 'CONTFUT':
            plan = history.plan_continuous(begin, self.ib.clock(), self._size)
        if plan:
            self.ib.download(self.contract, plan, self.what, self.p.useRTH, self._answers)
        return bool(plan)

    def _history_failed(self, record):
        text = 'history of {}: {} {}'.format(self._name, record.code or '', record.text)
        if self.p.historical:
            self._state = self._st_over
            raise DownloadFailed('{}; what was delivered before is not the whole range'.format(text))
        self.ib.notify('{}; bars are missing here'.format(text))

    def _history_done(self):
        if self.p.historical:
            self._finish_bar(self._until)
            self._end(self.DISCONNECTED)
            return
        self._finish_bar(self._until)
        self._seam.deliver(self._until)
        self._go_live()

    def _go_live(self):
        self._tell(self.LIVE)
        self._missing = False
        self._state = self._st_seam
        if self._timeframe == bt.TimeFrame.Ticks:
            self._state = self._st_live
        elif self._days_only():
            self._seam.whole_from = self._days.next_end(self._seam.covered or self.ib.clock())
            self._seam.deliver(self._seam.covered or self.ib.clock())

    def _gap_done(self):
        """The answer for the bar in progress is in; a bar that must be there, since it traded, may be late."""
        if self._missing and self._tries < LATE_TRIES:
            self._tries += 1
            self._due = self.ib.clock() + LATE_SECONDS
            return
        if self._missing:
            self.ib.notify('{}: TWS has no bar for {} though it traded then'.format(
                self._name, moment(self._seam.covered, self._zone or UTC)))
        edge = self._seam.whole_from
        self._finish_bar(edge)
        self._seam.deliver(edge)
        self._missing = False
        self._due = FOREVER
        if self._days_only():
            self._seam.whole_from = self._days.next_end(edge)
            self._state = self._st_seam
        else:
            self._state = self._st_live

    def _lost_meanwhile(self):
        """A hole came into the stream while history was being delivered: the stream counts from its mending on."""
        if not self._holes:
            return False
        record = self._live.popleft()
        while not isinstance(record, HOLES):
            record = self._live.popleft()
        self._answers.clear()
        self._handle(record)
        return True

    def _handle(self, record):
        self._holes -= isinstance(record, HOLES)
        self._TAKE[type(record)](self, record)

    def _skip_partial(self):
        """Drop what belongs to the bar in progress; True when the state changed."""
        while self._live:
            record = self._live[0]
            if isinstance(record, (Tick, Bar)):
                if self._seam.whole_from is None or record.time >= self._seam.whole_from:
                    return False
                self._missing = self._missing or record.time >= (self._seam.covered or FOREVER)
                self._live.popleft()
                continue
            self._handle(self._live.popleft())
            if self._state != self._st_seam:
                return True
        return False

    # -- the clock ---------------------------------------------------------------------------------------------------------

    def _proof(self):
        """The time up to which everything TWS sent has arrived, with a grace for a tape that runs late."""
        return self.ib.heard - GRACE_SECONDS

    def _await_proof(self, edge):
        """Look again when the clock shows `edge`, and have TWS prove it then."""
        self._due = edge + GRACE_SECONDS
        if self.due() <= 0:
            self._due = self.ib.clock() + ASK_AGAIN_SECONDS
            self.ib.ask_time()

    # -- records of the live stream --------------------------------------------------------------------------------------

    def _on_tick(self, tick):
        if self._is_late(tick.time):
            return
        self._newest = max(self._newest, tick.time)
        if self._builder is not None:
            self._push(self._builder.tick(tick))
        else:
            nudge = EDGE_NUDGE if tick.time == int(tick.time) and self._timeframe != bt.TimeFrame.Ticks else 0.0
            self._rows.append((number(tick.time + nudge),) + (tick.price,) * 4 + (tick.size,))

    def _is_late(self, time):
        if self.p.latethrough:
            return False
        return time < self._newest or (self._builder is not None and time < (self._seam.covered or 0.0))

    def _on_bar(self, bar):
        if self._is_late(bar.time) or (bar.count == 0 and bar.volume == 0):
            return
        self._newest = bar.time
        if self._builder is None:
            self._push(whole(bar, bar.time + REAL_TIME_BAR))
            return
        self._push(self._builder.bar(bar))
        self._push(self._builder.finish(bar.time + REAL_TIME_BAR))

    def _on_watching(self, watching):
        if self._grid is not None:
            self._seam.watched(watching.since, self._grid.next_edge)
            if self._seam.covered is None:
                self._seam.deliver(self._seam.whole_from)

    def _on_lost(self, lost):
        self._tell(self.CONNBROKEN, lost.reason)
        self._drop_partial()
        self._state = self._st_lost

    def _drop_partial(self):
        self._seam.broke()
        self._due = FOREVER
        if self._builder is not None:
            self._builder.drop()

    def _on_restored(self, restored):
        self._tell(self.CONNECTED)
        if not self.p.backfill or self._timeframe == bt.TimeFrame.Ticks:
            self._seam.covered = None
            self._go_live()
        elif self._seam.covered is None:
            self._open()
        else:
            self._catch_up(self._seam.covered, self._closed_up_to())

    def _on_refused(self, refused):
        subscribed = codes.market_data_error(refused.code) != 'not subscribed'
        self._end(self.DISCONNECTED if subscribed else self.NOTSUBSCRIBED, '{} {}'.format(refused.code, refused.text))

    def _on_closed(self, closed):
        self._end(self.DISCONNECTED, closed.reason)

    def _on_data_type(self, kind):
        wanted = self.ib.p.marketdatatype
        if kind.kind != wanted:
            self.ib.notify('{}: TWS sends market data of type {} (1 live, 2 frozen, 3 delayed, 4 delayed and frozen), '
                           'asked for was {}'.format(self._name, kind.kind, wanted))

    def _on_warned(self, warned):
        self.ib.notify('{}: {} {}'.format(self._name, warned.code, warned.text))

    _TAKE = {Tick: _on_tick, Bar: _on_bar, Watching: _on_watching, Lost: _on_lost, Restored: _on_restored,
             Refused: _on_refused, Closed: _on_closed, DataType: _on_data_type, Warned: _on_warned}

    # -- bars --------------------------------------------------------------------------------------------------------------

    def _take(self, bar):
        """A bar of history: joined to the declared size where TWS has no such bar."""
        if self._edges is None:
            self._take_day(bar)
        elif self._builder is not None and self._size_differs():
            if bar.time >= (self._seam.covered or 0.0):
                self._push(self._builder.bar(bar))
        else:
            self._push(whole(bar, self._edges.end(bar.time)))

    def _size_differs(self):
        return self._grid.seconds != self._edges.seconds

    def _take_day(self, bar):
        if self.p.historical or self._days.finished(bar.time, self.ib.clock()):
            built = whole(bar, self._days.end(bar.time))
            if self._seam.is_new(built.end):
                self._push(built if self._counter is None else self._counter.add(built))

    def _finish_bar(self, edge):
        if self._builder is not None:
            self._push(self._builder.finish(edge))

    def _push(self, built):
        """Queue a finished bar, once."""
        if built is None or not self._seam.is_new(built.end):
            return
        self._seam.deliver(built.end)
        self._missing = False
        stamp = built.end if self.p.rightedge or self._edges is None else built.start
        if self._state in (self._st_history, self._st_gap):
            stamp += self.p.hist_tzo * 3600
        self._rows.append((number(stamp),) + built[2:])

    # -- the end -----------------------------------------------------------------------------------------------------------

    def _fail(self, error):
        """The feed cannot work: raised where nothing else goes on, told where other feeds may."""
        self._end(self.DISCONNECTED, str(error))
        if self.p.historical:
            raise error

    def _end(self, status, reason=''):
        if reason:
            self.ib.notify('{}: {}'.format(self._name or self.p.dataname, reason))
        self._tell(status, *filter(None, [reason]))
        self._unsubscribe()
        self._state = self._st_over

    def _unsubscribe(self):
        stream, self._stream = self._stream, None
        if stream is not None:
            self.ib.unsubscribe(stream)
