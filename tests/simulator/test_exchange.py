"""What becomes of orders between clients, families and the rules: acceptance, changes, cancels, brackets, OCA, ids."""
import pytest
from scripted import ALL, BUND, CALL, CLOSE, COIN, EURO, FUTURE, INDEX, NOW, OTHER, STOCK, Desk

from backtrader_ib_insync.simulator import events
from backtrader_ib_insync.simulator.records import Condition, Order


def told(desk, orderId=1):
    desk.take()
    return [event for event in desk.heard if isinstance(event, events.Told) and event.orderId == orderId][-1]


def open_bracket(desk, entry=99.0, **fields):
    desk.place(1, 'BUY', 100, 'LMT', entry, transmit=False, **fields)
    desk.place(2, 'SELL', 100, 'STP', 95.0, parentId=1, transmit=False)
    desk.place(3, 'SELL', 100, 'LMT', 105.0, parentId=1)


# refusals of new orders

@pytest.mark.parametrize('code, order', [
    (200, dict(on=None)),
    (203, dict(on=INDEX)),
    (321, dict(action='HOLD')),
    (321, dict(account='U9')),
    (321, dict(account='U1', faGroup='All')),
    (321, dict(faGroup='Nobody')),
    (387, dict(orderType='VOL')),
    (387, dict(orderType='MOC', on=FUTURE)),
    (387, dict(orderType='STP PRT', auxPrice=99.0)),
    (434, dict(quantity=0)),
    (321, dict(quantity=-5)),
    (10243, dict(quantity=1.5)),
    (10268, dict(eTradeOnly=True)),
    (10269, dict(firmQuoteOnly=True)),
    (10270, dict(nbboPriceCap=1.0)),
    (321, dict(orderType='LMT')),
    (321, dict(orderType='STP')),
    (321, dict(orderType='TRAIL')),
    (321, dict(orderType='TRAIL', auxPrice=1.0, trailingPercent=1.0)),
    (321, dict(orderType='TRAIL LIMIT', auxPrice=1.0)),
    (110, dict(orderType='LMT', lmtPrice=100.005)),
    (321, dict(orderType='LMT', lmtPrice=0.0)),
    (321, dict(orderType='LMT', lmtPrice=-5.0)),
    (321, dict(orderType='STP', auxPrice=-1.0)),
    (321, dict(orderType='TRAIL', auxPrice=-1.0)),
    (321, dict(orderType='TRAIL', trailingPercent=150.0)),
    (110, dict(orderType='STP', auxPrice=5000.1, on=FUTURE)),
    (110, dict(orderType='LMT', lmtPrice=5.03, on=CALL)),
    (10052, dict(tif='WEEK')),
    (113, dict(orderType='MOC', tif='GTC')),
    (111, dict(orderType='STP', auxPrice=101.0, tif='OPG')),
    (391, dict(tif='GTD')),
    (391, dict(tif='GTD', goodTillDate='tomorrow')),
    (391, dict(tif='GTD', goodTillDate='20241121 10:00:00 GMT')),
    (201, dict(tif='GTD', goodTillDate='20241119 10:00:00 US/Eastern')),
    (337, dict(goodAfterTime='soon')),
    (10289, dict(on=COIN, quantity=1)),
    (10052, dict(on=COIN, quantity=0, cashQty=100.0)),
    (321, dict(conditions=(Condition(9, 'a', {}),))),
    (391, dict(conditions=(Condition(3, 'a', {'isMore': True, 'time': 'noon'}),))),
    (135, dict(parentId=77)),
])
def test_a_bad_order_is_refused_with_its_code_and_nothing_else(code, order):
    desk = Desk(groups={'All': ['U1']})
    fields = dict(order)
    desk.place(1, fields.pop('action', 'BUY'), fields.pop('quantity', 1), fields.pop('orderType', 'MKT'), **fields)
    assert desk.life(1) == [str(code)]
    assert desk.exchange.open_orders() == [] == desk.exchange.completed_orders()
    assert desk.exchange.next_id(1) == 1


