"""What a strategy asks, in backtrader's words -> the fields of a TWS order (pure)."""
from typing import Any, Dict, NamedTuple, Optional, Tuple

from backtrader import Order

from .errors import BadOrder
from .order_force import in_force
from .order_ticks import LARGEST, Tick, finite, plain
from .zones import UTC

#: https://interactivebrokers.github.io/tws-api/basic_orders.html
ORDER_TYPES = {
    Order.Market: 'MKT', Order.Close: 'MOC', Order.Limit: 'LMT', Order.Stop: 'STP', Order.StopLimit: 'STP LMT',
    Order.StopTrail: 'TRAIL', Order.StopTrailLimit: 'TRAIL LIMIT',
}
EXECTYPES = {name: exectype for exectype, name in ORDER_TYPES.items()}

#: https://interactivebrokers.github.io/tws-api/hedging.html: it "can only have a quantity of 0"
FX_HEDGE = 'F'
PRICE_FIELDS = frozenset(['lmtPrice', 'auxPrice', 'trailStopPrice'])


class Terms(NamedTuple):
    """What was asked; `size` is positive, `keywords` are TWS attributes by their plain names."""
    buy: bool
    size: float
    price: Optional[float] = None
    plimit: Optional[float] = None
    exectype: int = Order.Market
    valid: Any = None
    trailamount: Optional[float] = None
    trailpercent: Optional[float] = None
    keywords: Dict[str, Any] = {}


class Setting(NamedTuple):
    """Where it is asked: `reference` is the last close (None where there is none), `now` is epoch seconds UTC.

    `increments` are ((from this price, tick size), ...) ascending; `zone` reads naive dates; `orderTypes` is TWS's list
    of what it takes for the contract, '' when unknown.
    """
    secType: str = 'STK'
    increments: Tuple[Tuple[float, float], ...] = ()
    reference: Optional[float] = None
    zone: Any = UTC
    now: float = 0.0
    orderTypes: str = ''


class Ticket(NamedTuple):
    """TWS attributes by name; `until` is when their force ends (epoch UTC; None: never, or with the session)."""
    fields: Dict[str, Any]
    until: Optional[float]
    notes: Tuple[str, ...]


def ticket(terms, setting):
    """The TWS fields for `terms`. Raises BadOrder when they make no order that TWS could take."""
    if terms.exectype not in list(ORDER_TYPES):
        raise BadOrder('exectype {!r} has no TWS order type: use one of {}'.format(
            terms.exectype, ', '.join(Order.ExecTypes[known] for known in ORDER_TYPES)))
    if terms.exectype == Order.Close and setting.orderTypes and 'MOC' not in setting.orderTypes.split(','):
        raise BadOrder('exectype Close: TWS takes no market-on-close order (MOC) for this contract; send a Market '
                       'order before its session ends')
    tick = Tick(setting)
    fields = {'action': 'BUY' if terms.buy else 'SELL', 'orderType': ORDER_TYPES[terms.exectype],
              'totalQuantity': size(terms.size)}
    fields.update(PRICES[terms.exectype](terms, setting, tick))
    fields.update(_crypto(terms, setting, tick))
    force, until = in_force(terms, setting)
    fields.update(force)
    _give(fields, terms, tick)
    return Ticket(fields, until, tuple(tick.notes))


def _give(fields, terms, tick):
    fields.update(terms.keywords)
    for name, value in terms.keywords.items():
        if name in PRICE_FIELDS:
            fields[name] = tick.given(name, value)
        elif value != value:
            raise BadOrder('{} {!r}: must be a number; has its indicator warmed up?'.format(name, value))
    # TWS works these out; 0 is no cash
    if fields.get('cashQty') or fields.get('hedgeType') == FX_HEDGE:
        fields['totalQuantity'] = 0


# -- changes of an order at work ---------------------------------------------------------------------------------------

FORCED = ('tif', 'goodTillDate')
TRAILED = ('auxPrice', 'trailingPercent')
#: the fields that a change of a term may touch; any other name is a field itself
TOUCHED = {
    'size': ('totalQuantity', 'cashQty'), 'price': ('lmtPrice', 'auxPrice', 'trailStopPrice'),
    'plimit': ('lmtPrice', 'lmtPriceOffset'), 'trailamount': TRAILED, 'trailpercent': TRAILED,
    'valid': FORCED, 'tif': FORCED, 'goodTillDate': FORCED,
}
#: what is a price, and of which types
PRICED = {
    'price': (Order.Limit, Order.Stop, Order.StopLimit, Order.StopTrail, Order.StopTrailLimit),
    'plimit': (Order.Limit, Order.Stop, Order.StopLimit, Order.StopTrailLimit),
    'trailamount': (Order.StopTrail, Order.StopTrailLimit), 'trailpercent': (Order.StopTrail, Order.StopTrailLimit),
}
#: where and by how much the market has to move for a trade
MOVING = frozenset(['lmtPrice', 'auxPrice', 'trailStopPrice', 'lmtPriceOffset', 'trailingPercent'])


def touched(names):
    """The fields that a change of `names`, terms or fields, may touch."""
    return {field for name in names for field in TOUCHED.get(name, (name,))}


def revision(terms, names, setting):
    """A Ticket of what an order at work has to be told for `names` to be as in `terms`; None: a field that it loses.

    Raises BadOrder as `ticket` does, and for a price that an order of this type does not have.
    """
    tick, fields, until = Tick(setting), {}, None
    if 'size' in names:
        fields.update(totalQuantity=size(terms.size), **_crypto(terms, setting, tick))
    if _has_prices(terms, names):
        fields.update(PRICES[terms.exectype](terms, setting, tick))
    if touched(names).intersection(FORCED):
        force, until = in_force(terms, setting)
        fields.update(dict.fromkeys(FORCED), **force)
    if 'trailamount' in names or 'trailpercent' in names:
        fields = dict(dict.fromkeys(TRAILED), **fields)
    _give(fields, terms, tick)
    return Ticket({name: fields[name] for name in touched(names) if name in fields}, until, tuple(tick.notes))


