"""Historical ticks: the trades or quotes of one session from a moment on, or before it.

IB says that an answer holds no more than one session, not which one when the moment lies between two: here it is the
nearest in the direction asked. After a session's last tick the rest of it is empty.
"""
import itertools
from typing import Any, NamedTuple

from . import replies, stamps
from .history_query import Refused, invalid, no_data
from .records import Trade

HALF_HOUR = 1800.0
MAX_TICKS = 1000
WHATS = ('TRADES', 'BID_ASK', 'MIDPOINT')


class TickQuery(NamedTuple):
    """A request understood: ticks from the whole second `moment` on, or before it; UTC epoch seconds."""
    instrument: Any
    moment: float
    backwards: bool
    number: int
    what: str
    rth: bool
    ignore_size: bool

    @property
    def is_small(self):
        return True

    @property
    def limit(self):
        """No end of the archive is documented."""
        return float('inf')


def understand(request, instrument, now, zone, version):
    """The TickQuery a request means; raises Refused. `zone` is TWS's own."""
    if bool(request.startDateTime) == bool(request.endDateTime) or not 0 < request.numberOfTicks <= MAX_TICKS:
        raise invalid('Historical ticks: give either a start or an end, and 1 to 1000 ticks')
    what = request.whatToShow.upper()
    if what not in WHATS:
        raise invalid(f'Invalid whatToShow: {request.whatToShow}')
    if not (instrument.is_traded if what == 'TRADES' else instrument.is_quoted):
        raise no_data(instrument, what)
    try:
        moment = stamps.parse(request.startDateTime or request.endDateTime, zone)
    except ValueError as error:
        raise Refused(10314, f'Start/End Date/Time: {error}') from None
    return TickQuery(instrument, moment, bool(request.endDateTime), request.numberOfTicks, what, request.useRth,
                     request.ignoreSize)


def answer(market, reqId, query, now):
    """The reply; none of its ticks is later than `now`."""
    ticks = _gather(_source(market, query), query, now)
    if query.what == 'TRADES':
        return replies.HistoricalTicksLast(reqId, ticks, True, query.instrument.contract.primaryExchange)
    reply = replies.HistoricalTicksBidAsk if query.what == 'BID_ASK' else replies.HistoricalTicks
    return reply(reqId, ticks)


def _source(market, query):
    """A function (start, end) for the ticks of a stretch."""
    if query.what == 'TRADES':
        return lambda start, end: market.trades(query.instrument, start, end)
    if query.what == 'MIDPOINT':
        return lambda start, end: _changes(
            [Trade(quote.time, (quote.bid + quote.ask) / 2, 0) for quote in _quotes(market, query, start, end)],
            lambda tick: tick.price)
    size = 3 if query.ignore_size else 5
    return lambda start, end: _changes(_quotes(market, query, start, end), lambda quote: quote[1:size])


def _quotes(market, query, start, end):
    """An empty book at the close is no quote."""
    return [quote for quote in market.quotes(query.instrument, start, end) if quote.bid > 0]


def _changes(ticks, key):
    return [next(same) for _, same in itertools.groupby(ticks, key)]


def _gather(source, query, now):
    """Half an hour at a time till there are enough, the second in which there are is whole, or the session is over."""
    found = []
    for start, end in _stretches(query, now):
        ticks = [tick for tick in source(start, end) if not query.rth or _is_regular(query, tick)]
        found = ticks + found if query.backwards else found + ticks
        if len(found) >= query.number:
            break
    return _last(found, query.number) if query.backwards else _first(found, query.number)


def _is_regular(query, tick):
    return query.instrument.hours.session_at(tick.time, True) is not None


def _stretches(query, now):
    """The half hours of the one session, counted from the moment."""
    hours, moment = query.instrument.hours, query.moment
    session = hours.next_session(moment)
    if query.backwards:
        session = hours.previous_session(session) if session.open >= moment else session
        end = min(session.close, moment, now)
        while end > session.open:
            yield max(end - HALF_HOUR, session.open), end
            end -= HALF_HOUR
    else:
        start, last = max(session.open, moment), min(session.close, now)
        while start < last:
            yield start, min(start + HALF_HOUR, last)
            start += HALF_HOUR


def _first(ticks, number):
    if len(ticks) <= number:
        return ticks
    second = int(ticks[number - 1].time)
    return ticks[:number] + list(itertools.takewhile(lambda tick: int(tick.time) == second, ticks[number:]))


def _last(ticks, number):
    if len(ticks) <= number:
        return ticks
    second = int(ticks[-number].time)
    return [tick for tick in ticks[:-number] if int(tick.time) == second] + ticks[-number:]
