"""A course without a socket: the store it asks and the feed it tells, which a test holds in its hands."""
import collections

from backtrader_ib_insync.zones import UTC

NOON = 1732104000.0

Params = collections.namedtuple('Params', 'marketdatatype latethrough backfill')


class Store:
    """The clock, how often TWS's time was asked for, and the downloads that nobody waits for any more."""
    p = Params(1, False, True)

    def __init__(self):
        self.heard = NOON
        self.asked = 0
        self.abandoned = []
        self.link = self

    def clock(self):
        return self.heard

    def ask_time(self):
        self.asked += 1

    def abandon(self, download):
        self.abandoned.append(download)


class Feed:
    """Keeps what a course delivers (`story`), the ranges it asks for, and what it says to people.

    Who inherits it gives it a course, and keeps the ranges in `asked`.
    """
    CONNECTED, DISCONNECTED, CONNBROKEN, DELAYED, LIVE, NOTSUBSCRIBED = 'CONNECTED DISCONNECTED CONNBROKEN DELAYED ' \
        'LIVE NOTSUBSCRIBED'.split()
    p = Store.p
    zone = UTC

    def __init__(self):
        self.story, self.asked, self.said = [], [], []
        self.subscribed = True
        self.archive = self.rows = self.progress = self
        self.store = Store()

    def islive(self):
        return True

    def tell(self, status, *args):
        self.story.append(status)

    def told(self, number, of):
        """Nobody looks at the progress of a download."""

    def say(self, text):
        self.said.append(text)

    def failed(self, record):
        self.said.append(record.text)

    def unsubscribe(self):
        self.subscribed = False

    def run(self, *records, now=None):
        """Let these records arrive at this time, and the course take them in."""
        self.store.heard = self.store.heard if now is None else now
        while self.course.go_on(collections.deque(records)):
            records = ()

    def answer(self, record):
        """History answers this."""
        self.course.answers.append(record)
        self.run()

    def delivered(self):
        """The story without the statuses."""
        return [told for told in self.story if isinstance(told, tuple)]
