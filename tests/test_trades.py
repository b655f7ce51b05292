"""The trades that strategies are told of come to what the account holds, over the socket."""
import backtrader as bt
import pytest
from test_trading import FULL, apple, by_hand

import stage
from backtrader_ib_insync import simulator
from backtrader_ib_insync.fills import Fills
from backtrader_ib_insync.insync import Contract
from backtrader_ib_insync.messages import Commission, Execution

Order = bt.Order
NOTHING = [0] * 10000
COIN = 'BTC-CRYPTO-PAXOS-USD'


def open_size(run):
    """What the open trades of the run sum up to."""
    return sum(trade.size for by_id in run.strategy._trades.values() for listed in by_id.values()
               for trade in listed if trade.isopen)


def flat(run, closed):
    """All is flat, after so many trades were told as closed."""
    assert run.position().size == open_size(run) == 0
    assert sum(trade.isclosed for trade in run.trades) == closed
    assert sum(trade.justopened for trade in run.trades) <= closed


# -- what others do to a position --------------------------------------------------------------------------------------

@pytest.mark.parametrize('size, earned', [(-4, 6), (-10, None), (10, 20), (-15, -5)])
@pytest.mark.parametrize('quick', [True, False])
def test_p62_a_trade_of_ours_in_what_others_trade_as_well_ends_when_the_position_does(size, earned, quick):
    analyzers = [(bt.analyzers.TradeAnalyzer, {})]
    with stage.open(analyzers=analyzers, broker={'quicknotify': quick}) as run:
        bought = run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        run.until(lambda: run.trades)
        run.gateway.call(lambda world: by_hand(world, size))
        run.until(lambda: run.position().size == 10 + size)
        price = run.position().price
        if 10 + size:
            closed = run.ends(run.do(lambda s: s.close()), *FULL)
            run.until(lambda: run.trades[-1].isclosed)
            entry = bought.executed.price if 0 < 10 + size < 10 else price
            assert run.trades[-1].pnl == pytest.approx(earned * (closed.executed.price - entry))
        # the next trade is a new one, as ever
        run.ends(run.do(lambda s: s.buy(size=5)), *FULL)
        sold = run.ends(run.do(lambda s: s.close()), *FULL)
        assert sold.executed.size == -5
        last = 3 if size == -15 else 2
        run.until(lambda: sum(trade.isclosed for trade in run.trades) == last)
        flat(run, last)
    found = run.strategy.analyzers.tradeanalyzer.get_analysis()
    assert found.total.closed == last and found.total.open == (-1 if size == -15 else 0)


@pytest.mark.parametrize('size', [40, 2])
def test_p62_a_split_is_no_profit(size):
    with stage.open() as run:
        bought = run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        price = bought.executed.price * 10 / size

        def split(world):
            world.ledger.give(stage.ACCOUNT, apple(world), size, price)
            world.accounts.traded()
            world.accounts.settle()
        run.gateway.call(split)
        run.until(lambda: run.position().size == size)
        sold = run.ends(run.do(lambda s: s.close()), *FULL)
        assert run.trades[-1].isclosed
        assert run.trades[-1].pnl == pytest.approx(size * (sold.executed.price - price))


def test_p62_p64_what_happens_in_another_account_is_told_with_its_name():
    with stage.open(gateway={'accounts': ('U1', 'U2')}, store={'clientId': 0}) as run:
        run.gateway.fault('drop', 'execution')
        for _ in range(2):
            run.gateway.call(lambda world: by_hand(world, 7, 'U2'))
        run.until(lambda: any('BOT 7 AAPL of account U2 at' in said for said in run.said))
        run.until(lambda: any('the position in AAPL of account U2 is' in said for said in run.said))
        assert run.position().size == 0 and not any('AAPL is' in said for said in run.said)


def test_p62_what_others_add_goes_to_who_closes_it_and_several_trades_are_left_as_they_are():
    with stage.open() as run:
        run.ends(run.do(lambda s: s.buy(size=10, tradeid=1)), *FULL)
        run.gateway.call(lambda world: by_hand(world, 5))
        run.until(lambda: run.position().size == 15)
        run.ends(run.do(lambda s: s.sell(size=5, tradeid=2)), *FULL)
        assert [trade.tradeid for trade in run.trades if trade.isclosed] == [2] and open_size(run) == 10
        run.ends(run.do(lambda s: s.buy(size=3, tradeid=2)), *FULL)
        run.gateway.call(lambda world: by_hand(world, -13))
        run.until(lambda: run.position().size == 0)
        run.ends(run.do(lambda s: s.buy(size=2, tradeid=3)), *FULL)
        run.ends(run.do(lambda s: s.sell(size=2, tradeid=3)), *FULL)
        flat(run, 4)


