"""A market whose every tick a test writes itself, and a desk to trade on it."""
from backtrader_ib_insync.simulator import events, sessions, stamps
from backtrader_ib_insync.simulator.exchange import Exchange
from backtrader_ib_insync.simulator.instruments import Instrument
from backtrader_ib_insync.simulator.ledger import Ledger
from backtrader_ib_insync.simulator.records import Bar, Contract, Order, Quote, Trade

NOW = stamps.parse('20241120 10:00:00 US/Eastern', 'UTC')
CLOSE = stamps.parse('20241120 16:00:00 US/Eastern', 'UTC')
NEXT_OPEN = stamps.parse('20241121 09:30:00 US/Eastern', 'UTC')
NEXT_CLOSE = stamps.parse('20241121 16:00:00 US/Eastern', 'UTC')


def instrument(conId, symbol, secType='STK', currency='USD', hours=sessions.US_STOCKS, **more):
    contract = Contract(conId=conId, symbol=symbol, secType=secType, currency=currency, exchange='SMART',
                        primaryExchange=more.pop('primary', 'NASDAQ'), multiplier=more.pop('multiplier', ''),
                        localSymbol=symbol, tradingClass=symbol)
    return Instrument(contract=contract, hours=hours, marketName='NMS', **more)


STOCK = instrument(1, 'AAA')
OTHER = instrument(2, 'BBB')
FUTURE = instrument(3, 'FFF', 'FUT', hours=sessions.CME, multiplier='50', minTick=0.25, init_margin=16000.0,
                    maint_margin=14000.0, marketRuleIds='67')
EURO = instrument(4, 'EUR', 'CASH', hours=sessions.FOREX, minTick=0.00005, marketRuleIds='239')
COIN = instrument(5, 'BTC', 'CRYPTO', hours=sessions.CRYPTO, minTick=0.25, sizeIncrement=1e-8, marketRuleIds='2719')
INDEX = instrument(6, 'SPX', 'IND')
BUND = instrument(7, 'FES', 'FUT', 'EUR', sessions.EUREX, multiplier='10', minTick=1.0, init_margin=3000.0,
                  maint_margin=2500.0, marketRuleIds='32')
CALL = instrument(8, 'AAA', 'OPT', hours=sessions.US_OPTIONS, multiplier='100', underConId=1, marketRuleIds='109')
ALL = (STOCK, OTHER, FUTURE, EURO, COIN, INDEX, BUND, CALL)
START = {1: 100.0, 2: 50.0, 3: 5000.0, 4: 1.05, 5: 90000.0, 6: 5900.0, 7: 4800.0, 8: 5.0}


class ScriptedMarket:
    """Quotes stand one tick around the last price, 1000 a side, and follow each print."""

    def __init__(self):
        self.ticks = {one.conId: [(0.0, START[one.conId], 0.0)] for one in ALL}

    def print(self, instrument, time, price, size=100.0):
        self.ticks[instrument.conId].append((time, price, size))

    def trades(self, instrument, start, end):
        rows = self.ticks[instrument.conId] if instrument.has_last else ()
        return [Trade(time, price, size, total=size) for time, price, size in rows if start <= time < end]

    def quotes(self, instrument, start, end):
        return [self._quote(instrument, time, price)
                for time, price, _ in self.ticks[instrument.conId] if start <= time < end]

    def _quote(self, instrument, time, price):
        return Quote(time, round(price - instrument.minTick, 8), round(price + instrument.minTick, 8), 1000.0, 1000.0)

    def quote(self, instrument, t):
        if not self.is_open(instrument, t):
            return Quote(t, -1.0, -1.0, 0.0, 0.0)
        return self._quote(instrument, t, self.last(instrument, t))

    def last(self, instrument, t):
        return [price for time, price, _ in self.ticks[instrument.conId] if time <= t][-1]

    def bars(self, instrument, size, start, end, what='TRADES', rth=False):
        return [Bar(start + 86400, 100.0, 100.0, 100.0, 100.0, 1.0, 100.0, 1)]

    def is_open(self, instrument, t, rth=False):
        return instrument.hours.session_at(t, rth) is not None

    def next_open(self, instrument, t, rth=False):
        return instrument.hours.next_open(t, rth)

    def next_close(self, instrument, t, rth=False):
        return instrument.hours.next_close(t, rth)

    def by_conId(self, conId):
        return next((one for one in ALL if one.conId == conId), None)

    def find(self, contract, now=NOW):
        return [one for one in ALL if (one.symbol, one.contract.currency, one.secType) == (
            contract.symbol, contract.currency, contract.secType)]


