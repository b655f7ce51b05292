"""What can be traded: an Instrument per contract, with what contract details tell and what its prices are made of."""
from datetime import date as Date
from typing import NamedTuple, Optional, Tuple

from . import sessions, zones
from .records import Contract

ORDER_TYPES = ('ACTIVETIM,AD,ADJUST,ALERT,ALGO,ALLOC,AVGCOST,BASKET,COND,CONDORDER,DAY,DEACT,DEACTDIS,DEACTEOD,GAT,GTC,'
               'GTD,GTT,HID,IOC,LIT,LMT,LOC,MIT,MKT,MOC,MTL,NGCOMB,NONALGO,OCA,OPG,OPGREROUT,REL,RPI,SCALE,SCALERST,'
               'SMARTSTG,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,TRAILMIT,WHATIF')
MARKET_RULES = {
    26: ((0.0, 0.01),), 32: ((0.0, 1.0),), 67: ((0.0, 0.25),), 109: ((0.0, 0.01), (3.0, 0.05)), 110: ((0.0, 0.05),),
    239: ((0.0, 0.00005),), 240: ((0.0, 0.005),), 557: ((0.0, 0.0002),), 635: ((0.0, 0.5),), 1715: ((0.0, 0.01),),
    2719: ((0.0, 0.25),),
}
AUCTIONS = ('LOC', 'MOC')
HAVE_AUCTIONS = frozenset(('STK', 'OPT', 'WAR', 'BOND', 'FUND'))
QUOTED_ONLY = frozenset(('CASH', 'CFD', 'CMDTY'))
NEVER_QUOTED = frozenset(('IND',))


class Instrument(NamedTuple):
    """One tradable thing. TWS's names are contract details'; the snake_case ones make its market.

    `activity` is prints per minute in regular hours, `base` the price the walk hovers around (in late 2024), `growth`
    its rise per year and `volatility` a day's usual move, as fractions, `path` the conId whose walk it follows at a
    distance of `basis`, `lot` the mean print in size steps, `spread` bid to ask in ticks, `since` and `until` its first
    and last day. Margins are per contract, in its currency.
    """
    contract: Contract
    hours: sessions.Hours
    longName: str = ''
    marketName: str = ''
    minTick: float = 0.01
    orderTypes: str = ORDER_TYPES
    validExchanges: str = ''
    priceMagnifier: int = 1
    underConId: int = 0
    contractMonth: str = ''
    industry: str = ''
    category: str = ''
    subcategory: str = ''
    tradingHours: str = ''
    liquidHours: str = ''
    evRule: str = ''
    evMultiplier: int = 0
    secIdList: Tuple[Tuple[str, str], ...] = ()
    aggGroup: int = 1
    underSymbol: str = ''
    underSecType: str = ''
    marketRuleIds: str = '26'
    realExpirationDate: str = ''
    lastTradeTime: str = ''
    stockType: str = ''
    minSize: float = 1.0
    sizeIncrement: float = 1.0
    suggestedSizeIncrement: float = 1.0
    base: float = 100.0
    growth: float = 0.0
    volatility: float = 0.004
    path: int = 0
    basis: float = 0.0
    activity: float = 10.0
    lot: float = 20.0
    spread: int = 2
    since: Date = Date(1990, 1, 2)
    until: Optional[Date] = None
    init_margin: float = 0.0
    maint_margin: float = 0.0

    @property
    def conId(self):
        return self.contract.conId

    @property
    def symbol(self):
        return self.contract.symbol

    @property
    def secType(self):
        return self.contract.secType

    @property
    def timeZoneId(self):
        return self.hours.zone

    @property
    def zone(self):
        return self.hours.zone

    @property
    def size_step(self):
        return self.sizeIncrement

    @property
    def multiplier(self):
        """What a price is multiplied with for its value: the contract's multiplier, less where cents are quoted."""
        return float(self.contract.multiplier or 1) / self.priceMagnifier

    @property
    def told_tick(self):
        """The tick as details tell it: in the currency, though prices come and go in cents (priceMagnifier 100)."""
        return round(self.minTick / self.priceMagnifier, 10)

    @property
    def is_traded(self):
        """Whether there are trades with a size: not for FX, CFDs and metals (quotes only), not for indices."""
        return self.secType not in QUOTED_ONLY and self.secType not in NEVER_QUOTED

    @property
    def has_last(self):
        """Whether there is a last price: an index has one, without trades."""
        return self.secType not in QUOTED_ONLY

    @property
    def is_quoted(self):
        """Whether there are bid and ask."""
        return self.secType not in NEVER_QUOTED

    def price(self, ticks):
        """The price of a number of ticks, with no dust of floating point."""
        return round(ticks * self.minTick, 8)

    def ticks(self, price):
        """The number of ticks of a price."""
        return round(price / self.minTick, 6)

    def is_listed(self, now):
        """Whether it can be traded at `now`: begun, and not expired before that day."""
        today = zones.local(now, self.zone).date()
        return self.since <= today and not self.has_expired(now)

    def has_expired(self, now):
        return self.until is not None and zones.local(now, self.zone).date() > self.until

    def at(self, now):
        """The details as TWS tells them at `now`: with the hours of the coming days and the order types it takes."""
        return self._replace(minTick=self.told_tick, tradingHours=self.hours.text(now),
                             liquidHours=self.hours.text(now, True),
                             orderTypes=','.join(filter(self._takes, self.orderTypes.split(','))))

    def _takes(self, orderType):
        return orderType not in AUCTIONS or self.secType in HAVE_AUCTIONS


def matches(instrument, asked):
    """Whether a contract a client named fits an instrument: what is left blank fits all, and a conId decides alone."""
    known = instrument.contract
    if asked.conId:
        return asked.conId == known.conId
    return (_same(asked, known) and _exchange_fits(asked, instrument) and _expiry_fits(asked, known)
            and asked.strike in (0.0, None, known.strike) and _right_fits(asked.right, known.right)
            and _multiplier_fits(asked.multiplier, known.multiplier) and _security_id_fits(asked, instrument))


def _same(asked, known):
    names = ('symbol', 'secType', 'currency', 'localSymbol', 'tradingClass')
    return all(_text(getattr(asked, name)) in ('', _text(getattr(known, name))) for name in names)


def _text(value):
    return str(value or '').upper()


def _exchange_fits(asked, instrument):
    """SMART and the listing exchange both lead to it; primaryExchange tells apart what has one symbol."""
    known = instrument.contract
    route, listed = _text(asked.exchange), _text(asked.primaryExchange)
    return (not route or route in instrument.validExchanges.split(',') or route == known.primaryExchange) and (
        not listed or listed in (known.primaryExchange, known.exchange))


def _expiry_fits(asked, known):
    text = asked.lastTradeDateOrContractMonth
    return not text or known.lastTradeDateOrContractMonth.startswith(text)


def _right_fits(asked, known):
    return asked in ('', '?', '0') or asked[0].upper() == known


def _multiplier_fits(asked, known):
    try:
        return not asked or float(asked) == float(known or 1)
    except ValueError:
        return False


def _security_id_fits(asked, instrument):
    return not asked.secIdType or (asked.secIdType, asked.secId) in instrument.secIdList