def test_p64_p88_what_each_account_held_before_the_run_closes_as_a_trade_of_its_own():
    with simulator.running(messages_per_second=0, speed=5, accounts=('U1', 'U2')) as gateway:
        for account, size in (('U1', 10), ('U2', 7)):
            gateway.call(lambda world, account=account, size=size: world.ledger.give(
                account, apple(world), size, 100.0))
        with stage.open(served=gateway) as run:
            run.ends(run.do(lambda s: s.buy(size=3, account='U2', tradeid=2)), *FULL)
            for account, size in (('U1', 10), ('U2', 10)):
                sold = run.ends(run.do(lambda s, account=account, size=size: s.sell(
                    size=size, account=account, tradeid=int(account[1]))), *FULL)
                assert sold.executed.pnl == pytest.approx(run.trades[-1].pnl)
            flat(run, 2)
            assert [trade.size for trade in run.trades if trade.isclosed] == [0, 0]


def test_p62_what_others_add_and_another_feed_closes_leaves_no_trade_open():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        run = stage.Run(gateway, datanames=('AAPL-STK-SMART-USD',) * 2)
        run.start()
        try:
            first, second = run.datas
            run.ends(run.do(lambda s: s.buy(data=first, size=10)), *FULL)
            gateway.call(lambda world: by_hand(world, 5))
            run.until(lambda: run.position().size == 15)
            run.ends(run.do(lambda s: s.close(data=second)), *FULL)
            run.until(lambda: run.trades[-1].isclosed)
            flat(run, 1)
        finally:
            run.stop()


# -- sizes that are no binary numbers ----------------------------------------------------------------------------------

def test_p89_a_trade_of_fractions_closes_when_the_position_does():
    with stage.open(datanames=(COIN,), gateway={'speed': 20}) as run:
        run.scenario(lambda scenario: scenario.partial('BTC', [0.1, 0.2]))
        run.ends(run.do(lambda s: s.buy(size=0.3, exectype=Order.Limit, price=2e5)),
                 'Submitted', 'Accepted', 'Partial', 'Completed')
        run.ends(run.do(lambda s: s.sell(size=0.3, exectype=Order.Limit, price=1e3)), *FULL)
        flat(run, 1)


# -- the order in which executions are told ----------------------------------------------------------------------------

def test_p67_p68_what_several_orders_filled_before_a_restart_is_told_in_the_order_in_which_it_filled():
    with simulator.running(messages_per_second=0, speed=5) as gateway:
        with stage.open(served=gateway) as run:
            run.scenario(lambda scenario: scenario.partial('AAPL', NOTHING))
            orders = run.do(lambda s: [s.buy(size=100, exectype=Order.Limit, price=300.0) for _ in range(2)])
            run.until(lambda: all('Accepted' in run.life(order) for order in orders))

            def fill(world):
                world.exchange.scenario._partials.clear()
                # one chance for each order in turn: the second fills first
                world.exchange.scenario.partial('AAPL', [0, 20, 40] + NOTHING)
            gateway.call(fill)
            run.until(lambda: [order.executed.size for order in orders] == [40, 20])
        with stage.open(served=gateway) as run:
            run.until(lambda: run.position().size == 60 and len(run.trades) and open_size(run) >= 60)
            run.do(lambda s: None)
            assert [order.executed.size for order in run.orders if order.executed.size] == [20, 40]
            assert open_size(run) == 60 and len({trade.ref for trade in run.trades}) == 1
            run.do(lambda s: [s.cancel(order) for order in s.broker.get_orders_open()])
            run.until(lambda: not run.broker.get_orders_open())
            run.scenario(lambda scenario: scenario._partials.clear())
            run.ends(run.do(lambda s: s.close()), *FULL)
            flat(run, 1)