def _has_prices(terms, names):
    """Whether `names` has one; raises BadOrder for one that the order does not have."""
    priced = [name for name in PRICED if name in names and getattr(terms, name) is not None]
    for name in priced:
        # the price of a limit order is its limit
        is_idle = name == 'plimit' and terms.exectype == Order.Limit and terms.price is not None
        if terms.exectype not in PRICED[name] or is_idle:
            raise BadOrder("{} {!r}: a {} order has none to change; a field of TWS's goes by its own name, as in "
                           'lmtPrice={!r}'.format(name, getattr(terms, name), Order.ExecTypes[terms.exectype],
                                                  getattr(terms, name)))
    return bool(priced)


# -- sizes and prices --------------------------------------------------------------------------------------------------

def size(asked):
    """The size of an order as TWS takes it."""
    number = finite('size', asked)
    if number <= 0:
        raise BadOrder('size {!r}: must be above zero; buy() or sell() say the side'.format(asked))
    return tidy(number)


def tidy(number):
    """A size without binary dust: an int when it is whole, else rounded to a billionth."""
    number = round(number, 9)
    return int(number) if number == int(number) else number


def plain_size(value):
    """As `plain`, and without binary dust."""
    number = plain(value)
    return tidy(number) if isinstance(number, (int, float)) and abs(number) < LARGEST else number


def _no_price(terms, setting, tick):
    return {}


def _limit(terms, setting, tick):
    return {'lmtPrice': tick.price('price', _asked(terms))}


def _stop(terms, setting, tick):
    return {'auxPrice': tick.price('price', _asked(terms))}


def _stop_limit(terms, setting, tick):
    price = _asked(terms)
    plimit = price if terms.plimit is None else terms.plimit
    return {'auxPrice': tick.price('price', price), 'lmtPrice': tick.price('plimit', plimit)}


def _asked(terms):
    """The price; backtrader takes the limit for it where only that is given."""
    price = terms.plimit if terms.price is None else terms.price
    if price is None:
        raise BadOrder('price None: a {} order needs one'.format(Order.ExecTypes[terms.exectype]))
    return price


def _trail(terms, setting, tick):
    """backtrader: an amount wins over a percentage; `price`, when given, is where the trail starts to be measured."""
    fields = _trail_distance(terms, setting, tick)
    if terms.price is not None:
        fields['trailStopPrice'] = tick.price('trailStopPrice', _start_of_trail(terms, finite('price', terms.price)))
    return fields


def _trail_distance(terms, setting, tick):
    if terms.trailamount:
        amount = tick.distance('trailamount', terms.trailamount, setting.reference)
        if not amount:
            raise BadOrder('trailamount {!r}: the nearest on the tick of {:g} is no distance'.format(
                terms.trailamount, tick.increment(setting.reference or 0.0)))
        return {'auxPrice': amount}
    if terms.trailpercent:
        percent = finite('trailpercent', terms.trailpercent)
        if not 0 < percent < 1:
            raise BadOrder('trailpercent {!r}: a part of 1, 0.02 is 2 %'.format(terms.trailpercent))
        return {'trailingPercent': round(percent * 100, 8)}
    raise BadOrder('trailamount and trailpercent are not given: a {} order needs one of them'.format(
        Order.ExecTypes[terms.exectype]))


def _start_of_trail(terms, reference):
    amount = terms.trailamount and finite('trailamount', terms.trailamount)
    distance = amount or reference * finite('trailpercent', terms.trailpercent)
    return reference + distance if terms.buy else reference - distance


def _trail_limit(terms, setting, tick):
    """backtrader: the limit keeps the distance from the stop that `plimit` has from `price`."""
    fields = _trail_distance(terms, setting, tick)
    reference = setting.reference if terms.price is None else finite('price', terms.price)
    if reference is None:
        raise BadOrder('price None: a StopTrailLimit order needs one before the first bar, and where tradename= makes '
                       'it one for another contract than that of the bars')
    fields['trailStopPrice'] = tick.price('trailStopPrice', _start_of_trail(terms, reference))
    offset = 0.0 if terms.plimit is None else reference - finite('plimit', terms.plimit)
    fields['lmtPriceOffset'] = tick.put('limit offset', -offset if terms.buy else offset, reference)
    return fields


PRICES = {
    Order.Market: _no_price, Order.Close: _no_price, Order.Limit: _limit, Order.Stop: _stop,
    Order.StopLimit: _stop_limit, Order.StopTrail: _trail, Order.StopTrailLimit: _trail_limit,
}


def _crypto(terms, setting, tick):
    """TWS takes a market order to buy a coin by the money it may cost, not by size (10289)."""
    if setting.secType != 'CRYPTO' or terms.exectype != Order.Market or not terms.buy or 'cashQty' in terms.keywords:
        return {}
    if setting.reference is None:
        raise BadOrder('size {!r}: TWS buys coins at market by cashQty, and no last close tells how '
                       'much that is; give cashQty=, or wait for the first bar'.format(terms.size))
    cash = round(terms.size * setting.reference, 2)
    tick.notes.append('size {!r} is sent as cashQty {!r}, its value at the last close: TWS buys coins at market by '
                      'money'.format(terms.size, cash))
    return {'cashQty': cash}
