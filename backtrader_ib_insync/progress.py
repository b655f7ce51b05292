"""How far a long download has come: a bar on a terminal, lines in the log elsewhere."""
import logging
import sys

log = logging.getLogger(__name__)

#: requests from which a download is long
MANY = 8
#: parts of a download that the log tells of
PARTS = 10


class Progress:
    """Follows one download; made anew for each, `told(done, of)` after each answer."""

    def __init__(self, name, unit='requests for history', many=MANY):
        self._name = name
        self._unit = unit
        self._many = many
        self._bar = None
        self._part = 0
        self._is_begun = False

    def told(self, done, of):
        """So many of so many units have come."""
        if of < self._many:
            return
        if not self._is_begun:
            self._is_begun = True
            self._bar = _bar(self._name, of, self._unit)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
            if done == of:
                self._bar.close()
        else:
            self._log(done, of)

    def _log(self, done, of):
        part = done * PARTS // of
        if part != self._part:
            self._part = part
            log.info('%s: %d of %d %s answered', self._name, done, of, self._unit)

    def close(self):
        """The download has ended, wherever it was."""
        if self._bar is not None:
            self._bar.close()


def _bar(name, of, unit):
    """tqdm's bar, None without a terminal or without tqdm."""
    if not sys.stderr or not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=of, desc=name, unit=' ' + unit)
