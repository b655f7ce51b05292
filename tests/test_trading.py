"""Orders over the socket: what goes out, what becomes of it, what the account says, against the gateway's ledger."""
import datetime
import os
import subprocess
import sys
import time

import backtrader as bt
import pytest

import stage
from backtrader_ib_insync import simulator
from backtrader_ib_insync.simulator import records
from backtrader_ib_insync.errors import BadParameter
from backtrader_ib_insync.ibstore import IBStore

Order = bt.Order
FULL = ('Submitted', 'Accepted', 'Completed')
#: seconds of the processor; 3.6 does not count those of one thread alone
THREAD_TIME = getattr(time, 'thread_time', time.process_time)
LIMIT = {'size': 10, 'exectype': Order.Limit, 'price': 150.0}


def rests(run, **asked):
    """A limit order that TWS works and that will not trade."""
    order = run.do(lambda s: s.buy(**dict(LIMIT, **asked)))
    run.reaches(order, 'Accepted')
    return order


def agrees(run, symbol='AAPL', data=None):
    """Position as the gateway's ledger has it."""
    run.until(lambda: run.position(data).size == run.ledger(symbol)[0])


# -- what goes out -----------------------------------------------------------------------------------------------------

def check(run, order, expected):
    """What TWS was asked last of an order is, or becomes, as expected; the rest of the names is not looked at."""
    def wire():
        sent = [asked.order for asked in run.sent() if asked.order.orderId == order.orderId]
        return sent and {name: getattr(sent[-1], name) or None for name in expected}
    try:
        run.until(lambda: wire() == expected)
    finally:
        assert wire() == expected


def test_p57_attributes_by_keyword_reach_the_wire_and_unknown_ones_raise():
    with stage.open() as run:
        order = run.do(lambda s: s.buy(size=1, transmit=False, orderType='LIT', lmtPrice=10.0, auxPrice=9.8,
                                       outsideRth=True, m_triggerMethod=2, algoStrategy='Adaptive',
                                       algoParams={'adaptivePriority': 'Normal'}, orderRef='mine'))
        check(run, order, {'orderType': 'LIT', 'lmtPrice': 10.0, 'auxPrice': 9.8, 'outsideRth': True,
                           'triggerMethod': 2, 'algoStrategy': 'Adaptive', 'orderRef': 'mine'})
        with pytest.raises(BadParameter, match='outsideRTH'):
            run.do(lambda s: s.buy(size=1, outsideRTH=True))


def test_prices_are_sent_on_the_tick_with_one_warning_a_contract():
    with stage.open() as run:
        orders = run.do(lambda s: [s.buy(size=1, exectype=Order.Limit, price=price) for price in (150.003, 150.004)])
        for order in orders:
            check(run, order, {'lmtPrice': 150.0})
        run.do(lambda s: None)
        assert sum('off the tick' in said for said in run.said) == 1


def test_a_stop_of_a_future_that_sleeps_at_night_is_worth_one_warning():
    with stage.open(datanames=('ES-202412-CME-USD-50', 'AAPL-STK-SMART-USD')) as run:
        def place(strategy, **asked):
            return strategy.sell(**dict({'size': 1, 'exectype': Order.Stop, 'price': 100.0}, **asked))
        orders = run.do(lambda s: [place(s, outsideRth=True), place(s, data=s.data1)])
        assert not any('regular trading hours' in said for said in run.said)
        orders += run.do(lambda s: [place(s), place(s, exectype=Order.StopTrail, trailamount=50.0)])
        for order in orders:
            run.reaches(order, 'Accepted')
        assert sum('ES-202412-CME-USD-50: TWS triggers the stop' in said for said in run.said) == 1


# -- how it ends -------------------------------------------------------------------------------------------------------

