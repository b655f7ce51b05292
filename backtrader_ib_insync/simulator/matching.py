"""At what price an order trades at this moment of the market, if it does."""


def touch(ticket, quote):
    """(price, size) the other side offers; None when nobody does, or no quote is at hand."""
    if quote is None:
        return None
    price, size = (quote.ask, quote.askSize) if ticket.sign > 0 else (quote.bid, quote.bidSize)
    return (price, size) if size > 0 else None


def limit(ticket, quote):
    """The price the order pays at the worst; None for any."""
    if ticket.type.peg:
        return _pegged(ticket, quote)
    return ticket.order.lmtPrice if ticket.type.limited else None


def _pegged(ticket, quote):
    order, sign = ticket.order, ticket.sign
    if ticket.type.peg == 'mid':
        price = (quote.bid + quote.ask) / 2
    else:
        price = (quote.bid if sign > 0 else quote.ask) + sign * (order.auxPrice or 0.0)
    return price if not order.lmtPrice else sign * min(sign * price, sign * order.lmtPrice)


def price(ticket, quote, trade=None):
    """What the order trades at against the quote, or by the trade just printed; None when it does not."""
    offered = touch(ticket, quote)
    if offered is None and trade is None:
        return None
    worst = limit(ticket, quote)
    if worst is None:
        return offered[0] if offered else trade.price
    if offered and _within(ticket, offered[0], worst):
        return worst if ticket.resting else offered[0]
    if trade is not None and ticket.resting and _within(ticket, trade.price, worst):
        return worst
    return None


def _within(ticket, offer, worst):
    return ticket.sign * (offer - worst) <= 1e-9
