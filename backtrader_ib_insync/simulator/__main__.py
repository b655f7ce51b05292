"""The command line: python -m backtrader_ib_insync.simulator --port 7497"""
import argparse
import sys
import threading

from . import zones
from .handle import START, Running
from .market import Market
from .replay import Csv


def options(arguments=None):
    """The command line, understood."""
    parser = argparse.ArgumentParser(
        prog='python -m backtrader_ib_insync.simulator',
        description='A simulated TWS / IB Gateway: serves any TWS API client, with no account and no network.')
    parser.add_argument('--port', type=int, default=7497, help='TCP port (7497; 0: any free one)')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (127.0.0.1)')
    parser.add_argument('--accounts', default='U1234567', help='account names, with commas (U1234567)')
    parser.add_argument('--cash', type=float, default=1e6, help='cash each account starts with, in USD (1000000)')
    parser.add_argument('--start', default=START, help=f'simulated time it starts at ({START})')
    parser.add_argument('--speed', type=float, default=1.0, help='simulated seconds a second (1)')
    parser.add_argument('--seed', type=int, default=1, help='another seed is another market (1)')
    parser.add_argument('--server-version', type=int, default=176, help='API server version, 157 or 159 to 178 (176)')
    parser.add_argument('--faults', metavar='FILE', help='what shall go wrong: lines like "after 10s cut rst"')
    parser.add_argument('--csv', action='append', default=[], metavar='NAME=FILE[,ZONE[,end|start|trade]]',
                        help='prices of a symbol from a file of bars or trades, times in ZONE (UTC) at the bars\' end')
    return parser.parse_args(arguments)


def replays(texts):
    """The sources of prices by name; ValueError for a text of another form."""
    found = {}
    for text in texts:
        name, _, rest = text.partition('=')
        if not rest:
            raise ValueError(f'--csv {text!r}: write it as NAME=FILE, or NAME=FILE,Europe/Berlin,start')
        path, *more = rest.split(',')
        found[name] = Csv(path, **dict(zip(('zone', 'stamps'), more)))
    return found


def make(chosen):
    """The gateway the command line describes, not started; ValueError or OSError when it makes no sense."""
    faults = ''
    if chosen.faults:
        with open(chosen.faults) as plan:
            faults = plan.read()
    return Running(
        chosen.port, chosen.host, chosen.speed, chosen.start, accounts=tuple(chosen.accounts.split(',')),
        cash=chosen.cash, market=Market(prices=replays(chosen.csv), seed=chosen.seed),
        server_version=chosen.server_version, faults=faults)


def greeting(served, host):
    text = 'Simulated gateway on {}:{}, accounts {}; it is {:%a %Y-%m-%d %H:%M:%S} in New York. Ctrl-C ends it.'
    accounts = ', '.join(served.gateway.ledger.accounts)
    return text.format(host, served.port, accounts, zones.local(served.now(), 'US/Eastern'))


def main(arguments=None):
    """Serve until Ctrl-C; the exit status."""
    chosen = options(arguments)
    try:
        served = make(chosen)
        served.start()
    except (ValueError, OSError) as error:
        print(f'cannot serve on {chosen.host}:{chosen.port}: {error}', file=sys.stderr)
        return 2
    try:
        print(greeting(served, chosen.host), flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        served.stop()
    return 0


if __name__ == '__main__':
    sys.exit(main())