def test_p50_p90_p91_a_market_order_there_and_back():
    with stage.open(analyzers=[(bt.analyzers.TradeAnalyzer, {}), (bt.analyzers.Transactions, {})]) as run:
        seen = []
        run.on_order = lambda s, order: seen.append((order.status, s.position.size)) if order.executed.size else None
        bought = run.ends(run.do(lambda s: s.buy(size=100)), *FULL)
        agrees(run)
        sold = run.ends(run.do(lambda s: s.close()), *FULL)
        agrees(run)
        assert seen == [(Order.Completed, 100), (Order.Completed, 0)]
        assert bought.executed.comm == sold.executed.comm == 1.0 and bought.executed.size == 100
        assert abs(bought.executed.dt - sold.executed.dt) < 1 / 86400 * 20
        opened, closed = run.trades
        assert opened.isopen and closed.isclosed and closed.commission == 2.0
        assert closed.pnl == pytest.approx(100 * (sold.executed.price - bought.executed.price))
        run.until(lambda: run.broker.getcash() == pytest.approx(1e6 + closed.pnlcomm))
        assert run.ledger()[1]['USD'] == pytest.approx(1e6 + closed.pnlcomm)
        assert run.strategy.analyzers.tradeanalyzer.rets.total.closed == 1


def test_p07_a_resting_limit_does_not_block_and_buy_is_quick():
    with stage.open() as run:
        def many(strategy):
            spent = []
            for _ in range(200):
                begun = THREAD_TIME()
                strategy.buy(**LIMIT)
                spent.append(THREAD_TIME() - begun)
            return sorted(spent)[100]
        # the processor's time, and the best of three: what else the machine does is not asked
        assert min(run.do(many) for _ in range(3)) < 200e-6


def test_p51_partial_fills_are_partial_each_then_completed_though_statuses_repeat():
    with stage.open() as run:
        run.scenario(lambda scenario: scenario.partial('AAPL', [30, 50, 20]))
        run.scenario(lambda scenario: setattr(scenario, 'repeats', 3))
        order = run.ends(run.do(lambda s: s.buy(size=100)), 'Submitted', 'Accepted', 'Partial', 'Partial', 'Completed')
        assert [len(told.executed.getpending()) for told in run.orders] == [0, 0, 1, 1, 1]
        assert order.executed.size == 100 and run.strategy._trades[run.datas[0]][0][-1].size == 100
        agrees(run)


@pytest.mark.parametrize('order', [('commission', 'status', 'execution'), ('status', 'execution', 'commission'),
                                   ('execution', 'commission', 'status')])
def test_p51_reports_come_in_any_order_and_statuses_may_be_missing(order):
    with stage.open() as run:
        run.scenario(lambda scenario: setattr(scenario, 'report_order', order))
        run.ends(run.do(lambda s: s.buy(size=100)), *FULL)
        run.scenario(lambda scenario: setattr(scenario, 'dropped', frozenset(('Filled', 'Submitted', 'PreSubmitted'))))
        done = run.do(lambda s: s.sell(size=100))
        run.until(lambda: 'Completed' in run.life(done))
        agrees(run)


@pytest.mark.parametrize('commission, charged', [('missing', 0.0), ('sentinel', 0.0), ('unset', 0.0), ('normal', 1.0)])
def test_p52_a_commission_that_does_not_come_holds_nothing_up(commission, charged):
    with stage.open(broker={'commission_wait': 0.3}) as run:
        run.scenario(lambda scenario: setattr(scenario, 'commission', commission))
        order = run.ends(run.do(lambda s: s.buy(size=100)), *FULL)
        assert order.executed.comm == charged and run.trades[-1].commission == charged


def test_p52_a_late_commission_is_paid_by_order_and_trade():
    with stage.open(gateway={'speed': 1}, broker={'commission_wait': 0.1}) as run:
        run.scenario(lambda scenario: setattr(scenario, 'commission_delay', 1.5))
        order = run.do(lambda s: s.buy(size=100))
        assert run.ends(order, *FULL).executed.comm == 0.0
        run.until(lambda: order.executed.comm == 1.0)
        assert run.strategy._trades[run.datas[0]][0][-1].commission == 1.0


