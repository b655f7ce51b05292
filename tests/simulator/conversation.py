"""A client without a socket: says messages as fields, hears them as lists of texts."""
import struct

from backtrader_ib_insync.simulator import wire
from backtrader_ib_insync.simulator.gateway import Gateway
from backtrader_ib_insync.simulator.session import Session

AT = 1732114800.0  # 2024-11-20 10:00 in New York
APPLE = ('265598', 'AAPL', 'STK', '', '0.0', '', '', 'SMART', '', 'USD', '', '')


class Talk:
    """One session of a gateway, and what it has said."""

    def __init__(self, gateway, clientId=1, version=176, starts=True):
        self.gateway = gateway
        self.session = Session(gateway)
        gateway.connect(self.session)
        self._reader = wire.Reader()
        hello = b'v157..%d' % version
        self.session.receive_data(b'API\0' + struct.pack('>I', len(hello)) + hello)
        self.handshake = self.hear()
        if starts:
            self.say(71, 2, clientId, '')

    def say(self, *fields):
        """Send one message."""
        self.session.receive_data(wire.frame([str(field) for field in fields]))

    def hear(self):
        """The messages since the last time, each a list of fields."""
        data = b''
        while True:
            piece = self.session.data_to_send()
            if not piece:
                break
            data += piece
        self._reader.feed(data)
        return [wire.fields(payload) for payload in self._reader]

    def hear_only(self, number):
        """Those of one message id."""
        return [fields for fields in self.hear() if fields[0] == str(number)]

    def errors(self):
        """(id, code) of the errors and notices since the last time."""
        return [(int(fields[2]), int(fields[3])) for fields in self.hear_only(4)]

    def ask_history(self, reqId, size='1 min', duration='1 D', what='TRADES', end='', contract=APPLE, keep=0, form=2,
                    rth=1):
        self.say(20, reqId, *contract, 0, end, size, duration, rth, what, form, keep, '')

    def subscribe(self, reqId, contract=APPLE, generic='233', snapshot=0):
        self.say(1, 11, reqId, *contract, 0, generic, snapshot, 0, '')


def talk(clientId=1, **options):
    """A talk with a gateway of its own, past the greeting."""
    one = Talk(Gateway(now=AT, **options), clientId)
    one.hear()
    return one
