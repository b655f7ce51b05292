"""Order types, times in force and partial fills against a market whose every tick is written here."""
import pytest
from scripted import CALL, CLOSE, COIN, EURO, FUTURE, NEXT_OPEN, NOW, STOCK, Desk

from backtrader_ib_insync.simulator import stamps
from backtrader_ib_insync.simulator.records import Condition


def test_market_order_fills_at_the_touch():
    desk = Desk()
    desk.place(1, 'BUY', 100, 'MKT')
    assert desk.life(1) == ['Submitted 0', 'fill 100', 'Filled 100', 'fee']
    desk.place(2, 'SELL', 40, 'MKT')
    assert desk.fills() == [(100, 100.01), (-40, 99.99)]


def test_marketable_limit_gets_the_better_price():
    desk = Desk()
    desk.place(1, 'BUY', 100, 'LMT', 101.0)
    assert desk.fills() == [(100, 100.01)]


@pytest.mark.parametrize('action, limit, away, through', [('BUY', 99.0, 99.5, 98.5), ('SELL', 101.0, 100.5, 101.5)])
def test_resting_limit_trades_at_its_own_price_when_the_market_comes(action, limit, away, through):
    desk = Desk()
    desk.place(1, action, 10, 'LMT', limit)
    desk.print(away)
    assert not desk.fills()
    desk.print(through)
    assert desk.fills(1) == [(10 if action == 'BUY' else -10, limit)]
    assert desk.life(1) == ['Submitted 0', 'fill 10', 'Filled 10', 'fee']


@pytest.mark.parametrize('name', ['STP', 'STOP', 'STP PRT'])
def test_stop_waits_for_a_print_at_its_price_then_pays_the_touch(name):
    desk = Desk()
    on = FUTURE if name == 'STP PRT' else STOCK
    price = 5010.0 if on is FUTURE else 101.0
    desk.place(1, 'BUY', 1, name, price, on=on)
    assert desk.life(1) == ['PreSubmitted 0 trigger']
    desk.print(price, on=on)
    assert desk.life(1)[1:] == ['Submitted 0', 'fill 1', 'Filled 1', 'fee']
    assert desk.fills() == [(1, price + on.minTick)]


def test_stop_already_reached_goes_off_at_once():
    desk = Desk()
    desk.place(1, 'SELL', 1, 'STP', 100.5)
    assert desk.fills() == [(-1, 99.99)]


@pytest.mark.parametrize('name', ['STP LMT', 'STPLMT', 'STOP LIMIT'])
def test_stop_limit_is_a_limit_order_once_triggered(name):
    desk = Desk()
    desk.place(1, 'SELL', 5, name, 98.9, 99.0)
    desk.print(98.0)
    assert desk.life(1) == ['PreSubmitted 0 trigger', 'Submitted 0']
    assert desk.shown(1).orderType == 'STP LMT'
    desk.print(98.95)
    assert desk.fills() == [(-5, 98.9)]


def test_trailing_stop_follows_and_never_turns_back():
    desk = Desk()
    desk.place(1, 'SELL', 1, 'TRAIL', 1.0)
    desk.print(103.0)
    desk.print(102.5)
    assert desk.exchange.open_orders()[0][0].order.trailStopPrice == 102.0
    assert not desk.fills()
    desk.print(102.0)
    assert desk.fills() == [(-1, 101.99)]


def test_trailing_stop_by_percent_from_a_given_stop():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'TRAIL', trailingPercent=2.0, trailStopPrice=105.0)
    assert desk.exchange.open_orders()[0][0].order.trailStopPrice == 102.0
    desk.print(98.0)
    assert desk.exchange.open_orders()[0][0].order.trailStopPrice == 99.96
    desk.print(99.97)
    assert desk.fills() == [(1, 99.98)]


