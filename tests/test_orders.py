"""Orders without a wire: fields, keywords, the object, and the tables of their life."""
import copy
import datetime
import decimal
import fractions
import math

import backtrader as bt
import pytest
from hypothesis import given, strategies as st

from backtrader_ib_insync import codes, zones
from backtrader_ib_insync.comminfo import of_contract, size_step
from backtrader_ib_insync.errors import BadOrder, BadParameter
from backtrader_ib_insync.insync import Contract, ContractDetails, Order as TWSOrder
from backtrader_ib_insync.order_book import OrderBook, own_ref
from backtrader_ib_insync.order_fields import Setting, Terms, ticket, tidy
from backtrader_ib_insync.order_ticks import on_grid
from backtrader_ib_insync.order_keywords import keywords
from backtrader_ib_insync.order_life import ALIVE, FILLED, NOTHING, Life
from backtrader_ib_insync.order_changes import asked, shows
from backtrader_ib_insync.orders import IBOrder, date_number, tws_order
from backtrader_ib_insync.holding import Moved

Order = bt.Order
NOW = 1732115400.0          # 2024-11-20 15:10 UTC
CENT = ((0.0, 0.01),)
BLANK = vars(TWSOrder())


class Data(bt.feed.DataBase):
    """A feed without a bar."""


def fields(exectype=Order.Market, setting=None, buy=True, size=100, **asked):
    return ticket(Terms(buy, size, exectype=exectype, **asked), setting or Setting(increments=CENT, now=NOW)).fields


# -- prices ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('exectype, asked, expected', [
    (Order.Market, {}, {'orderType': 'MKT', 'tif': 'GTC'}),
    (Order.Close, {}, {'orderType': 'MOC', 'tif': 'DAY'}),
    (Order.Limit, {'price': 150.0}, {'orderType': 'LMT', 'lmtPrice': 150.0}),
    (Order.Stop, {'price': 145.0}, {'orderType': 'STP', 'auxPrice': 145.0}),
    (Order.StopLimit, {'price': 145.0, 'plimit': 144.5},
     {'orderType': 'STP LMT', 'auxPrice': 145.0, 'lmtPrice': 144.5}),
    (Order.StopTrail, {'trailamount': 2.0}, {'orderType': 'TRAIL', 'auxPrice': 2.0}),
    (Order.StopTrail, {'trailpercent': 0.07}, {'orderType': 'TRAIL', 'trailingPercent': 7.0}),
    (Order.StopTrailLimit, {'price': 100.0, 'plimit': 99.0, 'trailamount': 2.0},
     {'orderType': 'TRAIL LIMIT', 'auxPrice': 2.0, 'trailStopPrice': 98.0, 'lmtPriceOffset': 1.0}),
])
def test_p55_every_exec_type_has_its_tws_fields(exectype, asked, expected):
    sent = fields(exectype, buy=False, **asked)
    assert {name: sent[name] for name in expected} == expected
    assert sent['action'] == 'SELL' and sent['totalQuantity'] == 100
    assert set(sent) <= set(BLANK)


def test_p55_a_trail_is_by_amount_or_by_percent_never_both():
    sent = fields(Order.StopTrail, trailamount=2.0, trailpercent=0.02)
    assert sent['auxPrice'] == 2.0 and 'trailingPercent' not in sent


def test_a_buying_trail_limit_mirrors_the_selling_one():
    sent = fields(Order.StopTrailLimit, price=100.0, plimit=101.0, trailpercent=0.02)
    assert (sent['trailStopPrice'], sent['lmtPriceOffset'], sent['trailingPercent']) == (102.0, 1.0, 2.0)


def test_a_trail_limit_starts_at_the_last_close_when_no_price_is_given():
    sent = fields(Order.StopTrailLimit, Setting(increments=CENT, now=NOW, reference=50.0), buy=False, trailamount=1.0)
    assert sent['trailStopPrice'] == 49.0 and sent['lmtPriceOffset'] == 0.0