def test_option_prices_below_three_dollars_have_a_finer_step():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 2.03, on=CALL)
    assert desk.codes(1) == []


def test_zero_trailing_percent_is_not_given():
    desk = Desk()
    desk.place(1, 'SELL', 1, 'TRAIL', 1.0, trailingPercent=0.0)
    assert desk.statuses(1) == ['PreSubmitted']


def test_blanks_are_filled_in():
    desk = Desk()
    desk.place(1, 'buy', 1, 'LMT', 90.0)
    shown = desk.shown(1)
    assert (shown.action, shown.tif, shown.account, shown.permId) == ('BUY', 'DAY', 'U1', 1400000001)


def test_several_accounts_need_one_named():
    desk = Desk(accounts=('U1', 'U2'))
    desk.place(1, 'BUY', 1, 'MKT')
    assert desk.codes(1) == [436]
    desk.place(1, 'BUY', 1, 'MKT', account='U2')
    assert [(held.account, held.position) for held in desk.ledger.positions()] == [('U2', 1)]


def test_fa_group_shares_a_fill_among_its_accounts():
    desk = Desk(accounts=('U1', 'U2'), groups={'All': ['U1', 'U2']})
    desk.scenario.partial('AAA', [3])
    desk.place(1, 'BUY', 5, 'MKT', faGroup='All')
    desk.print(100.0)
    assert [(held.account, held.position) for held in desk.ledger.positions()] == [('U1', 3), ('U2', 2)]
    assert desk.statuses(1)[-1] == 'Filled'


def test_lack_of_margin_ends_inactive_with_201():
    desk = Desk(cash=1000.0)
    desk.place(1, 'BUY', 100, 'MKT')
    assert desk.life(1) == ['201', 'Inactive 0']
    assert 'EQUITY WITH LOAN VALUE [999.00 USD]' in told(desk).text
    done, = desk.exchange.completed_orders()
    assert done.state.status == 'Cancelled'


def test_lack_of_margin_never_stands_in_the_way_of_closing():
    desk = Desk(cash=1000.0)
    desk.ledger.give('U1', STOCK, 100, 100.0)
    desk.ledger.deposit('U1', -9000.0)
    desk.place(1, 'SELL', 100, 'MKT')
    assert desk.statuses(1)[-1] == 'Filled'


def test_an_inactive_order_lives_again_when_modified():
    desk = Desk(cash=1000.0)
    desk.place(1, 'BUY', 100, 'LMT', 90.0)
    desk.place(1, 'BUY', 10, 'LMT', 90.0)
    assert desk.life(1) == ['201', 'Inactive 0', 'Submitted 0']


def test_an_order_by_cash_needs_margin_too():
    desk = Desk(cash=1000.0)
    desk.place(1, 'BUY', 0, 'MKT', cashQty=5000.0, tif='IOC', on=COIN)
    assert desk.life(1) == ['201', 'Inactive 0']


def test_coins_are_not_sold_short():
    desk = Desk()
    desk.place(1, 'BUY', 0, 'MKT', cashQty=9000.0, tif='IOC', on=COIN)
    (size, _), = desk.fills()
    desk.place(2, 'SELL', size + 0.1, 'LMT', 80000.0, on=COIN)
    assert desk.life(2) == ['201', 'Inactive 0']
    desk.place(3, 'SELL', size, 'LMT', 80000.0, on=COIN)
    assert desk.statuses(3)[-1] == 'Filled'


def test_whatif_answers_and_leaves_nothing():
    desk = Desk()
    desk.place(1, 'BUY', 100, 'MKT', whatIf=True)
    answer, = desk.take()
    state = answer.state
    assert (state.initMarginBefore, state.initMarginChange, state.initMarginAfter) == (0.0, 5000.0, 5000.0)
    assert (state.equityWithLoanBefore, state.equityWithLoanAfter) == (1e6, 1e6 - 1)
    assert (state.status, state.commission, state.commissionCurrency) == ('PreSubmitted', 1.0, 'USD')
    desk.place(1, 'BUY', 100, 'LMT', 90.0)
    assert desk.statuses(1) == ['Submitted']


