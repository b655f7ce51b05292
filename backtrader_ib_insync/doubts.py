"""Errors that may have ended an order, or only a change or a cancel of it, and silence: TWS is asked what it works."""
import time

#: seconds after which a question that TWS did not answer is asked again
ANSWER_SECONDS = 30.0
#: seconds that TWS has to say something of what it was sent
WORD_SECONDS = 30.0


class Doubts:
    """Has TWS list its open orders once for all that came into doubt in a pass, and clears them when it has."""

    def __init__(self, store, book, clear):
        self.store = store
        self.book = book
        self.clear = clear
        self._asked = self._viewed = self._answered = 0
        self._again = 0.0
        self._is_due = False
        #: refs of those in doubt because TWS did not answer
        self._silent = set()

    def add(self, order):
        """It is unclear whether TWS works the order, or a change of it."""
        order.life.doubt = self._asked + 1
        order.life.shown = ''
        self._is_due = True

    def ask(self):
        """Ask TWS about those that were added since, and again about those that it did not answer for."""
        now = time.monotonic()
        for order in self.book.unanswered(now - WORD_SECONDS) if self.store.link.up else ():
            if order.life.is_unanswered():
                self.store.notify('TWS has not settled what it was last sent of order {}: it is asked what it '
                                  'has'.format(order.ref))
                self._silent.add(order.ref)
                self.add(order)
        if self._answered < self._asked and now >= self._again:
            for order in self.book.open():
                if order.life.doubt:
                    self.add(order)
        if self._is_due:
            self._is_due = False
            self._asked += 1
            self._again = now + ANSWER_SECONDS
            self.store.list_orders(self._asked)

    def listed(self, record):
        """TWS has answered for what was in doubt before that question."""
        self._clear(record.number)

    def begin(self):
        """TWS begins to tell its whole view."""
        self._viewed = self._asked

    def settle(self):
        """A whole view of TWS's answers all questions that were asked before it."""
        self._clear(self._viewed)

    def _clear(self, number):
        self._answered = max(self._answered, number)
        for order in self.book.open():
            if 0 < order.life.doubt <= number:
                was_silent = order.ref in self._silent
                self._silent.discard(order.ref)
                self.clear(order, was_silent)