@pytest.mark.parametrize('exectype, asked, word', [
    (Order.Limit, {}, 'price None'), (Order.Limit, {'price': math.nan}, 'nan'), (Order.Limit, {'price': 'x'}, "'x'"),
    (Order.Limit, {'price': -1.0}, '-1.0'), (Order.Stop, {'price': 0.0}, '0.0'), (Order.StopTrail, {}, 'trailamount'),
    (Order.StopTrail, {'trailpercent': 2.0}, '2.0'), (Order.StopTrailLimit, {'trailamount': 1.0}, 'first bar'),
    (Order.Historical, {}, 'exectype'), (Order.Market, {'size': 0}, 'size 0'),
    (Order.Market, {'size': math.nan}, 'nan'),
    (Order.Market, {'size': -5}, '-5'), (Order.Market, {'valid': 'tomorrow'}, 'tomorrow'),
    (Order.Market, {'keywords': {'tif': 'FOREVER'}}, 'FOREVER'), (Order.Market, {'keywords': {'tif': 'GTD'}}, 'GTD'),
])
def test_p66_what_makes_no_order_is_an_error_that_names_it(exectype, asked, word):
    with pytest.raises(BadOrder, match=word):
        fields(exectype, **asked)


def test_a_future_may_be_bought_below_zero():
    assert fields(Order.Limit, Setting('FUT', ((0.0, 0.01),), now=NOW), price=-37.63)['lmtPrice'] == -37.63


def test_prices_off_the_tick_are_rounded_and_noted():
    setting = Setting(increments=((0.0, 0.0001), (1.0, 0.01)), now=NOW)
    done = ticket(Terms(True, 1, 150.003, exectype=Order.Limit), setting)
    assert done.fields['lmtPrice'] == 150.0 and '150.003' in done.notes[0] and '0.01' in done.notes[0]
    done = ticket(Terms(True, 1, 0.50004, exectype=Order.Limit), setting)
    assert done.fields['lmtPrice'] == 0.5
    assert ticket(Terms(True, 1, 0.1 + 0.2, exectype=Order.Limit), setting).notes == ()


@given(st.integers(-10 ** 7, 10 ** 7),
       st.sampled_from([0.01, 0.05, 0.25, 0.0001, 0.00005, 0.03125, 0.015625, 1.0, 5.0]))
def test_a_price_on_the_grid_stays_and_any_other_moves_half_a_tick_at_most(steps, increment):
    on = round(steps * increment, 10)
    assert on_grid(on, increment) == on
    assert abs(on_grid(on + 0.3 * increment, increment) - on) < 1e-9 + 1e-12 * abs(on)


def test_p89_fractional_sizes_go_as_they_are_and_whole_ones_as_ints():
    assert fields(size=0.1 + 0.2)['totalQuantity'] == 0.3
    assert isinstance(fields(size=100.0)['totalQuantity'], int)
    assert tidy(.1 + .2 - .3) == 0


def test_coins_at_market_are_bought_by_money_and_sold_by_size():
    setting = Setting('CRYPTO', ((0.0, 0.25),), 90000.0, now=NOW)
    sent = fields(setting=setting, size=0.5)
    assert (sent['cashQty'], sent['totalQuantity'], sent['tif']) == (45000.0, 0, 'IOC')
    sent = fields(setting=setting, size=0.5, buy=False)
    assert 'cashQty' not in sent and sent['totalQuantity'] == 0.5 and sent['tif'] == 'IOC'


# -- time in force -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('valid, expected', [
    (None, ('GTC', None)), ('GTC', ('GTC', None)), (Order.DAY, ('DAY', None)), (0, ('DAY', None)),
    ('DAY', ('DAY', None)),
    (datetime.timedelta(hours=1), ('GTD', '20241120-16:10:00')),
    (datetime.datetime(2024, 11, 22, 16, 0), ('GTD', '20241122-21:00:00')),
    (datetime.datetime(2024, 11, 22, 16, 0, tzinfo=datetime.timezone.utc), ('GTD', '20241122-16:00:00')),
    (datetime.datetime(2025, 11, 2, 1, 30), ('GTD', '20251102-05:30:00')),
    (datetime.datetime(2025, 11, 2, 1, 30, fold=1), ('GTD', '20251102-06:30:00')),
    (datetime.datetime(2025, 3, 9, 2, 30), ('GTD', '20250309-07:30:00')),
    (datetime.date(2024, 11, 22), ('GTD', '20241123-04:59:59')),
    (bt.date2num(datetime.datetime(2024, 11, 22, 12, 0)), ('GTD', '20241122-12:00:00')),
])
def test_p54_valid_is_the_time_in_force(valid, expected):
    sent = fields(Order.Limit, Setting(now=NOW, zone=zones.zone('US/Eastern')), price=1.0, valid=valid)
    assert (sent['tif'], sent.get('goodTillDate')) == expected


