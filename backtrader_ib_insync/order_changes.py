"""TWS's own view of an order against ours, and in backtrader's words (pure)."""
from backtrader import Order

from .errors import UnknownZone
from .order_fields import EXECTYPES
from .orders import copied
from .zones import parse_stamp

#: what TWS may change an order in that we follow
FOLLOWED = ('totalQuantity', 'lmtPrice', 'auxPrice')
#: what else TWS tells of an order as it was given, and when it is in force
ECHOED = ('tif', 'ocaGroup', 'outsideRth', 'hidden', 'displaySize', 'trailingPercent', 'trailStopPrice',
          'lmtPriceOffset', 'triggerMethod', 'allOrNone', 'minQty')
DATES = ('goodTillDate', 'goodAfterTime')


def followed(exectype, terms, tws, told):
    """`terms` and `tws`, which stand for the same, with the numbers that TWS works by its own view of the order."""
    changed = differing(tws, told)
    if not changed:
        return terms, tws
    tws = copied(tws)
    vars(tws).update(changed)
    return terms._replace(**in_our_words(exectype, changed)), tws


def differing(ours, told):
    """The fields, of those we follow, in which TWS works other numbers than ours, with these."""
    return {name: getattr(told, name) for name in FOLLOWED if _differs(getattr(ours, name), getattr(told, name))}


def _differs(ours, told):
    """Whether TWS works another number than ours; unset and 0 tell nothing."""
    return 0 < abs(told) < 1e300 and abs(ours) < 1e300 and abs(ours - told) > 1e-9


def shows(told, ours, before):
    """Whether TWS's view of an order has the change in it that made `ours` of `before`."""
    if differing(ours, told):
        return False
    return not any(_is_as_before(getattr(told, name), getattr(ours, name), getattr(before, name))
                   for name in ECHOED + DATES)


def _is_as_before(told, ours, before):
    return ours != before and told != ours and _moment(told) == _moment(before)


def _moment(value):
    """A date of TWS's as epoch seconds: it has more than one way to write one. Anything else as it is."""
    try:
        return parse_stamp(value) if isinstance(value, str) and value[:8].isdigit() else value
    except (ValueError, UnknownZone):
        return value


def exectype_of(tws):
    """backtrader's exec type of a TWS order, the nearest there is."""
    return EXECTYPES.get(tws.orderType, Order.Limit if 'LMT' in tws.orderType else Order.Market)


def prices_of(tws):
    """(price, plimit) in backtrader's words of a TWS order; None where it has none."""
    limit, trigger = _set(tws.lmtPrice), _set(tws.auxPrice)
    exectype = exectype_of(tws)
    if exectype == Order.Limit:
        return limit, None
    if exectype in (Order.Stop, Order.StopLimit):
        return trigger, limit if exectype == Order.StopLimit else None
    return None, None


def in_our_words(exectype, changed):
    """TWS fields that changed, as what backtrader calls them in an order of this type."""
    words = {'totalQuantity': 'size'}
    if exectype == Order.Limit:
        words['lmtPrice'] = 'price'
    elif exectype in (Order.Stop, Order.StopLimit):
        words.update(auxPrice='price', lmtPrice='plimit')
    elif exectype in (Order.StopTrail, Order.StopTrailLimit):
        words['auxPrice'] = 'trailamount'
    return {words[name]: value for name, value in changed.items() if name in words}


def _set(number):
    return number if number and abs(number) < 1e300 else None