def test_p50_p51_a_corrected_price_is_in_what_the_order_earned():
    with stage.open() as run:
        run.ends(run.do(lambda s: s.buy(size=10)), *FULL)
        sold = run.do(lambda s: s.sell(size=25))
        run.ends(sold, *FULL)
        earned, price = sold.executed.pnl, sold.executed.price
        run.gateway.fault('correct', str(price + 1.0))
        run.until(lambda: sold.executed.price == pytest.approx(price + 1.0))
        run.do(lambda s: None)
        assert sold.executed.pnl == pytest.approx(earned + 10.0)


@pytest.mark.parametrize('price', [None, 0.0])
def test_p51_what_was_busted_whole_is_taken_back_from_its_trade_at_the_price_it_had(price):
    with stage.open() as run:
        for act in ('buy', 'sell', 'sell'):
            run.ends(run.do(lambda s, act=act: getattr(s, act)(size=10)), *FULL)
        for number, left in ((2, 0), (0, -10)):
            fill = run.gateway.call(lambda world, number=number: world.exchange._fills.all()[number].execution)
            run.gateway.call(lambda world, fill=fill: world.exchange.correct(
                world.now, fill.execId, shares=0, price=price))
            run.until(lambda left=left: run.position().size == left)
            run.until(lambda left=left: open_size(run) == left)
        bought = run.ends(run.do(lambda s: s.close()), *FULL)
        flat(run, 3)
        executions = [fill.execution for fill in run.gateway.call(lambda world: world.exchange._fills.all())]
        assert sum(trade.pnl for trade in run.trades if trade.isclosed) == pytest.approx(
            10 * (executions[1].price - bought.executed.price))
        assert [order.executed.size for order in run.orders if order.ref == bought.ref - 1][-1] == 0


def test_p51_what_sold_more_than_a_correction_left_is_told_as_the_reversal_that_it_was():
    with stage.open(broker={'commission_wait': 30.0}) as run:
        run.scenario(lambda scenario: setattr(scenario, 'commission_delay', 25.0))
        orders = []
        for act, size in (('buy', 10), ('sell', 10), ('buy', 7)):
            held = run.position().size + (size if act == 'buy' else -size)
            orders.append(run.do(lambda s, act=act, size=size: getattr(s, act)(size=size)))
            run.until(lambda held=held: run.position().size == held)
        first = run.gateway.call(lambda world: world.exchange.executions()[0].execution)
        run.gateway.call(lambda world: world.exchange.correct(world.now, first.execId, shares=4))
        run.until(lambda: run.position().size == 1)
        run.until(lambda: all(run.ended(order) for order in orders))
        bits = [order.executed.exbits[0] for order in orders]
        assert [(bit.size, bit.closed, bit.opened) for bit in bits] == [(4, 0, 4), (-10, -4, -6), (7, 6, 1)]
        assert bits[2].pnl == pytest.approx(6 * (bits[1].price - bits[2].price))
        assert [trade.size for trade in run.trades if trade.justopened] == [4, -6, 1]
        assert open_size(run) == 1


# -- without a wire ----------------------------------------------------------------------------------------------------

def execution(execId, size, contract, permId=9):
    return Execution(execId, 1, 1, permId, 'U1', 1000.0, 'BOT', size, 10.0, size, 10.0, '', 'X', contract)


class Combined:
    """Stands for an order of a combination."""

    class data:
        tradecontract = Contract(conId=28812380, secType='BAG')


def test_p68_the_legs_of_an_adopted_combination_are_not_held_for_fills_of_it():
    fills = Fills(2.0)
    for execId, contract in (('a.01', Combined.data.tradecontract), ('b.01', Contract(conId=3, secType='OPT'))):
        fills.add(execution(execId, 2, contract), None, 2, None, 1000.0)
    assert fills.total(9) == 2
    fills.assign(Combined, 9)
    assert [fill.execution.execId for fill in fills.due(2000.0)] == ['a.01']


def test_p52_a_sentinel_after_a_commission_takes_nothing_back():
    fills = Fills(2.0)
    fill = fills.add(execution('a.01', 2, Contract(conId=3, secType='STK')), Combined, 2, None, 1000.0)
    fills.on_commission(Commission('a.01', 1.5, 'USD', 7.0))
    fill.bit = object()
    assert fills.on_commission(Commission('a.01', None, 'USD', None)) is None
    assert (fill.commission, fill.realizedPNL) == (1.5, 7.0)
