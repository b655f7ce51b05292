"""The gateway on a socket and a clock."""
import asyncio
import contextlib
import gc
import logging
import socket
import subprocess
import sys
import threading

import ib_insync
import pytest
from helpers import open_sockets, wait_until
from programs import hear_ctrl_c
from rawclient import connected, until

from backtrader_ib_insync import simulator
from backtrader_ib_insync.simulator.gateway import Gateway
from backtrader_ib_insync.simulator.server import Clock, Server

APPLE = ib_insync.Contract(conId=265598, exchange='SMART')


@pytest.fixture(autouse=True)
def quiet():
    """Cut connections are errors in ib_insync's log: they are meant here."""
    logging.getLogger('ib_insync').setLevel(logging.CRITICAL)
    yield
    logging.getLogger('ib_insync').setLevel(logging.NOTSET)
    settle()


def settle():
    """Let ib_insync raise what it raises once after a lost connection."""
    with contextlib.suppress(ConnectionError):
        ib_insync.util.run(asyncio.sleep(0.02))


def test_the_clock_runs_at_its_speed_or_by_hand():
    wall = [5.0]
    clock = Clock(1000.0, 60.0, lambda: wall[0])
    wall[0] = 6.0
    assert clock.now() == 1060.0 and clock.until(1120.0) == 1.0
    clock.step(10.0)
    assert clock.now() == 1070.0
    by_hand = Clock(1000.0, 0.0)
    assert by_hand.now() == 1000.0 and by_hand.until(1001.0) is None
    with pytest.raises(ValueError):
        Clock(0.0, -1.0)


def test_nothing_is_left_behind():
    before = threading.active_count()
    with simulator.running() as gateway:
        port = gateway.port
        socket.create_connection(('127.0.0.1', port)).close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port))


@pytest.mark.parametrize('turns', range(6))
def test_who_comes_while_it_stops_is_shown_out(turns):
    """A client was let in so many turns of the loop before the stop: the gateway's end of its socket is closed."""
    # a client of an earlier test may still wait for the collector
    gc.collect()
    before = open_sockets()

    async def come_and_stop():
        server = Server(Gateway(now=0.0), Clock(0.0))
        await server.start()
        with socket.create_connection(('127.0.0.1', server.port)):
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.stop()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.wait_for(come_and_stop(), 10.0))
    loop.close()
    assert open_sockets() == before


def test_a_port_in_use_is_an_error():
    with simulator.running() as gateway, pytest.raises(OSError), simulator.running(port=gateway.port):
        pass


def test_time_stands_still_but_for_steps():
    with simulator.running(speed=0) as gateway:
        ib = connected(gateway)
        ticker = ib.reqMktData(APPLE, '233')
        gateway.wait(lambda world: world.lines == 1)
        started = gateway.now()
        heard = []
        ib.pendingTickersEvent += lambda tickers: heard.extend(tickers)
        gateway.advance(60)
        assert gateway.now() == started + 60
        until(ib, lambda: ticker.rtTime and ticker.rtTime.timestamp() > started + 50)
        ib.disconnect()


def test_a_fast_clock():
    with simulator.running(speed=60) as gateway:
        ib = connected(gateway)
        bars = ib.reqRealTimeBars(APPLE, 5, 'TRADES', False)
        until(ib, lambda: len(bars) >= 10, 5)
        ib.disconnect()


def test_waiting_for_something_has_a_bound_and_tells_errors():
    with simulator.running() as gateway:
        with pytest.raises(TimeoutError):
            gateway.wait(lambda world: False, 0.05)
        with pytest.raises(ZeroDivisionError):
            gateway.wait(lambda world: 1 / 0, 5)
        with pytest.raises(ZeroDivisionError):
            gateway.call(lambda world: 1 / 0)


def test_two_clients_and_an_id_in_use():
    with simulator.running() as gateway:
        one, two = connected(gateway, 1), connected(gateway, 2)
        assert gateway.call(lambda world: sorted(world.clients)) == [1, 2]
        with pytest.raises((ConnectionError, asyncio.TimeoutError)):
            connected(gateway, 2, timeout=0.5)
        settle()
        one.disconnect()
        two.disconnect()
        gateway.wait(lambda world: not world.sessions)


