"""One-shot questions to TWS: contract details, and histories of any length. Loop thread only."""
import asyncio
import calendar
import logging
from collections import deque

from . import codes
from .errors import IBError, NotConnected, RequestRefused, TimedOut
from .messages import Bar, Contracts, History, HistoryFailed, Notice, Refused

log = logging.getLogger(__name__)

#: history requests under way at once for one download; TWS takes 50 in all
IN_FLIGHT = 6
#: seconds TWS has for one history request before it is repeated, and how often it may fail so
HISTORY_SECONDS = 60.0
TRIES = 3
#: seconds TWS has to find a contract
CONTRACT_SECONDS = 30.0
#: seconds after which TWS is asked again for what it refused while a farm that has it was lost
FARM_SECONDS = 10.0


class Question:
    """A request about a contract, with one answer: a future, failed by TWS's error or by the loss of the link."""

    def __init__(self, contract):
        self.contract = contract
        self.answer = asyncio.Future()
        self._rows = []

    def error(self, code, text):
        if not codes.is_notice(code) and not self.answer.done():
            self.answer.set_exception(RequestRefused(code, text))

    def lost(self, reason, code=0):
        if not self.answer.done():
            self.answer.set_exception(NotConnected(reason))

    def kept(self, reason):
        """TWS kept its subscriptions, and whether it still works on a question nobody can tell: the bound does."""

    def cancel(self, ib, reqId):
        """TWS has no way to take most of them back."""

    def _done(self):
        if not self.answer.done():
            self.answer.set_result(tuple(self._rows))


class ContractQuestion(Question):
    """reqContractDetails: every contract that fits."""

    def ask(self, ib, reqId):
        ib.client.reqContractDetails(reqId, self.contract)

    def contractDetails(self, details):
        self._rows.append(details)

    bondContractDetails = contractDetails

    def contractDetailsEnd(self):
        self._done()


class HistoryQuestion(Question):
    """reqHistoricalData, once; `request` is one of `history.plan`."""

    def __init__(self, contract, request, what, rth):
        super().__init__(contract)
        self.request = request
        self.what = what
        self.rth = rth

    def ask(self, ib, reqId):
        ib.client.reqHistoricalData(reqId, self.contract, self.request.end, self.request.duration, self.request.size,
                                    self.what, self.rth, 2, False, [])

    def cancel(self, ib, reqId):
        ib.client.cancelHistoricalData(reqId)

    def historicalData(self, bar):
        self._rows.append(Bar(
            stamp(bar.date), bar.open, bar.high, bar.low, bar.close, bar.volume, bar.average, bar.barCount))

    def historicalDataEnd(self, start, end):
        first, last = self.request.first, self.request.last
        # nobody promises that they come in order, and each but once
        rows = {bar.time: bar for bar in self._rows if first <= bar.time < last}
        self._rows = [rows[time] for time in sorted(rows)]
        self._done()


def stamp(text):
    """A bar's date as formatDate 2 has it: epoch seconds, or yyyymmdd for days and longer (00:00 UTC of that date)."""
    if len(text) == 8:
        return float(calendar.timegm((int(text[:4]), int(text[4:6]), int(text[6:]), 0, 0, 0)))
    return float(text)


class Lookup:
    """Finds the contracts that fit; asked again as often as the link breaks meanwhile.

    `patient` ones are asked again as often as TWS does not answer, too; others while it has lost a farm.
    """

    def __init__(self, sink, contract, patient=False):
        self.sink = sink
        self.contract = contract
        self._patient = patient

    async def run(self, link):
        """Tell Contracts, or Refused when TWS knows none."""
        try:
            details = await self._find(link)
            if len(details) == 1:
                await link.learn_rules(details[0])
            self.sink(Contracts(details))
        except RequestRefused as error:
            self.sink(Refused(error.code, error.text))
        except IBError as error:
            self.sink(Refused(0, str(error)))

    async def _find(self, link):
        while True:
            await link.ready()
            try:
                return await link.question(ContractQuestion(self.contract), CONTRACT_SECONDS)
            except NotConnected as error:
                log.info('contract %s will be asked for again: %s', self.contract.symbol, error)
            except TimedOut as error:
                if not self._patient and not link.is_dark():
                    raise
                link.publish(Notice(-1, 0, '{}: {}; the contract is asked for again'.format(
                    self.contract.symbol or self.contract.conId, error)))


class Asking:
    """Asks for history as TWS bears it: paced, and again as often as there is sense in it."""

    def __init__(self, contract, what):
        self.contract = contract
        self.what = what

    async def rows(self, link, request, question):
        """What TWS answers to `question()`, made anew for each try; () when it has no data.

        `request` is what it asks for, as pacing counts it. Raises RequestRefused, TimedOut, NotConnected.
        """
        tries = 0
        while True:
            await link.ready()
            await self._pace(link, request)
            try:
                return await self._ask(link, question())
            except NotConnected as error:
                log.info('history of %s will be asked for again: %s', self.contract.symbol, error)
            except (TimedOut, RequestRefused) as error:
                tries += not link.is_dark()
                if not await self._worth_repeating(link, error, tries):
                    return ()

    async def _pace(self, link, request):
        key = (self.contract.conId, self.contract.exchange, self.what)
        while True:
            delay = link.pacing.delay(link.now(), key, request, self.what)
            if delay <= 0:
                link.pacing.note(link.now(), key, request, self.what)
                return
            await asyncio.sleep(delay)

    async def _ask(self, link, question):
        try:
            return await link.question(question, HISTORY_SECONDS)
        finally:
            link.pacing.done()

    async def _worth_repeating(self, link, error, tries):
        """True to ask again, False for "there is no data"; raises what ends the download."""
        meaning = 'retry' if isinstance(error, TimedOut) else codes.history_error(error.code, error.text)
        if meaning == 'none':
            return False
        if meaning == 'pacing':
            log.warning('TWS: %s; waiting', error)
            link.pacing.violated(link.now())
            await asyncio.sleep(link.pacing.limits.violation_seconds)
            return True
        if meaning == 'refused' or tries >= TRIES:
            raise error
        log.warning('history request failed (%s), asking again', error)
        if link.is_dark() and not isinstance(error, TimedOut):
            await asyncio.sleep(FARM_SECONDS)
        return True


def failure(error):
    """The record that tells of a download's end."""
    if isinstance(error, RequestRefused):
        return HistoryFailed(error.code, error.text)
    return HistoryFailed(0, str(error))


class Download:
    """A plan of history requests: several under way at a time, delivered in order, each repeated within reason."""

    def __init__(self, sink, contract, plan, what, rth):
        self.sink = sink
        self.contract = contract
        self.plan = plan
        self.what = what
        self.rth = rth
        self._asking = Asking(contract, what)

    async def run(self, link):
        """Deliver a History record per request, in the plan's order; a HistoryFailed instead of one that failed."""
        under_way = deque()
        waiting = deque(self.plan)
        try:
            for number in range(len(self.plan)):
                while waiting and len(under_way) < IN_FLIGHT:
                    under_way.append(asyncio.ensure_future(self._fetch(link, waiting.popleft())))
                bars = await under_way.popleft()
                self.sink(History(bars, number, len(self.plan)))
        except IBError as error:
            self.sink(failure(error))
        finally:
            for task in under_way:
                task.cancel()

    def _fetch(self, link, request):
        return self._asking.rows(
            link, request, lambda: HistoryQuestion(self.contract, request, self.what, self.rth))
