"""From the strategy thread down to the loop thread: a connection that lives there, and all that can be asked of it.

Down go calls, up come records: each into the queue that was given for it, and the waker wakes whoever sleeps.
"""
import logging
import os
import time

from .account_stream import AccountStream
from .connection import Connection
from .downloads import Download, Lookup
from .errors import IBError, NotConnected
from .loop import Loop, Waker
from .tickhistory import TickDownload

log = logging.getLogger(__name__)

#: seconds between two questions for the time, however many feeds want to know it
ASK_SECONDS = 0.2
#: seconds that a clean farewell may take: 500 orders given in the last moment need 13
FAREWELL_SECONDS = 20.0
#: the process of a bridge that is never built
ELSEWHERE = 0


class Bridge:
    """Built and torn down any number of times; while it is down nothing is asked, and who has to know is told."""

    def __init__(self):
        self.waker = Waker()
        self._loop = None
        self._connection = None
        self._process = None
        self._asked = 0.0
        self._has_orders = False

    # -- up and down ---------------------------------------------------------------------------------------------------

    def _build(self, settings, told, orders):
        """Connect. `told` takes what becomes of the connection, `orders` orders and account, None when nobody does."""
        self._process = os.getpid()
        loop = Loop()
        self._connection = loop.call(self._make_connection, settings, told, orders)
        self._loop = loop

    def _make_connection(self, settings, told, orders):
        account = AccountStream()
        if orders is not None:
            account.attach(self._sink(orders))
        connection = Connection(settings, self._sink(told), account)
        connection.start()
        return connection

    def _detach(self):
        """Ask no more from now on; returns the loop for `_tear_down`, None when there is none, or not here."""
        loop, self._loop = self._loop, None
        return None if self._is_inherited else loop

    def _tear_down(self, loop):
        """Say good-bye to TWS and end the loop thread."""
        try:
            loop.call(self._connection.shut, timeout=FAREWELL_SECONDS)
        except IBError as error:
            log.warning('no good-bye to TWS: %s', error)
        finally:
            loop.stop()
            self.waker.kick()

    def _sink(self, queue):
        """What the loop thread calls to hand a record to the strategy thread."""
        def sink(record):
            queue.append(record)
            self.waker.kick()
        return sink

    # -- whose it is ---------------------------------------------------------------------------------------------------

    def live_elsewhere(self):
        """It stands for one of another process: it is never built."""
        self._process = ELSEWHERE

    @property
    def _is_elsewhere(self):
        return self._process == ELSEWHERE

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

    @property
    def ib(self):
        """The client library's IB object. It lives on the loop thread: touch it there only, by `call`."""
        return None if self._loop is None else self._connection.ib

    # -- requests of feeds ---------------------------------------------------------------------------------------------

    def ask_time(self):
        """Have TWS tell its time, which proves that what it sent before has arrived; at most five times a second."""
        loop, now = self._loop, time.monotonic()
        if loop is not None and now - self._asked >= ASK_SECONDS:
            self._asked = now
            loop.post(self._connection.beat.ask)

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

    # -- what the broker needs -----------------------------------------------------------------------------------------

    def _attach(self, queue):
        """Deliver order and account records to `queue` from now on, beginning with all TWS knows."""
        loop = self._loop
        if loop is not None:
            loop.post(self._connection.attach, self._sink(queue))

    def place(self, contract, order):
        """Send a new or changed order; returns at once.

        It leaves when this pass ends or sleeps, or 15 ms from now when a strategy computes on: then as soon as the loop
        thread has its turn of the interpreter. A change that comes before takes its place. The order must not be
        changed any more.
        """
        self._online().post_later(self._connection.orders.place, contract, order, time.monotonic())
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
