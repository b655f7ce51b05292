"""The only import of the client library: ib_insync 0.9.86, or its heir ib_async; made safe on CPython 3.6 to 3.14.

`TappedIB` is the library's own `IB` with one difference: what TWS says can be heard as it says it, message by message,
before the library conflates, corrects or drops it.
"""
import importlib
import importlib.util
import asyncio
import logging
import os
import threading

from . import codes

#: names the client library to use when both are installed
ENVIRONMENT = 'BACKTRADER_IB_LIBRARY'
KNOWN = ('ib_insync', 'ib_async')


def _choose():
    wanted = os.environ.get(ENVIRONMENT)
    if wanted and wanted not in KNOWN:
        raise ImportError('{}={!r}: it may name {}'.format(ENVIRONMENT, wanted, ' or '.join(KNOWN)))
    for name in (wanted,) if wanted else KNOWN:
        if importlib.util.find_spec(name):
            return name
    raise ImportError('no IB client library found: pip install {}'.format(wanted or KNOWN[0]))


def _import_aside(name):
    """Import on a thread of its own: the library asks for an event loop, and this leaves the caller's alone."""
    outcome = []

    def work():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            outcome.append(importlib.import_module(name))
        except BaseException as error:
            outcome.append(error)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    thread = threading.Thread(target=work, name='import ' + name)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


LIBRARY = _choose()
_library = _import_aside(LIBRARY)
# what it logs is told by this library too, and better: where nobody set logging up, it need not be printed as well
logging.getLogger(LIBRARY).addHandler(logging.NullHandler())

IB = _library.IB
Client = _library.Client
Contract = _library.Contract
ContractDetails = _library.ContractDetails
ComboLeg = _library.ComboLeg
ExecutionFilter = _library.ExecutionFilter
Order = _library.Order
TagValue = _library.TagValue
Wrapper = _library.wrapper.Wrapper

#: TWS takes 50 messages in any second; beyond, error 100, and the message is lost. The library lets 45 go at once and
#: 45 more a second later: with a little jitter on the way TWS counts 60. Small bursts, 40 a second, keep below 50
BURST, BURST_SECONDS = 5, 0.125

#: heard by the connection first, then handled by the client library
LINK = ('nextValidId', 'currentTime')
#: heard by the account stream first, then handled by the client library
ACCOUNT = ('openOrder', 'orderStatus', 'execDetails', 'commissionReport', 'updateAccountValue',
           'accountUpdateMulti', 'updatePortfolio', 'position', 'positionEnd')
#: handled by the stream that owns the request id, and by the client library only when none does
ROUTED = ('tickString', 'priceSizeTick', 'tickSize', 'tickGeneric', 'tickReqParams', 'tickOptionComputation',
          'tickByTickAllLast', 'tickByTickBidAsk', 'tickByTickMidPoint', 'marketDataType', 'realtimeBar',
          'historicalData', 'historicalDataEnd', 'historicalDataUpdate', 'historicalTicks', 'historicalTicksLast',
          'historicalTicksBidAsk', 'headTimestamp', 'contractDetails', 'bondContractDetails', 'contractDetailsEnd')


def _heard(name, listener):
    handle = getattr(Wrapper, name)

    def hear(self, *args):
        getattr(getattr(self, listener), name)(*args)
        return handle(self, *args)
    return hear


def _routed(name):
    handle = getattr(Wrapper, name)

    def route(self, reqId, *args):
        stream = self.routes.get(reqId)
        return handle(self, reqId, *args) if stream is None else getattr(stream, name)(*args)
    return route


def _hear_error(self, reqId, errorCode, errorString, advancedOrderRejectJson=''):
    stream = self.routes.get(reqId)
    self.link.error(reqId, errorCode, errorString, advancedOrderRejectJson)
    if stream is not None:
        stream.error(errorCode, errorString)
        return
    trade = self.trades.get((self.clientId, reqId))
    before = trade.orderStatus.status if trade else None
    Wrapper.error(self, reqId, errorCode, errorString, advancedOrderRejectJson)
    if trade and not codes.ends_order(errorCode, errorString, before):
        trade.orderStatus.status = before


def _hear_completed(self, *args):
    self.account.completedOrder(*args)
    # the library fails at the answer to a question that was given up, or that an answer has ended already
    if 'completedOrders' in self._results:
        Wrapper.completedOrder(self, *args)


def _tap():
    members = {name: _heard(name, 'link') for name in LINK}
    members.update((name, _heard(name, 'account')) for name in ACCOUNT)
    members.update((name, _routed(name)) for name in ROUTED)
    members.update(error=_hear_error, completedOrder=_hear_completed)
    return type('Tap', (Wrapper,), members)


Tap = _tap()


class TappedIB(IB):
    """An IB whose wrapper tells `link`, `account` and the streams in `routes` (by request id) each message it gets."""

    def __init__(self, link, account):
        super().__init__()
        more = {'defaults': self.wrapper.defaults} if hasattr(self.wrapper, 'defaults') else {}
        self.wrapper = Tap(self, **more)
        self.wrapper.link = link
        self.wrapper.account = account
        self.wrapper.routes = {}
        self.client = Client(self.wrapper)
        self.client.MaxRequests, self.client.RequestsInterval = BURST, BURST_SECONDS
        self.client.apiEnd += self.disconnectedEvent
        # at each 1102 it would subscribe to an account summary that nobody asked for
        self.errorEvent -= self._onError
        self.client.apiEnd += link.ended
        self.client.apiError += link.failed
        # the library says nothing of a socket that closes before the handshake is done
        self.client.conn.disconnected += link.hung_up

    @property
    def routes(self):
        return self.wrapper.routes

    @property
    def held_back(self):
        """How many messages wait because TWS takes no more a second."""
        return len(self.client._msgQ)

    def put_first(self):
        """The message that was sent last, if it is held back, goes before all others; returns it, or None."""
        queue = self.client._msgQ
        queue.rotate(1)
        return queue[0] if queue else None

    def holds_back(self, message):
        return message in self.client._msgQ


class LogEar(logging.Handler):
    """Hears what the client library only logs: a message of TWS that it could not read, and dropped (P13)."""

    #: the library's other errors come through its wrapper as well
    LOGGERS = (LIBRARY + '.Decoder', 'eventkit')

    def __init__(self, tell):
        super().__init__(logging.ERROR)
        self.tell = tell

    def open(self):
        for name in self.LOGGERS:
            logging.getLogger(name).addHandler(self)

    def close(self):
        for name in self.LOGGERS:
            logging.getLogger(name).removeHandler(self)
        super().close()

    def emit(self, record):
        error = ' ({!r})'.format(record.exc_info[1]) if record.exc_info else ''
        self.tell(record.getMessage() + error)
