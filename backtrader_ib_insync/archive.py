"""What one feed asks of TWS's history, and what becomes of a failure."""
from . import history, livestream
from .daynumber import seconds
from .errors import HistoryFailed
from .progress import Progress

#: seconds from which a download of ticks is long
LONG_SECONDS = 3600


class Archive:
    """The history of the contract of `feed`; answers come in the queue that is given with a question."""

    def __init__(self, feed, store):
        self.progress = Progress(feed._name)
        self._feed = feed
        self._store = store

    def resume(self, covered, start=False):
        """Have the feed's course deliver what there is since `covered` (or since `fromdate`), then go on live."""
        feed, p = self._feed, self._feed.p
        begin = covered
        if begin is None and p.fromdate is not None:
            begin = seconds(feed.fromdate)
        if not feed.islive():
            feed.course.catch_up(begin, feed.course.ends_at(None if p.todate is None else seconds(feed.todate)))
        elif (p.backfill_start or not start) and feed.course.has_past(begin):
            feed.course.catch_up(begin, feed.course.closed_up_to())
        else:
            feed.course.go_live()

    def download(self, begin, end, size, answers, seen=0.0):
        """Ask for the bars of [begin, end); whether there was anything to ask for.

        `seen` is the time of something that the live stream has told, which is there to be asked for, too.
        """
        feed, now = self._feed, self._store.clock()
        if feed.islive():
            # the stream has proven that `end` has passed, of which our idea of TWS's clock may fall short
            now = max(now, end, seen)
        if history.has_no_end(feed.contract.secType, livestream.what(feed)):
            plan = history.plan_till_now(begin, now, size)
        else:
            plan = history.plan(begin, end + self._beyond(size), size, now)
        self.progress = Progress(feed._name)
        if plan:
            self._store.download(feed.contract, plan, livestream.what(feed), feed.p.useRTH, answers)
        return bool(plan)

    def _beyond(self, size):
        """Seconds by which more is asked for: a bar that begins later shows that those before it are whole."""
        seconds = history.SIZES[size].seconds
        return seconds if self._feed.islive() and seconds < history.DAY else 0

    def download_ticks(self, begin, end, kind, answers):
        """Ask for the ticks of the seconds [begin, end), or for the last ones before it; what `abandon` takes."""
        feed = self._feed
        self.progress = Progress(feed._name, 'seconds of history', LONG_SECONDS)
        return self._store.download_ticks(feed.contract, begin, end, kind, feed.p.useRTH, answers)

    def failed(self, record):
        """History has a hole: an error where history is all there is, a notice where the live stream goes on."""
        feed = self._feed
        self.progress.close()
        text = 'history: {} {}'.format(record.code or '', record.text)
        if not feed.islive():
            feed.quit()
            raise HistoryFailed('{}: {}; what came before is not the whole range'.format(feed._name, text))
        feed.say('{}; {} are missing here'.format(text, 'ticks' if feed.declared.is_of_ticks else 'bars'))
