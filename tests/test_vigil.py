"""A subscription that dies without a word is found out and made anew: no bar is lost, none comes twice.

The gateway's clock is stepped; its fault `unsubscribe` is what TWS does: nothing under that request id any more, while
all else goes on.
"""
import re

import backtrader as bt
import dateutil.parser
import pytest
import stepped
import truth
from gateways import asked
from stepped import APPLE, COIN, EURO, INDEX, MINI, MINUTE, QUIET, Feed, Minutes, Seconds, added, in_session

from backtrader_ib_insync import pacing, request_desk, vigil

#: simulated seconds after which a death must have been found in a market that trades: the silence that is thought
#: about, the minute that must pass whole, two steps
FOUND = 60.0 + 60.0 + 30.0
FOUND_BARS = 60.0
STEP = 7.3
Ticks = bt.TimeFrame.Ticks
MICROSOFT = 'MSFT-STK-SMART-USD'
STAMP = re.compile(r'ends? at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d)')


def watching(market, feeds, begin):
    return stepped.Run(market, added(begin, *feeds))


def doubted(run):
    """The ends of the bars that the user was told to doubt, in seconds since the epoch."""
    return {dateutil.parser.parse(found).timestamp()
            for text in run.messages for found in STAMP.findall(text)}


def found_out(run, within, *numbers):
    """Step on until the feeds with these numbers have said that their subscriptions had died."""
    begun, told = run.gateway.now(), {number: len(run.statuses[number]) for number in numbers}
    while any('CONNBROKEN' not in run.statuses[number][count:] for number, count in told.items()):
        assert run.gateway.now() - begun <= within, 'not found: {}'.format(run.messages)
        run.step(STEP)


