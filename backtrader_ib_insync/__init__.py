"""backtrader on Interactive Brokers: `IBStore`, `IBData` and `IBBroker`, drop-in for backtrader's own, on ib_insync.

Where to look; in brackets the files that one is made of. On the strategy thread, or pure:

    ibstore        IBStore: its params, its life, its words [singleton guests runs linkstate sleeper]
    ibdata         IBData: the feed, one method per stage [identity overture declared archive progress ibclone]
    rowfeed        from a feed's rows to backtrader's lines [rows columns]
    course         a feed's way: history, seam, live, lost, back [journey livequeue delivery proof]
    tickcourse     the same of ticks [tickseam]; daycourse: of days
    livestream     which of TWS's streams a feed follows
    excerpt        a stretch of history, and what of it is whole [frontier]
    bars           what makes a bar [assembler]; resampler: what backtrader makes of several
    timetable      the edges of a contract's bars and days [daybars tradinghours regularhours]

    ibbroker       IBBroker: orders, cash, positions [positions currencies comminfo backtests]
    orders         IBOrder [order_fields order_ticks order_force order_keywords order_life]
    order_desk     what strategies order, on the way to TWS [order_setting order_groups order_cancels order_changes
                   order_book]
    order_reports  what TWS says of it, and back [order_versions doubts strangers]
    executions     what was filled, and what it cost [fills trades]
    account        cash and positions as TWS tells them [holding]

From there to the loop thread and on it:

    bridge         what feeds and broker ask of the loop thread; loop: that thread, and the waker
    connection     sessions with TWS: connect, watch, end [attempts line synchroniser uplink heartbeat clock]
    streams        live subscriptions [subscription linkwatch]; vigil: those that died without a word [silence]
    request_desk   what is asked of TWS, and when it may be [downloads tickhistory history pacing]
    order_line     orders on their way out; account_stream: what TWS tells of them and of the account

For both:

    messages       the records that cross the threads
    contract       datanames [spec mnames]
    codes          what every TWS code means; errors: everything this library raises
    zones          time zones, and dates as TWS writes them [zonenames daynumber localclock]
    insync         the client library
    simulator/     a TWS in a folder, to try it all without an account
"""
import backtrader as _bt

from .errors import IBError
from .ibbroker import IBBroker
from .ibdata import IBData
from .ibstore import IBStore
from .orders import IBOrder
from .comminfo import IBCommInfo
from .version import __version__

__all__ = ['IBStore', 'IBData', 'IBBroker', 'IBOrder', 'IBCommInfo', 'IBError', 'install', '__version__']

# backtrader's own brokers take None for good-till-cancelled, and so does this one: scripts can be shared
_bt.Order.GTC = None


def install():
    """Put the three classes where backtrader leaves them missing without IbPy: bt.stores, bt.feeds, bt.brokers."""
    _bt.stores.IBStore = IBStore
    _bt.feeds.IBData = IBData
    _bt.brokers.IBBroker = IBBroker
