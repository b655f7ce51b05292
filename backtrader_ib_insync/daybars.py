"""When bars of a day and longer end: by the session of their last day (pure)."""
import calendar
import datetime

from backtrader import TimeFrame

from .zones import DAY, epoch, moment, session_end, sessions

ONE_DAY = datetime.timedelta(days=1)


class DayEnds:
    """The ends of bars that TWS labels with a date; `hours` is a tradingHours or liquidHours text of contract details.

    `sessionend` (a time of day in `zone`) rules over the hours when it is given.
    """

    def __init__(self, timeframe, hours, zone, sessionend=None):
        self._timeframe = timeframe
        self._hours = hours
        self._zone = zone
        self._sessionend = sessionend
        # coins trade all week, which then ends on Sunday
        self._last_weekday = 6 if any(session.date.weekday() == 5 for session in sessions(hours, zone)) else 4

    def of(self, timeframe):
        """The ends of bars of another timeframe, of the same contract."""
        return DayEnds(timeframe, self._hours, self._zone, self._sessionend)

    def end(self, label):
        """The end of the session of the day that a bar's label (00:00 UTC of a date, in epoch seconds) names."""
        return self._end_of(moment(label).date())

    def _end_of(self, date):
        if self._sessionend is None:
            found = session_end(date, self._hours, self._zone)
            if found is not None:
                return found
        time = self._sessionend or datetime.time(23, 59, 59)
        return epoch(datetime.datetime.combine(date, time), self._zone)

    def finished(self, label, now):
        """Whether the bar so labelled is complete at `now`: TWS labels a running week or month with the current day."""
        return self._end_of(self._last_day(moment(label).date())) <= now

    def stamped(self, time):
        """The end of the bar to which another source gave this time: its end, or the 00:00 of a date it holds."""
        date = moment(time).date()
        if time % DAY or time == self._end_of(date - ONE_DAY):
            return time
        if self._timeframe == TimeFrame.Weeks and date.weekday() > self._last_weekday:
            # a label of TWS's would be that of the week to come
            date -= (date.weekday() - self._last_weekday) * ONE_DAY
        return self._end_of(self._last_day(date))

    def is_listed(self, end):
        """Whether the hours tell of a session that ends then."""
        return any(session.end == end for session in sessions(self._hours, self._zone))

    def next_end(self, after):
        """The first end of a bar later than `after`."""
        date = moment(after, self._zone).date() - ONE_DAY
        while True:
            last = self._last_day(date)
            if self._end_of(last) > after:
                return self._end_of(last)
            date = last + ONE_DAY

    def _last_day(self, date):
        if self._timeframe == TimeFrame.Weeks:
            return date + (self._last_weekday - date.weekday()) % 7 * ONE_DAY
        if self._timeframe in (TimeFrame.Months, TimeFrame.Years):
            return self._last_of(date.year, 12 if self._timeframe == TimeFrame.Years else date.month, date)
        return date

    def _last_of(self, year, month, not_before):
        last = datetime.date(year, month, calendar.monthrange(year, month)[1])
        while last.weekday() > self._last_weekday and last > not_before:
            last -= ONE_DAY
        return last


def opens(hours, zone):
    """The times of day, in seconds, at which the sessions of `hours` begin."""
    starts = [moment(session.start, zone) for session in sessions(hours, zone)]
    return sorted({(start.hour * 60 + start.minute) * 60 for start in starts})


def usual_end(hours, zone, shown):
    """The time of day, in the zone `shown`, at which the sessions of `hours` end.

    None when it tells nothing or ends vary with midnight.
    """
    ends = [session.end for session in sessions(hours, zone) if moment(session.end, zone).time() != datetime.time()]
    times = [moment(end, shown).time() for end in ends]
    return max(times, key=times.count) if times else None