def test_p51_a_corrected_execution_replaces_the_first():
    with stage.open() as run:
        order = run.do(lambda s: s.buy(size=100))
        price = run.ends(order, *FULL).executed.price
        run.gateway.fault('correct', str(price + 1))
        run.until(lambda: order.executed.price == pytest.approx(price + 1))
        assert run.position().price == pytest.approx(price + 1)
        assert run.strategy._trades[run.datas[0]][0][-1].price == pytest.approx(price + 1)
        run.gateway.fault('bust')
        run.until(lambda: run.position().size == 0)
        agrees(run)
        assert order.executed.size == 0
        run.until(lambda: run.trades[-1].isclosed)
        assert run.trades[-1].pnl == 0 and not run.strategy._trades[run.datas[0]][0][-1].isopen


def test_p58_p60_cancelled_by_the_user_once_and_a_dead_order_is_left_alone():
    with stage.open() as run:
        order = rests(run)
        assert run.do(lambda s: s.broker.cancel(order))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')
        assert not run.do(lambda s: s.broker.cancel(order))
        run.do(lambda s: s.cancel(run.last(order)))
        assert len(run.sent('CancelOrder')) == 1
        assert order.info['code'] == 202 and run.do(lambda s: s.broker.get_orders_open()) == []


def test_p58_a_cancel_in_every_state():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        refused = run.do(lambda s: s.buy(size=10, exectype=Order.Limit, price=-1.0))
        filled = run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        assert not any(run.do(lambda s: [s.broker.cancel(order) for order in (refused, filled)]))
        # never transmitted: TWS has it in no list and says nothing
        parent, child = run.do(lambda s: hold_back(s))
        assert run.do(lambda s: s.broker.cancel(parent))
        for order in (parent, child):
            run.ends(order, 'Submitted', 'Canceled')
        run.scenario(lambda scenario: scenario.partial('AAPL', [4] + [0] * 10000))
        part = run.do(lambda s: s.buy(size=10, exectype=Order.Limit, price=300.0))
        run.reaches(part, 'Partial')
        run.scenario(lambda scenario: setattr(scenario, 'cancel_delay', 3.0))
        # the second finds the order in the middle of being cancelled: 161
        assert all(run.do(lambda s: [s.broker.cancel(part) for _ in range(2)]))
        assert run.ends(part, 'Submitted', 'Accepted', 'Partial', 'Canceled').executed.size == 4
        order = rests(run)
        run.gateway.fault('refuse', '2')
        run.gateway.fault('cut')
        run.until(lambda: not run.store.link.up)
        assert not run.do(lambda s: s.broker.cancel(order)) and order.alive()
        assert any('order {} not cancelled'.format(order.ref) in said for said in run.said)
        agrees(run)


def hold_back(strategy):
    parent = strategy.buy(transmit=False, **LIMIT)
    return parent, strategy.sell(size=10, exectype=Order.Stop, price=100.0, parent=parent, transmit=False)


def test_p58_a_fill_that_overtakes_the_cancel_wins():
    with stage.open() as run:
        run.scenario(lambda scenario: setattr(scenario, 'cancel_delay', 1.0))
        run.scenario(lambda scenario: setattr(scenario, 'pending_cancel', True))
        order = rests(run)
        run.do(lambda s: (s.broker.modify(order, price=300.0), s.cancel(order)))
        run.ends(order, *FULL)
        agrees(run)


def test_p60_expired_by_its_date_and_by_its_moment():
    with stage.open() as run:
        momentary = run.do(lambda s: s.buy(tif='IOC', **LIMIT))
        run.until(lambda: run.ended(momentary))
        assert run.life(momentary)[-1] == 'Expired'
        order = rests(run, valid=datetime.timedelta(seconds=2))
        run.ends(order, 'Submitted', 'Accepted', 'Expired')


