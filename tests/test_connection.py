"""The life of a connection against a gateway that misbehaves: what it asks, in which order, and what it tells."""
import asyncio
import gc
import socket
import threading
import time

import pytest
from helpers import wait_until
from programs import at_load

from backtrader_ib_insync import heartbeat, insync, synchroniser
from backtrader_ib_insync.account_stream import AccountStream
from backtrader_ib_insync.connection import Connection, Settings
from backtrader_ib_insync.downloads import ContractQuestion, HistoryQuestion
from backtrader_ib_insync.history import plan
from backtrader_ib_insync.line import REQIDBASE, ended
from backtrader_ib_insync.loop import Loop
from backtrader_ib_insync.messages import Closed, Heard, Lost, Notice, Refused, Restored, Session, Synchronised, Tick
from backtrader_ib_insync.streams import RealTimeBars, Trades

AAPL = insync.Contract(conId=265598, symbol='AAPL', secType='STK', exchange='SMART', currency='USD')
WORDS = (Session, Lost, Restored, Closed)


class Link:
    """A connection on a loop of its own; `told` and `account` hold what it said, `streams` what theirs did."""

    def __init__(self, port, **settings):
        given = dict(host='127.0.0.1', port=port, clientId=1, reconnect=-1, timeout=0.05, readonly=False, account='',
                     timerefresh=0.2, marketdatatype=1)
        given.update(settings)
        self.told, self.account, self.streams = [], [], []
        self.loop = Loop()
        self.connection = self.loop.call(self._make, Settings(**given))

    def _make(self, settings):
        account = AccountStream()
        account.attach(self.account.append)
        connection = Connection(settings, self.told.append, account)
        connection.start()
        return connection

    def stop(self):
        if not self.loop.alive:
            return
        self.loop.call(self.connection.shut, timeout=5)
        self.loop.stop()
        gc.collect()

    def until(self, kind, count=1):
        """Wait for the count-th word of this kind."""
        return wait_until(lambda: [word for word in list(self.told) if type(word) is kind][count - 1:count])[0]

    def lasts(self):
        """Wait till the session has lasted for some heart-beats: longer than `timeout`."""
        before = len(self.told)
        wait_until(lambda: sum(isinstance(word, Heard) for word in list(self.told)[before:]) >= 2)

    def words(self):
        return [word for word in list(self.told) if isinstance(word, WORDS)]

    def texts(self):
        """What was told that is not TWS's own."""
        return [notice.errorMsg for notice in list(self.told) if isinstance(notice, Notice) and not notice.errorCode]

    def subscribe(self, make=Trades, *more):
        heard = []
        self.streams.append(heard)
        self.loop.call(self.connection.subscribe, lambda sink, clock: make(sink, AAPL, clock, *more), heard.append)
        return heard

    def ask(self, question, seconds=10.0):
        async def act():
            await self.connection.desk.ready()
            return await self.connection.desk.question(question(), seconds)
        return self.loop.call(act, timeout=seconds + 5)


@pytest.fixture
def connect():
    """Makes links to a gateway or a port; afterwards no thread of theirs is left."""
    before = set(threading.enumerate())
    made = []

    def make(gateway, **settings):
        made.append(Link(getattr(gateway, 'port', gateway), **settings))
        return made[-1]
    yield make
    for link in made:
        link.stop()
    left = {thread for thread in threading.enumerate() if thread.name == 'backtrader_ib_insync'}
    assert not left - before


@pytest.fixture
def free_port():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        return taken.getsockname()[1]


@pytest.fixture
def dumb():
    """A port that takes connections and never says a word; `dumb.taken` holds them."""
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(50)

    class Dumb:
        port = listener.getsockname()[1]
        taken = []
        drops = False

    def accept():
        while True:
            try:
                taken = listener.accept()[0]
            except OSError:
                return
            Dumb.taken.append((time.monotonic(), taken))
            if Dumb.drops:
                taken.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield Dumb
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for _, taken in Dumb.taken:
        taken.close()


@pytest.fixture
def asked(gateway):
    """The names of what the gateway was asked since the last call."""
    seen = []

    def names():
        every = gateway.call(lambda world: [type(asked.request).__name__ for asked in world.requests])
        new = every[len(seen):]
        seen.extend(new)
        return [name for name in new if name not in ('ReqCurrentTime', 'StartApi')]
    return names


