"""What the courses of all feeds share: the queue of live records, and what becomes of the link's words."""
import collections

from . import codes
from .livequeue import LiveQueue
from .messages import Closed, DataType, Lost, Refused, Restored, Warned
from .proof import Proof


class Journey:
    """Where a feed stands: the feed gives it records (`go_on`, `answers`) and takes what it delivers, and statuses.

    `state()` takes what is there and returns whether it got any further. Those who inherit it have `seam`, and the
    methods that this calls: `_broke` at a hole, `_resume` when it is mended, `_travels` while history is on its way;
    `_following` is their state when they are live.
    """

    def __init__(self, feed, store):
        self.feed = feed
        self.store = store
        self.answers = collections.deque()
        self.state = self._lost
        self._live = LiveQueue()
        #: the time up to which everything that TWS sent is here
        self._proven = 0.0
        self.proof = Proof(store, delayed=store.p.marketdatatype in codes.DELAYED_KINDS)

    def go_on(self, records, hours=None):
        """Take in the live `records`, if `hours` admit them, and what else is there; whether it got any further."""
        # asked for later the proof would overtake what comes in between
        self._proven = self.proof.time()
        while records:
            record = records.popleft()
            if hours is None or hours.admits(record):
                self.arrive(record)
        return self.state()

    def arrive(self, record):
        """A record of the live stream."""
        self._live.append(record)

    def backlog(self):
        """Whether something is here that can be gone on with at once; live records wait while history is on its way."""
        return bool(self.answers or self._live and not self.over and not self._travels)

    @property
    def follows(self):
        """Whether live records are delivered as they come."""
        return self.state == self._following

    @property
    def lags(self):
        """Whether a bar that closed long ago is still on its way though the feed is live."""
        return False

    @property
    def over(self):
        return self.state == self._over

    # -- states --------------------------------------------------------------------------------------------------------

    def _lost(self):
        """The link is gone, or was not there yet; what comes before it is restored belongs to nothing whole."""
        progress = bool(self._live)
        while self._live and self.state == self._lost:
            record = self._live.popleft()
            if isinstance(record, (Restored, Closed, Refused)):
                self._handle(record)
        return progress

    def _over(self):
        """Nothing more will come."""
        return False

    # -- records of the live stream ------------------------------------------------------------------------------------

    def _hole(self):
        """A hole came into the stream while history was being delivered: the stream counts from its mending on."""
        if not self._live.has_hole:
            return False
        self.answers = collections.deque()
        self._handle(self._live.pop_hole())
        return True

    def _handle(self, record):
        self._HANDLERS[type(record)](self, record)

    def _on_lost(self, lost):
        self.feed.rows.tell(self.feed.CONNBROKEN, lost.reason)
        self._broke(lost)
        self.proof.rest()
        self.state = self._lost

    def _on_restored(self, restored):
        self.feed.rows.tell(self.feed.CONNECTED)
        self._resume()

    def _on_refused(self, refused):
        lacking = codes.market_data_error(refused.code, refused.text) == 'not subscribed'
        self.end(self.feed.NOTSUBSCRIBED if lacking else self.feed.DISCONNECTED,
                 '{} {}'.format(refused.code, refused.text))

    def _on_closed(self, closed):
        self.end(self.feed.DISCONNECTED, closed.reason)

    def _on_data_type(self, told):
        self.proof.delayed = told.kind in codes.DELAYED_KINDS
        self._proven = min(self._proven, self.proof.time())
        wanted = self.store.p.marketdatatype
        if told.kind != wanted:
            self.feed.say('TWS sends market data of type {} (1 live, 2 frozen, 3 delayed, 4 delayed and frozen), asked '
                          'for was {}'.format(told.kind, wanted))

    def _on_warned(self, warned):
        self.feed.say('{} {}'.format(warned.code, warned.text))

    _HANDLERS = {Lost: _on_lost, Restored: _on_restored, Refused: _on_refused, Closed: _on_closed,
                 DataType: _on_data_type, Warned: _on_warned}

    # -- out -----------------------------------------------------------------------------------------------------------

    def end(self, status, reason=''):
        """Nothing more will come; the status says why."""
        if reason:
            self.feed.say(reason)
        self.feed.rows.tell(status, *filter(None, [reason]))
        self.feed.unsubscribe()
        self.proof.rest()
        self.state = self._over
