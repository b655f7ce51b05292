"""How bytes leave one session: at once, unless a fault makes the link stalled, slow or split."""


class Link:
    """The bytes waiting to leave; times are simulated seconds since the epoch."""

    def __init__(self):
        self._waiting = bytearray()
        self._stalled_until = 0.0
        self._split = (0, 0.0)
        self._slow = (0.0, 0.0)
        self._slow_since = 0.0

    def put(self, data):
        self._waiting += data

    def take(self, now):
        """What may leave now; with a split link one piece a call, so call until it answers nothing."""
        if self.is_stalled(now):
            return b''
        size = self._allowed(now)
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        return data

    def drop_half(self):
        """Forget the second half of what waits: a connection that dies in the middle of a message."""
        del self._waiting[(len(self._waiting) + 1) // 2:]

    def is_empty(self):
        return not self._waiting

    def is_stalled(self, now):
        return now < self._stalled_until

    def stall(self, until):
        self._stalled_until = until

    def split(self, size, until):
        self._split = (size, until)

    def slow(self, rate, now, until):
        """`rate` bytes a second."""
        self._slow, self._slow_since = (rate, until), now

    def next_time(self, now):
        """When more may leave: the end of a stall, at once on a slow link; None when nothing waits."""
        if self.is_empty():
            return None
        return self._stalled_until if self.is_stalled(now) else now

    def _allowed(self, now):
        rate, until = self._slow
        if now < until:
            size = int(rate * (now - self._slow_since))
            self._slow_since += size / rate
            return size
        size, until = self._split
        return size if now < until else len(self._waiting)
