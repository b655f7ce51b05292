"""When a contract trades, as TWS has told: it tells of some days ahead only, so it has to be asked again (pure)."""
from .zones import DAY, sessions

#: seconds after which TWS is asked again
AGAIN_SECONDS = DAY / 2
#: seconds for which sessions of the past are kept: for what comes late, and to show which hours are usual
KEPT_SECONDS = 7 * DAY


class TradingHours:
    """Those in contract details, told at `now`, with `rth` the regular ones; in a zone nobody knows they mean nothing.

    `sessions` are all that is known, by their ends, () when nobody knows. `now` is TWS's time in epoch seconds.
    """

    def __init__(self, details, rth, zone, now):
        self.sessions = ()
        self._rth = rth
        self._zone = zone
        self._asked = now
        self.learn(details)

    def is_old(self, now):
        """Whether it is time to ask TWS again."""
        return now >= self._asked + AGAIN_SECONDS

    def asked(self, now):
        """TWS is asked for the details."""
        self._asked = now

    def learn(self, details):
        """What is told now rules over what was told before; when it is nothing that stays."""
        text = details.liquidHours if self._rth else details.tradingHours
        told = sessions(text, self._zone) if self._zone else ()
        if told:
            first = told[0]
            kept = [one for one in self.sessions if one.date < first.date and one.end > first.start - KEPT_SECONDS]
            self.sessions = tuple(kept) + told
