"""Attributes of a TWS order, as strategies give them by keyword (pure)."""
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
    is_number = isinstance(value, (int, float))
    if isinstance(blank, str) and is_number:
        # the natural name of a strategy
        return str(value)
    fits = is_number or isinstance(value, (str, numbers.Number)) or hasattr(value, 'name')
    if not fits or key == 'softDollarTier' and not hasattr(value, 'name'):
        raise BadParameter('{}={!r}: TWS takes no such value for it'.format(key, value))
    return value


def _parts(key, value):
    """A list of parts; of tags from a dict or from pairs, too."""
    try:
        parts = list(value.items() if isinstance(value, dict) else value)
        if key in TAGGED:
            parts = [tag if hasattr(tag, 'tag') else TagValue(tag[0], str(tag[1])) for tag in parts]
    except (TypeError, IndexError):
        raise BadParameter('{}={!r}: must be a list'.format(key, value)) from None
    for part in parts:
        if not hasattr(part, PARTS[key]):
            raise BadParameter("{}={!r}: {!r} is none of what ib_insync makes such a list of".format(key, value, part))
    return parts
