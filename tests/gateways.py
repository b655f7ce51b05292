"""The other side of a test: a gateway whose clock is stepped, what gateways were asked, and what they hold."""
from backtrader_ib_insync import simulator


#: the clock is the test's to step, and neither messages nor requests for history are counted
BY_HAND = dict(speed=0, messages_per_second=0, history_pacing=False)


def by_hand(**options):
    """A gateway whose clock the test steps, as a context."""
    return simulator.running(**dict(BY_HAND, **options))


def asked(gateway, kind='ReqHistoricalData', since=0):
    """What a gateway was asked by messages of one kind, in order; `since` so many of all kinds."""
    return gateway.call(lambda world: [one.request for one in list(world.requests)[since:]
                                       if type(one.request).__name__ == kind])


def held(gateway, symbol='AAPL'):
    """How much of a symbol a gateway's accounts hold."""
    return gateway.call(lambda world: sum(
        row.position for row in world.ledger.positions() if row.contract.symbol == symbol))