class Stamp(datetime.datetime):
    """As a Timestamp of pandas: one of no zone asks the zone that it is given for an offset of always."""

    def replace(self, *args, **kwargs):
        raise AttributeError("'NoneType' object has no attribute 'total_seconds'")


def test_p54_a_moment_of_pandas_is_read_as_any_other():
    sent = fields(Order.Limit, Setting(now=NOW, zone=zones.zone('US/Eastern')), price=1.0, valid=Stamp(2025, 7, 1, 16))
    assert sent['goodTillDate'] == '20250701-20:00:00'


def test_p54_a_number_of_another_kind_is_a_number():
    assert fields(valid=fractions.Fraction(0))['tif'] == 'DAY'
    assert fields(valid=fractions.Fraction(2 * 739212 + 1, 2))['goodTillDate'] == '20241122-12:00:00'


@pytest.mark.parametrize('valid', ['tomorrow', [1], datetime.time(16), object()])
def test_p54_p66_what_is_no_date_at_all_is_refused_with_what_would_be(valid):
    with pytest.raises(BadOrder, match='Order.GTC, Order.DAY or 0, a timedelta'):
        fields(valid=valid)


@pytest.mark.parametrize('valid', [
    datetime.datetime.max, datetime.datetime.max.replace(tzinfo=datetime.timezone.utc), datetime.date.max,
    datetime.timedelta.max, datetime.timedelta.min, math.inf, math.nan, 1e9, -1.0])
def test_p54_p66_a_date_beyond_all_dates_is_refused_and_ends_no_run(valid):
    for zone in ('US/Eastern', 'Asia/Tokyo'):
        try:
            assert fields(Order.Limit, Setting(now=NOW, zone=zones.zone(zone)), price=1.0, valid=valid)
        except BadOrder as error:
            assert 'valid' in str(error)


@pytest.mark.parametrize('tif', ['IOC', 'FOK', 'OPG', 'DTC', 'DAY'])
def test_p54_tif_goes_by_keyword_and_with_no_date_but_that_of_gtd(tif):
    assert fields(keywords={'tif': tif})['tif'] == tif
    for dated in ({'valid': datetime.timedelta(days=1), 'keywords': {'tif': tif}},
                  {'keywords': {'tif': tif, 'goodTillDate': '20250101-10:00:00'}}):
        with pytest.raises(BadOrder, match='exclude each other'):
            fields(**dated)


def test_p54_a_date_alone_is_good_till_that_date_and_there_is_one():
    given = {'goodTillDate': '20250101-10:00:00'}
    sent = fields(keywords=given)
    assert (sent['tif'], sent['goodTillDate']) == ('GTD', '20250101-10:00:00')
    with pytest.raises(BadOrder, match='exclude each other'):
        fields(keywords=given, valid=datetime.timedelta(days=1))


@pytest.mark.parametrize('name', ['conditions', 'softDollarTier', 'lmtPrice', 'algoParams', 'orderComboLegs'])
@pytest.mark.parametrize('value', [[3], ['x']])
def test_p57_what_no_message_can_be_made_of_is_an_error_at_once(name, value):
    with pytest.raises(BadParameter, match=name):
        keywords({name: value}, BLANK)


def test_p57_a_number_is_a_name_and_bytes_are_none():
    assert keywords({'orderRef': 5, 'ocaGroup': 7}, BLANK) == {'orderRef': '5', 'ocaGroup': '7'}
    with pytest.raises(BadParameter, match='orderRef'):
        keywords({'orderRef': b'mine'}, BLANK)


class Flag:
    """As numpy has true and false: neither a bool nor a number."""

    def __bool__(self):
        return True


def test_p57_true_and_false_are_whatever_python_takes_for_them_but_no_text():
    assert keywords({'outsideRth': Flag(), 'hidden': 0}, BLANK) == {'outsideRth': True, 'hidden': False}
    with pytest.raises(BadParameter, match='True or False'):
        keywords({'outsideRth': 'False'}, BLANK)
    made = keywords({'algoParams': {'noTakeLiq': True, 'allowPastEndTime': False, 'maxPctVol': 0.1}}, BLANK)
    assert [tag.value for tag in made['algoParams']] == ['1', '0', '0.1']


