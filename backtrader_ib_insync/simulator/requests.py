"""What a client may ask: the fields of a message -> a record, by server version."""
from typing import NamedTuple, Tuple

from .account_requests import (
    CancelAccountSummary, CancelAccountUpdatesMulti, CancelOrder, CancelPnL, CancelPnLSingle, CancelPositions,
    CancelPositionsMulti, PlaceOrder, ReqAccountSummary, ReqAccountUpdates, ReqAccountUpdatesMulti, ReqAllOpenOrders,
    ReqAutoOpenOrders, ReqCompletedOrders, ReqCurrentTime, ReqExecutions, ReqGlobalCancel, ReqIds, ReqManagedAccts,
    ReqOpenOrders, ReqPnL, ReqPnLSingle, ReqPositions, ReqPositionsMulti, SetServerLogLevel, StartApi)
from .contract_fields import read_contract, read_delta_neutral, read_legs
from .cursor import REQUIRED, BadRequest, Cursor
from .layout import Layout
from .market_requests import (
    CancelHeadTimestamp, CancelHistoricalData, CancelMktData, CancelRealTimeBars, CancelTickByTickData,
    ReqContractDetails, ReqHeadTimestamp, ReqHistoricalData, ReqHistoricalTicks, ReqMarketDataType, ReqMarketRule,
    ReqMatchingSymbols, ReqMktData, ReqRealTimeBars, ReqSecDefOptParams, ReqTickByTickData)
from .order_request import read_order

__all__ = [
    'BadRequest', 'CancelAccountSummary', 'CancelAccountUpdatesMulti', 'CancelHeadTimestamp', 'CancelHistoricalData',
    'CancelMktData', 'CancelOrder', 'CancelPnL', 'CancelPnLSingle', 'CancelPositions', 'CancelPositionsMulti',
    'CancelRealTimeBars', 'CancelTickByTickData', 'PlaceOrder', 'ReqAccountSummary', 'ReqAccountUpdates',
    'ReqAccountUpdatesMulti', 'ReqAllOpenOrders', 'ReqAutoOpenOrders', 'ReqCompletedOrders', 'ReqContractDetails',
    'ReqCurrentTime', 'ReqExecutions', 'ReqGlobalCancel', 'ReqHeadTimestamp', 'ReqHistoricalData',
    'ReqHistoricalTicks', 'ReqIds', 'ReqManagedAccts', 'ReqMarketDataType', 'ReqMarketRule', 'ReqMatchingSymbols',
    'ReqMktData', 'ReqOpenOrders', 'ReqPnL', 'ReqPnLSingle', 'ReqPositions', 'ReqPositionsMulti', 'ReqRealTimeBars',
    'ReqSecDefOptParams', 'ReqTickByTickData', 'SetServerLogLevel', 'StartApi', 'Unknown', 'decode']


class Unknown(NamedTuple):
    """A message this gateway does not know; `fields` are those after the message id."""
    msgId: int
    fields: Tuple[str, ...]


