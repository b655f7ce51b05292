"""What clients subscribe to: ticks, 5 second bars, tick by tick; and who hears what, in true order."""
from . import replies, requests
from .subscriptions import BarStream, QuoteByQuote, TickStream, TradeByTrade

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
MAX_TICK_BY_TICK = 5
NOT_FOUND = "Can't find EId with tickerId:{}"
TOO_MANY = 'Max number of tickers has been reached'
TOO_MANY_BY_TICK = 'Max number of tick-by-tick requests has been reached.'
DUPLICATE = 'Duplicate ticker id'
NOT_SUBSCRIBED = ('Requested market data is not subscribed. Displaying delayed market data is not enabled.{}')
DELAYED_FOLLOWS = 'Requested market data is not subscribed. Displaying delayed market data.'
BAR_REFUSED = 'Invalid Real-time Query:No market data permissions for {}'
BY_TICK_REFUSED = 'Failed to request tick-by-tick data.No market data permissions for {}'
WHATS = ('TRADES', 'MIDPOINT', 'BID', 'ASK')


class Streams:
    """All subscriptions of all clients; `max_lines` may be open at once."""

    def __init__(self, gateway, max_lines=100, empty_bars=False):
        self._gateway = gateway
        self._max_lines = max_lines
        self._empty_bars = empty_bars
        self._open = {}
        self._withheld = {}

    def handlers(self):
        return {requests.ReqMktData: self._subscribe, requests.CancelMktData: self._cancel,
                requests.ReqRealTimeBars: self._subscribe_bars, requests.CancelRealTimeBars: self._cancel,
                requests.ReqTickByTickData: self._subscribe_by_tick, requests.CancelTickByTickData: self._cancel,
                requests.ReqMarketDataType: self._set_type}

    @property
    def count(self):
        """How many subscriptions are served, history that is kept up to date included."""
        return len(self._open)

    @property
    def lines(self):
        return sum(stream.is_line for stream in self._open.values())

    def withhold(self, symbol, code=354):
        """The accounts have no market data subscription for a symbol: `code` is what a request is answered with."""
        self._withheld[symbol] = code

    def grant(self, symbol):
        """The accounts have it again."""
        self._withheld.pop(symbol, None)

    def add(self, session, stream):
        """Serve a stream from now on."""
        self._open[session, stream.reqId] = stream

    def remove(self, session, reqId):
        """Stop serving it; answers whether there was one."""
        return self._open.pop((session, reqId), None) is not None

    def lose(self, symbol=''):
        """Every stream, or each of one symbol, falls silent for good; its line stays taken until it is cancelled."""
        for stream in self._open.values():
            stream.is_dead |= symbol in ('', stream.instrument.symbol)

    def forget(self, session):
        self._open = {key: stream for key, stream in self._open.items() if key[0] is not session}

    def advance(self, start, end):
        """Say what has happened in [start, end), in the order it happened."""
        if self._gateway.faults.is_down or 'data' in self._gateway.faults.dark_farms:
            return
        told = [(time, key[0], reply) for key, stream in self._open.items() if not stream.is_dead
                for time, reply in stream.events(start, end)]
        for _, session, reply in sorted(told, key=lambda event: event[0]):
            session.send(reply)

    def next_times(self, now):
        """When each stream has something new to tell."""
        return [stream.next_time(now, self._gateway.changes) for stream in self._open.values() if not stream.is_dead]

    def _subscribe(self, session, request):
        instrument = self._admit(session, request)
        if instrument is None:
            return
        kind = self._kind(session, request.reqId, instrument)
        if kind is None:
            return
        stream = TickStream(request.reqId, self._gateway.market, instrument, request.genericTickList, kind >= DELAYED)
        session.send(replies.TickReqParams(request.reqId, instrument.told_tick, 'a60001', 3))
        session.send(replies.MarketDataType(request.reqId, kind))
        for reply in stream.picture(self._gateway.now):
            session.send(reply)
        if request.snapshot or request.regulatorySnapshot:
            session.send(replies.TickSnapshotEnd(request.reqId))
        else:
            self.add(session, stream)

    def _kind(self, session, reqId, instrument):
        """The market data type it will be, or None when it is refused."""
        wanted = session.market_data_type
        code = self._withheld.get(instrument.symbol)
        if code is None:
            return FROZEN if wanted in (FROZEN, DELAYED_FROZEN) and not self._is_open(instrument) else LIVE
        if wanted in (LIVE, FROZEN):
            session.refuse(reqId, code, NOT_SUBSCRIBED.format(instrument.symbol))
            return None
        session.refuse(reqId, 10167, DELAYED_FOLLOWS)
        return wanted

    def _is_open(self, instrument):
        return self._gateway.market.is_open(instrument, self._gateway.now, False)

    def _subscribe_bars(self, session, request):
        instrument = self._admit(session, request)
        if instrument is None:
            return
        what = request.whatToShow.upper()
        if instrument.symbol in self._withheld or what not in WHATS or what == 'TRADES' and not instrument.has_last:
            session.refuse(request.reqId, 420, BAR_REFUSED.format(f'{instrument.secType} {what}'))
        else:
            self.add(session, BarStream(
                request.reqId, self._gateway.market, instrument, what, request.useRTH, self._empty_bars))

    def _subscribe_by_tick(self, session, request):
        instrument = self._admit(session, request)
        if instrument is None:
            return
        if sum(stream.is_by_tick for stream in self._open.values()) >= MAX_TICK_BY_TICK:
            session.refuse(request.reqId, 10190, TOO_MANY_BY_TICK)
        elif instrument.symbol in self._withheld:
            session.refuse(request.reqId, 10189, BY_TICK_REFUSED.format(f'{instrument.secType} {request.tickType}'))
        elif request.tickType in ('Last', 'AllLast') and instrument.is_traded:
            self.add(session, TradeByTrade(
                request.reqId, self._gateway.market, instrument, 1 if request.tickType == 'Last' else 2))
        elif request.tickType in ('BidAsk', 'MidPoint'):
            self.add(session, QuoteByQuote(
                request.reqId, self._gateway.market, instrument, request.tickType, request.ignoreSize))
        else:
            session.refuse(request.reqId, 10189, BY_TICK_REFUSED.format(f'{instrument.secType} {request.tickType}'))

    def _admit(self, session, request):
        """The instrument a subscription is for, or None: then the client has been told why not."""
        if (session, request.reqId) in self._open:
            session.refuse(request.reqId, 322, DUPLICATE)
            return None
        if self.lines >= self._max_lines:
            session.refuse(request.reqId, 101, TOO_MANY)
            return None
        return self._gateway.catalogue.resolve(session, request.reqId, request.contract)

    def _cancel(self, session, request):
        if not self.remove(session, request.reqId):
            session.refuse(request.reqId, 300, NOT_FOUND.format(request.reqId))

    def _set_type(self, session, request):
        session.market_data_type = request.marketDataType
