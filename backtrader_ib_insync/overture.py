"""What comes before a feed's course, one method per stage: its contract, TWS's time, the bars of another feed."""
import collections

from .daynumber import seconds
from .errors import IBError

ROW = ('datetime', 'open', 'high', 'low', 'close', 'volume')


class Overture:
    """`stage()` takes what is there and returns whether it got any further; the feed's `set_out` ends it."""

    def __init__(self, feed, store, source):
        self.found = collections.deque()
        self.stage = self._contracts
        self._feed = feed
        self._store = store
        self._source = source
        self._then = None

    def begin(self):
        """Look the first contract up."""
        self._store.find_contract(self._feed.identity.next(), self.found, patient=self._feed.islive())

    @property
    def looks_up(self):
        """Whether the contracts are not known yet."""
        return self.stage == self._contracts

    def _contracts(self):
        """Waiting for the details of the data contract, then of the one to trade."""
        if not self.found:
            return False
        feed = self._feed
        try:
            feed.identity.take(self.found.popleft())
            if feed.identity.next() is not None:
                self.begin()
                return True
            feed.introduce()
        except IBError as error:
            feed.fail(error)
            return True
        self.stage = self._clock
        return True

    def _clock(self):
        """Waiting for TWS's time: what is history and what is yet to come depends on it."""
        if not self._store.link.heard:
            self._store.ask_time()
            return False
        self._feed.subscribe()
        if self._source is None:
            self._feed.set_out(None)
        else:
            self.play_other(lambda: self._feed.set_out(self._feed.course.seam.covered))
        return True

    def play_other(self, then):
        """Deliver the bars of the other feed, then do `then()`; whether there are any to deliver."""
        if self._source is None or self._then is not None:
            return False
        self._then = then
        self._source.setenvironment(self._feed.getenvironment())
        self._source._start()
        self._feed.rows.tell(self._feed.DELAYED)
        self.stage = self._other
        return True

    def _other(self):
        """Delivering the bars of the other feed."""
        source = self._source
        if source.next():
            row = tuple(getattr(source.lines, name)[0] for name in ROW)
            self._feed.deliver(row, seconds(row[0]))
        else:
            source.stop()
            self._then()
        return True