def test_p57_a_whole_number_goes_as_one_where_tws_counts():
    made = keywords({'displaySize': 5.0, 'minQty': 5, 'percentOffset': 5.0}, BLANK)
    assert [repr(made[name]) for name in ('displaySize', 'minQty', 'percentOffset')] == ['5', '5', '5.0']


def test_p57_a_name_is_a_text_and_a_price_is_a_number_whatever_they_were_given_as():
    made = keywords({'orderRef': fractions.Fraction(7), 'ocaGroup': decimal.Decimal('1.5'), 'lmtPriceOffset': '0.5',
                     'minQty': '5', 'volatility': decimal.Decimal('0.2')}, BLANK)
    assert made == {'orderRef': '7', 'ocaGroup': '1.5', 'lmtPriceOffset': 0.5, 'minQty': 5, 'volatility': 0.2}
    assert {type(made[name]) for name in ('lmtPriceOffset', 'volatility')} == {float} and type(made['minQty']) is int
    for name in ('lmtPriceOffset', 'minQty', 'cashQty'):
        with pytest.raises(BadParameter, match=name + "='x': must be a number"):
            keywords({name: 'x'}, BLANK)


def test_p57_a_text_that_would_end_its_field_on_the_wire_is_an_error():
    with pytest.raises(BadParameter, match='orderRef'):
        keywords({'orderRef': 'a\0b'}, BLANK)


def test_p57_an_attribute_that_is_a_date_is_a_text_and_the_error_says_so():
    with pytest.raises(BadParameter, match='yyyymmdd-hh:mm:ss'):
        keywords({'goodAfterTime': datetime.datetime(2024, 11, 22, 16)}, BLANK)


@pytest.mark.parametrize('name', ['trailingPercent', 'lmtPriceOffset', 'cashQty', 'percentOffset', 'adjustedStopPrice'])
def test_p57_p66_an_attribute_that_is_no_number_yet_is_refused_by_name(name):
    with pytest.raises(BadOrder, match='{} nan.*warmed up'.format(name)):
        fields(keywords={name: float('nan')})


def test_p57_no_cash_takes_no_size_away():
    assert fields(keywords={'cashQty': 0.0})['totalQuantity'] == 100
    assert fields(keywords={'cashQty': 500.0})['totalQuantity'] == 0


def test_p57_a_hedge_of_a_currency_has_the_only_size_that_tws_takes_for_it():
    assert fields(keywords={'hedgeType': 'F'})['totalQuantity'] == 0
    assert fields(keywords={'hedgeType': 'P', 'hedgeParam': '2'})['totalQuantity'] == 100


def test_p66_a_trail_that_the_tick_makes_nothing_of_is_refused():
    with pytest.raises(BadOrder, match='trailamount 0.004.*0.01'):
        fields(Order.StopTrail, trailamount=0.004)


def test_p57_tws_s_own_word_for_unset_is_not_said():
    assert keywords({'auxPrice': BLANK['auxPrice'], 'minQty': BLANK['minQty']}, BLANK) == {}


@pytest.mark.parametrize('asked', [{'price': 1e308}, {'price': 200.0, 'trailamount': 'x'}])
def test_p63_what_is_no_number_is_refused_by_name(asked):
    with pytest.raises(BadOrder, match=list(asked)[-1]):
        fields(Order.StopTrail, **dict({'trailamount': 5.0}, **asked))


def test_p57_none_is_as_if_nothing_had_been_said():
    assert keywords({'tif': None, 'account': None, 'm_outsideRth': None}, BLANK) == {}
    assert keywords({'account': ''}, BLANK) == {}


@pytest.mark.parametrize('name', ['totalQuantity', 'm_totalQuantity', 'whatIf', 'm_whatIf'])
def test_p57_what_this_library_decides_is_no_keyword(name):
    with pytest.raises(BadParameter, match='by keyword'):
        keywords({name: 7}, BLANK)


@pytest.mark.parametrize('name', ['lmtPrice', 'auxPrice', 'trailStopPrice'])
def test_p63_a_price_by_keyword_is_a_price_on_the_tick(name):
    made = ticket(Terms(True, 1, keywords={'orderType': 'LIT', name: 10.003}), Setting(increments=CENT, now=NOW))
    assert made.fields[name] == 10.0 and 'off the tick' in made.notes[0]
    for value in (float('nan'), -5.0, 'much'):
        with pytest.raises(BadOrder, match=name):
            fields(keywords={'orderType': 'LIT', name: value})


