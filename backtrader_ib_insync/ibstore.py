"""IBStore: what a user has of the connection to TWS: its params, its life, its words, the raw client library."""
import atexit
import collections
import datetime
import logging
import time

import backtrader as bt

from .bridge import Bridge
from .connection import Settings
from .errors import NotConnected, TimedOut
from .guests import STOPPED, Guests
from .line import REQIDBASE
from .linkstate import LinkState
from .localclock import local_time
from .messages import Closed, Notice
from .singleton import MetaSingleton, stand_in
from .sleeper import Sleeper

log = logging.getLogger(__name__)


class IBStore(bt.Store, Bridge, metaclass=MetaSingleton):
    """The connection to TWS or IB Gateway, shared by every feed and the broker of the process.

    Params:

      - ``host`` ('127.0.0.1'): where TWS or IB Gateway runs.
      - ``port`` (7496): 7496 TWS live, 7497 TWS paper, 4001 Gateway live, 4002 Gateway paper.
      - ``clientId`` (None): id of this API client, unique per TWS; None draws one from 1 to 65535.
      - ``notifyall`` (False): tell ``notify_store`` also what is routine: farms that are fine, idle or connecting.
      - ``_debug`` (False): log at level DEBUG, the client library included.
      - ``reconnect`` (3): attempts to reconnect after a failed or lost connection; -1 for ever, 0 never.
      - ``timeout`` (3.0): seconds between attempts; with ``reconnect=-1`` they grow to a minute.
      - ``timeoffset`` (True): use TWS's clock, not the machine's, where no message carries a time.
      - ``timerefresh`` (60.0): seconds between two measurements of TWS's clock, at the most.
      - ``indcash`` (True): an index (IND) is followed by its price ticks, for want of trades.
      - ``readonly`` (False): send no order, and ask TWS for none: a TWS that is read-only itself refuses that.
      - ``account`` (''): the account for orders and values; the first of the login when empty.
      - ``marketdatatype`` (1): 1 live, 2 frozen, 3 delayed, 4 delayed and frozen.
    """

    params = (
        ('host', '127.0.0.1'),
        ('port', 7496),
        ('clientId', None),
        ('notifyall', False),
        ('_debug', False),
        ('reconnect', 3),
        ('timeout', 3.0),
        ('timeoffset', True),
        ('timerefresh', 60.0),
        ('indcash', True),
        ('readonly', False),
        ('account', ''),
        ('marketdatatype', 1),
    )

    BrokerCls = None
    DataCls = None
    REQIDBASE = REQIDBASE

    @classmethod
    def getdata(cls, *args, **kwargs):
        """An `IBData` with these arguments; works on the class as on the store."""
        return cls.DataCls(*args, **kwargs)

    @classmethod
    def getbroker(cls, *args, **kwargs):
        """The `IBBroker` with these arguments; works on the class as on the store."""
        return cls.BrokerCls(*args, **kwargs)

    def __init__(self):
        super().__init__()
        self.notifs = collections.deque()
        self.link = LinkState(self.p, self.put_notification)
        self.guests = Guests()
        self.sleeper = Sleeper(self.waker, self.link, self.guests, self.notifs, self._release)
        self._begun = 0.0
        if self.p._debug:
            logging.getLogger(__package__).setLevel(logging.DEBUG)

    def __reduce__(self):
        # cerebro sends feeds to the processes of an optimisation, and their store with them
        return stand_in, (type(self), dict(self.p._getkwargs()))

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self, data=None, broker=None):
        """Connect if that has not been done; called by cerebro, by each feed and by the broker.

        A run that `stop` ended while it began stays ended: cerebro begins the next one with a start of the store alone.
        Raises StoreInUse when they belong to another cerebro than the one that runs on this store.
        """
        if data is None and broker is None:
            self.guests.expect()
        elif not self.guests.admit(data, broker):
            return
        if broker is not None:
            self._attach(broker.inbox)
        if self._is_elsewhere:
            self._stand_in(data, broker)
        elif self._loop is None:
            self._connect()
        else:
            self._online()

    def _stand_in(self, data, broker):
        """A feed that was loaded before is read without a connection."""
        if data is not None or broker is not None:
            raise NotConnected('the store is that of another process, and this one does not connect: cerebro optimises '
                               'over feeds that are loaded before (preload, runonce and optdatas as they are, all '
                               'feeds historical) and by its own broker; or use maxcpus=1')

    def patience(self, seconds):
        """How long a start may wait for TWS: `seconds`, which all feeds have together as long as there is no link."""
        return seconds if self.connected() else max(0.0, self._begun + seconds - time.monotonic())

    def _connect(self):
        self.link.begin()
        self._begun = time.monotonic()
        broker = self.guests.broker
        self._build(self._settings(), self.link.inbox, None if broker is None else broker.inbox)
        atexit.register(self.stop)

    def _settings(self):
        p = self.p
        return Settings(p.host, p.port, p.clientId, p.reconnect, p.timeout, p.readonly, p.account, p.timerefresh,
                        p.marketdatatype)

    def stop(self):
        """Disconnect and end the loop thread; what was known (cash, positions) stays readable. Any number of times.

        In a run it ends every feed, and so the run; from any thread.
        """
        self.link.up, self.link.closed = False, STOPPED
        loop, datas = self._detach(), self.guests.dismiss()
        if loop is None:
            return
        atexit.unregister(self.stop)
        for data in datas:
            data.arrive(Closed(STOPPED))
        self._tear_down(loop)
        self.link.drain()

    # -- what the user is told -----------------------------------------------------------------------------------------

    def put_notification(self, msg, *args, **kwargs):
        """Queue a message for `notify_store`."""
        self.notifs.append((msg, args, kwargs))

    def notify(self, msg, *args, **kwargs):
        """Tell the user once, by log and, as a `Notice`, by `notify_store`."""
        log.warning('%s', msg)
        self.put_notification(msg if isinstance(msg, Notice) else Notice(-1, 0, msg), *args, **kwargs)

    def get_notifications(self):
        """What `notify_store` has to be told; cerebro asks once at the start of each pass."""
        self.sleeper.begin_pass()
        self.link.drain()
        return [self.notifs.popleft() for _ in range(len(self.notifs))]

    # -- the clock -----------------------------------------------------------------------------------------------------

    def clock(self):
        """TWS's time as far as known, in seconds since the epoch, UTC."""
        return local_time() + self.link.offset if self.p.timeoffset else time.time()

    def timeoffset(self):
        """TWS's clock minus the machine's, as a timedelta."""
        return datetime.timedelta(seconds=self.clock() - time.time() if self.p.timeoffset else 0.0)

    # -- the raw client library ----------------------------------------------------------------------------------------

    def call(self, function, timeout=30.0):
        """Run `function(ib)` on the loop thread and return its result, awaited when it is awaitable.

        The first connection is waited for. Raises what the function raises, TimedOut after `timeout` seconds,
        NotConnected when the store is stopped, or no connection came about.
        """
        loop, ib, begun = self._online(), self.ib, time.monotonic()
        self._await_session(float('inf') if timeout is None else timeout)
        left = None if timeout is None else max(0.0, begun + timeout - time.monotonic())
        return loop.call(function, ib, timeout=left)

    def _await_session(self, seconds):
        link = self.link
        if link.had_session:
            return
        if not self.sleeper.await_fact(lambda: link.had_session or link.closed is not None, seconds):
            raise TimedOut('no connection to TWS within {:g} s'.format(seconds))
        if not link.had_session:
            raise NotConnected(link.closed)

    # -- what TWS said of itself ---------------------------------------------------------------------------------------

    @property
    def accounts(self):
        """The accounts of the login, () before the first session."""
        return self.link.accounts

    @property
    def account(self):
        """The account that orders and values are for when nothing else is said."""
        return self.p.account or (self.accounts[0] if self.accounts else '')

    @property
    def clientId(self):
        return self.link.session.clientId if self.link.session else self.p.clientId

    def connected(self):
        """Whether an API session is up and TWS itself is connected."""
        self.link.drain()
        return self.link.up