def test_p60_margin_is_lack_of_money():
    with stage.open() as run:
        order = run.do(lambda s: s.buy(size=1000000))
        run.until(lambda: run.ended(order))
        assert run.life(order)[-1] == 'Margin' and 'MARGIN' in order.info['message']


@pytest.mark.parametrize('code', [201, 203, 321, 387, 110, 10318])
def test_p59_rejected_at_once_with_tws_s_text(code):
    with stage.open() as run:
        run.scenario(lambda scenario: scenario.refuse_next(code, 'Order rejected - reason:by request'))
        order = run.do(lambda s: s.buy(**LIMIT))
        run.ends(order, 'Submitted', 'Rejected')
        assert order.info['message'] == 'Order rejected - reason:by request' and order.info['code'] == code


def test_p59_codes_that_inform_do_not_kill():
    with stage.open() as run:
        order = rests(run)
        for code in (399, 404, 434, 2109, 10349, 10148):
            run.gateway.fault('error', str(code), str(order.orderId), 'for your information')
        run.until(lambda: len(order.info['messages']) == 6)
        time.sleep(0.3)
        assert run.life(order) == ['Submitted', 'Accepted'] and order.alive()


def test_p61_a_refused_modification_leaves_the_order_as_it_was():
    with stage.open() as run:
        order = rests(run)
        run.scenario(lambda scenario: scenario.refuse_next(105, 'Order being modified does not match', on='modify'))
        assert run.do(lambda s: s.broker.modify(order, price=151.0, size=20))
        run.until(lambda: order.info['messages'])
        run.until(lambda: order.lmtPrice == 150.0 and order.size == 10)
        assert order.alive() and run.life(order) == ['Submitted', 'Accepted']
        assert run.do(lambda s: s.broker.modify(order, price=152.0, size=20, outsideRth=True))
        check(run, order, {'lmtPrice': 152.0, 'totalQuantity': 20, 'outsideRth': True})
        assert run.do(lambda s: s.broker.modify(order, size=0)) is False
        assert order.info['message'] == 'not changed: size 0: must be above zero; buy() or sell() say the side'


def test_p61_of_several_changes_the_last_one_taken_counts():
    with stage.open() as run:
        order = rests(run)

        def change(strategy):
            for changes in ({'size': 20}, {'size': 30, 'price': 152.0, 'ocaGroup': 'late'}):
                strategy.broker.modify(order, **changes)
                # each on its own, none waits for the answer to the one before
                strategy.broker.store._release()
        run.do(change)
        run.until(lambda: order.info['code'] == 10326)
        run.until(lambda: (order.size, order.totalQuantity, order.executed.remsize) == (20, 20, 20))
        assert order.lmtPrice == order.created.price == 150.0 and not order.ocaGroup
        assert order.alive() and order.life.before is None


def test_p61_held_for_locate_is_alive():
    with stage.open() as run:
        run.scenario(lambda scenario: scenario.hard_to_borrow.add('AAPL'))
        order = run.do(lambda s: s.sell(size=10, exectype=Order.Limit, price=500.0))
        run.until(lambda: order.info['messages'])
        time.sleep(2.5)
        assert order.alive()


# -- groups ------------------------------------------------------------------------------------------------------------

def test_p53_p69_a_bracket_is_one_group_and_its_legs_are_told_each():
    with stage.open() as run:
        main, stop, limit = run.do(lambda s: s.buy_bracket(size=10, exectype=Order.Market, stopprice=100.0,
                                                           limitprice=400.0))
        run.ends(main, *FULL)
        run.reaches(limit, 'Accepted')
        sent = [asked.order for asked in run.sent()]
        assert [order.transmit for order in sent] == [False, False, True]
        assert len({order.orderId for order in sent}) == 3
        assert [order.parentId for order in sent] == [0, main.orderId, main.orderId]
        run.do(lambda s: s.broker.modify(limit, price=190.0))
        run.until(lambda: run.ended(limit) and run.ended(stop))
        assert run.life(limit)[-1] == 'Completed' and run.life(stop)[-1] == 'Canceled'
        agrees(run)


