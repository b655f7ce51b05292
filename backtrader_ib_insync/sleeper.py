"""The strategy thread asleep: how long, and what wakes it (backtrader-contract.md 2.6)."""
import time

#: seconds of a sleep that only a record ends: Python cannot wait for ever with a bound
LONGEST_SLEEP = 3600.0


class Sleeper:
    """Sleeps once a pass of cerebro's, however many feeds it has; whatever comes for anybody wakes it by `waker`.

    `link`, `guests` and the queue `notifs` are what something may come for; `let_go()` is called before a sleep.
    """

    def __init__(self, waker, link, guests, notifs, let_go):
        self.waker = waker
        self.link = link
        self.guests = guests
        self.notifs = notifs
        self.let_go = let_go
        #: whether a feed has delivered a bar in this pass: then nobody sleeps in it
        self.pass_hit = False
        self._deadline = None

    def begin_pass(self):
        """cerebro begins to ask one after the other."""
        self.pass_hit = False
        self._deadline = None

    def pending(self):
        """Whether anything waits to be handled by the strategy thread."""
        return bool(self.link.inbox or self.notifs or self.guests.backlog())

    def sleep(self, seconds):
        """Sleep till something comes, at most `seconds` from the first sleep of the pass."""
        self.let_go()
        kicks = self.waker.kicks
        if self.pending():
            return
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + seconds
        due = min(self._deadline - now, self.guests.due())
        if due > 0:
            self.waker.wait(kicks, due)
        self.link.drain()

    def await_fact(self, fact, seconds):
        """Sleep till `fact()` holds, which is asked at each record that comes; False after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            kicks = self.waker.kicks
            self.link.drain()
            left = end - time.monotonic()
            if fact():
                return True
            if left <= 0:
                return False
            self.waker.wait(kicks, min(left, LONGEST_SLEEP))

    def await_kick(self, data, seconds):
        """Sleep till anything comes, at most `seconds`; for a feed that must not answer "nothing yet".

        What waits for others does not count: while backtrader loads this feed nobody else takes anything.
        """
        kicks = self.waker.kicks
        if not self.link.inbox and not data.backlog():
            self.waker.wait(kicks, seconds)
        self.link.drain()
