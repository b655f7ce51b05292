"""A feed of backtrader's that takes rows and statuses from a queue, in backtrader's ways, and sleeps by its store."""
import math

from backtrader.feed import DataBase

from . import columns
from .errors import BadParameter
from .rows import Rows, Status


class RowFeed(DataBase):
    """`rows` become lines and notifications.

    Those who inherit it have `ib`, their store, and `backlog()`. `_advance()` has more rows made of what has come and
    returns whether it got any further; `_has_ended()` tells that there will be none, `_overrun()` is told that the
    last bar was later than `todate`.
    """

    def __init__(self):
        self.rows = Rows(self)
        self._farewell = None
        self._preloading = False
        self._may_wait = False
        self._env = None

    def setenvironment(self, env):
        if any(data is self for data in env.datas):
            raise BadParameter('the feed {!r} is in this cerebro already, and twice it would lose bars: make a second '
                               'one with getdata(...)'.format(self._name))
        super().setenvironment(env)
        self._env = env
        env.addstore(self.ib)

    def start(self):
        super().start()
        # backtrader takes a feed for connected from the start and would swallow the first CONNECTED
        self._laststatus = None
        self._farewell = None
        self.rows.clear()
        self._warn()

    def _warn(self):
        """backtrader keeps one bar with `exactbars`, and loses bars that it has to put back for another feed (P93)."""
        if self._env.p.exactbars >= 1 and len(self._env.datas) > 1 and not self.ib.guests.datas:
            self.ib.notify('exactbars={}: backtrader loses bars when several feeds are kept at a length of one; use '
                           'exactbars=-1, 0 or a single feed'.format(int(self._env.p.exactbars)))

    # -- bars ----------------------------------------------------------------------------------------------------------

    def haslivedata(self):
        return self.backlog() or len(self) < self.buflen()

    def do_qcheck(self, onoff, qlapse):
        super().do_qcheck(onoff, qlapse)
        # cerebro lets nobody wait as long as only some feeds are live, which may be for good
        self._may_wait = onoff or not any(data.haslivedata() for data in self._env.datas)

    def next(self, datamaster=None, ticks=True):
        delivered = super().next(datamaster=datamaster, ticks=ticks)
        if delivered:
            self.ib.sleeper.pass_hit = True
        return delivered

    def preload(self):
        self._preloading = True
        if columns.takes(self):
            rows = list(iter(self._next_row, False))
            columns.fill(self, rows, self.fromdate, self.todate)
            self._last()
            self.home()
        else:
            super().preload()
        self._preloading = False

    def _load(self):
        row = self._next_row()
        if not row:
            return row
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        if row[0] > self.todate and self.islive():
            self.rows.clear()
            self._overrun()
        return True

    def _next_row(self):
        """The next bar, None when there is none now, False when there will be none."""
        slept = False
        while True:
            if self.rows:
                row = self.rows.popleft()
                if not isinstance(row, Status):
                    return row
                self._notify(row)
            elif self._advance():
                continue
            elif self._has_ended():
                self._say_farewell()
                return False
            elif not self.islive():
                self.ib.sleeper.await_kick(self, self.p.qcheck)
            elif slept or not self._may_wait or self.ib.sleeper.pass_hit:
                return None
            else:
                slept = True
                self.ib.sleeper.sleep(self.p.qcheck)

    # -- statuses ------------------------------------------------------------------------------------------------------

    def _notify(self, row):
        if self._preloading and row.status == self.DISCONNECTED:
            self._farewell = row
        else:
            self.put_notification(row.status, *row.args)

    def _say_farewell(self):
        """The end of a preloaded feed is told after its last bar."""
        if not self._preloading and self._farewell is not None:
            row, self._farewell = self._farewell, None
            self.put_notification(row.status, *row.args)

    def advance_peek(self):
        """Asked for before each bar of a preloaded run, in which cerebro itself delivers no notification (P86)."""
        peek = super().advance_peek()
        self._tell(peek == math.inf)
        return peek

    def advance(self, size=1, datamaster=None, ticks=True):
        super().advance(size, datamaster, ticks)
        # a preloaded run with `oldsync` does not even ask before each bar
        if self._env.p.oldsync and self._env._dopreload and self._env._dorunonce:
            self._tell(len(self) >= self.buflen())

    def _tell(self, is_last):
        if is_last:
            self._say_farewell()
        self.ib.link.drain()
        if self.notifs or self.ib.notifs:
            self._env._storenotify()
            self._env._datanotify()
