"""What an order may carry besides its price and its end: conditions, algorithms, groups, cash, hours, market rules."""
import datetime
import importlib

import backtrader as bt
import pytest
from test_trading import FULL, agrees, check, rests

import stage
from backtrader_ib_insync import insync, simulator

Order = bt.Order
BITCOIN = 'BTC-CRYPTO-PAXOS-USD'


def library():
    return importlib.import_module(insync.LIBRARY)


def test_p57_conditions_hold_an_order_till_they_are_met():
    with stage.open() as run:
        conId = run.datas[0].tradecontract.conId
        far, near = (library().PriceCondition(conId=conId, exch='SMART', isMore=True, price=price)
                     for price in (10000.0, 1.0))
        waiting = run.do(lambda s: s.buy(size=10, conditions=[far]))
        run.reaches(waiting, 'Accepted')
        condition, = run.sent()[-1].order.conditions
        assert (condition.kind, condition.fields['conId'], condition.fields['price']) == (1, conId, 10000.0)
        assert run.life(waiting) == ['Submitted', 'Accepted'] and run.ledger()[0] == 0
        assert run.do(lambda s: s.broker.modify(waiting, conditions=[near]))
        run.ends(waiting, *FULL)
        agrees(run)


def test_p57_an_order_can_be_cancelled_by_its_condition():
    with stage.open() as run:
        condition = library().TimeCondition(isMore=True, time='20241120-15:00:03')
        order = rests(run, conditions=[condition], conditionsCancelOrder=True)
        run.ends(order, 'Submitted', 'Accepted', 'Canceled')


def test_p57_algorithms_go_out_with_their_parameters():
    with stage.open() as run:
        order = run.do(lambda s: s.buy(size=10, algoStrategy='Twap', algoParams=[('strategyType', 'Marketable'),
                                                                                ('allowPastEndTime', 1)]))
        check(run, order, {'algoStrategy': 'Twap',
                           'algoParams': (('strategyType', 'Marketable'), ('allowPastEndTime', '1'))})
        run.ends(order, *FULL)


def test_p57_outside_regular_hours_a_limit_order_trades_when_told_so():
    with stage.open(gateway={'start': '2024-11-20 08:00 US/Eastern', 'speed': 10}) as run:
        inside = rests(run, price=400.0)
        outside = run.do(lambda s: s.buy(size=10, exectype=Order.Limit, price=400.0, outsideRth=True))
        run.ends(outside, *FULL)
        check(run, outside, {'outsideRth': True})
        assert inside.alive() and inside.info['code'] == 399
        market = run.do(lambda s: s.buy(size=10, outsideRth=True))
        run.reaches(market, 'Accepted')
        assert [message.split()[0] for message in market.info['messages']] == ['2109', '399'] and market.alive()


def test_p66_the_attributes_of_an_order_that_was_refused_here_are_blank_but_there():
    def logs(strategy, order):
        logged.append((order.orderId, order.m_permId, order.orderRef, order.m_lmtPrice > 1e300, order.m_action))
    logged = []
    with stage.open(hooks={'on_order': logs}) as run:
        order = run.do(lambda s: s.buy(size=10, exectype=Order.Limit, price=float('nan')))
        run.ends(order, 'Rejected')
        assert logged == [(0, 0, '', True, '')] and 'nan' in order.info['message']
        assert not hasattr(order, 'no_such')


def executions(run, order):
    """[(account, size, price, commission)] of an order, as the gateway has them."""
    return run.gateway.call(lambda world: [
        (fill.execution.account, fill.execution.shares, fill.execution.price, fill.report.commission)
        for fill in world.exchange.executions() if fill.execution.permId == order.permId])


def test_p57_p64_an_order_for_a_group_of_accounts_is_filled_in_each():
    with stage.open(gateway={'accounts': ('U1', 'U2'), 'groups': {'Both': ['U1', 'U2']}}) as run:
        order = run.ends(run.do(lambda s: s.buy(size=10, faGroup='Both', faMethod='EqualQuantity')),
                         'Submitted', 'Accepted', 'Partial', 'Completed')
        check(run, order, {'faGroup': 'Both', 'account': None})
        made = executions(run, order)
        assert [(account, size) for account, size, _, _ in made] == [('U1', 5), ('U2', 5)]
        assert order.executed.size == 10
        assert order.executed.price == pytest.approx(sum(size * price for _, size, price, _ in made) / 10)
        assert order.executed.comm == pytest.approx(sum(paid for _, _, _, paid in made)) != 0
        assert run.position().size == 5 == run.ledger(account='U1')[0] == run.ledger(account='U2')[0]
        run.ends(run.do(lambda s: s.sell(size=10, faGroup='Both', faMethod='EqualQuantity')),
                 'Submitted', 'Accepted', 'Partial', 'Completed')
        assert run.position().size == 0 == run.ledger(account='U1')[0] == run.ledger(account='U2')[0]
        assert run.trades[-1].isclosed and run.trades[-1].size == 0


