"""The live records of a feed that wait their turn, in the order in which they came."""
import collections

from .messages import Bar, Closed, Lost, Refused, Tick

#: records after which the stream no longer holds everything
HOLES = (Lost, Closed, Refused)
#: records of the market's
MARKET = (Tick, Bar)


class LiveQueue(collections.deque):
    """A queue that knows of the holes in it."""

    def __init__(self):
        super().__init__()
        self._holes = 0

    def append(self, record):
        self._holes += isinstance(record, HOLES)
        super().append(record)

    def popleft(self):
        record = super().popleft()
        self._holes -= isinstance(record, HOLES)
        return record

    @property
    def has_hole(self):
        return self._holes > 0

    def pop_hole(self):
        """Take the first hole out, and all that came before it."""
        record = self.popleft()
        while not isinstance(record, HOLES):
            record = self.popleft()
        return record

    def is_from(self, edge):
        """Whether the first record is the market's, and not of before `edge`."""
        return bool(self) and edge is not None and isinstance(self[0], MARKET) and self[0].time >= edge

    def newest(self):
        """The time of the record that came last, 0.0 when it is none of the market's."""
        return self[-1].time if self and isinstance(self[-1], MARKET) else 0.0
