"""Historical ticks: the trades or quotes before or after a moment, gathered half an hour at a time."""
from . import replies
from .history_query import invalid, no_data
from .records import Trade

HALF_HOUR = 1800.0
LOOK_AT_MOST = 14 * 48


def answer(market, instrument, request, moment, now, backwards):
    """The reply with `numberOfTicks` ticks from `moment` on, or before it; none is later than `now`."""
    what = request.whatToShow.upper()
    if what == 'TRADES' and instrument.is_traded:
        ticks = gather(market.trades, instrument, request, moment, now, backwards)
        return replies.HistoricalTicksLast(request.reqId, ticks, True, instrument.contract.primaryExchange)
    if what == 'BID_ASK' and instrument.is_quoted:
        return replies.HistoricalTicksBidAsk(
            request.reqId, gather(market.quotes, instrument, request, moment, now, backwards))
    if what == 'MIDPOINT' and instrument.is_quoted:
        quotes = gather(market.quotes, instrument, request, moment, now, backwards)
        ticks = [Trade(quote.time, (quote.bid + quote.ask) / 2, 0) for quote in quotes]
        return replies.HistoricalTicks(request.reqId, ticks)
    if what in ('TRADES', 'BID_ASK', 'MIDPOINT'):
        raise no_data(instrument, what)
    raise invalid(f'Invalid whatToShow: {request.whatToShow}')


def gather(source, instrument, request, moment, now, backwards):
    """At most `numberOfTicks` of them, oldest first."""
    found, wanted = [], request.numberOfTicks
    for number in range(LOOK_AT_MOST):
        start = moment - (number + 1) * HALF_HOUR if backwards else moment + number * HALF_HOUR
        if start >= now or len(found) >= wanted:
            break
        ticks = source(instrument, start, min(start + HALF_HOUR, now))
        found = ticks + found if backwards else found + ticks
    if request.useRth:
        found = [tick for tick in found if instrument.hours.session_at(tick.time, True)]
    return found[-wanted:] if backwards else found[:wanted]
