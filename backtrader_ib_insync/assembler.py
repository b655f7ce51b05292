"""From what TWS sends to the bars a feed declares: which interval each piece belongs to, and when a bar is whole (pure)."""
from backtrader import TimeFrame

from .bars import Builder, Counter, Grid, whole
from .history import SIZES

SECONDS = {TimeFrame.Seconds: 1, TimeFrame.Minutes: 60}


class Assembler:
    """Makes the bars of one feed.

    `size` is the TWS bar size that history is asked for, `days` the DayEnds of the contract. `passing` feeds hand pieces
    on for backtrader's own filters to join: history in TWS's size, live ticks and 5-second bars as they are.
    """

    def __init__(self, timeframe, compression, size, zone, days, passing):
        self.days = days
        self.grid = self._pieces = self._builder = self._counter = None
        self._joins = False
        if timeframe >= TimeFrame.Days:
            self._counter = Counter(compression) if compression > 1 and not passing else None
        elif timeframe != TimeFrame.Ticks:
            self._lay_grid(SIZES[size].seconds, SECONDS[timeframe] * compression, zone, passing)

    def _lay_grid(self, piece, declared, zone, passing):
        self._pieces = Grid(piece, zone)
        self.grid = self._pieces if passing else Grid(declared, zone)
        self._builder = None if passing else Builder(self.grid)
        self._joins = not passing and piece != declared

    @property
    def builds(self):
        """Whether live pieces are joined here, not passed on."""
        return self._builder is not None

    def history(self, bar, now):
        """A bar of TWS's history; returns the finished bar it is or makes, or None. `now` tells a day in progress."""
        if self._pieces is None:
            return self._day(bar, now)
        if self._joins:
            return self._builder.bar(bar)
        return whole(bar, self._pieces.end(bar.time))

    def _day(self, bar, now):
        if not self.days.finished(bar.time, now):
            return None
        built = whole(bar, self.days.end(bar.time))
        return built if self._counter is None else self._counter.add(built)

    def tick(self, tick):
        return self._builder.tick(tick)

    def bar(self, bar, end):
        """A 5-second bar that ends at `end`; returns the bars it shows to be finished."""
        if self._builder is None:
            return [whole(bar, end)]
        return [built for built in (self._builder.bar(bar), self._builder.finish(end)) if built]

    def finish(self, time):
        """The bar in progress if it ends by `time`, else None."""
        return self._builder.finish(time) if self._builder else None

    def ends(self):
        """When the bar in progress ends, None when there is none."""
        return self._builder.ends() if self._builder else None

    def drop(self):
        """Forget the bar in progress: it was not watched whole."""
        if self._builder:
            self._builder.drop()
