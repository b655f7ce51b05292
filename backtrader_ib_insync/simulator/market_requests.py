"""What a client may ask about the market: ticks, bars, history, contracts."""
from typing import NamedTuple

from .records import Contract


class ReqMktData(NamedTuple):
    reqId: int
    contract: Contract
    genericTickList: str = ''
    snapshot: bool = False
    regulatorySnapshot: bool = False
    mktDataOptions: str = ''


class CancelMktData(NamedTuple):
    reqId: int


class ReqMarketDataType(NamedTuple):
    marketDataType: int


class ReqHistoricalData(NamedTuple):
    reqId: int
    contract: Contract
    endDateTime: str = ''
    durationStr: str = ''
    barSizeSetting: str = ''
    useRTH: bool = True
    whatToShow: str = ''
    formatDate: int = 1
    keepUpToDate: bool = False


class CancelHistoricalData(NamedTuple):
    reqId: int


class ReqRealTimeBars(NamedTuple):
    reqId: int
    contract: Contract
    barSize: int = 5
    whatToShow: str = ''
    useRTH: bool = False


class CancelRealTimeBars(NamedTuple):
    reqId: int


class ReqHeadTimestamp(NamedTuple):
    reqId: int
    contract: Contract
    useRTH: bool = True
    whatToShow: str = ''
    formatDate: int = 1


class CancelHeadTimestamp(NamedTuple):
    reqId: int


class ReqHistoricalTicks(NamedTuple):
    reqId: int
    contract: Contract
    startDateTime: str = ''
    endDateTime: str = ''
    numberOfTicks: int = 0
    whatToShow: str = ''
    useRth: bool = True
    ignoreSize: bool = False


class ReqTickByTickData(NamedTuple):
    reqId: int
    contract: Contract
    tickType: str = ''
    numberOfTicks: int = 0
    ignoreSize: bool = False


class CancelTickByTickData(NamedTuple):
    reqId: int


class ReqContractDetails(NamedTuple):
    reqId: int
    contract: Contract


class ReqSecDefOptParams(NamedTuple):
    reqId: int
    underlyingSymbol: str = ''
    futFopExchange: str = ''
    underlyingSecType: str = ''
    underlyingConId: int = 0


class ReqMatchingSymbols(NamedTuple):
    reqId: int
    pattern: str = ''


class ReqMarketRule(NamedTuple):
    marketRuleId: int
