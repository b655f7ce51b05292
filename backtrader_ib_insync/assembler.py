"""From what TWS sends to the bars a feed declares: which interval a piece is of, and when a bar is whole (pure)."""
from backtrader import TimeFrame

from .bars import Builder, Counter, whole
from .history import SIZES, UNIT_SECONDS
from .zones import DAY

DAYS, FINE = '1 day', '1 min'
LONG = frozenset(text for text, size in SIZES.items() if size.seconds >= DAY)


class Assembler:
    """Makes the bars of one feed.

    `size` is the TWS bar size that history is asked for, `lattice(seconds)` the Grid of the contract, `days` its ends.
    `passing` feeds hand pieces on for backtrader's own filters to join: history in TWS's size, live ticks and 5-second
    bars as they are. Where they join days and longer, history is days, and minutes of the day in progress.
    """

    def __init__(self, timeframe, compression, size, lattice, days, passing):
        self.days = days
        self.grid = self._declared = self._pieces = self._builder = self._counter = self._begun = None
        self._joins = False
        self._sizes = (size,)
        if timeframe < TimeFrame.Days:
            self._lay_grid(SIZES[size].seconds, UNIT_SECONDS[timeframe] * compression, passing, lattice)
        elif passing:
            self._sizes = (DAYS, FINE)
            self.grid = self._pieces = lattice(SIZES[FINE].seconds)
        elif compression > 1:
            self._counter = Counter(compression)

    def _lay_grid(self, piece, declared, passing, lattice):
        self._pieces = lattice(piece)
        # backtrader's filters count as far as days, too
        self._declared = lattice(declared) if declared <= DAY else self._pieces
        self.grid = self._pieces if passing else self._declared
        self._builder = None if passing else Builder(self.grid)
        self._joins = not passing and piece != declared

    def sizes(self, start):
        """The bar sizes that history is asked for one after the other, at the `start` or over a gap."""
        return self._sizes if start else self._sizes[-1:]

    def declared_end(self, time):
        """When the bar that holds `time` ends, as far as it is one of a grid; else when its piece does."""
        return (self._declared or self.grid).end(time)

    def piece_start(self, time):
        """When the bar of TWS's history that holds `time` begins."""
        return self._pieces.start(time)

    def piece_end(self, time):
        """When the bar of TWS's history that holds `time` ends."""
        return self._pieces.end(time)

    def takes(self, seconds):
        """Whether pieces of so many seconds, counted from midnight as TWS's are, can be joined to the declared bars."""
        return (self._declared or self.grid).seconds % seconds == 0

    @property
    def builds(self):
        """Whether live pieces are joined here, not passed on."""
        return self._builder is not None

    def history(self, bar, size, now):
        """A bar of TWS's history, of this size; returns the finished bar it is or makes, or None.

        What is still in progress at `now` is none.
        """
        if size in LONG:
            return self._day(bar, now)
        end = self._pieces.end(bar.time)
        if end > now:
            return None
        return self._join(bar) if self._joins else whole(bar, end)

    def _join(self, bar):
        """The first interval counts only when history began with it."""
        if self._begun is None:
            self._begun = self.grid.next_edge(bar.time)
        return self._builder.bar(bar) if bar.time >= self._begun else None

    def begin(self, time):
        """The earliest time from which history makes whole bars, when it is asked for from `time` on."""
        if time is None or self._declared is None:
            return time
        self._begun = self._declared.next_edge(time)
        return self._begun

    def _day(self, bar, now):
        if not self.days.finished(bar.time, now):
            return None
        built = whole(bar, self.days.end(bar.time))
        return built if self._counter is None else self._counter.add(built)

    def tick(self, tick):
        return self._builder.tick(tick)

    def bar(self, bar, end):
        """A 5-second bar that ends at `end`; returns the bars it shows to be finished."""
        return [built for built in (self._builder.bar(bar), self._builder.finish(end)) if built]

    def finish(self, time):
        """The bar in progress if it ends by `time`, else None."""
        return self._builder.finish(time) if self._builder else None

    def begun(self, newest):
        """The start of the bar in progress, of which the newest piece is of that time."""
        if self._builder is None:
            return (self._declared or self.grid).start(newest)
        starts = self._builder.starts()
        return newest if starts is None else starts

    def ends(self):
        """When the bar in progress ends, None when there is none."""
        return self._builder.ends() if self._builder else None

    def drop(self):
        """Forget the bar in progress: it was not watched whole."""
        if self._builder:
            self._builder.drop()
