"""Real prices from a CSV file instead of a walk: minute bars, daily bars or single trades.

    Market(prices={'FESX': Csv('fesx-2006-1min.csv', zone='Europe/Berlin', stamps='end')})
    Market(prices={'NVDA': Csv('nvda-1999-2014-daily.csv')})
    Market(prices={'FESX': Csv('fesx-2015-ticks.csv', zone='Europe/Berlin', stamps='trade')})

The first line names the columns: date or datetime (yyyy-mm-dd, perhaps a time after it), time, open, high, low, close,
volume, adj close; others are ignored, and a time column that the first line forgot is found. Each row comes out exactly
as it stands: what is longer is joined from rows, what is shorter split from them. A daily row is the regular session.
"""
import csv
import math
from bisect import bisect_right
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from . import cells, tapes, zones

STAMPS = ('start', 'end', 'trade')
MINUTE = 60


class Row(NamedTuple):
    """A line of the file: its number, its time as seconds since the epoch (a day: 00:00 UTC of its date)."""
    line: int
    time: float
    prices: tuple
    volume: float
    adjusted: float


class Csv:
    """A file of prices; `zone` is that of its clock, `stamps` whether times are starts or ends of bars, or of trades.

    `columns` names the columns when the first line does not.
    """

    def __init__(self, path, zone='UTC', stamps='end', columns=None):
        if stamps not in STAMPS:
            raise ValueError('stamps={!r} is not one of {}'.format(stamps, ', '.join(STAMPS)))
        zones.zone(zone)
        self.path = str(path)
        self._zone = zone
        self._stamps = stamps
        self._columns = columns
        self.is_daily = False
        self.rows = sorted(self._read(), key=lambda row: row.time)

    def tape(self, instrument, walk):
        """The tape of `instrument` as this file has it."""
        if self.is_daily:
            return DayTape(instrument, walk, self)
        if self._stamps == 'trade':
            return _trade_tape(instrument, walk, self)
        return MinuteTape(instrument, walk, self)

    def _read(self):
        with open(self.path, newline='') as lines:
            reader = csv.reader(lines)
            names = [name.strip().lower() for name in self._columns or next(reader, ())]
            found = []
            for fields in reader:
                if fields:
                    names = _with_time(names, fields)
                    found.append(self._row(reader.line_num, dict(zip(names, fields))))
        if not found:
            raise ValueError('{} has no rows: a line of column names and one per bar are needed'.format(self.path))
        return found

    def _row(self, line, fields):
        try:
            return self._understood(line, fields)
        except (KeyError, ValueError) as error:
            raise ValueError('{} line {}: {} in {!r}: date, open, high, low, close and volume are needed'.format(
                self.path, line, error, list(fields.values()))) from error

    def _understood(self, line, fields):
        prices = tuple(float(fields[name]) for name in ('open', 'high', 'low', 'close'))
        if not min(prices) == prices[2] <= max(prices) == prices[1]:
            raise ValueError('high is not the highest or low not the lowest')
        volume = float(fields.get('volume') or 0)
        return Row(line, self._time(fields), prices, volume, float(fields.get('adj close') or prices[3]))

    def _time(self, fields):
        date = fields['date'] if 'date' in fields else fields['datetime']
        day, _, clock = ' '.join((date.replace('T', ' '), fields.get('time', ''))).strip().partition(' ')
        self.is_daily = not clock
        if self.is_daily:
            return zones.label_of(_date(day))
        hours, minutes, seconds = (clock + ':0').split(':')[:3]
        time = zones.to_utc(_date(day), int(hours) * 60 + int(minutes), self._zone) + float(seconds)
        return time - MINUTE if self._stamps == 'end' else time

    def refuse(self, row, instrument):
        """A row that cannot have happened on this instrument."""
        wall = zones.local(row.time, instrument.zone)
        raise ValueError('{} line {}: {:%Y-%m-%d %H:%M:%S} {} is not a minute in the hours of {}: is the zone {!r} '
                         'right, are the stamps {!r}?'.format(self.path, row.line, wall, instrument.zone,
                                                       instrument.contract.localSymbol, self._zone, self._stamps))


