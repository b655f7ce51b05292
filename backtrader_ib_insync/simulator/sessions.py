"""When an instrument trades: the rule of its hours, and the session of any date by it.

A session belongs to a date, though it may open on the evening before. All hours lie in `spans`, regular trading hours
in `liquid`, which lies within. Times are seconds since the epoch, UTC; minutes count from local midnight of the date.
"""
from bisect import bisect_right
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple, Tuple

from . import holidays, zones

WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
DAY = timedelta(1)
HALF_HOUR = 1800
LONGEST_CLOSURE = 30


class Slot(NamedTuple):
    """At most half an hour of a session, wholly inside or wholly outside of regular hours."""
    start: float
    end: float
    is_liquid: bool


class Session(NamedTuple):
    date: object
    spans: Tuple[Tuple[float, float], ...]
    liquid: Tuple[Tuple[float, float], ...]

    @property
    def open(self):
        return self.spans[0][0]

    @property
    def close(self):
        return self.spans[-1][1]

    def hours(self, rth):
        """The spans that count: regular hours or all."""
        return self.liquid if rth else self.spans

    def contains(self, time, rth=False):
        return any(start <= time < end for start, end in self.hours(rth))

    def slots(self):
        """The session cut on clock half hours and where regular hours begin and end, in order."""
        return _slots(self)


@lru_cache(maxsize=8192)
def _slots(session):
    return tuple(slot for span in session.spans for slot in _span_slots(session, *span))


