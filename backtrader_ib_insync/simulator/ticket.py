"""A ticket: one order at the exchange, and where it stands."""
from . import order_types
from .events import Status
from .records import OrderState

TRIGGER = ('auxPrice', 'trailingPercent', 'orderType')


class Ticket:
    """`order` is the exchange's own copy: its prices move with a trailing stop, its quantity with an OCA reduction.

    Times are UTC epoch seconds. `asked` is the quantity that its client knows of. `held` is why the order waits though
    transmitted ('' when it works).
    """

    __slots__ = ('order', 'contract', 'instrument', 'type', 'status', 'held', 'filled', 'value', 'lastPrice', 'parent',
                 'transmitted', 'resting', 'triggered', 'hits', 'offset', 'conditioned', 'located', 'expires',
                 'opens', 'wake', 'working', 'cancelling', 'ended', 'reported', 'asked', 'completion')

    def __init__(self, order, contract, instrument, parent=None):
        self.contract = contract
        self.instrument = instrument
        self.parent = parent
        self.status = ''
        self.held = ''
        self.filled = 0.0
        self.value = 0.0
        self.lastPrice = 0.0
        self.transmitted = False
        self.located = True
        self.cancelling = None
        self.ended = None
        self.reported = None
        self.completion = ''
        self.revise(order)

    def revise(self, order):
        """Takes the order as it is from now on: what it has waited for has to happen again."""
        self.type = order_types.named(order.orderType)
        self.order = order
        self.asked = order.totalQuantity
        self.resting = False
        self.triggered = not self.type.trigger
        self.conditioned = not order.conditions
        self.hits = 0
        self.offset = None
        self.opens = None
        self.expires = None
        self.wake = None
        self.working = False

    def change(self, order):
        """Takes a modification; what it does not touch stays, a trigger that has fired and a trail's stop too."""
        old, fired = self.order, self.triggered
        same = all(getattr(order, name) == getattr(old, name) for name in TRIGGER)
        kept = {'permId': old.permId, 'ocaGroup': order.ocaGroup or old.ocaGroup,
                'ocaType': order.ocaType or old.ocaType}
        if same and order.trailStopPrice is None:
            kept['trailStopPrice'] = old.trailStopPrice
        self.revise(order.replace(**kept))
        self.triggered = self.triggered or (same and fired)

    def become_limit(self, price):
        """What is left of a market-to-limit order."""
        self.order.orderType, self.order.lmtPrice = 'LMT', price
        self.type = order_types.named('LMT')

    @property
    def sign(self):
        return 1 if self.order.action == 'BUY' else -1

    @property
    def remaining(self):
        return round(self.order.totalQuantity - self.filled, 8)

    @property
    def average(self):
        return round(self.value / self.filled, 8) if self.filled else 0.0

    @property
    def alive(self):
        return self.transmitted and self.ended is None

    @property
    def allocation(self):
        """The FA group, or profile, that shares it out; '' for an order of one account."""
        return self.order.faGroup or self.order.faProfile

    @property
    def group(self):
        """The OCA group it belongs to."""
        return (self.order.account, self.order.ocaGroup)

    @property
    def room(self):
        """How much may trade now: a child no more than its parent has filled."""
        if self.parent is None or self.parent.ended is not None:
            return self.remaining
        return max(0.0, min(self.remaining, round(self.parent.filled - self.filled, 8)))

    def state(self, **figures):
        return OrderState(status=self.status, **figures)

    def standing(self):
        """The orderStatus of this moment."""
        order = self.order
        return Status(order.orderId, order.clientId, order.permId, order.parentId, self.status, self.filled,
                      self.remaining if self.ended is None or self.status != 'Filled' else 0.0,
                      self.average, self.lastPrice, self.held)