def test_each_client_hears_of_its_own_orders_and_all_of_positions():
    with simulator.running() as gateway:
        one, two = connected(gateway, 1), connected(gateway, 2)
        contract, = one.qualifyContracts(ib_insync.Stock('AAPL', 'SMART', 'USD'))
        trade = one.placeOrder(contract, ib_insync.MarketOrder('BUY', 10))
        until(one, trade.isDone)
        until(two, lambda: two.positions() and two.positions()[0].position == 10)
        assert two.trades() == [] and two.fills() == []
        assert [fill.execution.orderId for fill in two.reqExecutions()] == [trade.order.orderId]
        one.disconnect()
        two.disconnect()


@pytest.mark.parametrize('how', ['fin', 'rst', 'mid'])
def test_a_cut_is_felt_and_the_gateway_takes_the_client_back(how):
    with simulator.running() as gateway:
        ib = connected(gateway)
        gateway.fault('cut', how)
        with pytest.raises(ConnectionError):
            ib.sleep(5)
        assert not ib.isConnected()
        again = connected(gateway)
        assert again.isConnected()
        again.disconnect()


def back(gateway):
    """A client, once the gateway listens again."""
    with contextlib.suppress(OSError):
        return connected(gateway)
    return None


def test_refusal_is_real_and_ends():
    with simulator.running(speed=0) as gateway:
        ib = connected(gateway)
        contract, = ib.qualifyContracts(ib_insync.Stock('AAPL', 'SMART', 'USD'))
        ib.placeOrder(contract, ib_insync.LimitOrder('BUY', 10, 100))
        gateway.wait(lambda world: world.exchange.open_orders())
        gateway.fault('restart', 60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.1', gateway.port))
        gateway.advance(60)
        again = wait_until(lambda: back(gateway))
        assert [order.totalQuantity for order in again.openOrders()] == [10]
        again.disconnect()


def test_split_byte_by_byte_all_is_understood():
    with simulator.running() as gateway:
        ib = connected(gateway)
        gateway.fault('split', 1, 60)
        assert len(ib.reqHistoricalData(APPLE, '', '1 D', '30 mins', 'TRADES', True)) == 1
        ib.disconnect()


def test_a_client_that_vanishes_leaves_its_orders():
    with simulator.running() as gateway:
        ib = connected(gateway)
        contract, = ib.qualifyContracts(ib_insync.Stock('AAPL', 'SMART', 'USD'))
        ib.placeOrder(contract, ib_insync.LimitOrder('BUY', 10, 100))
        gateway.wait(lambda world: world.exchange.open_orders())
        ib.client.conn.transport.abort()
        settle()
        gateway.wait(lambda world: not world.sessions)
        again = connected(gateway)
        assert len(again.openTrades()) == 1
        again.disconnect()


def test_who_talks_while_it_stops_does_not_make_it_listen_again():
    gateway = simulator.Running(speed=30)
    gateway.start()

    async def stop():
        server = gateway._server
        stopping = asyncio.ensure_future(server.stop())
        while not stopping.done():
            server.flush()
            await asyncio.sleep(0)
        return server._listener
    assert gateway._finish(stop(), 10.0) is None
    gateway._end_thread()


def command(*arguments):
    return subprocess.Popen([sys.executable, '-m', 'backtrader_ib_insync.simulator', *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                            preexec_fn=hear_ctrl_c)


def test_the_command_line_serves_until_interrupted():
    process = command('--port', '0', '--accounts', 'U1,U2', '--start', '2024-11-20 12:00 US/Eastern')
    line = process.stdout.readline()
    assert 'U1, U2' in line and '12:00:0' in line
    port = int(line.split('127.0.0.1:')[1].split(',')[0])
    ib = ib_insync.IB()
    ib.connect('127.0.0.1', port, clientId=3)
    assert ib.managedAccounts() == ['U1', 'U2']
    ib.disconnect()
    process.send_signal(2)
    assert process.wait(10) == 0
    assert process.stderr.read() == ''


def test_the_command_line_names_what_is_wrong():
    with simulator.running() as gateway:
        process = command('--port', str(gateway.port))
        _, error = process.communicate(timeout=20)
        assert process.returncode == 2 and len(error.splitlines()) == 1 and str(gateway.port) in error
    process = command('--start', 'tomorrow')
    _, error = process.communicate(timeout=20)
    assert process.returncode == 2 and 'tomorrow' in error
