"""History: requests are checked, paced, answered, and kept up to date."""
from typing import Any, NamedTuple

from . import replies, requests, stamps, tape, zones
from .bars import SIZES
from .history_query import DAY, HMDS, SMALL_AGE, Refused, no_data, understand
from .limits import HistoryPacing
from .subscriptions import BAR_SECONDS, Stream, next_mark

MAX_OPEN = 50
PACING = HMDS.format('Historical data request pacing violation')
CANCELLED = HMDS.format('API historical data query cancelled: {}')
UNKNOWN = 'No historical data query found for ticker id:{}'
TOO_MANY = 'Max number of concurrent historical data requests reached: {}'
NO_ZONE = ('Warning: You submitted request with date-time attributes without explicit time zone. Please switch to use '
           'yyyymmdd-hh:mm:ss in UTC or use instrument time zone, like US/Eastern. Implied time zone functionality '
           'will be removed in the next API release')
NO_HEAD = HMDS.format('No head time stamp')
UNDERSTAND = {requests.ReqHistoricalData: understand, requests.ReqHistoricalTicks: tape.understand}


class Pending(NamedTuple):
    """A request whose answer is under way; `due` in simulated time."""
    due: float
    session: Any
    request: Any
    query: Any


class HistoryService:
    """`paces`: whether small bars are paced; `latency`: simulated seconds from question to answer."""

    def __init__(self, gateway, paces=True, latency=0.0):
        self.latency = latency
        self._gateway = gateway
        self._paces = paces
        self._pending = {}
        self._pacing = {}

    def handlers(self):
        return {requests.ReqHistoricalData: self._ask, requests.CancelHistoricalData: self._cancel,
                requests.ReqHeadTimestamp: self._tell_head, requests.CancelHeadTimestamp: self._forget_head,
                requests.ReqHistoricalTicks: self._ask}

    @property
    def open_count(self):
        """How many requests are not answered yet."""
        return len(self._pending)

    def forget(self, session):
        self._pending = {key: pending for key, pending in self._pending.items() if key[0] is not session}
        self._pacing.pop(session, None)

    def advance(self):
        """Answer what is due; nothing while the history farm or the link is down."""
        faults = self._gateway.faults
        if faults.is_down or 'history' in faults.dark_farms:
            return
        for key, pending in list(self._pending.items()):
            if pending.due <= self._gateway.now:
                del self._pending[key]
                self._answer(pending)

    def next_time(self):
        return min((pending.due for pending in self._pending.values()), default=None)

    def _ask(self, session, request):
        gateway = self._gateway
        if (session, request.reqId) in self._pending:
            session.refuse(request.reqId, 322, 'Duplicate ticker id')
            return
        instrument = gateway.catalogue.resolve(session, request.reqId, request.contract)
        if instrument is None:
            return
        try:
            query = UNDERSTAND[type(request)](request, instrument, gateway.now, gateway.zone, session.version)
            self._admit(session, request, query)
        except Refused as refused:
            session.refuse(request.reqId, refused.code, refused.text)
            return
        moment = request.endDateTime or getattr(request, 'startDateTime', '')
        if moment and not stamps.has_zone(moment):
            session.refuse(request.reqId, 2174, NO_ZONE)
        self._pending[session, request.reqId] = Pending(gateway.now + self.latency, session, request, query)
        self.advance()

    def _admit(self, session, request, query):
        if sum(key[0] is session for key in self._pending) >= MAX_OPEN:
            raise Refused(322, TOO_MANY.format(MAX_OPEN))
        faults = self._gateway.faults
        if faults.pacing_violations:
            faults.pacing_violations -= 1
            raise Refused(162, PACING)
        if query.is_small and self._paces and not self._keeps_pace(session, request, query):
            raise Refused(162, PACING)
        if query.is_small and query.limit < self._gateway.now - SMALL_AGE:
            raise no_data(query.instrument, query.what)

    def _keeps_pace(self, session, request, query):
        contract = (query.instrument.contract.conId, request.contract.exchange, query.what)
        pacing = self._pacing.setdefault(session, HistoryPacing())
        units = 2 if query.what == 'BID_ASK' else 1
        return pacing.allows(self._gateway.wall, request._replace(reqId=0), contract, units)

    def _answer(self, pending):
        session, request, query = pending.session, pending.request, pending.query
        if isinstance(query, tape.TickQuery):
            session.send(tape.answer(self._gateway.market, request.reqId, query, self._known()))
        elif query.what == 'SCHEDULE':
            session.send(self._schedule(request.reqId, query))
        else:
            self._tell_bars(session, request, query)

    def _known(self):
        """The time up to which history has everything."""
        return self._gateway.now - self._gateway.faults.lag

    def _tell_bars(self, session, request, query):
        limit = query.limit if query.keeps_up else min(query.limit, self._known())
        bars = self._gateway.market.bars(query.instrument, query.size, query.start, limit, query.what, query.rth)
        if not bars and not query.keeps_up:
            refused = no_data(query.instrument, query.what)
            session.refuse(request.reqId, refused.code, refused.text)
            return
        label = self._labeller(session, request, query)
        start, end = (stamps.intraday(time, self._gateway.zone, session.version) for time in (query.start, query.end))
        session.send(replies.HistoricalData(request.reqId, start, end, [(label(bar), bar) for bar in bars]))
        if query.keeps_up:
            self._gateway.streams.add(session, HistoryStream(request.reqId, self._gateway.market, query, label))

    def _labeller(self, session, request, query):
        """How this client wants bars dated: days as dates always, else epoch seconds or text."""
        if query.is_daily:
            return lambda bar: stamps.day(bar.time)
        if request.formatDate == 2:
            return lambda bar: str(int(bar.time))
        modern = session.version >= stamps.INSTRUMENT_TIMEZONE
        zone = query.instrument.zone if modern else self._gateway.zone
        return lambda bar: stamps.intraday(bar.time, zone, session.version)

    def _schedule(self, reqId, query):
        zone = query.instrument.zone
        rows = [(_wall(spans[0][0], zone), _wall(spans[-1][1], zone), f'{session.date:%Y%m%d}')
                for session in query.instrument.hours.between(query.start, query.end)
                for spans in [session.hours(query.rth)] if spans]
        return replies.HistoricalSchedule(reqId, rows[0][0] if rows else '', rows[-1][1] if rows else '', zone, rows)

    def _cancel(self, session, request):
        if self._pending.pop((session, request.reqId), None):
            session.refuse(request.reqId, 162, CANCELLED.format(request.reqId))
        elif not self._gateway.streams.remove(session, request.reqId):
            session.refuse(request.reqId, 366, UNKNOWN.format(request.reqId))

    def _tell_head(self, session, request):
        instrument = self._gateway.catalogue.resolve(session, request.reqId, request.contract)
        if instrument is None:
            return
        if request.whatToShow.upper() == 'TRADES' and not instrument.has_last:
            session.refuse(request.reqId, 162, NO_HEAD)
            return
        time = self._gateway.market.head(instrument, request.useRTH)
        text = str(int(time)) if request.formatDate == 2 else stamps.utc(time)
        session.send(replies.HeadTimestamp(request.reqId, text))

    def _forget_head(self, session, request):
        """The answer has been given at once: nothing is left to cancel."""


class HistoryStream(Stream):
    """keepUpToDate: the bar in progress every five seconds, and each bar once more as it has ended."""
    is_line = False

    def __init__(self, reqId, market, query, label):
        super().__init__(reqId, market, query.instrument)
        self._query = query
        self._label = label
        self._told = None

    def events(self, start, end):
        first = int(start // BAR_SECONDS) + 1
        for number in range(first, int(end // BAR_SECONDS) + 1):
            time = float(number * BAR_SECONDS)
            bar = self._bar(time)
            if bar and bar != self._told:
                self._told = bar
                yield time, replies.HistoricalDataUpdate(self.reqId, self._label(bar), bar)

    def next_time(self, now, changes):
        return next_mark(now)

    def _bar(self, limit):
        query = self._query
        back = 2 * max(SIZES[query.size], DAY if query.is_daily else 0)
        bars = self._market.bars(query.instrument, query.size, limit - back, limit, query.what, query.rth)
        return bars[-1] if bars else None


def _wall(time, zone):
    return f'{zones.local(time, zone):%Y%m%d-%H:%M:%S}'
