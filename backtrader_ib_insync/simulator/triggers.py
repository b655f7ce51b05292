"""What a stop, a touch or a trail waits for, by TWS's trigger methods."""
DEFAULT, DOUBLE_TOUCH, LAST, DOUBLE_LAST, TOUCH, LAST_OR_TOUCH, MID = 0, 1, 2, 3, 4, 7, 8
DOUBLE = (DOUBLE_TOUCH, DOUBLE_LAST)
BY_TRADE = (LAST, DOUBLE_LAST, LAST_OR_TOUCH)
BY_TOUCH = (DOUBLE_TOUCH, TOUCH, LAST_OR_TOUCH)


def method(ticket):
    """The order's trigger method; the default by the kind of instrument (trigger_method_limit page)."""
    given, instrument = ticket.order.triggerMethod, ticket.instrument
    if given != DEFAULT:
        return given
    if instrument.secType == 'OPT' and instrument.contract.currency == 'USD':
        return DOUBLE_TOUCH
    return LAST if instrument.is_traded else TOUCH


def observed(ticket, trade, quote):
    """The price the method looks at, or None: a buy by bid/ask looks at the bid, a sell at the ask."""
    way = method(ticket)
    if trade is not None and way in BY_TRADE:
        return trade.price
    if quote is None or not (quote.bidSize > 0 and quote.askSize > 0):
        return None
    if way == MID:
        return (quote.bid + quote.ask) / 2
    return (quote.bid if ticket.sign > 0 else quote.ask) if way in BY_TOUCH else None


def watch(ticket, trade, quote):
    """Lets a waiting order see the market: moves its trail, and sets `triggered` when its moment has come."""
    price = observed(ticket, trade, quote)
    if price is None:
        return
    if ticket.type.trigger == 'trail':
        follow(ticket, price)
    ticket.hits = ticket.hits + 1 if _reached(ticket, price) else 0
    ticket.triggered = ticket.hits >= (2 if method(ticket) in DOUBLE else 1)


def stop_price(ticket):
    """What has to be reached."""
    order = ticket.order
    return order.trailStopPrice if ticket.type.trigger == 'trail' else order.auxPrice


def _reached(ticket, price):
    beyond = ticket.sign * (price - stop_price(ticket))
    return beyond <= 0 if ticket.type.trigger == 'touch' else beyond >= 0


def follow(ticket, price):
    """Moves the stop of a trail after a better price, and the limit with it."""
    order, sign = ticket.order, ticket.sign
    stop = round(price + sign * _distance(order, price), 8)
    if order.trailStopPrice is None:
        order.trailStopPrice = stop
    if ticket.offset is None:
        ticket.offset = limit_offset(ticket)
    if sign * (stop - order.trailStopPrice) < 0:
        order.trailStopPrice = stop
    if ticket.type.limited:
        order.lmtPrice = _on_tick(order.trailStopPrice + sign * ticket.offset, ticket.instrument.minTick)


def _distance(order, price):
    return price * order.trailingPercent / 100 if order.trailingPercent else order.auxPrice


def limit_offset(ticket):
    """How far the limit lies beyond the stop, in the order's direction."""
    order = ticket.order
    if not ticket.type.limited:
        return 0.0
    if order.lmtPriceOffset is not None:
        return order.lmtPriceOffset
    return ticket.sign * (order.lmtPrice - order.trailStopPrice)


def _on_tick(price, tick):
    return round(round(price / tick) * tick, 8)
