"""Positions, cash, margins and the account as TWS lists it."""
import pytest
from scripted import BUND, CALL, COIN, EURO, FUTURE, NOW, OTHER, STOCK, Desk

from backtrader_ib_insync.simulator import fees
from backtrader_ib_insync.simulator.records import Execution


def trade(desk, on, side, shares, price, number=1, cumQty=None, avgPrice=None, account='U1'):
    execution = Execution('a.{}.01.01'.format(number), number, 1, number, on.contract, NOW, account, 'X', side, shares,
                          price, cumQty or shares, avgPrice or price)
    return desk.ledger.apply(execution, on)


def values(desk, account='U1'):
    return {(row.key, row.currency): row.value for row in desk.ledger.account_values(NOW, account)}


def test_a_stock_bought_and_sold():
    desk = Desk()
    bought = trade(desk, STOCK, 'BOT', 100, 90.0)
    assert (bought.commission, bought.currency, bought.realizedPNL) == (1.0, 'USD', None)
    held = desk.ledger.position('U1', 1)
    assert (held.position, held.avgCost) == (100, 90.01)
    row, = desk.ledger.portfolio(NOW, 'U1')
    assert (row.marketPrice, row.marketValue, row.averageCost) == (100.0, 10000.0, 90.01)
    assert (row.unrealizedPNL, row.realizedPNL) == (pytest.approx(999.0), 0.0)
    sold = trade(desk, STOCK, 'SLD', 40, 95.0, 2)
    assert sold.realizedPNL == pytest.approx(40 * 5 - 1.0 - 0.4)
    assert desk.ledger.position('U1', 1).avgCost == pytest.approx(90.01)
    assert desk.ledger.cash('U1')['USD'] == pytest.approx(1e6 - 9000 - 1 + 3800 - 1)


def test_a_reversal_closes_and_opens():
    desk = Desk()
    trade(desk, STOCK, 'BOT', 100, 90.0)
    report = trade(desk, STOCK, 'SLD', 300, 95.0, 2)
    assert report.commission == 1.5
    assert report.realizedPNL == pytest.approx(500 - 1.0 - 0.5)
    held = desk.ledger.position('U1', 1)
    assert (held.position, held.avgCost) == (-200, pytest.approx(95.0 - 1.0 / 200))


def test_the_books_balance_whatever_is_traded():
    desk = Desk()
    for number, (on, side, shares, price) in enumerate([
            (STOCK, 'BOT', 100, 90.0), (STOCK, 'SLD', 150, 95.0), (FUTURE, 'SLD', 2, 5010.0), (CALL, 'BOT', 3, 4.0),
            (STOCK, 'BOT', 30, 99.0), (FUTURE, 'BOT', 3, 4990.0), (COIN, 'BOT', 0.5, 80000.0)], 1):
        trade(desk, on, side, shares, price, number)
    pnl = desk.ledger.pnl(NOW, 'U1')
    assert desk.ledger.figures(NOW, 'U1').equity == pytest.approx(1e6 + pnl.unrealized + pnl.realized)


def test_a_future_moves_cash_by_its_profit_only():
    desk = Desk()
    trade(desk, FUTURE, 'BOT', 2, 4990.0)
    assert desk.ledger.position('U1', 3).avgCost == pytest.approx(4990 * 50 + 2.25)
    assert desk.ledger.cash('U1') == {'USD': 1e6 - 4.5}
    now = values(desk)
    assert now['FuturesPNL', 'USD'] == '995.50'
    assert (now['InitMarginReq', 'USD'], now['MaintMarginReq', 'USD']) == ('32000.00', '28000.00')
    assert now['NetLiquidation', 'USD'] == '1000995.50'
    assert trade(desk, FUTURE, 'SLD', 2, 5000.0, 2).realizedPNL == pytest.approx(1000 - 9.0)
    assert desk.ledger.cash('U1') == {'USD': pytest.approx(1e6 + 991.0)}


def test_currencies_are_exchanged():
    desk = Desk()
    report = trade(desk, EURO, 'BOT', 200000, 1.04)
    assert (report.commission, report.currency) == (pytest.approx(4.16), 'USD')
    assert desk.ledger.position('U1', 4).avgCost == 1.04
    assert desk.ledger.cash('U1') == {'EUR': 200000.0, 'USD': pytest.approx(1e6 - 208000 - 4.16)}
    now = values(desk)
    assert (now['CashBalance', 'EUR'], now['ExchangeRate', 'EUR']) == ('200000.00', '1.05')
    assert now['NetLiquidation', 'USD'] == '{:.2f}'.format(1e6 + 2000 - 4.16)
    assert trade(desk, EURO, 'SLD', 200000, 1.05, 2).realizedPNL == pytest.approx(2000 - 4.2)


