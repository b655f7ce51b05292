"""Cash, value, positions and fills without a wire."""
import itertools

import pytest
from hypothesis import given, settings, strategies as st

from backtrader_ib_insync.account import AHEAD_SECONDS, Accounts
from backtrader_ib_insync.fills import Fills, base
from backtrader_ib_insync.holding import Holding
from backtrader_ib_insync.insync import Contract
from backtrader_ib_insync.messages import AccountValue, Commission, Execution, Portfolio, Position

STOCK = Contract(conId=1, symbol='AAPL', secType='STK')
FUTURE = Contract(conId=2, symbol='ES', secType='FUT', multiplier='50')
ME = 'U1'
T = 1000.0


def accounts():
    made = Accounts(ME)
    made.begin()
    made.finish(T)
    return made


def execution(size, price=10.0, contract=STOCK, execId='a.01', account=ME):
    side = 'BOT' if size > 0 else 'SLD'
    return Execution(execId, 1, 1, 1, account, T, side, abs(size), price, abs(size), price, '', 'X', contract)


# -- money -------------------------------------------------------------------------------------------------------------

def test_p64_cash_and_value_follow_the_account_in_its_base_currency():
    made = accounts()
    assert made.cash() == made.value() == 0.0
    for tag, value, currency in [('TotalCashBalance', '5', 'EUR'), ('TotalCashValue', '90', 'USD'),
                                 ('NetLiquidation', '120.5', 'USD'), ('AccountReady', 'true', '')]:
        made.on_value(AccountValue(ME, tag, value, currency))
    assert (made.cash(), made.value()) == (90.0, 120.5)
    made.on_value(AccountValue(ME, 'TotalCashBalance', '95', 'BASE'))
    made.on_value(AccountValue('U2', 'TotalCashBalance', '1', 'BASE'))
    assert (made.cash(), made.cash('U2')) == (95.0, 1.0)


# -- positions ---------------------------------------------------------------------------------------------------------

def test_p63_a_position_at_the_start_is_per_unit():
    made = Accounts(ME)
    made.begin()
    made.on_position(Position(ME, FUTURE, 2, 250102.1), T)
    made.on_position(Position(ME, STOCK, 0, 0.0), T)
    made.rewind([])
    made.finish(T)
    assert made.position(FUTURE).size == 2 and made.position(FUTURE).price == pytest.approx(5002.042)
    assert made.position(STOCK).size == 0 and made.position(Contract(conId=9)).size == 0


def test_p63_the_price_is_without_fees_when_today_s_executions_made_the_position():
    made = Accounts(ME)
    made.begin()
    made.on_position(Position(ME, STOCK, 30, 11.5), T)
    fills = [execution(10, 10.0), execution(20, 13.0, execId='b.01')]
    made.rewind(fills)
    for one in fills:
        made.execute(STOCK, ME, one.shares, one.price, T)
    assert made.finish(T) == []
    assert made.position(STOCK).size == 30 and made.position(STOCK).price == 12.0


def test_p63_p67_what_is_executed_while_tws_tells_its_view_counts_once():
    """Told live, and listed again; the position was listed before it, and may be told anew before the view ends."""
    for told_again in (False, True):
        made = Accounts(ME)
        made.begin()
        made.on_position(Position(ME, STOCK, 30, 11.5), T)
        made.are_listed()
        live = execution(10, 10.0)
        made.overtake(live)
        if told_again:
            made.on_position(Position(ME, STOCK, 30, 11.5), T)
            made.on_position(Position(ME, STOCK, 40, 11.1), T)
        made.overtake(live._replace(live=False))
        made.rewind([live, live._replace(live=False)])
        assert made.position(STOCK).size == 30
        made.execute(STOCK, ME, 10, 10.0, T)
        assert made.finish(T) == [] and made.position(STOCK).size == 40


def test_p63_of_an_older_position_tws_s_price_is_the_best_there_is():
    made = Accounts(ME)
    made.begin()
    made.on_position(Position(ME, STOCK, 30, 11.5), T)
    made.rewind([execution(10, 10.0)])
    assert made.position(STOCK).size == 20
    made.execute(STOCK, ME, 10, 10.0, T)
    made.finish(T)
    assert made.position(STOCK).price == 11.5


def test_p89_p90_executions_move_the_position_at_once_and_end_flat():
    made = accounts()
    moved = made.execute(STOCK, ME, 0.1, 10.0, T)
    assert (moved.opened, moved.closed, moved.size, moved.price) == (0.1, 0, 0.1, 10.0)
    made.execute(STOCK, ME, 0.2, 10.0, T)
    moved = made.execute(STOCK, ME, -0.3, 11.0, T)
    assert (moved.size, moved.closed, moved.opened, moved.size_before) == (0, -0.3, 0, 0.3)
    assert not made.position(STOCK)


def test_other_accounts_have_their_own_positions():
    made = accounts()
    assert made.execute(STOCK, 'U2', 5, 10.0, T).account == 'U2'
    assert made.position(STOCK).size == 0 and made.position(STOCK, 'U2').size == 5


