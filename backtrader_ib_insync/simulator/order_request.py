"""placeOrder: its fields, in their order, with the blocks that only some orders have."""
import math

from .contract_fields import COMBO, ORDER_LEG, read_contract, read_delta_neutral, read_legs
from .order_layout import (
    CONDITIONS, DELTA_NEUTRAL, KINDS, PEG_BENCH, PEGGED_TO_BENCHMARK, PEGGED_TO_BEST, PEGGED_TO_MIDPOINT, PLACE, SCALE)
from .records import Condition, Contract, Order


def read_order(cursor, orderId, version):
    """(contract, order) of the message."""
    reading = Reading(cursor, Order(orderId=orderId))
    for word in PLACE(version):
        if word.startswith('['):
            getattr(reading, word[1:-1])()
        elif word.startswith('-'):
            cursor.skip(word[1:])
        else:
            reading.plain(word)
    return reading.contract_, reading.order


class Reading:
    """An order half read; the methods are the blocks of the layout."""

    def __init__(self, cursor, order):
        self.cursor = cursor
        self.order = order
        self.contract_ = Contract()

    def plain(self, name):
        setattr(self.order, name, self.cursor.read(name, KINDS[name], Order.DEFAULTS[name]))

    def contract(self):
        self.contract_ = read_contract(self.cursor)

    def secIdType(self):
        self._name_contract('secIdType')

    def secId(self):
        self._name_contract('secId')

    def _name_contract(self, name):
        """A client names the security once, and it is told by contract and order alike."""
        self.plain(name)
        self.contract_ = self.contract_._replace(**{name: getattr(self.order, name)})

    def combo(self):
        if self.contract_.secType == COMBO:
            self.contract_ = read_legs(self.cursor, self.contract_, ORDER_LEG)
            prices = self.cursor.count('orderComboLegs')
            self.order.orderComboLegs = tuple(self.cursor.read('orderComboLeg price', float, None) for _ in prices)
            self.order.smartComboRoutingParams = self._pairs('smartComboRoutingParams')

    def deltaNeutral(self):
        if self.order.deltaNeutralOrderType:
            self.order.deltaNeutral = self._block(DELTA_NEUTRAL, 'deltaNeutral ')

    def scaleMore(self):
        if (self.order.scalePriceIncrement or 0.0) > 0.0:
            self.order.scaleMore = self._block(SCALE)

    def hedgeParam(self):
        if self.order.hedgeType:
            self.plain('hedgeParam')

    def deltaNeutralContract(self):
        self.order.deltaNeutralContract = read_delta_neutral(self.cursor)

    def algoParams(self):
        if self.order.algoStrategy:
            self.order.algoParams = self._pairs('algoParams')

    def pegBench(self):
        if self.order.orderType in PEGGED_TO_BENCHMARK:
            self.order.pegBench = self._block(PEG_BENCH)

    def conditions(self):
        self.order.conditions = tuple(read_condition(self.cursor) for _ in self.cursor.count('conditions'))
        if self.order.conditions:
            self.plain('conditionsIgnoreRth')
            self.plain('conditionsCancelOrder')

    def ats(self):
        if self.contract_.exchange == 'IBKRATS':
            self.plain('minTradeQty')

    def offsets(self):
        if self.order.orderType in PEGGED_TO_BEST:
            self.plain('minCompeteSize')
            self.plain('competeAgainstBestOffset')
        if self.order.orderType in PEGGED_TO_MIDPOINT or self.order.competeAgainstBestOffset == math.inf:
            self.plain('midOffsetAtWhole')
            self.plain('midOffsetAtHalf')

    def _block(self, fields, prefix=''):
        return tuple(self.cursor.read(prefix + name, kind, default) for name, kind, default in fields)

    def _pairs(self, name):
        return tuple((self.cursor.read(name + ' tag', str), self.cursor.read(name + ' value', str))
                     for _ in self.cursor.count(name))


def read_condition(cursor):
    kind = cursor.read('condition type', int)
    if kind not in CONDITIONS:
        raise cursor.error('condition type {} is not known; there are {}'.format(kind, ' '.join(map(str, CONDITIONS))))
    conjunction = cursor.read('condition conjunction', str)
    fields = CONDITIONS[kind]
    return Condition(kind, conjunction, {name: cursor.read('condition ' + name, of, of()) for name, of in fields})
