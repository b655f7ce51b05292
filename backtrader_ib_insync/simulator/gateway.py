"""The gateway: joins market, exchange, ledger and faults, and answers every client."""
from collections import deque
from typing import Any, NamedTuple, Optional

from . import replies, requests, stamps, zones
from .account_desk import AccountDesk
from .catalogue import Catalogue
from .changes import Changes
from .exchange import Exchange
from .faults import Faults
from .history_service import HistoryService
from .ledger import Ledger
from .limits import Window
from .market import Market
from .order_desk import OrderDesk
from .streams import Streams

CLIENT_ID_IN_USE = 'Unable to connect as the client id is already in use. Retry with a unique client id.'
TOO_FAST = 'Max rate of messages per second has been exceeded:max={} rec={} (1)'
READ_ONLY = 'The API interface is currently in Read-Only mode.'
ORDER_REQUESTS = (requests.PlaceOrder, requests.CancelOrder, requests.ReqGlobalCancel, requests.ReqOpenOrders,
                  requests.ReqAllOpenOrders, requests.ReqAutoOpenOrders, requests.ReqCompletedOrders)
VERSIONS = (157,) + tuple(range(159, 179))
ORDER_SLICE = 1.0
SLICE = 60.0
RECORDED = 200000


class Asked(NamedTuple):
    """A request on record, and when (simulated, UTC epoch seconds) and by which client it was made."""
    time: float
    clientId: Optional[int]
    request: Any


