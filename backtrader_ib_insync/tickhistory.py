"""Ticks of the past from TWS: up to a thousand a request, dated in whole seconds, one session at a time. Loop thread.

Where an answer ends early nobody tells whether the market was quiet or its session over: minute bars of the rest say
where it goes on.
"""
from functools import partial
from typing import NamedTuple

from . import history
from .downloads import Asking, HistoryQuestion, Question, failure
from .errors import HistoryFailed, IBError
from .messages import Tick, TickHistory
from .zones import utc_text

#: the most TWS gives in one answer, but for those that complete its last second
MOST = 1000
MINUTE, MINUTE_SECONDS = '1 min', 60


class TickKind(NamedTuple):
    """Which ticks: `what` as reqHistoricalTicks has it, `bars` the same as history of bars calls it.

    `changes`: a tick is a change of the price, as quotes are followed; else every one counts. `unreported`: with trades
    that are not reported (derivative, average price trades).
    """
    what: str
    bars: str
    changes: bool = False
    unreported: bool = True


class TickRequest(NamedTuple):
    """One request: ticks from `start` on or those before `end`, TWS's texts, UTC; paced as the smallest bars are."""
    start: str
    end: str
    size: str = '1 secs'


class TickQuestion(Question):
    """reqHistoricalTicks, once."""

    def __init__(self, contract, request, kind, rth):
        super().__init__(contract)
        self.request = request
        self.kind = kind
        self.rth = rth

    def ask(self, ib, reqId):
        ib.client.reqHistoricalTicks(reqId, self.contract, self.request.start, self.request.end, MOST, self.kind.what,
                                     self.rth, self.kind.changes, [])

    def historicalTicksLast(self, ticks, done):
        self._take(done, [(tick.time, tick.price, tick.size) for tick in ticks],
                   [self.kind.unreported or not tick.tickAttribLast.unreported for tick in ticks])

    def historicalTicksBidAsk(self, ticks, done):
        rows = [(tick.time, self._side(tick.priceBid, tick.priceAsk), 0.0) for tick in ticks]
        self._take(done, rows, [price > 0 for _, price, _ in rows])

    def historicalTicks(self, ticks, done):
        self._take(done, [(tick.time, tick.price, 0.0) for tick in ticks], [True] * len(ticks))

    def _side(self, bid, ask):
        return {'BID': bid, 'ASK': ask}.get(self.kind.bars, (bid + ask) / 2)

    def _take(self, done, rows, counted):
        """What does not count makes a page as long all the same."""
        ticks = [Tick(time.timestamp(), price, size) for time, price, size in rows]
        self._rows += zip(ticks, counted)
        if done:
            self._done()


def page(rows, begin, end):
    """What of an answer for `begin` on counts, and where the next one begins: (ticks, second, whether to look for it).

    `rows` are (tick, whether it counts). The second is None when nothing before `end` is left. A last second that may
    be cut is left to the next answer.
    """
    last = rows[-1][0].time if rows else begin
    following, unsure = max(last, begin), len(rows) < MOST
    if last >= end:
        following, last = None, end
    elif unsure:
        last += 1.0
    elif last <= begin:
        # a second with a whole page in it, and more than that TWS does not give
        following = last = begin + 1.0
    return [tick for tick, counts in rows if counts and begin <= tick.time < last], following, unsure


class TickDownload:
    """The ticks of the whole seconds [begin, end), one answer after the other; `begin` None: those of one answer."""

    def __init__(self, sink, contract, begin, end, kind, rth):
        self.sink = sink
        self.contract = contract
        self.begin = begin
        self.end = end
        self.kind = kind
        self.rth = rth
        self._wanted = True
        self._ticks = Asking(contract, kind.what)
        self._bars = Asking(contract, kind.bars)

    def abandon(self):
        """Nobody waits for it any more: nothing further is asked for."""
        self._wanted = False

    async def run(self, link):
        """Deliver TickHistory records, the last of them `done`; a HistoryFailed instead when TWS refuses."""
        try:
            if self.begin is None:
                await self._last(link)
            elif self.begin < self.end:
                await self._all(link)
            else:
                self.sink(TickHistory((), self.end, True))
        except IBError as error:
            self.sink(failure(error))

    async def _last(self, link):
        rows = await self._ask(link, '', utc_text(self.end))
        self.sink(TickHistory(tuple(tick for tick, counts in rows if counts), self.end, True))

    async def _all(self, link):
        begin, traded = self.begin, False
        while begin is not None and self._wanted:
            rows = await self._ask(link, utc_text(begin), '')
            if traded and not rows:
                raise HistoryFailed('TWS has bars from {} UTC on but no ticks'.format(utc_text(begin)))
            ticks, begin, traded = page(rows, begin, self.end)
            if traded and begin is not None:
                begin = await self._traded_after(link, begin)
            self.sink(TickHistory(tuple(ticks), self.end if begin is None else begin, begin is None))

    async def _ask(self, link, start, end):
        request = TickRequest(start, end)
        return await self._ticks.rows(link, request, partial(
            TickQuestion, self.contract, request, self.kind, self.rth))

    async def _traded_after(self, link, second):
        """The first minute after that of `second` in which history has a bar, None when none is before the end."""
        begin = (second // MINUTE_SECONDS + 1) * MINUTE_SECONDS
        for request in history.plan(begin, self.end, MINUTE):
            question = partial(HistoryQuestion, self.contract, request, self.kind.bars, self.rth)
            bars = await self._bars.rows(link, request, question)
            if bars:
                return bars[0].time
        return None