def test_trailing_stop_limit_moves_its_limit_along():
    desk = Desk()
    desk.place(1, 'SELL', 1, 'TRAIL LIMIT', auxPrice=1.0, lmtPrice=98.8, trailStopPrice=99.0)
    desk.place(2, 'SELL', 1, 'TRAIL LIMIT', auxPrice=1.0, lmtPriceOffset=0.1, trailStopPrice=99.0)
    desk.print(104.0)
    orders = [opened.order for opened, _ in desk.exchange.open_orders()]
    assert [(order.trailStopPrice, order.lmtPrice) for order in orders] == [(103.0, 102.8), (103.0, 102.9)]
    desk.print(102.0)
    assert desk.statuses(1)[-1] == 'Submitted'
    desk.print(102.85)
    assert desk.fills() == [(-1, 102.8)]


def test_if_touched_orders_wait_for_a_better_price():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'MIT', 99.0)
    desk.place(2, 'BUY', 1, 'LIT', 98.5, 99.0)
    desk.print(99.0)
    assert desk.fills() == [(1, 99.01)]
    assert desk.statuses(2)[-1] == 'Submitted'
    desk.print(98.5)
    assert desk.fills(2) == [(1, 98.5)]


def test_quoted_only_stop_of_a_buy_looks_at_the_bid():
    desk = Desk()
    desk.place(1, 'BUY', 20000, 'STP', 1.06, on=EURO)
    desk.print(1.06, on=EURO)
    assert not desk.fills()
    desk.print(1.06005, on=EURO)
    assert desk.fills() == [(20000, 1.0601)]


@pytest.mark.parametrize('method, prints, fires', [
    (2, [101.0], True), (3, [101.0], False), (3, [101.0, 101.0], True), (3, [101.0, 99.0, 101.0], False),
    (4, [101.0], False), (4, [101.01], True), (1, [101.01], False), (1, [101.01, 101.02], True), (7, [101.0], True),
    (8, [101.0], True)])
def test_trigger_methods(method, prints, fires):
    desk = Desk()
    desk.place(1, 'BUY', 1, 'STP', 101.0, triggerMethod=method)
    for price in prints:
        desk.print(price)
    assert bool(desk.fills()) is fires


# https://interactivebrokers.github.io/tws-api/trigger_method_limit.html
def test_the_stop_of_a_us_option_waits_for_two_quotes():
    desk = Desk()
    desk.place(1, 'SELL', 1, 'STP', 4.5, on=CALL)
    desk.print(4.4, on=CALL)
    assert not desk.fills()
    desk.print(4.3, on=CALL)
    assert len(desk.fills()) == 1


def test_on_close_orders_trade_at_the_last_price_of_the_session():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'MOC')
    desk.place(2, 'BUY', 1, 'LOC', 99.0)
    desk.print(99.5)
    assert not desk.fills()
    desk.until(CLOSE)
    assert desk.fills() == [(1, 99.5)]
    assert desk.life(2)[-2:] == ['Cancelled 0', '202']


# https://ibkr.interactiveadvisors.com/en/trading/orders/moc.php
@pytest.mark.parametrize('seconds, codes', [(301, []), (299, [201])])
def test_on_close_orders_come_in_time(seconds, codes):
    desk = Desk(now=CLOSE - seconds)
    desk.place(1, 'BUY', 1, 'MOC')
    desk.place(2, 'BUY', 1, 'LOC', 99.0)
    assert desk.codes(1) == desk.codes(2) == codes
    desk.until(CLOSE)
    assert len(desk.fills()) == (not codes)
    desk.place(3, 'BUY', 1, 'MOC')
    assert desk.life(3) == ['399', 'PreSubmitted 0']


def test_market_to_limit_rests_at_the_price_of_its_first_fill():
    desk = Desk()
    desk.scenario.partial('AAA', [30])
    desk.place(1, 'BUY', 100, 'MTL')
    assert desk.fills() == [(30, 100.01)]
    assert (desk.shown(1).orderType, desk.shown(1).lmtPrice) == ('LMT', 100.01)
    desk.print(101.0)
    assert len(desk.fills()) == 1
    desk.print(100.0)
    assert desk.fills() == [(30, 100.01), (70, 100.01)]


