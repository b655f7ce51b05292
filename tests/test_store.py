"""IBStore over the socket: made late, made twice, stopped, run again, misused."""
import datetime
import socket
import threading
import time

import backtrader as bt
import pytest
from helpers import APPLE, Recorder, open_sockets, our_threads, run, wait_until

import backtrader_ib_insync as ibnew
from backtrader_ib_insync import ibdata
from backtrader_ib_insync.errors import (
    BadDataname, BadParameter, NotConnected, NotSupportedTimeframe, StoreInUse, TimedOut,
    UnknownContract)

MINUTES = dict(dataname=APPLE, timeframe=bt.TimeFrame.Minutes, fromdate=datetime.datetime(2024, 11, 20, 9, 50))
DAYS = dict(dataname=APPLE, timeframe=bt.TimeFrame.Days, historical=True, fromdate=datetime.datetime(2024, 10, 1),
            todate=datetime.datetime(2024, 11, 1))


def live(strategy):
    return strategy.is_live() and strategy.bars[0]


@pytest.fixture
def fast(make_gateway):
    """A gateway at which a minute takes half a second."""
    return make_gateway(speed=120.0)


class Nowhere:
    """A port at which nothing listens."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]


# -- parameters --------------------------------------------------------------------------------------

@pytest.mark.parametrize('make', [ibnew.IBStore, ibnew.IBStore.getbroker,
                                  lambda **given: ibnew.IBStore.getdata(dataname=APPLE, **given)])
@pytest.mark.parametrize('exists', [False, True])
def test_p94_a_misspelled_parameter_raises(store, gateway, make, exists):
    if exists:
        store(gateway)
    with pytest.raises(TypeError, match='clientID'):
        make(clientID=5)


def test_p94_the_message_names_the_parameters_there_are(store, gateway):
    with pytest.raises(BadParameter, match='clientId'):
        ibnew.IBStore(prot=1)


def test_p05_a_second_store_says_what_of_it_had_no_effect(store, gateway):
    first = store(gateway, clientId=7)
    assert ibnew.IBStore(clientId=7) is first and not first.get_notifications()
    assert ibnew.IBStore(clientId=8, readonly=True) is first
    (told, _, _), = first.get_notifications()
    text = str(told)
    assert told.errorCode == 0 and 'clientId=8' in text and 'it is 7' in text and 'readonly=True' in text


def test_the_store_takes_its_parameters_from_a_feed_or_a_broker(store, gateway):
    store(gateway)
    ibnew.IBStore._singleton = None
    data = ibnew.IBStore.getdata(port=gateway.port, clientId=31, **MINUTES)
    assert data.ib.p.port == gateway.port and data.ib.p.clientId == 31
    assert ibnew.IBStore.getbroker().store is data.ib


@pytest.mark.parametrize('dataname, word', [('', 'empty'), ('AAPL-STK-SMART-$', 'currency'), ('ES-FUT-CME-USD-x', 'x')])
def test_a_bad_dataname_is_an_error_at_once(store, gateway, dataname, word):
    with pytest.raises(BadDataname, match=word):
        store(gateway).getdata(dataname=dataname)


def test_p45_an_unknown_contract_is_named(store, gateway):
    with pytest.raises(UnknownContract, match='NOSUCH'):
        run(store(gateway).getdata(**dict(DAYS, dataname='NOSUCH-STK-SMART-USD')))
    recorder = run(store(gateway).getdata(**dict(MINUTES, dataname='NOSUCH-STK-SMART-USD')))
    assert recorder.statuses == [['DISCONNECTED']] and 'NOSUCH' in recorder.reasons[0]


def test_p24_a_bar_size_that_cannot_be_is_named(store, gateway):
    made = store(gateway)
    with pytest.raises(NotSupportedTimeframe, match='1 day'):
        run(made.getdata(**dict(DAYS, timeframe=bt.TimeFrame.MicroSeconds)))
    asked = gateway.call(lambda world: {type(one.request).__name__ for one in world.requests})
    assert not asked & {'ReqContractDetails', 'ReqHistoricalData', 'ReqMktData'}


# -- the life ----------------------------------------------------------------------------------------

def test_nothing_is_connected_before_the_run(store, gateway):
    made = store(gateway)
    made.getdata(**MINUTES)
    made.getbroker()
    assert not our_threads() and not gateway.call(lambda world: world.clients)


def test_p02_a_store_made_before_the_gateway_connects_when_it_comes(store, make_gateway):
    place = Nowhere()
    data = store(place, reconnect=-1, timeout=0.2).getdata(**MINUTES)
    late = threading.Timer(1.0, make_gateway, kwargs={'port': place.port})
    late.start()
    recorder = run(data, until=live)
    late.join()
    assert recorder.statuses[0][:2] == ['CONNECTED', 'DELAYED']
    assert any('nothing listens' in text or 'refused' in text.lower() for text in recorder.messages), recorder.messages


def test_feeds_wait_for_a_gateway_together(store, monkeypatch):
    """And not one after the other, for then a strategy of thirty would begin minutes late."""
    monkeypatch.setattr(ibdata, 'START_SECONDS', 1.0)
    made = store(Nowhere(), reconnect=-1, timeout=0.2)
    started = time.monotonic()
    run(*[made.getdata(name=str(number), **MINUTES) for number in range(30)], until=lambda strategy: True)
    # one after the other would take as long, at the least
    assert time.monotonic() - started < 30 * ibdata.START_SECONDS


def test_p03_attempts_that_are_spent_end_the_run(store):
    started = time.monotonic()
    recorder = run(store(Nowhere(), reconnect=2, timeout=0.2).getdata(**MINUTES))
    assert time.monotonic() - started > 0.4
    assert recorder.statuses == [['DISCONNECTED']]
    assert any('7497' in text for text in recorder.messages + recorder.reasons)


def test_p03_a_port_closed_with_historical_raises(store):
    with pytest.raises(NotConnected):
        run(store(Nowhere(), reconnect=0, timeout=0.1).getdata(**DAYS))


def test_p04_the_clock_of_tws_is_known_and_no_timer_stays(store, make_gateway):
    gateway = make_gateway(speed=1.0)
    made = store(gateway)
    run(made.getdata(**MINUTES), until=lambda strategy: strategy.is_live())
    earlier, now, later = gateway.now(), made.clock(), gateway.now()
    assert earlier - 1.0 <= now <= later + 1.0
    local, now = time.time(), gateway.now()
    assert now - time.time() - 1.0 <= made.timeoffset().total_seconds() <= now - local + 1.0
    assert not our_threads()


def test_p04_without_timeoffset_the_clock_is_the_machines(store, gateway):
    made = store(gateway, timeoffset=False)
    run(made.getdata(**DAYS))
    earlier, now, later = time.time(), made.clock(), time.time()
    assert made.timeoffset() == datetime.timedelta(0) and earlier <= now <= later


def test_p06_a_feed_that_ends_does_not_end_the_others(store, fast):
    made = store(fast)
    recorder = run(made.getdata(**dict(MINUTES, dataname='NOSUCH-STK-SMART-USD')), made.getdata(**MINUTES),
                   until=lambda strategy: strategy.is_live(1) and len(strategy.bars[1]) > 12)
    assert recorder.statuses[0] == ['DISCONNECTED'] and recorder.is_live(1)


def test_p06_cerebro_runs_twice_in_one_process(store, gateway):
    made = store(gateway)
    for _ in range(2):
        data = made.getdata(**MINUTES)
        recorder = run(data, broker=made.getbroker(), until=live)
        assert recorder.statuses[0][:3] == ['CONNECTED', 'DELAYED', 'LIVE']
        assert not our_threads()


def test_p06_the_same_cerebro_runs_twice(store, gateway):
    made = store(gateway)
    cerebro = bt.Cerebro()
    cerebro.setbroker(made.getbroker())
    cerebro.adddata(made.getdata(**DAYS))
    cerebro.addstrategy(Recorder)
    first, second = cerebro.run()[0], cerebro.run()[0]
    assert len(first.bars[0]) == 23 and first.bars == second.bars


def test_p09_a_client_id_in_use_is_told(store, gateway):
    gateway.fault('busy', 1, 60)
    recorder = run(store(gateway, clientId=1, reconnect=-1, timeout=0.2).getdata(**MINUTES), until=live)
    assert any('client id 1 is in use' in text for text in recorder.messages), recorder.messages


def test_p80_a_broker_without_a_feed_of_the_store_is_started_and_stopped(store, gateway, tmp_path):
    made = store(gateway)
    path = tmp_path / 'bars.csv'
    path.write_text('2024-11-18,1,1,1,1,1,0\n2024-11-19,1,1,1,1,1,0\n')
    own = bt.feeds.GenericCSVData(dataname=str(path), dtformat='%Y-%m-%d')
    broker = made.getbroker()
    run(own, broker=broker)
    assert broker.getcash() == 1000000 and not our_threads()


def test_p85_an_exception_in_next_leaves_nothing(store, gateway):
    def fail(strategy):
        if strategy.is_live():
            raise ZeroDivisionError('in next')
    sockets = open_sockets()
    made = store(gateway)
    with pytest.raises(ZeroDivisionError):
        run(made.getdata(**MINUTES), broker=made.getbroker(), act=fail)
    made.stop()
    gateway.wait(lambda world: not world.clients and not world.lines)
    assert not our_threads()
    wait_until(lambda: open_sockets() <= sockets)


def test_p86_notifications_reach_the_user_in_historical_runs(store, gateway):
    made = store(gateway)
    recorder = run(made.getdata(**DAYS), broker=made.getbroker())
    assert recorder.statuses == [['CONNECTED', 'DELAYED', 'DISCONNECTED']]
    assert recorder.messages


def test_p87_tws_without_ib_is_connbroken(store, gateway):
    def lose(strategy):
        if strategy.is_live() and 'CONNBROKEN' not in strategy.statuses[0]:
            gateway.fault('lost', 10, 'data')
    recorder = run(store(gateway).getdata(**MINUTES), act=lose,
                   until=lambda strategy: 'CONNBROKEN' in strategy.statuses[0] and strategy.is_live())
    statuses = recorder.statuses[0]
    assert statuses[statuses.index('CONNBROKEN') + 1] == 'CONNECTED'


def test_p95_the_account_answers_after_the_run(store, gateway):
    def buy(strategy):
        if strategy.is_live() and not strategy.orders and not strategy.position:
            strategy.buy(size=10)
    made = store(gateway)
    broker, data = made.getbroker(), made.getdata(**MINUTES)
    run(data, broker=broker, act=buy, until=lambda strategy: strategy.position.size == 10)
    assert broker.getposition(data).size == 10
    assert broker.getvalue() == pytest.approx(1e6, abs=100) and broker.getcash() < 1e6


# -- who may use it, and till when -------------------------------------------------------------------

def once(act):
    """Does `act(strategy)` when the first feed is live, once."""
    done = []

    def look(strategy):
        if strategy.is_live() and not done:
            done.append(len(strategy.bars[0]))
            act(strategy)
    return look


def test_start_without_arguments_detaches_nothing(store, fast):
    """As a strategy or a notebook beside it calls it, to be sure."""
    def start_and_buy(strategy):
        made.start()
        strategy.buy(size=10)
    made = store(fast)
    recorder = run(made.getdata(**MINUTES), broker=made.getbroker(), act=once(start_and_buy),
                   until=lambda strategy: strategy.position.size == 10 and len(strategy.bars[0]) > 14)
    ends = [bar[0] for bar in recorder.bars[0]]
    assert ends == [ends[0] + 60 * number for number in range(len(ends))]


@pytest.mark.parametrize('params', [
    dict(), dict(rtbar=True), dict(timeframe=bt.TimeFrame.Days, fromdate=datetime.datetime(2024, 11, 1)),
    dict(timeframe=bt.TimeFrame.Ticks)], ids=['minutes', 'rtbar', 'days', 'ticks'])
def test_stop_in_a_run_ends_its_feeds_and_so_the_run(store, gateway, params):
    made = store(gateway)
    recorder = run(made.getdata(**dict(MINUTES, **params)), broker=made.getbroker(),
                   until=lambda strategy: strategy.is_live() and made.stop())
    assert recorder.statuses[0][-1] == 'DISCONNECTED' and 'the store was stopped' in recorder.reasons[-1]
    assert not our_threads()


@pytest.mark.parametrize('word', ['contract', 'history'])
@pytest.mark.parametrize('params', [DAYS, MINUTES], ids=['historical', 'live'])
def test_stop_from_elsewhere_ends_a_run_that_waits(store, gateway, word, params):
    """For an answer of TWS's that does not come."""
    kind, unanswered = {'contract': ('ReqContractDetails', 'ContractDetailsEnd'),
                        'history': ('ReqHistoricalData', 'HistoricalData')}[word]
    gateway.fault('drop', unanswered, 100)
    made = store(gateway)

    def stop():
        gateway.wait(lambda world: any(type(asked.request).__name__ == kind for asked in world.requests))
        made.stop()
    stopper = threading.Thread(target=stop)
    stopper.start()
    if params is DAYS:
        with pytest.raises(NotConnected, match='the store was stopped'):
            run(made.getdata(**params))
    else:
        assert run(made.getdata(**params)).statuses[0][-1] == 'DISCONNECTED'
    stopper.join()
    assert not our_threads()


