"""openOrder and completedOrder: an order as TWS tells it back, with all that it fills in of its own."""
from . import fields
from .contract_fields import ORDER_LEG, named_fields
from .order_layout import COMPLETED, CONDITIONS, KINDS, OPEN, PEGGED_TO_BENCHMARK

UNSET_LONG = 9223372036854775807
NO_DELTA_NEUTRAL = (0, '', '', '', '?', False, 0, '')
LIMIT_TO_TRAIL = {'BUY': 1.0, 'SELL': -1.0}


def open_order(order, contract, state, version):
    """The fields of openOrder after its message id."""
    return Echo(order, contract, state).fields(OPEN(version))


def completed_order(order, contract, state, filled, version):
    """The fields of completedOrder after its message id."""
    return CompletedEcho(order, contract, state, filled).fields(COMPLETED(version))


def filled_in(order):
    """The order with what TWS adds to one that came without."""
    return order.replace(
        lmtPrice=order.lmtPrice or 0.0, auxPrice=order.auxPrice or 0.0, tif=order.tif or 'DAY',
        displaySize=order.displaySize or fields.UNSET_INTEGER, ocaType=order.ocaType or 3,
        volatilityType=order.volatilityType or 0, deltaNeutralOrderType=order.deltaNeutralOrderType or 'None',
        deltaNeutral=order.deltaNeutral or NO_DELTA_NEUTRAL, referencePriceType=order.referencePriceType or 0,
        clearingIntent=order.clearingIntent or 'IB', adjustedOrderType=order.adjustedOrderType or 'None',
        cashQty=order.cashQty or 0.0, dontUseAutoPriceForHedge=True, trailStopPrice=trail_stop(order),
        usePriceMgmtAlgo=bool(order.usePriceMgmtAlgo))


def trail_stop(order):
    """A plain limit order is told with a trailing stop one off its limit, though it trails nothing."""
    if order.trailStopPrice is None and order.orderType == 'LMT' and order.lmtPrice is not None:
        return order.lmtPrice + LIMIT_TO_TRAIL.get(order.action, -1.0)
    return order.trailStopPrice


class Echo:
    """An order being told; the methods are the blocks of the layout, each a sequence of fields."""

    def __init__(self, order, contract, state):
        self.order = filled_in(order)
        self.named = contract
        self.told = state

    def fields(self, words):
        return [value for word in words for value in self.values(word)]

    def values(self, word):
        if word.startswith('-'):
            return ('',)
        if word.startswith('['):
            return getattr(self, word[1:-1])()
        return (self.plain(word),)

    def plain(self, name):
        value = getattr(self.order, name)
        return fields.quantity(value) if name == 'totalQuantity' else KINDS[name](value) if value is not None else None

    def contract(self):
        return named_fields(self.named._replace(right=self.named.right or '?'))

    def deltaNeutral(self):
        return self.order.deltaNeutral

    def legs(self):
        yield len(self.named.comboLegs)
        for leg in self.named.comboLegs:
            yield from (getattr(leg, name) for name, _ in ORDER_LEG)
        yield len(self.order.orderComboLegs)
        yield from self.order.orderComboLegs
        yield from pairs(self.order.smartComboRoutingParams)

    def scaleMore(self):
        return self.order.scaleMore if (self.order.scalePriceIncrement or 0.0) > 0.0 else ()

    def hedgeParam(self):
        return (self.order.hedgeParam,) if self.order.hedgeType else ()

    def deltaNeutralContract(self):
        return (True,) + self.order.deltaNeutralContract if self.order.deltaNeutralContract else (False,)

    def algoParams(self):
        return pairs(self.order.algoParams) if self.order.algoStrategy else ()

    def pegBench(self):
        return self.order.pegBench if self.order.orderType in PEGGED_TO_BENCHMARK else ()

    def conditions(self):
        yield len(self.order.conditions)
        for condition in self.order.conditions:
            yield from (condition.kind, condition.conjunction)
            yield from (condition_value(condition, name) for name, _ in CONDITIONS[condition.kind])
        if self.order.conditions:
            yield from (self.order.conditionsIgnoreRth, self.order.conditionsCancelOrder)

    def state(self):
        """Status, nine margins, three commissions, their currency, a warning."""
        told = self.told
        margins = (fields.unset_double(value) for value in told[1:10])
        return (told.status, *margins, told.commission, told.minCommission, told.maxCommission, told.commissionCurrency,
                told.warningText)

    def triggerPrice(self):
        return self._unset('triggerPrice')

    def trailStopPrice(self):
        return self._unset('trailStopPrice')

    def lmtPriceOffset(self):
        return self._unset('lmtPriceOffset')

    def adjustedStopPrice(self):
        return self._unset('adjustedStopPrice')

    def adjustedStopLimitPrice(self):
        return self._unset('adjustedStopLimitPrice')

    def adjustedTrailingAmount(self):
        return self._unset('adjustedTrailingAmount')

    def _unset(self, name):
        return fields.unset_double(getattr(self.order, name)),


class CompletedEcho(Echo):
    """What only an order that is done tells."""

    def __init__(self, order, contract, state, filled):
        Echo.__init__(self, order, contract, state)
        self.filled = filled

    def deltaNeutral(self):
        neutral = self.order.deltaNeutral
        return neutral[:1] + neutral[5:]

    def status(self):
        return self.told.status,

    def filledQuantity(self):
        return fields.quantity(self.filled),

    def refFuturesConId(self):
        return fields.UNSET_INTEGER,

    def shareholder(self):
        return 'Not an insider or substantial shareholder',

    def imbalanceOnly(self):
        return False,

    def routeMarketableToBbo(self):
        return False,

    def parentPermId(self):
        return UNSET_LONG,

    def completedTime(self):
        return self.told.completedTime,

    def completedStatus(self):
        return self.told.completedStatus,


def pairs(params):
    yield len(params)
    for tag, value in params:
        yield from (tag, value)


def condition_value(condition, name):
    """A whole number stays one: clients read volumes and percents as integers."""
    value = condition.fields[name]
    return fields.quantity(value) if name in ('percent', 'volume') else value
