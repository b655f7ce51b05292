"""What a gateway may say: a record -> the fields of its message, by server version."""
from typing import NamedTuple

from . import fields
from .account_replies import (
    AccountDownloadEnd, AccountSummary, AccountSummaryEnd, AccountUpdateMulti, AccountUpdateMultiEnd, AccountUpdateTime,
    AccountValue, ManagedAccounts, PnL, PnLSingle, PortfolioValue, Position, PositionEnd, PositionMulti,
    PositionMultiEnd)
from .contract_replies import (
    ContractDetails, ContractDetailsEnd, MarketRule, Sample, SecDefOptParams, SecDefOptParamsEnd, SymbolSamples)
from .market_replies import (
    HeadTimestamp, HistoricalData, HistoricalDataUpdate, HistoricalSchedule, HistoricalTicks, HistoricalTicksBidAsk,
    HistoricalTicksLast, MarketDataType, RealtimeBar, TickByTickAllLast, TickByTickBidAsk, TickByTickMidPoint,
    TickGeneric, TickOptionComputation, TickPrice, TickReqParams, TickSize, TickSnapshotEnd, TickString)
from .order_replies import (
    CommissionReport, CompletedOrder, CompletedOrdersEnd, ExecDetails, ExecDetailsEnd, NextValidId, OpenOrder,
    OpenOrderEnd, OrderBound, OrderStatus)

__all__ = [
    'AccountDownloadEnd', 'AccountSummary', 'AccountSummaryEnd', 'AccountUpdateMulti', 'AccountUpdateMultiEnd',
    'AccountUpdateTime', 'AccountValue', 'CommissionReport', 'CompletedOrder', 'CompletedOrdersEnd', 'ContractDetails',
    'ContractDetailsEnd', 'CurrentTime', 'Error', 'ExecDetails', 'ExecDetailsEnd', 'HeadTimestamp', 'HistoricalData',
    'HistoricalDataUpdate', 'HistoricalSchedule', 'HistoricalTicks', 'HistoricalTicksBidAsk', 'HistoricalTicksLast',
    'ManagedAccounts', 'MarketDataType', 'MarketRule', 'NextValidId', 'OpenOrder', 'OpenOrderEnd', 'OrderBound',
    'OrderStatus', 'PnL', 'PnLSingle', 'PortfolioValue', 'Position', 'PositionEnd', 'PositionMulti', 'PositionMultiEnd',
    'RealtimeBar', 'Sample', 'SecDefOptParams', 'SecDefOptParamsEnd', 'SymbolSamples', 'TickByTickAllLast',
    'TickByTickBidAsk', 'TickByTickMidPoint', 'TickGeneric', 'TickOptionComputation', 'TickPrice', 'TickReqParams',
    'TickSize', 'TickSnapshotEnd', 'TickString', 'encode']

ADVANCED_ERROR = 166


class Error(NamedTuple):
    """An error or a notice; id -1 when it belongs to no request. `advanced`: the JSON of a reject one may override."""
    id: int
    code: int
    text: str
    advanced: str = ''

    HEAD = (4, 2)

    def body(self, version):
        told = (self.id, self.code, fields.ascii7(self.text))
        return told + ((fields.ascii7(self.advanced),) if version >= ADVANCED_ERROR else ())


class CurrentTime(NamedTuple):
    """The gateway's clock, seconds since the epoch, told in whole seconds."""
    time: float

    HEAD = (49, 1)

    def body(self, version):
        return int(self.time),


def encode(record, version):
    """The fields of the message that says `record` to a client of that server version."""
    body = record.body(version) if hasattr(record, 'body') else record
    return [fields.text(value) for value in record.HEAD + tuple(body)]
