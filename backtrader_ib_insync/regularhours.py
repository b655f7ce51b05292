"""Which ticks fall into regular trading hours: TWS keeps its bars to them, its ticks come around the clock."""
import collections

from .messages import Contracts, Tick
from .tradinghours import TradingHours
from .zones import DAY


class RegularHours:
    """Those of the contract of `feed`; where TWS tells none, every hour is one. On the strategy thread."""

    def __init__(self, feed, store):
        self._feed = feed
        self._store = store
        self._answers = collections.deque()
        self._hours = TradingHours(feed.contractdetails, True, feed.zone, store.clock())

    def admits(self, record):
        """Whether the record is no tick, or one of regular hours."""
        if not isinstance(record, Tick) or not self._hours.sessions:
            return True
        self._learn(record.time)
        sessions = self._hours.sessions
        if record.time < sessions[-1].end:
            return any(one.start <= record.time < one.end for one in sessions)
        # of that day TWS has told nothing yet: its hours are those of the days that are known
        return any((record.time - one.start) % DAY < one.end - one.start for one in sessions)

    def _learn(self, time):
        """Ask for the hours before they run out, and take what was answered."""
        if self._hours.is_old(time):
            self._hours.asked(time)
            self._store.find_contract(self._feed.contract, self._answers)
        while self._answers:
            answer = self._answers.popleft()
            if isinstance(answer, Contracts) and len(answer.details) == 1:
                self._hours.learn(answer.details[0])
