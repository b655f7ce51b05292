"""ib_insync itself as a client of the gateway, on the loop of the test's thread."""
import time

import ib_insync


def connected(gateway, clientId=1, **options):
    """A client that has logged in."""
    ib = ib_insync.IB()
    ib.connect('127.0.0.1', gateway.port, clientId=clientId, **options)
    return ib


def until(ib, condition, timeout=10.0):
    """Let ib_insync run until `condition()` holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, 'timed out'
        ib.sleep(0.01)