def test_p53_a_bracket_takes_every_option_that_backtraders_own_has():
    with stage.open() as run:
        legs = run.do(lambda s: s.sell_bracket(
            size=10, exectype=Order.StopLimit, price=150.0, plimit=149.5, valid=Order.DAY, tradeid=3, outsideRth=True,
            oargs={'m_triggerMethod': 2}, stopexec=Order.StopTrail, stopprice=160.0,
            stopargs={'trailamount': 5.0, 'valid': None}, limitexec=Order.Limit, limitprice=140.0,
            limitargs={'tif': 'DAY'}))
        run.reaches(legs[2], 'Accepted')
        wanted = [
            dict(action='SELL', orderType='STP LMT', auxPrice=150.0, lmtPrice=149.5, tif='DAY', triggerMethod=2),
            dict(action='BUY', orderType='TRAIL', auxPrice=5.0, trailStopPrice=165.0, tif='GTC', triggerMethod=0),
            dict(action='BUY', orderType='LMT', lmtPrice=140.0, tif='DAY', triggerMethod=0)]
        for order, sent, fields in zip(legs, [asked.order for asked in run.sent()], wanted):
            assert {name: getattr(sent, name) for name in fields} == fields
            assert sent.outsideRth and sent.orderId == order.orderId and order.tradeid == 3
        # one side of it is enough
        main, none, limit = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopexec=None, limitprice=160.0))
        run.reaches(limit, 'Accepted')
        assert none is None and [asked.order.transmit for asked in run.sent()][-2:] == [False, True]
        run.do(lambda s: s.cancel(main))
        for order in (main, limit):
            run.ends(order, 'Submitted', 'Accepted', 'Canceled')


def test_p53_a_bracket_with_a_bad_leg_is_taken_back_whole():
    with stage.open() as run:
        legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=float('nan')))
        run.until(lambda: all(run.ended(order) for order in legs))
        assert [run.life(order)[-1] for order in legs] == ['Canceled', 'Canceled', 'Rejected']
        assert 'nan' in legs[2].info['message'] and 'nan' in legs[0].info['message']


def test_p56_oco_joins_one_group_both_ways_and_a_lone_order_has_none():
    with stage.open() as run:
        lone = rests(run)
        assert not lone.ocaGroup
        first = rests(run)
        second = run.do(lambda s: s.sell(size=10, exectype=Order.Stop, price=100.0, oco=first))
        third = run.do(lambda s: s.sell(size=10, exectype=Order.Limit, price=500.0, oco=second))
        run.reaches(third, 'Accepted')
        assert second.ocaGroup and second.ocaGroup == third.ocaGroup and not lone.ocaGroup
        run.do(lambda s: s.broker.modify(third, price=150.0))
        run.ends(third, *FULL)
        run.until(lambda: run.ended(first) and run.ended(second))
        assert run.life(first)[-1] == run.life(second)[-1] == 'Canceled'
        assert lone.alive()


# -- refused here ------------------------------------------------------------------------------------------------------

def test_p66_refused_at_once_with_the_reason():
    with stage.open() as run:
        for asked, word in [({'size': 10, 'exectype': Order.Limit, 'price': float('nan')}, 'nan'),
                            ({'size': 10, 'account': 'U9'}, 'U9'),
                            ({'size': 10, 'exectype': Order.Historical}, 'exectype')]:
            order = run.do(lambda s, asked=asked: s.buy(**asked))
            assert order.status == Order.Rejected
            assert word in order.info['message']
        assert run.sent() == []


class Elsewhere(bt.feed.DataBase):
    """A feed of somebody else's, with one bar."""

    def islive(self):
        return True

    def _load(self):
        self.lines.datetime[0] = 738000 + len(self)
        for name in ('open', 'high', 'low', 'close'):
            getattr(self.lines, name)[0] = 200.0
        return len(self) < 2