class Desk:
    """An exchange with its market, a clock, and short words for what tests do and look at."""

    def __init__(self, accounts=('U1',), cash=1e6, now=NOW, groups=None):
        self.market = ScriptedMarket()
        self.ledger = Ledger(accounts, cash, 'USD', self.market)
        self.exchange = Exchange(self.market, self.ledger, groups=groups)
        self.now = now
        self.exchange.advance(now)
        self.heard = []

    @property
    def scenario(self):
        return self.exchange.scenario

    def place(self, orderId, action, quantity, orderType, *prices, **fields):
        """Prices in the order limit, aux; by keyword also client= and on= (the instrument)."""
        client, on = fields.pop('client', 1), fields.pop('on', STOCK)
        names = ('lmtPrice', 'auxPrice') if 'L' in orderType and orderType not in ('TRAIL',) else ('auxPrice',)
        order = Order(orderId=orderId, action=action, totalQuantity=quantity, orderType=orderType, **fields)
        for name, price in zip(names, prices):
            setattr(order, name, price)
        self.exchange.place(self.now, client, order, on.contract if on else Contract(exchange='SMART'), on)

    def cancel(self, orderId, client=1):
        self.exchange.cancel(self.now, client, orderId)

    def print(self, price, size=100.0, on=STOCK, after=1.0):
        """A trade `after` seconds from now, and the exchange brought past it."""
        self.market.print(on, self.now + after, price, size)
        self.advance(after + 0.5)

    def advance(self, seconds):
        self.until(self.now + seconds)

    def until(self, time):
        self.now = time
        self.exchange.advance(time)

    def take(self):
        """The events since the last look."""
        found = list(self.exchange.events)
        self.exchange.events.clear()
        self.heard += found
        return found

    def life(self, orderId, client=1):
        """What was told of an order, in short: statuses with filled, fills, codes."""
        self.take()
        return [word for word in (_word(event, orderId, client) for event in self.heard) if word]

    def statuses(self, orderId, client=1):
        self.take()
        return [event.status for event in self.heard if isinstance(event, events.Status)
                and (event.orderId, event.clientId) == (orderId, client)]

    def standing(self, orderId, client=1):
        self.take()
        return [event for event in self.heard if isinstance(event, events.Status)
                and (event.orderId, event.clientId) == (orderId, client)][-1]

    def codes(self, orderId, client=1):
        self.take()
        return [event.code for event in self.heard if isinstance(event, events.Told)
                and (event.orderId, event.clientId) == (orderId, client)]

    def fills(self, orderId=None):
        """[(size, price)] signed, of one order or of all."""
        return [(one.shares if one.side == 'BOT' else -one.shares, one.price)
                for one, _ in self.exchange.executions() if orderId in (None, one.orderId)]

    def shown(self, orderId, client=1):
        """The order as openOrder last had it."""
        self.take()
        return [event.order for event in self.heard if isinstance(event, events.Opened)
                and (event.order.orderId, event.order.clientId) == (orderId, client)][-1]


def _word(event, orderId, client):
    kind = type(event).__name__
    if kind == 'Status' and (event.orderId, event.clientId) == (orderId, client):
        return '{} {:g}'.format(event.status, event.filled) + (' ' + event.whyHeld if event.whyHeld else '')
    if kind == 'Told' and (event.orderId, event.clientId) == (orderId, client):
        return str(event.code)
    fill = event.execution if kind in ('Executed', 'Commissioned') else None
    if fill is None or (fill.orderId, fill.clientId) != (orderId, client):
        return None
    return 'fill {:g}'.format(fill.shares) if kind == 'Executed' else 'fee'
