"""Which ticks a feed still owes after a hole: none lost, none twice (pure).

TWS dates the ticks of history in whole seconds, and live trades in milliseconds. Hence the rule of the seam for ticks:
*a second that was not watched from its start to its end is taken whole from history, less what was delivered of it.*
Times are seconds since the epoch, UTC.
"""
import collections
import math

#: prices by which the place of the last delivered quote is found in history
TAIL = 32
#: seconds by which the time that quotes are given here may be wrong: TWS does not date them
QUOTE_DOUBT = 2.0


class TickSeam:
    """The seam of trades, and of any ticks that TWS dates.

    `covered` is the whole second from which on ticks may be owed, None while that is unknown; `whole_from` the first
    second that the live stream holds whole, None while no stream is watched.
    """

    def __init__(self):
        self.covered = None
        self.whole_from = None
        #: live ticks of the second `covered` that were delivered
        self._known = collections.Counter()
        self._left = collections.Counter()
        self._owed = collections.Counter()

    def reach(self, time):
        """All before this time was delivered, or is of no interest; parts of a second do not count."""
        self.covered = float(math.floor(time))
        self._known.clear()

    def deliver(self, tick):
        """A tick was delivered."""
        second = float(math.floor(tick.time))
        if self.covered is None or second > self.covered:
            self.reach(second)
        if second == self.covered:
            self._known[tick[1:]] += 1

    def watched(self, since):
        """The stream holds everything from `since` on."""
        self.whole_from = max(float(math.ceil(since)), self.whole_from or 0.0)

    def broke(self):
        """The stream has a hole: what follows must be watched anew."""
        self.whole_from = None

    def gap(self):
        """The whole seconds (begin, end) that history has to fill, None when there are none."""
        if None in (self.covered, self.whole_from) or self.covered >= self.whole_from:
            return None
        return self.covered, self.whole_from

    def begin(self, seen):
        """History of the gap comes, from its begin on; it must know of the live ticks `seen` that are within."""
        self._left = collections.Counter(self._known)
        self._owed = collections.Counter(self._key(tick) for tick in seen if self._is_owed(tick))

    def _is_owed(self, tick):
        """What looks as one that was delivered may be TWS's repetition of it: history alone will tell."""
        second = math.floor(tick.time)
        return self.covered <= second < self.whole_from and not (
            second == self.covered and self._known[tick[1:]])

    def owes_from(self):
        """The first second in which history lacks a live tick that it must know of, None when it lacks none."""
        return min((second for (second, _), count in self._owed.items() if count > 0), default=None)

    def owed(self, seen):
        """Those of the ticks `seen` that history did not show."""
        left, found = collections.Counter(self._owed), []
        for tick in seen:
            if left[self._key(tick)] > 0:
                left[self._key(tick)] -= 1
                found.append(tick)
        return found

    def live(self, seen):
        """Those of the live ticks `seen`, which came while history was waited for, that are later than it."""
        return [tick for tick in seen if tick.time >= self.whole_from]

    @property
    def floor(self):
        """What is stamped earlier is history's, now it has come."""
        return self.whole_from

    def strangers(self):
        """How many ticks were delivered live that history, now it is here, does not have."""
        return sum(self._left.values())

    def new(self, ticks, begin):
        """Those of history's ticks that were not delivered; `begin` is the gap's."""
        found = []
        for tick in ticks:
            if tick.time == begin and self._left[tick[1:]] > 0:
                self._left[tick[1:]] -= 1
            elif tick.time >= begin:
                self._settle(self._key(tick))
                found.append(tick)
        return found

    def _settle(self, key):
        if key in self._owed:
            self._owed[key] -= 1

    @staticmethod
    def _key(tick):
        return float(math.floor(tick.time)), tick[1:]


class QuoteSeam(TickSeam):
    """The seam of quotes, of which a tick is a change of the price: TWS dates them in history only.

    Where the last delivered price stands in history, and where history ends among the live ones, is found by the prices
    that both know.
    """

    def __init__(self):
        super().__init__()
        self._tail = collections.deque(maxlen=TAIL)
        self._time = 0.0
        self._placed = self._is_blind = False

    def deliver(self, tick):
        self._time = tick.time
        self._tail.append(tick.price)
        self.covered = float(math.floor(tick.time))

    def gap(self):
        gap = super().gap()
        return gap and (gap[0] - QUOTE_DOUBT * bool(self._tail), gap[1])

    #: no time of a live quote tells whose it is
    floor = None

    def begin(self, seen):
        self._placed = not self._tail
        self._is_blind = True

    def owed(self, seen):
        """Without history they are all there is."""
        return [tick for tick in seen if tick.time < self.whole_from] if self._is_blind else []

    def live(self, seen):
        guess = sum(tick.time < self.whole_from for tick in seen)
        if self._is_blind:
            return seen[guess:]
        prices, tail = [tick.price for tick in seen], list(self._tail)
        places = [place for place in range(1, min(len(prices), len(tail)) + 1) if prices[:place] == tail[-place:]]
        if seen and self._time < math.floor(seen[0].time) - QUOTE_DOUBT:
            places.append(0)
        return seen[min(places, key=lambda place: abs(place - guess), default=guess):]

    def new(self, ticks, begin):
        if not self._placed:
            ticks = ticks[self._passed(ticks):]
            self._placed = True
        self._is_blind = self._is_blind and not ticks
        found, price = [], self._tail[-1] if self._tail else None
        for tick in ticks:
            if tick.price != price:
                found.append(tick)
            price = tick.price
        return found

    def _passed(self, ticks):
        """How many of them had been delivered."""
        near = [tick.price for tick in ticks if tick.time <= self._time + QUOTE_DOUBT]
        place = last_place(list(self._tail), near)
        return place or sum(tick.time < math.floor(self._time) for tick in ticks)


def last_place(tail, prices):
    """How many of `prices` there are up to the place where `tail` ends: where they agree longest; 0 when nowhere."""
    def run(place):
        pairs = zip(reversed(prices[:place]), reversed(tail))
        return next((length for length, (one, other) in enumerate(pairs) if one != other), min(place, len(tail)))
    places = [place for place in range(1, len(prices) + 1) if run(place)]
    return max(places, key=run, default=0)
