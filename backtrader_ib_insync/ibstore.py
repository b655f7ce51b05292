"""IBStore: the one object that owns the connection, the queues and the request ids of a process."""
import atexit
import collections
import datetime
import logging
import os
import time

import backtrader as bt

from .account_stream import AccountStream
from .connection import Connection, Settings
from .downloads import Download, Lookup
from .errors import BadParameter, IBError, NotConnected, StoreInUse, TimedOut
from .line import REQIDBASE
from .linkstate import LinkState
from .localclock import local_time
from .loop import Loop, Waker
from .messages import Closed
from .runs import is_running
from .tickhistory import TickDownload

log = logging.getLogger(__name__)

#: seconds between two questions for the time, however many feeds want to know it
ASK_SECONDS = 0.2
#: seconds that a clean farewell may take: 500 orders given in the last moment need 13
FAREWELL_SECONDS = 20.0
#: the process of a store that stands for one of another
ELSEWHERE = 0
#: seconds of a sleep that only a record ends: Python cannot wait for ever with a bound
LONGEST_SLEEP = 3600.0
STOPPED = 'the store was stopped'


class MetaSingleton(type(bt.Store)):
    """One store a process; a second call that asks for something else is told so, never silently ignored."""

    def __call__(cls, *args, **kwargs):
        known = set(cls.params._getkeys())
        unknown = sorted(set(kwargs) - known)
        if unknown or args:
            raise BadParameter('IBStore has no parameter {}; it has {}'.format(
                ', '.join(unknown) or 'without a name', ', '.join(sorted(known))))
        if cls._singleton is None:
            return super().__call__(**kwargs)
        cls._singleton._differs(kwargs)
        return cls._singleton


def _copied(cls, params):
    """A store that stands for one of another process; it never connects, and does not become the one of this."""
    store = bt.metabase.MetaParams.__call__(cls, **params)
    store._process = ELSEWHERE
    return store


