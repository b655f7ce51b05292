"""IBData: the feed backtrader sees. It looks its contract up, follows its course, and fills the lines."""
import collections
import datetime
import logging
from typing import NamedTuple

import backtrader as bt
from backtrader.feed import DataBase

from . import contract as contracts
from . import history
from .assembler import Assembler
from .bars import DAY
from .course import FOREVER, Course
from .daybars import DayEnds, usual_end
from .errors import HistoryFailed as DownloadFailed
from .errors import NotConnected, UnknownContract, UnknownZone
from .ibclone import IBDataClone, unseen_resampling
from .ibstore import IBStore
from .insync import Contract
from .messages import Refused
from .streams import Quotes, RealTimeBars, Trades
from .zones import UTC, as_zone, zone

log = logging.getLogger(__name__)

#: backtrader counts days from year 1, the epoch is day 719163 of that count
EPOCH_DAY = 719163.0
#: seconds `start` waits for the contract, so that its time zone is known before the first bar
START_SECONDS = 15.0
#: a tick on the very edge of an interval opens it; backtrader's resampler would close with it, so it comes this much later
EDGE_NUDGE = 2e-5
NO_SUCH_CONTRACT = 200
#: what backtrader puts for a `sessionend` that was not given
LAST_MOMENT = datetime.time(23, 59, 59, 999990)
ROW = ('datetime', 'open', 'high', 'low', 'close', 'volume')


def number(seconds):
    """backtrader's number for a time in seconds since the epoch, UTC."""
    return seconds / DAY + EPOCH_DAY


