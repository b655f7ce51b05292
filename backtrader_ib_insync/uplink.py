"""TWS's own link to IB, which may be cut and come back while the session with TWS lives on. Loop thread only."""
from .messages import Restored

LOST_IB = 1100


class Uplink:
    """Takes in what TWS says of it, and has the desk ask TWS only while there is one.

    `tell_lost(text, code)` tells everybody of a cut. After it `read_again()` has the account read, and returns whether
    that was done.
    """

    def __init__(self, desk, publish, read_again, tell_lost):
        self.desk = desk
        self.publish = publish
        self.is_cut = False
        #: whether there is a session: till then what TWS says of its link is only remembered
        self.in_session = False
        self._read_again = read_again
        self._tell_lost = tell_lost
        self._return = None

    def begin(self):
        """A session is about to begin, in which TWS says anew when it has no link."""
        self.is_cut = False

    def open(self):
        """The session is up."""
        self.in_session = True
        if self.is_cut:
            self._tell_lost('TWS itself has no connection to IB', LOST_IB)
        else:
            self.desk.open()

    def close(self):
        """The session is over."""
        self.in_session = False
        self.stay()

    def lost(self, code, text):
        """1100, 2110: it comes back by itself, and TWS says so."""
        first, self.is_cut = not self.is_cut, True
        self.stay()
        if first and self.in_session:
            self._tell_lost(text, code)

    def restored(self, code, text):
        """1102: TWS kept the subscriptions."""
        self._come_back(code, text, text)

    def renewed(self, code, text):
        """1101: TWS lost the subscriptions."""
        self.desk.subscriptions_lost()
        self._come_back(code, text, '')

    def stay(self):
        """Go on with no return that is under way."""
        task, self._return = self._return, None
        if task is not None:
            task.cancel()

    def _come_back(self, code, text, kept):
        if self.in_session:
            if not self.is_cut:
                self._tell_lost(text, code)
            self.stay()
            self._return = self.desk.spawn(self._read_and_open(text, kept))
        self.is_cut = False

    async def _read_and_open(self, text, kept):
        """The account first, then market data: whoever hears of new data finds the account as it is."""
        if await self._read_again():
            self.publish(Restored(text, bool(kept)))
            self.desk.open(kept)
