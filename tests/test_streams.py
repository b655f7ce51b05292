"""What subscriptions ask, and what TWS's answers become; with no socket."""
import time

import pytest

from backtrader_ib_insync.clock import ServerClock
from backtrader_ib_insync.localclock import local_time
from backtrader_ib_insync.messages import Bar, DataType, Lost, Refused, Restored, Tick, Warned, Watching
from backtrader_ib_insync.streams import Quotes, RealTimeBars, TickByTick, Trades, rt_volume
from backtrader_ib_insync.subscription import REFUSED_AGAIN_SECONDS


class Client:
    """Keeps what it is asked."""

    def __init__(self):
        self.asked = []
        self.client = self

    def __getattr__(self, name):
        return lambda *args: self.asked.append((name,) + args)


class Heard(list):
    """What a stream told, and the stream."""

    def __init__(self, make, *args):
        super().__init__()
        self.clock = ServerClock()
        self.clock.answered(1000, 500.0, 500.0)
        self.stream = make(self.append, 'a contract', self.clock, *args)
        self.renewals = []
        self.stream.renew = lambda stream, seconds: self.renewals.append(seconds)
        self.stream.tell_time = lambda told: told(1000)
        self.later = []
        self.stream.later = lambda seconds, act, *args: self.later.append(lambda: act(*args))
        self.ib = Client()
        self.stream.ask(self.ib, 77)

    def of(self, *kinds):
        return [record for record in self if isinstance(record, kinds)]


# -- trades ------------------------------------------------------------------------------------------

@pytest.mark.parametrize('text, tick', [
    ('701.28;1;1348075471534;67854;701.46918464;true', Tick(1348075471.534, 701.28, 1.0)),
    ('1.5;100.0000;1348075471000;0;0;false', Tick(1348075471.0, 1.5, 100.0)),
    ('1.5;0.25;1348075471000;0;0;false', Tick(1348075471.0, 1.5, 0.25)),
    (';0;1348075471000;67854;701.4;false', None),
    ('701.28;0;1348075471000;67854;701.4;false', None)])
def test_p31_p41_a_trade_in_rtvolume(text, tick):
    assert rt_volume(text) == tick


@pytest.mark.parametrize('text', ['nonsense', '1;2', '1;2;x;3;4;true'])
def test_an_unreadable_rtvolume_is_an_error(text):
    with pytest.raises(ValueError):
        rt_volume(text)


def test_p31_every_trade_counts_and_nothing_else():
    heard = Heard(Trades)
    assert heard.ib.asked == [('reqMktData', 77, 'a contract', '233', False, False, [])]
    heard.stream.priceSizeTick(1, 10.0, 5.0)
    heard.stream.tickSize(8, 1000.0)
    heard.stream.tickString(45, '1348075471')
    for number in range(3):
        heard.stream.tickString(48, '{};1;134807547153{};3;1;true'.format(10 + number, number))
    heard.stream.tickString(48, ';0;1348075471534;3;1;true')
    assert [tick.price for tick in heard.of(Tick)] == [10.0, 11.0, 12.0]
    assert len({tick.time for tick in heard.of(Tick)}) == 3


def test_p11_what_tws_said_before_it_answered_shows_no_life():
    """The picture of a new subscription, and what was on its way, say nothing of the farm that was lost."""
    heard = Heard(Trades)
    answers = []
    heard.stream.tell_time = answers.append
    heard.stream.lost('broken', 2103)
    heard.stream.priceSizeTick(1, 10.0, 5.0)
    assert [type(word) for word in heard] == [Lost]
    for tell in list(answers):
        tell(1001)
    heard.stream.priceSizeTick(1, 10.1, 5.0)
    assert [type(word) for word in heard.of(Lost, Restored)] == [Lost, Restored] and heard.stream.is_unproven
    heard.stream.tickString(48, '10;1;1348075471000;3;1;true')
    assert not heard.stream.is_unproven


def test_p11_an_answer_from_before_another_loss_allows_nothing():
    heard = Heard(Trades)
    answers = []
    heard.stream.tell_time = answers.append
    heard.stream.lost('broken', 2103)
    heard.stream.lost('TWS lost IB', 1100)
    answers[0](1001)
    heard.stream.priceSizeTick(1, 10.0, 5.0)
    assert [type(word) for word in heard.of(Lost, Restored)] == [Lost]


def ahead_of_its_clock(heard):
    """A whole second that TWS's clock cannot have reached, as far as is known."""
    return int(heard.clock.latest(local_time())) + 10


