"""A feed that is not of TWS: given bars, as a database or a file may have them."""
import backtrader as bt
import truth


class Known(bt.feed.DataBase):
    """Delivers `rows`: (end in epoch seconds, open, high, low, close, volume)."""

    params = (('rows', ()),)

    def start(self):
        super().start()
        self._left = list(self.p.rows)
        self.has_stopped = False

    def stop(self):
        super().stop()
        self.has_stopped = True

    def _load(self):
        if not self._left:
            return False
        end, *prices = self._left.pop(0)
        self.lines.datetime[0] = bt.date2num(truth.utc(end))
        for line, value in zip(('open', 'high', 'low', 'close', 'volume'), prices):
            getattr(self.lines, line)[0] = value
        self.lines.openinterest[0] = 0.0
        return True
