"""Fixtures of the tests over the socket: a gateway, a store, and an ear at the client library's log."""
import logging
import threading

import gateways
import pytest
from helpers import forget_store, open_sockets, our_threads, wait_until

from backtrader_ib_insync import insync, order_life, order_reports, pacing, request_desk, simulator
from backtrader_ib_insync.ibstore import IBStore

CLIENTS = ('ib_insync', 'ib_async', 'eventkit', 'backtrader_ib_insync', 'asyncio')


def pytest_configure(config):
    config.addinivalue_line('markers', 'fast: the few that run on every interpreter')
    config.addinivalue_line('markers', 'client_errors: the client library may log that it could not read a message')


@pytest.fixture
def make_gateway():
    """Starts simulated gateways, `make_gateway(speed=0)` with what `simulator.running` takes; all end with the test."""
    started = []

    def make(speed=30.0, **options):
        gateway = simulator.Running(speed=speed, **options)
        gateway.start()
        started.append(gateway)
        return gateway
    yield make
    for gateway in started:
        gateway.stop()


@pytest.fixture
def gateway(make_gateway):
    """A gateway whose clock runs 30 times as fast as the wall's."""
    return make_gateway()


@pytest.fixture
def store():
    """Makes the store of the test, `store(gateway, ...)`; afterwards nothing of it may be left."""
    threads, sockets = set(threading.enumerate()), open_sockets()
    forget_store()

    def make(gateway, **params):
        forget_store()
        params.setdefault('clientId', 1)
        params.setdefault('timerefresh', 0.5)
        return IBStore(port=gateway.port, **params)
    yield make
    forget_store()
    wait_until(lambda: not set(our_threads()) - threads, 5.0)
    sockets_left(sockets)


def sockets_left(before):
    """The gateway of the test may still hold its ends: what the library opened must be closed, and that closes them."""
    listening = len([thread for thread in threading.enumerate() if thread.name == 'simulated gateway'])
    # each gateway has a listener and the two ends of its loop's own pair
    wait_until(lambda: open_sockets() <= before + 3 * listening, 5.0)


@pytest.fixture(scope='module')
def unpaced():
    """For gateways with a stepped clock: the library paces by the wall's clock, in which minutes of that one pass."""
    limits = pacing.LIMITS._replace(alike=10 ** 6, requests=10 ** 6, streams=10 ** 6, identical_seconds=0.0, slack=0.0,
                                    open_seconds=0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))
        patch.setattr(insync, 'BURST', 0)
        yield


@pytest.fixture(scope='module')
def market(unpaced):
    """One stepped gateway for all tests of a file: each runs on in its time."""
    with gateways.by_hand() as gateway:
        yield gateway


@pytest.fixture
def still(unpaced, make_gateway):
    """A stepped gateway of the test's own."""
    return make_gateway(**gateways.BY_HAND)


@pytest.fixture
def impatient(monkeypatch):
    """What the library waits for in vain, of executions, will not come."""
    monkeypatch.setattr(order_life, 'FILLS_PATIENCE', 0.5)
    monkeypatch.setattr(order_reports, 'FILLS_PATIENCE', 0.5)


class Ear(logging.Handler):
    """Keeps what the client library could not read or make sense of, and every traceback."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.heard = []

    def emit(self, record):
        unread = record.name.endswith('Decoder') and record.levelno >= logging.ERROR
        if unread or record.exc_info or 'Unknown reqId' in record.getMessage():
            self.heard.append(logging.Formatter('%(name)s: %(message)s').format(record))


@pytest.fixture(autouse=True)
def ear(request):
    """Fails a test in which the client library logged that it could not read a message."""
    handler = Ear()
    for name in CLIENTS:
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in CLIENTS:
        logging.getLogger(name).removeHandler(handler)
    if request.node.get_closest_marker('client_errors') is None:
        assert not handler.heard, '\n'.join(handler.heard)
