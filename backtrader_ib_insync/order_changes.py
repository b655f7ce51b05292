"""What a change asks for, and TWS's own view of an order against ours, in backtrader's words (pure)."""
from backtrader import Order

from .errors import BadOrder, BadParameter, UnknownZone
from .order_fields import EXECTYPES, size, touched
from .order_keywords import keywords
from .order_ticks import plain
from .orders import BLANK, copied
from .zones import parse_stamp

#: what backtrader itself names of an order that can be changed
MODIFIABLE = ('size', 'price', 'plimit', 'valid', 'trailamount', 'trailpercent')
UNSET_DOUBLE = BLANK['trailStopPrice']
#: what TWS may change an order in that we follow
FOLLOWED = ('totalQuantity', 'lmtPrice', 'auxPrice')
#: what else TWS tells of an order as it was given, and when it is in force
ECHOED = ('tif', 'ocaGroup', 'outsideRth', 'hidden', 'displaySize', 'trailingPercent', 'trailStopPrice',
          'lmtPriceOffset', 'triggerMethod', 'allOrNone', 'minQty', 'algoStrategy', 'algoParams', 'conditions')
DATES = ('goodTillDate', 'goodAfterTime')
#: what TWS tells of an order for which it was not given
FILLED_IN = {'adjustedOrderType': 'None', 'deltaNeutralOrderType': 'None', 'cashQty': 0, 'volatilityType': 0,
             'referencePriceType': 0}
#: what backtrader calls TWS's prices in an order of each type
WORDS = {
    Order.Limit: {'lmtPrice': 'price'}, Order.Stop: {'auxPrice': 'price'},
    Order.StopLimit: {'auxPrice': 'price', 'lmtPrice': 'plimit'},
    Order.StopTrail: {'auxPrice': 'trailamount', 'trailingPercent': 'trailpercent'},
    Order.StopTrailLimit: {'auxPrice': 'trailamount', 'trailingPercent': 'trailpercent'},
}


def wanted(order, changes):
    """(the names of what `changes` ask for, the order's terms with that). Raises BadOrder, BadParameter."""
    terms = order.terms
    named = {name: changes.pop(name) for name in MODIFIABLE if name in changes}
    named.update((name, plain(value)) for name, value in named.items() if name != 'valid')
    # None: as it was; but without a date it holds until it is cancelled
    named = {name: value for name, value in named.items() if value is not None or name == 'valid'}
    if 'exectype' in changes:
        raise BadParameter("'exectype': TWS changes prices, sizes and dates, not what an order is; cancel it and send "
                           "another")
    given = keywords(changes, BLANK)
    _put_in_words(order, given, named)
    if given.get('goodTillDate') or given.get('tif', 'GTD') != 'GTD':
        # whatever date it had
        named.setdefault('valid', None)
    if named.get('trailpercent') is not None and 'trailamount' not in named:
        # an amount would win over it
        terms = terms._replace(trailamount=None)
    if 'size' in named:
        named['size'] = size(named['size'])
    over = touched(named)
    kept = {name: value for name, value in terms.keywords.items() if name not in over}
    return set(named) | set(given), terms._replace(keywords=dict(kept, **given), **named)


def _put_in_words(order, given, named):
    """A price that is asked for by TWS's name is the price, limit or trail of the order for backtrader, too."""
    words = WORDS.get(order.exectype, {}) if order.tws.orderType in EXECTYPES else {}
    for field in [field for field in given if field in words]:
        value, word = _in_word(field, given.pop(field)), words[field]
        if named.setdefault(word, value) != value:
            raise BadOrder('{} {!r}, {} {!r}: they are the same'.format(word, named[word], field, value))


def _in_word(field, value):
    return value / 100 if field == 'trailingPercent' else value


def left(exectype, versions, told):
    """The versions, of those sent one after the other, that TWS may come to by its own view of the order.

    The first is the one that it works now: with its own numbers where these are of none.
    """
    for place in range(len(versions) - 1, 0, -1):
        if shows(told, versions[place].tws, versions[place - 1].tws):
            return versions[place:]
    terms, tws = followed(exectype, versions[0].terms, versions[0].tws, told)
    return (versions[0]._replace(terms=terms, tws=tws),) + versions[1:]


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
    # what was sent unset is TWS's to choose
    return ours not in (before, UNSET_DOUBLE) and told != ours and _moment(told) == _moment(before)


def _moment(value):
    """A date of TWS's as epoch seconds: it has more than one way to write one. Anything else as it is."""
    try:
        return parse_stamp(value) if isinstance(value, str) and value[:8].isdigit() else value
    except (ValueError, UnknownZone):
        return value


def revised(tws, fields):
    """`tws` with these fields, to be sent in its place; None is a field that it loses.

    A trail is sent without a stop unless that is what changes: TWS then keeps the one that it has come to.
    """
    if tws.orderType == 'TRAIL' or tws.orderType == 'TRAIL LIMIT' and _is_set(tws.lmtPriceOffset):
        fields = dict({'trailStopPrice': None}, **fields)
    made = copied(tws)
    vars(made).update({name: BLANK[name] if value is None else value for name, value in fields.items()})
    return made


def as_given(told):
    """An order as it was given to TWS, which tells it with words and numbers of its own filled in (ib_insync#509)."""
    blank = [name for name, value in FILLED_IN.items() if getattr(told, name) == value]
    blank += [name for name, kind in (('lmtPrice', 'LMT'), ('auxPrice', 'STP'))
              if not getattr(told, name) and kind not in told.orderType]
    if not told.ocaGroup:
        blank.append('ocaType')
    if 'TRAIL' not in told.orderType:
        blank.append('trailStopPrice')
    elif _is_set(told.lmtPriceOffset):
        # TWS takes a limit or its offset, not both
        blank.append('lmtPrice')
    tws = copied(told)
    vars(tws).update({name: BLANK[name] for name in blank})
    return tws


def asked(tws):
    """What asks for such an order in backtrader's words, as keywords of one; its exectype is the nearest there is."""
    limit, trigger, percent = _number(tws.lmtPrice), _number(tws.auxPrice), _number(tws.trailingPercent)
    nearest = Order.Limit if limit is not None else Order.Stop if trigger is not None else Order.Market
    exectype = EXECTYPES.get(tws.orderType, nearest)
    if exectype == Order.Limit:
        words = {'price': limit}
    elif exectype in (Order.Stop, Order.StopLimit):
        words = {'price': trigger, 'pricelimit': limit if exectype == Order.StopLimit else None}
    elif exectype in (Order.StopTrail, Order.StopTrailLimit):
        words = {'trailpercent': percent / 100} if percent else {'trailamount': trigger}
    else:
        words = {}
    return dict(words, exectype=exectype)


def in_our_words(exectype, changed):
    """TWS fields that changed, as what backtrader calls them in an order of this type."""
    words = dict(WORDS.get(exectype, {}), totalQuantity='size')
    return {words[name]: value for name, value in changed.items() if name in words}


def _is_set(number):
    return number is not None and abs(number) < 1e300


def _number(number):
    """A price of TWS's; None where it has none, which it may tell as 0."""
    return number if number and _is_set(number) else None
