"""Where every instrument's tape is kept: made when first asked for, altered by what a test injects."""
from functools import lru_cache

from . import replay, tapes
from .prices import Walk

OPTIONS = frozenset(('OPT', 'FOP'))


class Archive:
    """The tapes of a listing by a seed; `sources` maps a conId, localSymbol or symbol to a replay.Csv."""

    def __init__(self, listing, seed, sources):
        self.walk = Walk(seed)
        self._listing = listing
        self._sources = {}
        self._altered = {}
        self._made = lru_cache(maxsize=512)(self._make)
        for name, source in sources.items():
            self.replay(name, source)

    def tape(self, instrument, date):
        """The tape that prints an instrument on a date: a CONTFUT is the front future of the day."""
        conId = instrument.conId
        if instrument.secType == 'CONTFUT':
            conId = self._listing.family_of(conId).front(date).conId
        return self._altered.get(conId) or self._made(conId)

    def add(self, instrument, rows):
        """Print `rows`, (time, ticks, steps) each, too."""
        if instrument.conId not in self._altered:
            self._altered[instrument.conId] = tapes.Altered(self._made(instrument.conId))
        self._altered[instrument.conId].add(rows)

    def hold(self, instrument, ticks):
        """Print nothing any more."""
        self._altered[instrument.conId] = tapes.Altered(tapes.Silent(instrument, self.walk, ticks))

    def replay(self, name, source):
        """Print what `source` has, for what `name` (conId, localSymbol or symbol) means."""
        if not isinstance(source, replay.Csv):
            raise TypeError('prices of {!r} come from {!r}: give a replay.Csv(path, ...)'.format(name, source))
        self._sources[name] = source
        self._made.cache_clear()

    def _make(self, conId):
        instrument = self._listing.by_conId(conId)
        if instrument.secType in OPTIONS:
            return tapes.OptionTape(instrument, self.walk, self._made(instrument.underConId))
        for name in (conId, instrument.contract.localSymbol, instrument.symbol):
            if name in self._sources:
                return self._sources[name].tape(instrument, self.walk)
        return tapes.Tape(instrument, self.walk) if instrument.activity else tapes.Silent(instrument, self.walk)
