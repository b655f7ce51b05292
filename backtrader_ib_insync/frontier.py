"""How far an answer of TWS's history is to be believed: near the present it may be behind what has traded (pure)."""

#: seconds after which TWS has in its history what has traded
SETTLED_SECONDS = 10.0
#: seconds after which it is asked again for what has just traded, and how often
LATE_SECONDS = 2.0
LATE_TRIES = 5


class Frontier:
    """Of one download of bars within a day; times are TWS's, in epoch seconds.

    TWS adds to its history some seconds late, and till then a bar that has closed is missing there or lacks its last
    part. A bar is whole when the answer holds one that ends later, or when it closed long enough ago.
    """

    def __init__(self, until=0.0, now=0.0, start=None):
        """Bars that end by `until` are wanted, of what TWS knows at `now`; `start` gives the start of a time's bar."""
        self._until = until
        self._old = until if start is None else min(until, start(now - SETTLED_SECONDS))
        self._is_shown = self._old >= until
        self._held = []

    def passed(self, bars, end):
        """Those of `bars`, as they come in time order, that are known to be whole; `end(time)` is the end of a bar."""
        passed = []
        for bar in bars:
            closed = end(bar.time)
            if closed > self._until:
                passed += self.release()
                self._is_shown = True
            elif self._is_shown or closed <= self._old:
                passed.append(bar)
            else:
                self._held.append(bar)
        return passed

    def release(self):
        """What was held back, when it has to do as it is."""
        held, self._held = self._held, []
        return held

    @property
    def reached(self):
        """The time up to which the answer holds all there is."""
        return self._until if self._is_shown else self._old

    @property
    def is_reached(self):
        """Whether it holds all that was asked for."""
        return self._is_shown
