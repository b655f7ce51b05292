"""The gateway on a socket and a clock: the only file that knows either."""
import asyncio
import socket
import struct
import time
from contextlib import suppress

from .session import Session

PULSE = 0.01
IDLE = 0.5
# A client that does not read would keep a socket open for ever.
CLOSING_TAKES = 1.0
# The shortest sleep that a timer ends. asyncio lets a client in by several turns of the loop, and loses one whom a
# closing listener hits in between; what a timer has woken runs when nobody is half way.
A_MOMENT = 1e-6


class Clock:
    """Simulated time, UTC epoch seconds: `speed` times as fast as the wall's; 0 stands still until it is stepped."""

    def __init__(self, start, speed=1.0, wall=time.monotonic):
        if speed < 0:
            raise ValueError(f'speed {speed!r}: time runs forwards; 1 is real time, 60 a minute a second, 0 by hand')
        self.speed = speed
        self.wall = wall
        self._start = start
        self._origin = wall()

    def now(self):
        return self._start + (self.wall() - self._origin) * self.speed

    def step(self, seconds):
        """Jump ahead, whatever the speed."""
        self._start += seconds

    def until(self, moment):
        """Wall seconds until a simulated moment; None when only a step brings it nearer."""
        return (moment - self.now()) / self.speed if self.speed else None


class Connection(asyncio.Protocol):
    """One client's socket: carries its session's bytes."""

    def __init__(self, server):
        self._server = server
        self._transport = None
        self.session = None

    def connection_made(self, transport):
        self._transport = transport
        transport.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session = Session(self._server.gateway)
        self._server.joined(self)

    def data_received(self, data):
        self._server.catch_up()
        self.session.receive_data(data)
        self._server.flush()

    def connection_lost(self, exc):
        self._server.left(self)

    def flush(self):
        """Write what may go out; a split link gives one piece for each turn of the loop."""
        data = self.session.data_to_send()
        if data:
            self._transport.write(data)
            if not self.session.link.is_empty():
                asyncio.get_event_loop().call_soon(self.flush)
        if self.session.closing == 'rst' or self.session.closing and self.session.link.is_empty():
            self.close(self.session.closing)

    def close(self, how):
        if how == 'rst':
            linger = struct.pack('ii', 1, 0)
            self._transport.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        else:
            self._transport.close()


class Server:
    """Serves a gateway on the running loop of this thread."""

    def __init__(self, gateway, clock, host='127.0.0.1', port=0):
        self.gateway = gateway
        self.clock = clock
        self.host = host
        self.port = port
        self._connections = []
        self._waiting = []
        self._listener = None
        self._is_open = False
        self._is_ending = False
        self._opening = None
        self._shutting = None
        self._timer = None
        self._loop = asyncio.get_event_loop()

    async def start(self):
        """Listen; `port` is then the real one."""
        await self._listen()
        self._set_timer()

    async def stop(self):
        """Close every socket."""
        # those who still talk must not have it listen again
        self._is_ending = True
        if self._timer:
            self._timer.cancel()
        if self._opening:
            await asyncio.wait([self._opening])
        self._stop_listening()
        await self.settled()
        await asyncio.sleep(A_MOMENT)
        for how, patience in (('fin', CLOSING_TAKES), ('rst', None)):
            for connection in list(self._connections):
                connection.close(how)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.wait(lambda gateway: not self._connections), patience)

    async def settled(self):
        """Wait till the port is shut when it shall be."""
        if self._shutting:
            await self._shutting

    def joined(self, connection):
        self.catch_up()
        self._connections.append(connection)
        self.gateway.connect(connection.session)
        if not self._is_open:
            connection.close('rst')

    def left(self, connection):
        self._connections.remove(connection)
        self.gateway.disconnect(connection.session)
        self._answer_waiting()

    def catch_up(self):
        """Bring the gateway to the clock's time."""
        self.gateway.advance(self.clock.now(), self.clock.wall())

    def step(self, seconds):
        """Let so many simulated seconds pass at once."""
        self.clock.step(seconds)
        self.catch_up()
        self.flush()

    def flush(self):
        """Send what is waiting, follow the faults, wake whoever waits, and look when to be back."""
        for connection in list(self._connections):
            connection.flush()
        self._follow_refusal()
        self._answer_waiting()
        self._set_timer()

    def wait(self, predicate):
        """A future that is done when `predicate(gateway)` holds."""
        future = self._loop.create_future()
        self._waiting.append((predicate, future))
        self._answer_waiting()
        return future

    def _answer_waiting(self):
        for predicate, future in self._waiting:
            if not future.done():
                self._answer(predicate, future)
        self._waiting = [(predicate, future) for predicate, future in self._waiting if not future.done()]

    def _answer(self, predicate, future):
        try:
            answer = predicate(self.gateway)
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to whoever waits
            future.set_exception(error)
        else:
            if answer:
                future.set_result(answer)

    def _beat(self):
        try:
            self.catch_up()
            self.flush()
        finally:
            self._set_timer()

    def _set_timer(self):
        if self._timer:
            self._timer.cancel()
        due = self.gateway.next_event_time(self.gateway.now)
        delay = IDLE if due is None else self.clock.until(due)
        delay = IDLE if delay is None else min(max(delay, PULSE), IDLE)
        self._timer = self._loop.call_later(delay, self._beat)

    async def _listen(self):
        await self.settled()
        self._is_open = True
        self._listener = await self._loop.create_server(lambda: Connection(self), self.host, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def _follow_refusal(self):
        if self.gateway.faults.is_refusing:
            self._stop_listening()
        elif self._listener is None and self._opening is None and not self._is_ending:
            self._opening = asyncio.ensure_future(self._listen())
            self._opening.add_done_callback(self._opened)

    def _opened(self, task):
        self._opening = None
        task.result()

    def _stop_listening(self):
        if self._listener:
            listener, self._listener, self._is_open = self._listener, None, False
            self._shutting = asyncio.ensure_future(_shut(listener))


async def _shut(listener):
    await asyncio.sleep(A_MOMENT)
    listener.close()