def test_p57_p64_an_order_for_a_profile_is_shared_out_as_one_for_a_group():
    with stage.open(gateway={'accounts': ('U1', 'U2'), 'groups': {'Even': ['U1', 'U2']}}) as run:
        order = run.ends(run.do(lambda s: s.buy(size=4, faProfile='Even')),
                         'Submitted', 'Accepted', 'Partial', 'Completed')
        check(run, order, {'faProfile': 'Even', 'account': None})
        assert order.executed.size == 4 and run.position().size == 2 == run.ledger(account='U2')[0]
        unknown = run.do(lambda s: s.buy(size=4, faProfile='Odd'))
        run.ends(unknown, 'Submitted', 'Rejected')
        assert 'Odd' in unknown.info['message']


def test_p57_p64_a_group_without_the_brokers_own_account_completes_and_leaves_its_position():
    with stage.open(gateway={'accounts': ('U1', 'U2', 'U3'), 'groups': {'Clients': ['U2', 'U3']}}) as run:
        order = run.ends(run.do(lambda s: s.buy(size=9, faGroup='Clients', faMethod='EqualQuantity')),
                         'Submitted', 'Accepted', 'Partial', 'Completed')
        assert order.executed.size == 9
        assert order.executed.comm == pytest.approx(sum(paid for _, _, _, paid in executions(run, order)))
        assert run.position().size == 0 == run.ledger(account='U1')[0]
        contract = run.datas[0].tradecontract
        assert {account: run.broker.accounts.position(contract, account).size for account in ('U2', 'U3')} == {
            'U2': 5, 'U3': 4}


def test_p89_coins_are_bought_by_cash_and_sold_to_exactly_flat():
    with stage.open(datanames=(BITCOIN,), gateway={'speed': 10}) as run:
        bought = run.do(lambda s: s.buy(size=0.1))
        run.until(lambda: run.ended(bought))
        sent = run.sent()[-1].order
        assert sent.cashQty == pytest.approx(0.1 * run.do(lambda s: s.data.close[0]), rel=0.01)
        assert not sent.totalQuantity and sent.tif == 'IOC'
        assert run.life(bought) == list(FULL)
        size = run.ledger('BTC')[0]
        assert run.position().size == bought.executed.size == size != int(size)
        sold = run.ends(run.do(lambda s: s.close()), *FULL)
        assert sold.executed.size == -size and run.position().size == 0 == run.ledger('BTC')[0]
        assert run.trades[-1].isclosed
        asked = run.do(lambda s: s.buy(size=1, cashQty=500.0))
        run.until(lambda: run.ended(asked))
        check(run, asked, {'cashQty': 500.0})
        assert run.ledger('BTC')[0] * run.do(lambda s: s.data.close[0]) == pytest.approx(500.0, rel=0.01)
        part = run.do(lambda s: s.sell(size=0.001, exectype=Order.Limit, price=1000.0))
        run.until(lambda: run.ended(part))
        assert part.executed.size == -0.001


def test_prices_keep_to_the_market_rule_that_holds_at_them():
    with stage.open(datanames=('AAPL-20241220-SMART-USD-200-CALL',), live=False,
                    broker={'backfill_orders': True}) as run:
        run.until(lambda: getattr(run.datas[0], 'tradecontract', None))
        run.until(lambda: run.store.link.rules)
        low, high = run.do(lambda s: [s.buy(size=1, exectype=Order.Limit, price=price) for price in (1.234, 5.034)])
        for order, price in ((low, 1.23), (high, 5.05)):
            check(run, order, {'lmtPrice': price})
            run.reaches(order, 'Accepted')
        assert run.do(lambda s: s.broker.modify(high, price=5.013))
        run.until(lambda: high.lmtPrice == 5.0)
        run.do(lambda s: None)
        assert sum('off the tick' in said for said in run.said) == 1


@pytest.mark.parametrize('asked', [{'valid': True}, {'tif': 'GTD', 'goodTillDate': True}])
def test_p54_p60_p68_an_order_adopted_with_its_date_expires(asked):
    with simulator.running(messages_per_second=0) as gateway:
        date = datetime.datetime.fromtimestamp(gateway.now() + 7.0, datetime.timezone.utc)
        given = {'valid': date, 'goodTillDate': date.strftime('%Y%m%d-%H:%M:%S')}
        told = {name: given.get(name, value) for name, value in asked.items()}
        with stage.open(served=gateway) as run:
            rests(run, **told)
        with stage.open(served=gateway) as run:
            adopted, = run.until(run.broker.get_orders_open)
            assert bt.num2date(adopted.valid).strftime('%H:%M:%S') == date.strftime('%H:%M:%S')
            run.ends(adopted, 'Accepted', 'Expired')


def test_p68_an_adopted_date_without_a_zone_is_the_exchanges():
    with simulator.running(messages_per_second=0) as gateway:
        with stage.open(served=gateway) as run:
            rests(run, tif='GTD', goodTillDate='20241120 15:00:00')
        with stage.open(served=gateway, feed={'tz': 'Asia/Tokyo'}) as run:
            adopted, = run.until(run.broker.get_orders_open)
            assert bt.num2date(adopted.valid) == datetime.datetime(2024, 11, 20, 20)


def test_p54_p60_an_order_with_a_date_of_its_own_expires():
    with stage.open(gateway={'speed': 1}) as run:
        date = datetime.datetime.fromtimestamp(run.gateway.now() + 3.0, datetime.timezone.utc)
        order = rests(run, tif='GTD', goodTillDate=date.strftime('%Y%m%d-%H:%M:%S'))
        run.ends(order, 'Submitted', 'Accepted', 'Expired')
