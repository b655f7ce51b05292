"""Attributes of a TWS order, as strategies give them by keyword (pure)."""
import difflib
import numbers
import sys

from .errors import BadParameter
from .insync import TagValue
from .order_ticks import plain

#: TWS's own, or backtrader's: a keyword may not set them
RESERVED = ('orderId', 'clientId', 'permId', 'action', 'parentId', 'transmit', 'totalQuantity', 'whatIf')
TAGGED = ('algoParams', 'smartComboRoutingParams', 'orderMiscOptions')
UNSET = (2 ** 31 - 1, sys.float_info.max)
#: what is made of parts, and what its parts have
PARTS = dict({'conditions': 'condType', 'orderComboLegs': 'price'}, **dict.fromkeys(TAGGED, 'tag'))


def keywords(given, known):
    """`given` with plain names and as TWS takes it; raises BadParameter for what is not in `known`, a blank order."""
    made = {}
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
            made[key] = _value(key, value, known[key])
    return made


def _is_unsaid(key, value):
    """Whether a value is as if nothing had been said: None, and TWS's own for a number that is not set."""
    return value is None or (key, value) == ('account', '') or isinstance(value, (int, float)) and value in UNSET


def _value(key, value, blank):
    if key in PARTS:
        return _parts(key, value)
    kind, made = _KINDS.get(type(blank), _named)(value)
    if made is None:
        raise BadParameter('{}={!r}: must be {}'.format(key, value, kind))
    return made


def _flag(value):
    """Also one of numpy's; a text is none: 'False' would be true."""
    is_flag = hasattr(value, '__bool__') and not hasattr(value, '__len__')
    return 'True or False', bool(value) if is_flag else None


def _text(value):
    if isinstance(value, numbers.Number):
        # the natural name of a strategy
        value = str(value)
    # a field ends at a NUL on the wire: what is behind it would be the next
    is_text = isinstance(value, str) and '\0' not in value
    return "a text, as of a date 'yyyymmdd-hh:mm:ss' in UTC", value if is_text else None


def _number(value):
    number = plain(value)
    return 'a number', number if isinstance(number, (int, float)) else None


def _count(value):
    kind, number = _number(value)
    # TWS reads no 5.0 where it counts
    return kind, int(number) if isinstance(number, float) and number.is_integer() else number


def _named(value):
    return "one of ib_insync's", value if hasattr(value, 'name') else None


_KINDS = {bool: _flag, str: _text, int: _count, float: _number}


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
