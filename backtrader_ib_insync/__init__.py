"""backtrader on Interactive Brokers: `IBStore`, `IBData` and `IBBroker`, drop-in for backtrader's own, on ib_insync.

Where to look:

    ibstore      IBStore: its params, its life, its words            ibdata     IBData: the feed, one method per state
    ibbroker     IBBroker: orders, cash, positions                   orders     IBOrder
    declared     what bars a feed is to have                         rowfeed    from its rows to backtrader's lines
    course       a feed's way: history, seam, live, lost, back       tickcourse, daycourse   the same of ticks, of days
    excerpt      a stretch of history, and what of it is whole       delivery   what leaves a feed: each bar once
    order_desk   what strategies order, on the way to TWS            order_reports   what TWS says of it, and back
    bridge       what feeds and broker ask of the loop thread        sleeper    how the strategy thread waits
    connection   sessions with TWS: connect, watch, end              attempts   when to connect again, and whether
    uplink       TWS without IB, and back                            streams    live subscriptions
    downloads    contract lookups and histories                      bars       what makes a bar
    contract     datanames                                           history    what TWS serves of the past
    pacing       how fast TWS may be asked                           codes      what every TWS code means
    heartbeat    a link that died without a word                     vigil      a subscription that did
    messages     the records that cross the threads                  loop       the loop thread and the waker
    timetable    the edges of a contract's bars and days             tradinghours   when it trades, as TWS tells anew
    errors       everything this library raises                      insync     the client library
    simulator/   a TWS in a folder, to try it all without an account
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
