"""Market data that an account may not have, or not now: told in TWS's words, asked for again where it had worked."""
import pytest
import stepped
import truth
from gateways import asked
from stepped import APPLE, Seconds, one
from truth import utc

from backtrader_ib_insync import subscription


@pytest.mark.parametrize('code', [354, 10089, 10168, 10186])
def test_p43_no_subscription_is_told_with_the_words_of_tws(still, code):
    still.call(lambda world: world.streams.withhold('AAPL', code))
    with stepped.Run(still, one(fromdate=utc(still.now() - 300))) as test:
        test.until(lambda: test.has_ended)
        assert test.statuses[0][-1] == 'NOTSUBSCRIBED'
        assert str(code) in test.reasons[0][-1] and 'not subscribed' in test.reasons[0][-1]


@pytest.fixture
def hasty(monkeypatch):
    """What worked and is refused is asked for again without delay."""
    monkeypatch.setattr(subscription, 'REFUSED_AGAIN_SECONDS', (0.02,) * 10)
    monkeypatch.setattr(subscription, 'ACCEPTED_SECONDS', 0.2)


def refusals(gateway, kind, since):
    """How often what was asked for, was refused since then."""
    return len(asked(gateway, kind)) - since


@pytest.mark.parametrize('params, kind', [
    (dict(), 'ReqMktData'), (dict(rtbar=True), 'ReqRealTimeBars'), (dict(tick_by_tick='Last'), 'ReqTickByTickData'),
    (dict(what='BID', timeframe=Seconds, compression=7), 'ReqMktData')], ids=str)
def test_p43_what_worked_and_is_refused_is_asked_for_again(still, hasty, params, kind):
    """After a restart TWS may refuse in passing what it served before: told once, and nothing is missing."""
    begin = still.now()
    with stepped.Run(still, one(**dict(dict(fromdate=utc(begin - 300)), **params))) as test:
        test.until_live()
        for _ in range(8):
            test.step(15)
        before = len(asked(still, kind))
        still.call(lambda world: world.streams.withhold('AAPL', 354))
        still.fault('cut', 'rst')
        test.until(lambda: refusals(still, kind, before) >= 4)
        assert test.breaks() == [2] and test.statuses[0][-1] == 'CONNBROKEN' and not test.has_ended
        still.call(lambda world: world.streams.grant('AAPL'))
        still.advance(100)
        test.until_live()
        assert test.breaks() == [2]
        for _ in range(8):
            test.step(15)
        test.pass_edge()
        found = test.bars[0]
        ends = [bar[0] for bar in found]
        assert ends == sorted(set(ends)) and found[-1][0] >= still.now() - 64
        # quotes have no stamps, and this clock moves by leaps
        if not params.get('what'):
            wanted = still.call(lambda world: truth.intraday(
                world.market, truth.instrument(world.market, APPLE), '1 min', begin - 300, found[-1][0]))
            assert found == [bar for bar in wanted if bar[0] <= found[-1][0]]


def test_p43_a_refusal_that_lasts_ends_the_feed(still, hasty):
    with stepped.Run(still, one(fromdate=utc(still.now() - 300))) as test:
        test.until_live()
        test.step(61)
        before = len(asked(still, 'ReqMktData'))
        still.call(lambda world: world.streams.withhold('AAPL', 354))
        still.fault('cut', 'rst')
        test.until(lambda: test.has_ended)
        assert test.statuses[0][-2:] == ['CONNBROKEN', 'NOTSUBSCRIBED'] and '354' in test.reasons[0][-1]
        assert refusals(still, 'ReqMktData', before) == 11


@pytest.mark.parametrize('params', [dict(), dict(useRTH=True)], ids=str)
def test_p43_delayed_data_when_asked_for(still, params):
    """TWS has no delayed 5-second bars, which regular hours are made of else."""
    still.call(lambda world: world.streams.withhold('AAPL', 354))
    begin = still.now() - 1200
    with stepped.Run(still, one(fromdate=utc(begin), **params), marketdatatype=3) as test:
        test.until_live()
        test.settle()
        for _ in range(50):
            test.step(60)
        found = test.bars[0]
        wanted = still.call(lambda world: truth.intraday(
            world.market, truth.instrument(world.market, APPLE), '1 min', begin, found[-1][0]))
        assert found == [bar for bar in wanted if bar[0] <= found[-1][0]]
        assert still.now() - 1400 < found[-1][0] < still.now() - 880
        assert any('10167' in message for message in test.messages)
        assert any('type 3' in message for message in test.messages) is False
    assert [request.marketDataType for request in asked(still, 'ReqMarketDataType')] == [3]


def test_p44_another_session_that_holds_the_data_is_told_and_recovers(still, monkeypatch):
    monkeypatch.setitem(subscription.AGAIN_SECONDS, 'competing', 0.05)
    begin = still.now() - 300
    still.call(lambda world: world.streams.withhold('AAPL', 10197))
    with stepped.Run(still, one(fromdate=utc(begin))) as test:
        test.until(lambda: 'CONNBROKEN' in test.statuses[0])
        assert any('10197' in reason for reason in test.reasons[0])
        still.call(lambda world: world.streams.grant('AAPL'))
        test.until_live()
        test.settle()
        test.step(130)
        assert [bar[0] for bar in test.bars[0]] == [begin // 60 * 60 + 60 * number for number in range(
            1, len(test.bars[0]) + 1)]
