"""What shall go wrong, and when: data and a small interpreter.

A fault is a line of words: `cut rst`, `stall 20`, `drop status 2`. In a plan each line says when: `after 10s cut rst`
(since the start) or `every 1h cut`; `#` starts a comment. Times are simulated seconds; s, m, h, d may follow.

    cut [fin|rst|mid]            close every connection: orderly, by reset, or in the middle of a message
    refuse SECONDS               accept no connection for that long
    restart [SECONDS] [ids]      the daily restart: cut, refuse; with `ids` the next valid order id rolls back
    stall SECONDS                the sockets stay open and silent both ways
    tear REQUESTS REPLIES        the sockets die unnoticed once so many more requests have come and replies gone
    slow BYTES SECONDS           so many bytes a second for that long
    split [SIZE] [SECONDS]       bytes leave SIZE (1) at a time
    drop KIND [COUNT]            lose the next COUNT (1) replies of a kind
    duplicate KIND [COUNT]       say them twice
    late KIND SECONDS [COUNT]    say them so much later
    reorder KIND [COUNT]         hold COUNT (2) back and say them last first, after a second at the latest
    relent                       lose, repeat, delay and shuffle nothing more
    lost [SECONDS] [data|kept]   1100, and after SECONDS (never, when not given) 1101 with `data` lost, or 1102
    broken SECONDS               2110: TWS has lost its server, then 1102
    farm [data|history|secdef] [SECONDS] [dead]   2103 2105 2157, later 2104 2106 2158; `dead` subscriptions stay silent
    port                         1300, and every connection is dropped
    unsubscribe [SYMBOL]         every subscription silently dies, or those to one symbol
    pacing [COUNT]               the next COUNT (1) history requests are answered with a pacing violation
    lag SECONDS                  history knows nothing yet of the last SECONDS; 0 ends it
    busy CLIENTID [SECONDS]      somebody else holds the client id: 326
    readonly [SECONDS]           "Read-Only API" is ticked in TWS: whatever concerns orders is refused, 321
    swallow [COUNT]              TWS says nothing of the next COUNT (1) orders, now or ever: IB's servers lose them
    skew SECONDS                 the gateway's clock goes wrong by so much
    bust [EXECID]                the exchange busts a fill, the last one when not named
    correct PRICE [EXECID]       the exchange corrects a fill's price
    error CODE [ID] [TEXT]       any error message
    garbage [SIZE]               a message of nonsense

KIND: tick bar history order status execution commission account position contract error, or a reply's own name.
"""
import heapq
from itertools import count
from typing import NamedTuple, Tuple

from .mishaps import FARMS, MISHAPS, seconds

HELD_AT_MOST = 1.0
KINDS = {
    'tick': ('TickPrice', 'TickSize', 'TickString', 'TickGeneric', 'TickByTickAllLast', 'TickByTickBidAsk',
             'TickByTickMidPoint'),
    'bar': ('RealtimeBar', 'HistoricalDataUpdate'),
    'history': ('HistoricalData', 'HeadTimestamp', 'HistoricalTicks', 'HistoricalTicksBidAsk', 'HistoricalTicksLast'),
    'order': ('OpenOrder', 'CompletedOrder'), 'status': ('OrderStatus',), 'execution': ('ExecDetails',),
    'commission': ('CommissionReport',),
    'account': ('AccountValue', 'PortfolioValue', 'AccountSummary', 'AccountUpdateMulti'),
    'position': ('Position', 'PositionMulti'), 'contract': ('ContractDetails', 'ContractDetailsEnd'),
    'error': ('Error',)}


class Planned(NamedTuple):
    """A fault due at `at`, seconds since the start of the plan, and again every `every` seconds unless that is 0."""
    at: float
    every: float
    words: Tuple[str, ...]


def parse(text):
    """The faults of a plan, one a line: `after 10s cut rst`, `every 1h cut`."""
    lines = (line.split('#')[0].split() for line in text.splitlines())
    return tuple(_planned(words) for words in lines if words)