class IBStore(bt.Store, metaclass=MetaSingleton):
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
      - ``readonly`` (False): send no order; needed when TWS itself is in read-only mode.
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
        self.datas = []
        self.broker = None
        self._cerebro = None
        self.waker = Waker()
        self.link = LinkState(self.p, self.put_notification)
        self._begun = self._asked = 0.0
        self._loop = None
        self._connection = None
        self._process = None
        self._ended = None
        self._deadline = None
        self._has_orders = False
        self.pass_hit = False
        if self.p._debug:
            logging.getLogger(__package__).setLevel(logging.DEBUG)

    def _differs(self, kwargs):
        other = ['{}={!r} (it is {!r})'.format(name, value, getattr(self.p, name))
                 for name, value in sorted(kwargs.items()) if getattr(self.p, name) != value]
        if other:
            self.notify('there is one IBStore a process and it exists already, so these arguments have no effect: {}; '
                        'pass them to the first IBStore(...)'.format(', '.join(other)))

    def __reduce__(self):
        # cerebro sends feeds to the processes of an optimisation, and their store with them
        return _copied, (type(self), dict(self.p._getkwargs()))

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self, data=None, broker=None):
        """Connect if that has not been done; called by cerebro, by each feed and by the broker.

        A run that `stop` ended while it began stays ended: cerebro begins the next one with a start of the store alone.
        Raises StoreInUse when they belong to another cerebro than the one that runs on this store.
        """
        if data is None and broker is None:
            self._ended = None
        elif self._ended is (data.getenvironment() if broker is None else broker.cerebro):
            self._turn_away(data)
            return
        if data is not None:
            self._serve(data.getenvironment())
            if not any(data is known for known in self.datas):
                self.datas.append(data)
        if broker is not None:
            self._serve(broker.cerebro)
            self.attach(broker)
        if self._process == ELSEWHERE:
            self._stand_in(data, broker)
        elif self._loop is None:
            self._connect()
        else:
            self._online()

    def _turn_away(self, data):
        if data is not None:
            data.arrive(Closed(STOPPED))

    def _stand_in(self, data, broker):
        """A feed that was loaded before is read without a connection."""
        if data is not None or broker is not None:
            raise NotConnected('the store is that of another process, and this one does not connect: cerebro optimises '
                               'over feeds that are loaded before (preload, runonce and optdatas as they are, all '
                               'feeds historical) and by its own broker; or use maxcpus=1')

    def _serve(self, cerebro):
        """One cerebro at a time: what is told to a strategy thread is taken by one."""
        if cerebro is self._cerebro:
            return
        if self._cerebro is not None and is_running(self._cerebro):
            raise StoreInUse('another cerebro runs on this IBStore, which serves one cerebro at a time: add all feeds '
                             'and strategies to one, or run the other in a process and with a clientId of its own')
        self._abandon()
        self._cerebro = cerebro

    def _abandon(self):
        """Feeds and a broker that are still here were left behind by an exception in an earlier run."""
        self.broker = None
        abandoned, self.datas = self.datas, []
        for data in abandoned:
            data.unsubscribe()

    def patience(self, seconds):
        """How long a start may wait for TWS: `seconds`, which all feeds have together as long as there is no link."""
        return seconds if self.connected() else max(0.0, self._begun + seconds - time.monotonic())

    def _connect(self):
        self.link.begin()
        self._begun = time.monotonic()
        self._process = os.getpid()
        loop = Loop()
        self._connection = loop.call(self._make_connection)
        self._loop = loop
        atexit.register(self.stop)

    def _make_connection(self):
        account = AccountStream()
        if self.broker is not None:
            account.attach(self._sink(self.broker.inbox))
        connection = Connection(self._settings(), self._sink(self.link.inbox), account)
        connection.start()
        return connection

    def _settings(self):
        p = self.p
        return Settings(p.host, p.port, p.clientId, p.reconnect, p.timeout, p.readonly, p.account, p.timerefresh,
                        p.marketdatatype)

    def stop(self):
        """Disconnect and end the loop thread; what was known (cash, positions) stays readable. Any number of times.

        In a run it ends every feed, and so the run; from any thread.
        """
        self.link.up, self.link.closed = False, STOPPED
        self._ended = self._cerebro
        loop, self._loop = self._loop, None
        datas, self.datas = self.datas, []
        self.broker = self._cerebro = None
        if loop is None or self._is_inherited:
            return
        atexit.unregister(self.stop)
        for data in datas:
            data.arrive(Closed(STOPPED))
        try:
            loop.call(self._connection.shut, timeout=FAREWELL_SECONDS)
        except IBError as error:
            log.warning('no good-bye to TWS: %s', error)
        finally:
            loop.stop()
            self.waker.kick()
        self.link.drain()

    def _sink(self, queue):
        """What the loop thread calls to hand a record to the strategy thread."""
        def sink(record):
            queue.append(record)
            self.waker.kick()
        return sink

    # -- what the user is told -----------------------------------------------------------------------------------------

    def put_notification(self, msg, *args, **kwargs):
        """Queue a message for `notify_store`."""
        self.notifs.append((msg, args, kwargs))

    def notify(self, msg, *args, **kwargs):
        """Tell the user once, by log and by `notify_store`."""
        log.warning('%s', msg)
        self.put_notification(msg, *args, **kwargs)

    def get_notifications(self):
        """What `notify_store` has to be told; cerebro asks once at the start of each pass."""
        self.pass_hit = False
        self._deadline = None
        self.link.drain()
        found = [self.notifs.popleft() for _ in range(len(self.notifs))]
        return found

    # -- sleeping and waking (backtrader-contract.md 2.6) --------------------------------------------------------------

    def pending(self):
        """Whether anything of this store waits to be handled by the strategy thread."""
        broker = self.broker
        return bool(self.link.inbox or self.notifs or (broker is not None and broker.backlog())
                    or any(data.backlog() for data in self.datas))

    def sleep(self, seconds):
        """Let the strategy thread sleep till something comes, at most `seconds` from the first sleep of the pass."""
        self._release()
        kicks = self.waker.kicks
        if self.pending():
            return
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + seconds
        due = min([self._deadline - now] + [data.due() for data in self.datas])
        if due > 0:
            self.waker.wait(kicks, due)
        self.link.drain()

    def await_fact(self, fact, seconds):
        """Sleep till `fact()` holds, which is asked at each record that comes; False after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            kicks = self.waker.kicks
            self.link.drain()
            left = end - time.monotonic()
            if fact():
                return True
            if left <= 0:
                return False
            self.waker.wait(kicks, min(left, LONGEST_SLEEP))

    def await_kick(self, data, seconds):
        """Sleep till anything comes, at most `seconds`; for a feed that must not answer "nothing yet".

        What waits for others does not count: while backtrader loads this feed nobody else takes anything.
        """
        kicks = self.waker.kicks
        if not self.link.inbox and not data.backlog():
            self.waker.wait(kicks, seconds)
        self.link.drain()

    # -- the clock -----------------------------------------------------------------------------------------------------

    def clock(self):
        """TWS's time as far as known, in seconds since the epoch, UTC."""
        return local_time() + self.link.offset if self.p.timeoffset else time.time()

    def timeoffset(self):
        """TWS's clock minus the machine's, as a timedelta."""
        return datetime.timedelta(seconds=self.clock() - time.time() if self.p.timeoffset else 0.0)

    def ask_time(self):
        """Have TWS tell its time, which proves that what it sent before has arrived; at most five times a second."""
        loop, now = self._loop, time.monotonic()
        if loop is not None and now - self._asked >= ASK_SECONDS:
            self._asked = now
            loop.post(self._connection.beat.ask)

    # -- requests of feeds ---------------------------------------------------------------------------------------------

    def find_contract(self, contract, queue, patient=False):
        """Look `contract` up; Contracts or Refused arrives in `queue`. `patient`: however long TWS does not answer."""
        self._run(Lookup(self._sink(queue), contract, patient))

    def download(self, contract, plan, what, rth, queue):
        """Fetch the bars of a `history.plan`; History records arrive in `queue`, or HistoryFailed."""
        self._run(Download(self._sink(queue), contract, plan, what, rth))

    def download_ticks(self, contract, begin, end, kind, rth, queue):
        """Fetch ticks as TickDownload has it; its records arrive in `queue`. Returns what `abandon` takes."""
        job = TickDownload(self._sink(queue), contract, begin, end, kind, rth)
        self._run(job)
        return job

    def abandon(self, job):
        """Nobody waits for a download of ticks any more; harmless when the store has been stopped."""
        loop = self._loop
        if loop is not None:
            loop.post(job.abandon)

    def _run(self, job):
        """Nothing when the store has been stopped: then the feed that asks is about to hear so."""
        loop = self._loop
        if loop is not None:
            loop.post(self._connection.desk.run, job)

    def subscribe(self, make, queue):
        """Start the stream that `make(sink, clock)` returns; its records arrive in `queue`. Returns a handle.

        None when the store has been stopped: then the feed that asks is about to hear so.
        """
        loop = self._loop
        try:
            return None if loop is None else loop.call(self._connection.subscribe, make, self._sink(queue))
        except NotConnected:
            return None

    def unsubscribe(self, handle):
        """Stop a stream; harmless when the store has been stopped."""
        loop = self._loop
        if loop is not None:
            loop.post(self._connection.desk.unsubscribe, handle)

    @property
    def _is_inherited(self):
        """Whether this process was forked of the one that is connected: the loop's thread lives there alone."""
        return self._process != os.getpid()

    def _online(self):
        loop = self._loop
        if loop is None:
            raise NotConnected('the store is stopped; cerebro.run() or store.start() starts it')
        if self._is_inherited:
            raise NotConnected('the connection belongs to process {}, of which this one, {}, was forked: start it '
                               "before connecting, or by multiprocessing's method 'spawn', and make it an IBStore with "
                               'a clientId of its own'.format(self._process, os.getpid()))
        return loop

    # -- the raw client library ----------------------------------------------------------------------------------------

    @property
    def ib(self):
        """The client library's IB object. It lives on the loop thread: touch it there only, by `call`."""
        return None if self._loop is None else self._connection.ib

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
        if not self.await_fact(lambda: link.had_session or link.closed is not None, seconds):
            raise TimedOut('no connection to TWS within {:g} s'.format(seconds))
        if not link.had_session:
            raise NotConnected(link.closed)

    # -- what the broker needs -----------------------------------------------------------------------------------------

    def attach(self, broker):
        """Deliver order and account records to `broker.inbox` from now on, beginning with all TWS knows."""
        self.broker = broker
        loop = self._loop
        if loop is not None:
            loop.post(self._connection.attach, self._sink(broker.inbox))

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

    def place(self, contract, order):
        """Send a new or changed order; returns at once.

        It leaves when this pass ends or sleeps, or 15 ms from now when a strategy computes on, for whom the loop thread
        must wait for its turn of the interpreter, too. A change that comes before takes its place. The order must not
        be changed any more.
        """
        self._online().post_later(self._connection.orders.place, contract, order)
        self._has_orders = True

    def cancel(self, order):
        """Ask TWS to cancel an order, after the orders that were placed before; returns at once."""
        self._online().post_later(self._connection.orders.cancel, order)
        self._has_orders = True

    def _release(self):
        """Let the orders of this pass go."""
        loop = self._loop
        if self._has_orders and loop is not None:
            self._has_orders = False
            loop.post(self._connection.orders.release)

    def list_orders(self, number):
        """Have TWS list its open orders to the broker, and after them an OrdersListed with this number."""
        loop = self._loop
        if loop is not None:
            loop.post(self._connection.list_orders, number)

    def what_if(self, contract, order, timeout=10.0):
        """Margin and commission an order would have, as the client library's OrderState; nothing is placed."""
        return self._online().call(self._connection.orders.what_if, contract, order, timeout=timeout)
