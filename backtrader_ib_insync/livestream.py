"""Which of TWS's live streams a feed follows."""
import backtrader as bt

from . import contract as contracts
from .errors import BadParameter
from .streams import Quotes, RealTimeBars, TickByTick, Trades

#: the smallest bars that 5-second bars can serve
SMALLEST = (bt.TimeFrame.Seconds, 5)
REAL_TIME_BAR = 5
#: what history shows that agrees with each kind of tick-by-tick data
SHOWN = {'Last': 'TRADES', 'AllLast': 'TRADES', 'BidAsk': 'BID', 'MidPoint': 'MIDPOINT'}
#: history's names for trades of which 5-second bars know but one
BAR_SHOWS = {'AGGTRADES': 'TRADES', 'ADJUSTED_LAST': 'TRADES'}


def what(feed):
    """What TWS is asked to show: the feed's `what`, or what fits its stream."""
    return feed.p.what or SHOWN.get(feed.p.tick_by_tick) or contracts.default_what(feed.contract.secType)


def checked(kind):
    """A `tick_by_tick` param; raises BadParameter."""
    if kind is not None and kind not in SHOWN:
        raise BadParameter('tick_by_tick={!r}: it may be None, {}'.format(kind, ', '.join(map(repr, SHOWN))))
    return kind


def stream_for(feed):
    """How to make the subscription, as `store.subscribe` takes it; None for a feed that needs none."""
    contract, shown, quoted = feed.contract, what(feed), _is_quoted(feed)
    if feed.days_only:
        return None
    if feed.p.tick_by_tick:
        return lambda sink, clock: TickByTick(sink, contract, clock, feed.p.tick_by_tick, shown)
    if _follows_bars(feed, quoted):
        return lambda sink, clock: RealTimeBars(sink, contract, clock, BAR_SHOWS.get(shown, shown), feed.p.useRTH)
    if quoted:
        field = 'LAST' if contract.secType == 'IND' else shown
        return lambda sink, clock: Quotes(sink, contract, clock, field)
    return lambda sink, clock: Trades(sink, contract, clock)


def _is_quoted(feed):
    return contracts.follows_quotes(feed.contract.secType, feed.ib.p.indcash)


def _follows_bars(feed, quoted):
    """5-second bars when asked for, and where quotes make bars: TWS stamps its bars and not its quotes."""
    if feed._timeframe == bt.TimeFrame.Ticks or (feed._timeframe, feed._compression) < SMALLEST:
        return False
    assembler = feed.course.assembler
    builds = assembler.builds and assembler.grid.seconds % REAL_TIME_BAR == 0
    return feed.p.rtbar or quoted and builds
