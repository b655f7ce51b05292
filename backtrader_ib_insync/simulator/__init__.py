"""A TWS or IB Gateway in a folder: serves any TWS API client on a local socket, with no account and no network.

    from backtrader_ib_insync import simulator
    with simulator.running() as gateway:
        ib.connect('127.0.0.1', gateway.port, clientId=1)

or `python -m backtrader_ib_insync.simulator --port 7497`. Prices of one's own: `running(market=Market(prices={'AAPL':
Csv('file.csv')}))`.
"""
from .handle import Running, running
from .market import Market
from .replay import Csv

__all__ = ['Csv', 'Market', 'Running', 'running']
