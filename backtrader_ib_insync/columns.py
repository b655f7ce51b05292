"""A whole download into the lines of a feed at once, where backtrader would move seven pointers for every bar."""
import math


def takes(data):
    """Whether nothing stands between the bars and the lines: no filter, no zone of input, no bounded or bound line."""
    plain = all(line.mode == line.UnBounded and not line.bindings for line in data.lines)
    return plain and not (data._filters or data._tzinput or data._barstack or data._barstash)


def fill(data, rows, fromdate, todate):
    """Append rows of (datetime, open, high, low, close, volume), as far as they are within the dates."""
    kept = []
    for row in rows:
        if row[0] > todate:
            break
        if row[0] >= fromdate:
            kept.append(row)
    names = ('datetime', 'open', 'high', 'low', 'close', 'volume')
    for name, column in zip(names, zip(*kept)):
        _append(getattr(data.lines, name), column)
    _append(data.lines.openinterest, [0.0] * len(kept))


def _append(line, column):
    """The look-ahead that cerebro has laid at the end stays at the end."""
    array, ahead = line.array, line.extension
    if ahead:
        del array[-ahead:]
    array.extend(column)
    array.extend([math.nan] * ahead)
    line.idx += len(column)
    line.lencount += len(column)
