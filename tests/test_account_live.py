"""What the strategy knows of the account, and what it may do when: against the gateway's ledger, over the socket."""
import datetime
import logging

import backtrader as bt
import pytest
from helpers import run
from test_trading import FULL, LIMIT, agrees, apple, by_hand, rests

import stage
from backtrader_ib_insync import simulator
from backtrader_ib_insync.simulator import records

Order = bt.Order
FUTURE = 'ES-202412-CME-USD-50'


def there_and_back(run):
    """Long, less, over to short, flat, each at a bar of its own: backtrader's analyzers merge what one bar has seen."""
    for side, size in (('buy', 100), ('sell', 40), ('sell', 100), ('buy', 40)):
        run.ends(run.do(lambda s, side=side, size=size: getattr(s, side)(size=size)), *FULL)
        bars = run.bars
        run.until(lambda bars=bars: run.bars > bars)


def realized(run):
    """What TWS said that each order has earned."""
    orders = {order.ref: order for order in run.orders}
    return [order.info['realizedPNL'] for order in orders.values() if 'realizedPNL' in order.info]


@pytest.mark.parametrize('dataname, symbol', [('AAPL-STK-SMART-USD', 'AAPL'), (FUTURE, 'ES')])
def test_p50_p91_analyzers_come_to_what_the_ledger_says(dataname, symbol):
    analyzers = [(bt.analyzers.TradeAnalyzer, {}), (bt.analyzers.Transactions, {}), (bt.analyzers.PyFolio, {})]
    with stage.open(datanames=(dataname,), gateway={'cash': 1e8, 'speed': 5}, analyzers=analyzers) as run:
        there_and_back(run)
        agrees(run, symbol)
        executions = run.gateway.call(lambda world: [fill.execution for fill in world.exchange.executions()])
        reported = run.gateway.call(lambda world: [fill.report.realizedPNL for fill in world.exchange.executions()])
        run.until(lambda: sum(realized(run)) == pytest.approx(sum(pnl for pnl in reported if pnl is not None)))
        earned = run.ledger(symbol)[1]['USD'] - 1e8
        run.until(lambda: run.broker.getcash() == pytest.approx(1e8 + earned))
    found = run.strategy.analyzers.tradeanalyzer.get_analysis()
    assert found.total.closed == 2 and not found.total.open
    assert found.pnl.net.total == pytest.approx(earned) == sum(trade.pnlcomm for trade in run.trades if trade.isclosed)
    ledger = [(execution.shares if execution.side == 'BOT' else -execution.shares, execution.price)
              for execution in executions]
    for name in ('transactions', 'pyfolio'):
        analyzer = getattr(run.strategy.analyzers, name).get_analysis()
        rows = [row for rows in analyzer.get('transactions', analyzer).values() for row in rows if row[0] != 'amount']
        assert sum(amount for amount, *_ in rows) == 0
        assert sum(amount * price for amount, price, *_ in rows) == pytest.approx(
            sum(amount * price for amount, price in ledger))


def test_p65_p81_the_value_of_a_future_s_position_has_its_multiplier():
    with stage.open(datanames=(FUTURE,), gateway={'speed': 10}) as run:
        run.ends(run.do(lambda s: s.sell(size=2)), *FULL)
        value, close = run.do(lambda s: (s.broker.getvalue([s.data]), s.data.close[0]))
        assert value == pytest.approx(-2 * 50 * close)
        assert run.do(lambda s: s.broker.getvalue(datas=[])) == 0


def test_p81_the_value_of_a_position_that_two_feeds_trade_counts_once():
    with stage.open(datanames=('AAPL-STK-SMART-USD', 'MSFT-STK-SMART-USD', 'AAPL-STK-SMART-USD')) as run:
        for place, size in enumerate((10, 20)):
            run.ends(run.do(lambda s, place=place, size=size: s.buy(data=s.datas[place], size=size)), *FULL)
        first, second, both = run.do(lambda s: [s.broker.getvalue(datas) for datas in (
            s.datas[:1], s.datas[1:2], s.datas)])
        assert both == pytest.approx(first + second, rel=1e-3) and first > 0 and second > 0


# -- at the start ------------------------------------------------------------------------------------------------------

def test_p63_p82_the_account_is_known_when_strategies_start():
    seen = []

    def on_start(strategy):
        broker = strategy.broker
        seen.append((broker.startingcash, broker.startingvalue, broker.getcash(), strategy.position.size))
    with simulator.running(messages_per_second=0) as gateway:
        gateway.call(lambda world: world.ledger.give(stage.ACCOUNT, apple(world), 10, 100.0))
        with stage.open(served=gateway, hooks={'on_start': on_start}) as run:
            cash = run.ledger()[1]['USD']
    (starting, value, now, held), = seen
    assert starting == now == cash and value > cash and held == 10


