"""When each instrument's market moves next, so that nobody has to look all the time."""

# Prints have whole milliseconds, and what happens at a moment is told just after it.
JUST_AFTER = 0.001


class Changes:
    """Remembers what the market has answered until that moment comes. Times are UTC epoch seconds."""

    def __init__(self, market):
        self._market = market
        self._known = {}

    def after(self, instrument, now):
        """When there is something new to tell of an instrument that is up to date at `now`."""
        time = self._known.get(instrument.conId)
        if time is None or time <= now:
            time = self._market.next_change(instrument, now - JUST_AFTER / 2) + JUST_AFTER
            self._known[instrument.conId] = time
        return time

    def forget(self):
        """The market has been altered: look again."""
        self._known.clear()
