"""Which ticks fall into regular trading hours: TWS keeps its bars to them, its ticks come around the clock."""
import collections

from .messages import Contracts, Tick
from .zones import DAY, sessions

#: seconds after which the hours, which TWS tells for some days ahead, are asked for again
AGAIN_SECONDS = DAY / 2


class RegularHours:
    """Those of the contract of `feed`; where TWS tells none, every hour is one. On the strategy thread."""

    def __init__(self, feed, store):
        self._feed = feed
        self._store = store
        self._answers = collections.deque()
        self._sessions = feed.timetable.sessions() if feed.zone else ()
        self._next = store.clock() + AGAIN_SECONDS

    def admits(self, record):
        """Whether the record is no tick, or one of regular hours."""
        if not isinstance(record, Tick) or not self._sessions:
            return True
        self._learn(record.time)
        if record.time < self._sessions[-1].end:
            return any(one.start <= record.time < one.end for one in self._sessions)
        # of that day TWS has told nothing yet: its hours are those of the days that are known
        return any((record.time - one.start) % DAY < one.end - one.start for one in self._sessions)

    def _learn(self, time):
        """Ask for the hours before they run out, and take what was answered."""
        if time >= self._next:
            self._next = time + AGAIN_SECONDS
            self._store.find_contract(self._feed.contract, self._answers)
        while self._answers:
            answer = self._answers.popleft()
            if isinstance(answer, Contracts) and len(answer.details) == 1:
                told = sessions(answer.details[0].liquidHours, self._feed.zone)
                self._sessions = tuple(one for one in self._sessions if told and one.date < told[0].date) + told
