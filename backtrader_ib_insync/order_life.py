"""What TWS reports of an order -> what becomes of it in backtrader's words (pure; the tables first)."""
import math
from typing import Any, NamedTuple, Optional

from backtrader import Order

from .order_fields import tidy

# -- what a report says ------------------------------------------------------------------------------------------------

NOTHING, ALIVE, FILLED, ENDED, DOUBTED = 'nothing', 'alive', 'filled', 'ended', 'doubted'

#: orderStatus and openOrder; PendingCancel is no end, a fill can still overtake the cancel (ib-codes.md)
STATUSES = {
    'PendingSubmit': NOTHING, 'ApiPending': NOTHING, 'PendingCancel': NOTHING,
    'PreSubmitted': ALIVE, 'Submitted': ALIVE,
    'Filled': FILLED,
    'Cancelled': ENDED, 'ApiCancelled': ENDED,
    'Inactive': DOUBTED,
}

#: errors and notices, by what `codes.order_error` holds them for
ENDING_ERRORS = {
    'rejected': Order.Rejected,
    'margin': Order.Margin,
    'cancel done': Order.Canceled,
    'dead': Order.Canceled,
}

#: seconds that an end waits for the fills TWS has told of, and for those it may not have told of
FILLS_PATIENCE = 10.0
UNTOLD_PATIENCE = 1.0
#: seconds in which a later report may take an Inactive back
DOUBT_PATIENCE = 2.0
#: seconds after a reconnection in which TWS may still speak of an order that it did not list
LISTING_PATIENCE = 5.0
#: seconds that TWS's clock, which ends orders, may be ahead of what we take it to be
CLOCK_SECONDS = 2.0


class Ending(NamedTuple):
    """An end that is known but not told: it waits for fills up to `filled` (None: unknown), at most till `latest`."""
    status: int
    filled: Optional[float]
    latest: float
    revocable: bool = False

    def due(self, executed, now):
        """Whether it may be told when `executed` has been, at `now` (epoch seconds)."""
        reached = not self.revocable and self.filled is not None and executed >= self.filled - 1e-9
        return reached or now >= self.latest


class Version(NamedTuple):
    """An order as it was asked, as TWS was told it, and till when that is in force (epoch seconds UTC)."""
    terms: Any
    tws: Any
    until: Optional[float]