ACCOUNT = ['ReqAccountUpdates', 'ReqPositions', 'ReqOpenOrders', 'ReqCompletedOrders', 'ReqExecutions']


# -- coming up ---------------------------------------------------------------------------------------------------------

def test_the_account_is_read_before_the_session_is_told(gateway, connect, asked):
    link = connect(gateway)
    session = link.until(Session)
    assert session == Session(('U1234567',), 1, 176, 1, False)
    assert isinstance(link.account[-1], Synchronised) and link.account[-1].orders
    assert asked() == ACCOUNT


def test_requests_count_from_far_above_orders(gateway, connect, asked):
    link = connect(gateway)
    link.until(Session)
    link.subscribe()
    found = gateway.wait(lambda world: [asked.request.reqId for asked in world.requests
                                        if type(asked.request).__name__ == 'ReqMktData'])
    assert found[0] >= REQIDBASE


def test_p02_a_gateway_that_comes_late(free_port, make_gateway, connect):
    link = connect(free_port)
    wait_until(link.texts)
    assert not link.words()
    make_gateway(port=free_port)
    link.until(Session)
    assert len([text for text in link.texts() if 'cannot connect' in text]) == 1
    assert 'nothing listens there' in link.texts()[0] and 'Trying again for ever' in link.texts()[0]


def test_p03_no_attempt_but_the_first_with_reconnect_0(dumb, connect):
    dumb.drops = True
    link = connect(dumb, reconnect=0)
    assert 'cannot connect to 127.0.0.1' in link.until(Closed).reason
    assert len(dumb.taken) == 1 and not link.texts()


def test_p03_so_many_attempts_so_far_apart(dumb, connect):
    dumb.drops = True
    link = connect(dumb, reconnect=2, timeout=0.3)
    link.until(Closed)
    times = [taken for taken, _ in dumb.taken]
    assert len(times) == 3 and min(later - sooner for sooner, later in zip(times, times[1:])) >= 0.25
    assert 'Trying again up to 2 times, every 0.3 s' in link.texts()[0]


def test_p03_attempts_are_counted_anew_after_each_session(gateway, connect):
    link = connect(gateway, reconnect=2)
    for session in range(1, 4):
        link.until(Session, session)
        link.lasts()
        gateway.fault('cut', 'rst')
        link.until(Lost, session)
    link.until(Session, 4)
    gateway.fault('refuse', '1d')
    gateway.fault('cut')
    assert 'nothing listens there' in link.until(Closed).reason


def throw_out(gateway, link, times):
    """Close so many sessions as soon as each has begun."""
    for session in range(1, times + 1):
        link.until(Session, session)
        gateway.fault('cut', 'rst')
        link.until(Lost, session)


def test_p03_a_session_that_is_dropped_at_once_is_a_failed_attempt(gateway, connect):
    link = connect(gateway, reconnect=2, timeout=1.0)
    throw_out(gateway, link, 3)
    link.until(Closed)
    assert len([word for word in link.words() if isinstance(word, Session)]) == 3
    assert len([text for text in link.texts() if 'Trying again up to 1 times' in text]) == 1


def test_p03_sessions_that_are_dropped_at_once_back_off(gateway, connect):
    throw_out(gateway, connect(gateway, timeout=0.5), 5)
    begun = gateway.call(lambda world: [asked.time for asked in world.requests
                                        if type(asked.request).__name__ == 'StartApi'])
    pauses = [later - sooner for sooner, later in zip(begun, begun[1:])]
    assert pauses[3] > 2 * pauses[0]


def test_p03_reconnecting_for_ever_backs_off(dumb, connect):
    dumb.drops = True
    link = connect(dumb, timeout=0.05)
    wait_until(lambda: len(dumb.taken) >= 6)
    times = [taken for taken, _ in dumb.taken]
    pauses = [later - sooner for sooner, later in zip(times, times[1:])]
    assert pauses[-1] > 4 * pauses[0]
    assert not link.words()


