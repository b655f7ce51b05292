"""One-cancels-all groups where TWS does not keep them. Strategy thread.

It takes no order at work into a group (10326), and who says what it does with one that comes when the group is done?
"""
import time

from .errors import BadOrder
from .order_book import REF_PREFIX, group_of, mark_of, own_ref

#: seconds that TWS has to cancel the others of a group that it keeps
TRUST_SECONDS = 1.0
#: seconds between the cancels of an order that TWS refuses to cancel, at most
LONGEST_SECONDS = 60.0


def fields_of(order):
    """What puts another order into the group of this one."""
    name = group_of(order)
    # without a group of TWS's its type means nothing
    return {'ocaGroup': name, 'ocaType': name and name == order.tws.ocaGroup and order.tws.ocaType or 1}


class Groups:
    """Cancels the others of a group when one of its orders is filled or cancelled, where TWS does not.

    `cancel(order)` cannot fail. A group is named after the reference of the order that founded it. TWS tells the name
    with the orders that joined, so that a later run knows the group again, and whether an order of it was filled while
    nobody was there.
    """

    def __init__(self, book, cancel):
        self._book = book
        self._cancel = cancel
        #: by name of a group: the mark of its order of which something was filled first
        self._done = {}
        #: references of orders that we do not hold and of which something was filled
        self._executed = set()
        #: (when, seconds that it was given, order) of what has to be gone by then
        self._trusted = []

    def name_for(self, order):
        """What a group that this order founds is called."""
        ref = order.tws.orderRef
        return ref if ref.startswith(REF_PREFIX) else own_ref()

    def check(self, order):
        """Raise BadOrder for a group by TWS's names that is another than that of `oco`."""
        joined = {} if order.p.oco is None else fields_of(self._book.own(order.p.oco))
        for name, value in joined.items():
            asked = order.terms.keywords.get(name, value)
            if asked != value:
                raise BadOrder('oco= and {}={!r}: the group that it joins has {!r}; give each order ocaGroup= and '
                               'ocaType=, and none oco='.format(name, asked, value))

    def keep(self, order, name):
        """Keep an order in a group by our word alone, and with a child of a bracket the others: one ends them all."""
        for member in [order] + self._book.siblings(order):
            member.life.group = name

    def born(self, order):
        """A child of a bracket is in the group that its siblings are kept in."""
        for sibling in self._book.siblings(order):
            if sibling.life.group and not group_of(order):
                order.life.group = sibling.life.group

    def executed(self, record, order):
        """Something of an order, None if it is not ours, was filled."""
        if order is not None and record.shares:
            self._end(order)
        elif record.shares and record.orderRef.startswith(REF_PREFIX):
            self._executed.add(record.orderRef)

    def cancelled(self, order):
        """It was cancelled, and not for its group's sake: so are the others, as in the groups that TWS keeps."""
        for other in self._book.group(order) if group_of(order) not in self._done else ():
            if order.life.group or other.life.group:
                self._look_at(other)

    def completed(self, record):
        """TWS lists an order that ended today."""
        name = record.order.ocaGroup
        if record.status == 'Filled' and name.startswith(REF_PREFIX):
            self._done.setdefault(name, mark_of(record.order))

    def accepted(self, order):
        """TWS works a new order."""
        own = mark_of(order.tws)
        if self._done.get(group_of(order), own) != own:
            self._look_at(order)

    def refused(self, order):
        """TWS did not take an order into its group: we keep it there."""
        if group_of(order) in self._done:
            self._end(order)
            self.accepted(order)

    def adopted(self, order):
        """An order of an earlier run is in our hands: know its group again."""
        founder = self._book.by_name.get(order.tws.ocaGroup)
        if founder is not None and founder.tws.ocaGroup != order.tws.ocaGroup:
            self.keep(founder, order.tws.ocaGroup)
        own = mark_of(order.tws)
        if order.tws.ocaGroup != own and any(other.tws.ocaGroup == own for other in self._book.open()):
            self.keep(order, own)
        self.born(order)
        for member in [order] + self._book.group(order):
            if member.tws.orderRef in self._executed:
                self._end(member)
        first = self._done.get(group_of(order)) or self._done.get(own)
        if first not in (None, own) or group_of(order) in self._executed - {own}:
            self._cancel(order)

    def _end(self, order):
        """Something of it was filled, which is its group's end: cancel the others, as far as TWS does not."""
        name = group_of(order)
        # in a group of another name a fill may reduce the others, as in a bracket: that is TWS's alone
        own = mark_of(order.tws)
        if not name.startswith(REF_PREFIX) or self._done.setdefault(name, own) != own:
            return
        siblings = self._book.siblings(order)
        for other in self._book.group(order):
            if other in siblings:
                # the children of a bracket are TWS's
                continue
            # what TWS has not answered for may come to it when the group is done
            if order.life.group or other.life.group or not other.life.acknowledged:
                self._look_at(other)
            else:
                self._trust(other, TRUST_SECONDS)

    def _trust(self, order, seconds):
        self._trusted.append((time.monotonic() + seconds, seconds, order))

    def _look_at(self, order, seconds=TRUST_SECONDS):
        """Cancel what should be no more, and see to it that it is: a cancel may be refused, an end taken back."""
        if not order.alive():
            return
        if order.life.ending is None and not order.life.cancel_asked:
            self._cancel(order)
        self._trust(order, seconds)

    def look_around(self):
        """What should be cancelled by now, and works all the same, is cancelled, again if need be, ever less often."""
        now = time.monotonic()
        due = [one for one in self._trusted if one[0] <= now]
        if due:
            self._trusted = [one for one in self._trusted if one[0] > now]
            for _, seconds, order in due:
                self._look_at(order, min(2 * seconds, LONGEST_SECONDS))