def test_relative_order_follows_the_bid_up_to_its_cap():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'REL', 100.5, 0.01)
    desk.place(2, 'BUY', 2, 'REL', 100.2)
    desk.place(3, 'BUY', 3, 'MIDPRICE')
    assert not desk.fills()
    desk.print(100.3)
    assert desk.fills() == [(1, 100.3), (3, 100.3)]
    desk.print(100.6)
    desk.print(100.2)
    assert desk.fills(2) == []


def test_day_order_is_cancelled_at_the_close_and_gtc_is_not():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0, tif='DAY')
    desk.place(2, 'BUY', 1, 'LMT', 90.0, tif='GTC')
    desk.place(3, 'BUY', 1, 'LMT', 90.0, outsideRth=True)
    desk.until(CLOSE)
    assert desk.life(1) == ['Submitted 0', 'Cancelled 0', '202']
    assert desk.life(2) == ['Submitted 0', 'PreSubmitted 0']
    assert desk.life(3) == ['Submitted 0']
    desk.until(NEXT_OPEN)
    assert desk.statuses(2) == ['Submitted', 'PreSubmitted', 'Submitted']
    assert desk.statuses(3)[-1] == 'Cancelled'


def test_deactivated_at_the_close():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0, tif='DTC')
    desk.until(CLOSE)
    assert desk.life(1) == ['Submitted 0', 'Inactive 0']


@pytest.mark.parametrize('text', ['20241120 10:05:00 US/Eastern', '20241120-15:05:00', '20241120 10:05:00'])
def test_good_till_date_ends_then(text):
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0, tif='GTD', goodTillDate=text)
    desk.until(NOW + 299)
    assert desk.statuses(1) == ['Submitted']
    assert desk.exchange.next_time() == NOW + 300
    desk.until(NOW + 300)
    assert desk.life(1) == ['Submitted 0', 'Cancelled 0', '202']


def test_a_tick_before_the_expiry_still_fills():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0, tif='GTD', goodTillDate='20241120-15:05:00')
    desk.market.print(STOCK, NOW + 299.9, 89.0)
    desk.market.print(STOCK, NOW + 300.1, 88.0)
    desk.until(NOW + 1000)
    assert desk.life(1) == ['Submitted 0', 'fill 1', 'Filled 1', 'fee']


def test_immediate_or_cancel():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0, tif='IOC')
    assert desk.life(1) == ['Submitted 0', 'Cancelled 0', '202']
    desk.scenario.partial('AAA', [30])
    desk.place(2, 'BUY', 100, 'MKT', tif='IOC')
    assert desk.life(2) == ['Submitted 0', 'fill 30', 'Submitted 30', 'fee', 'Cancelled 30', '202']


def test_fill_or_kill():
    desk = Desk()
    desk.scenario.partial('AAA', [30])
    desk.place(1, 'BUY', 100, 'LMT', 101.0, tif='FOK')
    assert desk.life(1) == ['Submitted 0', 'Cancelled 0', '202']
    desk.place(2, 'BUY', 100, 'LMT', 101.0, tif='FOK')
    assert desk.statuses(2)[-1] == 'Filled'


@pytest.mark.parametrize('now, codes', [(NOW, [201]), (NEXT_OPEN - 119, [201]), (NEXT_OPEN - 121, [399])])
def test_orders_for_the_open_come_in_time(now, codes):
    desk = Desk(now=now)
    desk.place(1, 'BUY', 1, 'MKT', tif='OPG')
    assert desk.codes(1) == codes


