"""What TWS refuses before an order reaches an exchange: each rule gives a code and a text, or nothing."""
from typing import NamedTuple

from . import conditions, order_types, stamps, time_in_force
from .instruments import MARKET_RULES

ACTIONS = ('BUY', 'SELL', 'SSHORT', 'SLONG')
UNTRADABLE = ('IND', 'CONTFUT', 'NEWS')
#: what may trade below zero
BELOW_ZERO = ('BAG', 'FUT', 'FOP', 'CMDTY')
NO_CONTRACT = 'No security definition has been found for the request'
BAD_TIME = ('{}: The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xx/xxxx '
            'where yyyymmdd and xx/xxxx are optional. E.g.: 20031126 15:59:00 US/Eastern  Note that there is a space '
            'between the date and time, and between the time and time-zone.  If no date is specified, current date is '
            'assumed.  If no time-zone is specified, local time-zone is assumed(deprecated).  You can also provide '
            'yyyymmddd-hh:mm:ss time is in UTC. Note that there is a dash between the date and time in UTC notation.')
WAITING = 'Order Message:\n{} {:g} {} {}\nWarning: your order will not be placed at the exchange until {}'
NO_PARENT = "Can't find order with id ={}"
NO_MARGIN = ('Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY '
             'WITH LOAN VALUE [{:.2f} {}] MUST EXCEED THE INITIAL MARGIN [{:.2f} {}]')
SEVERAL_ACCOUNTS = ("One-cancels-all group of orders should contain orders with exactly the same account. OCA group "
                    "'{}' contains orders for several.")
VALIDATION = "Error validating request.-'bW' : cause - {}"
AT_AUCTION_OR_PEGGED = ('MOC', 'LOC', 'REL', 'MIDPRICE', 'PEG MID', 'BOX TOP')
#: seconds before the open, and before the close
OPENING_DEADLINE = 120
DEADLINES = {'NYSE': 600, 'ARCA': 600, 'AMEX': 600, 'NASDAQ': 300}
PROTECTED = ('MKT PRT', 'STP PRT')
UNSUPPORTED = {'STK': PROTECTED, 'OPT': PROTECTED, 'FUT': AT_AUCTION_OR_PEGGED, 'FOP': AT_AUCTION_OR_PEGGED,
               'CASH': AT_AUCTION_OR_PEGGED + PROTECTED, 'CFD': AT_AUCTION_OR_PEGGED + PROTECTED,
               'CMDTY': AT_AUCTION_OR_PEGGED + PROTECTED, 'CRYPTO': AT_AUCTION_OR_PEGGED + PROTECTED}


class Refusal(NamedTuple):
    """`inactive`: the order is kept, with that status."""
    code: int
    text: str
    inactive: bool = False


NO_EXCHANGE = Refusal(321, VALIDATION.format('Missing order exchange.'))


def canonical(order, accounts):
    """The order as TWS reads it: blanks filled in, aliases resolved, zeros that mean nothing unset."""
    kind = order_types.named(order.orderType)
    fields = {'orderType': kind.name if kind else order.orderType, 'tif': order.tif.upper() or 'DAY',
              'action': order.action.upper(), 'trailingPercent': order.trailingPercent or None}
    if kind and not kind.trigger and not kind.peg:
        fields['auxPrice'] = None
    if not (order.account or order.faGroup or order.faProfile) and len(accounts) == 1:
        fields['account'] = accounts[0]
    return order.replace(**fields)


def refusal(order, instrument, now, zone, accounts, groups=()):
    """The first rule a canonical order breaks, as a Refusal; None when it breaks none."""
    if instrument is None:
        return Refusal(200, NO_CONTRACT)
    checks = (_security(order, instrument), _side(order), _account(order, accounts, groups), _type(order, instrument),
              _size(order, instrument), _attributes(order), _prices(order, instrument), _ticks(order, instrument),
              _tif(order, now, zone), _deadline(order, instrument, now), _crypto(order, instrument),
              _conditions(order, zone))
    return next((found for found in checks if found), None)


def _security(order, instrument):
    if instrument.secType in UNTRADABLE:
        return Refusal(203, 'The security {} {} is not available or allowed for this account'.format(
            instrument.symbol, instrument.secType))
    return None


def _side(order):
    if order.action not in ACTIONS:
        return Refusal(321, VALIDATION.format('Invalid action {!r}: use BUY or SELL'.format(order.action)))
    return None


