"""Every exec type, side and time in force: fields as IB documents them, lives as backtrader's own broker has them."""
import datetime
import itertools

import backtrader as bt
import pytest
from test_trading import apple

import stage

Order = bt.Order
UTC = datetime.timezone.utc
DAY = datetime.datetime(2024, 11, 20)
#: New York's clock on that day, as UTC
OPENING, CLOSING = DAY.replace(hour=14, minute=30), DAY.replace(hour=21)

# -- the fields --------------------------------------------------------------------------------------------------------

#: asked -> https://interactivebrokers.github.io/tws-api/basic_orders.html; None: unset, TWS must not find a value there
FIELDS = {
    'market': ({'exectype': Order.Market}, {'orderType': 'MKT'}),
    'limit': ({'exectype': Order.Limit, 'price': 150.0}, {'orderType': 'LMT', 'lmtPrice': 150.0}),
    'close': ({'exectype': Order.Close}, {'orderType': 'MOC'}),
    'stop': ({'exectype': Order.Stop, 'price': 145.0}, {'orderType': 'STP', 'auxPrice': 145.0}),
    'stop limit': ({'exectype': Order.StopLimit, 'price': 145.0, 'plimit': 144.5},
                   {'orderType': 'STP LMT', 'auxPrice': 145.0, 'lmtPrice': 144.5}),
    'trail by amount': ({'exectype': Order.StopTrail, 'trailamount': 2.0}, {'orderType': 'TRAIL', 'auxPrice': 2.0}),
    'trail by percent': ({'exectype': Order.StopTrail, 'trailpercent': 0.02},
                         {'orderType': 'TRAIL', 'trailingPercent': 2.0}),
    'trail from a price': ({'exectype': Order.StopTrail, 'price': 200.0, 'trailamount': 2.0},
                           {'orderType': 'TRAIL', 'auxPrice': 2.0, 'trailStopPrice': {'BUY': 202.0, 'SELL': 198.0}}),
    'trail limit': ({'exectype': Order.StopTrailLimit, 'price': 200.0, 'plimit': 199.0, 'trailamount': 2.0},
                    {'orderType': 'TRAIL LIMIT', 'auxPrice': 2.0, 'trailStopPrice': {'BUY': 202.0, 'SELL': 198.0},
                     'lmtPriceOffset': {'BUY': -1.0, 'SELL': 1.0}}),
    'trail limit by percent': ({'exectype': Order.StopTrailLimit, 'price': 200.0, 'plimit': 200.0, 'trailpercent': 0.1},
                               {'orderType': 'TRAIL LIMIT', 'trailingPercent': 10.0,
                                'trailStopPrice': {'BUY': 220.0, 'SELL': 180.0}, 'lmtPriceOffset': 0.0}),
}
FORCES = {
    'GTC': ({}, {'tif': 'GTC'}), 'GTC by constant': ({'valid': 'GTC'}, {'tif': 'GTC'}),
    'DAY': ({'valid': Order.DAY}, {'tif': 'DAY'}), 'DAY by 0': ({'valid': 0}, {'tif': 'DAY'}),
    'GTD': ({'valid': datetime.datetime(2024, 11, 25, 16, tzinfo=UTC)},
            {'tif': 'GTD', 'goodTillDate': '20241125-16:00:00'}),
    'IOC': ({'tif': 'IOC'}, {'tif': 'IOC'}), 'FOK': ({'tif': 'FOK'}, {'tif': 'FOK'}),
    'OPG': ({'m_tif': 'OPG'}, {'tif': 'OPG'}), 'DTC': ({'tif': 'DTC'}, {'tif': 'DTC'}),
}
PRICES = ('lmtPrice', 'auxPrice', 'trailStopPrice', 'trailingPercent', 'lmtPriceOffset', 'cashQty')


def documented(kind, force, action):
    """What has to be on the wire, all prices told."""
    wire = dict.fromkeys(PRICES)
    wire.update({'goodTillDate': '', 'action': action, 'totalQuantity': 3, 'account': stage.ACCOUNT, 'ocaGroup': '',
                 'parentId': 0, 'transmit': False, 'outsideRth': False})
    wire.update(FIELDS[kind][1])
    wire.update(FORCES[force][1])
    if kind == 'close' and wire['tif'] == 'GTC':
        # TWS knows no other auction than today's
        wire['tif'] = 'DAY'
    return {name: value[action] if isinstance(value, dict) else value for name, value in wire.items()}