def test_p66_an_order_for_a_feed_that_trades_no_contract_is_refused_with_the_reason():
    store, told = None, []

    class Buying(bt.Strategy):
        def next(self):
            told.append(self.buy(size=1))
            self.env.runstop()
    with simulator.running() as gateway:
        IBStore._singleton = None
        store = IBStore(port=gateway.port, clientId=1)
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(store.getbroker())
        cerebro.adddata(Elsewhere())
        cerebro.addstrategy(Buying)
        cerebro.run()
    assert told[0].status == Order.Rejected and 'trades no TWS contract' in told[0].info['message']


def test_p66_a_read_only_store_sends_nothing():
    with stage.open(store={'readonly': True}) as run:
        order = run.do(lambda s: s.buy(size=1))
        run.ends(order, 'Rejected')
        assert 'read-only' in order.info['message'] and run.sent() == []


def test_p83_orders_before_the_first_bar_work():
    with stage.open(datanames=('AAPL-STK-SMART-USD', 'QUIET-STK-SMART-USD'), live=False) as run:
        run.until(lambda: run.statuses.count('LIVE') == 2)
        order = run.do(lambda s: s.buy(data=s.datas[1], **dict(LIMIT, price=1.0)))
        run.reaches(order, 'Accepted')
        run.do(lambda s: s.cancel(order))
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')


# -- the account -------------------------------------------------------------------------------------------------------

def test_p63_p88_a_position_held_before_the_run_closes_as_one_trade():
    with simulator.running(messages_per_second=0) as gateway:
        def give(world):
            world.ledger.give(stage.ACCOUNT, apple(world), 10, 100.0)
        gateway.call(give)
        with stage.open(served=gateway) as run:
            assert (run.position().size, run.position().price) == (10, 100.0)
            order = run.do(lambda s: s.close())
            done = run.ends(order, *FULL)
            assert [trade.isclosed for trade in run.trades] == [True]
            assert run.trades[0].pnl == pytest.approx(10 * (done.executed.price - 100.0))
            agrees(run)


def test_p81_target_orders_send_the_right_size():
    with stage.open() as run:
        order = run.do(lambda s: s.order_target_value(target=10000.0, price=200.0))
        run.ends(order, *FULL)
        assert order.size == 50
        value = run.do(lambda s: (s.broker.getvalue([s.data]), s.position.size * s.data.close[0]))
        assert value[0] == pytest.approx(value[1])
        order = run.do(lambda s: s.order_target_value(target=0.0))
        run.ends(order, *FULL)
        assert run.position().size == 0


def test_p82_the_broker_has_what_shared_scripts_call():
    with stage.open() as run:
        run.do(lambda s: s.broker.set_cash(5))
        assert run.broker.get_cash() == run.broker.getcash() == run.broker.cash == 1e6
        assert run.broker.get_value() == run.broker.value == run.broker.startingvalue == 1e6
        assert run.do(lambda s: s.positions[s.data].size) == 0 and len(run.broker.positions) == 1
        assert run.broker.get_orders_open() == [] and run.broker.fundvalue == 1e6
        order = rests(run)
        assert run.broker.get_orders_open(safe=True) == [order]


def test_p64_two_accounts_are_kept_apart():
    with stage.open(gateway={'accounts': ('U1', 'U2')}, broker={'account': 'U2'}) as run:
        mine = run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        other = run.ends(run.do(lambda s: s.buy(size=7, account='U1')), *FULL)
        assert (mine.account, other.account) == ('U2', 'U1')
        assert run.position().size == 10 == run.ledger(account='U2')[0] and run.ledger(account='U1')[0] == 7
        run.until(lambda: run.broker.getcash() == pytest.approx(run.ledger(account='U2')[1]['USD']))