@pytest.mark.parametrize('code', [200, 201, 203, 321, 388, 10058, 10318])
def test_any_refusal_can_be_set_up(code):
    desk = Desk()
    desk.scenario.refuse_next(code, 'No.', symbol='AAA')
    desk.place(1, 'BUY', 1, 'LMT', 20.0, on=OTHER)
    desk.place(2, 'BUY', 1, 'LMT', 90.0)
    assert desk.life(2) == [str(code)] + ['Inactive 0'] * (code == 201)
    assert [opened.order.orderId for opened, _ in desk.exchange.open_orders()] == [1]


@pytest.mark.parametrize('on', ['place', 'modify', 'cancel'])
def test_notices_change_nothing(on):
    desk = Desk()
    desk.scenario.inform_next(10349, 'Order TIF was set to DAY based on order preset.', on=on)
    desk.place(1, 'BUY', 1, 'LMT', 90.0)
    desk.place(1, 'BUY', 2, 'LMT', 90.0)
    desk.cancel(1)
    assert sorted(desk.codes(1)) == [202, 10349]
    assert desk.statuses(1) == ['Submitted', 'PreSubmitted', 'Submitted', 'Cancelled']


def test_a_cancelled_order_may_be_called_api_cancelled():
    desk = Desk()
    desk.scenario.cancel_status = 'ApiCancelled'
    desk.place(1, 'BUY', 1, 'LMT', 90.0)
    desk.cancel(1)
    assert desk.statuses(1)[-1] == 'ApiCancelled'


def test_refusing_where_there_is_nothing_to_refuse_is_an_error():
    with pytest.raises(ValueError, match='place, modify, cancel'):
        Desk().scenario.refuse_next(201, 'No.', on='fill')


# ids

def test_ids_grow_and_belong_to_their_client():
    desk = Desk()
    desk.place(5, 'BUY', 1, 'LMT', 90.0)
    desk.place(5, 'BUY', 1, 'LMT', 90.0, client=2)
    desk.place(4, 'BUY', 1, 'LMT', 90.0)
    assert desk.codes(4) == [103]
    assert (desk.exchange.next_id(1), desk.exchange.next_id(2), desk.exchange.next_id(3)) == (6, 6, 1)
    first, second = desk.exchange.open_orders()
    assert first[1].permId < second[1].permId
    assert [status.clientId for _, status in desk.exchange.open_orders(2)] == [2]


def test_id_roll_back_frees_ended_ids_only():
    desk = Desk()
    desk.place(5, 'BUY', 1, 'MKT')
    desk.place(6, 'BUY', 1, 'LMT', 90.0, client=2)
    desk.exchange.roll_back_ids()
    assert (desk.exchange.next_id(1), desk.exchange.next_id(2)) == (1, 7)
    desk.place(5, 'BUY', 1, 'MKT')
    assert desk.codes(5) == []
    permIds = [fill.execution.permId for fill in desk.exchange.executions(1)]
    assert len(set(permIds)) == 2


# cancels

def test_cancel_answers_cancelled_then_202():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0)
    desk.cancel(1)
    assert desk.life(1) == ['Submitted 0', 'Cancelled 0', '202']
    desk.cancel(1)
    assert told(desk).text == 'OrderId 1 that needs to be cancelled cannot be cancelled, state: Cancelled.'
    desk.cancel(9)
    assert (told(desk, 9).code, told(desk, 9).text) == (10147, 'OrderId 9 that needs to be cancelled is not found.')
    desk.cancel(1, client=2)
    assert desk.codes(1, client=2) == [10147]


def test_cancelling_a_filled_order():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'MKT')
    desk.cancel(1)
    assert (told(desk).code, 'state: Filled' in told(desk).text) == (10148, True)