def test_p02_a_gateway_that_is_not_there_holds_the_start_up_for_a_bounded_time(monkeypatch):
    from backtrader_ib_insync import ibbroker, ibdata
    monkeypatch.setattr(ibbroker, 'START_SECONDS', 0.3)
    monkeypatch.setattr(ibdata, 'START_SECONDS', 0.3)
    with simulator.running(messages_per_second=0) as gateway:
        gateway.fault('refuse', '3')
        seen = []
        with stage.open(served=gateway, live=False, store={'reconnect': -1, 'timeout': 0.2},
                        hooks={'on_start': lambda strategy: seen.append(strategy.broker.startingcash)}) as run:
            assert seen == [0.0]
            assert run.broker.startingcash == 1e6 == run.broker.startingvalue


def test_p63_p82_so_it_is_when_tws_takes_long_to_tell_all(monkeypatch):
    from backtrader_ib_insync import ibbroker, synchroniser
    monkeypatch.setattr(ibbroker, 'START_SECONDS', 1.5)
    monkeypatch.setattr(synchroniser, 'STEP_SECONDS', 3.0)
    seen = []
    with simulator.running(messages_per_second=0) as gateway:
        gateway.call(lambda world: world.ledger.give(stage.ACCOUNT, apple(world), 10, 100.0))
        gateway.fault('drop', 'CompletedOrdersEnd')
        feed = {'timeframe': bt.TimeFrame.Seconds, 'compression': 5}
        with stage.open(served=gateway, feed=feed, live=False, analyzers=[(bt.analyzers.PyFolio, {})], hooks={
                'on_start': lambda strategy: seen.append((strategy.broker.startingcash, strategy.position.size))}):
            assert seen == [(1e6, 10)]


# -- orders from everywhere (P83) --------------------------------------------------------------------------------------

def test_p83_orders_from_start_notify_store_notify_data_and_a_timer():
    placed = {}

    def place(where):
        def hook(strategy, *told):
            if where not in placed:
                placed[where] = strategy.buy(**LIMIT)
        return hook
    hooks = {name: place(name) for name in ('on_start', 'on_store', 'on_data', 'on_timer')}
    hooks['on_init'] = lambda strategy: strategy.add_timer(when=bt.timer.SESSION_START, cheat=True)
    with stage.open(broker={'backfill_orders': True}, hooks=hooks) as run:
        run.until(lambda: len(placed) == 4)
        for order in placed.values():
            run.reaches(order, 'Accepted')
            assert run.life(order) == ['Submitted', 'Accepted']


def test_p83_before_its_feed_is_live_an_order_is_refused_with_the_reason():
    placed = []
    with stage.open(hooks={'on_start': lambda strategy: placed.append(strategy.buy(**LIMIT))}) as run:
        run.ends(placed[0], 'Rejected')
        assert 'history' in placed[0].info['message'] and not run.sent()


def test_p66_a_script_that_buys_at_each_bar_of_history_is_warned_once_a_feed_and_catching_up(
        make_gateway, store, caplog):
    gateway = make_gateway(speed=60.0)
    made = store(gateway, reconnect=-1, timeout=0.1)
    faults = [('cut',), ('refuse', '240')]

    def act(strategy):
        strategy.buy(size=1, exectype=Order.Limit, price=1.0)
        while strategy.is_live() and faults:
            gateway.fault(*faults.pop())
    begin = datetime.datetime.fromtimestamp(gateway.now() - 1200, datetime.timezone.utc)
    with caplog.at_level(logging.DEBUG, 'backtrader_ib_insync.order_desk'):
        run(made.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes, fromdate=begin, tz='UTC'),
            broker=made.getbroker(), act=act, until=lambda strategy: strategy.statuses[0].count('LIVE') == 2)
    told = weights(caplog)
    assert told[0] == logging.WARNING and told.count(logging.WARNING) == 2 and told.count(logging.DEBUG) > 15


