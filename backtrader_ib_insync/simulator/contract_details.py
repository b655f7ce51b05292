"""The fields that describe a contract in full; a bond has other ones than all the rest."""
from . import fields

SIZE_MIN_TICK = 163
SIZE_RULES = 164
BOND = dict(
    cusip='', coupon=0.0, issueDate='', ratings='', bondType='', couponType='', convertible=False, callable=False,
    putable=False, descAppend='', nextOptionDate='', nextOptionType='', nextOptionPartial=False, notes='')


def contract_details(reqId, details, version):
    contract = details.contract
    return [
        *opening(8, version), reqId, contract.symbol, contract.secType, last_trade(details), contract.strike,
        contract.right, contract.exchange, contract.currency, contract.localSymbol, details.marketName,
        contract.tradingClass, contract.conId, details.minTick, *market_data_multiplier(version), contract.multiplier,
        details.orderTypes, details.validExchanges, details.priceMagnifier, details.underConId,
        fields.ascii7(details.longName), contract.primaryExchange, details.contractMonth, details.industry,
        details.category, details.subcategory, details.timeZoneId, details.tradingHours, details.liquidHours,
        details.evRule, details.evMultiplier, *security_ids(details), details.aggGroup, details.underSymbol,
        details.underSecType, details.marketRuleIds, details.realExpirationDate, details.stockType,
        *size_rules(details, version)]


def bond_details(reqId, details, version):
    contract = details.contract
    bond = {name: getattr(details, name, default) for name, default in BOND.items()}
    return [
        *opening(6, version), reqId, contract.symbol, contract.secType, bond['cusip'], fields.size(bond['coupon'],
        version), maturity(details), bond['issueDate'], bond['ratings'], bond['bondType'], bond['couponType'],
        bond['convertible'], bond['callable'], bond['putable'], bond['descAppend'], contract.exchange,
        contract.currency, details.marketName, contract.tradingClass, contract.conId, details.minTick,
        *market_data_multiplier(version), details.orderTypes, details.validExchanges, bond['nextOptionDate'],
        bond['nextOptionType'], bond['nextOptionPartial'], bond['notes'], fields.ascii7(details.longName),
        details.evRule, details.evMultiplier, *security_ids(details), details.aggGroup, details.marketRuleIds,
        *(size_rules(details, version) if version >= SIZE_RULES else ())]


def opening(message_version, version):
    return () if version >= SIZE_RULES else (message_version,)


def market_data_multiplier(version):
    """Obsolete, and gone when sizes got rules."""
    return () if version >= SIZE_RULES else (1,)


def last_trade(details):
    """The last trading day, with the time of its last trade and that time's zone when there is one."""
    day = details.contract.lastTradeDateOrContractMonth
    return '{} {} {}'.format(day, details.lastTradeTime, details.timeZoneId) if day and details.lastTradeTime else day


def maturity(details):
    """A bond tells its zone here and nowhere else, hence always a time."""
    day = details.contract.lastTradeDateOrContractMonth
    return '{} {} {}'.format(day, details.lastTradeTime or '00:00:00', details.timeZoneId) if day else ''


def security_ids(details):
    pairs = tuple(details.secIdList)
    return (len(pairs),) + tuple(text for pair in pairs for text in pair)


def size_rules(details, version):
    if version < SIZE_MIN_TICK:
        return ()
    if version < SIZE_RULES:
        return details.suggestedSizeIncrement,
    return details.minSize, details.sizeIncrement, details.suggestedSizeIncrement