def _account(order, accounts, groups):
    given = [text for text in (order.account, order.faGroup, order.faProfile) if text]
    if not given:
        return Refusal(436, 'You must specify an allocation (either a single account, group, or profile).')
    if len(given) > 1:
        return Refusal(321, VALIDATION.format('Account, FA group and FA profile exclude each other'))
    if order.account and order.account not in accounts:
        return Refusal(321, VALIDATION.format("Invalid account code '{}'.".format(order.account)))
    for kind, name in (('group', order.faGroup), ('profile', order.faProfile)):
        if name and name not in groups:
            return Refusal(321, VALIDATION.format("Invalid FA {} '{}'.".format(kind, name)))
    return None


def _type(order, instrument):
    if order_types.named(order.orderType) is None or order.orderType in UNSUPPORTED.get(instrument.secType, ()):
        return Refusal(387, 'Unsupported order type for this exchange and security type.')
    return None


def _size(order, instrument):
    size = order.totalQuantity
    if not size and not order.cashQty:
        return Refusal(434, 'The order size cannot be zero.')
    if size < 0:
        return Refusal(321, VALIDATION.format('Order size {:g} must be positive'.format(size)))
    if not is_multiple(size, instrument.size_step):
        return Refusal(10243, 'Fractional-sized order cannot be placed via API. Please refer to our website.')
    return None


def _attributes(order):
    refused = ((order.eTradeOnly, 10268, 'EtradeOnly'), (order.firmQuoteOnly, 10269, 'FirmQuoteOnly'),
               (order.nbboPriceCap, 10270, 'NbboPriceCap'))
    for value, code, name in refused:
        if value:
            return Refusal(code, "The '{}' order attribute is not supported.".format(name))
    return None


def _prices(order, instrument):
    kind = order_types.named(order.orderType)
    if kind is None:
        return None
    if instrument.secType not in BELOW_ZERO:
        # with which code TWS refuses these is a guess
        used = (order.lmtPrice if kind.limited else None, order.auxPrice if kind.aux or kind.trigger else None)
        if any(price is not None and price < 0 or price == 0 and kind.trigger != 'trail' for price in used):
            return Refusal(321, VALIDATION.format('{} order: a price must be above zero'.format(kind.name)))
    if kind.trigger == 'trail':
        return _trail(order, kind)
    if kind.limited and order.lmtPrice is None:
        return Refusal(321, VALIDATION.format('{} order needs a limit price (lmtPrice)'.format(kind.name)))
    if kind.aux and order.auxPrice is None:
        return Refusal(321, VALIDATION.format('{} order needs a trigger price (auxPrice)'.format(kind.name)))
    return None


def _trail(order, kind):
    if order.trailingPercent is not None and not 0 <= order.trailingPercent <= 100:
        return Refusal(321, VALIDATION.format('trailingPercent must be from 0 to 100'))
    if bool(order.auxPrice) == bool(order.trailingPercent):
        return Refusal(321, VALIDATION.format(
            '{} order needs either a trailing amount (auxPrice) or a trailingPercent'.format(kind.name)))
    if kind.limited and order.lmtPriceOffset is None and None in (order.lmtPrice, order.trailStopPrice):
        return Refusal(321, VALIDATION.format(
            'TRAIL LIMIT order needs lmtPriceOffset, or lmtPrice together with trailStopPrice'))
    return None


def _ticks(order, instrument):
    for price in (order.lmtPrice, order.auxPrice, order.trailStopPrice):
        if price and not is_multiple(price, tick(instrument, price)):
            return Refusal(110, 'The price does not conform to the minimum price variation for this contract.')
    return None


def tick(instrument, price):
    """The price step at a price, by the instrument's market rule."""
    step = instrument.minTick
    for rule in instrument.marketRuleIds.split(',')[:1]:
        for low, increment in MARKET_RULES.get(int(rule or 0), ()):
            if abs(price) >= low * instrument.priceMagnifier:
                step = round(increment * instrument.priceMagnifier, 10)
    return step


def is_multiple(value, step):
    return not step or abs(round(value / step) * step - value) < 1e-9 * max(1.0, abs(value))


def _tif(order, now, zone):
    if order.tif not in time_in_force.VALID:
        return Refusal(10052, 'Invalid time in force:{}.'.format(order.tif))
    kind = order_types.named(order.orderType)
    if kind and kind.auction and order.tif != 'DAY':
        return Refusal(113, 'The Tif option should be set to DAY for MOC and LOC orders.')
    if order.tif == 'OPG' and order.orderType not in ('MKT', 'LMT'):
        return Refusal(111, 'The time in force and the order type are incompatible.')
    end = _moment(order.goodTillDate, zone) if order.tif == 'GTD' else None
    if order.tif == 'GTD' and end is None:
        return Refusal(391, BAD_TIME.format('End Time'))
    if end is not None and end <= now:
        return Refusal(201, 'Order rejected - reason:The good till date has passed')
    if order.goodAfterTime and _moment(order.goodAfterTime, zone) is None:
        return Refusal(337, BAD_TIME.format('Start Time'))
    return None