def test_p66_p68_an_order_at_work_is_not_moved_by_bars_of_the_past(make_gateway, store):
    gateway = make_gateway()
    with stage.open(served=gateway) as first:
        order = first.do(lambda s: s.sell(size=10, exectype=Order.Stop, price=150.0))
        first.reaches(order, 'Accepted')
    made, asked = store(gateway), []

    def act(strategy):
        for adopted in strategy.broker.get_orders_open():
            changed = strategy.broker.modify(adopted, price=strategy.data.close[0] - 50.0)
            asked.append((strategy.is_live(), changed, adopted.auxPrice, len(adopted.info['messages'])))
    begin = datetime.datetime.fromtimestamp(gateway.now() - 1200, datetime.timezone.utc)
    run(made.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Ticks, fromdate=begin, tz='UTC'),
        broker=made.getbroker(), act=act, until=lambda strategy: any(changed for _, changed, _, _ in asked))
    late = [one for one in asked if not one[0]]
    assert len(late) > 1 and set(late) == {(False, False, 150.0, 1)}
    assert asked[-1][:2] == (True, True)


def weights(caplog):
    return [record.levelno for record in caplog.records if 'still delivers history' in record.getMessage()]


# -- others trade as well ----------------------------------------------------------------------------------------------

def test_p62_what_a_second_client_and_people_do_moves_the_position_and_breaks_nothing():
    with stage.open() as run:
        own = rests(run)

        def place(world, clientId, orderId, size):
            instrument = apple(world)
            order = records.Order(orderId=orderId, action='BUY', totalQuantity=size, orderType='MKT', tif='DAY',
                                  account=stage.ACCOUNT, orderRef='theirs')
            world.exchange.place(world.now, clientId, order, instrument.contract, instrument)
        run.gateway.call(lambda world: place(world, 7, own.orderId, 30))
        run.until(lambda: run.position().size == 30)
        run.gateway.call(lambda world: by_hand(world, -10))
        run.until(lambda: run.position().size == 20)
        assert run.life(own) == ['Submitted', 'Accepted'] and run.broker.get_orders_open() == [own]
        done = run.ends(run.do(lambda s: s.close()), *FULL)
        assert done.executed.size == -20 and run.position().size == 0
        run.until(lambda: any('position in AAPL is 20 now' in said for said in run.said))
        # held by others' doing, it closes as one trade of ours (P88)
        assert run.trades[-1].isclosed and len({trade.ref for trade in run.trades}) == 1


def test_p62_client_0_hears_of_orders_by_hand_and_leaves_them_alone():
    with stage.open(store={'clientId': 0}) as run:
        def limit_by_hand(world):
            instrument = apple(world)
            order = records.Order(action='BUY', totalQuantity=5, orderType='LMT', lmtPrice=150.0, tif='DAY',
                                  account=stage.ACCOUNT)
            return world.exchange.enter_by_hand(world.now, order, instrument.contract, instrument)
        permId = run.gateway.call(limit_by_hand)
        own = rests(run)
        run.gateway.call(lambda world: by_hand(world, 25))
        run.until(lambda: run.position().size == 25)
        assert any('not of this broker: BOT 25 AAPL' in said for said in run.said)
        assert run.broker.get_orders_open() == [own] and {order.ref for order in run.orders} == {own.ref}
        run.gateway.call(lambda world: world.exchange.cancel_by_hand(world.now, permId))
        run.ends(run.do(lambda s: s.close()), *FULL)
        agrees(run)


def test_p60_an_order_cancelled_by_hand_in_tws_is_canceled():
    with stage.open() as run:
        order = rests(run)
        run.until(lambda: order.permId)
        run.gateway.call(lambda world: world.exchange.cancel_by_hand(world.now, order.permId))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')


def test_p64_an_account_that_only_orders_name_keeps_its_positions_to_itself():
    with stage.open(gateway={'accounts': ('U1', 'U2')}) as run:
        run.ends(run.do(lambda s: s.buy(size=7, account='U2')), *FULL)
        assert run.position().size == 0 == run.ledger(account='U1')[0] and run.ledger(account='U2')[0] == 7
        contract = run.datas[0].tradecontract
        assert run.broker.accounts.position(contract, 'U2').size == 7
        run.until(lambda: run.broker.accounts.cash('U2') == pytest.approx(run.ledger(account='U2')[1]['USD']))
        run.ends(run.do(lambda s: s.sell(size=7, account='U2')), *FULL)
        assert run.trades[-1].isclosed


# -- leaving -----------------------------------------------------------------------------------------------------------

def test_p69_what_is_ordered_in_the_last_moment_is_sent_before_tws_is_left():
    with simulator.running() as gateway:
        with stage.open(served=gateway) as run:
            run.do(lambda s: [s.buy(**LIMIT) for _ in range(60)])
        assert gateway.call(lambda world: len(world.exchange.open_orders())) == 60
