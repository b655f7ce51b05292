"""The attempts to have a session with TWS: when the next one may begin, whether there is one, what a person is told.

Loop thread only.
"""
import logging
import random

from .messages import Notice

log = logging.getLogger(__name__)

#: seconds that reconnecting for ever backs off to
BACKOFF_SECONDS = 60.0


class Attempts:
    """Counts those that failed in a row, as `reconnect` and `timeout` of the settings allow; times are of one clock.

    A session lost within `timeout` seconds was an attempt that failed: TWS may throw everybody out at once.
    """

    def __init__(self, settings, publish):
        self.settings = settings
        self.publish = publish
        #: whether one of them has led to a session
        self.had_session = False
        # the first of all repeats nothing
        self._failed = -1
        self._begun = self._up = float('-inf')

    def due(self):
        """When the next one may begin."""
        return self._begun + self._pause()

    def _pause(self):
        """Seconds between the beginnings of two."""
        base = max(self.settings.timeout, 0.0)
        if self.settings.reconnect >= 0 or self._failed < 2:
            return base
        return min(base * 2 ** min(self._failed - 1, 10), max(BACKOFF_SECONDS, base)) * random.uniform(0.8, 1.0)

    def begin(self, now):
        self._begun = now

    def succeed(self, now):
        """It has led to a session."""
        self.had_session = True
        self._up = now

    def lose(self, now):
        """The session it led to is over."""
        self._failed = 0 if now - self._up > self.settings.timeout else self._failed + 1

    def fail(self):
        """It has led to none."""
        self._failed += 1

    def are_spent(self):
        return 0 <= self.settings.reconnect <= self._failed

    def tell(self, reason):
        """There will be another one: the first failure of a row is told, the others are for the log."""
        log.info('%s', reason)
        if self._failed == (1 if self.had_session else 0):
            left = self.settings.reconnect - self._failed
            how = 'for ever' if left < 0 else 'up to {} times'.format(left)
            dot = '' if reason.endswith('?') else '.'
            self.publish(Notice(-1, 0, '{}{} Trying again {}, every {:g} s at first'.format(
                reason, dot, how, self.settings.timeout)))
