"""What a feed follows that history alone feeds: the link, and no market data. Loop thread only."""
from . import codes
from .subscription import Stream


class LinkWatch(Stream):
    """A subscription to nothing: it tells what becomes of the link, as the others do."""

    def lost(self, reason, code=0, heard=None):
        """A farm of market data is no matter of history's."""
        if codes.link(code) != 'farm_lost':
            super().lost(reason, code, heard)

    def _send(self, ib, reqId):
        """TWS is asked for nothing."""

    _unsend = _send

    def _watch_from_now(self):
        """There is nothing to see."""
