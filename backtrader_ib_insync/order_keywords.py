"""Attributes of a TWS order, as strategies give them by keyword (pure)."""
import datetime
import difflib
import numbers
import sys

from .errors import BadParameter
from .insync import TagValue

#: TWS's own, or backtrader's: a keyword may not set them
RESERVED = ('orderId', 'clientId', 'permId', 'action', 'parentId', 'transmit', 'totalQuantity', 'whatIf')
TAGGED = ('algoParams', 'smartComboRoutingParams', 'orderMiscOptions')
UNSET = (2 ** 31 - 1, sys.float_info.max)
#: what is made of parts, and what its parts have
PARTS = dict({'conditions': 'condType', 'orderComboLegs': 'price'}, **dict.fromkeys(TAGGED, 'tag'))


def keywords(given, known):
    """`given` with plain names and as TWS takes it; raises BadParameter for what is not in `known`, a blank order."""
    plain = {}
    for name, value in given.items():
        key = name[2:] if name.startswith('m_') else name
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise BadParameter('{!r}: a TWS order has no such attribute{}'.format(
                name, ', did you mean {!r}?'.format(near[0]) if near else ''))
        if key in RESERVED:
            raise BadParameter('{!r}: is set by this library, not by keyword{}'.format(
                name, ', the size is size=' if key == 'totalQuantity' else ''))
        if not _is_unsaid(key, value):
            plain[key] = _value(key, value, known[key])
    return plain


def _is_unsaid(key, value):
    """Whether a value is as if nothing had been said: None, and TWS's own for a number that is not set."""
    return value is None or (key, value) == ('account', '') or isinstance(value, (int, float)) and value in UNSET


def _value(key, value, blank):
    if key in PARTS:
        return _parts(key, value)
    if isinstance(blank, bool) and _is_flag(value):
        return bool(value)
    if isinstance(blank, str) and isinstance(value, (int, float)):
        # the natural name of a strategy
        return str(value)
    if type(blank) is int and isinstance(value, float) and value.is_integer():
        # TWS reads no 5.0 where it counts
        return int(value)
    if not _fits(key, value, blank):
        raise BadParameter('{}={!r}: TWS takes no such value for it{}'.format(key, value, _remedy(value, blank)))
    return value


def _is_flag(value):
    """Whether it is true or false, or a number: also one of numpy's, and no text, of which 'False' would be true."""
    return hasattr(value, '__bool__') and not hasattr(value, '__len__')


def _fits(key, value, blank):
    if key == 'softDollarTier':
        return hasattr(value, 'name')
    if isinstance(value, str):
        # fields end at a NUL on the wire: what is behind it would be the next
        return not isinstance(blank, bool) and '\0' not in value
    return isinstance(value, numbers.Number) or hasattr(value, 'name')


def _remedy(value, blank):
    if isinstance(value, datetime.date):
        return ": give a date as a text, 'yyyymmdd-hh:mm:ss' in UTC"
    return ': give True or False' if isinstance(blank, bool) else ''


def _parts(key, value):
    """A list of parts; of tags from a dict or from pairs, too."""
    try:
        parts = list(value.items() if isinstance(value, dict) else value)
        if key in TAGGED:
            parts = [tag if hasattr(tag, 'tag') else TagValue(tag[0], _tagged(tag[1])) for tag in parts]
    except (TypeError, IndexError):
        raise BadParameter('{}={!r}: must be a list'.format(key, value)) from None
    for part in parts:
        if not hasattr(part, PARTS[key]):
            raise BadParameter("{}={!r}: {!r} is none of what ib_insync makes such a list of".format(key, value, part))
    return parts


def _tagged(value):
    """As TWS writes it: true is 1."""
    return str(int(value) if isinstance(value, bool) else value)