def test_p63_a_price_that_the_tick_makes_nothing_of_is_refused():
    with pytest.raises(BadOrder, match='0.004.*0.01'):
        fields(Order.Limit, price=0.004)
    assert fields(Order.Limit, price=0.005)['lmtPrice'] == 0.01


def test_p54_a_date_that_has_passed_is_refused_with_the_date():
    with pytest.raises(BadOrder, match='20241119-00:00:00'):
        fields(valid=datetime.datetime(2024, 11, 19, tzinfo=datetime.timezone.utc))


def test_p54_the_constant_of_the_manual():
    import backtrader_ib_insync  # noqa: F401
    assert fields(valid=bt.Order.GTC)['tif'] == 'GTC'


# -- keywords ----------------------------------------------------------------------------------------------------------

def test_p57_tws_attributes_pass_plain_or_with_the_old_prefix():
    given_ = {'orderType': 'LIT', 'm_triggerMethod': 2, 'outsideRth': True,
              'algoParams': {'adaptivePriority': 'Normal'}}
    made = keywords(given_, BLANK)
    assert made['triggerMethod'] == 2 and made['algoParams'][0].tag == 'adaptivePriority'
    assert fields(keywords=made)['orderType'] == 'LIT'


@pytest.mark.parametrize('name, word', [
    ('outsideRTH', 'outsideRth'), ('m_lmtprice', 'lmtPrice'), ('orderId', 'orderId'), ('zzz', 'zzz')])
def test_p57_an_unknown_keyword_is_an_error_that_names_it(name, word):
    with pytest.raises(BadParameter, match=word):
        keywords({name: 1}, BLANK)


# -- the object --------------------------------------------------------------------------------------------------------

def order(buy=True, size=100, tws=None, **asked):
    data = Data(dataname='nothing')
    made = IBOrder(buy, now=NOW, data=data, size=size, **asked)
    made.addcomminfo(of_contract(Contract(secType='FUT', multiplier='50')))
    made.state(tws or TWSOrder(orderId=7, permId=99, action='BUY', totalQuantity=size, lmtPrice=1.5, tif='GTC'))
    return made


def test_p83_an_order_can_be_made_before_the_first_bar():
    made = order(exectype=Order.StopTrail, trailamount=1.0, valid=datetime.timedelta(days=1))
    assert made.created.dt == date_number(NOW) and made.alive()
    made.end(Order.Rejected, date_number(NOW))
    assert made.executed.dt == date_number(NOW)


def test_p70_hash_membership_clone_and_str():
    made = order()
    made.submit(None)
    clone = made.clone()
    made.accept(None)
    made.update(lmtPrice=2.5)
    assert clone == made and clone in [made] and hash(clone) == hash(made) and made != None  # noqa: E711
    assert clone.status == Order.Submitted and clone.lmtPrice == 1.5 and made.m_lmtPrice == 2.5
    assert 'permId: 99' in str(made) and made.m_permId == 99 and made.p.size == 100
    assert copy.copy(made).ref == made.ref and made != 5
    assert not hasattr(made, 'noSuchThing')


@pytest.mark.parametrize('exectype', ['Limit', 99])
def test_p70_an_order_of_no_type_can_be_written(exectype):
    assert 'ExecType: {}'.format(exectype) in str(order(exectype=exectype))


def test_p70_what_is_added_to_info_after_buy_is_seen_in_the_notification():
    made = order()
    clone = made.clone()
    made.addinfo(name='entry')
    assert clone.info.name == 'entry'


def test_p50_p89_executions_add_up_to_exactly_the_size():
    made = order(size=0.3)
    for part in (0.1, 0.2):
        made.fill(part, 10.0, date_number(NOW), Moved(part, 10.0, part, 0, 0, 0.0), 1.0)
    assert made.status == Order.Completed and made.executed.size == 0.3 and made.executed.remsize == 0
    assert made.executed.comm == 2.0


def test_p50_a_reversal_splits_commission_and_knows_its_profit():
    made = order(size=8, buy=False)
    bit = made.fill(-8, 12.0, date_number(NOW), Moved(-3, 12.0, -3, -5, 5, 10.0), 8.0)
    assert (bit.closedcomm, bit.openedcomm, bit.pnl) == (5.0, 3.0, 5 * 2.0 * 50)
    made.recharge(bit, 8.0)
    assert (bit.closedcomm, bit.openedcomm, made.executed.comm) == (10.0, 6.0, 16.0)


