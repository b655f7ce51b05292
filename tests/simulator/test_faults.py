"""Each fault, without a socket."""
import pytest
from conversation import APPLE, AT, Talk, talk

from backtrader_ib_insync.simulator import faults
from backtrader_ib_insync.simulator.gateway import Gateway
from backtrader_ib_insync.simulator.records import Order
from backtrader_ib_insync.simulator.requests import PlaceOrder


@pytest.fixture
def one():
    return talk()


def inject(one, *words):
    one.gateway.faults.inject(*words)


def buy(one, orderId=1):
    """A market order for 100 AAPL."""
    contract = one.gateway.market.by_conId(265598).contract
    order = Order(action='BUY', totalQuantity=100, orderType='MKT', tif='DAY')
    one.gateway.handle(one.session, PlaceOrder(orderId, contract, order))


def numbers(one):
    return [fields[0] for fields in one.hear()]


def test_a_plan_is_lines_of_when_and_what():
    assert faults.parse('''
        after 10s cut rst   # a comment
        every 1h farm data 30s
    ''') == (faults.Planned(10.0, 0.0, ('cut', 'rst')), faults.Planned(3600.0, 3600.0, ('farm', 'data', '30s')))


@pytest.mark.parametrize('text', ['cut', 'after 10s', 'after soon cut', 'when 10s cut', 'after 10s explode'])
def test_a_bad_plan_is_an_error_at_once(text):
    with pytest.raises(ValueError):
        Gateway(now=AT, faults=text)


@pytest.mark.parametrize('words', [('explode',), ('cut', 'slowly'), ('stall',), ('stall', 'x'), ('farm', 'rice'), ()])
def test_a_bad_fault_is_an_error(one, words):
    with pytest.raises(ValueError):
        inject(one, *words)


def test_every_fault_is_documented_in_one_line():
    for name in faults.MISHAPS:
        assert '\n    {} '.format(name) in faults.__doc__ or '\n    {}\n'.format(name) in faults.__doc__


def test_a_plan_happens_in_time_and_again():
    one = talk(faults='every 10s error 2110')
    one.gateway.advance(AT + 35)
    assert one.errors() == [(-1, 2110)] * 3


@pytest.mark.parametrize('how', ['fin', 'rst'])
def test_cut(one, how):
    inject(one, 'cut', how)
    assert one.session.closing == how
    one.say(49, 1)
    assert one.hear() == []


def test_cut_in_the_middle_of_a_message(one):
    one.say(49, 1)
    inject(one, 'cut', 'mid')
    assert one.session.closing == 'mid' and len(one.session.data_to_send()) == 10


def test_refuse(one):
    inject(one, 'refuse', '5s')
    assert one.gateway.faults.is_refusing and one.gateway.next_event_time(AT) == AT + 5
    one.gateway.advance(AT + 5)
    assert not one.gateway.faults.is_refusing


def test_restart_rolls_ids_back(one):
    buy(one, 7)
    inject(one, 'restart', 60, 'ids')
    assert one.session.closing and one.gateway.faults.is_refusing
    one.gateway.disconnect(one.session)
    one.gateway.advance(AT + 60)
    assert ['9', '1', '1'] in Talk(one.gateway).hear()


def test_a_restart_without_ids_goes_on_counting(one):
    buy(one, 7)
    inject(one, 'restart', 60)
    one.gateway.disconnect(one.session)
    one.gateway.advance(AT + 60)
    assert ['9', '1', '8'] in Talk(one.gateway).hear()


def test_stall_is_silent_both_ways_then_all_comes(one):
    inject(one, 'stall', 5)
    one.say(49, 1)
    one.gateway.advance(AT + 4)
    assert one.hear() == []
    one.gateway.advance(AT + 5)
    assert one.hear() == [['49', '1', str(int(AT + 5))]]


def test_slow(one):
    inject(one, 'slow', 10, 60)
    one.say(49, 1)
    assert one.session.data_to_send() == b''
    one.gateway.advance(AT + 1)
    assert len(one.session.data_to_send()) == 10


def test_split(one):
    inject(one, 'split')
    one.say(49, 1)
    assert len(one.session.data_to_send()) == 1
    assert len(one.session.data_to_send()) == 1


def test_drop(one):
    inject(one, 'drop', 'CurrentTime', 2)
    for _ in range(3):
        one.say(49, 1)
    assert numbers(one) == ['49']


