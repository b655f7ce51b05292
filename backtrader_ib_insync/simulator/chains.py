"""Futures and options by rule: which expiries and strikes exist, and the instrument each of them is.

A conId is worked out from expiry, strike and right, and back, so none needs a table and all stay the same for ever.
"""
from datetime import date as Date
from datetime import timedelta
from functools import lru_cache

from . import holidays, zones
from .instruments import Instrument
from .records import Contract

MONTH_LETTERS = 'FGHJKMNQUVXZ'
FRIDAY = 4
FIRST_YEAR = 1990
EPOCH = Date(2000, 1, 1)
STRIKES_PER_DAY = 1000


class Futures:
    """The quarterly futures of one symbol, on the third Friday of March, June, September and December."""
    kinds = ('FUT', 'CONTFUT')
    MONTHS = (3, 6, 9, 12)
    LISTED_DAYS = 730

    def __init__(self, conId, symbol, exchange, currency, multiplier, holiday, continuous, **common):
        self.conId = conId
        self.symbol = symbol
        self._contract = Contract(symbol=symbol, secType='FUT', exchange=exchange, currency=currency,
                                  multiplier=multiplier, tradingClass=symbol)
        self._holiday = holiday
        self._continuous = continuous
        self._common = common
        self.month = lru_cache(maxsize=512)(self._make)

    def _make(self, year, month):
        """The future of a month, whatever the year."""
        expiry = _trading_day(holidays.nth(year, month, FRIDAY, 3), self._holiday)
        text = '{:%Y%m%d}'.format(expiry)
        contract = self._contract._replace(
            conId=self.conId + (year - FIRST_YEAR) * 12 + month, lastTradeDateOrContractMonth=text,
            localSymbol=_month_code(self.symbol, year, month))
        away = (year - 2024) * 4 + (month - 12) // 3
        common = dict(self._common, basis=self._common.get('basis', 0.0) * away)
        return Instrument(contract=contract, path=self.conId, contractMonth=text[:6], realExpirationDate=text,
                          validExchanges=contract.exchange, since=expiry - timedelta(self.LISTED_DAYS), until=expiry,
                          **common)

    def listed(self, now):
        """Every future that trades at `now`, the nearest first."""
        year = zones.local(now, 'UTC').year
        return [future for future in self.between(year, year + 3) if future.is_listed(now)]

    def between(self, first_year, last_year):
        return [self.month(year, month) for year in range(first_year, last_year + 1) for month in self.MONTHS]

    def front(self, date):
        """The nearest future that has not expired on `date`."""
        return next(future for future in self.between(date.year, date.year + 1) if future.until >= date)

    def candidates(self, asked, now):
        """What a contract may mean: by its expiry when it has one, else what is listed, expired ones when asked for."""
        if asked.secType == 'CONTFUT':
            return [self.continuous(now)] if self._continuous else []
        if asked.lastTradeDateOrContractMonth[:4].isdigit():
            year = int(asked.lastTradeDateOrContractMonth[:4])
            futures = self.between(year, year)
        else:
            year = zones.local(now, 'UTC').year
            futures = self.between(year - 2, year + 3)
        return [future for future in futures
                if future.is_listed(now) or asked.includeExpired and future.has_expired(now)]

    def continuous(self, now):
        """The CONTFUT: the front future's contract under another security type."""
        front = self.front(zones.local(now, 'UTC').date())
        contract = front.contract._replace(secType='CONTFUT')
        return front._replace(contract=contract, until=None, since=Date(2000, 1, 3))

    def params(self, conId, now):
        """A chain of futures has no options of its own to tell."""
        return []

    def by_conId(self, conId):
        offset = conId - self.conId
        years, month = divmod(offset - 1, 12)
        if not 0 <= years < 120 or month + 1 not in self.MONTHS:
            return None
        return self.month(FIRST_YEAR + years, month + 1)