def test_p51_a_bust_that_leaves_nothing_executed_is_no_error():
    made = order(size=5)
    made.fill(5, 10.0, date_number(NOW), Moved(5, 10.0, 5, 0, 0, 0.0), 1.0)
    made.fill(-5, 10.0, date_number(NOW), Moved(0, 0.0, 0, -5, 5, 10.0), 0.0)
    assert made.executed.size == 0 and made.status == Order.Completed


def test_an_order_that_ended_keeps_its_end_when_a_late_fill_comes():
    made = order()
    made.end(Order.Canceled, date_number(NOW))
    made.fill(100, 10.0, date_number(NOW), Moved(100, 10.0, 100, 0, 0, 0.0), 1.0)
    assert made.status == Order.Canceled and made.executed.size == 100


def test_an_adopted_order_speaks_backtraders_words():
    for told, words in (
            (dict(orderType='MKT', lmtPrice=0.0, auxPrice=0.0), dict(exectype=Order.Market)),
            (dict(orderType='STP LMT', auxPrice=5.0, lmtPrice=4.0),
             dict(exectype=Order.StopLimit, price=5.0, pricelimit=4.0)),
            (dict(orderType='TRAIL LIMIT', auxPrice=5.0), dict(exectype=Order.StopTrailLimit, trailamount=5.0)),
            (dict(orderType='TRAIL', trailingPercent=5.0), dict(exectype=Order.StopTrail, trailpercent=0.05)),
            (dict(orderType='LIT', auxPrice=5.0, lmtPrice=4.0), dict(exectype=Order.Limit, price=4.0)),
            (dict(orderType='MIT', auxPrice=5.0), dict(exectype=Order.Stop, price=5.0, pricelimit=None))):
        assert asked(TWSOrder(**told)) == words


@pytest.mark.parametrize('old, new', [
    ({'lmtPrice': 5.0}, {'lmtPrice': 6.0}), ({'totalQuantity': 1}, {'totalQuantity': 2}),
    ({'tif': 'GTC'}, {'tif': 'DAY'}), ({'outsideRth': False}, {'outsideRth': True}),
    ({'ocaGroup': ''}, {'ocaGroup': 'mine'}),
    ({'goodTillDate': '20241202-15:00:00'}, {'goodTillDate': '20241203-15:00:00'}),
])
def test_p61_tws_s_view_of_an_order_shows_a_change_or_what_was_before(old, new):
    before, ours = TWSOrder(**old), TWSOrder(**new)
    assert shows(TWSOrder(**new), ours, before) and not shows(TWSOrder(**old), ours, before)


def test_p61_a_date_is_the_same_in_any_zone_and_what_tws_rounds_is_no_refusal():
    before, ours = TWSOrder(goodTillDate='20241202-15:00:00'), TWSOrder(goodTillDate='20241203-15:00:00')
    assert not shows(TWSOrder(goodTillDate='20241202 10:00:00 US/Eastern'), ours, before)
    assert shows(TWSOrder(goodTillDate='20241203 10:00:00 US/Eastern'), ours, before)
    assert shows(TWSOrder(trailStopPrice=5.5), TWSOrder(trailStopPrice=5.4), TWSOrder(trailStopPrice=4.0))


# -- fast copies -------------------------------------------------------------------------------------------------------

def test_a_tws_order_made_quickly_is_one_made_by_its_class_and_shares_nothing():
    made = tws_order({'action': 'BUY', 'totalQuantity': 3}, {'lmtPrice': 5.0})
    assert type(made) is TWSOrder and vars(made) == vars(TWSOrder(action='BUY', totalQuantity=3, lmtPrice=5.0))
    other = tws_order()
    shared = [name for name, value in vars(other).items() if isinstance(value, list) and value is getattr(made, name)]
    assert vars(other) == vars(TWSOrder()) and shared == []


# -- commission info ---------------------------------------------------------------------------------------------------

def test_p65_values_use_the_multiplier():
    future = of_contract(Contract(secType='FUT', multiplier='50'))
    assert future.getvaluesize(2, 100.0) == 10000.0 and future.getvaluesize(-2, 100.0) == -10000.0
    assert future.getoperationcost(-2, 100.0) == 10000.0 and future.getsize(100, 10000) == 2
    assert future.profitandloss(2, 100.0, 101.0) == 100.0 and not future.stocklike
    stock = of_contract(Contract(secType='STK', multiplier=''))
    assert stock.stocklike and stock.getsize(3.0, 10.0) == 3
    assert stock.profitandloss(10, 100.6, 103) == pytest.approx(24)


