"""IBData: the feed that users make. It looks its contract up, follows its course, and ends. One method per stage."""
import collections
import datetime
import math
import time

from . import livestream
from .archive import Archive
from .declared import Declared
from .errors import NotConnected, NotSupportedTimeframe, UnknownZone
from .ibclone import IBDataClone, unseen_resampling
from .ibstore import IBStore
from .identity import Identity
from .overture import Overture
from .regularhours import RegularHours
from .resampler import FilterClock, aligned
from .rowfeed import RowFeed
from .timetable import Timetable
from .zones import UTC, as_zone, zone

#: seconds `start` waits for the contract, so that its time zone is known before the first bar
START_SECONDS = 15.0
#: seconds without any answer after which a feed that catches up is held up
HELD_UP_SECONDS = 10.0
#: what backtrader puts for a `sessionend` that was not given
LAST_MOMENT = datetime.time(23, 59, 59, 999990)


def _of_identity(name, meaning):
    return property(lambda self: getattr(self.identity, name), doc=meaning)


class MetaIBData(RowFeed.__class__):
    def __init__(cls, name, bases, dct):
        super().__init__(name, bases, dct)
        IBStore.DataCls = cls


@aligned
class IBData(RowFeed, metaclass=MetaIBData):
    """A live or historical feed of one contract.

    Params:

      - ``sectype`` ('STK'), ``exchange`` ('SMART'), ``currency`` (''): for what the dataname leaves out.
      - ``rtbar`` (False): follow TWS's 5-second bars instead of ticks, for bars that 5 seconds divide.
      - ``historical`` (False): deliver history from ``fromdate`` to ``todate``, then end.
      - ``what`` (None): TRADES, MIDPOINT, BID, ASK, BID_ASK...; by default TRADES, AGGTRADES for crypto, BID for FX,
        CFD and spot metals. Live it means what it means in history; bars shorter than a day can live be of trades, BID,
        ASK and MIDPOINT only. Those of the last three are made of TWS's 5-second bars where 5 seconds divide them, else
        of the quotes as they change.
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
        super().__init__()
        self.ib = self._store(**kwargs)
        livestream.checked(self.p.tick_by_tick)
        self.identity = Identity(self.p)
        if not isinstance(self.p.dataname, str) and not self.p.name:
            self._name = self.identity.name
        self.zone = self.timetable = self._hours = self.archive = self.overture = self.course = self.declared = None
        self.filterclock = FilterClock(self)
        self._catching_up = False
        #: when it got any further, by `time.monotonic`
        self._moved = -math.inf
        self._arrivals = collections.deque()
        self._clones = []
        self._stage = self._ended
        self._has_own_end = True
        self._stream = None

    # -- backtrader's hooks --------------------------------------------------------------------------------------------

    def islive(self):
        return not self.p.historical

    def start(self):
        super().start()
        self._reset()
        try:
            self.declared = Declared(self)
        except NotSupportedTimeframe as error:
            self.fail(error, self.NOTSUPPORTED_TF)
            return
        self.ib.start(data=self)
        self.overture.begin()
        patience = self.ib.patience(START_SECONDS) if self.islive() else math.inf
        asleep = self.ib.sleeper.await_fact
        while self._stage == self._prepare and self.overture.looks_up and asleep(self.backlog, patience):
            self._prepare()

    def _reset(self):
        """cerebro may run more than once, and an exception may have ended a run."""
        self.unsubscribe()
        self.identity.forget()
        self.course = None
        self.archive = Archive(self, self.ib)
        self.overture = Overture(self, self.ib, self.p.backfill_from)
        self._stage = self._prepare
        self._catching_up = self.islive()
        self._moved = time.monotonic()
        self._arrivals.clear()

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

    def backlog(self):
        """Whether records wait to become bars."""
        return bool(self.rows or self._arrivals or self.overture is not None and self.overture.found
                    or self.course is not None and self.course.backlog())

    def due(self):
        """Seconds until this feed has to look at the clock."""
        if self.course is None:
            return math.inf
        return min([self.course.proof.left()] + [made.filterclock.left() for made in [self] + self._clones])

    def _notify(self, row):
        self._catching_up = self.islive() and row.status not in (self.LIVE, self.DISCONNECTED, self.NOTSUBSCRIBED)
        if row.status == self.CONNBROKEN:
            self.course.rewind(self.filterclock)
        super()._notify(row)

    def _load(self):
        loaded = super()._load()
        if loaded:
            self._moved = time.monotonic()
        return loaded

    def _advance(self):
        moved = self._stage()
        if moved:
            self._moved = time.monotonic()
        return moved

    def _has_ended(self):
        return self._stage == self._ended or self.course is not None and self.course.over

    def _overrun(self):
        self.course.end(self.DISCONNECTED, 'todate has been reached')

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
        self.course = self.declared.course()
        self._convert_dates()

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
        return self.course.go_on(self._arrivals, self._hours)

    def _ended(self):
        return False

    @property
    def catching_up(self):
        """Whether bars that closed long ago are still to come: orders would follow prices of the past."""
        return self._catching_up or self.course is not None and self.course.lags

    @property
    def held_up(self):
        """Whether the bars that it catches up on do not come: TWS's history may be away for hours."""
        is_silent = not self.backlog() and time.monotonic() - self._moved > HELD_UP_SECONDS
        return self.catching_up and is_silent

    # -- what the course asks for --------------------------------------------------------------------------------------

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