@pytest.mark.parametrize('kind', ['trades', 'by tick'])
@pytest.mark.parametrize('behind', [True, False])
def test_p37_ticks_wait_till_their_beginning_is_certain(kind, behind):
    """Whoever counted them before could not take them back."""
    heard = Heard(Trades) if kind == 'trades' else Heard(TickByTick, 'Last', '')
    heard.stream.tickSize(8, 1000.0)
    answers = []
    heard.stream.tell_time = answers.append
    first = ahead_of_its_clock(heard)
    for number in range(2):
        if kind == 'trades':
            heard.stream.tickString(48, '{};1;{}000;{};1;true'.format(10 + number, first + number, number + 1))
        else:
            heard.stream.tickByTickAllLast(1, first + number, 10.0 + number, 1.0, '', '', '')
    assert not heard.of(Tick)
    for tell in answers:
        tell(first - behind)
    told = heard.of(Tick, Watching)
    assert [type(record) for record in told] == [Watching] * (1 + behind) + [Tick, Tick]
    assert [record.since for record in told[1:-2]] == [first] * behind


def test_p37_ticks_that_wait_come_before_a_hole():
    heard = Heard(Trades)
    answers = []
    heard.stream.tell_time = answers.append
    heard.stream.tickString(48, '10;1;{}000;1;1;true'.format(ahead_of_its_clock(heard)))
    assert not heard
    heard.stream.lost('the link')
    assert [type(record) for record in heard] == [Tick, Lost]
    for tell in answers:
        tell(1041)
    assert [type(record) for record in heard] == [Tick, Lost]


def test_watching_is_told_once_and_dated_by_tws():
    heard = Heard(Trades)
    heard.stream.priceSizeTick(1, 10.0, 5.0)
    heard.stream.priceSizeTick(2, 10.0, 5.0)
    assert [record.since for record in heard.of(Watching)] == [1001.0]


@pytest.mark.parametrize('behind, begins', [(0, 1), (40, 2)], ids=['an old idea of the clock', 'a slow clock'])
def test_a_first_trade_ahead_of_tws_s_clock_makes_it_tell_its_time(behind, begins):
    """Only TWS's word after the trade shows that the clock, and with it the beginning it told, is behind."""
    heard = Heard(Trades)
    stamp = int(heard.clock.latest(time.time())) + 60
    heard.stream.priceSizeTick(1, 10.0, 5.0)
    heard.stream.tell_time = lambda told: told(stamp - behind)
    for second in range(2):
        heard.stream.tickString(48, '10;1;{}500;3;1;true'.format(stamp + second))
    assert [record.since for record in heard.of(Watching)] == [1001.0, stamp + 0.5][:begins]
    assert len(heard.of(Tick)) == 2


def test_p43_delayed_trades_count_where_tws_sends_those():
    heard = Heard(Trades)
    heard.stream.marketDataType(3)
    heard.stream.tickString(88, '1348075471')
    heard.stream.priceSizeTick(68, 10.0, 5.0)
    heard.stream.priceSizeTick(68, -1.0, 0.0)
    assert heard.of(DataType) == [DataType(3)]
    assert heard.of(Tick) == [Tick(1348075471.0, 10.0, 5.0)]


# -- quotes ------------------------------------------------------------------------------------------

@pytest.mark.parametrize('field, expected', [
    ('BID', [1.0, 1.1]), ('ASK', [1.2]), ('MIDPOINT', [1.1, 1.15]), ('LAST', [1.3])])
def test_p31_one_side_of_the_quotes_is_followed(field, expected):
    heard = Heard(Quotes, field)
    for tickType, price in ((1, 1.0), (2, 1.2), (1, 1.1), (1, 1.1), (4, 1.3), (6, 9.0), (9, 9.0), (1, -1.0)):
        heard.stream.priceSizeTick(tickType, price, 100.0)
    assert [round(tick.price, 6) for tick in heard.of(Tick)] == expected
    assert {tick.size for tick in heard.of(Tick)} == {0.0}


# -- bars and single ticks ---------------------------------------------------------------------------

