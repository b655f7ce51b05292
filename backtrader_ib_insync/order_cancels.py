"""Orders that are to be no more: cancelled, taken back, recalled. Strategy thread; nothing here waits."""
import math
import time

from backtrader import Order

from .order_groups import LONGEST_SECONDS
from .orders import date_number

TAKEN_BACK = 'taken back: a member of its bracket was rejected ({})'
#: seconds that TWS has to cancel what was recalled, before it is asked again
RECALL_SECONDS = 1.0
#: TWS says nothing of a cancel of what was never transmitted: so far apart the last one is sent
SILENT_SECONDS = 8.0


class Cancels:
    """Asks TWS to cancel, and asks again where that has to be."""

    def __init__(self, broker, store, book):
        self.broker = broker
        self.store = store
        self.book = book
        self._overdue = []
        #: by ref: (order, when it is to be cancelled again, seconds to the time after that)
        self._recalls = {}

    def look_around(self):
        """What waited for a link or for its time, once a pass."""
        self._call_back()
        if self._overdue and not self.store.link.reason_not_trading():
            overdue, self._overdue = self._overdue, []
            for order in overdue:
                self.cancel(order)

    def cancel(self, order):
        """Ask TWS to cancel, now or when it can be; returns whether that was done. What has ended is left alone."""
        own = self.book.own(order)
        if own is None or not own.alive():
            return False
        reason = self.store.link.reason_not_trading()
        if reason:
            self.broker.said('order {} not cancelled: {}; it will be when that is over'.format(own.ref, reason))
            self.surely(own)
            return False
        own.life.cancel_asked = True
        self.store.cancel(own.tws)
        self.book.sent(own)
        if not own.life.transmitted:
            self._take_back(own)
        return True

    def surely(self, order):
        """Have TWS cancel an order as soon as there is a link."""
        if not any(order is known for known in self._overdue):
            self._overdue.append(order)

    def break_up(self, order, reason):
        """An order cannot be: what is left of its bracket would open a position that it does not guard."""
        members = self.book.unborn(order)
        if order.p.transmit:
            # it was to transmit them all
            for member in members:
                member.life.transmitted = member.life.acknowledged
        # with its parent TWS takes the rest; a parent that was filled meanwhile keeps what guards it
        for member in [member for member in members if not member.tws.parentId] or members:
            if member.life.ending is None:
                member.tell(0, TAKEN_BACK.format(reason))
                self.cancel(member)

    def recall(self, order):
        """It is told as ended, but TWS works it, or keeps it where a person could transmit it: no more.

        Returns whether that is news.
        """
        life = order.life
        # a cancel that was lost with the link did nothing
        is_news = order.ref not in self._recalls and (life.works or life.lost or not life.cancel_asked)
        if is_news:
            self._recalls[order.ref] = order, -math.inf, RECALL_SECONDS
        return is_news

    def _call_back(self):
        """Cancel what was recalled, once there is a link, and again, ever less often, while TWS works it."""
        if not self._recalls or self.store.link.reason_not_trading():
            return
        now = time.monotonic()
        for ref, (order, due, pause) in list(self._recalls.items()):
            if order.life.gone or not order.life.works and pause > SILENT_SECONDS:
                del self._recalls[ref]
            elif due <= now:
                self.store.cancel(order.tws)
                self._recalls[ref] = order, now + pause, min(2 * pause, LONGEST_SECONDS)

    def _take_back(self, order):
        """TWS tells nothing of orders that were never transmitted: they end here, a parent's children with it."""
        for member in self.book.descent(order):
            if member.life.ending is not None:
                # which tells more
                continue
            if member is not order:
                self.store.cancel(member.tws)
            member.end(Order.Canceled, date_number(self.store.clock()))
            self.book.retire(member)
            self.broker.notify(member)

    def dissolve(self, parent, reason):
        """Take back a bracket of which a member cannot be."""
        parent = self.book.own(parent)
        if parent and not parent.life.transmitted:
            for member in self.book.family(parent):
                member.tell(0, TAKEN_BACK.format(reason))
                self.cancel(member)
