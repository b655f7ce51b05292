"""Which of its versions TWS works, of an order that is being changed. Strategy thread."""
import math

from backtrader import Order

from . import order_changes


class Versions:
    """Follows changes on their way: taken, refused, or made by somebody else.

    `doubts` asks TWS where nothing else tells, `groups` hears of an order that TWS does not take into one, and
    `ended(order)` of one that was filled before its change came.
    """

    def __init__(self, book, groups, doubts, ended):
        self._book = book
        self._groups = groups
        self._doubts = doubts
        self._ended = ended

    def shown(self, order, told):
        """What TWS works is what counts: a change made by hand, or our own now confirmed."""
        if order.life.before is None:
            terms, tws = order_changes.followed(order.exectype, order.terms, order.tws, told)
            if tws is not order.tws:
                order.tws = tws
                order.ask(terms)
            return
        versions = order.versions()
        # the first of several changes may have been taken, and the last refused
        order.life.before = order_changes.left(order.exectype, versions, told)[:-1] or None
        if order.life.before is None:
            self._note_filled(order)
        elif not order.life.doubt and all(order_changes.differing(each.tws, told) for each in versions):
            # somebody else has changed it, before ours came or after
            self._doubts.add(order)

    def refused(self, order):
        """TWS refused a modification, or a cancel when there is none: it knows the order."""
        order.life.acknowledged = True
        if order.life.before is not None and len(order.life.before) > 1:
            # which of them, only its view of the order tells
            self._doubts.add(order)
        else:
            self.restore(order)

    def restore(self, order, place=0):
        """TWS works the order as it was before a modification: before all that are on their way, or before the last."""
        if order.life.before is None:
            order.life.cancel_asked = False
            return
        terms, tws, until = order.life.before[place]
        order.life.before = order.life.before[:place] or None
        if tws.ocaGroup != order.tws.ocaGroup:
            order.life.group = order.tws.ocaGroup
            self._groups.refused(order)
        permId = order.tws.permId
        order.ask(terms)
        order.state(tws, until)
        self._book.name(order, permId)
        self._note_filled(order)

    def _note_filled(self, order):
        """It may have been filled while a modification was on its way."""
        if order.executed.size and not order.executed.remsize:
            order.life.close(Order.Completed, order.done, math.inf)
            self._ended(order)

    def take_least(self, order):
        """It is filled: as the smallest that TWS may have worked, if changes were on their way and come to nothing."""
        sizes = [version.terms.size for version in order.versions()]
        least = min((size for size in sizes if size >= order.done), default=sizes[-1])
        if least != sizes[-1]:
            self.restore(order, sizes.index(least))
        order.life.before = None
