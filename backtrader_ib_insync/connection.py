"""One API session after another: connect, synchronise, watch, reconnect. Loop thread only.

    connecting --> synchronising --> watching <--> cut off (TWS itself lost IB: 1100, 2110 till 1101, 1102)
        ^  |             |              |              |
        |  +-------------+--- lost -----+--------------+
        |                      |
        +------ waiting <------+---------> closed (stopped, or every attempt was spent)

TWS's codes become four words here (Lost, Restored, Refused, Closed) and nothing above this file reads a link code.
"""
import asyncio
import logging
import re
from typing import NamedTuple, Optional

from . import codes
from .attempts import Attempts
from .clock import ServerClock
from .errors import BadParameter, IBError
from .heartbeat import Heartbeat
from .insync import LogEar, TappedIB
from .line import CLOSE_SECONDS, Line, ended
from .messages import Closed, Lost, Notice, Session
from .order_line import OrderLine
from .request_desk import MARKET_DATA_FARM, RequestDesk
from .subscription import Retired
from .synchroniser import Synchroniser
from .uplink import Uplink
from .vigil import Inquiry, Vigil

log = logging.getLogger(__name__)

#: TWS's text under no id and code 321 when its API settings allow no orders
READ_ONLY = re.compile('read-?only', re.IGNORECASE)
VALIDATION = 321


class Settings(NamedTuple):
    """What a store's params say about the link."""
    host: str
    port: int
    clientId: Optional[int]
    reconnect: int
    timeout: float
    readonly: bool
    account: str
    timerefresh: float
    marketdatatype: int