def test_p54_p55_every_type_side_and_time_in_force_is_on_the_wire_as_ib_documents_it():
    table = list(itertools.product(FIELDS, FORCES, ('BUY', 'SELL')))

    def place(strategy):
        return [(strategy.buy if action == 'BUY' else strategy.sell)(
            size=3, transmit=False, **dict(FIELDS[kind][0], **FORCES[force][0])) for kind, force, action in table]
    with stage.open() as run:
        orders = run.do(place)
        run.until(lambda: len(run.sent()) == len(table))
        sent = {asked.order.orderId: asked.order for asked in run.sent()}
        for case, order in zip(table, orders):
            wanted = documented(*case)
            found = {name: getattr(sent[order.orderId], name) for name in wanted}
            unset = [name for name in PRICES if wanted[name] is None and not found[name]]
            assert dict(found, **dict.fromkeys(unset)) == wanted, case


# -- the life ----------------------------------------------------------------------------------------------------------

#: (UTC, price) of the trades both brokers see; orders are given after the first
TAPE = [(CLOSING - datetime.timedelta(minutes=15 - minute, seconds=-10), price)
        for minute, price in enumerate((200.0, 202.0, 197.0, 204.0))]
TAPE += [(CLOSING - datetime.timedelta(minutes=2), 200.0), (OPENING + datetime.timedelta(days=1, minutes=1), 201.0)]
TILL = CLOSING - datetime.timedelta(minutes=5)

#: what trades within the tape, and what does not; the first of each is for a purchase
TRADING = [
    ({'exectype': Order.Market},) * 2,
    ({'exectype': Order.Close},) * 2,
    ({'exectype': Order.Limit, 'price': 198.0}, {'exectype': Order.Limit, 'price': 203.0}),
    ({'exectype': Order.Stop, 'price': 203.0}, {'exectype': Order.Stop, 'price': 198.0}),
    ({'exectype': Order.StopLimit, 'price': 201.0, 'plimit': 201.5},
     {'exectype': Order.StopLimit, 'price': 199.0, 'plimit': 198.0}),
    ({'exectype': Order.StopTrail, 'price': 200.0, 'trailamount': 3.0},) * 2,
    ({'exectype': Order.StopTrail, 'price': 200.0, 'trailpercent': 0.02},) * 2,
    ({'exectype': Order.StopTrailLimit, 'price': 200.0, 'plimit': 201.0, 'trailamount': 3.0},
     {'exectype': Order.StopTrailLimit, 'price': 200.0, 'plimit': 199.5, 'trailamount': 3.0}),
]
RESTING = [
    ({'exectype': Order.Limit, 'price': 150.0}, {'exectype': Order.Limit, 'price': 250.0}),
    ({'exectype': Order.Stop, 'price': 250.0}, {'exectype': Order.Stop, 'price': 150.0}),
    ({'exectype': Order.StopLimit, 'price': 250.0, 'plimit': 251.0},
     {'exectype': Order.StopLimit, 'price': 150.0, 'plimit': 149.0}),
    ({'exectype': Order.StopTrail, 'price': 200.0, 'trailamount': 60.0},) * 2,
    ({'exectype': Order.StopTrailLimit, 'price': 200.0, 'plimit': 200.0, 'trailpercent': 0.3},) * 2,
]
VALIDS = {'GTC': None, 'DAY': Order.DAY, 'GTD': TILL}


def lives():
    """(buy, what is asked) of every case."""
    for sides, valid in itertools.product(TRADING + RESTING, VALIDS.values()):
        # in backtrader an order for the close expires before it is tried
        if sides[0]['exectype'] != Order.Close or valid is None:
            for buy, asked in zip((True, False), sides):
                yield buy, dict(asked, valid=valid)


class Tape(bt.feed.DataBase):
    """The tape as bars of one trade each."""
    params = (('timeframe', bt.TimeFrame.Ticks),)

    def start(self):
        super().start()
        self._rows = iter(TAPE)

    def _load(self):
        row = next(self._rows, None)
        if row is None:
            return False
        self.lines.datetime[0] = bt.date2num(row[0])
        for name in ('open', 'high', 'low', 'close'):
            getattr(self.lines, name)[0] = row[1]
        return True


class Placing(bt.Strategy):
    """Gives all orders at its first bar and keeps what becomes of them."""

    def __init__(self):
        self.asked, self.told = [], []

    def next(self):
        if len(self) == 1:
            self.asked = [(self.buy if buy else self.sell)(size=1, **asked) for buy, asked in lives()]

    def notify_order(self, order):
        self.told.append((order.ref, order.getstatusname()))


def backtraders():
    """The lives as backtrader's own broker tells them."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.set_cash(1e9)
    cerebro.adddata(Tape())
    cerebro.addstrategy(Placing)
    strategy = cerebro.run()[0]
    return [[status for ref, status in strategy.told if ref == order.ref] for order in strategy.asked]


def seconds(moment):
    return moment.replace(tzinfo=UTC).timestamp()


def go_to(run, moment):
    """Let the gateway's time pass, and the store learn of it."""
    run.gateway.advance(max(0.0, seconds(moment) - run.gateway.now()))

    def knows():
        run.do(lambda strategy: run.store.ask_time())
        return abs(run.store.clock() - run.gateway.now()) < 0.9
    run.until(knows)


