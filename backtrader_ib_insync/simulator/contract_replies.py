"""What a gateway says about contracts: details, options of an underlying, symbols, price increments."""
from typing import Any, NamedTuple, Sequence, Tuple

from .contract_details import bond_details, contract_details
from .records import Contract

ISSUER_ID = 176


class ContractDetails(NamedTuple):
    """`details` is anything with the attributes of a TWS ContractDetails; a bond travels as message 18."""
    reqId: int
    details: Any

    @property
    def HEAD(self):
        return (18,) if self.is_bond() else (10,)

    def body(self, version):
        describe = bond_details if self.is_bond() else contract_details
        return describe(self.reqId, self.details, version)

    def is_bond(self):
        return self.details.contract.secType == 'BOND'


class ContractDetailsEnd(NamedTuple):
    reqId: int

    HEAD = (52, 1)


class SecDefOptParams(NamedTuple):
    reqId: int
    exchange: str
    underConId: int
    tradingClass: str
    multiplier: str
    expirations: Sequence[str]
    strikes: Sequence[float]

    HEAD = (75,)

    def body(self, version):
        yield from self[:5]
        yield len(self.expirations)
        yield from self.expirations
        yield len(self.strikes)
        yield from self.strikes


class SecDefOptParamsEnd(NamedTuple):
    reqId: int

    HEAD = (76,)


class Sample(NamedTuple):
    """A contract that matches a pattern, and the types of its derivatives."""
    contract: Contract
    derivativeSecTypes: Tuple[str, ...] = ()
    description: str = ''
    issuerId: str = ''


class SymbolSamples(NamedTuple):
    reqId: int
    samples: Sequence[Sample]

    HEAD = (79,)

    def body(self, version):
        yield from (self.reqId, len(self.samples))
        for contract, derivatives, description, issuer in self.samples:
            yield from (contract.conId, contract.symbol, contract.secType, contract.primaryExchange, contract.currency)
            yield len(derivatives)
            yield from derivatives
            if version >= ISSUER_ID:
                yield from (description, issuer)


class MarketRule(NamedTuple):
    """Price increments as (low edge, increment)."""
    marketRuleId: int
    increments: Sequence[Tuple[float, float]]

    HEAD = (93,)

    def body(self, version):
        yield from (self.marketRuleId, len(self.increments))
        for increment in self.increments:
            yield from increment
