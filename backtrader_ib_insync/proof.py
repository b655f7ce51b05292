"""The time up to which everything TWS sent has arrived: what the end of a bar waits for in a quiet market."""
import math

from .localclock import local_time
from .silence import DELAYED_SECONDS
from .zones import DAY

#: seconds after a bar's end before the silence of a market, which TWS's time proves, is believed
GRACE_SECONDS = 1.0
#: seconds between two questions for the time while a bar waits for its proof
ASK_AGAIN_SECONDS = 0.25
#: seconds by which the clock may be wrong, and after which TWS tells its own again: further ahead none is trusted
CLOCK_DOUBT = 2.0
CLOCK_SECONDS = 10.0


class Proof:
    """One feed's view of TWS's time, on the strategy thread; `delayed` market data prove less."""

    def __init__(self, store, delayed=False):
        self._store = store
        self._due = math.inf
        self.delayed = delayed

    @property
    def _lag(self):
        return GRACE_SECONDS + DELAYED_SECONDS * self.delayed

    def time(self):
        """The time up to which everything has arrived, with a grace for a tape that runs late."""
        return self._store.link.heard - self._lag

    def now(self):
        """The time, as TWS told it or as the clock goes on from there: one of the two may be wrong."""
        heard = self._store.link.heard
        now = max(heard, min(self._store.clock() - CLOCK_DOUBT, heard + CLOCK_SECONDS))
        return now - DELAYED_SECONDS * self.delayed

    def local(self):
        """What the machine's own clock shows; one that is off by days tells nothing: TWS may be a simulated one."""
        local, clock = local_time(), self._store.clock()
        return (local if clock - local < DAY else clock) - DELAYED_SECONDS * self.delayed

    def wait_for(self, edge):
        """Look again when the clock shows `edge`, and have TWS prove it then."""
        self.wait_until(edge + self._lag)
        if self.left() <= 0:
            self.wait_until(self._store.clock() + ASK_AGAIN_SECONDS)
            self._store.ask_time()

    def wait_until(self, time):
        """Look again when the clock shows `time`."""
        self._due = time

    def rest(self):
        """Nothing has to be looked at."""
        self._due = math.inf

    def left(self):
        """Seconds until the clock has to be looked at."""
        return self._due if self._due == math.inf else self._due - self._store.clock()
