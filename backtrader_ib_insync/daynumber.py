"""backtrader's times: days since year 1 as a float, naive UTC; and seconds since the epoch."""
from .zones import DAY

#: the number of the epoch
EPOCH = 719163.0


def number(seconds):
    """backtrader's number for a time in seconds since the epoch, UTC."""
    return seconds / DAY + EPOCH


def exact(number):
    """Seconds since the epoch of a number, as exact as it is: to 10 microseconds."""
    return (number - EPOCH) * DAY


def seconds(number):
    """Seconds since the epoch of a number, without the noise of its last digits."""
    return round(exact(number), 4)
