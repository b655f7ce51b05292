"""Historical ticks without a socket: whole seconds, one session, no more than asked for but to complete a second."""
import pytest
from conversation import APPLE, AT, talk

from backtrader_ib_insync.simulator import zones

EURUSD = ('0', 'EUR', 'CASH', '', '0.0', '', '', 'IDEALPRO', '', 'USD', '', '')
SPX = ('0', 'SPX', 'IND', '', '0.0', '', '', 'CBOE', '', 'USD', '', '')
SHAPES = {98: 6, 97: 6, 96: 4}
HOUR = 3600


@pytest.fixture
def one():
    return talk(messages_per_second=0, history_pacing=False)


def ask(one, start='', end='', number=1000, what='TRADES', rth=0, ignore_size=0, contract=APPLE, reqId=5):
    one.say(96, reqId, *contract, 0, start, end, number, what, rth, ignore_size, '')


def rows(one, number=98):
    """The ticks of the one answer, each a list of numbers: the second, then prices and sizes."""
    answer, = one.hear_only(number)
    shape, values = SHAPES[number], answer[3:-1]
    assert answer[-1] == '1' and int(answer[2]) == len(values) // shape
    return [[int(values[n])] + [float(value) for value in values[n + 2:n + 4]] for n in range(0, len(values), shape)]


def market_of(one, symbol='AAPL'):
    market = one.gateway.market
    return market, next(found for found in market.listing.instruments if found.symbol == symbol)


def truth(one, start, end):
    market, apple = market_of(one)
    return [[int(trade.time), trade.price, trade.size] for trade in market.trades(apple, start, end)]


def crowd(one, second, count):
    """So many trades within one second."""
    market, apple = market_of(one)
    market.inject(apple, *[(second + 0.001 * number, 200 + 0.01 * (number % 50), 100 + number)
                           for number in range(count)])


def utc(time):
    return '{:%Y%m%d-%H:%M:%S}'.format(zones.local(time, 'UTC'))


def test_the_start_is_within_and_the_end_without(one):
    trades = truth(one, AT - 3600, AT - 1800)
    second = trades[40][0]
    ask(one, start=utc(second), number=3)
    assert rows(one)[0] == next(trade for trade in trades if trade[0] == second)
    ask(one, end=utc(second), number=3)
    assert rows(one)[-1] == [trade for trade in trades if trade[0] < second][-1]


def test_the_second_in_which_the_number_is_reached_is_told_whole(one):
    second = int(AT) - 1000
    crowd(one, second, 30)
    whole = truth(one, second, second + 1)
    ask(one, start=utc(second), number=10)
    assert rows(one) == whole and len(whole) >= 30
    ask(one, end=utc(second + 1), number=10)
    assert rows(one) == whole


def test_more_than_a_thousand_in_one_second(one):
    second = int(AT) - 1000
    crowd(one, second, 990)
    crowd(one, second, 200)
    ask(one, start=utc(second))
    assert rows(one) == truth(one, second, second + 1)


def test_what_has_not_happened_yet_is_not_told(one):
    one.gateway.advance(AT + 100.5)
    ask(one, start=utc(AT))
    assert rows(one) == truth(one, AT, AT + 100.5)


def test_an_answer_holds_one_session(one):
    """Whose after-hours end at 20:00, the next day's begin at 4:00."""
    close = AT - 14 * HOUR
    late = truth(one, close - 1800, close)
    ask(one, start=utc(close - 1800))
    assert rows(one) == late[:1000] and len(late) < 1000
    early = truth(one, close + 8 * HOUR, AT)
    ask(one, start=utc(close))
    assert rows(one)[:900] == early[:900]
    ask(one, end=utc(close + 8 * HOUR))
    assert rows(one) == truth(one, close - 16 * HOUR, close)[-1000:]


def test_after_the_last_trade_of_a_session_there_is_none(one):
    market, apple = market_of(one)
    close = AT - 14 * HOUR
    market.script(apple, [(close - 100.5, 200.0, 10), (AT - 60, 201.0, 20)])
    ask(one, start=utc(close - 101))
    assert rows(one) == truth(one, close - 101, close) != []
    ask(one, start=utc(close - 100))
    assert rows(one) == []
    ask(one, start=utc(close))
    assert rows(one) == [[int(AT - 60), 201.0, 20.0]]


def test_regular_hours_alone(one):
    opened = AT - 1800
    ask(one, start=utc(opened - 600), rth=1)
    assert rows(one) == truth(one, opened, AT)[:1000]


def test_quotes_are_told_as_they_change(one):
    market, _ = market_of(one)
    euro = next(found for found in market.listing.instruments if found.contract.localSymbol == 'EUR.USD')
    quotes = [[int(quote.time), quote.bid, quote.ask] for quote in market.quotes(euro, AT - 600, AT)]
    ask(one, start=utc(AT - 600), what='BID_ASK', ignore_size=1, contract=EURUSD)
    changes = [now for now, before in zip(quotes, [None] + quotes) if before is None or now[1:] != before[1:]]
    assert rows(one, 97) == changes[:1000]
    ask(one, start=utc(AT - 600), what='MIDPOINT', contract=EURUSD)
    assert [row[1] for row in rows(one, 96)] == pytest.approx([(bid + offer) / 2 for _, bid, offer in changes])


@pytest.mark.parametrize('changes, code', [
    (dict(), 321), (dict(start='20241119-15:00:00', end='20241119-16:00:00'), 321),
    (dict(start='20241119-15:00:00', number=1001), 321), (dict(start='20241119-15:00:00', number=0), 321),
    (dict(start='20241119-15:00:00', what='ASK'), 321), (dict(start='yesterday'), 10314),
    (dict(start='20241119-15:00:00', contract=EURUSD), 162), (dict(start='20241119-15:00:00', contract=SPX), 162),
    (dict(start='20241119-15:00:00', contract=('0', 'NOSUCH') + APPLE[2:]), 200)])
def test_what_is_refused(one, changes, code):
    ask(one, **changes)
    assert one.errors() == [(5, code)]


def test_a_start_without_a_zone_is_warned_of(one):
    ask(one, start='20241119 12:00:00', number=5)
    assert one.errors() == [(5, 2174)]


def test_they_are_paced_like_small_bars():
    one = talk(messages_per_second=0)
    ask(one, start='20241119-15:00:00', reqId=5)
    ask(one, start='20241119-15:00:00', reqId=6)
    assert one.errors() == [(6, 162)]
    for number in range(4):
        ask(one, start='20241119-15:00:0%d' % (number + 1), reqId=7 + number)
    assert one.errors() == [(10, 162)]


def test_they_take_as_long_as_bars_and_a_pacing_violation_may_be_planned():
    one = talk(history_latency=2.0)
    ask(one, start='20241119-15:00:00', number=5)
    assert one.hear() == [] and one.gateway.history.open_count == 1
    one.gateway.advance(AT + 2)
    assert len(rows(one)) >= 5
    one.gateway.faults.inject('pacing', 1)
    ask(one, start='20241119-15:00:01', number=5)
    assert one.errors() == [(5, 162)]


def test_a_lost_history_farm_answers_nothing_till_it_is_back(one):
    one.gateway.faults.inject('farm', 'history', 10)
    one.hear()
    ask(one, start='20241119-15:00:00', number=5)
    assert one.hear() == []
    one.gateway.advance(AT + 11)
    assert one.hear_only(98)
