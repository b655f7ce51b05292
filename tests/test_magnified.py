"""Contracts that TWS quotes in cents or pence of their currency: values, positions and ticks."""
import pytest
from test_trading import FULL

import stage
from backtrader_ib_insync import comminfo, simulator
from backtrader_ib_insync.account import Accounts
from backtrader_ib_insync.insync import Contract
from backtrader_ib_insync.messages import Portfolio, Position
from backtrader_ib_insync.simulator import records

PENCE = 'VOD-STK-LSE-GBP'
CORN = Contract(conId=7, symbol='ZC', secType='FUT', multiplier='5000')
ME = 'U1'


class Details:
    contract = CORN
    priceMagnifier = 100


def vodafone(world):
    return world.market.find(records.Contract(symbol='VOD', secType='STK', exchange='LSE', currency='GBP'))[0]


def served():
    return simulator.running(messages_per_second=0, currency='GBP', speed=5)


def test_p63_p65_what_is_quoted_in_pence_is_worth_pounds():
    with served() as gateway, stage.open(served=gateway, datanames=(PENCE,)) as run:
        bought = run.ends(run.do(lambda s: s.buy(size=1000)), *FULL)
        assert 50 < bought.executed.price < 100 and run.position().price == pytest.approx(bought.executed.price)
        value, close = run.do(lambda s: (s.broker.getvalue([s.data]), s.data.close[0]))
        assert value == pytest.approx(10 * close)
        target = run.ends(run.do(lambda s: s.order_target_value(target=0.0)), *FULL)
        closed = run.trades[-1]
        assert closed.pnl == pytest.approx(10 * (target.executed.price - bought.executed.price))
        run.until(lambda: run.broker.getcash() == pytest.approx(1e6 + closed.pnlcomm))
        sized = run.do(lambda s: s.order_target_value(target=7200.0, price=72.0))
        assert sized.size == 10000


def test_p63_p88_a_position_from_before_the_run_is_priced_as_the_market_quotes_it():
    with served() as gateway:
        gateway.call(lambda world: world.ledger.give(stage.ACCOUNT, vodafone(world), 1000, 60.0))
        seen = []
        with stage.open(served=gateway, datanames=(PENCE,),
                        hooks={'on_start': lambda s: seen.append(s.getposition(s.data).price)}) as run:
            assert run.position().price == pytest.approx(60.0)
            sold = run.ends(run.do(lambda s: s.sell(size=400)), *FULL)
            assert run.position().price == pytest.approx(60.0)
            run.ends(run.do(lambda s: s.close()), *FULL)
            assert run.trades[-1].isclosed and sold.executed.pnl == pytest.approx(4 * (sold.executed.price - 60.0))


def test_prices_are_sent_on_the_tick_of_the_quotes():
    with served() as gateway, stage.open(served=gateway, datanames=(PENCE,)) as run:
        details = run.datas[0].tradecontractdetails
        assert (details.minTick, details.priceMagnifier) == (0.0002, 100)
        order = run.do(lambda s: s.buy(size=10, exectype=stage.bt.Order.Limit, price=50.013))
        run.reaches(order, 'Accepted')
        assert order.lmtPrice == 50.02 and any('off the tick of 0.02' in said for said in run.said)


@pytest.mark.parametrize('early', [True, False])
def test_p63_p65_a_future_quoted_in_cents(early):
    info = comminfo.of_contract(CORN, magnified=comminfo.magnifier(Details))
    assert info.getvaluesize(2, 450.25) == pytest.approx(45025.0) == -info.getvaluesize(-2, 450.25)
    assert info.profitandloss(2, 450.0, 451.0) == pytest.approx(100.0) and info.getsize(450.0, 100000.0) == 4
    accounts = Accounts(ME)
    accounts.begin()
    accounts.on_position(Position(ME, CORN, 2, 22512.5), 1000.0)
    accounts.rewind([])
    accounts.finish(1000.0)
    if early:
        accounts.magnify(7, 100.0)
    accounts.on_position(Portfolio(ME, CORN, 2, 4.6, 46000.0, 22512.5, 0, 0), 1000.0)
    accounts.magnify(7, 100.0)
    held = accounts.holding(CORN)
    assert (held.position.price, held.marketPrice) == (pytest.approx(450.25), pytest.approx(460.0))
    accounts.execute(CORN, ME, 2, 470.25, 1001.0)
    assert held.position.price == pytest.approx(460.25)
    accounts.on_position(Position(ME, CORN, 1, 22600.0), 1100.0)
    accounts.settle(1102.0)
    assert held.position.price == pytest.approx(452.0)


def test_p65_a_multiplier_of_nought_is_none():
    assert comminfo.multiplier(Contract(multiplier='0')) == comminfo.multiplier(Contract(multiplier='')) == 1.0