def test_p85_a_task_that_swallows_its_cancel_ends_all_the_same():
    """As one of the client library's that sits in `asyncio.wait_for` does before CPython 3.12, now and then."""
    async def swallow():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    async def end():
        task = asyncio.ensure_future(swallow())
        await asyncio.sleep(0)
        await ended(task, 0.01)
        return task.cancelled()
    loop = Loop()
    try:
        assert loop.call(end, timeout=10)
    finally:
        loop.stop()


def test_an_account_that_the_login_lacks_is_named_and_not_tried_for_ever(gateway, connect):
    link = connect(gateway, account='U99')
    assert link.until(Closed).reason == "account 'U99': this login has U1234567"


def test_every_account_is_read(make_gateway, connect):
    link = connect(make_gateway(accounts=('U1', 'U2')))
    assert link.until(Session).accounts == ('U1', 'U2')
    read = {record.account for record in link.account if type(record).__name__ == 'AccountValue'}
    assert {'U1', 'U2'} <= read


# -- the client id -----------------------------------------------------------------------------------------------------

def test_p09_a_client_id_in_use_is_told_and_tried_till_it_is_free(gateway, connect):
    gateway.fault('busy', 1, '60s')
    link = connect(gateway)
    link.until(Session)
    assert len(link.texts()) >= 1 and 'client id 1 is in use' in link.texts()[0]


def test_p09_another_random_id_at_once_when_the_user_gave_none(gateway, connect, monkeypatch):
    drawn = iter([7, 7, 8])
    monkeypatch.setattr('backtrader_ib_insync.line.random.randint', lambda low, high: next(drawn))
    gateway.fault('busy', 7)
    link = connect(gateway, clientId=None, reconnect=0)
    assert link.until(Session).clientId == 8
    assert not [text for text in link.texts() if 'in use' in text]


def test_a_random_id_is_kept_over_a_reconnection(gateway, connect):
    link = connect(gateway, clientId=None)
    first = link.until(Session).clientId
    gateway.fault('cut')
    assert link.until(Session, 2).clientId == first


@pytest.mark.parametrize('ids', [(), ('ids',)])
def test_p10_order_ids_never_go_back(gateway, connect, ids):
    link = connect(gateway)
    link.until(Session)

    def place():
        order = insync.Order(orderId=7, clientId=1, action='BUY', totalQuantity=1, orderType='LMT', lmtPrice=1.0)
        link.connection.orders.place(AAPL, order, time.monotonic())
    link.loop.call(place)
    gateway.wait(lambda world: world.exchange.open_orders())
    gateway.fault('restart', 1, *ids)
    assert link.until(Session, 2).order_id == 8


def test_p10_a_new_client_does_not_use_the_ids_of_open_orders_either(gateway, connect):
    first = connect(gateway)
    first.until(Session)
    order = insync.Order(orderId=20, clientId=1, action='BUY', totalQuantity=1, orderType='LMT', lmtPrice=1.0)
    first.loop.call(first.connection.orders.place, AAPL, order, time.monotonic())
    gateway.wait(lambda world: world.exchange.open_orders())
    first.stop()
    gateway.wait(lambda world: not world.clients)
    gateway.call(lambda world: world.exchange.roll_back_ids())
    assert connect(gateway).until(Session).order_id == 21


