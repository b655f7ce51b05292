"""Finds out subscriptions that died without a word of TWS's, and has them made anew. Loop thread only.

A subscription that says nothing for long is not believed dead: the market is asked. When TWS's history has moved in
bars that lie wholly inside the silence, it should have spoken.
"""
import logging

from . import codes, history
from .downloads import CONTRACT_SECONDS, HISTORY_SECONDS, ContractQuestion, HistoryQuestion
from .errors import IBError, RequestRefused, TimedOut
from .messages import Notice
from .silence import DELAYED_SECONDS

log = logging.getLogger(__name__)

#: the bars that are asked about, which TWS hardly paces; and while a silence of 5-second bars is short, smaller ones
MINUTE, SMALL = '1 min', '5 secs'
SHORT_SECONDS = 120.0


class Inquiry:
    """A question that nobody but the vigil asked: what TWS has against it is for nobody else."""


class HistoryInquiry(Inquiry, HistoryQuestion):
    """What has the market done?"""


class HoursInquiry(Inquiry, ContractQuestion):
    """When is it open?"""


class Vigil:
    """Looks whenever TWS tells its time; `desk` has the streams, `publish` tells a person what was found."""

    def __init__(self, desk, clock, publish):
        self.desk = desk
        self.clock = clock
        self.publish = publish
        self._round = None
        self._second = 0

    def told(self, second):
        """TWS told its time: what it sent before has come."""
        self._second = second
        for stream in self.desk.streams:
            stream.silence.told(float(second), self.clock.heard)
        due = [stream for stream in self.desk.streams if self._stretch(stream)]
        if due and (self._round is None or self._round.done()):
            self._round = self.desk.spawn(self._go_round(due))

    async def _go_round(self, streams):
        """One question after the other, so that those of feeds need not wait."""
        try:
            for stream in streams:
                if await self._is_suspect(stream):
                    await self._ask_about(stream)
        except IBError as error:
            log.info('the market was not to be asked why a subscription is silent: %s', error)

    async def _is_suspect(self, stream):
        """Whether its silence is worth a question by what TWS tells of the market's hours now."""
        if self._is_silent(stream) and stream.habits.hours.is_old(self._second):
            await self._learn_hours(stream)
        return self._is_silent(stream)

    def _is_silent(self, stream):
        return stream in self.desk.streams and self._stretch(stream) is not None

    async def _learn_hours(self, stream):
        hours = stream.habits.hours
        hours.asked(self._second)
        try:
            details = await self.desk.question(HoursInquiry(stream.contract), CONTRACT_SECONDS)
        except (RequestRefused, TimedOut) as error:
            log.info('trading hours of %s were not told again: %s', stream.contract.symbol, error)
            return
        if len(details) == 1:
            hours.learn(details[0])

    def _stretch(self, stream):
        """The stretch of silence to ask about; None while there is none, or its reason is known."""
        if not self.desk.is_open or not stream.is_awaited:
            return None
        seconds = history.SIZES[self._size(stream)].seconds
        return stream.silence.stretch(seconds, stream.habits.hours.sessions, DELAYED_SECONDS * stream.is_delayed)

    def _size(self, stream):
        is_small = stream.paced and stream.silence.lasts() < SHORT_SECONDS
        return SMALL if is_small and self.desk.pacing.is_idle(self.desk.now()) else MINUTE

    async def _ask_about(self, stream):
        (begin, end), size = self._stretch(stream), self._size(stream)
        reqId, lasts = stream.reqId, stream.silence.lasts()
        request = history.plan(begin, end, size, end)[-1]
        if not self._may_ask(stream, request):
            return
        stream.silence.asked()
        moved = _moved(await self._history(stream, request), stream.repeats)
        if stream.reqId != reqId or not stream.is_awaited or stream.silence.lasts() < lasts:
            return
        if moved:
            self._renew(stream, lasts)
        else:
            stream.silence.meant_nothing(end)

    def _may_ask(self, stream, request):
        what, now = stream.habits.what, self.desk.now()
        key = (stream.contract.conId, stream.contract.exchange, what)
        if self.desk.pacing.delay(now, key, request, what) > 0:
            return False
        self.desk.pacing.note(now, key, request, what)
        return True

    async def _history(self, stream, request):
        question = HistoryInquiry(stream.contract, request, stream.habits.what, stream.habits.rth)
        try:
            return await self.desk.question(question, HISTORY_SECONDS)
        except RequestRefused as error:
            meaning = codes.history_error(error.code, error.text)
            if meaning == 'none':
                return ()
            if meaning == 'pacing':
                self.desk.pacing.violated(self.desk.now())
            raise
        finally:
            self.desk.pacing.done()

    def _renew(self, stream, lasts):
        reason = ('TWS has sent nothing for {:.0f} s though the market traded: the subscription had died, it is made '
                  'anew'.format(lasts))
        text = '{}: {}'.format(stream.contract.localSymbol or stream.contract.symbol, reason)
        log.warning('%s', text)
        self.publish(Notice(-1, 0, text))
        stream.lost(reason, heard=stream.silence.alive)
        stream.renew(stream, 0.0)


def _moved(bars, repeats):
    """Whether anything happened that a subscription tells: trades, a price other than the first, or (`repeats`) quotes.

    The bars of quotes have -1 for a volume.
    """
    prices = {price for bar in bars for price in (bar.open, bar.high, bar.low, bar.close)}
    return len(prices) > 1 or any(bar.volume > 0 or repeats and bar.volume < 0 for bar in bars)