def test_p65_a_future_s_profit_has_its_multiplier_and_a_user_s_commission_info_wins():
    with stage.open(datanames=('ES-202412-CME-USD-50',), gateway={'speed': 10}) as run:
        bought = run.ends(run.do(lambda s: s.buy(size=2)), *FULL)
        assert run.position().price == pytest.approx(bought.executed.price)
        sold = run.ends(run.do(lambda s: s.close()), *FULL)
        assert run.trades[-1].pnl == pytest.approx(2 * 50 * (sold.executed.price - bought.executed.price))
        info = run.broker.getcommissioninfo(run.datas[0])
        assert info is run.broker.getcommissioninfo(run.datas[0]) and info.p.mult == 50
        run.broker.setcommission(mult=7.0, name=run.datas[0]._name)
        assert run.broker.getcommissioninfo(run.datas[0]).p.mult == 7.0


def test_whatif_tells_margin_and_commission_and_places_nothing():
    with stage.open() as run:
        state = run.do(lambda s: s.broker.whatif(s.data, 100))
        assert float(state.initMarginChange) > 0 and state.commission == 1.0
        order = run.do(lambda s: s.buy(size=100, whatif=True))
        assert order.info['whatif'].commission == 1.0 and run.broker.get_orders_open() == []
        assert run.ledger()[0] == 0


# -- what others do, and what happened while we were away --------------------------------------------------------------

def apple(world):
    return world.market.find(records.Contract(symbol='AAPL', secType='STK', exchange='SMART', currency='USD'))[0]


def by_hand(world, size, account=stage.ACCOUNT):
    instrument = apple(world)
    order = records.Order(action='BUY' if size > 0 else 'SELL', totalQuantity=abs(size), orderType='MKT',
                          account=account, tif='DAY')
    world.exchange.enter_by_hand(world.now, order, instrument.contract, instrument)


def test_p62_a_fill_by_hand_moves_the_position():
    with stage.open() as run:
        run.gateway.call(lambda world: by_hand(world, 25))
        run.until(lambda: run.position().size == 25)
        run.ends(run.do(lambda s: s.close()), *FULL)
        agrees(run)


def test_p62_a_master_client_hears_of_the_orders_of_others_and_mixes_nothing_up():
    with stage.open(gateway={'master': 1}) as run:
        order = rests(run)

        def foreign(world):
            instrument = apple(world)
            # orders of another client, under ids of ours
            for number, asked in enumerate((dict(orderType='MKT'), dict(orderType='LMT', lmtPrice=100.0))):
                world.exchange.place(world.now, 2, records.Order(
                    orderId=order.orderId + number, action='BUY', totalQuantity=7, account=stage.ACCOUNT, **asked),
                    instrument.contract, instrument)
            world.exchange.cancel(world.now, 2, order.orderId + 1)
        run.gateway.call(foreign)
        run.until(lambda: run.position().size == 7)
        run.ends(run.do(lambda s: s.buy(size=3)), *FULL)
        agrees(run)
        assert run.life(order) == ['Submitted', 'Accepted'] and order.alive()


def test_p67_a_fill_made_while_the_link_was_cut_is_told_once():
    with stage.open(store={'reconnect': -1, 'timeout': 0.2}) as run:
        order = rests(run)
        run.gateway.fault('cut')
        run.gateway.fault('refuse', '2')
        run.until(lambda: not run.store.link.up)
        refused = run.do(lambda s: s.buy(size=1))
        run.ends(refused, 'Rejected')
        run.gateway.call(lambda world: fill_now(world, order.orderId))
        run.ends(order, *FULL)
        agrees(run)


def fill_now(world, orderId, price=400.0):
    """TWS itself makes an order marketable, as somebody at its window would."""
    ticket = world.exchange._book.find(1, orderId)
    world.exchange.place(world.now, 1, ticket.order.replace(lmtPrice=price), ticket.contract, ticket.instrument)


