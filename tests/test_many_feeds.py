"""Many feeds of one store: none disturbs another, none keeps the strategy waiting, none keeps a line."""
import time

import stepped
import truth
from gateways import asked
from stepped import APPLE, COIN, EURO, MINI, MINUTE, QUIET, Feed, Minutes, added, in_session

CLOSED = '7203-STK-TSEJ-JPY'
UNKNOWN = 'NOSUCH-STK-SMART-USD'
#: two of them on one contract
BUSY = [Feed(APPLE), Feed(APPLE), Feed('MSFT-STK-SMART-USD'), Feed('SPY-STK-SMART-USD', rtbar=True),
        Feed('NVDA-STK-SMART-USD', resampled=True), Feed(MINI), Feed(EURO, what='BID'), Feed(COIN)]
SILENT = [Feed(QUIET), Feed(QUIET, rtbar=True), Feed(QUIET, resampled=True), Feed(QUIET, compression=5)] + [
    Feed(CLOSED), Feed(CLOSED, rtbar=True), Feed(CLOSED, resampled=True), Feed(CLOSED), Feed(CLOSED), Feed(QUIET)]
#: wall seconds over which an idle run's passes are counted, and how many a sleep of at most half a second allows
IDLE_SECONDS, IDLE_PASSES = 1.2, 12


def lines(gateway):
    return gateway.call(lambda world: world.lines)


class Passes:
    """Counts the passes of cerebro's loop."""

    def __init__(self, run):
        self.count = 0
        told = run.store.get_notifications

        def counted():
            self.count += 1
            return told()
        run.store.get_notifications = counted


def passes_when_idle(run):
    """How many passes cerebro makes while nothing happens, and no bar is about to end."""
    run.go_to((run.gateway.now() // MINUTE + 1) * MINUTE + 20)
    counted = Passes(run)
    time.sleep(IDLE_SECONDS)
    return counted.count


def test_p06_p30_p32_p33_twenty_feeds(market):
    begin = in_session(market)
    ending = Feed('IBM-STK-SMART-USD', todate=truth.utc(begin + 150))
    feeds = BUSY + SILENT + [ending, Feed(UNKNOWN)]
    assert len(feeds) == 20
    with stepped.Run(market, added(begin, *feeds)) as run:
        known = [number for number, one in enumerate(feeds) if one.name != UNKNOWN]
        run.until(lambda: run.is_settled() and all(run.is_live(number) for number in known))
        assert lines(market) == 19
        for _ in range(14):
            run.step(23.4)
        last = feeds.index(ending)
        assert run.statuses[last][-1] == 'DISCONNECTED'
        assert lines(market) == 18
        assert run.bars[last][-1][0] <= begin + 150
        for number, one in enumerate(feeds):
            if one in BUSY:
                one.is_true(run, number)
                assert run.statuses[number] == ['CONNECTED', 'DELAYED', 'LIVE']
            elif one in SILENT:
                assert run.statuses[number] == ['CONNECTED', 'DELAYED', 'LIVE']
                assert not [bar for bar in run.bars[number] if bar[0] > begin]
        assert run.statuses[[one.name for one in feeds].index(UNKNOWN)] == ['DISCONNECTED']
        assert len(asked(market, 'ReqMktData') + asked(market, 'ReqRealTimeBars')) == 19
        assert passes_when_idle(run) <= IDLE_PASSES
    market.wait(lambda world: not world.lines and not world.sessions)


def test_p34_an_idle_store_sleeps(market):
    begin = in_session(market)
    feeds = [Feed(QUIET), Feed(QUIET, rtbar=True), Feed(CLOSED, resampled=True)]
    with stepped.Run(market, added(begin, *feeds)) as run:
        run.until_live()
        assert passes_when_idle(run) <= IDLE_PASSES
        assert not any(run.do(data.haslivedata) for data in run.datas)


def test_p34_no_passes_are_burnt_while_a_link_is_down(market):
    begin = in_session(market)
    with stepped.Run(market, added(begin, Feed(), Feed(resampled=True)), timeout=0.5) as run:
        run.until_live()
        run.break_link(('refuse', 60), ('cut', 'rst'))
        assert passes_when_idle(run) <= IDLE_PASSES
        run.step(61)
        run.until_live()


def test_p34_haslivedata_is_true_while_records_wait(market):
    begin = in_session(market)
    with stepped.Run(market, added(begin, Feed())) as run:
        run.until_live()
        seen = []

        def look():
            before = run.datas[0].haslivedata()
            market.advance(30.0)
            run.until(run.datas[0].haslivedata)
            seen.append(before)
        run.do(look)
        run.settle()
        assert seen == [False]
        assert not run.do(run.datas[0].haslivedata)


def test_p33_a_tick_beside_silent_feeds_comes_through(market):
    """Without a silent feed's half second, and without the feed that ticks being the first."""
    begin = in_session(market)
    feeds = [Feed(QUIET), Feed(CLOSED), Feed(APPLE, compression=2)]
    with stepped.Run(market, added(begin, *feeds)) as run:
        run.until_live()
        counted = Passes(run)
        for _ in range(10):
            run.step(24.0)
        feeds[2].is_true(run, 2)
        assert counted.count < 400


def test_p33_notifications_come_through_a_resampled_feed_that_never_rests(market):
    """Ticks that a resampler swallows end no pass of backtrader's by themselves."""
    begin = in_session(market)
    feed = Feed(APPLE, timeframe=Minutes, compression=5, resampled=True)
    with stepped.Run(market, added(begin, feed)) as run:
        run.until_live()
        told = []
        for number in range(200):
            market.advance(0.5)
            if number % 20 == 0:
                told.append(run.do(market.now))
        assert len(told) == 10
        run.pass_edge(300)
        # the first bar may have begun before anybody watched
        run.wait_for_history()
        feed.is_true(run, 0)


def test_p32_a_feed_that_ends_leaves_its_twin_alone(market):
    begin = in_session(market)
    feeds = [Feed(APPLE, todate=truth.utc(begin + MINUTE)), Feed(APPLE)]
    with stepped.Run(market, added(begin, *feeds)) as run:
        run.until_live()
        for _ in range(8):
            run.step(25.0)
        assert run.statuses[0][-1] == 'DISCONNECTED' and run.is_live(1)
        feeds[1].is_true(run, 1)
