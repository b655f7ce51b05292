"""The orders of this broker, by every name they go by, and of which of them TWS owes a word."""
import collections
import itertools
import time
import uuid

#: marks an order as one of ours, in this run or an earlier one
REF_PREFIX = 'bt:'


#: drawn once: asking the system for randomness costs an order more than all the rest
_process = uuid.uuid4().hex
_count = itertools.count(1)


def own_ref():
    """An orderRef that no other order has, today or after a restart."""
    return '{}{}-{}'.format(REF_PREFIX, _process, next(_count))


def mark_of(tws):
    """What tells a TWS order from all others: its reference where that is ours, for the user's may be of many."""
    return tws.orderRef if tws.orderRef.startswith(REF_PREFIX) else '{}.{}.{}'.format(
        tws.clientId, tws.orderId, tws.permId)


def group_of(order):
    """The one-cancels-all group of an order, kept by TWS or by us; '' for none."""
    return order.life.group or order.tws.ocaGroup


class OrderBook:
    """Orders by TWS id, permanent id, own reference and backtrader's ref; the living ones apart."""

    def __init__(self):
        self.by_id = {}
        self.by_perm = {}
        self.by_name = {}
        self.by_ref = {}
        self.living = {}
        self.families = collections.defaultdict(list)
        #: (clientId, orderId) of orders of an earlier run that no feed trades
        self.left_alone = set()
        #: by ref: since when TWS owes a word of it (by `time.monotonic`), longest first
        self._owed = collections.OrderedDict()

    def add(self, order):
        tws = order.tws
        self.by_id[tws.clientId, tws.orderId] = order
        self.by_name[tws.orderRef] = order
        self.by_ref[order.ref] = order
        self.living[order.ref] = order
        self.families[self._root(order)].append(order)
        self.name(order, tws.permId)

    def name(self, order, permId):
        """TWS's lasting id has become known."""
        if permId:
            if permId != order.tws.permId:
                order.update(permId=permId)
            self.by_perm[permId] = order

    def find(self, permId=0, clientId=None, orderId=0, orderRef=''):
        """The order by the most lasting of the names given, or None; a reference of the user's may be of many."""
        known = self.by_perm.get(permId)
        if known is None and orderRef.startswith(REF_PREFIX):
            return self.by_name.get(orderRef)
        return known or self.by_id.get((clientId, orderId))

    def find_by(self, record):
        """The order that a record of TWS's is about, or None."""
        return self.find(record.permId, record.clientId, record.orderId, getattr(record, 'orderRef', ''))

    def own(self, order):
        """The order that a clone, or itself, stands for; None when it was never sent, and for None."""
        return None if order is None else self.by_ref.get(order.ref)

    def sent(self, order):
        """It, a change or a cancel of it went to TWS, which may lose that, or take it without a word."""
        self._owed.pop(order.ref, None)
        self._owed[order.ref] = time.monotonic()

    def unanswered(self, before):
        """The living orders that were sent before that (by `time.monotonic`), each once."""
        due = list(itertools.takewhile(lambda ref: self._owed[ref] <= before, self._owed))
        for ref in due:
            del self._owed[ref]
        return [self.living[ref] for ref in due if ref in self.living]

    def retire(self, order):
        """It has ended: it stays known, for late reports."""
        self.living.pop(order.ref, None)

    def open(self):
        """The living orders, oldest first."""
        return list(self.living.values())

    def family(self, order):
        """The living orders of its bracket, itself included, parent first."""
        return [member for member in self.families[self._root(order)] if member.ref in self.living]

    def _root(self, order):
        clientId, parentId = order.tws.clientId, order.tws.parentId
        parent = self.by_id.get((clientId, parentId)) if parentId else None
        return self._root(parent) if parent else (clientId, parentId or order.tws.orderId)

    def has_parent(self, order):
        """Whether the order that it is a child of lives."""
        key = order.tws.clientId, order.tws.parentId
        parent = self.by_id.get(key)
        return key in self.left_alone or parent is not None and parent.alive()

    def descent(self, order):
        """The living orders that end when it does: itself, its children, and theirs."""
        children = [member for member in self.family(order) if member.tws.parentId == order.tws.orderId]
        return [order] + [member for child in children for member in self.descent(child)]

    def unborn(self, order):
        """The living orders of its bracket, if that was sent as one and nothing of it was filled; else none."""
        members = self.families[self._root(order)]
        has_begun = members[0].p.transmit or any(member.done or member.life.filled for member in members)
        return [] if has_begun else self.family(order)

    def siblings(self, order):
        """The other living children of its parent; none for an order without one."""
        parentId = order.tws.parentId
        return [other for other in self.family(order) if other.tws.parentId == parentId and other is not order] \
            if parentId else []

    def group(self, order):
        """The other living orders of its one-cancels-all group."""
        name = group_of(order)
        return [other for other in self.open() if group_of(other) == name and other is not order] if name else []
