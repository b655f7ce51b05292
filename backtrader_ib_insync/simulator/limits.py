"""How much a client may ask: messages a second, and the pacing of small history bars. Times are the caller's clock."""
from collections import deque


class Window:
    """At most `most` units in any `seconds`."""

    def __init__(self, most, seconds):
        self.most = most
        self.seconds = seconds
        self._taken = deque()

    def take(self, now, units=1):
        """Count `units` at `now`; True when that is still within the limit."""
        self._forget(now)
        self._taken.extend([now] * units)
        return len(self._taken) <= self.most

    def count(self, now):
        self._forget(now)
        return len(self._taken)

    def _forget(self, now):
        while self._taken and now - self._taken[0] >= self.seconds:
            self._taken.popleft()


class HistoryPacing:
    """IB's rules for bars of 30 seconds and less (historical_limitations page); larger bars are not paced."""
    IDENTICAL = 15.0
    SAME_CONTRACT = (5, 2.0)
    TOTAL = (60, 600.0)

    def __init__(self):
        self._total = Window(*self.TOTAL)
        self._contracts = {}
        self._identical = {}

    def allows(self, now, identity, contract, units=1):
        """Count one request: `identity` is all of it, `contract` its contract, exchange and tick type."""
        repeated = now - self._identical.get(identity, -self.IDENTICAL) < self.IDENTICAL
        self._identical = {key: at for key, at in self._identical.items() if now - at < self.IDENTICAL}
        self._identical[identity] = now
        window = self._contracts.setdefault(contract, Window(*self.SAME_CONTRACT))
        within = [window.take(now), self._total.take(now, units)]
        return not repeated and all(within)