def test_a_fill_overtakes_a_slow_cancel():
    desk = Desk()
    desk.scenario.cancel_delay, desk.scenario.pending_cancel = 5.0, True
    desk.place(1, 'BUY', 10, 'LMT', 99.0)
    desk.cancel(1)
    desk.cancel(1)
    assert desk.life(1) == ['Submitted 0', 'PendingCancel 0', '161']
    desk.print(98.0)
    assert desk.life(1)[3:] == ['fill 10', 'Filled 10', 'fee']
    desk.place(2, 'BUY', 10, 'LMT', 97.0)
    desk.cancel(2)
    desk.advance(5)
    assert desk.life(2) == ['Submitted 0', 'PendingCancel 0', 'Cancelled 0', '202']


def test_a_cancel_can_be_refused():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'LMT', 99.0)
    desk.scenario.refuse_next(161, 'Not now.', on='cancel')
    desk.cancel(1)
    assert desk.life(1) == ['Submitted 0', '161']


def test_global_cancel_and_cancel_by_hand():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0)
    desk.place(1, 'BUY', 1, 'LMT', 90.0, client=2)
    desk.place(2, 'BUY', 1, 'LMT', 90.0)
    desk.exchange.cancel_by_hand(desk.now, desk.exchange.open_orders()[0][1].permId)
    assert desk.life(1)[-2:] == ['Cancelled 0', '202']
    desk.exchange.global_cancel(desk.now)
    assert desk.exchange.open_orders() == []
    with pytest.raises(KeyError, match='permId 5'):
        desk.exchange.cancel_by_hand(desk.now, 5)


def test_an_untransmitted_order_is_silent_till_it_is_transmitted():
    desk = Desk()
    desk.place(1, 'BUY', 1, 'LMT', 90.0, transmit=False)
    assert desk.take() == [] == desk.exchange.open_orders()
    desk.place(1, 'BUY', 1, 'LMT', 91.0)
    assert desk.life(1) == ['Submitted 0']
    desk.place(2, 'BUY', 1, 'LMT', 90.0, transmit=False)
    desk.cancel(2)
    assert desk.life(2) == []
    desk.cancel(2)
    assert desk.codes(2) == [10147]


# modifications

def test_modification_is_told_as_presubmitted_then_submitted():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'LMT', 90.0)
    before = desk.shown(1)
    desk.place(1, 'BUY', 20, 'LMT', 91.0)
    assert desk.life(1) == ['Submitted 0', 'PreSubmitted 0', 'Submitted 0']
    after = desk.shown(1)
    assert (after.totalQuantity, after.lmtPrice, after.permId) == (20, 91.0, before.permId)
    desk.place(1, 'BUY', 20, 'MKT')
    assert desk.fills() == [(20, 100.01)]


@pytest.mark.parametrize('code, change', [
    (105, dict(action='SELL')), (105, dict(quantity=30)), (105, dict(quantity=20)), (10326, dict(ocaGroup='late')),
    (110, dict(lmtPrice=90.005)), (434, dict(quantity=0)), (387, dict(orderType='VOL')), (391, dict(tif='GTD'))])
def test_a_refused_modification_leaves_the_order_as_it_was(code, change):
    desk = Desk()
    desk.scenario.partial('AAA', [30])
    desk.place(1, 'BUY', 100, 'LMT', 100.01)
    fields = dict(dict(action='BUY', quantity=90, orderType='LMT', lmtPrice=91.0), **change)
    before = desk.shown(1)
    desk.place(1, fields.pop('action'), fields.pop('quantity'), fields.pop('orderType'), **fields)
    assert desk.codes(1) == [code if change != dict(quantity=0) else 105]
    (opened, status), = desk.exchange.open_orders()
    assert (opened.order, status.status, status.filled) == (before, 'Submitted', 30)


def test_a_filled_order_cannot_be_modified_nor_a_cancelled_one():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'MKT')
    desk.place(1, 'BUY', 20, 'MKT')
    assert desk.codes(1) == [104]
    desk.place(2, 'BUY', 10, 'LMT', 90.0)
    desk.cancel(2)
    desk.place(2, 'BUY', 10, 'LMT', 91.0)
    assert desk.codes(2) == [202, 103]