@lru_cache(maxsize=4096)
def _date(text):
    """The date of 'yyyy-mm-dd'."""
    return datetime.strptime(text, '%Y-%m-%d').date()


def _with_time(names, fields):
    """The names with the one of the time column put in where the first line lacks it."""
    if len(fields) == len(names) + 1 and 'time' not in names and ':' in fields[1]:
        return names[:1] + ['time'] + names[1:]
    return names


class RowTape(tapes.Tape):
    """What tapes of rows share."""

    def __init__(self, instrument, walk, source):
        super().__init__(instrument, walk)
        self._rows = source.rows
        self._times = [row.time for row in source.rows]

    def _cell(self, row, minutes):
        """The row as a Cell; how many prints it was made of, nobody has told."""
        prices = [self.instrument.ticks(price) for price in row.prices]
        volume = round(row.volume / self.instrument.size_step) if self.instrument.is_traded else 0
        likely = max(1, math.ceil(self.instrument.activity * minutes))
        count = max(cells.least_count(*prices), min(likely, volume or likely))
        return cells.Cell(*prices, volume=volume, count=count)

    def resting_price(self, time):
        """The last row's close, before the first row its open."""
        number = bisect_right(self._times, time)
        return self.instrument.ticks(self._rows[number - 1].prices[3] if number else self._rows[0].prices[0])


class DayTape(RowTape):
    """Daily rows, split downwards over the regular session."""

    def __init__(self, instrument, walk, source):
        super().__init__(instrument, walk, source)
        self._days = {}
        for row in source.rows:
            session = instrument.hours.session(zones.date_of(row.time))
            if session is None:
                source.refuse(row, instrument)
            self._days[session.date] = row

    def day(self, session):
        row = self._days.get(session.date)
        return self._cell(row, sum(end - start for start, end in session.liquid) / MINUTE) if row else None

    def _weights(self, slots):
        return super()._weights(slots) if slots[0].is_liquid else [0.0] * len(slots)

    def factor(self, session):
        row = self._days.get(session.date)
        return row.adjusted / row.prices[3] if row and row.prices[3] else 1.0


class MinuteTape(RowTape):
    """Minute rows, joined upwards, split downwards into prints."""

    def __init__(self, instrument, walk, source):
        super().__init__(instrument, walk, source)
        self._minutes_known = {}
        session = None
        for row in source.rows:
            if session is None or not session.contains(row.time):
                session = instrument.hours.session_at(row.time)
            if session is None or row.time % MINUTE:
                source.refuse(row, instrument)
            self._minutes_known[row.time] = self._cell(row, 1)

    def day(self, session):
        return cells.merge(slot.cell for slot in self.slots(session))

    def regular(self, session):
        return tapes.regular_of(self, session)

    def _slots(self, session):
        return [tapes.Stretch(slot.start, slot.end, cells.merge(
            self._minutes_known.get(start) for start, end in tapes.minutes_between(slot.start, slot.end)))
            for slot in session.slots()]

    def _minutes(self, slot):
        return [tapes.Stretch(start, end, self._minutes_known.get(start))
                for start, end in tapes.minutes_between(slot.start, slot.end)]


def _trade_tape(instrument, walk, source):
    """The file's trades and nothing else."""
    for row in source.rows:
        if instrument.hours.session_at(row.time) is None:
            source.refuse(row, instrument)
    tape = tapes.Altered(tapes.Silent(instrument, walk, instrument.ticks(source.rows[0].prices[3])))
    tape.add((row.time, instrument.ticks(row.prices[3]), round(row.volume / instrument.size_step))
             for row in source.rows)
    return tape