def seconds(number):
    """The time in seconds since the epoch of a number of backtrader's, which holds no more than 10 microseconds."""
    return round((number - EPOCH_DAY) * DAY, 4)


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
    _resampling = 0
    resampling = unseen_resampling
    RTBAR_MINSIZE = (bt.TimeFrame.Seconds, 5)

    def __init__(self, **kwargs):
        self.ib = self._store(**kwargs)
        self.precontract = self.parsecontract(self.p.dataname)
        self.pretradecontract = self.parsecontract(self.p.tradename) if self.p.tradename else None
        if not isinstance(self.p.dataname, str) and not self.p.name:
            self._name = contracts.write(self.precontract)
        self.contract = self.contractdetails = self.tradecontract = self.tradecontractdetails = None
        self.zone = self.course = None
        self.catching_up = False
        self._arrivals = collections.deque()
        self._found = collections.deque()
        self._rows = collections.deque()
        self._stage = self._ended
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
        self._plan_bars()
        self.ib.start(data=self)
        self._look_up(self.precontract)
        patience = START_SECONDS if self.islive() else FOREVER
        while self._stage == self._contracts and self.ib.await_record(self._found, patience):
            self._contracts()

    def _plan_bars(self):
        """What history is asked for; raises NotSupportedTimeframe before anything is sent."""
        self._size = history.base_size(self._timeframe, self._compression)
        self._passing = bool(self._resampling or self.replaying) or self._timeframe == bt.TimeFrame.Ticks
        self.contract = self.contractdetails = self.tradecontract = self.tradecontractdetails = self.course = None
        self._stage = self._contracts
        self.catching_up = self.islive()
        for queue in (self._arrivals, self._found, self._rows):
            queue.clear()

    def stop(self):
        super().stop()
        self.unsubscribe()
        self._stage = self._ended
        # cerebro may run again: dates are converted again then
        self._started = False

    def clone(self, **kwargs):
        kwargs['dataname'] = self
        return IBDataClone(**kwargs)

    def _gettz(self):
        return self.zone if self.p.tz is None else as_zone(self.p.tz)

    def _timeoffset(self):
        return self.ib.timeoffset()

    def qbuffer(self, savemem=0, replaying=False):
        super().qbuffer(savemem=savemem, replaying=replaying or bool(self._resampling))

    def haslivedata(self):
        return self.backlog() or len(self) < self.buflen()

    def backlog(self):
        """Whether records wait to become bars."""
        return bool(self._rows or self._arrivals or self._found or (self.course is not None and self.course.answers))

    def due(self):
        """Seconds until this feed has to look at the clock."""
        return FOREVER if self.course is None else self.course.due()

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
                if not isinstance(row, Status):
                    return self._fill(row)
                self._notify(row)
            elif self._stage():
                continue
            elif self._stage == self._ended or (self.course is not None and self.course.over):
                return False
            elif not self.islive():
                self.ib.await_kick(self.p.qcheck)
            elif slept or not self._may_wait or self.ib.pass_hit:
                return None
            else:
                slept = True
                self.ib.sleep(self.p.qcheck)

    def _fill(self, row):
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True

    def _notify(self, row):
        self.catching_up = self.islive() and row.status not in (self.LIVE, self.DISCONNECTED, self.NOTSUBSCRIBED)
        self.put_notification(row.status, *row.args)

    # -- stages: the contract, then another feed's bars, then the course -------------------------------------------------

    def _look_up(self, contract):
        self.ib.find_contract(contract, self._found)

    def _contracts(self):
        """Waiting for the details of the data contract, then of the one to trade."""
        if not self._found:
            return False
        record = self._found.popleft()
        asked = self.p.dataname if self.contract is None else self.p.tradename
        if isinstance(record, Refused):
            self._fail(NotConnected(record.text) if record.code != NO_SUCH_CONTRACT else
                       UnknownContract(asked, record.text))
        elif len(record.details) != 1:
            self._fail(UnknownContract(asked, candidates=contracts.names([d.contract for d in record.details])))
        else:
            self._take_details(record.details[0])
        return True

    def _take_details(self, details):
        if self.contract is None:
            self.contract, self.contractdetails = self._routed(details, self.precontract), details
            if self.pretradecontract is not None:
                return self._look_up(self.pretradecontract)
            self.tradecontract = self.contract
        else:
            self.tradecontract = self._routed(details, self.pretradecontract)
        self.tradecontractdetails = details
        self.tell(self.CONNECTED)
        self._set_out()

    @staticmethod
    def _routed(details, asked):
        """The contract for requests: TWS's, at the exchange that was asked for."""
        found = details.contract
        found.exchange = asked.exchange or found.exchange
        # some contracts come with the hour of their last trade, which TWS does not take back
        found.lastTradeDateOrContractMonth = found.lastTradeDateOrContractMonth.split(' ')[0]
        return found

    def _set_out(self):
        """The contract is known: so are its zone, its sessions, and what to subscribe to."""
        self._know_zone()
        self._stage = self._run
        if self.islive():
            self._subscribe()
        source = self.p.backfill_from
        if source is None:
            self.resume(None, start=True)
        else:
            source.setenvironment(self._env)
            source._start()
            self.tell(self.DELAYED)
            self._stage = self._other

    def _know_zone(self):
        details = self.contractdetails
        try:
            self.zone = zone(details.timeZoneId)
        except UnknownZone as error:
            self.ib.notify(str(error))
        clock = self.zone or UTC
        hours = details.liquidHours if self.p.useRTH else details.tradingHours
        given = self.p.sessionend if self.p.sessionend != LAST_MOMENT else None
        days = DayEnds(self._timeframe, hours, as_zone(self.p.tz) if given and self.p.tz else clock, given)
        if given is None:
            self.p.sessionend = usual_end(hours, clock) or LAST_MOMENT
        self.course = Course(self, self.ib, Assembler(
            self._timeframe, self._compression, self._size, clock, days, self._passing))
        # dates that the user gave are read in the zone, which is known only now
        self._start_finish()
        self._started = True

    def _other(self):
        """Delivering the bars of `backfill_from`."""
        source = self.p.backfill_from
        if source.next():
            row = tuple(getattr(source.lines, name)[0] for name in ROW)
            self._rows.append(row)
            self.course.seam.deliver(seconds(row[0]))
        else:
            source.stop()
            self._stage = self._run
            self.resume(self.course.seam.covered, start=True)
        return True

    def _run(self):
        while self._arrivals:
            self.course.arrive(self._arrivals.popleft())
        return self.course.state()

    def _ended(self):
        return False

    # -- what the course asks for ----------------------------------------------------------------------------------------

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
        return self.p.what or contracts.default_what(self.contract.secType)

    def resume(self, covered, start=False):
        """Deliver what history has since `covered` (or since `fromdate`), then go on live."""
        begin = covered
        if begin is None and self.p.fromdate is not None:
            begin = seconds(self.fromdate)
        if not self.islive():
            self.course.catch_up(begin, self.ib.clock() if self.p.todate is None else seconds(self.todate))
        elif self.has_history and (self.p.backfill_start or not start):
            self.course.catch_up(begin, self.course.closed_up_to())
        else:
            self.course.go_live()

    def download(self, begin, end, answers):
        """Ask for the bars of [begin, end); whether there was anything to ask for."""
        # live, the stream has proven that `end` has passed, of which our idea of TWS's clock may fall short
        now = max(self.ib.clock(), end) if self.islive() else self.ib.clock()
        if self.contract.secType == 'CONTFUT':
            plan = history.plan_continuous(begin, now, self._size)
        else:
            plan = history.plan(begin, end, self._size, now)
        if plan:
            self.ib.download(self.contract, plan, self.what, self.p.useRTH, answers)
        return bool(plan)

    def history_failed(self, record):
        """History has a hole: an error where history is all there is, a notice where live bars go on."""
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
        on_edge = tick.time == int(tick.time) and self.has_history
        self._rows.append((number(tick.time + EDGE_NUDGE * on_edge),) + (tick.price,) * 4 + (tick.size,))

    def tell(self, status, *args):
        """Notify a status once the bars before it have been delivered."""
        self._rows.append(Status(status, args))

    def say(self, text):
        """Tell `notify_store` about this feed."""
        self.ib.notify('{}: {}'.format(self._name, text))

    def _fail(self, error):
        """The feed cannot work: raised where it is all that runs, told where others may go on."""
        self.say(str(error))
        self.tell(self.DISCONNECTED, str(error))
        self._stage = self._ended
        if not self.islive():
            raise error

    # -- the live stream ---------------------------------------------------------------------------------------------------

    def _subscribe(self):
        make = self._stream_for(self.contract)
        if make is not None:
            self._stream = self.ib.subscribe(make, self._arrivals)

    def _stream_for(self, contract):
        """How to make the live subscription, None for a feed that needs none."""
        what = self.what
        if self.days_only:
            return None
        if self._follows_bars(contract):
            return lambda sink, clock: RealTimeBars(sink, contract, clock, what, self.p.useRTH)
        if contracts.follows_quotes(contract.secType, self.ib.p.indcash):
            field = 'LAST' if contract.secType == 'IND' else what
            return lambda sink, clock: Quotes(sink, contract, clock, field)
        return lambda sink, clock: Trades(sink, contract, clock)

    def _follows_bars(self, contract):
        """5-second bars when asked for, and where quotes make bars: TWS stamps its bars and not its quotes."""
        if self._timeframe == bt.TimeFrame.Ticks or (self._timeframe, self._compression) < self.RTBAR_MINSIZE:
            return False
        quoted = contracts.follows_quotes(contract.secType, self.ib.p.indcash)
        builds = self.course.assembler.builds and self.course.assembler.grid.seconds % 5 == 0
        return self.p.rtbar or quoted and builds

    def unsubscribe(self):
        """Give the market data line back."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self.ib.unsubscribe(stream)