def told(made, size, now=T, cost=10.0):
    made.on_position(Portfolio(ME, STOCK, size, 12.0, 12.0 * size, cost, 0, 0), now)


def test_a_told_position_that_is_behind_the_executions_is_ignored():
    made = accounts()
    for _ in range(3):
        made.execute(STOCK, ME, 10, 10.0, T)
    for size in (0, 10, 20, 30):
        told(made, size)
        assert made.settle(T + 60) == [] and made.position(STOCK).size == 30


def test_a_told_position_that_is_ahead_waits_for_its_execution():
    made = accounts()
    told(made, 30)
    made.settle(T + AHEAD_SECONDS / 2)
    assert made.position(STOCK).size == 0
    made.execute(STOCK, ME, 10, 10.0, T)
    made.execute(STOCK, ME, 20, 10.0, T)
    assert made.settle(T + 60) == [] and made.position(STOCK).size == 30


def test_p62_a_told_position_that_nothing_explains_is_believed():
    made = accounts()
    made.execute(STOCK, ME, 10, 10.0, T)
    told(made, 7, T, 9.0)
    assert len(made.settle(T + AHEAD_SECONDS)) == 1
    assert (made.position(STOCK).size, made.position(STOCK).price) == (7, 9.0)
    assert made.holding(STOCK).marketPrice == 12.0


def test_an_execution_that_explains_what_was_believed_moves_nothing():
    made = accounts()
    told(made, 10, T, 10.1)
    assert len(made.settle(T + AHEAD_SECONDS)) == 1 and made.position(STOCK).size == 10
    moved = made.execute(STOCK, ME, 10, 10.0, T + 8, T)
    assert (moved.opened, moved.size, moved.size_before) == (10, 10, 0)
    assert (made.position(STOCK).size, made.position(STOCK).price) == (10, 10.0)
    made.execute(STOCK, ME, -10, 10.0, T + 9, T + 9)
    assert not made.position(STOCK)


def test_an_execution_that_tws_s_clock_dates_after_what_was_believed_counts_once_and_tws_has_the_last_word():
    made = accounts()
    told(made, 10)
    made.settle(T + AHEAD_SECONDS)
    made.execute(STOCK, ME, 10, 10.0, T + 8, T + AHEAD_SECONDS + 1)
    assert made.position(STOCK).size == 10
    # after a trade by hand, one of ours that is taken for it
    told(made, 5, T + 20)
    made.settle(T + 20 + AHEAD_SECONDS)
    made.execute(STOCK, ME, -5, 10.0, T + 22, T + 22)
    assert made.position(STOCK).size == 5
    told(made, 0, T + 22)
    made.settle(T + 22 + AHEAD_SECONDS)
    assert made.position(STOCK).size == 0


def test_an_execution_after_what_was_believed_moves_the_position():
    made = accounts()
    told(made, 10)
    made.settle(T + AHEAD_SECONDS)
    moved = made.execute(STOCK, ME, 5, 10.0, T + 8, T + 7)
    assert (moved.opened, moved.size, moved.size_before) == (5, 15, 10) and made.position(STOCK).size == 15
    made.execute(STOCK, ME, 10, 10.0, T + 9, T)
    assert (made.position(STOCK).size, made.position(STOCK).price) == (15, 10.0)


def test_a_position_long_behind_is_no_longer_held_to_be_late():
    made = accounts()
    made.execute(STOCK, ME, 10, 10.0, T)
    told(made, 0, T + 60)
    made.settle(T + 62)
    assert made.position(STOCK).size == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 5, -1, -3, -7]), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_executions_and_told_positions_in_any_order_come_to_tws_s_position(sizes, random):
    """Each kind keeps its own order, the two are mixed at random: nothing is counted twice or lost."""
    holding, now = Holding(STOCK), T
    positions = list(itertools.accumulate(sizes))
    events = [('move', size) for size in sizes] + [('told', None)] * len(sizes)
    random.shuffle(events)
    moves, tolds = iter(sizes), iter(positions)
    for kind, _ in events:
        now += 0.01
        if kind == 'move':
            holding.move(next(moves), 10.0, now)
        else:
            holding.tell(next(tolds), 10.0, now)
    assert holding.position.size == positions[-1] and holding.told is None


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 5, -1, -3, -7]), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_executions_that_come_when_tws_was_believed_already_are_counted_once(sizes, random):
    """The position is told before its execution, and may be believed before; executions are dated as they happened."""
    made, now = accounts(), T
    happened, left = [], list(zip(sizes, itertools.accumulate(sizes)))
    while left or happened:
        now += 5.0
        if left and (not happened or random.random() < 0.5):
            size, position = left.pop(0)
            happened.append((size, now))
            told(made, position, now)
            if random.random() < 0.7:
                made.settle(now + AHEAD_SECONDS)
        else:
            size, time = happened.pop(0)
            made.execute(STOCK, ME, size, 10.0, now, time)
        if not happened:
            assert made.position(STOCK).size == (sum(sizes) if not left else left[0][1] - left[0][0])
    assert made.position(STOCK).size == sum(sizes)