def settled(run):
    """Live, and the bars that were in progress have come from history."""
    run.until_live()
    run.go_to((run.gateway.now() // MINUTE + 1) * MINUTE + 35.0)
    run.until_live()


def die_in_silence(market, *feeds, symbol=(), after=95.0, within=FOUND):
    """Live for a while, let the subscriptions die within a bar, see them found out, live on; all bars are true."""
    longest = max(one.length for one in feeds)
    begin = (in_session(market) // longest + 1) * longest
    market.advance(begin + 1.0 - market.now())
    with watching(market, feeds, begin) as run:
        run.until_live()
        for _ in range(int(after // STEP)):
            run.step(STEP)
        run.go_to((market.now() // MINUTE + 1) * MINUTE + 21.7)
        died = market.now()
        market.fault('unsubscribe', *symbol)
        found_out(run, within, *[
            number for number, one in enumerate(feeds) if not symbol or symbol[0] in one.name])
        for _ in range(int(200 // STEP)):
            run.step(STEP)
        run.until_live()
        run.go_to((market.now() // longest + 1) * longest + stepped.LATE)
        run.wait_for_history()
        for number, one in enumerate(feeds):
            true_but_for_the_one(run, number, one, died)
        return run


def true_but_for_the_one(run, number, feed, died):
    """The bar in which a subscription died may have come without its last part: then it was named."""
    found, data = run.bars[number], run.datas[number]
    wanted = run.gateway.call(lambda world: truth.live(
        world.market, world.market.by_conId(data.contract.conId), feed.length, found[0][0] - feed.length,
        run.gateway.now() - stepped.LATE, data.contractdetails.timeZoneId, feed.what))
    last = min((bar[0] for bar in wanted if bar[0] > died), default=None)
    assert [bar[0] for bar in found][:len(wanted)] == [bar[0] for bar in wanted], run.story[number]
    wrong = {bar[0] for bar in found[:len(wanted)] if bar not in wanted}
    assert wrong <= {last} & doubted(run), (wrong, last, doubted(run), run.messages, run.story[number])
    assert len({bar[0] for bar in found}) == len(found)


# -- what is found -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('feed', [
    Feed(), Feed(rtbar=True), Feed(resampled=True), Feed(rtbar=True, resampled=True), Feed(compression=7),
    Feed(timeframe=Seconds, compression=10), Feed(EURO, what='BID'), Feed(EURO, what='ASK', resampled=True, rtbar=True),
    Feed(MINI), Feed(INDEX), Feed(COIN)], ids=lambda one: '{} {} {}'.format(one.name, one.length, one.params))
def test_p11_a_subscription_that_died_is_found_and_mended(market, feed):
    run = die_in_silence(market, feed)
    assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE', 'CONNBROKEN', 'CONNECTED', 'DELAYED', 'LIVE']
    assert 'though the market traded' in run.reasons[0][0]
    assert len([text for text in run.messages if 'though the market traded' in text]) == 1
    assert len(doubted(run)) <= 1


@pytest.mark.parametrize('resampled', [False, True])
def test_p11_the_bar_in_which_it_died_is_named(market, resampled):
    """It was closed by TWS's time, which proves nothing when nothing is sent; the user is told."""
    run = die_in_silence(market, Feed(resampled=resampled))
    (end,) = doubted(run)
    assert 'may have come without its last part' in ' '.join(run.messages)
    wanted = market.call(lambda world: truth.live(
        world.market, truth.instrument(world.market, APPLE), MINUTE, end - MINUTE, end, stepped.NEW_YORK))
    (found,) = [bar for bar in run.bars[0] if bar[0] == end]
    assert found[1] == wanted[0][1] and found[5] < wanted[0][5]


def test_p11_a_bar_in_progress_is_made_whole(market):
    """Of ten minutes: the death is found before it has ended."""
    run = die_in_silence(market, Feed(compression=10), Feed(compression=10, resampled=True))
    assert not doubted(run)


def test_p11_five_second_bars_are_missed_sooner(market):
    die_in_silence(market, Feed(timeframe=Seconds, compression=5, rtbar=True), within=FOUND_BARS)


def test_p11_only_the_one_that_died_is_made_anew(market):
    before = len(asked(market, 'ReqMktData'))
    run = die_in_silence(market, Feed(), Feed(MICROSOFT), Feed(EURO, what='BID'), symbol=('AAPL',))
    assert run.statuses[1] == run.statuses[2] == ['CONNECTED', 'DELAYED', 'LIVE']
    assert [request.contract.symbol for request in asked(market, 'ReqMktData')[before:]] == ['AAPL', 'MSFT', 'AAPL']


@pytest.mark.parametrize('name, params', [
    (APPLE, dict(timeframe=Ticks)), (APPLE, dict(timeframe=Ticks, tick_by_tick='Last')),
    (APPLE, dict(timeframe=Ticks, tick_by_tick='MidPoint')), (EURO, dict(timeframe=Ticks, what='ASK')),
    (MINI, dict(timeframe=Ticks, useRTH=True)), (INDEX, dict(timeframe=Ticks)),
    (APPLE, dict(timeframe=Minutes, compression=1, backfill=False))], ids=str)
def test_p11_streams_of_every_kind_are_found(market, name, params):
    in_session(market)

    def one(cerebro, store):
        cerebro.adddata(store.getdata(dataname=name, backfill_start=False, **params))
    with stepped.Run(market, one) as run:
        settled(run)
        run.until(lambda: run.bars[0] or run.step(STEP))
        market.fault('unsubscribe')
        found_out(run, 3 * FOUND, 0)
        run.until(lambda: run.is_live(0) or run.step(STEP))
        before = len(run.bars[0])
        run.until(lambda: len(run.bars[0]) > before or run.step(STEP))
        assert run.is_live(0) and market.call(lambda world: world.lines) == 1


def test_p11_delayed_data_are_late_and_not_dead(market):
    begin = in_session(market, '11:00')
    market.call(lambda world: world.streams.withhold('AAPL'))
    try:
        with stepped.Run(market, added(begin, Feed()), marketdatatype=3) as run:
            run.until_live()
            for _ in range(40):
                run.step(30.0)
            assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']
            market.fault('unsubscribe')
            found_out(run, 1200.0 + FOUND, 0)
            run.until_live()
    finally:
        market.call(lambda world: world.streams.grant('AAPL'))


def test_p11_it_may_die_again(market):
    begin = in_session(market)
    with watching(market, [Feed(), Feed(rtbar=True)], begin) as run:
        run.until_live()
        for _ in range(3):
            run.step(30.0)
            market.fault('unsubscribe')
            # after one death the next is believed later
            found_out(run, 700.0, 0, 1)
            run.until_live()
        assert market.call(lambda world: world.lines) == 2


def test_p11_a_subscription_that_never_answers(market):
    """Lost before its first word."""
    begin = in_session(market)
    market.call(lambda world: [world.faults.add_rule(name, 'drop', 10 ** 6) for name in (
        'TickReqParams', 'MarketDataType', 'TickPrice', 'TickSize', 'TickString', 'TickGeneric')])
    try:
        with watching(market, [Feed()], begin) as run:
            run.until_live()
            found_out(run, FOUND, 0)
            market.call(lambda world: world.faults.inject('relent'))
            settled(run)
            run.go_to((market.now() // MINUTE + 2) * MINUTE + stepped.LATE)
            Feed().is_true(run, 0)
    finally:
        market.call(lambda world: world.faults.inject('relent'))


def test_p11_one_that_died_overnight_is_found_when_the_market_opens(market):
    begin = in_session(market)
    opens = truth.at(truth.utc(begin + 86400).strftime('%Y-%m-%d') + ' 04:00', stepped.NEW_YORK)
    with watching(market, [Feed()], begin) as run:
        run.until_live()
        market.advance(opens - 8 * 3600 - 300 - market.now())
        run.settle()
        run.step(400.0)
        market.fault('unsubscribe')
        for _ in range(31):
            run.step(900.0)
        run.go_to(opens)
        traded = market.call(lambda world: world.market.next_change(truth.instrument(world.market, APPLE), opens))
        found_out(run, traded - opens + FOUND, 0)


# -- what is not -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('params', [dict(), dict(rtbar=True), dict(resampled=True)], ids=str)
def test_a_quiet_market_is_asked_about_ever_more_rarely(market, params):
    begin = in_session(market)
    with watching(market, [Feed(QUIET, **params)], begin) as run:
        settled(run)
        before, told = len(asked(market)), len(run.messages)
        for _ in range(240):
            run.step(15.0)
        assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']
        # an hour: after 1, 2, 4, 8 minutes and then every ten; bars of 5 seconds are missed once more
        assert 5 <= len(asked(market)) - before <= 10
        assert run.messages[told:] == []


def test_a_closed_market_is_not_asked_about(market):
    begin = in_session(market)
    with watching(market, [Feed(), Feed(rtbar=True), Feed(useRTH=True, rtbar=True)], begin) as run:
        run.until_live()
        close = truth.at(truth.utc(begin).strftime('%Y-%m-%d') + ' 20:00', stepped.NEW_YORK)
        run.go_to(close + 60.0)
        run.step(60.0)
        before = len(asked(market))
        for _ in range(60):
            run.step(420.0)
        assert market.now() < close + 8 * 3600
        assert len(asked(market)) == before
        assert run.statuses[0] == run.statuses[1] == run.statuses[2] == ['CONNECTED', 'DELAYED', 'LIVE']


def test_a_closed_market_is_not_asked_about_weeks_later(still):
    """TWS tells trading hours for some days ahead only."""
    begin = in_session(still)
    close = truth.at(truth.utc(begin + 14 * 86400).strftime('%Y-%m-%d') + ' 20:00', stepped.NEW_YORK)
    with watching(still, [Feed(QUIET)], begin) as run:
        settled(run)
        run.go_to(close + 60.0)
        run.step(60.0)
        before, details = len(asked(still)), len(asked(still, 'ReqContractDetails'))
        for _ in range(60):
            run.step(420.0)
        assert close + 7 * 3600 < still.now() < close + 8 * 3600
        assert len(asked(still)) == before and len(asked(still, 'ReqContractDetails')) <= details + 1
        assert run.statuses[0] == ['CONNECTED', 'DELAYED', 'LIVE']
        died_before_it_opened(run, close + 8 * 3600.0)


def died_before_it_opened(run, opens):
    """Its death is found when the first trade of the day has not come."""
    market = run.gateway
    market.fault('unsubscribe')
    market.call(lambda world: world.market.inject(
        truth.instrument(world.market, QUIET), (opens + 30.0, 50.0, 100.0)))
    run.go_to(opens)
    found_out(run, FOUND + 60.0, 0)


@pytest.mark.parametrize('silent', [False, True], ids=['refused', 'not answered'])
def test_where_the_hours_are_not_told_again_the_market_is_asked_and_nobody_hears_of_it(still, monkeypatch, silent):
    monkeypatch.setattr(vigil, 'CONTRACT_SECONDS', 0.2)
    begin = in_session(still)
    with watching(still, [Feed(QUIET)], begin) as run:
        settled(run)
        run.go_to(begin + 14 * 86400)
        told, before = len(run.messages), len(asked(still))
        details = len(asked(still, 'ReqContractDetails'))
        still.call(lambda world: world.faults.add_rule('contract', 'drop', 10 ** 6) if silent
                   else setattr(world.market, 'details', lambda *about: ()))
        try:
            for _ in range(20):
                run.step(60.0)
        finally:
            still.call(lambda world: world.faults.inject('relent') if silent else delattr(world.market, 'details'))
        assert len(asked(still)) > before and run.messages[told:] == []
        assert len(asked(still, 'ReqContractDetails')) == details + 1


def test_a_market_that_trades_is_not_asked_about(market):
    begin = in_session(market)
    feeds = [Feed(), Feed(rtbar=True), Feed(EURO, what='BID'), Feed(MINI), Feed(COIN), Feed(INDEX)]
    with watching(market, feeds, begin) as run:
        settled(run)
        before = len(asked(market))
        for _ in range(60):
            run.step(12.0)
        late = [request for request in asked(market)[before:]]
        assert len(late) <= len(feeds), late
        assert all(statuses == ['CONNECTED', 'DELAYED', 'LIVE'] for statuses in run.statuses.values())


@pytest.mark.parametrize('fault, most', [
    (('farm', 'data', '300'), 0), (('lost', '300', 'kept'), 0), (('farm', 'history', '300'), 1)], ids=str)
def test_what_is_known_to_be_down_is_not_asked_about(market, fault, most):
    """Where history is down the first question waits for its answer, and no other is asked meanwhile."""
    begin = in_session(market)
    with watching(market, [Feed(QUIET)], begin) as run:
        settled(run)
        market.fault(*fault)
        before = len(asked(market))
        for _ in range(28):
            run.gateway.advance(10.0)
            run.hear()
        assert len(asked(market)) - before <= most
        run.step(30.0)
        run.until_live()


@pytest.mark.parametrize('fault', [('lost', '300', 'kept'), ('farm', 'data', '300')], ids=str)
def test_what_traded_while_it_was_down_is_no_silence(market, fault):
    begin = in_session(market)
    with watching(market, [Feed(QUIET)], begin) as run:
        settled(run)
        market.call(lambda world: world.market.inject(
            truth.instrument(world.market, QUIET), (world.now + 130.0, 50.0, 100.0)))
        market.fault(*fault)
        run.gateway.advance(301.0)
        settled(run)
        for _ in range(60):
            run.step(10.0)
        assert run.statuses[0].count('CONNBROKEN') == 1
        assert len(run.bars[0]) == 1


def test_a_question_that_is_not_answered_is_taken_back_and_nobody_hears_of_it(market, monkeypatch):
    monkeypatch.setattr(vigil, 'HISTORY_SECONDS', 0.2)
    begin = in_session(market)
    with watching(market, [Feed(QUIET)], begin) as run:
        settled(run)
        told = len(run.messages)
        market.call(lambda world: setattr(world.history, 'latency', 1000.0))
        try:
            for _ in range(14):
                run.step(10.0)
            assert asked(market, 'CancelHistoricalData')
            run.step(10.0)
            assert run.messages[told:] == []
        finally:
            market.call(lambda world: setattr(world.history, 'latency', 0.0))


def test_the_small_bars_of_others_come_first(market, monkeypatch):
    """TWS takes sixty questions for small bars in ten minutes: the vigil leaves most of them to feeds."""
    begin = in_session(market)
    limits = pacing.LIMITS._replace(alike=10 ** 6, identical_seconds=0.0)
    monkeypatch.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))
    feeds = [Feed(QUIET, rtbar=True) for _ in range(50)]
    with watching(market, feeds, begin) as run:
        settled(run)
        before = len(asked(market))
        for _ in range(30):
            run.step(10.0)
        small = [request for request in asked(market)[before:] if request.barSizeSetting == '5 secs']
        assert 1 <= len(small) <= 31


def test_a_feed_of_minutes_is_served_by_one_question(market):
    begin = in_session(market)
    with watching(market, [Feed()], begin) as run:
        run.until_live()
        settled(run)
        market.fault('unsubscribe')
        before = len(asked(market))
        found_out(run, FOUND, 0)
        run.until_live()
        sizes = [(request.barSizeSetting, request.whatToShow) for request in asked(market)[before:]]
        # the vigil's, the gap, and the bar in progress when it has closed
        assert 2 <= len(sizes) <= 3 and set(sizes) == {('1 min', 'TRADES')}

