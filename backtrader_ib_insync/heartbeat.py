"""The question for the time: its answer dates what was heard, and that it comes proves the link. Loop thread only."""
import asyncio
import collections

from .localclock import local_time
from .messages import Heard

#: seconds between two questions, at the most and at the least
BEAT_SECONDS = 10.0
SHORTEST_SECONDS = 0.2
#: seconds without a message after which a link that is asked for the time is dead
DEAD_SECONDS = 25.0


class Heartbeat:
    """Asks, and tells `publish` what TWS's clock says; `client` is the client library's."""

    def __init__(self, client, clock, publish, timerefresh):
        self.client = client
        self.clock = clock
        self.publish = publish
        self.every = max(SHORTEST_SECONDS, min(BEAT_SECONDS, timerefresh))
        self._asked = collections.deque()
        self._curious = []
        self._count = 0
        self._counted_at = 0.0

    def begin(self):
        """A new session: nothing of the last one's clock holds."""
        self.clock.forget()
        self._asked.clear()
        self._curious = []
        self._count = 0
        self._counted_at = _now()

    def ask(self):
        """Have TWS tell its time."""
        if self.client.isConnected():
            self.asking()
            self.client.reqCurrentTime()

    def asking(self):
        """A question for the time is about to be sent; whoever wants to be told of its answer is."""
        self._asked.append((local_time(), self._curious))
        self._curious = []

    def tell_time(self, tell):
        """Have `tell` called with the answer to a question sent from now on: TWS said it after what came by now."""
        self._curious.append(tell)
        if len(self._curious) == 1:
            asyncio.get_event_loop().call_soon(self.ask)

    def answered(self, second):
        """TWS told its time, in whole seconds since the epoch; answers come in the order of the questions."""
        asked, curious = self._asked.popleft() if self._asked else (local_time(), ())
        self.clock.answered(second, asked, local_time())
        for tell in curious:
            tell(second)
        self.publish(Heard(self.clock.proven(), self.clock.offset()))

    def is_dead(self):
        """Whether no message came for too long; bytes that make no message do not count."""
        if not self.client.isReady():
            return True
        count = self.client.connectionStats().numMsgRecv
        if count != self._count:
            self._count, self._counted_at = count, _now()
        return _now() - self._counted_at > DEAD_SECONDS


def _now():
    return asyncio.get_event_loop().time()
