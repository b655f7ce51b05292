"""A gateway served by a thread of its own, and the handle to it."""
import asyncio
import threading
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager

from . import zones
from .gateway import Gateway
from .server import Clock, Server

START = '2024-11-20 10:00 US/Eastern'
STARTING_TAKES = 30.0


class Running:
    """The handle: everything it does happens on the server's thread. Simulated times are UTC epoch seconds."""

    def __init__(self, port=0, host='127.0.0.1', speed=1.0, start=START, **options):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name='simulated gateway', daemon=True)
        self._address = (host, port)
        self._clock = Clock(zones.parse(start), speed)
        self.gateway = Gateway(now=self._clock.now(), **options)
        self._server = None

    @property
    def port(self):
        return self._server.port

    def start(self):
        """Listen; OSError when the port is taken."""
        self._thread.start()
        try:
            self._finish(self._serve(), STARTING_TAKES)
        except BaseException:
            self._end_thread()
            raise

    def stop(self):
        """Close every socket and end the thread."""
        try:
            self._finish(self._server.stop(), STARTING_TAKES)
        finally:
            self._end_thread()

    def call(self, function, timeout=10.0):
        """`function(gateway)` run on the server's thread; its result, or its error."""
        async def act():
            self._server.catch_up()
            try:
                return function(self.gateway)
            finally:
                self.gateway.changes.forget()
                self.gateway.publish()
                self._server.flush()
                await self._server.settled()
        return self._finish(act(), timeout)

    def advance(self, seconds, timeout=60.0):
        """Let so many simulated seconds pass at once."""
        async def act():
            self._server.step(seconds)
            await self._server.settled()
        self._finish(act(), timeout)

    def now(self):
        """Simulated time, UTC epoch seconds."""
        return self._clock.now()

    def fault(self, *words):
        """Let something go wrong now, in the words of faults.py: fault('cut', 'rst')."""
        self.call(lambda gateway: gateway.faults.inject(*words))

    def wait(self, predicate, timeout=10.0):
        """Wait until `predicate(gateway)` holds and answer what it gave; TimeoutError after `timeout` wall seconds."""
        async def act():
            return await asyncio.wait_for(self._server.wait(predicate), timeout)
        try:
            return self._finish(act(), timeout + 5)
        except (asyncio.TimeoutError, FutureTimeout):
            raise TimeoutError(f'the gateway did not come to it within {timeout} s') from None

    async def _serve(self):
        self._server = Server(self.gateway, self._clock, *self._address)
        await self._server.start()

    def _finish(self, coroutine, timeout):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _end_thread(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STARTING_TAKES)


@contextmanager
def running(port=0, host='127.0.0.1', speed=1.0, start=START, **options):
    """A served gateway for a `with` block; yields its Running handle.

    port: 0 takes a free one. speed: simulated seconds a second; 0 stands still but for `advance`. start: simulated time
    'yyyy-mm-dd HH:MM zone'. options: as Gateway takes them (accounts, cash, market, faults, server_version...).
    """
    served = Running(port, host, speed, start, **options)
    served.start()
    try:
        yield served
    finally:
        served.stop()
