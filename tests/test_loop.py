"""The loop thread and the waker."""
import asyncio
import logging
import threading
import time

import pytest
from helpers import our_threads, wait_until

from backtrader_ib_insync.errors import NotConnected, TimedOut
from backtrader_ib_insync.loop import Loop, Waker


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.stop()


# -- the loop ----------------------------------------------------------------------------------------

def test_call_runs_on_the_loop_thread_and_gives_the_result(loop):
    assert loop.call(threading.current_thread) in our_threads()
    assert loop.call(lambda one, two: one + two, 1, 2) == 3


def test_call_awaits_what_is_awaitable(loop):
    async def later():
        await asyncio.sleep(0)
        return 5
    assert loop.call(later) == 5
    assert loop.call(lambda: later()) == 5


def test_call_raises_what_the_function_raises(loop):
    with pytest.raises(ZeroDivisionError):
        loop.call(lambda: 1 / 0)


def test_call_is_bounded_and_cancels_what_it_gives_up(loop):
    ended = []

    async def long():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)
    with pytest.raises(TimedOut, match='0.05'):
        loop.call(long, timeout=0.05)
    wait_until(lambda: ended)


def test_call_from_the_loop_thread_is_an_error_and_no_deadlock(loop):
    with pytest.raises(RuntimeError, match='post'):
        loop.call(lambda: loop.call(int), timeout=5)


def test_post_returns_at_once_and_keeps_the_order(loop):
    seen = []
    started = time.perf_counter()
    for number in range(1000):
        assert loop.post(seen.append, number)
    assert time.perf_counter() - started < 0.5
    wait_until(lambda: len(seen) == 1000)
    assert seen == list(range(1000))


@pytest.mark.client_errors
def test_what_a_posted_function_raises_is_logged(loop, caplog):
    with caplog.at_level(logging.ERROR):
        loop.post(lambda: 1 / 0)
        loop.call(int)
    assert 'ZeroDivisionError' in caplog.text


def test_p04_stop_ends_the_thread_and_what_ran_on_it():
    made = Loop()
    cancelled = []

    async def forever():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
    made.post(lambda: asyncio.ensure_future(forever()))
    made.call(int)
    made.stop()
    made.stop()
    assert cancelled and not our_threads() and not made.alive


def test_after_stop_nothing_is_taken_and_nothing_hangs():
    made = Loop()
    made.stop()
    assert made.post(int) is False
    with pytest.raises(NotConnected):
        made.call(int)


def test_a_call_under_way_at_stop_ends_with_a_reason():
    made = Loop()
    failed = []

    def wait():
        try:
            made.call(asyncio.sleep, 60)
        except NotConnected as error:
            failed.append(error)
    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.05)
    made.stop()
    waiting.join(5)
    assert failed


def test_p01_p08_the_loop_of_the_caller_is_left_alone(loop):
    async def work():
        mine = asyncio.get_event_loop()
        assert loop.call(asyncio.get_event_loop) is not mine
        assert asyncio.get_event_loop() is mine
    mine = asyncio.new_event_loop()
    mine.run_until_complete(work())
    mine.close()


# -- the waker ---------------------------------------------------------------------------------------

def test_a_kick_before_the_sleep_is_not_missed():
    waker = Waker()
    kicks = waker.kicks
    waker.kick()
    assert waker.wait(kicks, 60.0)


def test_a_kick_wakes_every_sleeper():
    waker = Waker()
    woken = []
    sleepers = [threading.Thread(target=lambda: woken.append(waker.wait(0, 60.0))) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    waker.kick()
    for sleeper in sleepers:
        sleeper.join(5)
    assert woken == [True] * 3


def test_a_sleep_ends_by_itself():
    started = time.perf_counter()
    assert not Waker().wait(0, 0.02)
    assert 0.015 < time.perf_counter() - started < 1.0


def test_a_sleep_without_end_is_allowed():
    waker = Waker()
    threading.Timer(0.02, waker.kick).start()
    assert waker.wait(0, float('inf'))


def test_p33_the_way_from_kick_to_sleeper_takes_little():
    waker = Waker()
    delays = []

    def sleep():
        kicks = 0
        while kicks < 200:
            waker.wait(kicks, 5.0)
            delays.append(time.perf_counter() - sent[0])
            kicks = waker.kicks
    sent = [0.0]
    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    for _ in range(200):
        sent[0] = time.perf_counter()
        waker.kick()
        time.sleep(0.001)
    sleeper.join(5)
    assert sorted(delays)[len(delays) // 2] < 0.005
