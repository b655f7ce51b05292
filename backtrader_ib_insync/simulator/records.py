"""What the parts of the gateway tell each other: contracts, orders, executions, bars. Values only, no behaviour.

Times are seconds since the epoch, UTC, as floats. None is "unset", whatever the wire makes of it.
"""
from typing import Any, Dict, NamedTuple, Optional, Tuple


class ComboLeg(NamedTuple):
    conId: int
    ratio: int
    action: str
    exchange: str
    openClose: int = 0
    shortSaleSlot: int = 0
    designatedLocation: str = ''
    exemptCode: int = -1


class Contract(NamedTuple):
    """A contract as a client names it, or as the gateway answers (then complete)."""
    conId: int = 0
    symbol: str = ''
    secType: str = ''
    lastTradeDateOrContractMonth: str = ''
    strike: float = 0.0
    right: str = ''
    multiplier: str = ''
    exchange: str = ''
    primaryExchange: str = ''
    currency: str = ''
    localSymbol: str = ''
    tradingClass: str = ''
    includeExpired: bool = False
    secIdType: str = ''
    secId: str = ''
    comboLegs: Tuple[ComboLeg, ...] = ()


class Bar(NamedTuple):
    """One bar; `time` is its start. Days and longer: 00:00 UTC of the date TWS labels it with."""
    time: float
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int


class Trade(NamedTuple):
    """One print on the tape; `total` and `vwap` are the session's so far, this print included."""
    time: float
    price: float
    size: float
    total: float = 0.0
    vwap: float = 0.0


class Quote(NamedTuple):
    """The top of the book from `time` on."""
    time: float
    bid: float
    ask: float
    bidSize: float
    askSize: float


class Condition(NamedTuple):
    """An order condition: its TWS type number (1 3 4 5 6 7), 'a' or 'o', and its own fields by name."""
    kind: int
    conjunction: str
    fields: Dict[str, Any]


class Order:
    """A TWS order: every field of placeOrder by its TWS name; a field not given is its default below.

    Only the names below exist: any other is an error, so that a slip in the decoder cannot pass unseen.
    """
    DEFAULTS = dict(
        orderId=0, clientId=0, permId=0, secIdType='', secId='', action='', totalQuantity=0.0, orderType='',
        lmtPrice=None, auxPrice=None, tif='', ocaGroup='', account='', openClose='O', origin=0, orderRef='',
        transmit=True, parentId=0, blockOrder=False, sweepToFill=False, displaySize=0, triggerMethod=0,
        outsideRth=False, hidden=False, orderComboLegs=(), smartComboRoutingParams=(), discretionaryAmt=0.0,
        goodAfterTime='', goodTillDate='', faGroup='', faMethod='', faPercentage='', faProfile='', modelCode='',
        shortSaleSlot=0, designatedLocation='', exemptCode=-1, ocaType=0, rule80A='', settlingFirm='', allOrNone=False,
        minQty=None, percentOffset=None, eTradeOnly=False, firmQuoteOnly=False, nbboPriceCap=None, auctionStrategy=0,
        startingPrice=None, stockRefPrice=None, delta=None, stockRangeLower=None, stockRangeUpper=None,
        overridePercentageConstraints=False, volatility=None, volatilityType=None, deltaNeutralOrderType='',
        deltaNeutralAuxPrice=None, deltaNeutral=(), continuousUpdate=False, referencePriceType=None,
        trailStopPrice=None, trailingPercent=None, scaleInitLevelSize=None, scaleSubsLevelSize=None,
        scalePriceIncrement=None, scaleMore=(), scaleTable='', activeStartTime='', activeStopTime='', hedgeType='',
        hedgeParam='', optOutSmartRouting=False, clearingAccount='', clearingIntent='', notHeld=False,
        deltaNeutralContract=None, algoStrategy='', algoParams=(), algoId='', whatIf=False, orderMiscOptions='',
        solicited=False, randomizeSize=False, randomizePrice=False, pegBench=(), conditions=(),
        conditionsIgnoreRth=False, conditionsCancelOrder=False, adjustedOrderType='', triggerPrice=None,
        lmtPriceOffset=None, adjustedStopPrice=None, adjustedStopLimitPrice=None, adjustedTrailingAmount=None,
        adjustableTrailingUnit=0, extOperator='', softDollarName='', softDollarValue='', cashQty=None,
        mifid2DecisionMaker='', mifid2DecisionAlgo='', mifid2ExecutionTrader='', mifid2ExecutionAlgo='',
        dontUseAutoPriceForHedge=False, isOmsContainer=False, discretionaryUpToLimitPrice=False, usePriceMgmtAlgo=None,
        duration=None, postToAts=None, autoCancelParent=False, advancedErrorOverride='', manualOrderTime='',
        minTradeQty=None, minCompeteSize=None, competeAgainstBestOffset=None, midOffsetAtWhole=None,
        midOffsetAtHalf=None)
    __slots__ = tuple(DEFAULTS)

    def __init__(self, **fields):
        for name, value in self.DEFAULTS.items():
            setattr(self, name, fields.pop(name, value))
        if fields:
            raise TypeError('no such order field: {}'.format(', '.join(sorted(fields))))

    def replace(self, **fields):
        """A copy with some fields changed."""
        return Order(**dict(self.asdict(), **fields))

    def asdict(self):
        return {name: getattr(self, name) for name in self.DEFAULTS}

    def given(self):
        """Only what differs from the defaults: what a test wants to see."""
        return {name: value for name, value in self.asdict().items() if value != self.DEFAULTS[name]}

    def __eq__(self, other):
        return isinstance(other, Order) and self.asdict() == other.asdict()

    __hash__ = None

    def __repr__(self):
        return 'Order({})'.format(', '.join('{}={!r}'.format(*item) for item in self.given().items()))


class OrderState(NamedTuple):
    """The state block of openOrder; the margin numbers are filled in for whatIf only."""
    status: str
    initMarginBefore: Optional[float] = None
    maintMarginBefore: Optional[float] = None
    equityWithLoanBefore: Optional[float] = None
    initMarginChange: Optional[float] = None
    maintMarginChange: Optional[float] = None
    equityWithLoanChange: Optional[float] = None
    initMarginAfter: Optional[float] = None
    maintMarginAfter: Optional[float] = None
    equityWithLoanAfter: Optional[float] = None
    commission: Optional[float] = None
    minCommission: Optional[float] = None
    maxCommission: Optional[float] = None
    commissionCurrency: str = ''
    warningText: str = ''
    completedTime: str = ''
    completedStatus: str = ''


class Execution(NamedTuple):
    """A fill; `side` is BOT or SLD, `exchange` where it traded."""
    execId: str
    orderId: int
    clientId: int
    permId: int
    contract: Contract
    time: float
    account: str
    exchange: str
    side: str
    shares: float
    price: float
    cumQty: float
    avgPrice: float
    orderRef: str = ''
    liquidation: int = 0
    modelCode: str = ''
    lastLiquidity: int = 2


class CommissionReport(NamedTuple):
    execId: str
    commission: Optional[float]
    currency: str
    realizedPNL: Optional[float] = None
