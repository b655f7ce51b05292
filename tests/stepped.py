"""A run of cerebro against a gateway whose clock stands still until the test steps it.

After each step the test waits until all that the gateway said has been received, answered and delivered: no sleep
decides anything, and a moment is the same moment in every run.
"""
import asyncio
import collections
import datetime

import backtrader as bt
import truth
from backstage import Backstage, Task
from helpers import forget_store, new_bars

from backtrader_ib_insync.ibstore import IBStore

Seconds, Minutes = bt.TimeFrame.Seconds, bt.TimeFrame.Minutes
MINUTE = 60.0
NEW_YORK = 'America/New_York'
APPLE, EURO, MINI = 'AAPL-STK-SMART-USD', 'EUR.USD-CASH-IDEALPRO', 'ES-202412-CME-USD-50'
INDEX, COIN, QUIET = 'SPX-IND-CBOE-USD', 'BTC-CRYPTO-PAXOS-USD', 'QUIET-STK-SMART-USD'
#: simulated seconds after its end by which a bar must have come
LATE = 4.0
#: attempts that follow each other at once, for as long as it takes
PATIENT = dict(clientId=1, reconnect=10 ** 6, timeout=0.01, timerefresh=60.0)


class Watcher(bt.Strategy):
    """Keeps the bars and statuses of each feed, in the order in which it was told."""

    params = (('run', None),)

    def __init__(self):
        self.p.run.strategy = self
        self._seen = [0] * len(self.datas)

    def notify_store(self, msg, *args, **kwargs):
        if isinstance(msg, Task):
            msg.run()
        else:
            self.p.run.messages.append(str(msg))

    def notify_data(self, data, status, *args, **kwargs):
        number = next(number for number, known in enumerate(self.datas) if known is data)
        self.p.run.statuses[number].append(data._getstatusname(status))
        self.p.run.story[number].append(data._getstatusname(status))
        self.p.run.reasons[number].extend(args)

    def prenext(self):
        self.next()

    def next(self):
        for number, new in new_bars(self.datas, self._seen):
            self.p.run.bars[number].append(new)
            self.p.run.story[number].append(new)
        self.p.run.on_next(self)


