"""What clients ask about contracts: details, symbols, option chains, price increments."""
from . import replies, requests

UNKNOWN = 'No security definition has been found for the request'
AMBIGUOUS = 'The contract description specified for {} is ambiguous.'
MAX_SAMPLES = 16


class Catalogue:
    """Finds instruments for contracts, for clients and for the other desks."""

    def __init__(self, gateway):
        self._gateway = gateway

    def handlers(self):
        return {requests.ReqContractDetails: self._tell_details, requests.ReqMatchingSymbols: self._tell_symbols,
                requests.ReqMarketRule: self._tell_rule, requests.ReqSecDefOptParams: self._tell_chains}

    def find(self, contract):
        """Every instrument the contract may mean."""
        return self._gateway.market.find(contract, now=self._gateway.now)

    def resolve(self, session, reqId, contract):
        """The one instrument the contract means, or None: then the client has been told why."""
        found = self.find(contract)
        if len(found) == 1:
            return found[0]
        session.refuse(reqId, 200, AMBIGUOUS.format(contract.symbol or contract.localSymbol) if found else UNKNOWN)
        return None

    def _tell_details(self, session, request):
        found = self._gateway.market.details(request.contract, self._gateway.now)
        if not found:
            session.refuse(request.reqId, 200, UNKNOWN)
            return
        for instrument in found:
            session.send(replies.ContractDetails(request.reqId, instrument))
        session.send(replies.ContractDetailsEnd(request.reqId))

    def _tell_symbols(self, session, request):
        found = self._gateway.market.matching(request.pattern)
        session.send(replies.SymbolSamples(request.reqId, [replies.Sample(
            one.contract, self._derivatives(one), one.longName) for one in found[:MAX_SAMPLES]]))

    def _derivatives(self, instrument):
        return ('OPT',) if self._gateway.market.option_params(instrument.conId, self._gateway.now) else ()

    def _tell_rule(self, session, request):
        try:
            increments = self._gateway.market.market_rule(request.marketRuleId)
        except KeyError:
            session.refuse_invalid(-1, f'Invalid market rule id {request.marketRuleId}')
        else:
            session.send(replies.MarketRule(request.marketRuleId, increments))

    def _tell_chains(self, session, request):
        for row in self._gateway.market.option_params(request.underlyingConId, self._gateway.now):
            exchange, trading_class, multiplier, expirations, strikes = row
            session.send(replies.SecDefOptParams(
                request.reqId, exchange, request.underlyingConId, trading_class, multiplier, expirations, strikes))
        session.send(replies.SecDefOptParamsEnd(request.reqId))
