"""Numbers as strategies give them, and the tick that prices keep to (pure)."""
import math

from .errors import BadOrder

#: only these trade below zero
SIGNED = ('BAG', 'FUT', 'FOP', 'CONTFUT', 'CMDTY')
#: beyond are TWS's own for a number that is not set
LARGEST = 1e300


def plain(value):
    """A number of any kind as one of Python's, as it shows; what is none is a text, to be refused by that."""
    if value is None or isinstance(value, (int, float)):
        return value
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def finite(name, value):
    """The float of what is a number; raises BadOrder for all else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadOrder('{} {!r}: must be a number'.format(name, value)) from None
    if not abs(number) < LARGEST:
        raise BadOrder('{} {!r}: must be a finite number; has its indicator warmed up?'.format(name, value))
    return number


def on_grid(value, increment):
    """The multiple of `increment` that is nearest to `value`, as the shortest decimal."""
    return round(math.floor(value / increment + 0.5) * increment, 10) if increment else value


class Tick:
    """Brings prices onto the contract's tick and keeps a note of each that was off it."""

    def __init__(self, setting):
        self.increments = setting.increments
        self.signed = setting.secType in SIGNED
        self.notes = []

    def price(self, name, value):
        number = finite(name, value)
        if number <= 0 and not self.signed:
            raise BadOrder('{} {!r}: must be above zero'.format(name, value))
        sent = self.put(name, number, number)
        if sent <= 0 and not self.signed:
            raise BadOrder('{} {!r}: the nearest on the tick of {:g} is no price'.format(
                name, value, self.increment(number)))
        return sent

    def given(self, name, value):
        """A price, or a trail, by TWS's own name; 0 is none."""
        number = finite(name, value)
        if number < 0 and not self.signed:
            raise BadOrder('{} {!r}: must not be below zero'.format(name, value))
        return self.put(name, number, number)

    def distance(self, name, value, at):
        """A trail or an offset on the tick that holds at price `at`."""
        number = finite(name, value)
        if number < 0:
            raise BadOrder('{} {!r}: must not be below zero'.format(name, value))
        return self.put(name, number, at)

    def put(self, name, number, at):
        increment = self.increment(abs(at or 0.0))
        value = on_grid(number, increment)
        if abs(value - number) > 1e-9 * max(1.0, abs(number)):
            self.notes.append('{} {!r} is off the tick of {:g}: sent as {!r}'.format(name, number, increment, value))
        return value

    def increment(self, at):
        size = 0.0
        for edge, increment in self.increments:
            if at >= edge:
                size = increment
        return size