def test_stop_while_a_run_begins_ends_it(store, gateway, monkeypatch):
    """And not: the next feed that starts connects anew, and orders fill that no broker hears of."""
    made = store(gateway)
    start = ibnew.IBStore.start

    def start_after_a_stop(self, **whose):
        if 'data' in whose:
            monkeypatch.undo()
            self.stop()
        start(self, **whose)
    monkeypatch.setattr(ibnew.IBStore, 'start', start_after_a_stop)
    recorder = run(made.getdata(**MINUTES), broker=made.getbroker())
    assert recorder.statuses == [['DISCONNECTED']]
    assert not our_threads()
    recorder = run(made.getdata(**MINUTES), broker=made.getbroker(), until=lambda strategy: strategy.is_live())
    assert recorder.statuses[0][-1] == 'LIVE'


def test_two_cerebros_at_once_are_one_too_many(store, fast):
    """The second is told so, on a thread of its own as within the first; the first goes on."""
    refused = []

    def another(thread):
        try:
            run(made.getdata(**DAYS))
        except StoreInUse as error:
            refused.append((thread, str(error)))

    def both(strategy):
        another('same')
        beside = threading.Thread(target=another, args=('other',))
        beside.start()
        beside.join()
    made = store(fast)
    recorder = run(made.getdata(**MINUTES), broker=made.getbroker(), act=once(both),
                   until=lambda strategy: refused and len(strategy.bars[0]) > 14)
    assert [thread for thread, _ in refused] == ['same', 'other'] and 'one cerebro' in refused[0][1]
    assert 'CONNBROKEN' not in recorder.statuses[0]
    assert len(run(made.getdata(**DAYS)).bars[0]) == 23


