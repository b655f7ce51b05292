"""Frames and fields <-> bytes, and the client's opening words. Knows nothing of what is said."""
import re
import struct

PREFIX = struct.Struct('>I')
HELLO = b'API\0'
MAX_FRAME = 16 * 1024 * 1024


class ProtocolError(Exception):
    """The bytes are no TWS API conversation; nothing after them can be trusted."""


def frame(fields):
    """The bytes of one message."""
    payload = ''.join(map(terminated, fields)).encode('utf-8', 'backslashreplace')
    if len(payload) > MAX_FRAME:
        raise ProtocolError('a message of {} bytes is longer than the {} allowed; send less at a time'.format(
            len(payload), MAX_FRAME))
    return PREFIX.pack(len(payload)) + payload


def terminated(field):
    if '\0' in field:
        raise ProtocolError('the field {!r} holds a NUL, which ends fields on this wire; remove it'.format(field))
    return field + '\0'


def fields(payload):
    """The texts of one message; the payload ends with the NUL of its last field."""
    if not payload.endswith(b'\0'):
        raise ProtocolError('the message {!r} does not end with NUL; every field must'.format(bytes(payload[-40:])))
    return payload[:-1].decode('utf-8', 'backslashreplace').split('\0')


def parse_hello(payload):
    """(lowest version, highest version, connect options) of `v157..178 +PACEAPI` or of the single `v157`."""
    text = payload.decode('ascii', 'backslashreplace').rstrip('\0')
    match = re.match(r'v(\d+)(?:\.\.(\d+))?(?: (.*))?$', text, re.DOTALL)
    if not match:
        raise ProtocolError('the client offers {!r}, but a range of versions like v157..178 is expected'.format(text))
    lowest, highest, options = match.groups()
    return int(lowest), int(highest or lowest), options or ''


class Reader:
    """Cuts the bytes of one direction, however they arrive, into payloads."""

    def __init__(self, expects_hello=False):
        self._expects_hello = expects_hello
        self._data = bytearray()

    def feed(self, data):
        self._data += data

    def __iter__(self):
        """The payloads that are complete; what follows them waits for more bytes."""
        return iter(self.next_frame, None)

    def next_frame(self):
        """The next payload, or None when it is not complete yet."""
        if self._expects_hello:
            self._read_hello()
        if self._expects_hello or len(self._data) < PREFIX.size:
            return None
        length, = PREFIX.unpack_from(self._data)
        if length > MAX_FRAME:
            raise ProtocolError('a message of {} bytes is announced, longer than the {} allowed: this is no TWS API '
                                'client, or it lost its place'.format(length, MAX_FRAME))
        return self._take(length)

    def _take(self, length):
        end = PREFIX.size + length
        if len(self._data) < end:
            return None
        payload = bytes(self._data[PREFIX.size:end])
        del self._data[:end]
        return payload

    def _read_hello(self):
        start = bytes(self._data[:len(HELLO)])
        if not HELLO.startswith(start):
            raise ProtocolError('the conversation opens with {!r}, but a TWS API client opens with {!r}'.format(
                start, HELLO))
        if start == HELLO:
            del self._data[:len(HELLO)]
            self._expects_hello = False
