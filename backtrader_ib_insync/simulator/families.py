"""What orders mean to each other: brackets (parent and children) and OCA groups."""

BLOCKING = 1
REDUCING = 3


def waits_for_parent(ticket):
    """A child is held until its parent's first fill."""
    return ticket.parent is not None and not ticket.parent.filled


def join(ticket):
    """A child without an OCA group of its own is in the one of its bracket."""
    if ticket.parent is not None and not ticket.order.ocaGroup:
        ticket.order.ocaGroup = str(ticket.parent.order.permId)
        ticket.order.ocaType = REDUCING


def root(ticket):
    while ticket.parent is not None:
        ticket = ticket.parent
    return ticket


def members(book, ticket):
    """The ticket and all below it, parents first."""
    found = [ticket]
    for child in book.children(ticket):
        found += members(book, child)
    return found


def after_fill(floor, ticket, now, share):
    """The others of the group shrink by the `share` that has traded, or end; then the children come to life."""
    others = floor.book.siblings(ticket)
    for other in others:
        if not other.alive:
            continue
        if ticket.status == 'Filled' or (ticket.order.ocaType == BLOCKING):
            floor.end(other, now, 'Cancelled')
        else:
            floor.reduce(other, now, other.remaining * share)
    for child in floor.book.children(ticket):
        floor.step(child, now)


def after_end(floor, ticket, now):
    """Children end with a parent that never traded; else they protect what it has traded."""
    for child in floor.book.children(ticket):
        if not child.alive:
            continue
        if not ticket.filled:
            floor.end(child, now, 'Cancelled')
        elif child.order.totalQuantity > ticket.filled:
            floor.reduce(child, now, child.order.totalQuantity - ticket.filled)


def after_cancel(floor, ticket, now):
    """Who cancels one of a group cancels all of it; an order that the system ends leaves the others (IBKR Campus)."""
    for other in floor.book.siblings(ticket):
        floor.end(other, now, floor.scenario.cancel_status)