def _span_slots(session, start, end):
    edges = {start, end}
    edges.update(map(float, range(int(start) // HALF_HOUR * HALF_HOUR + HALF_HOUR, int(end), HALF_HOUR)))
    edges.update(edge for span in session.liquid for edge in span if start < edge < end)
    ordered = sorted(edges)
    liquid = {begin for begin in ordered for first, last in session.liquid if first <= begin < last}
    return [Slot(begin, finish, begin in liquid) for begin, finish in zip(ordered, ordered[1:])]


class Hours:
    """The rule: session of a date = spans of minutes on that date's local clock, unless a holiday says otherwise.

    `spans` and `liquid` are pairs of minutes, negative for the evening before; an early close cuts both, `late` minutes
    later for the former (after-hours trading goes on when the regular session ends early).
    """

    def __init__(self, zone, spans, liquid=None, weekdays=WEEKDAYS, holiday=holidays.never, late=0):
        self.zone = zone
        self._spans = spans
        self._liquid = spans if liquid is None else liquid
        self._weekdays = weekdays
        self._holiday = holiday
        self._late = late
        self._known = {}

    def session(self, date):
        """The Session of `date`, None when closed all day."""
        if date not in self._known:
            if len(self._known) > 20000:
                self._known.clear()
            self._known[date] = self._work_out(date)
        return self._known[date]

    def _work_out(self, date):
        if date.weekday() not in self._weekdays:
            return None
        close = self._holiday(date)
        if close == holidays.CLOSED:
            return None
        spans, liquid = self._spans, self._liquid
        if close is not None:
            spans, liquid = _cut(spans, close + self._late), _cut(liquid, close)
        return Session(date, self._times(date, spans), self._times(date, liquid))

    def _times(self, date, spans):
        return tuple((zones.to_utc(date, start, self.zone), zones.to_utc(date, end, self.zone)) for start, end in spans)

    def session_at(self, time, rth=False):
        """The session open at `time`, or None."""
        for session in self._near(time):
            if session.contains(time, rth):
                return session
        return None

    def _near(self, time):
        date = zones.local(time, self.zone).date()
        found = (self.session(day) for day in (date - DAY, date, date + DAY))
        return [session for session in found if session]

    def next_session(self, time):
        """The first session that is not over at `time` (closing after it)."""
        date = zones.local(time, self.zone).date() - DAY
        for _ in range(LONGEST_CLOSURE):
            session = self.session(date)
            if session and session.close > time:
                return session
            date += DAY
        raise ValueError('no session within {} days after {}'.format(LONGEST_CLOSURE, zones.local(time, self.zone)))

    def previous_session(self, session):
        """The session before `session`."""
        date = session.date - DAY
        for _ in range(LONGEST_CLOSURE):
            if self.session(date):
                return self.session(date)
            date -= DAY
        raise ValueError('no session within {} days before {}'.format(LONGEST_CLOSURE, session.date))

    def between(self, start, end):
        """The sessions that have a moment in [start, end), in order."""
        date = zones.local(start, self.zone).date() - DAY
        last = zones.local(end, self.zone).date() + DAY
        while date <= last:
            session = self.session(date)
            if session and session.close > start and session.open < end:
                yield session
            date += DAY

    def next_open(self, time, rth=False):
        """The first moment at or after `time` when it opens; `time` itself when open then."""
        session = self.next_session(time)
        while True:
            for start, end in session.hours(rth):
                if end > time:
                    return max(start, time)
            session = self.next_session(session.close)

    def next_close(self, time, rth=False):
        """The first close after `time`, of the spell in progress or else of the next one."""
        opened = self.next_open(time, rth)
        session = self.session_at(opened, rth)
        ends = [end for start, end in session.hours(rth)]
        return ends[bisect_right(ends, opened)]

    def text(self, now, rth=False, days=6):
        """TWS's tradingHours (or liquidHours) text for `days` dates from today's on."""
        date = zones.local(now, self.zone).date()
        parts = []
        for _ in range(days):
            parts += self._day_text(date, rth)
            date += DAY
        return ';'.join(parts)

    def _day_text(self, date, rth):
        """One entry per span of the session of `date`; none for a Sunday whose evening opens Monday's session."""
        session, following = self.session(date), self.session(date + DAY)
        if session:
            return ['-'.join('{:%Y%m%d:%H%M}'.format(zones.local(time, self.zone)) for time in span)
                    for span in session.hours(rth)]
        if following and zones.local(following.hours(rth)[0][0], self.zone).date() == date:
            return []
        return ['{:%Y%m%d}:CLOSED'.format(date)]


def _cut(spans, close):
    """The spans up to minute `close`."""
    return tuple((start, min(end, close)) for start, end in spans if start < close)


def clock(text):
    """Minutes after midnight of 'HH:MM', '-HH:MM' being that time on the evening before."""
    hours, minutes = text.lstrip('-').split(':')
    count = int(hours) * 60 + int(minutes)
    return count - 1440 if text.startswith('-') else count


def spans(text):
    """'09:30-16:00' or '-17:00>16:00' (from the evening before), several separated by blanks, as pairs of minutes."""
    pairs = (word.split('>') if '>' in word else word.split('-') for word in text.split())
    return tuple((clock(start), clock(end)) for start, end in pairs)


US_STOCKS = Hours('US/Eastern', spans('04:00-20:00'), spans('09:30-16:00'), holiday=holidays.nyse, late=240)
US_OPTIONS = Hours('US/Eastern', spans('09:30-16:00'), holiday=holidays.nyse)
US_BONDS = Hours('US/Eastern', spans('08:00-17:00'), holiday=holidays.nyse)
US_INDICES = Hours('US/Central', spans('08:30-15:15'), spans('08:30-15:00'), holiday=holidays.cboe, late=15)
CME = Hours('US/Central', spans('-17:00>16:00'), spans('08:30-16:00'), holiday=holidays.cme)
FOREX = Hours('US/Eastern', spans('-17:15>17:00'), holiday=holidays.forex)
METALS = Hours('US/Eastern', spans('-18:00>17:00'), holiday=holidays.forex)
EUREX = Hours('MET', spans('01:10-22:00'), spans('09:00-17:30'), holiday=holidays.eurex)
LSE = Hours('GB-Eire', spans('08:00-16:30'), holiday=holidays.lse)
TOKYO = Hours('Japan', spans('09:00-11:30 12:30-15:00'), holiday=holidays.tokyo)
CRYPTO = Hours('US/Eastern', spans('00:00-24:00'), weekdays=EVERY_DAY)
