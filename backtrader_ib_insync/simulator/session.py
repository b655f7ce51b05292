"""One client's conversation with the gateway: bytes in, bytes out, no socket."""
from . import replies, requests, wire
from .link import Link

OLDEST_VERSION = 157
# Clients disagree about where orders carry `duration` at exactly this version (tws-protocol.md section 6).
AMBIGUOUS_VERSION = 158


class Session:
    """Feed it with receive_data, send what data_to_send answers, and close the socket when `closing` says how."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.version = 0
        self.client_id = None
        self.market_data_type = 1
        self.closing = ''
        self.link = Link()
        self._reader = wire.Reader(expects_hello=True)
        self._unread = b''
        #: how many more requests come and replies go before the socket is dead
        self._heard_yet = self._said_yet = float('inf')

    def receive_data(self, data):
        """Take bytes from the client and act on every whole message in them."""
        self._unread += data
        if self.closing or self.link.is_stalled(self.gateway.now):
            return
        data, self._unread = self._unread, b''
        try:
            self._reader.feed(data)
            for payload in self._reader:
                self._take(payload)
        except wire.ProtocolError:
            self.close()

    def data_to_send(self):
        """The bytes that may go out at the gateway's time; call until it answers nothing."""
        return self.link.take(self.gateway.now)

    def send(self, reply):
        """Say `reply`, unless a fault has other plans for it."""
        for passed in self.gateway.faults.pass_on(self, reply):
            self.send_now(passed)

    def send_now(self, reply):
        self._said_yet -= 1
        if self.version and not self.closing and self._said_yet >= 0:
            self.link.put(wire.frame(replies.encode(reply, self.version)))

    def tear(self, heard, said):
        """Be dead, with no sign of it, once so many more requests have come and so many replies have gone."""
        self._heard_yet, self._said_yet = heard, said

    def refuse(self, reqId, code, text):
        self.send(replies.Error(reqId, code, text))

    def refuse_invalid(self, reqId, cause):
        """TWS's answer to a request that makes no sense to it."""
        self.refuse(reqId, 321, f"Error validating request.-'bW' : cause - {cause}")

    def close(self, how='fin'):
        """End the conversation: `fin` after what was said is out, `rst` at once, `mid` within a message."""
        if how == 'mid':
            self.link.drop_half()
        self.closing = self.closing or how

    @property
    def is_ready(self):
        return self.client_id is not None

    def _take(self, payload):
        if self.closing:
            return
        if not self.version:
            self._shake_hands(payload)
        else:
            self._act(wire.fields(payload))

    def _shake_hands(self, payload):
        lowest, highest, _ = wire.parse_hello(payload)
        version = min(highest, self.gateway.server_version)
        if version == AMBIGUOUS_VERSION:
            version = OLDEST_VERSION
        if version < max(lowest, OLDEST_VERSION):
            self.close()
            return
        self.version = version
        self.link.put(wire.frame([str(version), self.gateway.time_text()]))

    def _act(self, fields):
        self._heard_yet -= 1
        if self._heard_yet < 0:
            return
        try:
            request = requests.decode(fields, self.version)
        except requests.BadRequest as error:
            self.refuse(error.reqId, 320, error.text)
        else:
            self.gateway.handle(self, request)
