"""A stretch of the past, asked of TWS's history in bars of one size: what of the answers is to be believed (pure)."""
from .assembler import LONG
from .frontier import LATE_SECONDS, LATE_TRIES, SETTLED_SECONDS, Frontier
from .history import is_small
from .zones import utc_text

#: seconds after the end of a session in which a day's bar may still change: the closing auction is reported after it
AUCTION_SECONDS = 300.0


class Excerpt:
    """The bars of TWS's `size` in [begin, until); `begin` None is as much as one request gives.

    `proof` tells what time it is when they are asked for. Where nothing follows them, `is_last`, days have ended by
    `until`, elsewhere those may still change that ended a moment ago.
    """

    def __init__(self, assembler, proof, size, begin, until, is_last):
        self.begin = begin
        self.until = until
        now = proof.now()
        #: till when a day must have ended for its bar to be final, and the end of the last such day that was shown
        self.settled = until if is_last else now - AUCTION_SECONDS
        self.day = 0.0
        self._assembler = assembler
        self._size = size
        # one of the two clocks may be ahead of the market
        self._frontier = Frontier(until, min(now, proof.local()), None if size in LONG else assembler.piece_start)

    # -- answers: of each bar its end, and the finished bar that it is or makes, None when there is none yet -----------

    def take(self, bars):
        """What of an answer is to be believed."""
        if self._size in LONG:
            return [self._day(bar) for bar in bars]
        return [self._piece(bar) for bar in self._frontier.passed(bars, self._assembler.piece_end)]

    def rest(self):
        """What was held back, when it has to do as it is."""
        return [self._piece(bar) for bar in self._frontier.release()]

    def _piece(self, bar):
        return self._assembler.piece_end(bar.time), self._assembler.history(bar, self._size, self.until)

    def _day(self, bar):
        days = self._assembler.days
        end = days.end(bar.time)
        if days.finished(bar.time, self.settled):
            self.day = max(self.day, end)
        return end, self._assembler.history(bar, self._size, self.settled)

    def fail(self):
        """TWS refused: what was held back is not there."""
        self._frontier = Frontier(self.until)

    # -- what they come to ---------------------------------------------------------------------------------------------

    @property
    def reached(self):
        """The time up to which the answers hold all there is."""
        return self._frontier.reached

    @property
    def is_reached(self):
        """Whether they hold all that was asked for."""
        return self._frontier.is_reached

    def pause(self, tries, local):
        """Seconds after which it is worth asking once more, None after so many `tries`; `local` is what a clock shows.
        """
        if tries >= LATE_TRIES and (self.is_reached or local >= self.until):
            return None
        # TWS paces requests for small bars: one when it must have them, not one after the other
        is_slow = tries >= LATE_TRIES or is_small(self._size) and not self.is_reached
        return SETTLED_SECONDS if is_slow else LATE_SECONDS

    def __str__(self):
        since = '' if self.begin is None else 'from {} '.format(utc_text(self.begin))
        return '{}till {} UTC'.format(since, utc_text(self.until))
