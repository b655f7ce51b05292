"""The records that cross the threads: made on the loop thread, read on the strategy thread, never changed.

Times are seconds since the epoch, UTC, as floats; prices and sizes are floats as TWS sent them.
"""
from typing import Any, NamedTuple, Optional, Tuple


# -- the link: the only four words that feeds and broker hear about it -------------------------------------------------

class Lost(NamedTuple):
    """The link is gone, or holes may be in what it carries; the store is at work on it.

    `heard` is given when that came to light late: at or after this time the stream was heard the last time.
    """
    reason: str
    code: int = 0
    heard: Optional[float] = None


class Restored(NamedTuple):
    """The link is back and subscriptions run again; `kept` tells that TWS never lost them (1102)."""
    reason: str
    kept: bool = False


class Refused(NamedTuple):
    """TWS said no to one request or subscription, for good."""
    code: int
    text: str


class Closed(NamedTuple):
    """Nothing more will come: stopped, or every attempt to reconnect was spent."""
    reason: str


class Session(NamedTuple):
    """A new API session is up; `order_id` is the first order id TWS allows, `readonly` that it takes no orders."""
    accounts: Tuple[str, ...]
    order_id: int
    server_version: int
    clientId: int
    readonly: bool = False


class Heard(NamedTuple):
    """TWS told its time: whatever it sent before `time` has arrived. `offset` is its clock minus ours, in seconds."""
    time: float
    offset: float


class Notice(NamedTuple):
    """A message of TWS (or of the library, with code 0) for `notify_store`; the names are backtrader's."""
    id: int
    errorCode: int
    errorMsg: str

    def __str__(self):
        about = '' if self.id < 0 else ' (id {})'.format(self.id)
        return '{} {}{}'.format(self.errorCode, self.errorMsg, about) if self.errorCode else self.errorMsg


# -- market data -------------------------------------------------------------------------------------------------------

class Tick(NamedTuple):
    """One trade, or one quote of a market that is followed by its quotes (then `size` is 0)."""
    time: float
    price: float
    size: float


class Bar(NamedTuple):
    """One bar; `time` is its start, as TWS labels it. A day or longer carries 00:00 UTC of its date in `time`."""
    time: float
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int


class History(NamedTuple):
    """The answer to the number-th request of a plan, in the plan's order."""
    bars: Tuple[Bar, ...]
    number: int
    of: int


class TickHistory(NamedTuple):
    """Ticks of the past, in order, dated in whole seconds: all up to `until` that were not told before.

    `done` tells that these are the last.
    """
    ticks: Tuple[Tick, ...]
    until: float
    done: bool


class HistoryFailed(NamedTuple):
    """A request of the plan failed for good: the history before it is whole, after it nothing is known."""
    code: int
    text: str


class Contracts(NamedTuple):
    """Every contract that fits what was asked for: contract details of the client library, never changed any more."""
    details: Tuple[Any, ...]


class MarketRule(NamedTuple):
    """The price steps of one of TWS's market rules: (from this price on, this increment), lowest first."""
    marketRuleId: int
    increments: Tuple[Tuple[float, float], ...]


class Watching(NamedTuple):
    """A subscription answers: from server time `since` on its stream holds everything, before `asked` nothing."""
    since: float
    asked: float


class DataType(NamedTuple):
    """TWS told which market data it sends: 1 live, 2 frozen, 3 delayed, 4 delayed-frozen."""
    kind: int


class Warned(NamedTuple):
    """A market data notice that does not end the subscription (10167, 10197, a farm)."""
    code: int
    text: str


# -- orders and the account --------------------------------------------------------------------------------------------

class OpenOrder(NamedTuple):
    """openOrder: TWS's own view of an order; `order` and `contract` are copies that nobody changes any more."""
    orderId: int
    clientId: int
    permId: int
    status: str
    contract: Any
    order: Any
    warning: str = ''


class OrderState(NamedTuple):
    """orderStatus, every one that arrived, repeats included."""
    orderId: int
    clientId: int
    permId: int
    parentId: int
    status: str
    filled: float
    remaining: float
    avgFillPrice: float
    lastFillPrice: float
    whyHeld: str


class OrdersListed(NamedTuple):
    """TWS has listed its open orders because it was asked to under this number."""
    number: int


class OrderError(NamedTuple):
    """An error or notice whose id is an order's."""
    orderId: int
    code: int
    text: str
    advanced: str = ''


class OrderUnsent(NamedTuple):
    """An order, or a change of one, that was not sent; `is_new` tells that nothing of the order ever was in this run.

    `code` and `text` are those of an error.
    """
    orderId: int
    code: int
    text: str
    is_new: bool


class Execution(NamedTuple):
    """execDetails; `side` is BOT or SLD, `live` is False for an answer to reqExecutions."""
    execId: str
    orderId: int
    clientId: int
    permId: int
    account: str
    time: float
    side: str
    shares: float
    price: float
    cumQty: float
    avgPrice: float
    orderRef: str
    exchange: str
    contract: Any
    live: bool = True


class Commission(NamedTuple):
    """commissionReport; a sentinel of TWS (unset, -1) is None."""
    execId: str
    commission: Optional[float]
    currency: str
    realizedPNL: Optional[float]


class CompletedOrder(NamedTuple):
    """completedOrder: an order that ended, known by `permId` alone (TWS sends no orderId here); `filled` is a size."""
    permId: int
    status: str
    contract: Any
    order: Any
    completedStatus: str = ''
    filled: float = 0.0


class AccountValue(NamedTuple):
    account: str
    tag: str
    value: str
    currency: str


class Position(NamedTuple):
    """position: `avgCost` is TWS's, with fees and multiplier in it."""
    account: str
    contract: Any
    position: float
    avgCost: float


class PositionsListed(NamedTuple):
    """positionEnd: all positions have been told as they are now."""


class Portfolio(NamedTuple):
    """portfolioValue: a position with its market price and value."""
    account: str
    contract: Any
    position: float
    marketPrice: float
    marketValue: float
    avgCost: float
    unrealizedPNL: float
    realizedPNL: float


class Synchronising(NamedTuple):
    """What follows, up to `Synchronised`, is TWS's whole view of the account after a (re)connection."""


class Synchronised(NamedTuple):
    """Accounts, positions, executions and, unless `orders` is False, open and completed orders have all been told."""
    orders: bool = True
