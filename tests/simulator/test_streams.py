"""Subscriptions without a socket: what is told equals the market's own truth."""
import pytest
from conversation import APPLE, AT, talk

EURUSD = ('0', 'EUR', 'CASH', '', '0.0', '', '', 'IDEALPRO', '', 'USD', '', '')
SPX = ('0', 'SPX', 'IND', '', '0.0', '', '', 'CBOE', '', 'USD', '', '')
IBM = ('8314', 'IBM', 'STK', '', '0.0', '', '', 'SMART', '', 'USD', '', '')
SATURDAY = AT + 3 * 86400


@pytest.fixture
def one():
    return talk()


def apple(one):
    return one.gateway.market.by_conId(265598)


def test_every_trade_comes_as_rtvolume_once_and_in_order(one):
    one.subscribe(5)
    one.hear()
    for end in (0.1, 7.0, 60.0, 60.5, 300.0):
        one.gateway.advance(AT + end)
    told = [fields[4].split(';') for fields in one.hear_only(46) if fields[3] == '48']
    truth = one.gateway.market.trades(apple(one), AT, AT + 300)
    assert [(float(price), float(size), int(ms)) for price, size, ms, _, _, _ in told] == [
        (trade.price, trade.size, round(trade.time * 1000)) for trade in truth]
    assert len(told) > 50


def test_a_subscription_opens_with_the_picture(one):
    one.subscribe(5)
    told = one.hear()
    assert [fields[0] for fields in told[:2]] == ['81', '58']
    assert {fields[3] for fields in told if fields[0] == '1'} == {'1', '2', '4', '6', '7', '9', '14'}
    quote = one.gateway.market.quote(apple(one), AT)
    assert ['1', '6', '5', '1'] == told[2][:4] and float(told[2][4]) == quote.bid


def test_quotes_are_told_as_they_change(one):
    one.subscribe(5, EURUSD, '')
    one.hear()
    one.gateway.advance(AT + 600)
    bids = [float(fields[4]) for fields in one.hear_only(1) if fields[3] == '1']
    pair = one.gateway.catalogue.find(one.gateway.requests[-1].request.contract)[0]
    truth = [quote.bid for quote in one.gateway.market.quotes(pair, AT, AT + 600)]
    before = [one.gateway.market.quote(pair, AT - 0.001).bid] + truth
    changed = [bid for bid, last in zip(truth, before) if bid != last]
    assert bids == changed and len(bids) > 2


def test_an_index_has_a_last_price_without_size(one):
    one.subscribe(5, SPX, '')
    one.gateway.advance(AT + 30)
    told = one.hear()
    assert any(fields[0] == '1' and fields[3] == '4' for fields in told)
    assert not any(fields[0] == '2' and fields[3] in '58' for fields in told)


def test_a_closed_market_has_no_quote(one):
    one.gateway.advance(SATURDAY)
    one.subscribe(5)
    prices = {fields[3]: float(fields[4]) for fields in one.hear_only(1)}
    assert prices['1'] == prices['2'] == -1 and prices['4'] > 100


def test_a_snapshot_ends_and_takes_no_line(one):
    one.subscribe(5, snapshot=1)
    assert one.hear()[-1] == ['57', '1', '5']
    assert one.gateway.lines == 0


def test_five_second_bars_are_the_market_s(one):
    one.say(50, 3, 6, *APPLE, 5, 'TRADES', 0, '')
    one.gateway.advance(AT + 2.5)
    one.gateway.advance(AT + 61)
    told = [(float(fields[3]), float(fields[4]), float(fields[7]), float(fields[8])) for fields in one.hear_only(50)]
    truth = one.gateway.market.bars(apple(one), '5 secs', AT, AT + 60)
    assert told == [(bar.time, bar.open, bar.close, bar.volume) for bar in truth]
    one.say(51, 1, 6)
    assert one.gateway.lines == 0


