"""What TWS's clock says, as far as whole-second answers and stamped ticks can tell it (pure)."""
import collections
import math

#: of how many of the latest spells with stamps in them the least lag counts
SPELLS = 16
#: seconds by which a clock must contradict itself to have been set, by hand or by a time server, not just to drift
SET_SECONDS = 5.0


class Spell:
    """What was stamped between two of TWS's answers: how far behind TWS's clock the newest of it was, at the least."""

    def __init__(self, answer):
        #: the answer it began with, None when it began before the first one
        self.answer = answer
        self._newest = -math.inf
        self._lag = math.inf

    def stamped(self, time, clock):
        """A message stamped `time` was sent when TWS's clock showed `clock`, as it seems here."""
        if self.answer is not None:
            self._newest = max(self._newest, time)
            self._lag = min(self._lag, max(clock, self.answer) - time)

    def lag(self, answer):
        """The least lag of its stamps in seconds, now that the next answer came; inf when nothing was stamped.

        The clock cannot have shown more than that answer when they were sent, however late they were read here.
        """
        return min(self._lag, answer - self._newest)


class ServerClock:
    """Estimates TWS's clock from samples; all times are seconds since the epoch, UTC.

    TWS answers reqCurrentTime in whole seconds, so one answer leaves a second of doubt. Each sample bounds the offset
    (server minus local) from below and above; the bounds of several samples are intersected, and begun anew when they
    contradict each other (a clock was set).

    The clock of the machine TWS runs on may be wrong, the stamps of trades are not: when none of the latest came
    without a lag, the clock is ahead by that much, and what it proves is put back by it. Answers and stamps come on one
    socket in the order in which they were said, so the answers on both sides of a stamp bound its lag: a busy machine,
    which reads late, takes no clock for a fast one. Between them the local clock tells.
    """

    def __init__(self):
        self.low = self.high = None
        #: the latest server time that a message proves to have passed
        self.heard = 0.0
        self._spell = Spell(None)
        self._lags = collections.deque(maxlen=SPELLS)

    def answered(self, second, asked, received):
        """An answer `second` to a request sent at local time `asked` came at local time `received`."""
        low, high = second - received, second + 1 - asked
        if self.low is not None and high < self.low:
            # TWS's clock was set back: what it told before proves nothing
            self.heard = 0.0
        self._end_spell(second, low, high)
        self._bound(low, high)
        self.heard = max(self.heard, float(second))

    def _end_spell(self, second, low, high):
        lag, self._spell = self._spell.lag(second), Spell(second)
        if self.low is not None and (low - self.high > SET_SECONDS or self.low - high > SET_SECONDS):
            # another clock: the lead of the one before says nothing of it
            self._lags.clear()
        elif lag < math.inf:
            self._lags.append(lag)

    def stamped(self, time, received):
        """A message stamped `time` came at local time `received`: the server was at least there."""
        if self.low is not None:
            self._spell.stamped(time, received + self.low)
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
