"""Reads the fields of one request in order, and says exactly what is wrong with one that cannot be read."""
import math

from .fields import UNSET_DOUBLE, UNSET_INTEGER

INFINITY = ('Infinite', 'Infinity')
RULES = {int: 'a whole number', float: 'a number', bool: '0 or 1'}
REQUIRED = object()


class BadRequest(Exception):
    """A message that cannot be read; `reqId` is -1 when it was not reached."""

    def __init__(self, reqId, text):
        Exception.__init__(self, text)
        self.reqId = reqId
        self.text = text


class Cursor:
    def __init__(self, message, fields):
        self.message = message
        self.reqId = -1
        self._fields = fields
        self._at = 0

    def read(self, name, kind, default=REQUIRED):
        """The next field; empty or unset is the default, where there is one."""
        field = self._next(name)
        if kind is str:
            return field
        value = self._value(name, kind, field) if field else None
        if value is None and default is REQUIRED:
            raise self.error('{} is missing; send {}'.format(name, RULES[kind]))
        return default if value is None else value

    def read_id(self, name):
        """The number by which the client knows this request: what an error about the rest will carry."""
        self.reqId = self.read(name, int)
        return self.reqId

    def count(self, name):
        """How many items follow; none when the field is empty."""
        number = self.read(name, int, 0)
        if not 0 <= number <= len(self._fields):
            raise self.error('{} is {}, but only {} fields are there'.format(name, number, len(self._fields)))
        return range(number)

    def skip(self, name):
        self._next(name)

    def end(self):
        """A field left over means that the client and we disagree about all of them."""
        left = self._fields[self._at:]
        if left:
            raise self.error('{} more fields than the {} expected at this server version, the first is {!r}'.format(
                len(left), self._at, left[0]))

    def error(self, text):
        return BadRequest(self.reqId, 'Error reading request {}: {}'.format(self.message, text))

    def _next(self, name):
        if self._at == len(self._fields):
            raise self.error('it ends before {}; {} fields are there'.format(name, len(self._fields)))
        self._at += 1
        return self._fields[self._at - 1]

    def _value(self, name, kind, field):
        try:
            return CONVERSIONS[kind](field)
        except (ValueError, KeyError, OverflowError):
            raise self.error('{} is {!r}, but must be {}'.format(name, field, RULES[kind])) from None


def integer(field):
    value = int(field)
    return None if value == UNSET_INTEGER else value


def real(field):
    """A number; NaN is none."""
    value = math.inf if field in INFINITY else float(field)
    if math.isnan(value):
        raise ValueError(field)
    return None if value == UNSET_DOUBLE else value


FLAGS = {'0': False, '1': True, 'false': False, 'true': True}
CONVERSIONS = {int: integer, float: real, bool: lambda field: FLAGS[field.lower()]}