def test_p40_five_second_bars_pass_what_and_rth_on():
    heard = Heard(RealTimeBars, 'MIDPOINT', True)
    assert heard.ib.asked == [('reqRealTimeBars', 77, 'a contract', 5, 'MIDPOINT', True, [])]
    heard.stream.realtimeBar(1000, 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3)
    # the first bar may have been under way when it was asked for
    assert [record.since for record in heard.of(Watching)] == [1005.0]
    assert heard.of(Bar) == [Bar(1000.0, 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3)]
    heard.stream.cancel(heard.ib)
    assert heard.ib.asked[-1] == ('cancelRealTimeBars', 77)


@pytest.mark.parametrize('kind', TickByTick.KINDS)
def test_tick_by_tick(kind):
    heard = Heard(TickByTick, kind, 'ASK')
    assert heard.ib.asked[0][:4] == ('reqTickByTickData', 77, 'a contract', kind)
    heard.stream.tickByTickAllLast(1, 1000, 5.0, 2.0, None, '', '')
    heard.stream.tickByTickBidAsk(1001, 5.0, 5.2, 1.0, 1.0, None)
    heard.stream.tickByTickMidPoint(1002, 5.1)
    assert [tick[:3] for tick in heard.of(Tick)] == [(1000.0, 5.0, 2.0), (1001.0, 5.2, 0.0), (1002.0, 5.1, 0.0)]


# -- what goes wrong ---------------------------------------------------------------------------------

def test_p30_a_stream_that_is_cancelled_gives_its_line_back():
    heard = Heard(Trades)
    heard.stream.cancel(heard.ib)
    assert heard.ib.asked[-1] == ('cancelMktData', 77) and heard.stream.reqId is None


def test_lost_is_told_once_and_restored_once():
    heard = Heard(Trades)
    heard.stream.lost('the cable')
    heard.stream.lost('the cable')
    heard.stream.ask(heard.ib, 78)
    heard.stream.ask(heard.ib, 79)
    assert heard.of(Lost, Restored) == [Lost('the cable'), Restored('subscribed again')]


def test_p12_kept_is_restored_without_asking_again():
    heard = Heard(Trades)
    heard.stream.lost('1100', 1100)
    heard.stream.kept('1102')
    assert heard.of(Restored) == [Restored('1102', kept=True)]
    assert len(heard.ib.asked) == 1


@pytest.mark.parametrize('code, record', [
    (354, Refused), (10089, Refused), (10168, Refused), (200, Refused), (10167, Warned)])
def test_p43_a_refusal_ends_and_a_notice_does_not(code, record):
    heard = Heard(Trades)
    heard.stream.error(code, 'TWS says no')
    (told,) = heard.of(Refused, Warned)
    assert type(told) is record and told[:2] == (code, 'TWS says no')


def test_p43_what_worked_before_is_asked_for_again_and_told_once():
    heard = Heard(Trades)
    heard.stream.tickString(48, '10.5;100;1000000;5000;10.4;true')
    for pause in REFUSED_AGAIN_SECONDS:
        heard.stream.error(200, 'No security definition')
        assert heard.renewals.pop() == pause and heard.stream.reqId is None
        heard.stream.ask(heard.ib, 78)
    assert heard.of(Lost, Restored, Refused) == [Lost('200 No security definition', 200)]
    heard.stream.error(200, 'No security definition')
    assert heard.of(Refused) == [Refused(200, 'No security definition')] and not heard.renewals


@pytest.mark.parametrize('accepts', [
    lambda heard: heard.stream.marketDataType(1), lambda heard: heard.later.pop()()], ids=['data', 'silence'])
def test_p43_what_was_refused_runs_again_when_data_come_or_nothing_is_said(accepts):
    heard = Heard(Trades)
    heard.stream.tickString(48, '10.5;100;1000000;5000;10.4;true')
    heard.stream.error(200, 'No security definition')
    heard.stream.ask(heard.ib, 78)
    assert not heard.of(Restored)
    accepts(heard)
    assert len(heard.of(Restored)) == 1 and not heard.stream.broken


def test_p46_a_trade_that_is_told_twice_counts_once():
    heard = Heard(Trades)
    for total in ('100', '100', '200', '100', '200', '0', '0', '', ''):
        heard.stream.tickString(48, '10.5;100;1000000;{};10.4;true'.format(total))
    # a total of nothing tells nothing
    assert len(heard.of(Tick)) == 6


def test_p44_another_session_holds_the_data_and_it_is_asked_for_again():
    heard = Heard(Trades)
    heard.stream.error(10197, 'No market data during competing live session')
    assert heard.of(Lost) and heard.renewals == [30.0]
    heard.stream.ask(heard.ib, 78)
    assert heard.of(Restored)