def test_a_modification_can_be_refused():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'LMT', 90.0)
    desk.scenario.refuse_next(329, 'No.', on='modify')
    desk.place(1, 'BUY', 10, 'LMT', 91.0)
    assert desk.life(1) == ['Submitted 0', '329']


@pytest.mark.parametrize('change', [dict(on=OTHER), dict(on=FUTURE), dict(parentId=7)])
def test_a_modification_of_another_contract_or_family_does_not_match(change):
    desk = Desk()
    desk.place(1, 'BUY', 10, 'LMT', 90.0)
    desk.place(1, 'BUY', 20, 'LMT', 91.0, **change)
    assert desk.life(1) == ['Submitted 0', '105']
    assert desk.exchange.open_orders()[0][0].order.totalQuantity == 10


def test_lack_of_margin_for_a_modification_leaves_the_order_as_it_was():
    desk = Desk(cash=1000.0)
    desk.scenario.partial('AAA', [5])
    desk.place(1, 'BUY', 10, 'LMT', 100.01)
    desk.place(1, 'BUY', 100, 'LMT', 90.0)
    assert desk.codes(1) == [201]
    assert 'EQUITY WITH LOAN VALUE' in told(desk).text
    (opened, status), = desk.exchange.open_orders()
    assert (opened.order.totalQuantity, status.status, status.filled) == (10, 'Submitted', 5)
    desk.place(1, 'BUY', 15, 'LMT', 90.0)
    assert desk.shown(1).totalQuantity == 15


# ib_insync#647
@pytest.mark.parametrize('parentId, forgets, code', [(0, False, []), (0, True, []), (1, False, []), (1, True, [135])])
def test_a_child_is_modified_when_its_parent_is_filled(parentId, forgets, code):
    desk = Desk()
    desk.scenario.forgets_parents = forgets
    desk.place(1, 'BUY', 10, 'MKT', transmit=False)
    desk.place(2, 'SELL', 10, 'STP', 95.0, parentId=1)
    desk.place(2, 'SELL', 10, 'STP', 96.0, parentId=parentId)
    assert desk.codes(2) == code
    assert desk.exchange.open_orders()[0][0].order.auxPrice == (95.0 if code else 96.0)


def test_modifying_a_trail_keeps_the_stop_it_has_reached():
    desk = Desk()
    desk.place(1, 'SELL', 10, 'TRAIL', 1.0)
    desk.print(104.0)
    desk.place(1, 'SELL', 5, 'TRAIL', 1.0)
    assert desk.shown(1).trailStopPrice == 103.0


def test_modifying_a_triggered_stop_limit_does_not_hold_it_again():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'STP LMT', 100.5, 101.0)
    desk.print(101.5)
    desk.place(1, 'BUY', 10, 'STP LMT', 100.6, 101.0)
    assert desk.life(1) == ['PreSubmitted 0 trigger', 'Submitted 0', 'PreSubmitted 0', 'Submitted 0']


# brackets

def test_a_bracket_is_one_family():
    desk = Desk()
    open_bracket(desk)
    assert desk.life(1) == ['Submitted 0']
    assert desk.life(2) == ['PreSubmitted 0 child,trigger']
    assert desk.life(3) == ['PreSubmitted 0 child']
    assert desk.shown(2).ocaGroup == desk.shown(3).ocaGroup == str(desk.shown(1).permId)
    desk.print(98.9)
    assert desk.statuses(1)[-1] == 'Filled'
    assert desk.life(2)[1:] == ['PreSubmitted 0 trigger']
    assert desk.life(3)[1:] == ['Submitted 0']
    desk.print(105.5)
    assert desk.life(3)[-3:] == ['fill 100', 'Filled 100', 'fee']
    assert desk.life(2)[-2:] == ['Cancelled 0', '202']
    assert desk.ledger.position('U1', 1).position == 0


