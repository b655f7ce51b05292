"""The fields by which requests name a contract, and the legs of a combination."""
from .records import ComboLeg, Contract

CONTRACT = (
    ('conId', int), ('symbol', str), ('secType', str), ('lastTradeDateOrContractMonth', str), ('strike', float),
    ('right', str), ('multiplier', str), ('exchange', str), ('primaryExchange', str), ('currency', str),
    ('localSymbol', str), ('tradingClass', str))
LEG = (('conId', int), ('ratio', int), ('action', str), ('exchange', str))
ORDER_LEG = LEG + (('openClose', int), ('shortSaleSlot', int), ('designatedLocation', str), ('exemptCode', int))
LEG_DEFAULTS = dict(conId=0, ratio=0, openClose=0, shortSaleSlot=0, exemptCode=-1)
COMBO = 'BAG'


def read_contract(cursor):
    """The 12 fields that name a contract in every request."""
    defaults = Contract._field_defaults
    return Contract(**{name: cursor.read(name, kind, defaults[name]) for name, kind in CONTRACT})


def read_legs(cursor, contract, fields=LEG):
    """The contract with its legs, which only a combination has."""
    if contract.secType != COMBO:
        return contract
    return contract._replace(comboLegs=tuple(read_leg(cursor, fields) for _ in cursor.count('comboLegs')))


def read_leg(cursor, fields):
    return ComboLeg(*(cursor.read('comboLeg ' + name, kind, LEG_DEFAULTS.get(name, '')) for name, kind in fields))


def read_delta_neutral(cursor):
    """(conId, delta, price) of the contract that neutralises delta, or None."""
    if not cursor.read('deltaNeutralContract', bool, False):
        return None
    return (cursor.read('deltaNeutralContract conId', int, 0), cursor.read('deltaNeutralContract delta', float, 0.0),
            cursor.read('deltaNeutralContract price', float, 0.0))


def named_fields(contract):
    """The 11 fields that name a contract in every reply: no primary exchange."""
    return (contract.conId, contract.symbol, contract.secType, contract.lastTradeDateOrContractMonth, contract.strike,
            contract.right, contract.multiplier, contract.exchange, contract.currency, contract.localSymbol,
            contract.tradingClass)
