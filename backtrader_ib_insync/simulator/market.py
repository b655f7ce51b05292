"""The market: what is listed, when it trades, and all that ever was or will be traded: the ground truth.

A pure function of (seed, replayed files, what tests inject): any moment of any year can be asked for, in any order.
Times are seconds since the epoch, UTC. What holds at `t` includes what happened at `t`; ranges are [start, end).
"""
from . import bars, listings, tapes, zones
from .archive import Archive
from .instruments import MARKET_RULES, matches
from .records import Quote, Trade
from .sessions import HALF_HOUR

START = zones.parse('2024-11-20 10:00', 'US/Eastern')
NO_QUOTE = (-1.0, -1.0, 0.0, 0.0)
LOOK_BACK = 40


class Market:
    """Instruments with their tapes.

    `instruments` is a listings.Listing (or Instruments in a list), `prices` maps a conId, localSymbol or symbol to a
    replay.Csv, `seed` decides everything else.
    """

    def __init__(self, instruments=None, prices=None, seed=1):
        if instruments is None:
            instruments = listings.default()
        elif not isinstance(instruments, listings.Listing):
            instruments = listings.Listing(instruments)
        self.listing = instruments
        self.seed = seed
        self._archive = Archive(instruments, seed, prices or {})
        self._tape = self._archive.tape

    def find(self, contract, now=START):
        """The Instruments a contract may mean, none or several; their exchange is the one asked for."""
        candidates = (self._by_id if contract.conId else self.listing.candidates)(contract, now)
        found = [instrument for instrument in candidates
                 if matches(instrument, contract) and (contract.includeExpired or not instrument.has_expired(now))]
        return [_routed(instrument, contract.exchange) for instrument in found]

    def _by_id(self, contract, now):
        instrument = self.by_conId(contract.conId)
        if instrument and contract.secType == 'CONTFUT':
            return [self.listing.family_of(contract.conId).continuous(now)]
        return [instrument] if instrument else []

    def by_conId(self, conId):
        """The Instrument of a conId, None when there is none."""
        return self.listing.by_conId(conId)

    def details(self, contract, now=START):
        """`find`, each with the trading hours of the days from `now` on, as contract details tell them."""
        return [instrument.at(now) for instrument in self.find(contract, now)]

    def matching(self, pattern):
        """The Instruments whose symbol or name begins with or contains `pattern`, as reqMatchingSymbols finds them."""
        wanted = pattern.upper()
        return [one for one in self.listing.instruments
                if one.symbol.startswith(wanted) or wanted in one.longName.upper()]

    def market_rule(self, ruleId):
        """The (lowEdge, increment) pairs of a market rule; KeyError for an unknown one."""
        return MARKET_RULES[ruleId]

    def option_params(self, conId, now=START):
        """Of each option family on an underlying: (exchange, tradingClass, multiplier, expirations, strikes)."""
        return [row for family in self.listing.families for row in family.params(conId, now)]

    def sessions(self, instrument, date):
        """The Session of a date, None when closed."""
        return instrument.hours.session(date)

    def is_open(self, instrument, t, rth=False):
        return instrument.hours.session_at(t, rth) is not None

    def next_open(self, instrument, t, rth=False):
        """The first moment from `t` on when it is open."""
        return instrument.hours.next_open(t, rth)

    def next_close(self, instrument, t, rth=False):
        """The first close after `t`."""
        return instrument.hours.next_close(t, rth)

    def head(self, instrument, rth=False):
        """The first moment there can be data of."""
        return instrument.hours.next_session(zones.to_utc(instrument.since, 0, instrument.zone)).hours(rth)[0][0]

    def trades(self, instrument, start, end):
        """The Trades in [start, end), in order; none for what is only quoted, of size 0 for an index."""
        if not instrument.has_last:
            return []
        return [trade for session in self._sessions(instrument, start, end)
                for trade in self._session_trades(instrument, session, start, end)]

    def _session_trades(self, instrument, session, start, end):
        tape = self._tape(instrument, session.date)
        found = list(self._prints(tape, session, start, end))
        total, money = self._so_far(tape, session, start) if found else (0, 0)
        for one in found:
            total += one.steps
            money += one.steps * one.ticks
            average = instrument.price(money / total) if total else 0.0
            sizes = (_size(instrument, steps) for steps in (one.steps, total))
            yield Trade(one.time, instrument.price(one.ticks), *sizes, vwap=average)

    def _so_far(self, tape, session, start):
        """Volume and turnover (in steps and ticks) of a session before `start`."""
        done = [cell for _, cell in tapes.pieces(tape, session, session.open, start, False, HALF_HOUR)]
        return sum(cell.volume for cell in done), sum(cell.volume * cell.wap for cell in done)

    def _prints(self, tape, session, start, end):
        for slot in tape.slots(session):
            if slot.cell and slot.start < end and slot.end > start:
                for minute in tape.minutes(slot):
                    if minute.start < end and minute.end > start:
                        yield from (one for one in tape.prints(minute) if start <= one.time < end)

    def quotes(self, instrument, start, end):
        """The Quotes that begin in [start, end): one at each open, with each print, and an empty one at each close."""
        if not instrument.is_quoted:
            return []
        found = []
        for session in self._sessions(instrument, start, end):
            tape = self._tape(instrument, session.date)
            found += [self._quote(instrument, one.time, one.ticks) for one in self._prints(tape, session, start, end)]
            opens = [begin for begin, _ in session.spans if start <= begin < end]
            found += [self._quote(instrument, begin, self._last_ticks(instrument, begin)) for begin in opens]
        closes = [close for session in self._sessions(instrument, start - 1, end) for _, close in session.spans]
        found += [Quote(close, *NO_QUOTE) for close in closes if start <= close < end]
        return sorted(found, key=lambda quote: quote.time)

    def _quote(self, instrument, time, ticks):
        below, above = bars.offsets(instrument)
        number = self._archive.walk.key(instrument.conId, int(time * 1000))
        lot = max(1.0, instrument.lot)
        sizes = (_size(instrument, round(lot * (1 + share % 20) / 4) + 1) for share in (number, number >> 8))
        return Quote(time, instrument.price(max(ticks - below, 0.0)), instrument.price(ticks + above), *sizes)

    def quote(self, instrument, t):
        """The Quote that holds at `t`; bid and ask -1 and sizes 0 when closed, and always for an index."""
        session = instrument.hours.session_at(t)
        if session is None or not instrument.is_quoted:
            return Quote(t, *NO_QUOTE)
        opened = max(begin for begin, _ in session.spans if begin <= t)
        one = self._last_print(instrument, t)
        if one is None:
            return self._quote(instrument, opened, self._last_ticks(instrument, t))
        return self._quote(instrument, max(one.time, opened), one.ticks)

    def last(self, instrument, t):
        """The last price at `t`, printed then or before (of what has quotes only: what these stand around)."""
        return instrument.price(self._last_ticks(instrument, t))

    def last_trade(self, instrument, t):
        """The Trade last printed at `t` or before, None when there was none for weeks or there are no trades."""
        one = self._last_print(instrument, t) if instrument.has_last else None
        return self.trades(instrument, one.time, one.time + 0.0005)[-1] if one else None

    def _last_ticks(self, instrument, t):
        one = self._last_print(instrument, t)
        if one:
            return one.ticks
        return self._tape(instrument, zones.local(t, instrument.zone).date()).resting_price(t)

    def _last_print(self, instrument, t):
        session = instrument.hours.next_session(t)
        for _ in range(LOOK_BACK):
            tape = self._tape(instrument, session.date)
            one = _last_in(tape, session, t)
            if one:
                return one
            if not tape.has_past:
                return None
            session = instrument.hours.previous_session(session)
        return None

    def next_change(self, instrument, t):
        """When after `t` the next print, open or close comes: when a live stream must look again."""
        edge = instrument.hours.next_close(t) if self.is_open(instrument, t) else instrument.hours.next_open(t)
        for session in self._sessions(instrument, t, edge):
            tape = self._tape(instrument, session.date)
            return next((one.time for one in self._prints(tape, session, t, edge) if one.time > t), edge)
        return edge

    def greeks(self, instrument, t):
        """The options.Greeks of an option at `t`, by its underlying's last price then."""
        underlying = self.by_conId(instrument.underConId)
        price = self.last(underlying, t)
        return tapes.greeks(instrument, price, t)

    def bars(self, instrument, size, start, end, what='TRADES', rth=False):
        """The Bars of a TWS bar size that start in [start, end), as history tells them at the moment `end`.

        Nothing traded from `end` on is in them: the last one may be in progress. Where nothing was printed there is no
        bar. Days and longer start with their label; the running week's or month's is that of its latest session.
        """
        bars.seconds(size)
        if not _has(instrument, what):
            return []
        if size in bars.LONG:
            return self._long_bars(instrument, size, start, end, what, rth)
        built = []
        for session in self._sessions(instrument, start, end):
            builder = bars.Builder(instrument, what, self._factor(instrument, session, what))
            bars.intraday(builder, self._tape(instrument, session.date), session, size, start, end, rth)
            built += builder.bars
        return built

    def _long_bars(self, instrument, size, start, end, what, rth):
        """Days joined by period, each period stamped with its last session's date."""
        groups = {}
        for session in self._sessions(instrument, start - bars.seconds(size) - 86400, end):
            cell = bars.whole_session(self._tape(instrument, session.date), session, end, rth)
            if cell:
                factor = self._factor(instrument, session, what)
                groups.setdefault(bars.period(size, session.date), []).append((session.date, cell, factor))
        built = [bars.bar(instrument, zones.label_of(days[-1][0]), [cell for _, cell, _ in days], what, days[-1][2])
                 for days in groups.values()]
        return [bar for bar in built if bar.time >= start]

    def inject(self, instrument, *trades):
        """Add trades (time, price, size) of a test's own: part of the truth from then on."""
        rows = [self._understood(instrument, trade) for trade in trades]
        self._archive.add(instrument, rows)

    def _understood(self, instrument, trade):
        time, price, size = trade[:3]
        if not self.is_open(instrument, time):
            raise ValueError('{} is closed at {}: choose a time within its sessions, say {}'.format(
                instrument.contract.localSymbol, zones.local(time, instrument.zone), zones.local(
                    self.next_open(instrument, time), instrument.zone)))
        return time, instrument.ticks(price), round(size / instrument.size_step)

    def hold(self, instrument, price=None):
        """Silence the instrument: it rests at `price` (its base), nothing is printed any more but what is injected."""
        ticks = None if price is None else instrument.ticks(price)
        self._archive.hold(instrument, ticks)

    def script(self, instrument, rows):
        """Replace the instrument's tape by rows of (time, price, size); it rests at the first's price before."""
        rows = list(rows)
        self.hold(instrument, min(rows)[1] if rows else None)
        self.inject(instrument, *rows)

    def replay(self, name, source):
        """Let `source` print what a conId, localSymbol or symbol trades."""
        self._archive.replay(name, source)

    def _sessions(self, instrument, start, end):
        """The sessions with a moment in [start, end) within the instrument's life."""
        return [session for session in instrument.hours.between(start, end) if session.date >= instrument.since
                and (instrument.until is None or session.date <= instrument.until)]

    def _factor(self, instrument, session, what):
        """What ADJUSTED_LAST multiplies a session's prices with."""
        return self._tape(instrument, session.date).factor(session) if what == 'ADJUSTED_LAST' else 1.0


def _routed(instrument, exchange):
    """The instrument with the exchange it was asked for."""
    if not exchange or exchange == instrument.contract.exchange:
        return instrument
    return instrument._replace(contract=instrument.contract._replace(exchange=exchange.upper()))


def _size(instrument, steps):
    return round(steps * instrument.size_step, 8)


def _has(instrument, what):
    """Whether there is such data; ValueError for a word TWS does not know."""
    if what in bars.TRADES:
        return instrument.has_last
    if what in bars.QUOTES:
        return instrument.is_quoted
    raise ValueError('whatToShow {!r} is not one of {}'.format(what, ', '.join(bars.TRADES + bars.QUOTES)))


def _last_in(tape, session, t):
    """The last print of a session at `t` or before."""
    for slot in reversed(tape.slots(session)):
        if slot.cell and slot.start <= t:
            for minute in reversed(tape.minutes(slot)):
                if minute.cell and minute.start <= t:
                    for one in reversed(tape.prints(minute)):
                        if one.time <= t:
                            return one
    return None