def test_a_foreign_future_counts_in_the_base():
    desk = Desk()
    report = trade(desk, BUND, 'BOT', 2, 4700.0)
    assert report.currency == 'EUR'
    now = values(desk)
    assert now['UnrealizedPnL', 'EUR'] == '1995.50'
    assert now['UnrealizedPnL', 'BASE'] == '{:.2f}'.format(1995.5 * 1.05)
    assert now['InitMarginReq', 'USD'] == '6300.00'
    assert now['NetLiquidation', 'USD'] == '{:.2f}'.format(1e6 + 1995.5 * 1.05)


def test_the_commission_minimum_counts_once_per_order():
    desk = Desk()
    first = trade(desk, STOCK, 'BOT', 100, 90.0, 1)
    second = trade(desk, STOCK, 'BOT', 50, 90.0, 2, cumQty=150, avgPrice=90.0)
    third = trade(desk, STOCK, 'BOT', 850, 90.0, 3, cumQty=1000, avgPrice=90.0)
    assert (first.commission, second.commission, third.commission) == (1.0, 0.0, 4.0)


@pytest.mark.parametrize('secType, size, value, fee', [
    ('STK', 100, 9000, 1.0), ('STK', 1000, 9000, 5.0), ('STK', 1, 50, 0.5), ('OPT', 10, 5000, 6.5),
    ('FUT', 2, 500000, 4.5), ('CASH', 20000, 21000, 2.0), ('CRYPTO', 1, 90000, 162.0), ('STK', 0, 0, 0.0)])
def test_fees(secType, size, value, fee):
    assert fees.order_fee(secType, size, value) == pytest.approx(fee)


def test_margin_of_stocks_and_written_options():
    desk = Desk()
    margins = desk.ledger.margin_change(NOW, 'U1', STOCK, 100, 100.0)
    assert (margins.initAfter, margins.maintAfter, margins.commission) == (5000.0, 2500.0, 1.0)
    assert desk.ledger.margin_change(NOW, 'U1', CALL, -1, 5.0).initAfter == pytest.approx(500 + 0.2 * 100 * 100)
    trade(desk, STOCK, 'BOT', 100, 100.0)
    assert desk.ledger.margin_change(NOW, 'U1', STOCK, -100, 100.0).initAfter == 0.0


def test_positions_from_before():
    desk = Desk(accounts=('U1', 'U2'))
    desk.ledger.give('U2', OTHER, -10, 55.0)
    held, = desk.ledger.positions()
    assert (held.account, held.position, held.avgCost) == ('U2', -10, 55.0)
    assert desk.ledger.positions('U1') == []
    assert trade(desk, OTHER, 'BOT', 10, 50.0, account='U2').realizedPNL == pytest.approx(49.0)
    assert desk.ledger.positions('U2')[0].position == 0


def test_an_unknown_account_is_named():
    with pytest.raises(KeyError, match="'U9': there are U1"):
        Desk().ledger.give('U9', STOCK, 1, 1.0)


def test_account_values_have_what_tws_lists():
    now = values(Desk())
    for key in ('NetLiquidation', 'TotalCashValue', 'AvailableFunds', 'BuyingPower', 'EquityWithLoanValue',
                'ExcessLiquidity', 'GrossPositionValue', 'InitMarginReq', 'MaintMarginReq'):
        assert (key, 'USD') in now
    assert now['TotalCashBalance', 'BASE'] == now['CashBalance', 'USD'] == '1000000.00'
    assert (now['AccountType', ''], now['AccountCode', '']) == ('INDIVIDUAL', 'U1')
    assert now['BuyingPower', 'USD'] == '2000000.00'


def test_summary_tags_in_the_order_asked():
    desk = Desk()
    desk.ledger.deposit('U1', 500.0, 'EUR')
    rows = desk.ledger.summary(NOW, 'U1', 'NetLiquidation, AccountType,Nonsense,Cushion')
    assert [(row.key, row.currency) for row in rows] == [
        ('NetLiquidation', 'USD'), ('AccountType', ''), ('Cushion', '')]
    assert {row.currency for row in desk.ledger.summary(NOW, 'U1', '$LEDGER')} == {'BASE'}
    assert {row.currency for row in desk.ledger.summary(NOW, 'U1', '$LEDGER:EUR')} == {'EUR'}
    assert {row.currency for row in desk.ledger.summary(NOW, 'U1', '$LEDGER:ALL')} == {'BASE', 'USD', 'EUR'}


def test_pnl_of_one_contract():
    desk = Desk()
    trade(desk, STOCK, 'BOT', 100, 90.0)
    single = desk.ledger.pnl_single(NOW, 'U1', 1)
    assert (single.position, single.realized, single.value) == (100, 0.0, 10000.0)
    assert single.unrealized == pytest.approx(999.0)
    assert desk.ledger.pnl_single(NOW, 'U1', 2) is None
