"""Contracts and details that answer to IbPy's names as well: scripts for backtrader's own feed read `m_timeZoneId`."""
from .insync import Contract, ContractDetails

#: what IbPy called otherwise than by an `m_` before TWS's name
OTHERS = {'m_summary': 'contract', 'm_expiry': 'lastTradeDateOrContractMonth'}


class MNames:
    """`m_name` is `name`."""

    def __getattr__(self, name):
        if not name.startswith('m_'):
            raise AttributeError('{} has no attribute {!r}'.format(type(self).__name__, name))
        return getattr(self, OTHERS.get(name, name[2:]))


class NamedContract(MNames, Contract):
    """A contract of the client library that answers to `m_` names."""


class NamedDetails(MNames, ContractDetails):
    """Contract details of the client library that answer to `m_` names."""


def renamed(details):
    """The same details, their contract included, under both kinds of names."""
    details.__class__ = NamedDetails
    details.contract.__class__ = NamedContract
    return details