class Gateway:
    """One TWS with its accounts, its market and its clients; it knows no clock: `advance(now)` tells the time.

    accounts, cash, currency: who trades, and with how much each. groups: FA groups and their accounts.
    server_version: 157, 159..178. zone: the time zone TWS was started with. seed: which market, when none is given.
    market_data_lines: how many subscriptions at once. messages_per_second: how fast a client may ask; 0 is no limit.
    history_pacing: whether small bars are paced. history_latency: simulated seconds to an answer.
    empty_bars: whether 5 second bars without a trade are sent. faults: a text as `faults.parse` takes it.
    master: the client id that hears of the orders of all clients, None for none.
    `requests` holds what was asked, decoded; times are simulated UTC epoch seconds.
    """

    def __init__(self, market=None, accounts=('U1234567',), cash=1e6, currency='USD', now=0.0, server_version=176,
                 zone='US/Eastern', seed=1, market_data_lines=100, messages_per_second=50, history_pacing=True,
                 history_latency=0.0, empty_bars=False, groups=None, faults='', master=None):
        if server_version not in VERSIONS:
            raise ValueError(f'server version {server_version!r}: there are 157 and 159 to 178')
        self.now = now
        self.wall = now
        self.zone = zone
        self.server_version = server_version
        self.master = master
        self.messages_per_second = messages_per_second
        self.market = market or Market(seed=seed)
        self.ledger = Ledger(accounts, cash, currency, self.market)
        self.exchange = Exchange(self.market, self.ledger, zone, groups)
        self.faults = Faults(self, faults)
        self.sessions = []
        self.requests = deque(maxlen=RECORDED)
        self.changes = Changes(self.market)
        self.catalogue = Catalogue(self)
        self.streams = Streams(self, market_data_lines, empty_bars)
        self.history = HistoryService(self, history_pacing, history_latency)
        self.orders = OrderDesk(self)
        self.accounts = AccountDesk(self)
        self._handlers = {requests.StartApi: self._start_api, requests.ReqCurrentTime: self._tell_time,
                          requests.SetServerLogLevel: self._ignore}
        for desk in (self.catalogue, self.streams, self.history, self.orders, self.accounts):
            self._handlers.update(desk.handlers())
        self._rates = {}
        self.exchange.advance(now)

    @property
    def clients(self):
        """The sessions that have started the API, by client id."""
        return {session.client_id: session for session in self.sessions if session.is_ready}

    @property
    def lines(self):
        """How many market data lines are in use."""
        return self.streams.lines

    def connect(self, session):
        """A client has opened a connection."""
        self.sessions.append(session)
        self._rates[session] = Window(self.messages_per_second, 1.0)

    def disconnect(self, session):
        """A client is gone: its subscriptions end, its orders live on."""
        if session in self.sessions:
            self.sessions.remove(session)
            del self._rates[session]
            for desk in (self.streams, self.history, self.accounts, self.faults):
                desk.forget(session)

    def handle(self, session, request):
        """Answer one request."""
        self.requests.append(Asked(self.now, session.client_id, request))
        if not self._keeps_rate(session):
            return
        if not session.is_ready and not isinstance(request, requests.StartApi):
            session.refuse_invalid(-1, 'The API was not started: startApi comes first')
            return
        if self.faults.is_read_only and isinstance(request, ORDER_REQUESTS):
            session.refuse_invalid(getattr(request, 'orderId', -1), READ_ONLY)
            return
        self._handlers.get(type(request), self._refuse_unknown)(session, request)
        self.publish()

    def advance(self, now, wall=None):
        """Let the time pass until `now`; by `wall`, `now` if not given, it is measured how fast clients ask."""
        self.wall = now if wall is None else wall
        while self.now < now:
            self._pass_time(min(now, self._next_stop()))

    def next_event_time(self, now):
        """When advance has something to do again; None when nothing is due at all."""
        times = self._dues() + self.streams.next_times(now)
        times += [self.changes.after(instrument, now) for instrument in self.exchange.watched()]
        times += [session.link.next_time(now) for session in self.sessions]
        return min((time for time in times if time is not None), default=None)

    def publish(self):
        """Tell the clients what the exchange has done."""
        self.orders.publish()
        self.accounts.settle()

    def tell(self, code, text, sessions=None):
        """A notice that belongs to no request, to all clients or to `sessions`."""
        for session in list(self.clients.values()) if sessions is None else sessions:
            session.refuse(-1, code, text)

    def time_text(self):
        return stamps.in_zone(self.told_time(), self.zone)

    def told_time(self):
        """The time as this gateway's own clock has it, right or wrong."""
        return self.now + self.faults.skew

    def midnight(self):
        """When the gateway's day began."""
        return zones.to_utc(zones.local(self.now, self.zone).date(), 0, self.zone)

    def _pass_time(self, end):
        start, self.now = self.now, end
        self.streams.advance(start, end)
        self.exchange.advance(end)
        self.publish()
        # what goes wrong at `end`, or comes right, changes nothing of what has happened before
        self.faults.advance()
        self.history.advance()
        self.accounts.advance()

    def _next_stop(self):
        """How far the time may pass at once: fills and ticks shall come in the order they happened."""
        slice_end = self.now + (ORDER_SLICE if self.exchange.watched() else SLICE)
        return min([slice_end] + [time for time in self._dues() if time is not None and time > self.now])

    def _dues(self):
        return [self.faults.next_time(), self.history.next_time(), self.exchange.next_time(), self.accounts.next_time()]

    def _keeps_rate(self, session):
        window = self._rates[session]
        if not self.messages_per_second or window.take(self.wall):
            return True
        session.refuse(-1, 100, TOO_FAST.format(window.most, window.count(self.wall)))
        return False

    def _start_api(self, session, request):
        if session.is_ready:
            return
        if request.clientId in self.clients or self.faults.holds_client_id(request.clientId):
            session.refuse(-1, 326, CLIENT_ID_IN_USE)
            session.close()
            return
        session.client_id = request.clientId
        session.send(replies.ManagedAccounts(self.ledger.accounts))
        session.send(replies.NextValidId(self.exchange.next_id(session.client_id)))
        for code, text in self.faults.farms():
            session.refuse(-1, code, text)

    def _tell_time(self, session, request):
        session.send(replies.CurrentTime(self.told_time()))

    def _ignore(self, session, request):
        pass

    def _refuse_unknown(self, session, request):
        name = f'message {request.msgId}' if isinstance(request, requests.Unknown) else type(request).__name__
        session.refuse_invalid(-1, f'{name} is not simulated')
