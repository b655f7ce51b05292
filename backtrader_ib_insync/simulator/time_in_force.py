"""From when to when an order works: time in force, good after, regular hours."""
from . import stamps

VALID = ('DAY', 'GTC', 'GTD', 'IOC', 'FOK', 'OPG', 'DTC')
AT_ONCE = ('IOC', 'FOK')
TILL_CLOSE = ('DAY', 'DTC', 'OPG', 'IOC', 'FOK')
TIME_CONDITION = 3
TRIGGERED_IN_REGULAR_HOURS = ('FUT', 'FOP')
HAVE_REGULAR_HOURS = ('STK', 'OPT', 'CFD', 'WAR', 'BOND')


def is_regular_only(ticket):
    """Whether it works in regular hours only: a market order does even when told otherwise."""
    if ticket.instrument.secType not in HAVE_REGULAR_HOURS:
        return False
    return not ticket.order.outsideRth or ignores_outside(ticket)


def ignores_outside(ticket):
    """Whether outsideRth means nothing for such an order."""
    kind, secType = ticket.type, ticket.instrument.secType
    if secType in TRIGGERED_IN_REGULAR_HOURS:
        return not kind.trigger
    return (secType not in HAVE_REGULAR_HOURS or bool(kind.auction)
            or ticket.order.tif == 'OPG' or not (kind.limited or kind.trigger or kind.peg))


def may_trigger(ticket, market, now):
    """Whether a stop or touch looks at the market: those of futures sleep outside of regular hours unless told not to.

    https://interactivebrokers.ca/en/trading/us-futures-stop-order.php
    """
    return (ticket.order.outsideRth or ticket.instrument.secType not in TRIGGERED_IN_REGULAR_HOURS
            or market.is_open(ticket.instrument, now, True))


def schedule(ticket, market, now, zone):
    """Sets from when (`opens`) and until when (`expires`, None for ever) the order may work."""
    order, instrument = ticket.order, ticket.instrument
    regular = is_regular_only(ticket)
    start = max(now, stamps.parse(order.goodAfterTime, zone)) if order.goodAfterTime else now
    if order.tif == 'OPG':
        if market.is_open(instrument, start, regular):
            start = market.next_close(instrument, start, regular)
        start = market.next_open(instrument, start, regular)
    ticket.opens = start
    if order.tif == 'GTD':
        ticket.expires = stamps.parse(order.goodTillDate, zone)
    elif order.tif in TILL_CLOSE:
        ticket.expires = market.next_close(instrument, start, regular)
    else:
        ticket.expires = None


def works(ticket, market, now):
    """Whether the order is at the market at this moment, as far as time goes."""
    return now >= ticket.opens and market.is_open(ticket.instrument, now, is_regular_only(ticket))


def next_change(ticket, market, now, zone):
    """The next moment at which time alone changes something for the order, or None."""
    regular = is_regular_only(ticket)
    turn = market.next_close if market.is_open(ticket.instrument, now, regular) else market.next_open
    moments = [ticket.opens, ticket.expires, ticket.cancelling, turn(ticket.instrument, now, regular)]
    moments += [stamps.parse(condition.fields['time'], zone)
                for condition in ticket.order.conditions if condition.kind == TIME_CONDITION]
    ahead = [moment for moment in moments if moment is not None and moment > now]
    return min(ahead) if ahead else None
