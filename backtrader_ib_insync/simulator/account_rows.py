"""An account as TWS lists it: the keys of account updates and the tags of the account summary."""
from typing import Dict, List, NamedTuple

BUYING_POWER = 2.0
REG_T = 0.5
SEGMENTED = ('AvailableFunds', 'EquityWithLoanValue', 'ExcessLiquidity', 'FullAvailableFunds', 'FullExcessLiquidity',
             'FullInitMarginReq', 'FullMaintMarginReq', 'GrossPositionValue', 'InitMarginReq', 'MaintMarginReq',
             'NetLiquidation', 'TotalCashValue')


class Row(NamedTuple):
    """One account value or summary tag, as text."""
    key: str
    value: str
    currency: str


class Line(NamedTuple):
    """One holding, in its own currency; `rate` leads to the base."""
    secType: str
    currency: str
    rate: float
    worth: float
    value: float
    unrealized: float
    realized: float
    initial: float
    maintenance: float


class Figures(NamedTuple):
    """An account: its cash and rates by currency, and its holdings."""
    account: str
    currency: str
    cash: Dict[str, float]
    rates: Dict[str, float]
    lines: List[Line]

    def total(self, name, *secTypes):
        """The sum of a Line's figure over all holdings, or some kinds of them, in the base currency."""
        return sum(getattr(line, name) * line.rate for line in self.lines if not secTypes or line.secType in secTypes)

    @property
    def base_cash(self):
        return sum(amount * self.rates[currency] for currency, amount in self.cash.items())

    @property
    def equity(self):
        return self.base_cash + self.total('worth')

    @property
    def initial(self):
        return self.total('initial')

    @property
    def maintenance(self):
        return self.total('maintenance')

    @property
    def gross(self):
        """What positions are worth without their signs; futures and currencies do not count."""
        return sum(abs(line.value) * line.rate for line in self.lines if line.secType not in ('FUT', 'CASH'))

    def currencies(self):
        """The ones it has cash or holdings in, the base first."""
        found = {currency for currency, amount in self.cash.items() if amount} | {line.currency for line in self.lines}
        return [self.currency] + sorted(found - {self.currency})


def amount(number):
    return '{:.2f}'.format(number + 0.0)


def main(figures):
    """{key: amount in the base currency} of what TWS tells once per account."""
    equity, initial, maintenance = figures.equity, figures.initial, figures.maintenance
    free, excess = equity - initial, equity - maintenance
    return {
        'AccruedCash': 0.0, 'AccruedDividend': 0.0, 'AvailableFunds': free, 'Billable': 0.0,
        'BuyingPower': max(0.0, free * BUYING_POWER), 'EquityWithLoanValue': equity, 'ExcessLiquidity': excess,
        'FullAvailableFunds': free, 'FullExcessLiquidity': excess, 'FullInitMarginReq': initial,
        'FullMaintMarginReq': maintenance, 'GrossPositionValue': figures.gross, 'Guarantee': 0.0,
        'InitMarginReq': initial,
        'LookAheadAvailableFunds': free, 'LookAheadExcessLiquidity': excess, 'LookAheadInitMarginReq': initial,
        'LookAheadMaintMarginReq': maintenance, 'MaintMarginReq': maintenance, 'NetLiquidation': equity,
        'PreviousDayEquityWithLoanValue': equity, 'RegTEquity': equity, 'RegTMargin': figures.gross * REG_T,
        'SMA': max(0.0, free), 'TotalCashValue': figures.base_cash}


def plain(figures):
    """{key: text} of what has no currency."""
    cushion = (figures.equity - figures.maintenance) / figures.equity if figures.equity else 0.0
    return {'AccountCode': figures.account, 'AccountOrGroup': figures.account, 'AccountReady': 'true',
            'AccountType': 'INDIVIDUAL', 'Cushion': '{:.6f}'.format(cushion), 'DayTradesRemaining': '-1',
            'Leverage-S': '{:.2f}'.format(figures.gross / figures.equity if figures.equity else 0.0),
            'LookAheadNextChange': '0', 'TradingType-S': 'STKNOPT', 'WhatIfPMEnabled': 'true'}


def by_currency(figures, currency):
    """{key: amount} of one currency in itself, or of all in the base for 'BASE'."""
    whole = currency == 'BASE'
    lines = [line for line in figures.lines if whole or line.currency == currency]

    def total(name, *secTypes):
        return sum(getattr(line, name) * (line.rate if whole else 1.0)
                   for line in lines if not secTypes or line.secType in secTypes)

    cash = figures.base_cash if whole else figures.cash.get(currency, 0.0)
    return {
        'AccruedCash': 0.0, 'CashBalance': cash, 'CorporateBondValue': total('value', 'BOND'),
        'Cryptocurrency': total('value', 'CRYPTO'), 'FutureOptionValue': total('value', 'FOP'),
        'FuturesPNL': total('unrealized', 'FUT'), 'FxCashBalance': 0.0,
        'NetLiquidationByCurrency': cash + total('worth'),
        'OptionMarketValue': total('value', 'OPT'), 'RealizedPnL': total('realized'),
        'StockMarketValue': total('value', 'STK'), 'TotalCashBalance': cash, 'UnrealizedPnL': total('unrealized')}


def values(figures):
    """[Row] as account updates list them."""
    rows = [Row(key, text, '') for key, text in plain(figures).items()]
    base = main(figures)
    rows += [Row(key, amount(number), figures.currency) for key, number in base.items()]
    rows += [Row(key + '-S', amount(base[key]), figures.currency) for key in SEGMENTED]
    for currency in ['BASE'] + figures.currencies():
        rows += ledger_rows(figures, currency)
    return rows


def ledger_rows(figures, currency):
    """The $LEDGER rows of a currency."""
    rows = [Row(key, amount(number), currency) for key, number in by_currency(figures, currency).items()]
    rate = 1.0 if currency == 'BASE' else figures.rates.get(currency, 1.0)
    return rows + [Row('Currency', currency, currency), Row('ExchangeRate', '{:.7g}'.format(rate), currency),
                   Row('RealCurrency', figures.currency if currency == 'BASE' else currency, currency)]


def summary(figures, tags):
    """[Row] of the tags asked for, in that order; unknown ones are left out, as TWS does."""
    rows = []
    texts, base = plain(figures), main(figures)
    for tag in filter(None, (word.strip() for word in tags.split(','))):
        if tag.startswith('$LEDGER'):
            rows += _ledger(figures, tag.partition(':')[2])
        elif tag in texts:
            rows.append(Row(tag, texts[tag], ''))
        elif tag in base:
            rows.append(Row(tag, amount(base[tag]), figures.currency))
        elif tag == 'Leverage':
            rows.append(Row(tag, texts['Leverage-S'], ''))
    return rows


def _ledger(figures, currency):
    if currency == 'ALL':
        return [row for name in ['BASE'] + figures.currencies() for row in ledger_rows(figures, name)]
    return ledger_rows(figures, currency or 'BASE')
