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

    def add(self, order):
        """An error seems to have ended the order, or to have refused its change."""
        order.life.doubt = self._asked + 1
        order.life.shown = ''
        self._is_due = True

    def ask(self):
        """Ask TWS about those that were added since, and again about those that it did not answer for."""
        now = time.monotonic()
        for order in self.book.unanswered(now - WORD_SECONDS):
            if self.store.link.up and order.life.is_unanswered():
                self.store.notify('TWS has said nothing of order {} since it was sent, changed or cancelled: it is '
                                  'asked what it has'.format(order.ref))
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
                self.clear(order)