def test_a_reconnection_takes_tws_s_view_where_executions_do_not_lead_to_it():
    made = accounts()
    made.execute(STOCK, ME, 10, 10.0, T)
    made.execute(FUTURE, ME, 1, 5000.0, T)
    made.begin()
    made.on_position(Position(ME, STOCK, 25, 11.0), T + 100)
    changed = made.finish(T + 100)
    assert {holding.contract.conId for holding in changed} == {1, 2}
    made.begin()
    assert {holding.contract.conId for holding in made.finish(T + 200)} == {1}
    assert made.position(STOCK).size == 0


@pytest.mark.parametrize('is_first', [True, False])
def test_p62_what_others_undo_after_tws_told_its_whole_view_is_believed(is_first):
    made = Accounts(ME) if is_first else accounts()
    fills = [execution(10, execId='a.01'), execution(-3, execId='b.01'), execution(4, execId='c.01')]
    made.begin()
    made.on_position(Position(ME, STOCK, 11, 10.0), T)
    if is_first:
        made.rewind(fills)
    for size in (10, -3, 4):
        made.execute(STOCK, ME, size, 10.0, T)
    assert made.finish(T) == [] and made.position(STOCK).size == 11
    # to what it had been before the last execution
    told(made, 7, T + 1)
    assert len(made.settle(T + 1 + AHEAD_SECONDS)) == 1 and made.position(STOCK).size == 7


# -- fills -------------------------------------------------------------------------------------------------------------

class Owner:
    """Stands for an order."""


def fill(fills, size, execId, order, now=T, contract=STOCK):
    return fills.add(execution(size, contract=contract, execId=execId), order, size, None, now)


def test_p51_revisions_of_an_execution_have_one_base():
    assert base('0000e0d5.6740aa11.01.01') == base('0000e0d5.6740aa11.01.02') != base('0000e0d5.6740aa11.02.01')


def test_p52_a_fill_waits_for_its_commission_but_not_for_ever():
    fills, order = Fills(2.0), Owner()
    one = fill(fills, 10, 'a.01', order)
    assert fills.due(T + 1) == [] and fills.awaited(order)
    assert fills.on_commission(Commission('a.01', 1.5, 'USD', None)) is None
    assert fills.due(T + 1) == [one] and one.commission == 1.5 and not fills.awaited(order)
    two = fill(fills, 10, 'b.01', order)
    assert fills.due(T + 2) == [two] and two.commission is None


def test_p52_a_commission_may_come_first_late_or_as_a_sentinel():
    fills, order = Fills(2.0), Owner()
    fills.on_commission(Commission('a.01', 1.5, 'USD', None))
    assert fill(fills, 10, 'a.01', order).commission == 1.5
    late = fill(fills, 10, 'b.01', order)
    fills.due(T + 9)
    late.bit = object()
    assert fills.on_commission(Commission('b.01', 2.0, 'USD', None)).commission == 2.0
    assert fills.on_commission(Commission('b.01', 2.0, 'USD', None)) is None
    unknown = fill(fills, 10, 'c.01', order)
    fills.on_commission(Commission('c.01', None, 'USD', None))
    assert unknown.commission == 0.0


def test_fills_of_one_contract_are_told_in_order_and_do_not_hold_up_another():
    fills, order = Fills(2.0), Owner()
    fill(fills, 10, 'a.01', order)
    fill(fills, 10, 'b.01', order)
    other = fill(fills, 1, 'c.01', order, contract=FUTURE)
    for execId in ('b.01', 'c.01'):
        fills.on_commission(Commission(execId, 1.0, 'USD', None))
    assert fills.due(T) == [other]
    fills.on_commission(Commission('a.01', 1.0, 'USD', None))
    assert [one.execution.execId for one in fills.due(T)] == ['a.01', 'b.01']


def test_p51_an_execution_is_known_again():
    fills = Fills(2.0)
    one = fill(fills, 10, 'a.01', Owner())
    assert fills.find(execution(10, execId='a.01')) is fills.find(execution(10, execId='a.02')) is one
    assert fills.find(execution(10, execId='b.01')) is None


def test_a_combination_is_what_executions_made_of_it_for_tws_lists_its_legs_alone():
    combination = Contract(conId=28812380, symbol='SPY', secType='BAG')
    leg = Contract(conId=3, symbol='SPY', secType='OPT', multiplier='100')
    made = accounts()
    for contract, price in ((combination, -0.5), (leg, 1.0)):
        made.execute(contract, ME, 1, price, T)
    made.begin()
    made.on_position(Position(ME, leg, 1, 100.0), T + 1000)
    assert made.finish(T + 1000) == []
    assert (made.position(combination).size, made.position(leg).size) == (1, 1)
