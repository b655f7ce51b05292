"""How long a subscription has said nothing, by TWS's own clock, and when that is worth a question (pure).

A live subscription may die without a word of TWS's. Its silence alone proves nothing: a market may be quiet. All times
are TWS's, in seconds since the epoch: what was sent before TWS told its time has come before that answer.
"""
import math
from typing import NamedTuple

from .frontier import SETTLED_SECONDS
from .tradinghours import TradingHours

#: seconds of silence that need no thought, after silences that meant nothing, at the most
LONGEST_SECONDS = 600.0
#: seconds by which delayed market data run late, at the most
DELAYED_SECONDS = 1200.0


class Habits(NamedTuple):
    """What history shows of that which a subscription follows, and when its market is open."""
    what: str
    rth: bool
    hours: TradingHours


class Silence:
    """One subscription's; `patience` is how many seconds of it need no thought, at first.

    `alive` is a time before the last sign of life, and not long before it.
    """

    def __init__(self, patience):
        self.alive = self._told = 0.0
        self._first = self._patience = patience
        self._since = None
        self._asked = -math.inf

    def broken(self):
        """Something came, or was just asked for."""
        self._since = None

    def told(self, second, newest):
        """TWS told its time; of the whole market nothing was heard that is later than `newest`."""
        if self._since is None or second < self._told:
            self.alive = self._told
            self._since = max(second + 1.0, newest)
            if second - self._asked > LONGEST_SECONDS:
                self._patience = self._first
        self._told = second

    def lasts(self):
        """Seconds since when nothing came."""
        return 0.0 if self._since is None else self._told - self._since

    def stretch(self, size, sessions=(), lag=0.0):
        """The (begin, end) of the whole bars of `size` seconds in the silence, None when it is not worth a question.

        Hours in which the market is closed, as `sessions` tell (() when nobody knows), do not count. `lag` is by how
        much the subscription tells the market late.
        """
        if self._since is None:
            return None
        now = self._told - lag - SETTLED_SECONDS
        opened, closed = _session(sessions, now)
        since, until = max(self._since, opened), min(now, closed)
        if now < closed and until + SETTLED_SECONDS - since < self._patience or until - since < size:
            return None
        begin, end = math.ceil(since / size) * size, until // size * size
        return (float(begin), float(end)) if begin < end else None

    def asked(self):
        """The market is asked about it: next time not so soon, whatever the answer."""
        self._asked = self._told
        self._patience = min(2 * self._patience, LONGEST_SECONDS)

    def meant_nothing(self, end):
        """The market was silent, too, till `end`."""
        self._since = end


def _session(sessions, now):
    """Begin and end of the session of `now`, or of the last one before it; what no session is known of is open."""
    begun = [session for session in sessions if session.start <= now]
    if not begun:
        return (math.inf, math.inf) if sessions else (-math.inf, math.inf)
    if len(begun) == len(sessions) and now >= begun[-1].end:
        return begun[-1].end, math.inf
    return begun[-1].start, begun[-1].end
