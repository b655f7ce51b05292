"""What TWS's clock says, as far as whole-second answers and stamped ticks can tell it (pure)."""
import collections

#: how many of the latest stamps tell by how much TWS's clock runs ahead of the market's
STAMPS = 16


class ServerClock:
    """Estimates TWS's clock from samples; all times are seconds since the epoch, UTC.

    TWS answers reqCurrentTime in whole seconds, so one answer leaves a second of doubt. Each sample bounds the offset
    (server minus local) from below and above; the bounds of several samples are intersected, and begun anew when they
    contradict each other (a clock was set).

    The clock of the machine TWS runs on may be wrong, the stamps of trades are not: when none of the latest came
    without a lag, the clock is ahead by that much, and what it proves is put back by it.
    """

    def __init__(self):
        self.low = self.high = None
        #: the latest server time that a message proves to have passed
        self.heard = 0.0
        self._lags = collections.deque(maxlen=STAMPS)

    def answered(self, second, asked, received):
        """An answer `second` to a request sent at local time `asked` came at local time `received`."""
        if self.low is not None and second + 1 - asked < self.low:
            # TWS's clock was set back: what it told before proves nothing
            self.heard = 0.0
        self._bound(second - received, second + 1 - asked)
        self.heard = max(self.heard, float(second))

    def stamped(self, time, received):
        """A message stamped `time` came at local time `received`: the server was at least there."""
        if self.low is not None:
            self._lags.append(received + self.low - time)
            if time - received > self.low:
                self._bound(time - received, max(self.high, time - received))
        self.heard = max(self.heard, time)

    def _bound(self, low, high):
        if self.low is None or low > self.high or high < self.low:
            self.low, self.high = low, high
        else:
            self.low, self.high = max(low, self.low), min(high, self.high)

    def ahead(self):
        """Seconds by which the server's clock runs ahead of the stamps of trades, at the least."""
        return max(0.0, min(self._lags)) if self._lags else 0.0

    def proven(self):
        """The time up to which the server's word proves that whatever was stamped has been sent."""
        return self.heard - self.ahead()

    def offset(self):
        """Server minus local clock in seconds; 0.0 before the first sample."""
        return 0.0 if self.low is None else (self.low + self.high) / 2

    def latest(self, local):
        """The latest the server's clock can be when the local one shows `local`."""
        return local + (self.high if self.high is not None else 1.0)

    def forget(self):
        """A new session: another server may have another clock."""
        self.__init__()