@pytest.mark.parametrize('beside', [False, True])
def test_p85_a_run_that_an_exception_ended_hinders_none(store, gateway, beside):
    """Its feeds are still subscribed, and the thread that it ran on may do other things by now."""
    def fail(strategy):
        raise ZeroDivisionError('in next')

    def break_off():
        with pytest.raises(ZeroDivisionError):
            run(made.getdata(**MINUTES), broker=made.getbroker(), act=once(fail))
        broken.set()
        resume.wait(20)
    made = store(gateway)
    broken, resume = threading.Event(), threading.Event()
    if beside:
        thread = threading.Thread(target=break_off)
        thread.start()
        assert broken.wait(20)
    else:
        resume.set()
        break_off()
    recorder = run(made.getdata(**MINUTES), broker=made.getbroker(), until=live)
    assert recorder.statuses[0][:3] == ['CONNECTED', 'DELAYED', 'LIVE']
    resume.set()
    gateway.wait(lambda world: not world.lines)


# -- the raw client library --------------------------------------------------------------------------

def test_call_reaches_the_client_library_on_its_own_thread(store, gateway):
    made = store(gateway)
    with pytest.raises(NotConnected):
        made.call(lambda ib: ib.isConnected())
    made.start()
    wait_until(made.connected)
    assert made.call(lambda ib: ib.isConnected())
    assert made.call(lambda ib: threading.current_thread()) in our_threads()
    assert made.call(lambda ib: ib.reqCurrentTimeAsync()).year == 2024
    with pytest.raises(ZeroDivisionError):
        made.call(lambda ib: 1 / 0)


def test_call_waits_for_the_first_connection(store, gateway):
    made = store(gateway)
    made.start()
    assert made.call(lambda ib: ib.reqCurrentTimeAsync()).year == 2024


def test_call_says_that_there_is_no_connection(store):
    made = store(Nowhere(), reconnect=-1, timeout=0.1)
    made.start()
    with pytest.raises(TimedOut, match='no connection to TWS'):
        made.call(lambda ib: ib.reqCurrentTimeAsync(), timeout=0.3)
    made = store(Nowhere(), reconnect=1, timeout=0.1)
    made.start()
    with pytest.raises(NotConnected, match='nothing listens'):
        made.call(lambda ib: ib.reqCurrentTimeAsync())


def test_the_raw_object_lives_elsewhere(store, gateway):
    made = store(gateway)
    assert made.ib is None
    made.start()
    assert type(made.ib).__name__ == 'TappedIB'
    made.stop()
    assert made.ib is None
