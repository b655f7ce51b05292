"""What a gateway says about accounts: values, portfolio, positions, profit and loss."""
from typing import NamedTuple, Optional, Sequence

from . import fields
from .contract_fields import named_fields
from .records import Contract


class ManagedAccounts(NamedTuple):
    accounts: Sequence[str]

    HEAD = (15, 1)

    def body(self, version):
        return ','.join(self.accounts),


class AccountValue(NamedTuple):
    key: str
    value: str
    currency: str
    account: str

    HEAD = (6, 2)


class PortfolioValue(NamedTuple):
    contract: Contract
    position: float
    marketPrice: float
    marketValue: float
    averageCost: float
    unrealizedPNL: float
    realizedPNL: float
    account: str

    HEAD = (7, 8)

    def body(self, version):
        contract = self.contract
        named = contract._replace(exchange=contract.primaryExchange or contract.exchange, right=contract.right or '0')
        return named_fields(named) + (fields.quantity(self.position),) + self[2:]


class AccountUpdateTime(NamedTuple):
    """The time as TWS shows it, HH:MM."""
    timestamp: str

    HEAD = (8, 1)


class AccountDownloadEnd(NamedTuple):
    account: str

    HEAD = (54, 1)


class Position(NamedTuple):
    account: str
    contract: Contract
    position: float
    avgCost: float

    HEAD = (61, 3)

    def body(self, version):
        return (self.account,) + named_fields(self.contract) + (fields.quantity(self.position), self.avgCost)


class PositionEnd(NamedTuple):
    HEAD = (62, 1)


class PositionMulti(NamedTuple):
    reqId: int
    account: str
    modelCode: str
    contract: Contract
    position: float
    avgCost: float

    HEAD = (71, 1)

    def body(self, version):
        return ((self.reqId, self.account) + named_fields(self.contract)
                + (fields.quantity(self.position), self.avgCost, self.modelCode))


class PositionMultiEnd(NamedTuple):
    reqId: int

    HEAD = (72, 1)


class AccountSummary(NamedTuple):
    reqId: int
    account: str
    tag: str
    value: str
    currency: str

    HEAD = (63, 1)


class AccountSummaryEnd(NamedTuple):
    reqId: int

    HEAD = (64, 1)


class AccountUpdateMulti(NamedTuple):
    reqId: int
    account: str
    modelCode: str
    key: str
    value: str
    currency: str

    HEAD = (73, 1)


class AccountUpdateMultiEnd(NamedTuple):
    reqId: int

    HEAD = (74, 1)


class PnL(NamedTuple):
    reqId: int
    dailyPnL: Optional[float]
    unrealizedPnL: Optional[float]
    realizedPnL: Optional[float]

    HEAD = (94,)

    def body(self, version):
        return (self.reqId,) + tuple(fields.unset_double(value) for value in self[1:])


class PnLSingle(NamedTuple):
    reqId: int
    pos: float
    dailyPnL: Optional[float]
    unrealizedPnL: Optional[float]
    realizedPnL: Optional[float]
    value: Optional[float]

    HEAD = (95,)

    def body(self, version):
        return (self.reqId, fields.size(self.pos, version)) + tuple(fields.unset_double(value) for value in self[2:])