def test_five_second_bars_without_trades_can_be_had():
    one = talk(empty_bars=True)
    one.say(50, 3, 6, '900001', 'QUIET', 'STK', '', '0.0', '', '', 'SMART', '', 'USD', '', '', 5, 'TRADES', 0, '')
    one.gateway.advance(AT + 10)
    assert [fields[8] for fields in one.hear_only(50)] == ['0', '0']


def test_fx_has_no_trades_to_make_bars_of(one):
    one.say(50, 3, 6, *EURUSD, 5, 'TRADES', 0, '')
    assert one.errors() == [(6, 420)]


@pytest.mark.parametrize('kind, number', [('Last', '1'), ('AllLast', '2')])
def test_tick_by_tick_trades(one, kind, number):
    one.say(97, 7, *APPLE, kind, 0, 0)
    one.gateway.advance(AT + 20)
    told = one.hear_only(99)
    truth = one.gateway.market.trades(apple(one), AT, AT + 20)
    assert [(fields[2], float(fields[4])) for fields in told] == [(number, trade.price) for trade in truth]


def test_tick_by_tick_quotes_and_mid_points(one):
    one.say(97, 7, *APPLE, 'BidAsk', 0, 0)
    one.say(97, 8, *APPLE, 'MidPoint', 0, 0)
    one.gateway.advance(AT + 20)
    told = one.hear_only(99)
    assert {fields[2] for fields in told} == {'3', '4'}
    mids = [float(fields[4]) for fields in told if fields[2] == '4']
    assert all(first != second for first, second in zip(mids, mids[1:]))


def test_tick_by_tick_has_a_limit_of_its_own(one):
    for reqId in range(6):
        one.say(97, reqId, *APPLE, 'Last', 0, 0)
    assert one.errors() == [(5, 10190)]


def test_lines_run_out():
    one = talk(market_data_lines=2)
    for reqId in range(3):
        one.subscribe(reqId)
    assert one.errors() == [(2, 101)]
    one.say(2, 2, 0)
    one.subscribe(2)
    assert one.errors() == [] and one.gateway.lines == 2


def test_ids_must_be_new_and_known(one):
    one.subscribe(5)
    one.subscribe(5)
    one.say(2, 2, 6)
    assert one.errors() == [(5, 322), (6, 300)]


def test_what_is_not_subscribed_is_refused_or_delayed(one):
    one.gateway.streams.withhold('IBM', 354)
    one.subscribe(5, IBM)
    assert one.errors() == [(5, 354)]
    one.say(59, 1, 3)
    one.subscribe(6, IBM)
    told = one.hear()
    assert [fields[3] for fields in told if fields[0] == '4'] == ['10167']
    assert ['58', '1', '6', '3'] in told and {'66', '67', '68'} <= {fields[3] for fields in told if fields[0] == '1'}
    one.gateway.streams.grant('IBM')
    one.subscribe(7, IBM)
    assert one.errors() == []


def test_nor_are_bars_and_tick_by_tick_data_told_that_are_not_subscribed(one):
    one.gateway.streams.withhold('AAPL')
    one.say(59, 1, 3)
    one.say(50, 3, 6, *APPLE, 5, 'TRADES', 0, '')
    one.say(97, 7, *APPLE, 'Last', 0, 0)
    assert one.errors() == [(6, 420), (7, 10189)]


def test_delayed_ticks_are_a_quarter_of_an_hour_old(one):
    one.gateway.streams.withhold('AAPL')
    one.say(59, 1, 3)
    one.subscribe(5, generic='')
    one.hear()
    one.gateway.advance(AT + 10)
    lasts = [float(fields[4]) for fields in one.hear_only(1) if fields[3] == '68']
    assert lasts == [trade.price for trade in one.gateway.market.trades(apple(one), AT - 900, AT - 890)]


def test_a_client_that_leaves_frees_its_lines(one):
    one.subscribe(5)
    one.gateway.disconnect(one.session)
    assert one.gateway.lines == 0 and one.gateway.clients == {}
