"""History without a socket."""
import pytest
from conversation import APPLE, AT, talk

EURUSD = ('0', 'EUR', 'CASH', '', '0.0', '', '', 'IDEALPRO', '', 'USD', '', '')
BTC = ('0', 'BTC', 'CRYPTO', '', '0.0', '', '', 'PAXOS', '', 'USD', '', '')
CONTFUT = ('0', 'ES', 'CONTFUT', '', '0.0', '', '', 'CME', '', 'USD', '', '')
CISCO = ('0', 'CSCO', 'STK', '', '0.0', '', '', '', '', '', '', '')
DAY = 86400


@pytest.fixture
def one():
    return talk(messages_per_second=0)


def rows(one):
    """The (label, close, volume) of the one answer."""
    answer, = one.hear_only(17)
    values = answer[5:]
    assert int(answer[4]) == len(values) // 8
    return [(values[n], float(values[n + 4]), float(values[n + 5])) for n in range(0, len(values), 8)]


def truth(one, size, start, end, what='TRADES', rth=True):
    bars = one.gateway.market.bars(one.gateway.market.by_conId(265598), size, start, end, what, rth)
    return [(bar.close, bar.volume) for bar in bars]


@pytest.mark.parametrize('size', [
    '1 min', '2 mins', '3 mins', '5 mins', '10 mins', '15 mins', '20 mins', '30 mins', '1 hour', '2 hours', '3 hours',
    '4 hours', '8 hours'])
def test_bars_are_the_market_s_and_the_last_is_in_progress(one, size):
    one.gateway.advance(AT + 1234.5)
    one.ask_history(5, size)
    told = rows(one)
    assert [row[1:] for row in told] == truth(one, size, AT - 1800, AT + 1234.5)
    assert told[0][0] == str(int(AT - 1800))


def test_small_bars(one):
    for reqId, size in enumerate(('1 secs', '5 secs', '10 secs', '15 secs', '30 secs')):
        one.ask_history(reqId, size, '600 S')
        assert [row[1:] for row in rows(one)] == truth(one, size, AT - 600, AT)
        one.gateway.advance(AT, wall=one.gateway.wall + 5)


@pytest.mark.parametrize('size, duration, labels', [
    ('1 day', '3 D', ['20241118', '20241119', '20241120']),
    ('1 week', '3 W', ['20241101', '20241108', '20241115', '20241120']),
    ('1 month', '2 M', ['20240930', '20241031', '20241120'])])
def test_days_weeks_and_months_are_dates_also_as_epoch(one, size, duration, labels):
    one.ask_history(5, size, duration, form=2)
    assert [row[0] for row in rows(one)] == labels


def test_a_day_is_a_session_not_24_hours(one):
    one.ask_history(5, duration='2 D')
    assert rows(one)[0][0] == str(int(AT - DAY - 1800))
    one.ask_history(6, duration='2 D', rth=0)
    assert rows(one)[0][0] == str(int(AT - DAY - 6 * 3600))


def test_an_end_cuts_the_last_bar(one):
    one.ask_history(5, end='20241119-15:00:30', duration='1 D')
    told = rows(one)
    assert told[-1][0] == str(int(AT - DAY)) and told[-1][1:] == truth(one, '1 min', AT - DAY, AT - DAY + 30)[-1]


def test_quotes_have_no_volume(one):
    one.ask_history(5, what='BID', contract=EURUSD)
    assert {row[2] for row in rows(one)} == {-1.0}


def test_dates_as_text(one):
    one.ask_history(5, '1 hour', form=1)
    assert [row[0] for row in rows(one)] == ['20241120 09:30:00 US/Eastern']


