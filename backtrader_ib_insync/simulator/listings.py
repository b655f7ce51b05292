"""The default world: what this gateway lists when nobody says otherwise."""
from datetime import date as Date

from . import holidays, sessions
from .chains import Futures, Options
from .instruments import Instrument
from .records import Contract

US_EXCHANGES = 'SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,ISLAND,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,PEARL'
US_OPTION_EXCHANGES = 'SMART,AMEX,BATS,BOX,CBOE,CBOE2,EDGX,GEMINI,ISE,MERCURY,MIAX,NASDAQOM,PEARL,PHLX,PSE'


def stock(conId, symbol, primary, name, base, industry='', currency='USD', **more):
    """A stock, a US one unless `more` says otherwise."""
    contract = Contract(conId=conId, symbol=symbol, secType='STK', exchange=more.pop('exchange', 'SMART'),
                        primaryExchange=primary, currency=currency, localSymbol=symbol,
                        tradingClass=more.pop('tradingClass', 'NMS' if primary == 'NASDAQ' else symbol))
    given = dict(hours=sessions.US_STOCKS, validExchanges='{},{}'.format(US_EXCHANGES, primary),
                 marketName=contract.tradingClass, stockType='COMMON', growth=0.08, activity=25.0, lot=60.0,
                 suggestedSizeIncrement=100.0)
    given.update(more)
    return Instrument(contract=contract, longName=name, base=base, industry=industry, **given)


def pair(conId, base, quote, level, tick=0.00005, rule='239'):
    """A currency pair on IDEALPRO: quotes only."""
    contract = Contract(conId=conId, symbol=base, secType='CASH', exchange='IDEALPRO', currency=quote,
                        localSymbol='{}.{}'.format(base, quote), tradingClass='{}.{}'.format(base, quote))
    return Instrument(contract=contract, hours=sessions.FOREX, longName='{} / {}'.format(base, quote), minTick=tick,
                      marketName=contract.tradingClass, validExchanges='IDEALPRO', base=level, volatility=0.003,
                      activity=60.0, spread=1, marketRuleIds=rule, aggGroup=4, minSize=1.0)


def stocks():
    london = dict(hours=sessions.LSE, validExchanges='SMART,LSE,CHIXUK,BATEUK,TRQXUK')
    return [
        stock(265598, 'AAPL', 'NASDAQ', 'APPLE INC', 210.0, 'Technology', activity=30.0,
              secIdList=(('ISIN', 'US0378331005'),)),
        stock(272093, 'MSFT', 'NASDAQ', 'MICROSOFT CORP', 420.0, 'Technology'),
        stock(4815747, 'NVDA', 'NASDAQ', 'NVIDIA CORP', 140.0, 'Technology', activity=40.0),
        stock(756733, 'SPY', 'ARCA', 'SS SPDR S&P 500 ETF TRUST-US', 590.0, stockType='ETF', activity=40.0),
        stock(8314, 'IBM', 'NYSE', 'INTL BUSINESS MACHINES CORP', 210.0, 'Technology', activity=6.0),
        stock(72063691, 'BRK B', 'NYSE', 'BERKSHIRE HATHAWAY INC-CL B', 470.0, 'Financial', activity=4.0),
        stock(268084, 'CSCO', 'NASDAQ', 'CISCO SYSTEMS INC', 58.0, 'Communications'),
        stock(9715, 'CSCO', 'MEXI', 'CISCO SYSTEMS INC', 1180.0, 'Communications', 'MXN', exchange='MEXI', activity=0.3,
              validExchanges='MEXI'),
        stock(900001, 'QUIET', 'NYSE', 'THE QUIET COMPANY', 50.0, activity=0.0),
        stock(156110393, 'VOD', 'LSE', 'VODAFONE GROUP PLC', 72.0, 'Communications', 'GBP', minTick=0.02,
              priceMagnifier=100, activity=5.0, marketRuleIds='557', **london),
        stock(15016062, '7203', 'TSEJ', 'TOYOTA MOTOR CORP', 2700.0, 'Consumer, Cyclical', 'JPY', minTick=0.5,
              hours=sessions.TOKYO, validExchanges='SMART,TSEJ,JPNNEXT', marketRuleIds='635'),
    ]