def test_children_end_with_their_parent():
    desk = Desk()
    open_bracket(desk)
    desk.cancel(1)
    assert [desk.life(number)[-2:] for number in (1, 2, 3)] == [['Cancelled 0', '202']] * 3


def test_children_of_a_rejected_parent_end():
    desk = Desk(cash=1000.0)
    open_bracket(desk)
    assert desk.life(1) == ['201', 'Inactive 0']
    assert desk.life(2) == desk.life(3) == ['Cancelled 0', '202']


def test_children_trade_no_more_than_their_parent_has():
    desk = Desk()
    desk.scenario.partial('AAA', [40])
    open_bracket(desk)
    desk.print(99.0)
    assert desk.standing(1).filled == 40
    desk.print(106.0)
    assert desk.fills(3) == [(-40, 105.0)]
    assert (desk.standing(2).remaining, desk.standing(2).status) == (60, 'PreSubmitted')
    desk.print(99.0)
    assert desk.fills(1) == [(40, 99.0), (60, 99.0)]
    desk.print(94.0)
    assert desk.fills(2) == [(-60, 93.99)]
    assert desk.exchange.open_orders() == []


def test_a_half_filled_parent_leaves_children_that_protect_what_is_held():
    desk = Desk()
    desk.scenario.partial('AAA', [40])
    open_bracket(desk)
    desk.print(99.0)
    desk.cancel(1)
    assert desk.standing(2).remaining == desk.standing(3).remaining == 40
    desk.print(94.0)
    assert desk.ledger.position('U1', 1).position == 0
    assert desk.life(3)[-2:] == ['Cancelled 0', '202']


def test_a_market_parent_brings_its_children_to_life_at_once():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'MKT', transmit=False)
    desk.place(2, 'SELL', 10, 'LMT', 105.0, parentId=1)
    assert desk.life(2) == ['Submitted 0']


def test_a_child_may_come_later_but_not_to_a_dead_parent():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'LMT', 99.0)
    desk.place(2, 'SELL', 10, 'LMT', 105.0, parentId=1)
    assert desk.life(2) == ['PreSubmitted 0 child']
    desk.cancel(1)
    desk.place(3, 'SELL', 10, 'LMT', 105.0, parentId=1)
    assert desk.life(3) == ['201']


# OCA

def oca(desk, kind):
    desk.place(1, 'SELL', 100, 'LMT', 105.0, ocaGroup='g', ocaType=kind)
    desk.place(2, 'SELL', 100, 'STP', 95.0, ocaGroup='g', ocaType=kind)
    desk.place(3, 'SELL', 50, 'LMT', 105.5, ocaGroup='g', ocaType=kind)
    desk.place(4, 'SELL', 50, 'LMT', 105.5, ocaGroup='h', ocaType=kind)


@pytest.mark.parametrize('kind', [1, 2, 3])
def test_a_filled_order_cancels_its_group(kind):
    desk = Desk()
    oca(desk, kind)
    desk.print(105.0)
    assert desk.statuses(1)[-1] == 'Filled'
    assert desk.life(2)[-2:] == desk.life(3)[-2:] == ['Cancelled 0', '202']
    assert desk.statuses(4) == ['Submitted']


def test_a_partial_fill_cancels_or_reduces_by_the_groups_type():
    for kind, left in ((1, None), (2, (60, 30)), (3, (60, 30))):
        desk = Desk()
        desk.scenario.partial('AAA', [40])
        oca(desk, kind)
        desk.print(105.0)
        if left is None:
            assert desk.statuses(2)[-1] == desk.statuses(3)[-1] == 'Cancelled'
        else:
            assert (desk.standing(2).remaining, desk.standing(3).remaining) == left
            assert desk.shown(2).totalQuantity == 60


# https://ibkrcampus.com/glossary-terms/one-cancels-all-oca-order/
@pytest.mark.parametrize('kind', [1, 2, 3])
def test_who_cancels_one_of_a_group_cancels_all_of_it(kind):
    desk = Desk()
    oca(desk, kind)
    desk.cancel(2)
    assert [desk.life(number)[-2:] for number in (1, 2, 3)] == [['Cancelled 0', '202']] * 3
    assert desk.statuses(4) == ['Submitted']


