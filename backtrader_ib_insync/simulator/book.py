"""Every ticket the exchange has: by client and id, by permId, by family and group."""
from collections import OrderedDict

FIRST_PERM_ID = 1400000001
BY_HAND = 0


class Book:
    def __init__(self):
        self._by_perm = OrderedDict()
        self._by_id = {}
        self._live = OrderedDict()
        self._highest = {}
        self._perm_id = FIRST_PERM_ID
        self._bound = 0

    def take_perm_id(self):
        self._perm_id += 1
        return self._perm_id - 1

    def add(self, ticket):
        order = ticket.order
        self._by_perm[order.permId] = ticket
        self.name(ticket)

    def name(self, ticket):
        """Makes the ticket known by its client's order id; orders by hand have none until bound."""
        order = ticket.order
        if order.orderId != BY_HAND:
            self._by_id[order.clientId, order.orderId] = ticket
            self.saw(order.clientId, order.orderId)

    def bind(self, ticket):
        """Gives an order by hand its negative id."""
        self._bound -= 1
        ticket.order.orderId = self._bound
        self._by_id[0, self._bound] = ticket

    def drop(self, ticket):
        """Forgets a ticket that was never transmitted."""
        self._by_perm.pop(ticket.order.permId)
        self._by_id.pop((ticket.order.clientId, ticket.order.orderId), None)

    def find(self, clientId, orderId):
        return self._by_id.get((clientId, orderId))

    def by_perm_id(self, permId):
        return self._by_perm.get(permId)

    def next_id(self, clientId):
        return self._highest.get(clientId, 0) + 1

    def saw(self, clientId, orderId):
        """A client was told of an order under that id: its own new ones have to be above (order_submission page)."""
        self._highest[clientId] = max(orderId, self._highest.get(clientId, 0))

    def roll_back(self, to):
        """Ids of ended orders are free again, and counting goes on from `to` or above what still works."""
        self._by_id = {key: ticket for key, ticket in self._by_id.items() if ticket.ended is None}
        self._highest = {}
        for clientId, orderId in self._by_id:
            self._highest[clientId] = max(orderId, self._highest.get(clientId, to - 1))

    def tickets(self):
        """All of them, oldest first."""
        return list(self._by_perm.values())

    def went_live(self, ticket):
        self._live[ticket.order.permId] = ticket

    def went_dead(self, ticket):
        self._live.pop(ticket.order.permId, None)

    def live(self):
        """The transmitted ones that have not ended, oldest first."""
        return list(self._live.values())

    def children(self, parent):
        return [ticket for ticket in self._by_perm.values() if ticket.parent is parent]

    def siblings(self, ticket):
        """The other live members of its OCA group."""
        if not ticket.order.ocaGroup:
            return []
        return [other for other in self.live() if other is not ticket and other.group == ticket.group]