def test_ids_above_the_base_of_requests(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    order = insync.Order(orderId=REQIDBASE + 5, clientId=1, action='BUY', totalQuantity=1, orderType='LMT',
                         lmtPrice=1.0)
    link.loop.call(link.connection.orders.place, AAPL, order, time.monotonic())
    gateway.wait(lambda world: world.exchange.open_orders())
    gateway.fault('cut')
    assert link.until(Session, 2).order_id == REQIDBASE + 6
    link.subscribe()
    gateway.wait(lambda world: [asked for asked in world.requests if type(asked.request).__name__ == 'ReqMktData'
                                and asked.request.reqId > 2 * REQIDBASE])


# -- the end of a session ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('how', ['fin', 'rst', 'mid'])
def test_after_a_cut_first_the_account_then_market_data(gateway, connect, asked, how):
    link = connect(gateway)
    link.until(Session)
    heard = link.subscribe()
    wait_until(lambda: [record for record in heard if isinstance(record, Tick)])
    asked()
    gateway.fault('cut', how)
    link.until(Session, 2)
    wait_until(lambda: [record for record in heard if isinstance(record, Restored)])
    gateway.wait(lambda world: world.lines == 1)
    assert asked() == ACCOUNT + ['ReqMktData']
    assert [type(word) for word in link.words()] == [Session, Lost, Session]
    assert [type(word) for word in heard if isinstance(word, WORDS)] == [Lost, Restored]


def test_a_half_open_socket_is_found_by_the_heart_beat(gateway, connect, monkeypatch):
    monkeypatch.setattr(heartbeat, 'DEAD_SECONDS', 0.6)
    link = connect(gateway)
    link.until(Session)
    gateway.fault('stall', '1d')
    assert 'silent' in link.until(Lost).reason
    gateway.wait(lambda world: world.clients)
    link.until(Session, 2)


def test_bytes_that_make_no_message_are_no_sign_of_life(gateway, connect, monkeypatch):
    monkeypatch.setattr(heartbeat, 'DEAD_SECONDS', 0.6)
    link = connect(gateway)
    link.until(Session)
    # the length of a message that never ends
    gateway.call(lambda world: world.sessions[0].link.put(b'\x00\xff\xff\xff'))
    assert 'silent' in link.until(Lost).reason
    link.until(Session, 2)


@pytest.mark.client_errors
def test_p13_a_message_that_cannot_be_read_is_told(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    gateway.fault('garbage')
    wait_until(lambda: [text for text in link.texts() if 'could not read' in text])
    assert [type(word) for word in link.words()] == [Session]


def test_p13_zones_of_executions_are_there(gateway, connect):
    """Without `tzdata` ib_insync could not read `US/Eastern`, and would drop the execution."""
    link = connect(gateway)
    link.until(Session)
    order = insync.Order(orderId=1, clientId=1, action='BUY', totalQuantity=1, orderType='MKT')
    link.loop.call(link.connection.orders.place, AAPL, order, time.monotonic())
    wait_until(lambda: [record for record in list(link.account) if type(record).__name__ == 'Execution'])


def test_the_port_was_moved(gateway, make_gateway, connect):
    other = make_gateway()
    link = connect(gateway)
    link.until(Session)
    gateway.fault('port', other.port)
    link.until(Session, 2)
    assert other.call(lambda world: list(world.clients)) == [1]


def test_the_old_port_is_tried_as_well(gateway, connect, free_port):
    link = connect(gateway)
    link.until(Session)
    gateway.fault('port', free_port)
    link.until(Session, 2)


# -- TWS without IB ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('words, kept', [(('lost', 5), True), (('lost', 5, 'data'), False), (('broken', 5), True)])
def test_p12_tws_without_ib_is_no_loss_of_the_socket(gateway, connect, asked, words, kept):
    link = connect(gateway)
    link.until(Session)
    heard = link.subscribe()
    wait_until(lambda: [record for record in heard if isinstance(record, Tick)])
    asked()
    gateway.fault(*words)
    assert link.until(Lost).code in (1100, 2110)
    assert link.until(Restored).kept == kept
    wait_until(lambda: isinstance(heard[-1], Tick) and [word for word in heard if isinstance(word, Restored)])
    assert asked() == ACCOUNT + ([] if kept else ['CancelMktData', 'ReqMktData'])
    assert [type(word) for word in heard if isinstance(word, WORDS)] == [Lost, Restored]
    assert [type(word) for word in link.words()] == [Session, Lost, Restored]


def test_what_is_subscribed_while_tws_has_no_ib_is_asked_for_afterwards(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    gateway.fault('lost', 10)
    link.until(Lost)
    heard = link.subscribe()
    link.until(Restored)
    wait_until(lambda: [record for record in heard if isinstance(record, Tick)])


def test_a_cut_while_tws_has_no_ib(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    gateway.fault('lost', 20)
    link.until(Lost)
    gateway.fault('cut')
    link.until(Lost, 2)
    link.until(Session, 2)


def test_ib_lost_again_while_the_account_is_being_read(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    gateway.call(lambda world: (world.tell(1100, 'lost'), world.tell(1102, 'back'), world.tell(1100, 'lost'),
                                world.tell(1101, 'back')))
    link.until(Restored)
    words = link.words()
    assert [type(word) for word in words] == [Session, Lost, Lost, Restored] and not words[-1].kept


def test_what_1102_comes_without_is_made_up_for(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    heard = link.subscribe()
    wait_until(lambda: heard)
    gateway.fault('error', 1102, -1, 'back')
    wait_until(lambda: [word for word in heard if isinstance(word, Restored)])
    assert [type(word) for word in heard if isinstance(word, WORDS)] == [Lost, Restored]


# -- farms -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('dead', [(), ('dead',)])
def test_p11_a_farm_lost_and_back_renews_what_it_fed(gateway, connect, asked, dead):
    link = connect(gateway)
    link.until(Session)
    heard = link.subscribe()
    wait_until(lambda: [record for record in heard if isinstance(record, Tick)])
    asked()
    gateway.fault('farm', 'data', 20, *dead)
    lost = wait_until(lambda: [word for word in heard if isinstance(word, Lost)])[0]
    assert lost.code == 2103
    wait_until(lambda: isinstance(heard[-1], Tick) and [word for word in heard if isinstance(word, Restored)])
    assert asked() == ['CancelMktData', 'ReqMktData']
    assert [type(word) for word in link.words()] == [Session]


def test_p11_a_stream_of_another_farm_goes_on_at_once(gateway, connect, asked):
    link = connect(gateway)
    link.until(Session)
    heard = link.subscribe()
    wait_until(lambda: heard)
    asked()
    gateway.fault('error', 2103, -1, 'Market data farm connection is broken:cashfarm')
    wait_until(lambda: [word for word in heard if isinstance(word, Restored)])
    wait_until(lambda: isinstance(heard[-1], Tick))
    gateway.fault('error', 2104, -1, 'Market data farm connection is OK:cashfarm')
    wait_until(lambda: [word for word in list(link.told) if getattr(word, 'errorMsg', '').endswith('OK:cashfarm')])
    assert asked() == []
    assert [type(word) for word in heard if isinstance(word, WORDS)] == [Lost, Restored]


def test_p11_history_is_asked_again_when_its_farm_is_back(gateway, connect, asked):
    link = connect(gateway)
    link.until(Session)
    asked()
    gateway.call(lambda world: world.faults.add_rule('HistoricalData', 'drop', 1))
    gateway.fault('error', 2105, -1, 'HMDS data farm connection is broken:ushmds')
    now = gateway.now()
    request = plan(now - 3600, now, '1 min', now)[0]

    from backtrader_ib_insync.downloads import Download
    answers = []
    job = Download(answers.append, AAPL, (request,), 'TRADES', False)
    link.loop.call(link.connection.desk.run, job)
    gateway.wait(lambda world: type(world.requests[-1].request).__name__ == 'ReqHistoricalData')
    gateway.fault('error', 2106, -1, 'HMDS data farm connection is OK:ushmds')
    assert wait_until(lambda: answers)[0].bars
    assert asked() == ['ReqHistoricalData'] * 2


def test_p12_bars_that_tws_took_back_are_asked_for_once_more(gateway, connect, asked):
    link = connect(gateway)
    link.until(Session)
    heard = link.subscribe(RealTimeBars, 'TRADES', False)
    wait_until(lambda: len(heard) > 2)
    asked()
    reqId = link.loop.call(lambda: link.connection.desk.streams[0].reqId)
    gateway.fault('error', 10225, reqId, 'Bust event occurred, current subscription is deactivated.')
    wait_until(lambda: [word for word in heard if isinstance(word, Restored)])
    gateway.wait(lambda world: world.requests[-1])
    assert asked() == ['CancelRealTimeBars', 'ReqRealTimeBars']
    assert not [record for record in heard if isinstance(record, Refused)]


# -- what cannot be read -----------------------------------------------------------------------------------------------

def test_tws_in_read_only_mode_serves_all_but_orders(gateway, connect, asked):
    gateway.fault('readonly')
    link = connect(gateway)
    assert link.until(Session).readonly
    assert not link.account[-1].orders
    assert asked() == ['ReqAccountUpdates', 'ReqPositions', 'ReqOpenOrders', 'ReqExecutions']


def test_a_step_that_is_not_answered_ends_the_session_and_the_next_one_reads_all(gateway, connect, monkeypatch):
    monkeypatch.setattr(synchroniser, 'STEP_SECONDS', 0.3)
    gateway.fault('drop', 'PositionEnd')
    link = connect(gateway)
    link.until(Session)
    assert 'TWS did not tell positions' in link.texts()[0]


def test_completed_orders_are_done_without_if_need_be(gateway, connect, monkeypatch):
    monkeypatch.setattr(synchroniser, 'STEP_SECONDS', 0.3)
    gateway.fault('drop', 'CompletedOrdersEnd')
    link = connect(gateway)
    link.until(Session)
    assert link.account[-1].orders and not [text for text in link.texts() if 'cannot' in text]


# -- questions ---------------------------------------------------------------------------------------------------------

def test_a_question_is_answered(gateway, connect):
    details = connect(gateway).ask(lambda: ContractQuestion(AAPL))
    assert [found.contract.symbol for found in details] == ['AAPL']


def test_a_question_fails_with_the_session_under_it(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    gateway.call(lambda world: world.faults.add_rule('HistoricalData', 'drop', 1))
    now = gateway.now()
    request = plan(now - 3600, now, '1 min', now)[0]
    failed = []

    def ask():
        try:
            link.ask(lambda: HistoryQuestion(AAPL, request, 'TRADES', False))
        except Exception as error:
            failed.append(error)
    thread = threading.Thread(target=ask)
    thread.start()
    gateway.wait(lambda world: type(world.requests[-1].request).__name__ == 'ReqHistoricalData')
    gateway.fault('cut', 'rst')
    thread.join(10)
    assert type(failed[0]).__name__ == 'NotConnected'


# -- stopping ----------------------------------------------------------------------------------------------------------

def quick(link):
    """Whether a stop takes less than two seconds."""
    begun = time.monotonic()
    link.stop()
    return time.monotonic() - begun < at_load(2.0)


def test_stop_while_the_handshake_is_not_answered(dumb, connect):
    link = connect(dumb)
    wait_until(lambda: dumb.taken)
    assert quick(link)


def test_stop_while_waiting_for_the_next_attempt(free_port, connect):
    link = connect(free_port, timeout=60)
    wait_until(link.texts)
    assert quick(link)


def test_stop_while_the_account_is_being_read(gateway, connect, asked):
    gateway.fault('drop', 'PositionEnd')
    link = connect(gateway)
    wait_until(lambda: 'ReqPositions' in asked())
    assert quick(link)
    gateway.wait(lambda world: not world.sessions)


def test_stop_in_a_session_gives_everything_back(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    link.subscribe()
    gateway.wait(lambda world: world.lines == 1)
    assert quick(link)
    gateway.wait(lambda world: not world.sessions and not world.lines)


def test_what_was_asked_for_before_the_stop_is_sent_all_the_same(make_gateway, connect):
    gateway = make_gateway(messages_per_second=0)
    link = connect(gateway)
    link.until(Session)

    def place():
        for number in range(1, 31):
            order = insync.Order(orderId=number, clientId=1, action='BUY', totalQuantity=1, orderType='LMT',
                                 lmtPrice=1.0)
            link.connection.orders.place(AAPL, order, time.monotonic())
    link.loop.call(place)
    assert quick(link)
    gateway.wait(lambda world: len(world.exchange.open_orders()) == 30)


def test_stop_on_a_stalled_link(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    link.subscribe()
    gateway.fault('stall', '1d')
    assert quick(link)


def test_stop_while_tws_has_no_ib(gateway, connect):
    link = connect(gateway)
    link.until(Session)
    gateway.fault('lost')
    link.until(Lost)
    assert quick(link)


def test_stop_right_after_the_start(gateway, connect):
    for _ in range(20):
        connect(gateway).stop()
    gateway.wait(lambda world: not world.sessions)


def test_stop_twice_and_after_the_end(free_port, connect):
    link = connect(free_port, reconnect=0)
    link.until(Closed)
    assert quick(link)
