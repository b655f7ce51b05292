"""The socket to TWS and the log-in over it, one session at a time. Loop thread only."""
import asyncio
import collections
import logging
import random
import re

from .errors import NotConnected, TimedOut
from .loop import retrieve

log = logging.getLogger(__name__)

#: request ids start here and order ids stay below, as in backtrader, so that an id tells its kind
REQIDBASE = 0x01000000
#: seconds for the handshake, and for the socket to close in good order
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 1.0
#: random client ids that are tried one after the other
CLIENT_IDS = 10


class ClientIdTaken(NotConnected):
    """Another API client of this TWS has the client id."""


class Line:
    """Logs in, and tells whoever waits when the session is dead; `ib` is the client library's."""

    def __init__(self, ib, settings):
        self.ib = ib
        self.settings = settings
        self.clientId = settings.clientId
        #: ids below are orders', ids from here on are requests'
        self.requests_from = REQIDBASE
        self._ports = collections.deque([settings.port])
        self._taken = False
        self._broken = None

    @property
    def address(self):
        return '{}:{}'.format(self.settings.host, self._ports[0])

    # -- up ------------------------------------------------------------------------------------------------------------

    async def log_in(self, keep_id):
        """Connect and shake hands, with another random client id when the first is taken, unless `keep_id`.

        Raises OSError, asyncio.TimeoutError, NotConnected.
        """
        for attempt in range(1, CLIENT_IDS + 1):
            if self.clientId is None:
                self.clientId = random.randint(1, 65535)
            try:
                await self._shake_hands()
                break
            except ClientIdTaken:
                if self.settings.clientId is not None or keep_id or attempt == CLIENT_IDS:
                    raise
                await self.end()
                self.clientId = None

    def count_requests(self, order_id):
        """Request ids begin well above `order_id`, the next order's: other programs count in ways of their own."""
        self.requests_from = REQIDBASE if order_id < REQIDBASE else order_id + REQIDBASE
        self.ib.client.updateReqId(self.requests_from)

    async def _shake_hands(self):
        self._broken = asyncio.Future()
        self._taken = False
        self.ib.wrapper.clientId = self.clientId
        host, port = self.settings.host, self._ports[0]
        try:
            await self.unless_broken(self.ib.client.connectAsync(host, port, self.clientId, CONNECT_SECONDS))
        except (OSError, NotConnected) as error:
            if self._taken:
                raise ClientIdTaken(str(error)) from None
            raise

    # -- down ----------------------------------------------------------------------------------------------------------

    def snap(self, reason):
        """The session is dead."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(reason)

    def taken(self):
        """TWS said so of the client id."""
        self._taken = True
        self.snap('client id {} is in use by another program; give each its own clientId'.format(self.clientId))

    def moved(self, text):
        """TWS changed its port; the old one may still be the right one, should it go back to it."""
        port = re.search(r'(\d+)\s*$', text)
        if port and int(port.group(1)) != self._ports[0]:
            self._ports = collections.deque([int(port.group(1)), self.settings.port])
        self.snap(text)

    async def broken(self, seconds):
        """Wait for the end of the session; its reason, or None after so many seconds without."""
        await asyncio.wait([self._broken], timeout=seconds)
        return self._broken.result() if self._broken.done() else None

    async def unless_broken(self, coroutine):
        """The result of `coroutine`, or NotConnected as soon as the session is known to be dead."""
        task = asyncio.ensure_future(coroutine)
        task.add_done_callback(retrieve)
        try:
            await asyncio.wait([task, self._broken], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise NotConnected(self._broken.result())
            return task.result()
        finally:
            await ended(task)

    async def finish(self):
        """Let what waits for its turn go out: orders are not to be forgotten."""
        if self.ib.held_back:
            log.info('%s messages wait for their turn, TWS takes so many a second; they are sent before it is left',
                     self.ib.held_back)
        while self.ib.held_back and not self._broken.done():
            await asyncio.sleep(0.005)

    def hang_up(self):
        """Begin to close the socket so that what was sent arrives; `end` waits for it."""
        try:
            self.ib.client.disconnect()
        except OSError as error:
            log.info('the socket was dead already: %s', error)

    async def end(self):
        """Wait till the client library has seen the socket closed: one that was not hung up dies at once."""
        connection = self.ib.client.conn
        now = asyncio.get_event_loop().time
        patience = now() + CLOSE_SECONDS
        while connection.transport is not None:
            if not connection.transport.is_closing() or now() > patience:
                connection.transport.abort()
            await asyncio.sleep(0.002)

    def failure(self, error):
        """Why there is no session, in words; the other port, if there is one, is the next to be tried."""
        where = 'cannot connect to {}: '.format(self.address)
        self._ports.rotate(1)
        if isinstance(error, ConnectionRefusedError):
            return where + ('nothing listens there. Is TWS or IB Gateway running, its API enabled and this its port '
                            '(7496 live, 7497 paper; 4001 and 4002 for IB Gateway)?')
        if isinstance(error, (TimedOut, asyncio.TimeoutError)):
            return where + 'no answer to the API handshake ({})'.format(error or 'time-out')
        return where + str(error)


async def ended(task, seconds=0.2):
    """Cancel a task, if it still runs, and wait till it has ended: `seconds`, then it is cancelled again."""
    while task is not None and not task.done():
        task.cancel()
        # before CPython 3.12 `asyncio.wait_for` swallows a cancel that comes in the moment in which its wait is over
        await asyncio.wait([task], timeout=seconds)