def test_p67_p68_p10_a_second_run_adopts_what_the_first_left():
    with simulator.running(messages_per_second=0) as gateway:
        with stage.open(served=gateway) as run:
            run.scenario(lambda scenario: scenario.partial('AAPL', [40, 0]))
            half = run.do(lambda s: s.buy(size=100, exectype=Order.Limit, price=300.0))
            run.reaches(half, 'Partial')
            run.scenario(lambda scenario: scenario.partial('AAPL', [0] * 100000))
            legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0))
            run.reaches(legs[2], 'Accepted')
            first_ids = {order.orderId for order in run.broker.get_orders_open()}
        with stage.open(served=gateway) as run:
            adopted = run.until(lambda: len(run.broker.get_orders_open()) == 4 and run.broker.get_orders_open())
            assert {order.orderId for order in adopted} == first_ids
            rest = [order for order in adopted if order.totalQuantity == 100][0]
            run.reaches(rest, 'Partial')
            assert run.life(rest) == ['Accepted', 'Partial'] and rest.executed.size == 40
            assert run.position().size == 40 and run.trades[-1].size == 40
            new = rests(run)
            assert new.orderId not in first_ids
            run.do(lambda s: [s.cancel(order) for order in adopted])
            run.until(lambda: run.broker.get_orders_open() == [new])
            assert run.life(rest)[-1] == 'Canceled'
            agrees(run)


CRASHING = '''
import os, sys
import stage, test_trading
from backtrader_ib_insync import simulator
class Served:
    port = int(sys.argv[1])
run = stage.Run(Served)
run.start()
half = run.do(lambda s: s.buy(size=100, exectype=test_trading.Order.Limit, price=300.0))
run.reaches(half, 'Partial')
legs = run.do(lambda s: s.buy_bracket(size=10, price=150.0, stopprice=100.0, limitprice=400.0))
run.reaches(legs[2], 'Accepted')
os.kill(os.getpid(), 9)
'''


def test_p67_p68_a_killed_process_finds_its_orders_and_is_told_what_it_missed():
    with simulator.running(messages_per_second=0) as gateway:
        gateway.call(lambda world: world.exchange.scenario.partial('AAPL', [40] + [0] * 10000))
        here = os.path.dirname(os.path.abspath(__file__))
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([here, os.path.dirname(here)]))
        done = subprocess.run([sys.executable, '-c', CRASHING, str(gateway.port)], env=environment, timeout=60)
        assert done.returncode == -9
        gateway.wait(lambda world: not world.clients)
        # at once: between two calls a tick could fill the rest
        gateway.call(lambda world: (world.exchange.scenario._partials.clear(),
                                    world.exchange.scenario.partial('AAPL', [25] + [0] * 10000)))
        gateway.call(lambda world: fill_now(world, 1))
        with stage.open(served=gateway) as run:
            adopted = run.until(lambda: len(run.broker.get_orders_open()) == 4 and run.broker.get_orders_open())
            rest = [order for order in adopted if order.totalQuantity == 100][0]
            run.until(lambda: run.life(rest) == ['Accepted', 'Partial', 'Partial'])
            assert rest.executed.size == 65 == run.position().size == run.trades[-1].size + 25
            run.do(lambda s: [s.cancel(order) for order in adopted])
            run.until(lambda: not run.broker.get_orders_open())
            assert {run.life(order)[-1] for order in adopted} == {'Canceled'}
            agrees(run)


def test_p69_five_hundred_orders_in_one_next_are_all_sent_under_their_own_ids_at_the_rate_tws_allows():
    with stage.open(gateway={'messages_per_second': 50}) as run:
        orders = run.do(lambda s: [s.buy(**LIMIT) for _ in range(500)])
        assert len({order.orderId for order in orders}) == 500
        run.until(lambda: len(run.sent()) == 500, 30)
        run.until(lambda: all(order.status == Order.Accepted for order in orders), 30)
        assert [sent.orderId for sent in run.sent()] == [order.orderId for order in orders]
        assert not any(said.startswith('100 ') for said in run.said)
        assert run.gateway.call(lambda world: len(world.exchange.open_orders())) == 500


def test_p95_after_the_run_the_account_still_answers():
    with stage.open() as run:
        run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
    assert run.position().size == 10 and run.broker.getcash() > 0 and run.broker.getvalue() > 0
