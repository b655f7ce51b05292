"""What the contract of a feed says of its orders, kept: an order must not wait for it. Strategy thread."""
import bisect
import collections
import logging

from . import zones
from .errors import UnknownZone
from .messages import Contracts
from .order_fields import Setting

log = logging.getLogger(__name__)

#: seconds before the last session that is known ends, from which on TWS is asked for more; and from look to look
AHEAD_SECONDS = 2 * 86400.0
LOOK_SECONDS = 1800.0


class Facts:
    """Of one feed, as far as TWS has told; `are_of` tells whether they still hold."""

    def __init__(self, data, rules, link):
        contract = data.tradecontract
        details = getattr(data, 'tradecontractdetails', None)
        self._made_of = data, contract, details, rules
        self.secType = contract.secType
        self.increments = link.price_increments(details, contract.exchange)
        #: the feed's, for naive dates of a strategy's
        self.zone = getattr(data, '_tz', None) or zones.UTC
        self.orderTypes = details.orderTypes if details is not None else ''
        #: whether the prices of the feed are those of what it trades: not by a `tradename` of something else
        self.priced = getattr(data, 'contract', contract).conId == contract.conId
        self.home, self.day_ends = self.zone, []
        try:
            self._read_hours(details)
        except (ValueError, UnknownZone) as error:
            log.warning('the ends of trading days are unknown, and so when day orders expire: %s', error)

    def _read_hours(self, details):
        """The exchange's zone, and when its days end."""
        if details is not None and details.timeZoneId:
            self.home = zones.zone(details.timeZoneId)
        hours = details and (details.liquidHours or details.tradingHours)
        if hours:
            self.day_ends = [session.end for session in zones.sessions(hours, self.home)]

    def are_of(self, data, rules):
        own, contract, details, known = self._made_of
        return (own is data and contract is data.tradecontract and known == rules
                and details is getattr(data, 'tradecontractdetails', None))


class Settings:
    """Where orders are asked, by feed; `store` has clock and link."""

    def __init__(self, store):
        self._store = store
        self._facts = {}
        self._next_look = 0.0
        self._asked = []

    def look_around(self, datas):
        """Have TWS tell the hours of the days to come before those that it has told run out."""
        if self._asked:
            self._asked = [(identity, answers) for identity, answers in self._asked if not _renewed(identity, answers)]
        now = self._store.clock()
        if now >= self._next_look and self._store.link.up:
            self._next_look = now + LOOK_SECONDS
            for data in datas:
                self._look_at(data, now)

    def _look_at(self, data, now):
        identity = getattr(data, 'identity', None)
        if identity is not None and identity.tradedetails is not None and self._runs_out(data, now):
            answers = collections.deque()
            self._asked.append((identity, answers))
            self._store.find_contract(data.tradecontract, answers)

    def _runs_out(self, data, now):
        ends = self._of(data).day_ends
        return bool(ends) and ends[-1] - now < AHEAD_SECONDS

    def _of(self, data):
        facts, rules = self._facts.get(id(data)), len(self._store.link.rules)
        if facts is None or not facts.are_of(data, rules):
            facts = self._facts[id(data)] = Facts(data, rules, self._store.link)
        return facts

    def of(self, data, bar):
        """The Setting of an order for `data`, which stands on `bar` (as `last_bar` has it)."""
        facts = self._of(data)
        reference = bar[1] if bar and facts.priced else None
        return Setting(facts.secType, facts.increments, reference, facts.zone, self._store.clock(), facts.orderTypes)

    def until(self, tws, data):
        """When TWS lets an order expire, epoch seconds; None when it has no date or one that cannot be read.

        A goodTillDate that names no zone is read in the exchange's. TWS itself takes it for the zone that it was
        logged in with, which it tells nobody; `valid` of this library always goes out in UTC.
        """
        if tws.tif in ('DAY', 'DTC'):
            return self._day_end(data)
        try:
            return zones.parse_stamp(tws.goodTillDate, self._of(data).home) if tws.tif == 'GTD' else None
        except (ValueError, UnknownZone) as error:
            log.warning('an order is good till an unknown date: %s', error)
            return None

    def _day_end(self, data):
        """When the session that is open, or the next one, ends (epoch seconds); None when TWS tells no hours."""
        ends = self._of(data).day_ends
        place = bisect.bisect_right(ends, self._store.clock())
        return ends[place] if place < len(ends) else None


def _renewed(identity, answers):
    """Whether TWS has answered; what it could not tell it is asked for again at the next look."""
    if not answers:
        return False
    answer = answers[0]
    if isinstance(answer, Contracts) and len(answer.details) == 1:
        identity.renew(answer.details[0])
    return True
