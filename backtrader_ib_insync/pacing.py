"""How fast TWS may be asked: sliding windows over the instants at which requests were sent (pure)."""
from collections import deque
from typing import NamedTuple

from .history import is_small


class Limits(NamedTuple):
    """IB's limits, times in seconds. Source: ib-codes.md 'Limits', IB's page historical_limitations."""
    identical_seconds: float = 15.0     # the same request again
    alike: int = 5                      # six of one contract, exchange and tick type within these seconds are too many
    alike_seconds: float = 2.0
    requests: int = 60
    requests_seconds: float = 600.0
    bid_ask_cost: int = 2               # BID_ASK counts twice
    open_requests: int = 50
    open_seconds: float = 0.5           # ours: how soon to look again whether one of them has ended
    streams: int = 60                   # new subscriptions to real-time bars
    streams_seconds: float = 600.0
    violation_seconds: float = 15.0     # ours: silence after TWS spoke of a violation
    slack: float = 0.5                  # ours: TWS counts arrivals, and the net does not keep distances


LIMITS = Limits()


class Window:
    """At most `limit` in any `seconds`."""

    def __init__(self, limit, seconds):
        self.limit = limit
        self.seconds = seconds
        self.sent = deque()

    def delay(self, now, cost=1):
        """Seconds until `cost` more may be sent."""
        self.forget(now)
        free = self.limit - self.weight()
        wait = 0.0
        for sent, weight in self.sent:
            if free >= cost:
                break
            free += weight
            wait = sent + self.seconds - now
        return wait

    def weight(self):
        """How much was sent."""
        return sum(weight for _, weight in self.sent)

    def note(self, now, cost=1):
        self.sent.append((now, cost))

    def forget(self, now):
        while self.sent and self.sent[0][0] + self.seconds <= now:
            self.sent.popleft()


class Pacing:
    """What one API session has asked for; `delay` tells how long to wait, `note` that something was sent.

    TWS paces bars of 30 seconds and less; for longer ones it only slows down by itself, and here only the number of
    requests under way counts (ib-codes.md 'Limits'). `now` is any clock in seconds that does not go back.
    """

    def __init__(self, limits=LIMITS):
        self.limits = limits
        self._open = 0
        self._silent_until = float('-inf')
        self._requests = Window(limits.requests, limits.requests_seconds + limits.slack)
        self._streams = Window(limits.streams, limits.streams_seconds + limits.slack)
        self._windows = {}

    def delay(self, now, key, request, what):
        """Seconds until this `history.Request` may be sent; `key` is (conId, exchange, what)."""
        if self._open >= self.limits.open_requests:
            return self.limits.open_seconds
        if not is_small(request.size):
            return 0.0
        waits = [self._requests.delay(now, self._cost(what)), self._silent_until - now, 0.0]
        waits += [window.delay(now) for window in self._concerned(key, request)]
        return max(waits)

    def note(self, now, key, request, what):
        """The request was sent."""
        self._open += 1
        if not is_small(request.size):
            return
        self._prune(now)
        self._requests.note(now, self._cost(what))
        for window in self._concerned(key, request):
            window.note(now)

    def done(self):
        """A request has ended, in whatever way."""
        self._open -= 1

    def violated(self, now):
        """TWS spoke of a violation; another program may share our count."""
        self._silent_until = now + self.limits.violation_seconds

    def is_idle(self, now):
        """Whether most of the requests for small bars that TWS takes are left."""
        self._requests.forget(now)
        return 2 * self._requests.weight() < self._requests.limit

    def delay_stream(self, now):
        """Seconds until real-time bars of one more contract may be asked for."""
        return self._streams.delay(now)

    def note_stream(self, now):
        self._streams.note(now)

    def _cost(self, what):
        return self.limits.bid_ask_cost if what == 'BID_ASK' else 1

    def _concerned(self, key, request):
        """The windows of requests like this one, and of this very one."""
        limits = self.limits
        return (self._windows.setdefault(key, Window(limits.alike, limits.alike_seconds + limits.slack)),
                self._windows.setdefault((key, request), Window(1, limits.identical_seconds + limits.slack)))

    def _prune(self, now):
        for name, window in list(self._windows.items()):
            window.forget(now)
            if not window.sent:
                del self._windows[name]