class Connection:
    """Keeps a session with TWS; streams and questions go through its `desk`, what happens is told to `publish`."""

    def __init__(self, settings, publish, account):
        self.settings = settings
        self.publish = publish
        self.account = account
        self.clock = ServerClock()
        self.ib = TappedIB(self, account)
        self.line = Line(self.ib, settings)
        self.beat = Heartbeat(self.ib.client, self.clock, publish, settings.timerefresh)
        self.desk = RequestDesk(self.ib, publish, self.beat)
        self.vigil = Vigil(self.desk, self.clock, publish)
        self.synchroniser = Synchroniser(self.ib, account, self.beat, settings)
        self.orders = OrderLine(self.ib, account, publish)
        self.attempts = Attempts(settings, publish)
        self.uplink = Uplink(self.desk, publish, self.resynchronise, self._tell_lost)
        self.order_id = 1
        self._life = None
        self._hears = {'refused': self._on_refused, 'moved': self._on_moved, 'farm_lost': self._on_farm_lost,
                       'farm_ok': self._on_farm_ok, 'lost': self.uplink.lost, 'restored': self.uplink.restored,
                       'renewed': self.uplink.renewed}
        self._ear = LogEar(self._unreadable)

    # -- the life ------------------------------------------------------------------------------------------------------

    def start(self):
        self._ear.open()
        self._life = asyncio.ensure_future(self._live())

    async def _live(self):
        try:
            reason = await self._connect_again_and_again()
        except asyncio.CancelledError:
            # an Exception before CPython 3.8
            raise
        except Exception as error:
            log.exception('the connection ended by a fault of its own')
            reason = 'a fault in the connection: {!r}'.format(error)
        self._close(reason)

    async def _connect_again_and_again(self):
        """Returns why there will be no further attempt."""
        attempts = self.attempts
        while True:
            await asyncio.sleep(attempts.due() - _now())
            attempts.begin(_now())
            try:
                reason = await self._session()
            except BadParameter as error:
                return str(error)
            except (OSError, asyncio.TimeoutError, IBError) as error:
                attempts.fail()
                reason = self.line.failure(error)
            if attempts.are_spent():
                return reason
            attempts.tell(reason)

    async def _session(self):
        """One session from handshake to end; returns why it ended. Raises what there is against beginning one."""
        self.uplink.begin()
        try:
            await self._open()
            reason = await self._watch()
            self.attempts.lose(_now())
        finally:
            self.uplink.close()
            await self.line.end()
        self.orders.drop(reason)
        self.publish(Lost(reason))
        self.account.tell(Lost(reason))
        self.desk.forget(reason)
        return reason

    async def _open(self):
        self.beat.begin()
        self.synchroniser.begin()
        await self.line.log_in(keep_id=self.attempts.had_session)
        self.line.count_requests(self.order_id)
        await self.line.unless_broken(self.synchroniser.run())
        client = self.ib.client
        self.attempts.succeed(_now())
        self.order_id = max(self.order_id, self.account.highest_id(self.clientId) + 1)
        log.info('connected to %s, server version %s, as client %s', self.line.address, client.serverVersion(),
                 self.clientId)
        self.publish(Session(tuple(client.getAccounts()), self.order_id, client.serverVersion(), self.clientId,
                             self.synchroniser.is_read_only))
        if self.settings.marketdatatype != 1:
            client.reqMarketDataType(self.settings.marketdatatype)
        self.uplink.open()
        self.ib.connectedEvent.emit()

    async def _watch(self):
        """Stay till the session ends; returns the reason."""
        reason = None
        while reason is None:
            self.beat.ask()
            reason = await self.line.broken(self.beat.every)
            # cut off, TWS may have nothing to say
            if reason is None and not self.uplink.is_cut and self.beat.is_dead():
                reason = 'TWS is silent and does not tell the time when asked: the network, or TWS, hangs'
        return reason

    def _close(self, reason):
        self._ear.close()
        self.publish(Closed(reason))
        self.account.tell(Closed(reason))
        self.desk.close(reason)

    async def shut(self):
        """Say good-bye to TWS from whatever state: subscriptions given back, the socket closed, no task left."""
        self._ear.close()
        self.uplink.stay()
        self.orders.flush()
        if self._in_session:
            self.desk.hang_up()
            await self.line.finish()
            self.line.hang_up()
        await ended(self._life, 2 * CLOSE_SECONDS)
        await self.desk.clear()

    @property
    def _in_session(self):
        return self.uplink.in_session

    @property
    def clientId(self):
        return self.line.clientId

    # -- what TWS says of itself ---------------------------------------------------------------------------------------

    def nextValidId(self, orderId):
        self.order_id = max(self.order_id, orderId)

    def currentTime(self, second):
        self.beat.answered(second)
        self.vigil.told(second)

    def ended(self):
        """The client library saw the socket close."""
        self.line.snap('TWS closed the connection')

    def hung_up(self, text):
        """The socket is closed."""
        self.line.snap(text or 'TWS closed the connection')

    def failed(self, text):
        """The client library saw the socket fail."""
        self.line.snap(text)

    def error(self, reqId, code, text, advanced):
        if 0 <= reqId < self.line.requests_from:
            self.account.order_error(reqId, code, text, advanced)
        word = codes.link(code)
        if word:
            self._hears[word](code, text)
            return
        if not isinstance(self.ib.routes.get(reqId), (Inquiry, Retired)):
            self.publish(Notice(reqId, code, text))
        if code == VALIDATION and reqId < 0 and READ_ONLY.search(text):
            self.synchroniser.refuse_orders()

    def _unreadable(self, text):
        self.publish(Notice(-1, 0, 'the client library could not read a message of TWS, what it said is lost: ' + text))

    def _on_refused(self, code, text):
        self.line.taken()

    def _on_moved(self, code, text):
        self.line.moved(text)

    def _on_farm_lost(self, code, text):
        self.publish(Notice(-1, code, text))
        self.desk.farm_lost(_farm(text), text, code, code == MARKET_DATA_FARM)

    def _on_farm_ok(self, code, text):
        self.publish(Notice(-1, code, text))
        self.desk.farm_ok(_farm(text))

    def _tell_lost(self, text, code):
        self.publish(Lost(text, code))
        self.orders.drop(text)
        self.account.tell(Lost(text, code))
        self.desk.pause(text, code)

    def attach(self, sink):
        """Tell orders and account to `sink`, from a whole view of TWS's on."""
        self.account.attach(sink)
        self.desk.spawn(self.resynchronise())

    async def resynchronise(self):
        """Tell the account stream all of TWS's view again; whether that was done. A new session does so by itself."""
        if not self._in_session:
            return False
        try:
            await self.synchroniser.run()
        except (OSError, IBError) as error:
            self.line.snap('the account could not be read again: {}'.format(error))
            return False
        return self._in_session

    def subscribe(self, make, sink):
        """Start the stream that `make(sink, clock)` returns; gives it back for `desk.unsubscribe`."""
        stream = make(sink, self.clock)
        self.desk.subscribe(stream)
        return stream

    # -- orders --------------------------------------------------------------------------------------------------------

    def list_orders(self, number):
        """Have TWS list its open orders; a new session does so by itself."""
        if self._in_session:
            # a change that waits to leave can bring an order back to life that was refused
            self.orders.then(lambda: self.desk.spawn(self._list_orders(number)))

    async def _list_orders(self, number):
        try:
            await self.synchroniser.list_orders(number)
        except (OSError, IBError) as error:
            log.warning('TWS did not list the open orders: %s', error)


def _now():
    return asyncio.get_event_loop().time()


def _farm(text):
    """The farm's name at the end of a farm notice: 'Market data farm connection is OK:usfarm'."""
    return text.rpartition(':')[2].strip()