def test_an_order_that_the_system_ends_leaves_its_group():
    desk = Desk()
    desk.place(1, 'SELL', 100, 'LMT', 105.0, ocaGroup='g')
    desk.place(2, 'SELL', 100, 'LMT', 106.0, ocaGroup='g', tif='IOC')
    desk.place(3, 'SELL', 100, 'LMT', 106.0, ocaGroup='g', tif='GTD', goodTillDate='20241120 10:05:00 US/Eastern')
    desk.advance(600)
    assert [desk.statuses(number)[-1] for number in (1, 2, 3)] == ['Submitted', 'Cancelled', 'Cancelled']


def test_who_cancels_one_child_of_a_bracket_cancels_the_other_but_not_the_parent():
    desk = Desk()
    open_bracket(desk)
    desk.cancel(3)
    assert [desk.statuses(number)[-1] for number in (1, 2, 3)] == ['Submitted', 'Cancelled', 'Cancelled']


# FLD ib_async#75
def test_a_group_is_of_one_account():
    desk = Desk(accounts=('U1', 'U2'))
    desk.place(1, 'SELL', 100, 'LMT', 105.0, ocaGroup='g', account='U1')
    desk.place(2, 'SELL', 100, 'LMT', 106.0, ocaGroup='g', account='U2')
    assert desk.life(2) == ['10224']


# held for other reasons

def test_a_short_sale_waits_for_locate():
    desk = Desk()
    desk.scenario.hard_to_borrow.add('AAA')
    desk.place(1, 'SELL', 10, 'MKT')
    assert desk.life(1) == ['404', 'Inactive 0 locate']
    desk.print(101.0)
    assert not desk.fills()
    desk.exchange.locate(desk.now, 'AAA')
    assert desk.statuses(1)[-1] == 'Filled'


# orders by hand

def test_orders_by_hand_get_negative_ids_when_bound():
    desk = Desk()
    permId = desk.exchange.enter_by_hand(NOW, Order(action='BUY', totalQuantity=5, orderType='LMT', lmtPrice=90.0),
                                         STOCK.contract, STOCK)
    assert desk.statuses(0, client=0) == ['Submitted']
    desk.exchange.bind(NOW)
    bound, opened, status = desk.take()
    assert bound == events.Bound(permId, 0, -1)
    assert (opened.order.orderId, status.orderId, status.permId) == (-1, -1, permId)
    desk.cancel(-1, client=0)
    assert desk.life(-1, client=0)[-2:] == ['Cancelled 0', '202']
    assert desk.exchange.completed_orders(apiOnly=True) == []
    desk.exchange.enter_by_hand(NOW, Order(action='BUY', totalQuantity=5, orderType='MKT'), STOCK.contract, STOCK)
    assert desk.statuses(-2, client=0)[-1] == 'Filled'
    assert desk.exchange.enter_by_hand(NOW, Order(action='BUY', orderType='MKT'), STOCK.contract, STOCK) is None


# executions on record

def test_executions_are_filtered():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'MKT')
    desk.advance(60)
    desk.place(2, 'SELL', 5, 'MKT', on=OTHER)
    desk.place(1, 'SELL', 1, 'MKT', on=FUTURE, client=2)

    def count(**filters):
        return len(desk.exchange.executions(**filters))
    assert count() == 3
    assert (count(clientId=1), count(clientId=2), count(time=NOW + 1)) == (2, 1, 2)
    assert (count(symbol='AAA'), count(secType='FUT'), count(exchange='NASDAQ')) == (1, 1, 3)
    assert (count(side='BUY'), count(side='SLD'), count(acctCode='U1'), count(acctCode='U2')) == (1, 2, 3, 0)
    assert len({fill.execution.execId for fill in desk.exchange.executions()}) == 3
    assert all(fill.report is not None for fill in desk.exchange.executions())