class Run(Backstage):
    """`add(cerebro, store)` adds the feeds; `bars`, `statuses` and `story` (both as they came) are lists by feed.

    `on_next(strategy)` is called at each bar, from the first one on.
    """

    def __init__(self, gateway, add, on_next=lambda strategy: None, **store):
        forget_store()
        self.gateway = gateway
        self.messages = []
        self.bars, self.statuses, self.story, self.reasons = (collections.defaultdict(list) for _ in range(4))
        self.strategy = None
        self.on_next = on_next
        super().__init__(IBStore(port=gateway.port, **dict(PATIENT, **store)), bt.Cerebro(stdstats=False))
        add(self.cerebro, self.store)
        self.cerebro.addstrategy(Watcher, run=self)

    def __enter__(self):
        self._thread.start()
        self.until(lambda: self.strategy is not None)
        return self

    def __exit__(self, *error):
        if not self.has_ended:
            self.post(self.cerebro.runstop)
        try:
            self.join()
        finally:
            forget_store()
        if self.error is not None and error[0] is None:
            raise self.error

    @property
    def datas(self):
        return self.strategy.datas

    def last_words(self):
        return '{} {} {}'.format(dict(self.statuses), self.messages[-6:],
                                 {number: bars[-2:] for number, bars in self.bars.items()})

    def hear(self):
        """Wait until all that the gateway has said has been received."""
        self.store.call(self._tell_time, timeout=self.WAIT)

    def step(self, seconds):
        """Let so many simulated seconds pass, and wait until all that follows from it is done."""
        self.gateway.advance(seconds)
        self.settle()

    def go_to(self, moment):
        """Let time pass until a simulated moment."""
        self.step(max(0.0, moment - self.gateway.now()))

    def pass_edge(self, seconds=MINUTE):
        """Go to where the bar of so many seconds that is in progress must have come."""
        self.go_to((self.gateway.now() // seconds + 1) * seconds + LATE)

    def wait_for_history(self):
        """Let as much time pass as TWS's history is given to have what has just traded."""
        for _ in range(6):
            self.step(2.0)

    def settle(self):
        """Wait until whatever the gateway has said was received, answered and delivered."""
        self.until(self.is_settled)

    def is_settled(self):
        """Whether there is nothing left to be received, answered or delivered."""
        if self.has_ended:
            return True
        self.hear()
        # two passes begin one after the other, so one is whole
        self.do(bool)
        return not self.do(self.store.sleeper.pending) and self.store.call(self._is_idle, timeout=self.WAIT)

    async def _tell_time(self, ib):
        """TWS's answer to a question comes after all it had to say before."""
        if self._may_ask(ib):
            answered = asyncio.Future()
            self.store._connection.beat.tell_time(answered.set_result)
            await asyncio.wait([answered, self.store._connection.line._broken], return_when=asyncio.FIRST_COMPLETED)

    def _may_ask(self, ib):
        return ib.client.isReady() and self.store._connection.desk.is_open

    def _is_idle(self, ib):
        desk, beat = self.store._connection.desk, self.store._connection.beat
        return not desk.is_open or not (desk.tasks or beat._asked or beat._curious)

    def breaks(self):
        """How often each feed has told that its link is broken."""
        return [self.statuses[number].count('CONNBROKEN') for number in range(len(self.datas))]

    def break_link(self, *faults):
        """Let the gateway do these; returns when every feed has told that its link is broken, or was already.

        A cut may be mended before anybody looks.
        """
        before = self.breaks()
        for words in faults:
            self.gateway.fault(*words)
        self.until(lambda: all(now > then or not self.is_live(number)
                               for number, (now, then) in enumerate(zip(self.breaks(), before))))

    def cut_off(self, seconds):
        """Cut the socket: nothing listens for so many simulated seconds."""
        self.break_link(('refuse', seconds), ('cut', 'rst'))
        self.gateway.advance(seconds)

    def is_live(self, number):
        return self.statuses[number][-1:] == ['LIVE']

    def until_live(self):
        """Wait until the link stands, every feed says that it is live, and nothing is left to be done."""
        self.until(lambda: self.is_open() and all(self.is_live(number) for number in range(len(self.datas))))

    def is_open(self):
        """Whether the link stands and nothing is left to be done."""
        return self.is_settled() and self.store.call(self._may_ask, timeout=self.WAIT)


def in_session(gateway, opens='09:45', closes='15:15'):
    """The time of the gateway's, within a trading day's hours."""
    now = datetime.datetime.fromtimestamp(gateway.now(), truth.ZoneInfo(NEW_YORK))
    if now.weekday() > 4 or not opens <= now.strftime('%H:%M') < closes:
        days = 1 if now.strftime('%H:%M') >= closes else 0
        while (now + datetime.timedelta(days=days)).weekday() > 4:
            days += 1
        date = (now + datetime.timedelta(days=days)).strftime('%Y-%m-%d')
        gateway.advance(truth.at('{} {}'.format(date, opens), NEW_YORK) - gateway.now())
    return gateway.now()


def one(**params):
    """A function that adds a single feed, of minutes when nothing else is said, to a run."""
    given = dict(dict(dataname=APPLE, timeframe=Minutes, tz='UTC'), **params)
    return lambda cerebro, store: cerebro.adddata(store.getdata(**given))


def added(begin, *feeds):
    """A function that adds Feeds, or what is like them, to a run that begins then."""
    return lambda cerebro, store: [feed.add(cerebro, store, begin) for feed in feeds]


def are_true(run, feeds):
    """Every bar of these Feeds, the first of the run's, is the market's."""
    for number, feed in enumerate(feeds):
        feed.is_true(run, number)


class Feed:
    """What a run adds: declared bars, resampled ones, or the resampled clone of a declared feed beside it."""

    def __init__(self, name=APPLE, timeframe=Minutes, compression=1, resampled=False, what='TRADES', **params):
        self.name = name
        self.size = dict(timeframe=timeframe, compression=compression)
        self.length = compression * (MINUTE if timeframe == Minutes else 1.0)
        self.resampled = resampled
        self.what = what
        self.params = params

    def add(self, cerebro, store, begin):
        """From a few bars before `begin` on."""
        what = None if self.what == 'TRADES' else self.what
        since = truth.utc(begin - 5 * self.length)
        given = dict(dict(dataname=self.name, tz='UTC', what=what, fromdate=since), **self.params)
        if self.resampled:
            cerebro.resampledata(store.getdata(**given), **self.size)
        else:
            cerebro.adddata(store.getdata(**dict(given, **self.size)))

    def is_true(self, run, number):
        """Every bar that was delivered is the market's, each once, in order, none is missing, and none is late."""
        found, data, now = run.bars[number], run.datas[number], run.gateway.now()
        wanted = run.gateway.call(lambda world: truth.live(
            world.market, world.market.by_conId(data.contract.conId), self.length, found[0][0] - self.length, now,
            data.contractdetails.timeZoneId, self.what.upper()))
        due = [one for one in wanted if one[0] <= now - LATE]
        assert found == wanted[:max(len(found), len(due))], '{} {}: wrong {}, missing {}\n{}'.format(
            self.name, self.size, [one for one in found if one not in wanted][:4],
            [one for one in wanted if one not in found][:4], '\n'.join(map(str, run.story[number])))