def test_relent(one):
    inject(one, 'drop', 'CurrentTime', 2)
    one.say(49, 1)
    inject(one, 'relent')
    one.say(49, 1)
    assert numbers(one) == ['49']


def test_duplicate(one):
    inject(one, 'duplicate', 'execution')
    buy(one)
    assert numbers(one).count('11') == 2


def test_late(one):
    inject(one, 'late', 'CurrentTime', '3s')
    one.say(49, 1)
    one.gateway.advance(AT + 2.9)
    assert one.hear() == []
    one.gateway.advance(AT + 3)
    assert one.hear() == [['49', '1', str(int(AT))]]


def test_reorder(one):
    inject(one, 'reorder', 'CurrentTime', 2)
    one.say(49, 1)
    one.gateway.advance(AT + 0.9)
    inject(one, 'skew', 100)
    one.say(49, 1)
    assert [int(fields[2]) for fields in one.hear()] == [int(AT + 100.9), int(AT)]


def test_what_is_held_back_to_be_reordered_comes_in_the_end(one):
    inject(one, 'reorder', 'CurrentTime', 3)
    one.say(49, 1)
    one.gateway.advance(AT + 1)
    assert numbers(one) == ['49']


@pytest.mark.parametrize('words, code', [((5,), 1102), ((5, 'kept'), 1102), ((5, 'data'), 1101)])
def test_lost_connectivity(one, words, code):
    one.subscribe(5)
    one.hear()
    inject(one, 'lost', *words)
    one.gateway.advance(AT + 5)
    assert one.errors() == [(-1, 1100), (-1, code)]


def test_nothing_comes_while_the_link_is_lost_and_reports_follow(one):
    one.subscribe(5)
    inject(one, 'lost', 5)
    one.hear()
    buy(one)
    one.gateway.advance(AT + 4.9)
    assert one.hear() == []
    one.gateway.advance(AT + 10)
    told = numbers(one)
    assert {'4', '11', '59', '46'} <= set(told)


def test_data_lost_means_silence_until_subscribed_anew(one):
    one.subscribe(5)
    inject(one, 'lost', 1, 'data')
    one.gateway.advance(AT + 1)
    one.hear()
    one.gateway.advance(AT + 60)
    assert one.hear() == [] and one.gateway.lines == 1


def test_lost_for_good(one):
    inject(one, 'lost')
    assert one.errors() == [(-1, 1100)] and one.gateway.next_event_time(AT) is None


def test_broken(one):
    inject(one, 'broken', 5)
    one.gateway.advance(AT + 5)
    assert one.errors() == [(-1, 2110), (-1, 1102)]


def test_history_that_lags_knows_nothing_of_the_last_seconds(one):
    one.gateway.advance(AT + 100)
    whole = one.gateway.market.bars(one.gateway.market.by_conId(265598), '1 min', AT - 1800, AT + 55, 'TRADES', True)
    inject(one, 'lag', 45)
    one.ask_history(5, '1 min')
    answer, = one.hear_only(17)
    assert int(answer[4]) == len(whole) and float(answer[-3]) == whole[-1].volume
    inject(one, 'lag', 0)
    one.ask_history(6, '1 min')
    assert int(one.hear_only(17)[0][4]) == len(whole) + 1


def test_who_connects_is_told_which_farms_are_lost(one):
    inject(one, 'farm', 'history', 5)
    assert [code for _, code in Talk(one.gateway, 2).errors()] == [2104, 2105, 2158]


@pytest.mark.parametrize('name, codes', [('data', (2103, 2104)), ('history', (2105, 2106)), ('secdef', (2157, 2158))])
def test_farms(one, name, codes):
    inject(one, 'farm', name, 5)
    one.gateway.advance(AT + 5)
    assert one.errors() == [(-1, code) for code in codes]


def test_a_dark_data_farm_is_silent_and_a_dark_history_farm_answers_later(one):
    one.subscribe(5)
    inject(one, 'farm', 'data', 5)
    inject(one, 'farm', 'history', 5)
    one.hear()
    one.ask_history(6)
    one.gateway.advance(AT + 4.9)
    assert one.hear() == []
    one.gateway.advance(AT + 15)
    assert {'17', '46'} <= set(numbers(one))