def test_coins_are_bought_in_fractions():
    details = ContractDetails(contract=Contract(secType='CRYPTO'))
    step = size_step(details)
    assert step < 1 and of_contract(details.contract, step).getsize(90000.0, 45000.0) == 0.5


# -- the tables of life ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('status, said, end', [
    ('PendingSubmit', NOTHING, None), ('ApiPending', NOTHING, None), ('PendingCancel', NOTHING, None),
    ('PreSubmitted', ALIVE, None), ('Submitted', ALIVE, None), ('Filled', FILLED, Order.Completed),
    ('Cancelled', None, Order.Canceled), ('ApiCancelled', None, Order.Canceled), ('Inactive', None, Order.Rejected),
])
def test_statuses(status, said, end):
    life = Life()
    assert said in (None, life.on_status(status, 0.0, '', NOW) if said else None)
    if end is not None:
        life.on_status(status, 0.0, '', NOW)
        assert life.ending.status == end


def test_p60_four_ends_are_four_things():
    asked, dated, refused, poor = Life(), Life(), Life(), Life()
    asked.cancel_asked = True
    asked.on_status('Cancelled', 0, '', NOW)
    dated.until = NOW - 1
    dated.on_status('Cancelled', 0, '', NOW)
    refused.on_error('rejected', '', NOW)
    poor.on_error('margin', '', NOW)
    assert [life.ending.status for life in (asked, dated, refused, poor)] == [
        Order.Canceled, Order.Expired, Order.Rejected, Order.Margin]


def test_p61_inactive_with_locate_is_alive_and_a_revival_takes_inactive_back():
    life = Life()
    assert life.on_status('Inactive', 0, 'locate', NOW) is ALIVE and life.ending is None
    life.on_status('Inactive', 0, '', NOW)
    assert not life.ending.due(0, NOW + 1)
    life.on_status('Submitted', 0, '', NOW + 1)
    assert life.ending is None


def test_p58_a_fill_overtakes_a_cancel():
    life = Life()
    life.on_status('Cancelled', 60, '', NOW)
    assert not life.ending.due(0, NOW + 1) and life.ending.due(60, NOW + 1) and life.ending.due(0, NOW + 60)


@pytest.mark.parametrize('code, text, acknowledged, end', [
    (201, 'Order rejected - reason:something', False, Order.Rejected),
    (201, 'Order rejected - reason:YOUR EQUITY WITH LOAN VALUE MUST EXCEED THE INITIAL MARGIN', False, Order.Margin),
    (200, 'No security definition', False, Order.Rejected), (321, 'validation', False, Order.Rejected),
    (321, 'validation', True, None), (105, 'does not match', True, None), (110, 'tick', False, Order.Rejected),
    (202, 'Order Canceled - reason:', True, Order.Canceled), (10147, 'not found', True, Order.Canceled),
    (10148, 'cannot be cancelled, state: Filled.', True, Order.Completed),
    (10148, 'cannot be cancelled, state: Cancelled.', True, Order.Canceled),
    (161, 'not in a cancellable state', True, None),
    (399, 'will not be placed until', True, None), (399, 'will not be placed until', False, None),
    (404, 'held while we locate', False, None), (2109, 'outsideRth', False, None), (10349, 'TIF', False, None),
])
def test_p59_codes_end_orders_or_inform(code, text, acknowledged, end):
    life = Life()
    ends = life.on_error(codes.order_error(code, text, acknowledged), text, NOW)
    assert ends == (end is not None) and (life.ending.status if ends else None) == end


def test_own_references_never_repeat_and_the_book_knows_every_name():
    assert own_ref() != own_ref()
    book, made = OrderBook(), order(tws=TWSOrder(orderId=7, clientId=3, orderRef='bt:x', parentId=5))
    book.add(made)
    book.name(made, 99)
    assert book.find(permId=99) is book.find(0, 3, 7) is book.find(orderRef='bt:x') is book.own(made.clone()) is made
    assert book.find(1, 3, 8) is None and book.family(made) == [made] and book.group(made) == []
    book.retire(made)
    assert book.open() == [] and book.find(permId=99) is made
