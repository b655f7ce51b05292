"""The trading floor: where working orders meet the market, tick by tick and by the clock."""
import heapq
from operator import itemgetter

from . import families, matching, order_rules, stamps, time_in_force, triggers
from .conditions import Conditions
from .records import Trade

CANCELLED = 'Order Canceled - reason:'
IGNORED = ("Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order type and "
           "destination. PlaceOrder is now being processed.")


class Floor:
    """Steps each ticket through the moments that matter to it; what happens is told by `reports`."""

    def __init__(self, market, ledger, book, fills, reports, scenario, zone):
        self.market = market
        self.ledger = ledger
        self.book = book
        self.reports = reports
        self.scenario = scenario
        self.zone = zone
        self._fills = fills
        self._conditions = Conditions(market, ledger, fills, zone)
        self.time = None

    def watched(self):
        """The instruments whose ticks matter to a live ticket, by conId."""
        found = {}
        for ticket in self.book.live():
            for instrument in [ticket.instrument] + self._conditions.instruments(ticket.order):
                found[instrument.conId] = instrument
        return found

    def next_time(self):
        """When the clock alone changes something; None when it never does."""
        moments = [ticket.wake for ticket in self.book.live()] + [self.reports.next_time()]
        return min((moment for moment in moments if moment is not None), default=None)

    def advance(self, now):
        """Everything before `now`; what the clock does at `now` too."""
        if self.time is None:
            self.time = now
        if now > self.time:
            for time, conId, trade, quote in self._ticks(self.time, now):
                self._run_clock(time)
                self._tick(time, conId, trade, quote)
            self.time = now
        self._run_clock(now)

    def _ticks(self, start, end):
        streams = [self._stream(instrument, start, end) for instrument in self.watched().values()]
        return heapq.merge(*streams, key=itemgetter(0))

    def _stream(self, instrument, start, end):
        conId = instrument.conId
        ticks = [(quote.time, conId, None, quote) for quote in self.market.quotes(instrument, start, end)]
        ticks += [(trade.time, conId, trade, None) for trade in self.market.trades(instrument, start, end)]
        return sorted(ticks, key=itemgetter(0))

    def _run_clock(self, now):
        """The tickets' own moments up to `now`, each at its time."""
        while True:
            due = self.next_time()
            if due is None or due > now:
                return
            self.reports.advance(due)
            for ticket in self.book.live():
                if ticket.wake is not None and ticket.wake <= due:
                    self.step(ticket, due)

    def _tick(self, time, conId, trade, quote):
        if trade is not None:
            self._conditions.volumes[conId] = trade.total
        for ticket in self.book.live():
            if ticket.instrument.conId == conId:
                self.step(ticket, time, trade, quote)
            elif ticket.order.conditions and not ticket.conditioned:
                self.step(ticket, time)

    def enter(self, ticket, now):
        """A transmitted ticket comes to the floor."""
        time_in_force.schedule(ticket, self.market, now, self.zone)
        self.book.went_live(ticket)
        self._announce(ticket, now)
        self._look_at_clock(ticket, now)
        self._is_free(ticket, now)
        if ticket.alive:
            self.settle(ticket)
        self.step(ticket, now)

    def re_enter(self, ticket, now):
        """A modified ticket: held for a moment, then as the market has it."""
        time_in_force.schedule(ticket, self.market, now, self.zone)
        ticket.status = 'PreSubmitted'
        self.reports.again(ticket)
        self.step(ticket, now)

    def reject(self, ticket, now, inactive):
        """A ticket that never gets to the floor; it is Inactive, or nothing more is heard of it."""
        self._close(ticket, now, 'Inactive' if inactive else 'Cancelled')
        if inactive:
            self.reports.standing(ticket)
        families.after_end(self, ticket, now)

    def step(self, ticket, now, trade=None, quote=None):
        """One moment of a ticket's life: the clock, what it waits for, the market."""
        if not ticket.alive or self._ends_by_clock(ticket, now):
            return
        self._look_at_clock(ticket, now)
        if self._is_free(ticket, now):
            self._meet(ticket, now, trade, quote)
        if ticket.alive:
            self._settle_news(ticket)

    def _settle_news(self, ticket):
        if self._stage(ticket) != (ticket.status, ticket.held):
            self.settle(ticket)

    def _look_at_clock(self, ticket, now):
        if ticket.wake is None or now >= ticket.wake:
            worked, ticket.working = ticket.working, time_in_force.works(ticket, self.market, now)
            ticket.resting = ticket.resting and worked
            ticket.wake = time_in_force.next_change(ticket, self.market, now, self.zone)

    def settle(self, ticket):
        """Tells where the ticket stands, when that is new."""
        ticket.status, ticket.held = self._stage(ticket)
        self.reports.standing(ticket)

    def _ends_by_clock(self, ticket, now):
        if ticket.cancelling is not None and now >= ticket.cancelling:
            self.end(ticket, now, self.scenario.cancel_status)
            families.after_cancel(self, ticket, now)
        elif ticket.expires is not None and now >= ticket.expires:
            self._expire(ticket, now)
        return ticket.ended is not None

    def _expire(self, ticket, now):
        if ticket.type.auction and self._is_free(ticket, now, at_close=True):
            self._trade_at_close(ticket, now)
        if ticket.alive and ticket.order.tif == 'DTC':
            self.end(ticket, now, 'Inactive', '')
        elif ticket.alive:
            self.end(ticket, now, 'Cancelled')

    def _trade_at_close(self, ticket, now):
        price = self.market.last(ticket.instrument, now)
        if not ticket.type.limited or ticket.sign * (price - ticket.order.lmtPrice) <= 0:
            self.fill(ticket, now, price, ticket.room)

    def _is_free(self, ticket, now, at_close=False):
        """Whether nothing holds the ticket back but its own price."""
        if not ticket.located or families.waits_for_parent(ticket):
            return False
        if not ticket.conditioned:
            ticket.conditioned = self._conditions.met(ticket, now)
        if ticket.conditioned and ticket.order.conditions and ticket.order.conditionsCancelOrder:
            self.end(ticket, now, 'Cancelled')
            return False
        return ticket.conditioned and (at_close or ticket.working)

    def _stage(self, ticket):
        """(status, whyHeld) of a live ticket."""
        if ticket.cancelling is not None and self.scenario.pending_cancel:
            return 'PendingCancel', ''
        if not ticket.located:
            return 'Inactive', 'locate'
        reasons = (('child', families.waits_for_parent(ticket)), ('trigger', not ticket.triggered))
        held = [word for word, holds in reasons if holds]
        if held or not ticket.conditioned or not ticket.working:
            return 'PreSubmitted', ','.join(held)
        return 'Submitted', ''

    def _meet(self, ticket, now, trade, quote):
        """The ticket sees the market: its trigger, then the other side."""
        if ticket.type.auction:
            return
        instrument = ticket.instrument
        if not ticket.triggered and time_in_force.may_trigger(ticket, self.market, now):
            if trade is None and quote is None:
                last = Trade(now, self.market.last(instrument, now), 0.0) if instrument.has_last else None
                triggers.watch(ticket, last, self.market.quote(instrument, now))
            else:
                triggers.watch(ticket, trade, quote)
        if ticket.triggered:
            self._settle_news(ticket)
            self._try(ticket, now, trade, quote)

    def _try(self, ticket, now, trade, quote):
        order = ticket.order
        if order.tif == 'OPG':
            self._trade_at_open(ticket, now, trade)
            return
        if quote is None and (trade is None or ticket.type.peg or not ticket.resting):
            quote = self.market.quote(ticket.instrument, now)
        price = matching.price(ticket, quote, trade)
        size = 0.0 if price is None else self._size(ticket, trade, quote)
        if size > 0:
            self.fill(ticket, now, price, size)
        ticket.resting = ticket.type.limited or bool(ticket.type.peg)
        if ticket.alive and order.tif in time_in_force.AT_ONCE:
            self.end(ticket, now, 'Cancelled')

    def _trade_at_open(self, ticket, now, trade):
        if trade is None:
            return
        if not ticket.type.limited or ticket.sign * (trade.price - ticket.order.lmtPrice) <= 0:
            self.fill(ticket, now, trade.price, ticket.room)
        else:
            self.end(ticket, now, 'Cancelled')

    def _size(self, ticket, trade, quote):
        """How much trades now; 0 when that is less than must trade at once."""
        size = self.scenario.portion(ticket.instrument, ticket.room) if ticket.room > 0 else 0.0
        if self.scenario.liquidity:
            offered = matching.touch(ticket, quote)
            size = min(size, offered[1] if offered else trade.size if trade is not None else 0.0)
        return size if size >= _least(ticket) else 0.0

    def fill(self, ticket, now, price, size):
        """`size` of the ticket trades at `price`; its family and group hear of it after its own reports."""
        share = size / ticket.remaining if ticket.remaining else 1.0
        price = round(price, 8)
        ticket.filled = round(ticket.filled + size, 8)
        ticket.value += price * size
        ticket.lastPrice = price
        if ticket.remaining <= 0:
            self._close(ticket, now, 'Filled')
        else:
            self._carry_on(ticket, price)
        for execution in self._fills.make(ticket, now, size, price):
            self.reports.fill(ticket, execution, self.ledger.apply(execution, ticket.instrument), now)
        families.after_fill(self, ticket, now, share)

    def _carry_on(self, ticket, price):
        """What is left of a partly filled ticket works on, of a market-to-limit as a limit order."""
        if ticket.type.rests:
            ticket.become_limit(price)
        ticket.status, ticket.held = self._stage(ticket)

    def end(self, ticket, now, status, text=CANCELLED, code=202):
        """The ticket is over, unfilled at least in part; no text: nothing but the status is told."""
        self._close(ticket, now, status)
        self.reports.standing(ticket)
        if text:
            self.reports.tell(ticket, code, text)
        families.after_end(self, ticket, now)

    def _close(self, ticket, now, status):
        ticket.status, ticket.held = status, ''
        ticket.ended = now
        ticket.wake = None
        ticket.cancelling = None
        ticket.completion = stamps.in_zone(now, self.zone)
        self.book.went_dead(ticket)

    def reduce(self, ticket, now, size):
        """Takes `size` off a ticket; nothing left is its end."""
        step = ticket.instrument.size_step
        left = ticket.remaining - size
        left = round(round(left / step) * step, 8) if step else round(left, 8)
        if left <= 0:
            self.end(ticket, now, 'Cancelled')
        elif left != ticket.remaining:
            ticket.order.totalQuantity = round(ticket.filled + left, 8)
            self.settle(ticket)

    def price_of(self, ticket, now):
        """What a margin check takes the order to cost."""
        order = ticket.order
        given = (ticket.type.limited and order.lmtPrice) or (ticket.type.aux and order.auxPrice)
        offered = matching.touch(ticket, self.market.quote(ticket.instrument, now))
        return given or (offered[0] if offered else self.market.last(ticket.instrument, now))

    def _announce(self, ticket, now):
        """The notices that come with an accepted order."""
        order = ticket.order
        if order.outsideRth and time_in_force.ignores_outside(ticket):
            self.reports.tell(ticket, 2109, IGNORED)
        if not families.waits_for_parent(ticket) and not time_in_force.works(ticket, self.market, now):
            opens = max(ticket.opens, self.market.next_open(
                ticket.instrument, max(now, ticket.opens), time_in_force.is_regular_only(ticket)))
            self.reports.tell(ticket, 399, order_rules.waiting_text(ticket, opens))


def _least(ticket):
    """How much must trade at once, or nothing does."""
    if ticket.order.tif == 'FOK' or ticket.order.allOrNone:
        return ticket.remaining
    return 0.0 if ticket.filled else min(ticket.order.minQty or 0.0, ticket.remaining)