def test_p50_p60_every_type_side_and_time_in_force_lives_as_with_backtraders_own_broker():
    expected = backtraders()
    with stage.open(live=False, gateway={'speed': 0, 'cash': 1e9, 'start': '2024-11-20 15:44 US/Eastern'},
                    broker={'backfill_orders': True}) as run:
        run.gateway.call(lambda world: world.market.script(
            apple(world), [(seconds(moment), price, 1000.0) for moment, price in TAPE]))
        go_to(run, TAPE[0][0] + datetime.timedelta(seconds=10))
        orders = run.do(lambda s: [
            (s.buy if buy else s.sell)(size=1, **dict(asked, valid=aware(asked['valid']))) for buy, asked in lives()])
        run.until(lambda: all('Accepted' in run.life(order) for order in orders))
        for moment, _ in TAPE[1:4]:
            go_to(run, moment + datetime.timedelta(seconds=10))
        for end in (TILL, CLOSING):
            # whether an end is the date's, the clock has to tell: it must not jump over it
            go_to(run, end - datetime.timedelta(seconds=1))
            go_to(run, end + datetime.timedelta(seconds=1))
        run.until(lambda: all(run.ended(order) or told[-1] == 'Accepted' for order, told in zip(orders, expected)))
        for (buy, asked), order, told in zip(lives(), orders, expected):
            assert run.life(order) == told, (buy, asked, run.life(order), told, order.info['messages'])
        assert {told[-1] for told in expected} == {'Accepted', 'Completed', 'Expired'}
        assert run.position().size == run.ledger()[0]


def aware(valid):
    """A naive moment is the exchange's for us, UTC for backtrader's broker."""
    return valid.replace(tzinfo=UTC) if isinstance(valid, datetime.datetime) else valid


# -- what backtrader has no word for ---------------------------------------------------------------------------------

def test_p54_p60_momentary_orders_trade_at_once_or_expire():
    with stage.open() as run:
        for tif in ('IOC', 'FOK'):
            done, missed = run.do(lambda s, tif=tif: [
                s.buy(size=10, exectype=Order.Limit, price=price, tif=tif) for price in (400.0, 100.0)])
            run.ends(done, 'Submitted', 'Accepted', 'Completed')
            run.until(lambda missed=missed: run.ended(missed))
            assert run.life(missed)[-1] == 'Expired'
        run.scenario(lambda scenario: scenario.partial('AAPL', [4]))
        part = run.do(lambda s: s.buy(size=10, tif='IOC', exectype=Order.Limit, price=400.0))
        assert run.ends(part, 'Submitted', 'Accepted', 'Partial', 'Expired').executed.size == 4
        run.scenario(lambda scenario: scenario.partial('AAPL', [4]))
        whole = run.do(lambda s: s.buy(size=10, tif='FOK', exectype=Order.Limit, price=400.0))
        run.until(lambda: run.ended(whole))
        assert run.life(whole)[-1] == 'Expired' and whole.executed.size == 0


def test_p54_at_the_opening_and_till_the_day_is_done():
    with stage.open(live=False, gateway={'speed': 0, 'start': '2024-11-20 09:00 US/Eastern'},
                    broker={'backfill_orders': True}) as run:
        traded, missed, dormant = run.do(lambda s: [
            s.buy(size=10, tif='OPG'), s.buy(size=10, tif='OPG', exectype=Order.Limit, price=100.0),
            s.buy(size=10, tif='DTC', exectype=Order.Limit, price=100.0)])
        run.until(lambda: all('Accepted' in run.life(order) for order in (traded, missed, dormant)))
        assert [order.info['code'] for order in (traded, missed, dormant)] == [399] * 3
        go_to(run, OPENING + datetime.timedelta(seconds=20))
        run.ends(traded, 'Submitted', 'Accepted', 'Completed')
        run.ends(missed, 'Submitted', 'Accepted', 'Expired')
        assert dormant.alive()


@pytest.mark.parametrize('dataname', ['ES-202412-CME-USD-50', 'EUR.USD-CASH-IDEALPRO'])
def test_p66_a_close_order_where_tws_has_no_auction_is_refused_with_the_reason(dataname):
    with stage.open(datanames=(dataname,), live=False, broker={'backfill_orders': True}) as run:
        run.until(lambda: getattr(run.datas[0], 'tradecontract', None))
        order = run.do(lambda s: s.buy(size=20000, exectype=Order.Close))
        run.ends(order, 'Rejected')
        assert 'MOC' in order.info['message'] and run.sent() == []
