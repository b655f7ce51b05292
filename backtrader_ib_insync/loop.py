"""One asyncio loop on one daemon thread, and the waker that lets the strategy thread sleep till there is work.

Nothing here touches the loop, the policy or the signal handlers of anybody else: a running loop in the calling thread
(Jupyter, a web framework) is neither needed nor disturbed.
"""
import asyncio
import collections
import concurrent.futures
import inspect
import logging
import threading

from .errors import NotConnected, TimedOut

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
#: seconds that what is posted by `post_later` may lie, so that a burst is worked off at one go
GATHER_SECONDS = 0.005


class Waker:
    """Wakes sleepers when a producer has something: a count of kicks under a condition, so that none is ever missed."""

    def __init__(self):
        self._condition = threading.Condition()
        self.kicks = 0

    def kick(self):
        with self._condition:
            self.kicks += 1
            self._condition.notify_all()

    def wait(self, kicks, timeout):
        """Sleep till the count is no longer `kicks`, at most `timeout` seconds (inf, too); tell whether it changed."""
        with self._condition:
            return self._condition.wait_for(lambda: self.kicks != kicks, min(timeout, threading.TIMEOUT_MAX))


class Loop:
    """Runs coroutines and functions on its own thread: `call` waits for the result, `post` does not, `stop` ends it."""

    def __init__(self, name='backtrader_ib_insync'):
        self._loop = asyncio.new_event_loop()
        self._posted = collections.deque()
        self._is_called = False
        self._is_timed = False
        #: what `call` waits for, with the coroutine it comes of
        self._awaited = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self):
        # ib_insync looks its loop up by thread; the setting is this thread's alone.
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._finish_tasks()
            asyncio.set_event_loop(None)
            self._loop.close()
            self._give_up()

    def _finish_tasks(self):
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        tasks = _all_tasks(self._loop)
        while tasks:
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            # somebody may have called meanwhile
            tasks = _all_tasks(self._loop)

    @property
    def alive(self):
        return self._thread.is_alive() and not self._loop.is_closed()

    def call(self, function, *args, timeout=None):
        """Run `function(*args)` on the loop thread and return its result, awaited when it is awaitable.

        What was posted before is run before. Raises TimedOut after `timeout` seconds (the work is then cancelled),
        NotConnected when the loop was stopped.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError('call() would wait for itself: it was made on the loop thread; use post() there')
        future = self._submit(_evaluate(function, args))
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise TimedOut(
                'no answer within {:g} s; what was asked for is unknown, try again'.format(timeout)) from None
        except concurrent.futures.CancelledError:
            raise NotConnected('the store was stopped while it was being asked') from None

    def _submit(self, coroutine):
        try:
            if self._posted:
                self._loop.call_soon_threadsafe(self._work_off)
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise NotConnected('the store is stopped; cerebro.run() or store.start() starts it again') from None
        self._awaited[future] = coroutine
        future.add_done_callback(self._awaited.pop)
        if self._loop.is_closed():
            self._give_up()
        return future

    def _give_up(self):
        """The loop is closed: who came too late for it would wait for ever."""
        for future, coroutine in list(self._awaited.items()):
            coroutine.close()
            if not future.done():
                future.set_exception(NotConnected('the store was stopped while it was being asked'))

    def post(self, function, *args):
        """Run `function(*args)` on the loop thread soon; what it raises is logged. False when the loop is gone."""
        if self._loop.is_closed():
            return False
        self._posted.append((function, args))
        if self._is_called:
            return True
        # waking a loop costs a system call and a turn of the interpreter: one for a burst is enough
        self._is_called = True
        return self._wake(self._work_off)

    def post_later(self, function, *args):
        """As `post`, in the same order, but up to GATHER_SECONDS later: for what comes in bursts and is not urgent."""
        if self._loop.is_closed():
            return False
        self._posted.append((function, args))
        if self._is_called or self._is_timed:
            return True
        self._is_timed = True
        # counted from now: the loop thread may have to wait for its turn of the interpreter
        return self._wake(self._loop.call_at, self._loop.time() + GATHER_SECONDS, self._work_off)

    def _wake(self, *call):
        try:
            self._loop.call_soon_threadsafe(*call)
        except RuntimeError:
            return False
        return True

    def _work_off(self):
        """Run what was posted, in order; what comes from here on calls again."""
        self._is_called = self._is_timed = False
        while self._posted:
            function, args = self._posted.popleft()
            try:
                function(*args)
            except Exception:
                log.exception('%r failed on the loop thread', function)

    def stop(self):
        """End the thread; safe from any thread but its own, and any number of times."""
        try:
            self._loop.call_soon_threadsafe(self._loop.stop)
        except RuntimeError:
            return
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            log.error('the loop thread did not end within %g s; as a daemon it will not keep the process', STOP_SECONDS)


async def _evaluate(function, args):
    result = function(*args)
    return (await result) if inspect.isawaitable(result) else result


def retrieve(future):
    """A done-callback: take note of how it ended, though nobody waits for it any more."""
    if not future.cancelled():
        future.exception()


def _all_tasks(loop):
    all_tasks = getattr(asyncio, 'all_tasks', None) or asyncio.Task.all_tasks
    return [task for task in all_tasks(loop) if not task.done()]
