"""In what order the fields of an order travel: to the gateway, back while it works, back when it is done."""
from .layout import Layout
from .records import Order

WHOLE = ('minQty', 'volatilityType', 'referencePriceType', 'scaleInitLevelSize', 'scaleSubsLevelSize', 'duration',
         'postToAts', 'minTradeQty', 'minCompeteSize')

PLACE = Layout('''
    [contract] [secIdType] [secId] action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose
    origin orderRef transmit parentId blockOrder sweepToFill displaySize triggerMethod outsideRth hidden [combo]
    -sharesAllocation discretionaryAmt goodAfterTime goodTillDate faGroup faMethod faPercentage faProfile<177
    modelCode shortSaleSlot designatedLocation exemptCode ocaType rule80A settlingFirm allOrNone minQty
    percentOffset eTradeOnly firmQuoteOnly nbboPriceCap auctionStrategy startingPrice stockRefPrice delta
    stockRangeLower stockRangeUpper overridePercentageConstraints volatility volatilityType deltaNeutralOrderType
    deltaNeutralAuxPrice [deltaNeutral] continuousUpdate referencePriceType trailStopPrice trailingPercent
    scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement [scaleMore] scaleTable activeStartTime activeStopTime
    hedgeType [hedgeParam] optOutSmartRouting clearingAccount clearingIntent notHeld [deltaNeutralContract]
    algoStrategy [algoParams] algoId whatIf orderMiscOptions solicited randomizeSize randomizePrice [pegBench]
    [conditions] adjustedOrderType triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice
    adjustedTrailingAmount adjustableTrailingUnit extOperator softDollarName softDollarValue cashQty
    mifid2DecisionMaker mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo dontUseAutoPriceForHedge
    isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration>=158 postToAts>=160 autoCancelParent>=162
    advancedErrorOverride>=166 manualOrderTime>=169 [ats]>=170 [offsets]>=170''')

OPEN = Layout('''
    orderId [contract] action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin
    orderRef clientId permId outsideRth hidden discretionaryAmt goodAfterTime -sharesAllocation faGroup faMethod
    faPercentage faProfile<177 modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot
    designatedLocation exemptCode auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper
    displaySize blockOrder sweepToFill allOrNone minQty ocaType eTradeOnly firmQuoteOnly nbboPriceCap parentId
    triggerMethod volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice [deltaNeutral]
    continuousUpdate referencePriceType trailStopPrice trailingPercent -basisPoints -basisPointsType
    -comboLegsDescrip [legs] scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement [scaleMore] hedgeType
    [hedgeParam] optOutSmartRouting clearingAccount clearingIntent notHeld [deltaNeutralContract] algoStrategy
    [algoParams] solicited whatIf [state] randomizeSize randomizePrice [pegBench] [conditions] adjustedOrderType
    [triggerPrice] [trailStopPrice] [lmtPriceOffset] [adjustedStopPrice] [adjustedStopLimitPrice]
    [adjustedTrailingAmount] adjustableTrailingUnit softDollarName softDollarValue -softDollarDisplayName cashQty
    dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration>=159
    postToAts>=160 autoCancelParent>=162 minTradeQty>=170 minCompeteSize>=170 competeAgainstBestOffset>=170
    midOffsetAtWhole>=170 midOffsetAtHalf>=170''')

COMPLETED = Layout('''
    [contract] action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef
    permId outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage faProfile<177 modelCode
    goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode startingPrice
    stockRefPrice delta stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty ocaType
    triggerMethod volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice [deltaNeutral]
    continuousUpdate referencePriceType trailStopPrice trailingPercent -comboLegsDescrip [legs] scaleInitLevelSize
    scaleSubsLevelSize scalePriceIncrement [scaleMore] hedgeType [hedgeParam] clearingAccount clearingIntent notHeld
    [deltaNeutralContract] algoStrategy [algoParams] solicited [status] randomizeSize randomizePrice [pegBench]
    [conditions] [trailStopPrice] [lmtPriceOffset] cashQty dontUseAutoPriceForHedge isOmsContainer -autoCancelDate
    [filledQuantity] [refFuturesConId] autoCancelParent [shareholder] [imbalanceOnly] [routeMarketableToBbo]
    [parentPermId] [completedTime] [completedStatus] minTradeQty>=170 minCompeteSize>=170
    competeAgainstBestOffset>=170 midOffsetAtWhole>=170 midOffsetAtHalf>=170''')

DELTA_NEUTRAL = (
    ('conId', int, 0), ('settlingFirm', str, ''), ('clearingAccount', str, ''), ('clearingIntent', str, ''),
    ('openClose', str, ''), ('shortSale', bool, False), ('shortSaleSlot', int, 0), ('designatedLocation', str, ''))
SCALE = (
    ('scalePriceAdjustValue', float, None), ('scalePriceAdjustInterval', int, None), ('scaleProfitOffset', float, None),
    ('scaleAutoReset', bool, False), ('scaleInitPosition', int, None), ('scaleInitFillQty', int, None),
    ('scaleRandomPercent', bool, False))
PEG_BENCH = (
    ('referenceContractId', int, 0), ('isPeggedChangeAmountDecrease', bool, False), ('peggedChangeAmount', float, 0.0),
    ('referenceChangeAmount', float, 0.0), ('referenceExchangeId', str, ''))
PEGGED_TO_BENCHMARK = ('PEG BENCH', 'PEGBENCH')
PEGGED_TO_BEST = ('PEG BEST', 'PEGBEST')
PEGGED_TO_MIDPOINT = ('PEG MID', 'PEGMID')
CONDITIONS = {
    1: (('isMore', bool), ('price', float), ('conId', int), ('exch', str), ('triggerMethod', int)),
    3: (('isMore', bool), ('time', str)),
    4: (('isMore', bool), ('percent', float)),
    5: (('secType', str), ('exch', str), ('symbol', str)),
    6: (('isMore', bool), ('volume', float), ('conId', int), ('exch', str)),
    7: (('isMore', bool), ('changePercent', float), ('conId', int), ('exch', str))}


def kind_of(name):
    """The type of a plain order field."""
    if name in WHOLE:
        return int
    if name == 'usePriceMgmtAlgo':
        return bool
    default = Order.DEFAULTS[name]
    return float if default is None else type(default)


KINDS = {name: kind_of(name) for name in Order.DEFAULTS}