def test_subscriptions_that_stay_dead(one):
    one.subscribe(5)
    inject(one, 'farm', 'data', 5, 'dead')
    one.gateway.advance(AT + 5)
    one.hear()
    one.gateway.advance(AT + 60)
    assert one.hear() == []


@pytest.mark.parametrize('symbol, silent', [((), {'5', '6'}), (('AAPL',), {'5'}), (('IBM',), set())])
def test_unsubscribe(one, symbol, silent):
    one.subscribe(5)
    one.subscribe(6, contract=('', 'MSFT') + APPLE[2:])
    one.hear()
    inject(one, 'unsubscribe', *symbol)
    one.gateway.advance(AT + 60)
    assert {fields[2] for fields in one.hear_only(46)} == {'5', '6'} - silent


@pytest.mark.parametrize('words', ['unsubscribe', 'lost 30', 'farm data 30', 'cut'])
def test_what_happened_before_a_fault_was_told_before_it(words):
    """However much time passes at once: nothing ends a second too early."""
    whole, one = talk(), talk(faults='after 60s {}'.format(words))
    for each in (whole, one):
        each.subscribe(5)
    whole.gateway.advance(AT + 60)
    one.gateway.advance(AT + 61)
    assert one.hear_only(46) == whole.hear_only(46)


def test_a_torn_socket_takes_so_many_requests_and_says_so_many_replies_and_is_silent():
    one = talk()
    inject(one, 'tear', 1, 2)
    one.say(49, 1)
    one.gateway.tell(2110, 'once')
    one.gateway.tell(2110, 'twice')
    one.say(49, 1)
    assert numbers(one) == ['49', '4']
    assert not one.session.closing


def test_what_was_asked_during_a_stall_is_answered_after_what_happened_in_it(one):
    one.subscribe(5)
    inject(one, 'stall', 60)
    one.say(49, 1)
    one.gateway.advance(AT + 60)
    told = one.hear()
    assert told[-1] == ['49', '1', str(int(AT + 60))] and ['46', '6', '5'] in [fields[:3] for fields in told]


def test_port(one):
    inject(one, 'port')
    assert one.errors() == [(-1, 1300)] and one.session.closing == 'fin'


def test_pacing(one):
    inject(one, 'pacing')
    one.ask_history(5)
    one.ask_history(5)
    told = one.hear()
    assert told[0][2:4] == ['5', '162'] and 'pacing violation' in told[0][4] and told[1][0] == '17'


def test_busy(one):
    inject(one, 'busy', 2, 10)
    assert Talk(one.gateway, 2).errors() == [(-1, 326)]
    one.gateway.advance(AT + 10)
    assert Talk(one.gateway, 2).errors()[0] == (-1, 2104)


def test_read_only(one):
    inject(one, 'readonly', 10)
    buy(one, 7)
    assert one.errors() == [(7, 321)] and not one.gateway.exchange.open_orders()
    one.gateway.advance(AT + 10)
    buy(one, 8)
    assert one.hear_only(11)


def test_swallow(one):
    inject(one, 'swallow', 2)
    for number in (1, 2):
        buy(one, number)
    assert one.hear() == [] == one.gateway.exchange.open_orders()
    buy(one, 3)
    assert one.hear_only(11)


def test_skew(one):
    inject(one, 'skew', '1h')
    one.say(49, 1)
    assert one.hear() == [['49', '1', str(int(AT + 3600))]]


def test_bust_and_correct(one):
    with pytest.raises(ValueError):
        inject(one, 'bust')
    buy(one)
    first = one.hear_only(11)[0]
    inject(one, 'correct', 123.45)
    second = one.hear_only(11)[0]
    assert first[14][:-1] == second[14][:-1] and '123.45' in second
    inject(one, 'bust')
    assert one.gateway.ledger.position('U1234567', 265598).position == 0


def test_any_error(one):
    inject(one, 'error', 10197, 5, 'No market data during competing live session')
    assert one.hear() == [['4', '2', '5', '10197', 'No market data during competing live session', '']]


def test_garbage(one):
    inject(one, 'garbage', 8)
    heard, = one.hear()
    assert len(heard[0]) == 8


def test_the_same_plan_does_the_same_twice():
    def run():
        one = talk(faults='after 3s drop tick 5\nafter 6s reorder tick 3\nafter 9s garbage')
        one.subscribe(5, APPLE)
        for second in range(30):
            one.gateway.advance(AT + second)
        return one.hear()
    assert run() == run()
