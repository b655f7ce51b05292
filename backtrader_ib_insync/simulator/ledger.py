"""The ledger: what every account holds, owes and is worth."""
from collections import OrderedDict, defaultdict
from typing import NamedTuple, Optional

from . import account_rows, fees, margin
from .fills import stem
from .holding import EXCHANGED, Holding
from .records import CommissionReport, Contract


class PortfolioRow(NamedTuple):
    """One line of portfolioValue, in the order of that message."""
    contract: Contract
    position: float
    marketPrice: float
    marketValue: float
    averageCost: float
    unrealizedPNL: float
    realizedPNL: float
    account: str


class Held(NamedTuple):
    """One line of position; avgCost includes fees and multiplier."""
    account: str
    contract: Contract
    position: float
    avgCost: float


class Pnl(NamedTuple):
    daily: float
    unrealized: float
    realized: float


class PnlSingle(NamedTuple):
    position: float
    daily: float
    unrealized: float
    realized: float
    value: float


class Margins(NamedTuple):
    """Before and after an order, in the base currency."""
    initBefore: float
    maintBefore: float
    equityBefore: float
    initAfter: float
    maintAfter: float
    equityAfter: float
    commission: Optional[float]


class Ledger:
    """`accounts` names, each starting with `cash` of `currency`, the base; `market` prices what they hold.

    Profits count from the start of the simulation, the daily one too. The ledger refuses nothing: the exchange asks
    `margin_change` first.
    """

    def __init__(self, accounts, cash, currency, market):
        self.accounts = list(accounts)
        self.currency = currency
        self._market = market
        self._deposits = {account: defaultdict(float, {currency: float(cash)}) for account in self.accounts}
        self._holdings = {account: OrderedDict() for account in self.accounts}
        self._given = {}
        self._booked = defaultdict(OrderedDict)

    def apply(self, execution, instrument):
        """Books a fill; its records.CommissionReport (realizedPNL None for an opening one)."""
        self._booked[execution.account, instrument.conId][stem(execution.execId)] = execution
        return self._book(self._holding(execution.account, instrument), execution)

    def correct(self, execution, instrument):
        """Books a fill anew in place of the one of the same execId up to the last dot; its CommissionReport."""
        key = execution.account, instrument.conId
        self._booked[key][stem(execution.execId)] = execution
        self._holdings[execution.account][instrument.conId] = holding = Holding(instrument, self.currency)
        if key in self._given:
            holding.begin(*self._given[key])
        reports = {booked.execId: self._book(holding, booked) for booked in self._booked[key].values() if booked.shares}
        return reports.get(execution.execId) or CommissionReport(execution.execId, 0.0, holding.fee_currency)

    def _book(self, holding, execution):
        rate = self.rate(holding.currency, execution.time)
        fee, realized = holding.book(execution, rate)
        return CommissionReport(execution.execId, fee, holding.fee_currency, realized)

    def _holding(self, account, instrument):
        if account not in self._holdings:
            raise KeyError('unknown account {!r}: there are {}'.format(account, ', '.join(self.accounts)))
        holdings = self._holdings[account]
        if instrument.conId not in holdings:
            holdings[instrument.conId] = Holding(instrument, self.currency)
        return holdings[instrument.conId]

    def give(self, account, instrument, position, avgPrice):
        """A position the account has had before, at this price (no fees)."""
        self._holding(account, instrument).begin(position, avgPrice)
        self._given[account, instrument.conId] = (position, avgPrice)

    def deposit(self, account, amount, currency=None):
        """Puts cash in, or takes it out."""
        self._deposits[account][currency or self.currency] += amount

    def position(self, account, conId):
        """One Held, position 0 too; None when the account never had it."""
        holding = self._holdings.get(account, {}).get(conId)
        return holding and Held(account, holding.instrument.contract, holding.position, holding.average_cost)

    def positions(self, account=None):
        """[Held] of one account or of all, what has been closed too (position 0): TWS tells so."""
        return [self.position(name, conId) for name in self.accounts if account in (None, '', name)
                for conId in self._holdings[name]]

    def portfolio(self, now, account):
        """[PortfolioRow]: what is held, and at 0 what was."""
        return [self._row(holding, self._price(holding, now), account) for holding in self._holdings[account].values()]

    def _row(self, holding, price, account):
        return PortfolioRow(holding.instrument.contract, holding.position, price, holding.value(price),
                            holding.average_cost, holding.unrealized(price), holding.realized, account)

    def _price(self, holding, now):
        return self._market.last(holding.instrument, now)

    def rate(self, currency, now):
        """Units of the base currency for one of `currency`, by the market; 1 where the market knows no rate."""
        if currency == self.currency:
            return 1.0
        for symbol, other, invert in ((currency, self.currency, False), (self.currency, currency, True)):
            found = self._market.find(Contract(symbol=symbol, currency=other, secType='CASH'), now)
            if found:
                price = self._market.last(found[0], now)
                return 1 / price if invert else price
        return 1.0

    def cash(self, account):
        """{currency: amount}"""
        sums = defaultdict(float, self._deposits[account])
        for holding in self._holdings[account].values():
            for currency, amount in holding.flows.items():
                sums[currency] += amount
        return dict(sums)

    def figures(self, now, account):
        """The account in the base currency, as account_rows.Figures."""
        rates = {currency: self.rate(currency, now) for currency in self.cash(account)}
        lines = [self._line(holding, now) for holding in self._holdings[account].values()]
        return account_rows.Figures(account, self.currency, self.cash(account), rates, lines)

    def _line(self, holding, now):
        price, rate = self._price(holding, now), self.rate(holding.currency, now)
        initial, maintenance = self._requirement(holding.instrument, holding.position, price, now)
        return account_rows.Line(
            secType=holding.instrument.secType, currency=holding.currency, rate=rate, worth=holding.worth(price),
            value=0.0 if holding.way == EXCHANGED else holding.value(price), unrealized=holding.unrealized(price),
            realized=holding.realized, initial=initial, maintenance=maintenance)

    def _requirement(self, instrument, position, price, now):
        under = self._market.by_conId(instrument.underConId) if instrument.secType in ('OPT', 'FOP') else None
        return margin.requirement(instrument, position, price, self._market.last(under, now) if under else 0.0)

    def account_values(self, now, account):
        """[Row] as reqAccountUpdates has them."""
        return account_rows.values(self.figures(now, account))

    def summary(self, now, account, tags):
        """[Row] for reqAccountSummary: `tags` text, '$LEDGER', '$LEDGER:EUR' and '$LEDGER:ALL' too."""
        return account_rows.summary(self.figures(now, account), tags)

    def cushion(self, now, account):
        """What part of the equity is free of maintenance margin."""
        figures = self.figures(now, account)
        return (figures.equity - figures.maintenance) / figures.equity if figures.equity else 0.0

    def pnl(self, now, account):
        """Pnl of the account in the base currency."""
        lines = self.figures(now, account).lines
        unrealized = sum(line.unrealized * line.rate for line in lines)
        realized = sum(line.realized * line.rate for line in lines)
        return Pnl(unrealized + realized, unrealized, realized)

    def pnl_single(self, now, account, conId):
        """PnlSingle of one contract, None when the account never had it."""
        holding = self._holdings.get(account, {}).get(conId)
        if holding is None:
            return None
        price = self._price(holding, now)
        unrealized = holding.unrealized(price)
        return PnlSingle(holding.position, unrealized + holding.realized, unrealized, holding.realized,
                         holding.value(price))

    def margin_change(self, now, account, instrument, quantity, price):
        """Margins for a signed quantity at a price."""
        figures = self.figures(now, account)
        held = self.position(account, instrument.conId)
        position, rate = held.position if held else 0.0, self.rate(instrument.contract.currency, now)
        mark = self._market.last(instrument, now)
        before = self._requirement(instrument, position, mark, now)
        after = self._requirement(instrument, position + quantity, mark, now)
        commission = fees.order_fee(instrument.secType, abs(quantity), abs(quantity) * price * instrument.multiplier)
        initial, maintenance = ((new - old) * rate for new, old in zip(after, before))
        return Margins(figures.initial, figures.maintenance, figures.equity, figures.initial + initial,
                       figures.maintenance + maintenance, figures.equity - commission * rate, commission)