@pytest.mark.parametrize('changes, code', [
    (dict(size='7 mins'), 321), (dict(size='1 sec'), 321), (dict(duration='1 X'), 321), (dict(duration='366 D'), 321),
    (dict(duration='86401 S'), 321),
    (dict(duration='0 D'), 321), (dict(what='PRICES'), 321), (dict(form=0), 321),
    (dict(end='20241119 10:00:00 GMT'), 10314),
    (dict(end='yesterday'), 10314), (dict(size='1 secs', duration='1 D'), 162), (dict(contract=EURUSD), 162),
    (dict(contract=BTC), 10299), (dict(contract=CONTFUT, end='20241119-10:00:00'), 10339), (dict(contract=CISCO), 200),
    (dict(what='ADJUSTED_LAST', end='20241119-10:00:00'), 321),
    (dict(contract=('0', 'NOSUCH') + APPLE[2:]), 200), (dict(keep=1, end='20241119-15:00:00'), 321),
    (dict(end='20241117-15:00:00', duration='600 S'), 162),
    (dict(size='30 secs', end='20240102-15:00:00', duration='60 S'), 162)])
def test_what_is_refused(one, changes, code):
    one.ask_history(5, **changes)
    assert one.errors() == [(5, code)]


def test_the_legal_bar_sizes_are_told(one):
    one.ask_history(5, '7 mins')
    text = one.hear_only(4)[0][4]
    assert 'Legal ones are: 1 secs, 5 secs,' in text and text.endswith('8 hours, 1 day, 1W, 1M')


def test_crypto_has_aggregated_trades(one):
    one.ask_history(5, what='AGGTRADES', contract=BTC, rth=0)
    assert rows(one)


def test_an_end_without_a_zone_is_warned_of(one):
    one.ask_history(5, end='20241119 12:00:00')
    assert one.errors() == [(5, 2174)]


def test_small_bars_are_paced(one):
    one.ask_history(5, '5 secs', '60 S')
    one.ask_history(6, '5 secs', '60 S')
    assert one.errors() == [(6, 162)]
    one.gateway.advance(AT + 60, wall=AT + 60)
    one.ask_history(7, '5 secs', '60 S')
    assert one.errors() == []


def test_minutes_are_not_paced(one):
    for reqId in range(20):
        one.ask_history(reqId)
    assert one.errors() == []


def test_answers_may_take_their_time_and_be_cancelled():
    one = talk(history_latency=2.0)
    one.ask_history(5)
    one.ask_history(6)
    one.ask_history(6)
    assert one.errors() == [(6, 322)] and one.gateway.history.open_count == 2
    one.say(25, 1, 6)
    assert one.errors() == [(6, 162)]
    assert one.gateway.next_event_time(AT) == AT + 2
    one.gateway.advance(AT + 1.9)
    assert one.hear() == []
    one.gateway.advance(AT + 2)
    assert rows(one)
    one.say(25, 1, 5)
    assert one.errors() == [(5, 366)]


def test_fifty_may_be_open():
    one = talk(history_latency=2.0, messages_per_second=0)
    for reqId in range(51):
        one.ask_history(reqId)
    assert one.errors() == [(50, 322)]


def test_kept_up_to_date_every_five_seconds_until_cancelled(one):
    one.ask_history(5, '1 min', '600 S', keep=1)
    one.hear()
    for second in range(1, 121):
        one.gateway.advance(AT + second)
    told = [(float(fields[3]), float(fields[5]), float(fields[9])) for fields in one.hear_only(90)]
    last = {time: (close, volume) for time, close, volume in told}
    market, apple = one.gateway.market, one.gateway.market.by_conId(265598)
    bars = market.bars(apple, '1 min', AT, AT + 120)
    assert list(last.items()) == [(bar.time, (bar.close, bar.volume)) for bar in bars]
    assert 12 <= len(told) <= 24 and one.gateway.lines == 0
    one.say(25, 1, 5)
    one.gateway.advance(AT + 200)
    assert one.hear() == []


def test_the_head_of_history(one):
    one.say(87, 5, *APPLE, 0, 1, 'TRADES', 2)
    one.say(87, 6, *APPLE, 0, 1, 'TRADES', 1)
    assert one.hear() == [['88', '5', '631290600'], ['88', '6', '19900102-14:30:00']]
    one.say(87, 7, *EURUSD, 0, 1, 'TRADES', 1)
    assert one.errors() == [(7, 162)]
