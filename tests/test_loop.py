"""The loop thread and the waker."""
import asyncio
import gc
import logging
import threading
import time

import pytest
from helpers import wait_until

from backtrader_ib_insync import loop as loop_module
from backtrader_ib_insync.errors import NotConnected, TimedOut
from backtrader_ib_insync.loop import Loop, Waker


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.stop()


def test_call_returns_what_the_function_does(loop):
    assert loop.call(lambda a, b: a + b, 1, 2) == 3
    assert loop.call(threading.current_thread) is not threading.current_thread()


def test_call_awaits_what_is_awaitable(loop):
    async def later(value):
        await asyncio.sleep(0.01)
        return value
    assert loop.call(later, 'done') == 'done'


def test_call_raises_what_the_function_raises(loop):
    with pytest.raises(ZeroDivisionError):
        loop.call(lambda: 1 / 0)


def test_call_is_bounded_and_takes_its_work_back(loop):
    cancelled = threading.Event()

    async def forever():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.set()
            raise
    with pytest.raises(TimedOut, match='0.05 s'):
        loop.call(forever, timeout=0.05)
    assert cancelled.wait(5)


def test_call_from_the_loop_itself_is_an_error_and_no_dead_lock(loop):
    with pytest.raises(RuntimeError, match='wait for itself'):
        loop.call(lambda: loop.call(print))


def test_post_does_not_wait(loop):
    gate, done = threading.Event(), threading.Event()
    loop.post(lambda: (gate.wait(5), done.set()))
    assert not done.is_set()
    gate.set()
    assert done.wait(5)


@pytest.mark.client_errors
def test_what_a_posted_function_raises_is_logged(loop, caplog):
    done = threading.Event()
    loop.post(lambda: 1 / 0)
    loop.post(done.set)
    assert done.wait(5)
    assert 'failed on the loop thread' in caplog.text


def test_what_is_posted_later_comes_by_itself_in_order_and_at_one_go(loop, monkeypatch):
    done, woken = [], []
    wake = loop._wake
    monkeypatch.setattr(loop, '_wake', lambda *call: (woken.append(call), wake(*call)))
    loop.call(lambda: [loop.post_later(done.append, number) for number in range(100)])
    wait_until(lambda: len(done) == 100)
    assert done == list(range(100)) and len(woken) == 1


def test_what_is_posted_later_runs_before_what_is_posted_or_called_after_it(loop, monkeypatch):
    monkeypatch.setattr(loop_module, 'GATHER_SECONDS', 1000.0)
    done, heard = [], threading.Event()
    loop.post_later(done.append, 1)
    loop.post(done.append, 2)
    loop.post(heard.set)
    assert heard.wait(5) and done == [1, 2]
    loop.post_later(done.append, 3)
    assert loop.call(list, done) == [1, 2, 3]


def test_a_stopped_loop_says_so(loop):
    loop.stop()
    loop.stop()
    assert not loop.alive and loop.post(print) is False and loop.post_later(print) is False
    with pytest.raises(NotConnected, match='stopped'):
        loop.call(print)


def test_a_call_under_way_ends_with_the_loop(loop):
    begun, errors = threading.Event(), []

    async def forever():
        begun.set()
        await asyncio.sleep(1000)

    def ask():
        try:
            loop.call(forever)
        except NotConnected as error:
            errors.append(error)
    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(5)
    loop.stop()
    thread.join(5)
    assert len(errors) == 1


def test_a_call_that_comes_while_the_loop_ends_does_not_wait_for_ever(loop, monkeypatch):
    """The loop takes it and never looks at it again: its last turn was before."""
    ended = threading.Event()
    finish = loop._finish_tasks

    def finish_and_wait():
        finish()
        ended.set()
        submitted.wait(5)
    submitted, errors = threading.Event(), []
    monkeypatch.setattr(loop, '_finish_tasks', finish_and_wait)
    submit = loop._submit
    monkeypatch.setattr(loop, '_submit', lambda coroutine: (submit(coroutine), submitted.set())[0])

    def ask():
        ended.wait(5)
        try:
            loop.call(list)
        except NotConnected as error:
            errors.append(error)
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    loop.stop()
    thread.join(5)
    assert len(errors) == 1


def test_p04_no_thread_and_no_warning_is_left(caplog):
    before = threading.active_count()
    with caplog.at_level(logging.DEBUG, 'asyncio'):
        made = Loop()

        async def forever():
            await asyncio.sleep(1000)
        made.call(lambda: asyncio.ensure_future(forever()) and None)
        made.stop()
        gc.collect()
    assert threading.active_count() == before
    assert 'never retrieved' not in caplog.text and 'destroyed' not in caplog.text


def test_p08_the_callers_loop_is_neither_needed_nor_touched():
    async def inside():
        made = Loop()
        try:
            return made.call(lambda: 1), asyncio.get_event_loop()
        finally:
            made.stop()
    own = asyncio.new_event_loop()
    try:
        assert own.run_until_complete(inside()) == (1, own)
    finally:
        own.close()


def test_p08_works_off_the_main_thread():
    found = []

    def work():
        made = Loop()
        found.append(made.call(lambda: 1))
        made.stop()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert found == [1]


def test_the_waker_misses_no_kick():
    waker = Waker()
    kicks = waker.kicks
    waker.kick()
    assert waker.wait(kicks, 10)


def test_the_waker_wakes_a_sleeper():
    waker = Waker()
    kicks = waker.kicks
    kicker = threading.Timer(0.02, waker.kick)
    kicker.start()
    assert waker.wait(kicks, float('inf'))
    kicker.join()


def test_p34_a_sleeper_sleeps_and_gives_up_in_time():
    waker = Waker()
    busy = time.process_time()
    assert not waker.wait(waker.kicks, 0.2)
    assert time.process_time() - busy < 0.1
