"""A TWS or IB Gateway in a folder: serves any TWS API client on a local socket, with no account and no network.

    from backtrader_ib_insync import simulator
    with simulator.running() as gateway:
        ib.connect('127.0.0.1', gateway.port, clientId=1)

or `python -m backtrader_ib_insync.simulator --port 7497`. Prices of one's own: `running(market=Market(prices={'AAPL':
Csv('file.csv')}))`.

Where to look; in brackets the files that one is made of:

    gateway          joins all of it, and answers every client [changes]
    server           the socket and the clock; handle: the thread that serves, and `running`
    session          one client's conversation: bytes in, bytes out [wire link]
    requests         what clients ask [account_requests market_requests order_request contract_fields cursor]
    replies          what they are told [account_replies account_rows market_replies contract_replies contract_details
                     order_replies order_echo]; fields, layout, order_layout: how both are written
    order_desk       answers about orders; account_desk: about accounts; catalogue: about contracts
    streams          live data [subscriptions]; history_service: the past [history_query bars tape limits]
    exchange         takes orders [order_rules order_types time_in_force ticket book families scenario]
    floor            where they meet the market [matching triggers conditions]
    reports          what is told of them [events fills]
    ledger           what every account holds, owes and is worth [holding fees margin]
    market           all that ever was or will be traded [archive tapes cells prices replay options]
    instruments      what can be traded [listings chains]; sessions: when [holidays]
    faults           what shall go wrong, and when [mishaps]
    records          what the parts tell each other; stamps, zones: times as TWS writes them
"""
from .handle import Running, running
from .market import Market
from .replay import Csv

__all__ = ['Csv', 'Market', 'Running', 'running']
