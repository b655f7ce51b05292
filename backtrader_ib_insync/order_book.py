"""The orders of this broker, by every name they go by (pure)."""
import uuid

#: marks an order as one of ours, in this run or an earlier one
REF_PREFIX = 'bt:'


def own_ref():
    """An orderRef that no other order has, today or after a restart."""
    return REF_PREFIX + uuid.uuid4().hex


class OrderBook:
    """Orders by TWS id, permanent id, own reference and backtrader's ref; the living ones apart."""

    def __init__(self):
        self.by_id = {}
        self.by_perm = {}
        self.by_name = {}
        self.by_ref = {}
        self.living = {}

    def add(self, order):
        tws = order.tws
        self.by_id[tws.clientId, tws.orderId] = order
        self.by_name[tws.orderRef] = order
        self.by_ref[order.ref] = order
        self.living[order.ref] = order
        self.name(order, tws.permId)

    def name(self, order, permId):
        """TWS's lasting id has become known."""
        if permId:
            self.by_perm[permId] = order

    def find(self, permId=0, clientId=None, orderId=0, orderRef=''):
        """The order by the most lasting of the names given, or None."""
        return (self.by_perm.get(permId) or (orderRef and self.by_name.get(orderRef))
                or (orderId and self.by_id.get((clientId, orderId))) or None)

    def own(self, order):
        """The order that a clone, or itself, stands for; None when it was never sent."""
        return self.by_ref.get(order.ref)

    def retire(self, order):
        """It has ended: it stays known, for late reports."""
        self.living.pop(order.ref, None)

    def open(self):
        """The living orders, oldest first."""
        return list(self.living.values())

    def family(self, order):
        """The living orders of its bracket, itself included, parent first."""
        root = order.tws.parentId or order.tws.orderId
        return [other for other in self.open()
                if other.tws.clientId == order.tws.clientId and root in (other.tws.orderId, other.tws.parentId)]

    def group(self, order):
        """The other living orders of its one-cancels-all group."""
        name = order.tws.ocaGroup
        return [other for other in self.open() if name and other.tws.ocaGroup == name and other is not order]
