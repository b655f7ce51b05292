"""Where the examples run: on a simulated gateway in this process, or with --port on a TWS or IB Gateway."""
import argparse
import contextlib

import backtrader_ib_insync as ibnew
from backtrader_ib_insync import simulator


@contextlib.contextmanager
def tws(text, speed=60, simulated=None, **params):
    """(store, gateway): the store to use, and the simulated gateway behind it, None on a real TWS.

    speed: simulated seconds a second; simulated: what else `simulator.running` takes; params: of the store.
    """
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument('--host', default='127.0.0.1', help='where TWS runs (127.0.0.1)')
    parser.add_argument('--port', type=int, help='its port, 7497 for paper trading; a gateway is simulated without it')
    chosen = parser.parse_args()
    if chosen.port is not None:
        yield ibnew.IBStore(host=chosen.host, port=chosen.port, **params), None
        return
    with simulator.running(speed=speed, **(simulated or {})) as gateway:
        yield ibnew.IBStore(port=gateway.port, timerefresh=0.5, **params), gateway