def test_a_correction_replaces_its_execution():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'MKT')
    fill, = desk.exchange.executions()
    desk.take()
    desk.exchange.correct(desk.now, fill.execution.execId, price=100.5)
    executed, commissioned = desk.take()
    new = executed.execution
    assert new.execId == fill.execution.execId[:-1] + '2' == commissioned.report.execId
    assert (new.price, new.avgPrice, new.cumQty) == (100.5, 100.5, 10)
    assert desk.ledger.position('U1', 1).avgCost == pytest.approx(100.6)
    desk.exchange.correct(desk.now, new.execId, shares=0)
    assert desk.exchange.executions()[0].execution.execId.endswith('.03')
    assert desk.ledger.position('U1', 1).position == 0
    assert desk.ledger.cash('U1') == {'USD': 1e6}


# what may be told otherwise

def test_commissions_late_missing_or_senseless():
    desk = Desk()
    desk.scenario.commission_delay = 30.0
    desk.place(1, 'BUY', 10, 'MKT')
    assert desk.life(1)[-1] == 'Filled 10'
    assert desk.exchange.next_time() == NOW + 30
    assert desk.exchange.executions()[0].report is None
    desk.advance(30)
    assert desk.life(1)[-1] == 'fee'
    desk.scenario.commission_delay = 0.0
    for way, expected in (('missing', []), ('sentinel', [-1.0]), ('unset', [None])):
        desk.scenario.commission = way
        desk.place(desk.exchange.next_id(1), 'BUY', 10, 'MKT')
        assert [event.report.commission for event in desk.take() if isinstance(event, events.Commissioned)] == expected


def test_reports_of_a_fill_in_any_order():
    desk = Desk()
    desk.scenario.report_order = ('commission', 'status', 'execution')
    desk.place(1, 'BUY', 10, 'MKT')
    assert desk.life(1) == ['Submitted 0', 'fee', 'Filled 10', 'fill 10']
    assert desk.exchange.executions()[0].report is not None


def test_statuses_repeated_and_dropped():
    desk = Desk()
    desk.scenario.repeats, desk.scenario.dropped = 2, {'Submitted'}
    desk.place(1, 'BUY', 10, 'MKT')
    assert desk.statuses(1) == ['Filled', 'Filled']


def test_a_late_commission_does_not_undo_a_correction():
    desk = Desk()
    desk.scenario.commission_delay = 30.0
    desk.place(1, 'BUY', 10, 'MKT')
    desk.exchange.correct(desk.now, desk.exchange.executions()[0].execution.execId, price=101.0)
    desk.advance(60)
    assert desk.exchange.executions()[0].execution.price == 101.0


# all together

def test_orders_outlive_their_client_and_the_day():
    desk = Desk()
    desk.place(1, 'BUY', 10, 'LMT', 90.0, tif='GTC')
    desk.until(CLOSE + 3 * 86400)
    (opened, status), = desk.exchange.open_orders(1)
    assert (opened.order.orderId, status.status) == (1, 'PreSubmitted')


def test_many_orders_and_many_ticks():
    desk = Desk(cash=1e9)
    for number in range(1, 501):
        desk.place(number, 'BUY', 1, 'LMT', 90.0 - number % 50)
    for number in range(200):
        desk.market.print(STOCK, NOW + number, 100.0)
    desk.advance(300)
    assert len(desk.exchange.open_orders()) == 500


@pytest.mark.parametrize('on', [one for one in ALL if one not in (INDEX, COIN)], ids=lambda one: one.symbol)
def test_everything_tradable_goes_in_and_out(on):
    desk = Desk()
    quantity = 20000 if on is EURO else 2
    desk.place(1, 'BUY', quantity, 'MKT', on=on)
    desk.place(2, 'SELL', quantity, 'MKT', on=on)
    assert desk.ledger.position('U1', on.conId).position == 0
    first, second = desk.exchange.executions()
    assert first.report.realizedPNL is None and second.report.realizedPNL < 0
    assert first.report.currency == ('USD' if on is not BUND else 'EUR')
