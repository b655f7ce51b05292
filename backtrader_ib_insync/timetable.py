"""When the contract of a feed trades: its zone's clock, the edges of its bars, the ends of its days (pure)."""
from .bars import Grid
from .daybars import DayEnds, opens, usual_end


class Timetable:
    """From contract details; `rth` counts regular hours only.

    `sessionend`, a time of day in `endzone` (or in the contract's), rules over what TWS tells of the ends of sessions.
    """

    def __init__(self, details, rth, zone, sessionend=None, endzone=None):
        self.zone = zone
        self._hours = details.liquidHours if rth else details.tradingHours
        self._sessionend = sessionend
        self._endzone = endzone if sessionend and endzone else zone
        self._lattices = {}

    def lattice(self, seconds):
        """The intervals of so many seconds on which TWS has bars of this contract."""
        if seconds not in self._lattices:
            self._lattices[seconds] = Grid(seconds, self.zone, opens(self._hours, self.zone))
        return self._lattices[seconds]

    def day_ends(self, timeframe):
        """When bars of a day and longer end."""
        return DayEnds(timeframe, self._hours, self._endzone, self._sessionend)

    def usual_end(self, zone):
        """The time of day, in this zone, at which sessions end; None when the contract does not tell."""
        return usual_end(self._hours, self.zone, zone)