class Options:
    """The options on one underlying: Fridays for the next weeks, third Fridays for the next months, a grid of strikes.

    `underlying` is a function date -> Instrument (a future's options are on the future of their quarter).
    """
    WEEKS, MONTHS = 6, 12

    def __init__(self, conId, kind, underlying, strikes, holiday, multiplier, exchange, tradingClass, **common):
        self.conId = conId
        self.kind = kind
        self.kinds = (kind,)
        self.underlying = underlying
        self.strikes = strikes
        self._holiday = holiday
        self._multiplier = multiplier
        self.exchange = exchange
        self.tradingClass = tradingClass
        self._common = common
        self.option = lru_cache(maxsize=16384)(self._make)

    @property
    def symbol(self):
        return self.underlying(Date(2024, 11, 20)).symbol

    def expiries(self, now):
        """The dates an option listed at `now` may expire on, in order."""
        today = zones.local(now, 'US/Eastern').date()
        friday = today + timedelta((FRIDAY - today.weekday()) % 7)
        dates = {friday + timedelta(7 * week) for week in range(self.WEEKS)}
        for ahead in range(self.MONTHS):
            years, month = divmod(today.month - 1 + ahead, 12)
            dates.add(holidays.nth(today.year + years, month + 1, FRIDAY, 3))
        traded = {_trading_day(date, self._holiday) for date in dates}
        return sorted(date for date in traded if date >= today)

    def candidates(self, asked, now):
        """Every option listed at `now` whose expiry and strike fit."""
        wanted = asked.lastTradeDateOrContractMonth
        dates = [date for date in self.expiries(now) if '{:%Y%m%d}'.format(date).startswith(wanted)]
        strikes = [strike for strike in self.strikes if asked.strike in (0.0, None, strike)]
        rights = [right for right in 'CP' if asked.right in ('', '?', '0') or asked.right[0].upper() == right]
        return [self.option(date, strike, right) for date in dates for strike in strikes for right in rights]

    def _make(self, expiry, strike, right):
        """The option of an expiry date, a strike of the grid and a right, C or P."""
        under = self.underlying(expiry)
        text = '{:%Y%m%d}'.format(expiry)
        number = self.strikes.index(strike) * 2 + (right == 'P')
        contract = Contract(
            conId=self.conId + (expiry - EPOCH).days * STRIKES_PER_DAY + number, symbol=under.symbol, secType=self.kind,
            lastTradeDateOrContractMonth=text, strike=strike, right=right, multiplier=self._multiplier,
            exchange=self.exchange, currency=under.contract.currency, tradingClass=self.tradingClass,
            localSymbol=self._local_symbol(expiry, strike, right))
        return Instrument(
            contract=contract, underConId=under.conId, underSymbol=under.contract.localSymbol,
            underSecType=under.secType, path=under.conId, contractMonth=text[:6], realExpirationDate=text,
            longName=under.longName, until=expiry, since=expiry - timedelta(400), **self._common)

    def params(self, conId, now):
        """(exchange, tradingClass, multiplier, expirations, strikes) per exchange when the underlying is `conId`."""
        dates = [date for date in self.expiries(now) if self.underlying(date).conId == conId]
        texts = ['{:%Y%m%d}'.format(date) for date in dates]
        exchanges = self._common['validExchanges'].split(',') if dates else ()
        return [(exchange, self.tradingClass, self._multiplier, texts, self.strikes) for exchange in exchanges]

    def _local_symbol(self, expiry, strike, right):
        if self.kind == 'FOP':
            return '{} {}{:g}'.format(_month_code(self.tradingClass, expiry.year, expiry.month), right, strike)
        return '{:<6}{:%y%m%d}{}{:08.0f}'.format(self.tradingClass, expiry, right, strike * 1000)

    def by_conId(self, conId):
        days, number = divmod(conId - self.conId, STRIKES_PER_DAY)
        if not 0 <= days < 20000 or number // 2 >= len(self.strikes):
            return None
        return self.option(EPOCH + timedelta(days), self.strikes[number // 2], 'CP'[number % 2])


def _month_code(symbol, year, month):
    """The exchange's name of a month: ESZ4."""
    return '{}{}{}'.format(symbol, MONTH_LETTERS[month - 1], year % 10)


def _trading_day(date, holiday):
    """`date`, or the last trading day before it."""
    while holiday(date) == holidays.CLOSED or date.weekday() > FRIDAY:
        date -= timedelta(1)
    return date
