"""IBStore: the one object that owns the connection, the queues and the request ids of a process."""
import atexit
import collections
import copy
import datetime
import logging
import time

import backtrader as bt

from . import codes
from .account_stream import AccountStream
from .connection import Connection, Settings
from .downloads import Download, Lookup
from .errors import BadParameter, IBError, NotConnected
from .line import REQIDBASE
from .loop import Loop, Waker
from .messages import Closed, Heard, Lost, MarketRule, Notice, Restored, Session

log = logging.getLogger(__name__)

#: seconds between two questions for the time, however many feeds want to know it
ASK_SECONDS = 0.2
#: seconds that a clean farewell may take: 500 orders given in the last moment need 13
FAREWELL_SECONDS = 20.0
READ_ONLY = 'TWS is in read-only mode: no order is sent. Untick "Read-Only API" in its API settings to trade'
#: seconds of a sleep that only a record ends: Python cannot wait for ever with a bound
LONGEST_SLEEP = 3600.0


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
        self.waker = Waker()
        self.closed = None
        self.link_up = False
        self.heard = 0.0
        self._inbox = collections.deque()
        self._session = None
        self._had_session = False
        self._offset = 0.0
        self._rules = {}
        self._order_id = 0
        self._asked = 0.0
        self._loop = None
        self._link = None
        self._deadline = None
        self.pass_hit = False
        if self.p._debug:
            logging.getLogger(__package__).setLevel(logging.DEBUG)

    def _differs(self, kwargs):
        other = ['{}={!r} (it is {!r})'.format(name, value, getattr(self.p, name))
                 for name, value in sorted(kwargs.items()) if getattr(self.p, name) != value]
        if other:
            self.notify('there is one IBStore a process and it exists already, so these arguments have no effect: {}; '
                        'pass them to the first IBStore(...)'.format(', '.join(other)))

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self, data=None, broker=None):
        """Connect if that has not been done; called by cerebro, by each feed and by the broker."""
        if data is None and broker is None:
            self._abandon()
        if data is not None and not any(data is known for known in self.datas):
            self.datas.append(data)
        if broker is not None:
            self.attach(broker)
        if self._loop is None:
            self._connect()

    def _abandon(self):
        """cerebro begins a run: feeds that are still here were left behind by an exception in an earlier one.

        Its broker, if it has one, will come; one of an earlier run would take in nothing any more.
        """
        self.broker = None
        abandoned, self.datas = self.datas, []
        for data in abandoned:
            data.unsubscribe()

    def _connect(self):
        self.closed = None
        self._had_session = False
        self._loop = Loop()
        self._link = self._loop.call(self._make_link)
        atexit.register(self.stop)

    def _make_link(self):
        account = AccountStream()
        if self.broker is not None:
            account.attach(self._sink(self.broker.inbox))
        link = Connection(self._settings(), self._sink(self._inbox), account)
        link.start()
        return link

    def _settings(self):
        p = self.p
        return Settings(p.host, p.port, p.clientId, p.reconnect, p.timeout, p.readonly, p.account, p.timerefresh,
                        p.marketdatatype)

    def stop(self):
        """Disconnect and end the loop thread; what was known (cash, positions) stays readable. Any number of times."""
        loop, link, self._loop, self._link = self._loop, self._link, None, None
        self.datas = []
        if loop is None:
            return
        atexit.unregister(self.stop)
        try:
            loop.call(link.shut, timeout=FAREWELL_SECONDS)
        except IBError as error:
            log.warning('no good-bye to TWS: %s', error)
        finally:
            loop.stop()
            self.link_up = False
            self.waker.kick()
        self.drain()

    def _sink(self, queue):
        """What the loop thread calls to hand a record to the strategy thread."""
        def sink(record):
            queue.append(record)
            self.waker.kick()
        return sink

    # -- what the loop thread told -------------------------------------------------------------------------------------

    def drain(self):
        """Take in what the connection said of itself."""
        inbox = self._inbox
        while inbox:
            record = inbox.popleft()
            self._TAKE[type(record)](self, record)

    def _take_session(self, session):
        again, self._had_session = self._had_session, True
        self._session = session
        self.link_up = True
        self._order_id = max(session.order_id, self._order_id)
        if again:
            self._tell(0, 'connected again: account and orders have been read, feeds fill their gaps')
        else:
            # the end of a warning is worth one too, a good beginning is not
            self._tell(0, 'connected to {}:{}, server version {}, as client {}'.format(
                self.p.host, self.p.port, session.server_version, session.clientId), logging.INFO)
        if session.readonly and not self.p.readonly:
            self._tell(0, READ_ONLY)

    def _take_heard(self, heard):
        self.heard = heard.time
        self._offset = heard.offset if self.p.timeoffset else 0.0

    def _take_notice(self, notice):
        routine = codes.is_routine(notice.errorCode)
        # what carries an id belongs to an order or a feed, which say what they make of it
        log.log(logging.INFO if routine or notice.id >= 0 else logging.WARNING, '%s', notice)
        if self.p.notifyall or not routine:
            self.put_notification(notice)

    def _take_lost(self, lost):
        self.link_up = False
        self._tell(lost.code, '{}: {}; {}'.format(
            'TWS lost IB' if lost.code else 'connection lost', lost.reason, self._remedy(lost.code)))

    def _remedy(self, code):
        if code:
            return 'it comes back by itself, feeds and orders wait'
        allowed, every = self.p.reconnect, self.p.timeout
        if not allowed:
            return 'reconnect=0 allows no attempt to reconnect'
        how = 'for ever' if allowed < 0 else 'up to {} times'.format(allowed)
        return 'reconnecting {}, every {:g} s'.format(how, every)

    def _take_restored(self, restored):
        self.link_up = True
        self._tell(0, 'TWS has IB again: {}; account and orders have been read, feeds fill their gaps'.format(
            restored.reason))

    def _take_closed(self, closed):
        self.link_up = False
        self.closed = closed.reason
        self._tell(0, 'no connection and no further attempt: {}'.format(closed.reason))

    def _tell(self, code, text, level=logging.WARNING):
        log.log(level, '%s', text)
        self.put_notification(Notice(-1, code, text))

    def _take_market_rule(self, rule):
        self._rules[str(rule.marketRuleId)] = rule.increments

    _TAKE = {MarketRule: _take_market_rule, Session: _take_session, Heard: _take_heard, Notice: _take_notice,
             Lost: _take_lost, Restored: _take_restored, Closed: _take_closed}

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
        self.drain()
        found = [self.notifs.popleft() for _ in range(len(self.notifs))]
        return found

    # -- sleeping and waking (backtrader-contract.md 2.6) --------------------------------------------------------------

    def pending(self):
        """Whether anything of this store waits to be handled by the strategy thread."""
        return bool(self._inbox or self.notifs or (self.broker is not None and self.broker.backlog())
                    or any(data.backlog() for data in self.datas))

    def sleep(self, seconds):
        """Let the strategy thread sleep till something comes, at most `seconds` from the first sleep of the pass."""
        kicks = self.waker.kicks
        if self.pending():
            return
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + seconds
        due = min([self._deadline - now] + [data.due() for data in self.datas])
        if due > 0:
            self.waker.wait(kicks, due)
        self.drain()

    def await_record(self, queue, seconds):
        """Sleep till `queue` holds something, for feeds that must not answer "nothing yet"; False after `seconds`."""
        return self.await_fact(lambda: bool(queue), seconds)

    def await_fact(self, fact, seconds):
        """Sleep till `fact()` holds, which is asked at each record that comes; False after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            kicks = self.waker.kicks
            self.drain()
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
        if not self._inbox and not data.backlog():
            self.waker.wait(kicks, seconds)
        self.drain()

    # -- the clock -----------------------------------------------------------------------------------------------------

    def clock(self):
        """TWS's time as far as known, in seconds since the epoch, UTC."""
        return time.time() + self._offset

    def timeoffset(self):
        """TWS's clock minus the machine's, as a timedelta."""
        return datetime.timedelta(seconds=self._offset)

    def ask_time(self):
        """Have TWS tell its time, which proves that what it sent before has arrived; at most five times a second."""
        now = time.monotonic()
        if self._loop is not None and now - self._asked >= ASK_SECONDS:
            self._asked = now
            self._loop.post(self._link.beat.ask)

    # -- requests of feeds ---------------------------------------------------------------------------------------------

    def find_contract(self, contract, queue):
        """Look `contract` up; Contracts or Refused arrives in `queue`."""
        self._run(Lookup(self._sink(queue), contract))

    def download(self, contract, plan, what, rth, queue):
        """Fetch the bars of a `history.plan`; History records arrive in `queue`, or HistoryFailed."""
        self._run(Download(self._sink(queue), contract, plan, what, rth))

    def _run(self, job):
        self._online().post(self._link.desk.run, job)

    def subscribe(self, make, queue):
        """Start the stream that `make(sink, clock)` returns; its records arrive in `queue`. Returns a handle."""
        return self._online().call(self._link.subscribe, make, self._sink(queue))

    def unsubscribe(self, handle):
        """Stop a stream; harmless when the store has been stopped."""
        if self._loop is not None:
            self._loop.post(self._link.desk.unsubscribe, handle)

    def _online(self):
        if self._loop is None:
            raise NotConnected('the store is stopped; cerebro.run() or store.start() starts it')
        return self._loop

    # -- the raw client library ----------------------------------------------------------------------------------------

    @property
    def ib(self):
        """The client library's IB object. It lives on the loop thread: touch it there only, by `call`."""
        return None if self._link is None else self._link.ib

    def call(self, function, timeout=30.0):
        """Run `function(ib)` on the loop thread and return its result, awaited when it is awaitable.

        Raises what the function raises, TimedOut after `timeout` seconds, NotConnected when the store is stopped.
        """
        loop, ib = self._online(), self.ib
        return loop.call(function, ib, timeout=timeout)

    # -- what the broker needs -----------------------------------------------------------------------------------------

    def attach(self, broker):
        """Deliver order and account records to `broker.inbox` from now on, beginning with all TWS knows."""
        if broker is self.broker:
            return
        self.broker = broker
        if self._loop is not None:
            self._loop.post(self._link.attach, self._sink(broker.inbox))

    @property
    def accounts(self):
        """The accounts of the login, () before the first session."""
        return self._session.accounts if self._session else ()

    @property
    def account(self):
        """The account that orders and values are for when nothing else is said."""
        return self.p.account or (self.accounts[0] if self.accounts else '')

    @property
    def clientId(self):
        return self._session.clientId if self._session else self.p.clientId

    def connected(self):
        """Whether an API session is up and TWS itself is connected."""
        self.drain()
        return self.link_up

    def next_order_id(self):
        """An order id nobody used; raises NotConnected before the first session."""
        self.drain()
        if self._session is None:
            raise NotConnected('no order id yet: TWS tells the first one when the connection is made')
        orderId, self._order_id = self._order_id, self._order_id + 1
        return orderId

    def seen_order_id(self, orderId):
        """An order with this id exists: ids given from now on are larger (P10)."""
        self._order_id = max(self._order_id, orderId + 1)

    def reason_not_trading(self, data=None):
        """Why no order can be sent now, '' when one can."""
        if self.p.readonly:
            return 'the store is read-only (readonly=True)'
        if self._session is not None and self._session.readonly:
            return READ_ONLY
        if not self.connected():
            return 'not connected to TWS' + (': {}'.format(self.closed) if self.closed else '')
        return ''

    def price_increments(self, details, exchange):
        """The price steps of a contract at an exchange, ((from this price on, increment), ...); at least minTick."""
        if details is None:
            return ()
        rules = dict(zip(details.validExchanges.split(','), details.marketRuleIds.split(',')))
        return self._rules.get(rules.get(exchange), ((0.0, details.minTick),))

    def place(self, contract, order):
        """Send a new or changed order; returns at once. The order is copied."""
        self._online().post(self._link.orders.place, contract, copy.copy(order))

    def cancel(self, order):
        """Ask TWS to cancel an order; returns at once."""
        self._online().post(self._link.orders.cancel, copy.copy(order))

    def list_orders(self, number):
        """Have TWS list its open orders to the broker, and after them an OrdersListed with this number."""
        if self._loop is not None:
            self._loop.post(self._link.list_orders, number)

    def what_if(self, contract, order, timeout=10.0):
        """Margin and commission an order would have, as the client library's OrderState; nothing is placed."""
        return self._online().call(self._link.orders.what_if, contract, copy.copy(order), timeout=timeout)