LAYOUTS = {
    1: (ReqMktData, Layout('-version reqId contract [legs] [deltaNeutral] genericTickList snapshot regulatorySnapshot '
                           'mktDataOptions')),
    2: (CancelMktData, Layout('-version reqId')),
    3: (PlaceOrder, Layout('orderId [order]')),
    4: (CancelOrder, Layout('-version orderId manualCancelOrderTime>=169')),
    5: (ReqOpenOrders, Layout('-version')),
    6: (ReqAccountUpdates, Layout('-version subscribe account')),
    7: (ReqExecutions, Layout('-version reqId clientId acctCode time symbol secType exchange side')),
    8: (ReqIds, Layout('-version numIds')),
    9: (ReqContractDetails, Layout('-version reqId contract [includeExpired] [secIdType] [secId] -issuerId>=176')),
    14: (SetServerLogLevel, Layout('-version level')),
    15: (ReqAutoOpenOrders, Layout('-version bind')),
    16: (ReqAllOpenOrders, Layout('-version')),
    17: (ReqManagedAccts, Layout('-version')),
    20: (ReqHistoricalData, Layout('reqId contract [includeExpired] endDateTime barSizeSetting durationStr useRTH '
                                   'whatToShow formatDate [legs] keepUpToDate -chartOptions')),
    25: (CancelHistoricalData, Layout('-version reqId')),
    49: (ReqCurrentTime, Layout('-version')),
    50: (ReqRealTimeBars, Layout('-version reqId contract barSize whatToShow useRTH -options')),
    51: (CancelRealTimeBars, Layout('-version reqId')),
    58: (ReqGlobalCancel, Layout('-version')),
    59: (ReqMarketDataType, Layout('-version marketDataType')),
    61: (ReqPositions, Layout('-version')),
    62: (ReqAccountSummary, Layout('-version reqId groupName tags')),
    63: (CancelAccountSummary, Layout('-version reqId')),
    64: (CancelPositions, Layout('-version')),
    71: (StartApi, Layout('-version clientId optionalCapabilities')),
    74: (ReqPositionsMulti, Layout('-version reqId account modelCode')),
    75: (CancelPositionsMulti, Layout('-version reqId')),
    76: (ReqAccountUpdatesMulti, Layout('-version reqId account modelCode ledgerAndNLV')),
    77: (CancelAccountUpdatesMulti, Layout('-version reqId')),
    78: (ReqSecDefOptParams, Layout('reqId underlyingSymbol futFopExchange underlyingSecType underlyingConId')),
    81: (ReqMatchingSymbols, Layout('reqId pattern')),
    87: (ReqHeadTimestamp, Layout('reqId contract [includeExpired] useRTH whatToShow formatDate')),
    90: (CancelHeadTimestamp, Layout('reqId')),
    91: (ReqMarketRule, Layout('marketRuleId')),
    92: (ReqPnL, Layout('reqId account modelCode')),
    93: (CancelPnL, Layout('reqId')),
    94: (ReqPnLSingle, Layout('reqId account modelCode conId')),
    95: (CancelPnLSingle, Layout('reqId')),
    96: (ReqHistoricalTicks, Layout('reqId contract [includeExpired] startDateTime endDateTime numberOfTicks '
                                    'whatToShow useRth ignoreSize -miscOptions')),
    97: (ReqTickByTickData, Layout('reqId contract tickType numberOfTicks ignoreSize')),
    98: (CancelTickByTickData, Layout('reqId')),
    99: (ReqCompletedOrders, Layout('apiOnly'))}


def decode(fields, version):
    """The request that the fields of a message make; `Unknown` for one this gateway has no use for."""
    msgId = message_id(fields)
    if msgId not in LAYOUTS:
        return Unknown(msgId, tuple(fields[1:]))
    kind, layout = LAYOUTS[msgId]
    cursor = Cursor('{} ({})'.format(kind.__name__, msgId), fields[1:])
    given = {}
    for word in layout(version):
        read_word(cursor, word, kind, given, version)
    cursor.end()
    return kind(**given)


def message_id(fields):
    if not fields or not fields[0].isdecimal():
        raise BadRequest(-1, 'Error reading request: the message id is {!r}, but must be a whole number'.format(
            fields[0] if fields else ''))
    return int(fields[0])


def read_word(cursor, word, kind, given, version):
    """Puts what one word of a layout stands for among the `given` attributes of the record."""
    if word.startswith('-'):
        cursor.skip(word[1:])
    elif word == '[order]':
        given['contract'], given['order'] = read_order(cursor, given['orderId'], version)
    elif word.startswith('['):
        given['contract'] = CONTRACT_PARTS[word](cursor, given['contract'])
    elif word in ('reqId', 'orderId'):
        given[word] = cursor.read_id(word)
    elif word == 'contract':
        given[word] = read_contract(cursor)
    else:
        given[word] = cursor.read(word, kind.__annotations__[word], kind._field_defaults.get(word, REQUIRED))


def read_over_delta_neutral(cursor, contract):
    """A delta-neutral combination is quoted like any other."""
    read_delta_neutral(cursor)
    return contract


def part_reader(name, kind, default):
    def read(cursor, contract):
        return contract._replace(**{name: cursor.read(name, kind, default)})
    return read


CONTRACT_PARTS = {
    '[legs]': read_legs,
    '[deltaNeutral]': read_over_delta_neutral,
    '[includeExpired]': part_reader('includeExpired', bool, False),
    '[secIdType]': part_reader('secIdType', str, ''),
    '[secId]': part_reader('secId', str, '')}
