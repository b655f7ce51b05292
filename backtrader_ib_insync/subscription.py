"""What all subscriptions have in common: how they are lost, kept, refused and asked for again. Loop thread only.

A stream outlives sessions. The connection sends it (`ask`) whenever a session begins, and tells it when the link is
lost; the stream tells its sink in the words of `messages`.
"""
import logging

from . import codes
from .localclock import local_time
from .messages import DataType, Lost, Refused, Restored, Warned, Watching
from .silence import Silence

log = logging.getLogger(__name__)

#: seconds till a subscription that TWS ended for a passing reason is asked for again
AGAIN_SECONDS = {'renew': 1.0, 'competing': 30.0, 'pacing': 60.0}
#: the same for one that has worked and is refused, each time anew, an hour in all: then the refusal is believed
REFUSED_AGAIN_SECONDS = (10.0, 20.0, 40.0, 80.0, 160.0) + 11 * (300.0,)
#: seconds after which such a one that was neither refused again nor heard counts as accepted
ACCEPTED_SECONDS = 10.0


class Retired:
    """Hears what TWS still says under a request id that was given back."""

    def __getattr__(self, name):
        return self._ignore

    def _ignore(self, *args):
        """It concerns nobody."""


class Stream:
    """One live subscription; `sink` takes its records, `clock` is the server clock of the connection.

    The connection gives it `renew`, with which it asks to be asked for again, `tell_time`, which has TWS tell it its
    time in whole seconds after all that came till then, and `later`, which calls a function after some seconds.
    """

    #: whether its records carry TWS's time
    stamped = True
    #: whether TWS takes only so many new ones in a while
    paced = False
    #: whether it tells of quotes that stay as they are, too
    repeats = False
    #: seconds for which an open market may be silent, before anybody asks why
    patience = 60.0

    def __init__(self, sink, contract, clock):
        self.sink = sink
        self.contract = contract
        self.clock = clock
        self.reqId = None
        self.broken = False
        self.renew = self.tell_time = self.later = None
        self.silence = Silence(self.patience)
        #: how to ask the market whether it was silent, too; None when it cannot be asked
        self.habits = None
        self._asked = None
        self._watching = False
        self._begun = 0
        self._delayed = False
        #: whether a word of TWS's now would show that it lives, though it was lost; and how often it was lost
        self._may_live = False
        self._losses = 0
        #: whether such a word is all there is to show that it lives
        self.is_unproven = False
        #: whether a record of it was ever delivered, and how often it was refused since the last one
        self._has_worked = False
        self._refusals = 0

    def ask(self, ib, reqId):
        """Subscribe under a new request id; tells `Restored` when something was lost before."""
        self.reqId = reqId
        self._asked = local_time() + (self.clock.low or 0.0)
        self._watching = self.is_unproven = False
        self._begun += 1
        self.silence.broken()
        if self._refusals:
            self.later(ACCEPTED_SECONDS, self._accept, self._begun)
        elif self.broken:
            self.broken = False
            self.sink(Restored('subscribed again'))
        self._send(ib, reqId)

    def cancel(self, ib):
        """Unsubscribe, so that the market data line is free again."""
        reqId, self.reqId = self.reqId, None
        self._unsend(ib, reqId)

    @property
    def is_awaited(self):
        """Whether it should speak when its market does, as far as anybody knows."""
        return self.reqId is not None and not self.broken and self.habits is not None

    @property
    def is_delayed(self):
        return self._delayed

    def lost(self, reason, code=0, heard=None):
        """The link, or what feeds it, is gone; told once until it is back."""
        self._begun += 1
        is_farm = codes.link(code) == 'farm_lost'
        if not is_farm or not self.broken:
            self._losses += 1
            self._may_live = False
        if not self.broken:
            self.broken = True
            if is_farm:
                self._await_life()
            self.sink(Lost(reason, code, heard))

    def _await_life(self):
        """The farm that was lost need not be the one that feeds it; what TWS knew before, it may say all the same."""
        losses = self._losses

        def allow(second):
            self._may_live |= self.broken and losses == self._losses
        self.tell_time(allow)

    def kept(self, reason):
        """TWS is back and kept the subscription; what passed meanwhile is lost all the same."""
        self.silence.broken()
        if self.broken:
            self.broken = False
            self.sink(Restored(reason, kept=True))
            self._watch_from_now()

    def error(self, code, text):
        meaning = codes.market_data_error(code, text)
        if meaning == 'notice':
            self.sink(Warned(code, text))
        elif meaning in AGAIN_SECONDS:
            self.lost('{} {}'.format(code, text), code)
            self.renew(self, AGAIN_SECONDS[meaning])
        else:
            self.reqId = None
            self._refuse(code, text)

    def _refuse(self, code, text):
        """What worked before may be refused in passing, by a TWS that has just started: it is asked for again."""
        if not self._has_worked or self._refusals == len(REFUSED_AGAIN_SECONDS):
            self.sink(Refused(code, text))
            return
        pause = REFUSED_AGAIN_SECONDS[self._refusals]
        log.info('refused though it worked before, asked for again in %.0f s: %s %s', pause, code, text)
        self._refusals += 1
        self.lost('{} {}'.format(code, text), code)
        self._may_live = True
        self.renew(self, pause)

    def _accept(self, begun):
        """TWS confirms nothing: that it did not refuse again has to do."""
        if begun == self._begun and self.reqId is not None:
            self.kept('subscribed again')

    def _deliver(self, record):
        self._has_worked = True
        self._refusals = 0
        self.is_unproven = False
        self.sink(record)

    def _watch_from_now(self):
        """The subscription runs; since when, TWS has to tell: our idea of its clock may fall short of it."""
        self._watching = True
        begun = self._begun

        def date(second):
            if begun == self._begun:
                self._watch(second + 1.0)
        self.tell_time(date)

    def _watch(self, since):
        self._watching = True
        self.sink(Watching(since, self._asked))

    def _answered(self):
        self.silence.broken()
        if self.broken and self._may_live:
            self.is_unproven = True
            self.kept('market data come all the same')
        elif not self._watching and not (self._delayed and self.stamped):
            # delayed data are whole from their first stamp on, which is long past
            self._watch_from_now()

    def _ignore(self, *args):
        self._answered()

    def tickReqParams(self, *about):
        """Which kind of data follows is told next, and with it from when on they are whole."""

    tickSize = tickGeneric = tickOptionComputation = priceSizeTick = tickString = _ignore

    def marketDataType(self, kind):
        self._delayed = kind in codes.DELAYED_KINDS
        self.sink(DataType(kind))
        self._answered()