class Life:
    """What is known of one order's way through TWS."""
    __slots__ = ('acknowledged', 'cancel_asked', 'filled', 'ending', 'until', 'transmitted', 'before', 'listed',
                 'group', 'doubt', 'shown', 'earlier', 'looked', 'average', 'corrected', 'inactive', 'lost', 'works',
                 'gone')

    def __init__(self):
        #: TWS has said something of it
        self.acknowledged = False
        self.cancel_asked = False
        #: the most that a status has told as filled
        self.filled = 0.0
        self.ending = None
        #: when its force ends, epoch seconds UTC
        self.until = None
        #: it, or the last of its bracket, was sent with transmit=True
        self.transmitted = False
        #: what modifications on their way are of: versions, oldest first, that their refusal brings back
        self.before = None
        #: the last synchronisation showed it open
        self.listed = False
        #: the one-cancels-all group that we keep it in because TWS would not
        self.group = ''
        #: under which number TWS was asked whether it still works the order; 0 when it was not
        self.doubt = 0
        #: the status by which TWS listed it since; '' when it did not, or as one that has ended
        self.shown = ''
        #: what had been filled at `looked` (epoch seconds) by executions that TWS has not listed
        self.earlier = self.looked = 0.0
        #: the price of all that had been filled, as a status told it last
        self.average = 0.0
        #: TWS corrected the size of an execution: what statuses told as filled counts no more
        self.corrected = False
        #: it worked when TWS spoke of it last
        self.works = False
        #: TWS said that it has it no more
        self.gone = False
        #: TWS did not list it where it should have
        self.lost = False
        #: TWS holds it, not working: somebody can transmit it there
        self.inactive = False

    def on_status(self, status, filled, whyHeld, now):
        """Take a status; returns ALIVE, FILLED or NOTHING, and keeps an end in `ending`."""
        said = STATUSES.get(status, NOTHING)
        self.filled = max(self.filled, filled)
        if said is DOUBTED and 'locate' in whyHeld:
            said = ALIVE
        if said is not NOTHING:
            self.acknowledged = True
            self.inactive = said is DOUBTED
            self.works = said is ALIVE
            self.gone = said in (ENDED, FILLED)
        if said is ALIVE and self.ending is not None and self.ending.revocable and not self.doubt:
            self.ending = None
        if said is FILLED:
            self.close(Order.Completed, filled, now + FILLS_PATIENCE)
        elif said is ENDED:
            status = self.ending.status if self.doubt and self.ending is not None else self.ended(now)
            self.close(status, filled, now + FILLS_PATIENCE)
        elif said is DOUBTED and self.ending is None:
            self.ending = Ending(Order.Rejected, filled, now + DOUBT_PATIENCE, True)
        return said

    def on_error(self, kind, text, now):
        """Take an error by its kind; returns whether it brings an end, which is then in `ending`."""
        status = ENDING_ERRORS.get(kind)
        self.gone = self.gone or kind in ('cancel done', 'dead')
        if kind == 'cancel refused':
            self.cancel_asked = False
            self.acknowledged = True
            status = Order.Canceled if 'state: Cancelled' in text or 'state: ApiCancelled' in text else None
            if 'state: Filled' in text:
                self.close(Order.Completed, None, now + FILLS_PATIENCE)
                return True
        if status is None:
            return False
        if status == Order.Canceled:
            self.close(self.ended(now), None, now + UNTOLD_PATIENCE)
        elif self._may_work() and (self.ending is None or self.ending.revocable):
            # what was refused may be a change or a cancel of an order that TWS works on; and a change that crosses
            # the refusal on the wire can make TWS take the order after all
            self.ending = Ending(status, self.filled, math.inf, True)
        else:
            self.close(status, self.filled, now + FILLS_PATIENCE)
        return True

    def _may_work(self):
        return self.acknowledged or self.cancel_asked or self.before is not None

    def close(self, status, filled, latest):
        """Note an end; one that was noted for good stays, but may learn how much had been filled."""
        held = self.ending
        if held is None or held.revocable:
            self.ending = Ending(status, filled, latest)
        elif held.filled is None:
            self.ending = held._replace(filled=filled)

    def correct(self, change):
        """TWS corrected an execution of it: its size by `change`."""
        self.corrected = self.corrected or bool(change)
        self.filled += change
        if self.ending is not None and self.ending.filled is not None:
            self.ending = self.ending._replace(filled=self.ending.filled + change)

    def untold(self, done, size):
        """How much more of `size` it had filled at its end than `done`, which executions have told."""
        filled = self.ending.filled
        if filled is None:
            filled = size if self.ending.status == Order.Completed else 0.0
        return 0.0 if self.corrected else max(0.0, tidy(filled - done))

    def is_unanswered(self):
        """Whether TWS has said nothing of it, or of what it was asked to do with it last."""
        return self.transmitted and self.ending is None and (
            not self.acknowledged or self.cancel_asked or self.before is not None)

    def is_doubted(self):
        """Whether only TWS can tell if an error has ended the order."""
        return self.ending is not None and self.ending.revocable and self.ending.latest == math.inf

    def go_on(self):
        """TWS works it: no error has ended it."""
        self.doubt = 0
        self.acknowledged = True
        if self.ending is not None and self.ending.revocable:
            self.ending = None

    def confirm(self, now, never_worked):
        """TWS lists the order no longer: the end stands."""
        self.doubt = 0
        if self.ending is None and self.transmitted:
            self.missed(now)
        elif self.ending is not None and self.ending.revocable:
            self.ending = self.ending._replace(revocable=False)
            if self.before is not None and never_worked:
                # a change that crossed a refusal can have made TWS take the order, and fill it
                self.ending = self.ending._replace(filled=None, latest=now + FILLS_PATIENCE)

    def missed(self, now):
        """TWS has listed what it has, and not this: it has ended, or never arrived."""
        self.lost = True
        status = self.ended(now) if self.acknowledged else Order.Rejected
        self.ending = Ending(status, None, now + LISTING_PATIENCE, True)

    def is_missing(self):
        """Whether TWS does not list it, and has not said what became of it."""
        return (self.lost and self.acknowledged and self.ending is not None and self.ending.revocable
                and self.ending.filled is None)

    def owes(self, done):
        """Whether TWS told of more than `done` as filled."""
        return max(self.filled, self.ending.filled or 0.0 if self.ending is not None else 0.0) > done

    def found(self, filled, size):
        """What it moved tells how much of it was filled before TWS lost it."""
        self.ending = self.ending._replace(
            status=Order.Completed if filled >= size else self.ending.status, filled=filled)

    def ended(self, now):
        """Expired or Canceled: what an end without a refusal is."""
        expired = self.until is not None and now >= self.until - CLOCK_SECONDS and not self.cancel_asked
        return Order.Expired if expired else Order.Canceled