def others():
    spx = Contract(conId=416904, symbol='SPX', secType='IND', exchange='CBOE', currency='USD', localSymbol='SPX',
                   tradingClass='SPX')
    bitcoin = Contract(conId=479624278, symbol='BTC', secType='CRYPTO', exchange='PAXOS', currency='USD',
                       localSymbol='BTC.USD', tradingClass='BTC')
    gold = Contract(conId=69067924, symbol='XAUUSD', secType='CMDTY', exchange='SMART', currency='USD',
                    localSymbol='XAUUSD', tradingClass='XAUUSD')
    treasury = Contract(conId=15960357, symbol='912828C57', secType='BOND', exchange='SMART', currency='USD',
                        lastTradeDateOrContractMonth='20340515', localSymbol='IBCID15960357', tradingClass='GOVT')
    apple = Contract(conId=120549942, symbol='AAPL', secType='CFD', exchange='SMART', currency='USD',
                     localSymbol='AAPLn', tradingClass='AAPL')
    return [
        Instrument(contract=spx, hours=sessions.US_INDICES, longName='S&P 500 Stock Index',
                   validExchanges='CBOE', base=5900.0, activity=40.0, industry='Indices', marketRuleIds='26'),
        Instrument(contract=bitcoin, hours=sessions.CRYPTO, longName='Bitcoin cryptocurrency', validExchanges='PAXOS',
                   minTick=0.25, base=90000.0, volatility=0.006, activity=15.0, lot=4e5, minSize=1e-8,
                   sizeIncrement=1e-8, suggestedSizeIncrement=1e-8, since=Date(2018, 1, 2), spread=20,
                   marketRuleIds='2719'),
        Instrument(contract=gold, hours=sessions.METALS, longName='London Gold', validExchanges='SMART,IBCMDTY',
                   base=2650.0, activity=30.0, spread=10, marketRuleIds='1715'),
        Instrument(contract=treasury, hours=sessions.US_BONDS, longName='US TREASURY N/B 4.375', validExchanges='SMART',
                   base=99.5, volatility=0.001, activity=0.1, lot=10.0, since=Date(2024, 5, 16),
                   until=Date(2034, 5, 15)),
        Instrument(contract=apple, hours=sessions.US_OPTIONS, longName='APPLE INC', validExchanges='SMART', base=210.0,
                   growth=0.08, path=265598, underConId=265598, underSymbol='AAPL', underSecType='STK', activity=30.0),
    ]


def futures():
    chicago = dict(hours=sessions.CME, minTick=0.25, marketRuleIds='67', industry='Indices', lot=3.0,
                   spread=1, underSecType='IND', activity=30.0)
    return [
        Futures(495000000, 'ES', 'CME', 'USD', '50', holidays.nyse, True, longName='E-mini S&P 500', marketName='ES',
                underConId=11004968, underSymbol='ES', base=5925.0, basis=55.0, init_margin=16000.0,
                maint_margin=14500.0, **chicago),
        Futures(495100000, 'NQ', 'CME', 'USD', '20', holidays.nyse, True, longName='E-mini NASDAQ 100', marketName='NQ',
                underConId=11004958, underSymbol='NQ', base=20700.0, basis=220.0, init_margin=24000.0,
                maint_margin=21800.0, **chicago),
        Futures(495200000, 'FESX', 'EUREX', 'EUR', '10', holidays.eurex, True, longName='EURO STOXX 50',
                marketName='FESX', underConId=11004959, underSymbol='ESTX50', base=4800.0, basis=30.0,
                init_margin=3400.0, maint_margin=3100.0, minTick=1.0, hours=sessions.EUREX,
                marketRuleIds='32', lot=8.0, spread=1, underSecType='IND', activity=15.0),
    ]


def options(shares, chains):
    apple = next(share for share in shares if share.conId == 265598)
    mini = chains[0]
    grid = [float(strike) for strike in range(100, 351, 5)] + [strike + 2.5 for strike in range(170, 260, 5)]
    return [
        Options(700000000, 'OPT', lambda expiry: apple, sorted(grid), holidays.nyse, '100', 'SMART', 'AAPL',
                hours=sessions.US_OPTIONS, validExchanges=US_OPTION_EXCHANGES, marketName='AAPL', marketRuleIds='109',
                volatility=0.25, activity=0.5, lot=3.0, spread=4),
        Options(800000000, 'FOP', mini.front, [float(strike) for strike in range(4500, 7501, 25)], holidays.nyse, '50',
                'CME', 'ES', hours=sessions.CME, validExchanges='CME', marketName='ES', marketRuleIds='110',
                minTick=0.05, volatility=0.16, activity=0.5, lot=2.0, spread=5),
    ]


class Listing:
    """All that is listed: instruments one by one, and families of them by rule."""

    def __init__(self, instruments=(), families=()):
        self.instruments = list(instruments)
        self.families = list(families)
        self._single = {instrument.conId: instrument for instrument in self.instruments}

    def candidates(self, asked, now):
        """What may fit a contract; whether it does, `instruments.matches` says."""
        found = list(self.instruments)
        for family in self.families:
            if asked.symbol in ('', family.symbol) and self._means(family, asked):
                found += family.candidates(asked, now)
        return found

    def _means(self, family, asked):
        """A whole family is looked through only for its own kind or a name that can be in no other."""
        if asked.secType:
            return asked.secType in family.kinds
        return asked.localSymbol or asked.lastTradeDateOrContractMonth

    def by_conId(self, conId):
        """The instrument of a conId, None when there is none."""
        if conId in self._single:
            return self._single[conId]
        family = self.family_of(conId)
        return family.by_conId(conId) if family else None

    def family_of(self, conId):
        """The family a conId belongs to, None when it stands alone or is unknown."""
        return next((family for family in self.families if family.by_conId(conId)), None)


def default():
    """The world a gateway has by itself."""
    shares, chains = stocks(), futures()
    pairs = [pair(12087792, 'EUR', 'USD', 1.06), pair(12087797, 'GBP', 'USD', 1.27),
             pair(15016059, 'USD', 'JPY', 155.0, 0.005, '240')]
    return Listing(shares + pairs + others(), chains + options(shares, chains))
