"""One field of a message as text: numbers, unset numbers, sizes by server version, texts in 7 bits."""
import math

UNSET_INTEGER = 2147483647
UNSET_DOUBLE = float('1.7976931348623157E308')
UNSET_DOUBLE_TEXT = '1.7976931348623157E308'

DECIMAL_SIZES = 163


def text(value):
    """A value as the gateway writes it; None is the empty field."""
    if isinstance(value, str):
        return value
    if value is None:
        return ''
    if isinstance(value, bool):
        return '1' if value else '0'
    if isinstance(value, float):
        return real(value)
    return str(value)


def real(value):
    """A price or an amount, infinity as Java writes it."""
    return 'Infinity' if value == math.inf else repr(float(value))


def size(value, version):
    """A quantity of market data: servers before decimal sizes know whole numbers only."""
    if value is None:
        return ''
    if version < DECIMAL_SIZES or value == int(value):
        return str(int(value))
    return repr(float(value))


def quantity(value):
    """A quantity of an order, an execution or a position: it may have been fractional for ever."""
    return '' if value is None else size(value, DECIMAL_SIZES)


def unset_double(value):
    """A number that travels as the largest double when there is none."""
    return UNSET_DOUBLE_TEXT if value is None else real(value)


def ascii7(value):
    """A text with everything beyond ASCII as backslash u and UTF-16 code units, as servers since 153 send it."""
    units = value.encode('utf-16-be', 'surrogatepass')
    codes = (units[at] * 256 + units[at + 1] for at in range(0, len(units), 2))
    return ''.join(chr(code) if code < 128 else '\\u{:04x}'.format(code) for code in codes)
