"""Which of TWS's live streams a feed follows."""
import backtrader as bt

from . import contract as contracts
from .bars import REAL_TIME_BAR
from .codes import DELAYED_KINDS
from .errors import BadParameter
from .silence import Habits
from .linkwatch import LinkWatch
from .streams import Quotes, RealTimeBars, TickByTick, Trades
from .tickhistory import TickKind
from .tradinghours import TradingHours

#: the smallest bars that 5-second bars can serve
SMALLEST = (bt.TimeFrame.Seconds, int(REAL_TIME_BAR))
#: what TWS shows of a market as it trades, by history's names: trades, and quotes
TRADED = ('TRADES', 'AGGTRADES', 'ADJUSTED_LAST')
QUOTED = ('BID', 'ASK', 'MIDPOINT')
#: what only history shows
PAST = ('BID_ASK', 'HISTORICAL_VOLATILITY', 'OPTION_IMPLIED_VOLATILITY', 'FEE_RATE', 'REBATE_RATE', 'YIELD_BID',
        'YIELD_ASK', 'YIELD_BID_ASK', 'YIELD_LAST')
#: what goes with each kind of tick-by-tick data
BY_TICK = {'Last': TRADED, 'AllLast': TRADED, 'BidAsk': QUOTED, 'MidPoint': ('MIDPOINT',)}
#: what history shows that agrees with each kind of tick-by-tick data
SHOWN = {'Last': 'TRADES', 'AllLast': 'TRADES', 'BidAsk': 'BID', 'MidPoint': 'MIDPOINT'}
#: history's names for trades of which 5-second bars know but one
BAR_SHOWS = {'AGGTRADES': 'TRADES', 'ADJUSTED_LAST': 'TRADES'}
#: ticks of history that agree with tick-by-tick data
TICKS = {'Last': TickKind('TRADES', 'TRADES', unreported=False), 'AllLast': TickKind('TRADES', 'TRADES'),
         'MidPoint': TickKind('MIDPOINT', 'MIDPOINT')}
QUOTED_TICKS = {'BID': 'BID_ASK', 'ASK': 'BID_ASK', 'BID_ASK': 'BID_ASK', 'MIDPOINT': 'MIDPOINT'}
#: what history shows of any moment just passed, and what moves when a stream speaks
PLAIN = ('TRADES', 'AGGTRADES', 'BID', 'ASK', 'MIDPOINT')


def what(feed):
    """What TWS is asked to show: the feed's `what`, or what fits its stream."""
    asked = (feed.p.what or '').upper()
    return asked or SHOWN.get(feed.p.tick_by_tick) or contracts.default_what(feed.contract.secType)


def checked(kind):
    """A `tick_by_tick` param; raises BadParameter."""
    if kind is not None and kind not in SHOWN:
        raise BadParameter('tick_by_tick={!r}: it may be None, {}'.format(kind, ', '.join(map(repr, SHOWN))))
    return kind


def check_what(feed):
    """Raises BadParameter when nothing that TWS shows live is what history shows of the feed's `what`."""
    if not feed.islive() or what(feed) in _may_show(feed):
        return
    raise BadParameter('what={!r} is not to be had live: it may be {}{}'.format(
        feed.p.what, ', '.join(_may_show(feed)),
        '' if feed.declared.days_only else '; with historical=True, or in days and longer, it may be more'))


def _may_show(feed):
    if feed.declared.days_only:
        return TRADED + QUOTED + PAST
    if feed.p.tick_by_tick:
        return BY_TICK[feed.p.tick_by_tick]
    if contracts.follows_quotes(feed.contract.secType, indcash=False):
        return QUOTED
    return TRADED if feed.contract.secType == 'IND' else TRADED + QUOTED


def stream_for(feed):
    """How to make the subscription, as `store.subscribe` takes it."""
    if feed.declared.days_only:
        return lambda sink, clock: LinkWatch(sink, feed.contract, clock)
    make, habits = _kind(feed), _habits(feed)

    def made(sink, clock):
        stream = make(sink, clock)
        stream.habits = habits
        return stream
    return made


def tick_kind(feed):
    """The ticks of history that go with the live ones of a feed of ticks, or with its `what` when it has no others."""
    shown, quoted = what(feed), _is_quoted(feed)
    if feed.p.tick_by_tick:
        return TICKS.get(feed.p.tick_by_tick) or TickKind('BID_ASK', shown)
    if shown in QUOTED_TICKS:
        return TickKind(QUOTED_TICKS[shown], 'MIDPOINT' if shown == 'BID_ASK' else shown, changes=True)
    bars = shown if shown in ('TRADES', 'AGGTRADES') else contracts.default_what(feed.contract.secType)
    return TickKind('TRADES', bars, changes=quoted)


def _habits(feed):
    """What history shows of the market; that of a continuous future takes no end date (10339)."""
    if feed.contract.secType == 'CONTFUT':
        return None
    shown = what(feed) if what(feed) in PLAIN else contracts.default_what(feed.contract.secType)
    hours = TradingHours(feed.contractdetails, feed.p.useRTH, feed.zone, feed.ib.clock())
    return Habits(shown, feed.p.useRTH, hours)


def _kind(feed):
    contract, shown, quoted = feed.contract, what(feed), _is_quoted(feed)
    if feed.p.tick_by_tick:
        return lambda sink, clock: TickByTick(sink, contract, clock, feed.p.tick_by_tick, shown)
    if _follows_bars(feed, quoted):
        return lambda sink, clock: RealTimeBars(sink, contract, clock, BAR_SHOWS.get(shown, shown), feed.p.useRTH)
    if quoted:
        field = 'LAST' if contract.secType == 'IND' else shown
        return lambda sink, clock: Quotes(sink, contract, clock, field)
    return lambda sink, clock: Trades(sink, contract, clock)


def _is_quoted(feed):
    return what(feed) in QUOTED or contracts.follows_quotes(feed.contract.secType, feed.ib.p.indcash)


def _follows_bars(feed, quoted):
    """5-second bars when asked for, and where TWS knows better than its ticks tell what belongs to a bar.

    TWS stamps its bars and not its quotes, and keeps bars, not ticks, to regular hours.
    """
    fits = not feed.declared.is_of_ticks and feed.course.assembler.takes(REAL_TIME_BAR)
    if feed.p.rtbar:
        if not fits:
            feed.say('rtbar: 5-second bars cannot make bars of {} {}, it follows ticks'.format(
                feed._compression, bt.TimeFrame.getname(feed._timeframe, feed._compression)))
        return fits
    return fits and not feed.replaying and (quoted or feed.p.useRTH and feed.ib.p.marketdatatype not in DELAYED_KINDS)