def _deadline(order, instrument, now):
    """An auction takes no orders in its last minutes (moc.php, moo.php); the code of the closing one is a guess."""
    kind, seconds = order_types.named(order.orderType), DEADLINES.get(instrument.contract.primaryExchange)
    hours, is_open = instrument.hours, instrument.hours.session_at(now, True) is not None
    if seconds and order.tif == 'OPG' and (is_open or now > hours.next_open(now, True) - OPENING_DEADLINE):
        # FLD QuantConnect/Lean.Brokerages.InteractiveBrokers#204
        return Refusal(201, 'Order rejected - reason:Exchange is closed.')
    if seconds and kind and kind.auction and is_open and now > hours.next_close(now, True) - seconds:
        return Refusal(201, 'Order rejected - reason:The deadline for MOC and LOC orders has passed.')
    return None


def _moment(text, zone):
    try:
        return stamps.parse(text, zone)
    except ValueError:
        return None


def _crypto(order, instrument):
    if instrument.secType != 'CRYPTO' or order.orderType != 'MKT':
        return None
    if order.action == 'BUY' and not order.cashQty:
        return Refusal(10289, 'You must set Cash Quantity for this order.')
    if order.tif != 'IOC':
        return Refusal(10052, 'Invalid time in force:{}.'.format(order.tif))
    return None


def _conditions(order, zone):
    for condition in order.conditions:
        if condition.kind not in conditions.KINDS:
            return Refusal(321, VALIDATION.format('Unknown condition type {}'.format(condition.kind)))
        if condition.kind == conditions.TIME and _moment(condition.fields['time'], zone) is None:
            return Refusal(391, BAD_TIME.format('Condition Time'))
    return None


def parent_refusal(order, parent):
    """Why an order cannot be the child that it says, of a ticket or of None."""
    if not order.parentId:
        return None
    if parent is None:
        return Refusal(135, NO_PARENT.format(order.parentId))
    if parent.ended is not None and not parent.filled:
        return Refusal(201, 'Order rejected - reason:Parent order is being cancelled.')
    return None


def group_refusal(order, tickets):
    """Why an order cannot be in its one-cancels-all group with these, if they are (FLD ib_async#75)."""
    if order.ocaGroup and any(order.ocaGroup == ticket.order.ocaGroup and order.account != ticket.order.account
                              for ticket in tickets):
        return Refusal(10224, SEVERAL_ACCOUNTS.format(order.ocaGroup))
    return None


def short_refusal(ticket, held):
    """Nobody sells coins that he has not; the text is a guess."""
    if ticket.instrument.secType != 'CRYPTO' or ticket.sign > 0 or ticket.remaining <= (held.position if held else 0.0):
        return None
    return Refusal(201, 'Order rejected - reason:Short positions in cryptocurrencies are not supported.', inactive=True)


def margin_refusal(margins, currency):
    """Lack of margin; never in the way of an order that needs no more of it."""
    if margins.initAfter <= max(margins.equityAfter, margins.initBefore):
        return None
    return Refusal(201, NO_MARGIN.format(margins.equityAfter, currency, margins.initAfter, currency), inactive=True)


def change_refusal(ticket, order, instrument, forgets_parents):
    """Why a canonical order cannot take the place of what its ticket has; None when it can."""
    old = ticket.order
    if ticket.status == 'Filled':
        return Refusal(104, 'Cannot modify a filled order.')
    if ticket.ended is not None and ticket.status != 'Inactive':
        return Refusal(103, 'Duplicate order id')
    if ticket.transmitted and order.ocaGroup not in ('', old.ocaGroup):
        return Refusal(10326, 'OCA group revision is not allowed.')
    orphan = ticket.parent is not None and ticket.parent.ended is not None
    if orphan and order.parentId and forgets_parents:
        return Refusal(135, NO_PARENT.format(order.parentId))
    # FLD ib_insync#647: who changes an order whose parent is done need not name that
    same = ((old.action, old.account) == (order.action, order.account)
            and (old.parentId == order.parentId or orphan and not order.parentId)
            and (instrument is None or instrument.conId == ticket.instrument.conId))
    if not same or ticket.cancelling is not None or (order.totalQuantity <= ticket.filled and ticket.filled):
        return Refusal(105, 'Order being modified does not match original order.')
    return None


def waiting_text(ticket, opens):
    """The 399 of an order that has to wait for the market, until `opens`."""
    order, contract, instrument = ticket.order, ticket.contract, ticket.instrument
    moment = stamps.in_zone(opens, instrument.zone)
    when = '{}-{}-{}'.format(moment[:4], moment[4:6], moment[6:])
    return WAITING.format(order.action, order.totalQuantity, contract.symbol, instrument.marketName, when)
