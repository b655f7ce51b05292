"""What a client may ask of its account: orders and what became of them, values, positions; and of the session."""
from typing import NamedTuple

from .records import Contract, Order


class StartApi(NamedTuple):
    clientId: int
    optionalCapabilities: str = ''


class PlaceOrder(NamedTuple):
    orderId: int
    contract: Contract
    order: Order


class CancelOrder(NamedTuple):
    orderId: int
    manualCancelOrderTime: str = ''


class ReqOpenOrders(NamedTuple):
    pass


class ReqAllOpenOrders(NamedTuple):
    pass


class ReqAutoOpenOrders(NamedTuple):
    bind: bool


class ReqAccountUpdates(NamedTuple):
    subscribe: bool
    account: str = ''


class ReqExecutions(NamedTuple):
    reqId: int
    clientId: int = 0
    acctCode: str = ''
    time: str = ''
    symbol: str = ''
    secType: str = ''
    exchange: str = ''
    side: str = ''


class ReqIds(NamedTuple):
    numIds: int = 1


class ReqManagedAccts(NamedTuple):
    pass


class ReqCurrentTime(NamedTuple):
    pass


class ReqGlobalCancel(NamedTuple):
    pass


class ReqPositions(NamedTuple):
    pass


class CancelPositions(NamedTuple):
    pass


class ReqAccountSummary(NamedTuple):
    reqId: int
    groupName: str = 'All'
    tags: str = ''


class CancelAccountSummary(NamedTuple):
    reqId: int


class ReqPositionsMulti(NamedTuple):
    reqId: int
    account: str = ''
    modelCode: str = ''


class CancelPositionsMulti(NamedTuple):
    reqId: int


class ReqAccountUpdatesMulti(NamedTuple):
    reqId: int
    account: str = ''
    modelCode: str = ''
    ledgerAndNLV: bool = False


class CancelAccountUpdatesMulti(NamedTuple):
    reqId: int


class ReqPnL(NamedTuple):
    reqId: int
    account: str = ''
    modelCode: str = ''


class CancelPnL(NamedTuple):
    reqId: int


class ReqPnLSingle(NamedTuple):
    reqId: int
    account: str = ''
    modelCode: str = ''
    conId: int = 0


class CancelPnLSingle(NamedTuple):
    reqId: int


class ReqCompletedOrders(NamedTuple):
    apiOnly: bool = False


class SetServerLogLevel(NamedTuple):
    level: int