def _planned(words):
    if len(words) < 3 or words[0] not in ('after', 'every'):
        raise ValueError('fault {!r}: a line reads "after 10s cut" or "every 1h cut"'.format(' '.join(words)))
    _check(words[2])
    at = seconds(words[1])
    return Planned(at, at if words[0] == 'every' else 0.0, tuple(words[2:]))


def _check(name):
    if name not in MISHAPS:
        raise ValueError('no such fault {!r}: there are {}'.format(name, ', '.join(sorted(MISHAPS))))


class Rule:
    """What happens to the next `left` replies of the kinds in `names`."""

    def __init__(self, names, action, left, delay=0.0):
        self.names = names
        self.action = action
        self.left = left
        self.delay = delay

    def applies(self, reply):
        return self.left > 0 and type(reply).__name__ in self.names


class Faults:
    """The interpreter: what is wrong now, what will be; `gateway` is what it happens to."""

    def __init__(self, gateway, plan=''):
        self.gateway = gateway
        self.skew = self.lag = 0.0
        self.pacing_violations = self.swallowing = 0
        self.refusing_until = 0.0
        self.is_down = False
        self.dark_farms = set()
        self.held_ids = {}
        self.read_only_until = 0.0
        self._rules = []
        self._held = []
        self._agenda = []
        self._order = count()
        for planned in parse(plan):
            self._plan(gateway.now + planned.at, planned)

    def inject(self, *words):
        """Let one fault happen now: inject('cut', 'rst') or inject('drop', 'status', 2)."""
        words = ' '.join(str(word) for word in words).split()
        _check(words[0] if words else '')
        try:
            MISHAPS[words[0]](self, *words[1:])
        except TypeError:
            raise ValueError('fault {!r}: wrong number of words, see the list in simulator/faults.py'.format(
                ' '.join(words))) from None

    def at(self, time, action):
        """Do `action()` at a simulated time."""
        heapq.heappush(self._agenda, (time, next(self._order), action))

    def advance(self):
        """Do what is due at the gateway's time."""
        while self._agenda and self._agenda[0][0] <= self.gateway.now:
            heapq.heappop(self._agenda)[2]()

    def next_time(self):
        return self._agenda[0][0] if self._agenda else None

    def forget(self, session):
        self._held = [(other, reply) for other, reply in self._held if other is not session]

    @property
    def is_refusing(self):
        return self.gateway.now < self.refusing_until

    @property
    def is_read_only(self):
        return self.gateway.now < self.read_only_until

    def holds_client_id(self, client_id):
        return self.gateway.now < self.held_ids.get(client_id, 0.0)

    def farms(self):
        """What a client is told of each data farm: (code, text)."""
        return [(lost, text.format('broken')) if name in self.dark_farms else (back, text.format('OK'))
                for name, (lost, back, text) in FARMS.items()]

    def add_rule(self, kind, action, left, delay=0.0):
        """Lose, repeat, delay or shuffle the next `left` replies of a kind."""
        self._rules.append(Rule(KINDS.get(kind, (kind,)), action, left, delay))

    def drop_rules(self):
        """From now on lose, repeat, delay and shuffle nothing."""
        self._rules = []

    def pass_on(self, session, reply):
        """The replies to say now instead of `reply`."""
        rule = next((rule for rule in self._rules if rule.applies(reply)), None)
        if rule is None:
            return [reply]
        rule.left -= 1
        self._rules = [other for other in self._rules if other.left > 0]
        return getattr(self, '_' + rule.action)(rule, session, reply)

    def _drop(self, rule, session, reply):
        return []

    def _duplicate(self, rule, session, reply):
        return [reply, reply]

    def _late(self, rule, session, reply):
        self.at(self.gateway.now + rule.delay, lambda: session.send_now(reply))
        return []

    def _reorder(self, rule, session, reply):
        if not self._held:
            self.at(self.gateway.now + HELD_AT_MOST, self._release)
        self._held.append((session, reply))
        if rule.left == 0:
            self._release()
        return []

    def _release(self):
        held, self._held = self._held, []
        for session, reply in reversed(held):
            session.send_now(reply)

    def _plan(self, time, planned):
        def happen():
            self.inject(*planned.words)
            if planned.every:
                self._plan(time + planned.every, planned)
        self.at(time, happen)