def test_on_the_open_trades_with_the_first_print():
    desk = Desk(now=CLOSE + 60)
    desk.place(1, 'BUY', 1, 'MKT', tif='OPG')
    desk.place(2, 'BUY', 1, 'LMT', 101.0, tif='OPG')
    desk.place(3, 'BUY', 1, 'LMT', 103.0, tif='OPG')
    desk.print(100.0)
    desk.market.print(STOCK, NEXT_OPEN + 1, 102.0)
    desk.until(NEXT_OPEN + 2)
    assert desk.fills() == [(1, 102.0), (1, 102.0)]
    assert desk.life(2)[-2:] == ['Cancelled 0', '202']


def test_good_after_time_holds_the_order():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'MKT', goodAfterTime='20241120 10:01:00 US/Eastern')
    assert desk.statuses(1) == ['PreSubmitted']
    desk.until(NOW + 60)
    assert desk.statuses(1)[-1] == 'Filled'


def test_order_in_a_closed_market_waits_and_says_so():
    desk = Desk(now=CLOSE + 60)
    desk.place(1, 'BUY', 7, 'MKT')
    assert desk.life(1) == ['399', 'PreSubmitted 0']
    told = desk.heard[0]
    assert told.text == ('Order Message:\nBUY 7 AAA NMS\nWarning: your order will not be placed at the exchange until '
                         '2024-11-21 09:30:00 US/Eastern')
    desk.until(NEXT_OPEN)
    assert desk.life(1)[2:] == ['Submitted 0', 'fill 7', 'Filled 7', 'fee']


def test_after_hours_only_for_who_asks_for_it():
    desk = Desk(now=CLOSE + 60)
    desk.place(1, 'BUY', 7, 'LMT', 101.0, outsideRth=True)
    desk.place(2, 'BUY', 7, 'MKT', outsideRth=True)
    assert desk.fills() == [(7, 100.01)]
    assert desk.codes(2) == [2109, 399]


def test_futures_know_no_regular_hours():
    desk = Desk(now=CLOSE + 2 * 3600 + 60)
    desk.place(1, 'BUY', 1, 'MKT', on=FUTURE)
    assert desk.fills() == [(1, 5000.25)]


@pytest.mark.parametrize('name, prices', [('STP', (4990.0,)), ('STP LMT', (4900.0, 4990.0)), ('TRAIL', (10.0,))])
def test_the_stop_of_a_future_sleeps_outside_of_regular_hours_unless_told_not_to(name, prices):
    evening = CLOSE + 3 * 3600
    desk = Desk(now=evening)
    desk.place(1, 'SELL', 1, name, *prices, on=FUTURE, tif='GTC')
    desk.place(2, 'SELL', 1, name, *prices, on=FUTURE, tif='GTC', outsideRth=True)
    desk.print(4980.0, on=FUTURE)
    assert (desk.fills(1), len(desk.fills(2))) == ([], 1)
    assert desk.codes(2) == []
    assert desk.statuses(1) == ['PreSubmitted']
    desk.until(NEXT_OPEN)
    desk.print(4970.0, on=FUTURE)
    desk.print(4960.0, on=FUTURE)
    assert len(desk.fills(1)) == 1


def test_partial_fills_come_one_at_a_chance():
    desk = Desk()
    desk.scenario.partial('AAA', [30, 20])
    desk.place(1, 'BUY', 100, 'MKT')
    desk.print(101.0)
    desk.print(102.0)
    assert desk.fills() == [(30, 100.01), (20, 101.01), (50, 101.01)]
    standing = desk.standing(1)
    assert (standing.status, standing.filled, standing.remaining) == ('Filled', 100, 0)
    assert [word for word in desk.life(1) if word.startswith(('Sub', 'Fill'))] == [
        'Submitted 0', 'Submitted 30', 'Submitted 50', 'Filled 100']


def test_liquidity_limits_a_fill_to_the_touch():
    desk = Desk()
    desk.scenario.liquidity = True
    desk.place(1, 'BUY', 2500, 'LMT', 100.01)
    assert desk.fills() == [(1000, 100.01)]


