"""Who a feed is: the contract its dataname means, the one orders go to, and what TWS tells of both."""
from . import contract as contracts
from .errors import NotConnected, UnknownContract
from .insync import Contract
from .messages import Refused
from .mnames import renamed

NO_SUCH_CONTRACT = 200


class Identity:
    """The contracts of one feed, None until TWS has told them.

    `contract` and `details` are of the data, `tradecontract` and `tradedetails` of what orders are for.
    """

    def __init__(self, params):
        self._params = params
        self.asked = self._parse(params.dataname)
        self.trade_asked = self._parse(params.tradename) if params.tradename else None
        self.forget()

    def _parse(self, dataname):
        p = self._params
        found = contracts.contract_of(dataname, Contract, p.sectype, p.exchange, p.currency)
        # TWS keeps the history of futures for two years after their end, and finds them when told to
        found.includeExpired = found.includeExpired or p.historical and found.secType in ('FUT', '')
        return found

    @property
    def name(self):
        """The dataname as a text."""
        dataname = self._params.dataname
        return dataname if isinstance(dataname, str) else contracts.write(self.asked)

    def forget(self):
        self.contract = self.details = self.tradecontract = self.tradedetails = None

    def next(self):
        """The contract to look up next, None when all are known."""
        if self.contract is None:
            return self.asked
        return self.trade_asked if self.tradecontract is None else None

    def take(self, record):
        """An answer to the last question; raises UnknownContract or NotConnected."""
        details = self._only(record)
        if self.contract is None:
            self.contract, self.details = _routed(details, self.asked), details
            if self.trade_asked is not None:
                return
            self.tradecontract = self.contract
        else:
            self.tradecontract = _routed(details, self.trade_asked)
        self.tradedetails = details

    def renew(self, details):
        """TWS has told once more of what orders are for: it tells trading hours of the next days only."""
        self.tradedetails = renamed(details)

    def _only(self, record):
        asked = self._params.dataname if self.contract is None else self._params.tradename
        if isinstance(record, Refused):
            if record.code != NO_SUCH_CONTRACT:
                raise NotConnected(record.text)
            raise UnknownContract(asked, record.text)
        if len(record.details) != 1:
            raise UnknownContract(asked, candidates=contracts.names([found.contract for found in record.details]))
        return renamed(record.details[0])


def _routed(details, asked):
    """The contract for requests: TWS's, at the exchange that was asked for."""
    found = details.contract
    found.exchange = asked.exchange or found.exchange
    # a conId tells no type: only now it is known whether there is anything to expire
    found.includeExpired = asked.includeExpired and (asked.secType or found.secType) == 'FUT'
    # some contracts come with the hour of their last trade, which TWS does not take back
    found.lastTradeDateOrContractMonth = found.lastTradeDateOrContractMonth.split(' ')[0]
    return found