def test_all_or_none_waits_for_all():
    desk = Desk()
    desk.scenario.partial('AAA', [30])
    desk.place(1, 'BUY', 100, 'LMT', 101.0, allOrNone=True)
    assert not desk.fills()
    desk.print(100.5)
    assert desk.fills() == [(100, 101.0)]


def test_of_an_order_with_a_least_quantity_no_less_trades_first():
    desk = Desk()
    desk.scenario.partial('AAA', [30, 60, 5])
    desk.place(1, 'BUY', 100, 'LMT', 101.0, minQty=50)
    assert not desk.fills()
    desk.print(100.5)
    assert [size for size, _ in desk.fills()][:2] == [60, 5]


def test_price_condition_holds_and_releases():
    desk = Desk()
    above = Condition(1, 'a', {'isMore': True, 'price': 55.0, 'conId': 2, 'exch': 'SMART', 'triggerMethod': 0})
    desk.place(1, 'BUY', 1, 'MKT', conditions=(above,))
    assert desk.statuses(1) == ['PreSubmitted']
    desk.market.print(desk.market.by_conId(2), NOW + 5, 56.0)
    desk.advance(10)
    assert desk.statuses(1) == ['PreSubmitted', 'Submitted', 'Filled']


def test_time_condition_may_cancel():
    desk = Desk()
    later = Condition(3, 'a', {'isMore': True, 'time': '20241120 10:10:00 US/Eastern'})
    desk.place(1, 'BUY', 1, 'LMT', 90.0, conditions=(later,), conditionsCancelOrder=True)
    desk.until(NOW + 599)
    assert desk.statuses(1)[-1] != 'Cancelled'
    desk.until(NOW + 600)
    assert desk.statuses(1)[-1] == 'Cancelled'


def test_conditions_join_by_and_or():
    desk = Desk()
    no = Condition(1, 'o', {'isMore': True, 'price': 99.0, 'conId': 2, 'exch': '', 'triggerMethod': 0})
    yes = Condition(7, 'a', {'isMore': False, 'changePercent': 1.0, 'conId': 1, 'exch': ''})
    margin = Condition(4, 'a', {'isMore': True, 'percent': 50.0})
    desk.place(1, 'BUY', 1, 'MKT', conditions=(no, yes, margin))
    desk.place(2, 'BUY', 1, 'MKT', conditions=(no._replace(conjunction='a'), yes))
    traded = Condition(5, 'a', {'secType': 'STK', 'exch': 'SMART', 'symbol': 'AAA'})
    volume = Condition(6, 'a', {'isMore': True, 'volume': 50, 'conId': 1, 'exch': ''})
    desk.place(3, 'BUY', 1, 'MKT', conditions=(traded,))
    desk.place(4, 'BUY', 1, 'MKT', conditions=(volume,))
    last = [desk.statuses(number)[-1] for number in (1, 2, 3, 4)]
    assert last == ['Filled', 'PreSubmitted', 'Filled', 'PreSubmitted']
    desk.print(100.0, size=60)
    assert desk.statuses(4)[-1] == 'Filled'


def test_crypto_buy_by_cash():
    desk = Desk()
    desk.place(1, 'BUY', 0, 'MKT', cashQty=900.0, tif='IOC', on=COIN)
    (size, price), = desk.fills()
    assert price == 90000.25
    assert size == pytest.approx(900 / price, abs=1e-8)


def test_algos_are_taken_as_their_order_type():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'MKT', algoStrategy='Adaptive', algoParams=(('adaptivePriority', 'Normal'),))
    assert desk.statuses(1)[-1] == 'Filled'


def test_nothing_is_due_without_orders():
    desk = Desk()
    assert desk.exchange.next_time() is None
    assert desk.exchange.watched() == []
    desk.place(1, 'BUY', 1, 'LMT', 90.0)
    assert [one.symbol for one in desk.exchange.watched()] == ['AAA']
    assert desk.exchange.next_time() == CLOSE == stamps.parse('20241120-21:00:00', 'UTC')
