"""What the trades of strategies cannot know by themselves: positions held before, corrections after."""
import collections
import copy

from backtrader.trade import Trade

from .order_fields import tidy


#: by what part the cost of a position may differ after a split: TWS tells it with fees
SPLIT_COST = 0.01


def conId(data):
    """The id of the contract that `data` trades, None when it has none."""
    contract = getattr(data, 'tradecontract', None)
    return None if contract is None else contract.conId


def traded(order):
    """The data whose trades this order's executions belong to."""
    return order.data if order.data._compensate is None else order.data._compensate


def can_tell(order):
    """Whether trades can take executions of this order: backtrader dates them by the bar, so there must be one."""
    return len(traded(order)) > 0


class Telling:
    """An order is told to the strategies of a run, which makes their trades."""

    def __init__(self):
        self._tally, self._detour = Tally(), Detour()

    def begin(self, order, strategies):
        self._tally.agree(order, strategies)
        self._detour.begin(order, strategies)

    def end(self):
        """It has been told."""
        self._detour.end()


class Tally:
    """Makes the trades of a run agree with the account before they are told of an execution.

    backtrader makes trades of executions alone: of what was held before the run, and of what others do to a position,
    they know nothing. Closing it would show as a new trade the other way round, or leave one open for ever.
    """

    def __init__(self):
        #: what the open trades sum up to, by account and id of the contract
        self._sizes = collections.Counter()

    def agree(self, order, strategies):
        """To be called for each order that is told, once those before have been."""
        bits = order.executed.getpending()
        if not bits:
            return
        key = bits[0].account, conId(order.data)
        trades = _open_trades(strategies, key[1])
        for _, trade in trades:
            # backtrader sums up floats: dust would keep it open
            trade.size = tidy(trade.size)
        self._take_in(order, trades, key, _owner(order, strategies))
        self._sizes[key] = tidy(self._sizes[key] + sum(bit.size for bit in bits))

    def _take_in(self, order, trades, key, owner):
        """Make up for what none of the trades knows of."""
        bits = order.executed.getpending()
        (held, price), known = bits[0].held, self._sizes[key]
        listed = owner._trades[traded(order)][order.tradeid]
        matters = held * known < 0 or abs(held) < abs(known)
        # one trade of the two would not do for what is closed
        matters |= abs(sum(bit.closed for bit in bits)) > abs(held - known)
        is_clear = not held or len(trades) == 1 and (_has_open(listed) or matters)
        if held != known == _sum(trades) and is_clear:
            for strategy, trade in trades:
                _resize(strategy, trade, held if held * trade.size > 0 else 0, price, order.comminfo)
            known = _sum(trades)
        if (held - known) * held > 0 and not _has_open(listed):
            listed.append(_held(order, tidy(held - known), price, owner._tradehistoryon))
            known = held
        self._sizes[key] = known


def _has_open(listed):
    return bool(listed) and listed[-1].isopen


def _open_trades(strategies, contract_id):
    """[(its strategy, an open trade)] in a contract."""
    return [(strategy, trade) for strategy in strategies for data, trades in strategy._trades.items()
            if conId(data) == contract_id for listed in trades.values() for trade in listed[-1:] if trade.isopen]


def _sum(trades):
    return tidy(sum(trade.size for _, trade in trades))


def _resize(strategy, trade, size, price, comminfo):
    """Others traded part of what a trade has, or all, which ends it: what that earned is nobody's here."""
    cost = trade.size * trade.price
    # a reverse split leaves fewer shares that cost as much
    if abs(size) > abs(trade.size) or abs(size * price - cost) <= SPLIT_COST * abs(cost):
        trade.price = price
    trade.size, trade.value = size, comminfo.getvaluesize(size, trade.price)
    if not size:
        trade.isopen, trade.isclosed, trade.justopened, trade.status = False, True, False, Trade.Closed
        trade.barclose, trade.dtclose = len(trade.data), trade.data.datetime[0]
        told = copy.copy(trade)
        strategy._tradespending.append(told)
        if strategy.cerebro.p.quicknotify:
            strategy._notify(qtrades=[told])


def _held(order, size, price, history):
    data = traded(order)
    trade = Trade(data=data, tradeid=order.tradeid, historyon=history, size=size, price=price,
                  value=order.comminfo.getvaluesize(size, price))
    trade.isopen = True
    trade.long = size > 0
    trade.status = Trade.Open
    trade.baropen = len(data)
    trade.dtopen = data.datetime[0] if len(data) else order.created.dt
    return trade


class Detour:
    """Sends executions of an order to the open trade that they close, when a feed beside the order's own has it.

    TWS knows one position in a contract; backtrader's trades go by feed, so that what one feed's order opens and
    another's closes would leave both open, one the wrong way round.
    """

    def __init__(self):
        self._data = None

    def begin(self, order, strategies):
        """Till `end`, trades of the order's feed are those of the feed that has what it closes (backtrader's way)."""
        bits = order.executed.getpending()
        if not bits or not bits[0].closed or order.data._compensate is not None:
            return
        other = self._holding(order, _owner(order, strategies), -bits[0].closed)
        if other is not None:
            self._data = order.data
            self._data.compensate(other)
            for bit in bits:
                bit.traded = other

    def end(self):
        """The order has been told."""
        if self._data is not None:
            self._data._compensate = None
            self._data = None

    def _holding(self, order, owner, size):
        """Another feed of the contract that has a trade open to the side of `size`, if the order's own has none."""
        def is_open(data):
            listed = owner._trades[data][order.tradeid]
            return _has_open(listed) and listed[-1].size * size > 0
        if owner is None or is_open(order.data):
            return None
        own = conId(order.data)
        return next((data for data in owner.datas if data is not order.data and conId(data) == own and is_open(data)),
                    None)


def _owner(order, strategies):
    """The strategy that cerebro tells of the order: the first, when it has no owner."""
    return order.owner if order.owner is not None else strategies[0] if strategies else None


def _last(order, bit, strategies):
    owner = _owner(order, strategies)
    listed = owner._trades[bit.traded or traded(order)][order.tradeid] if owner is not None else []
    return listed[-1] if listed else None


def charge(order, bit, amount, strategies):
    """A commission came after its fill was told: the latest trade pays it."""
    trade = _last(order, bit, strategies)
    if trade is not None:
        trade.commission += amount
        trade.pnlcomm = trade.pnl - trade.commission


def reprice(order, bit, change, is_gone, strategies):
    """A correction changed the price of an execution by `change`; of one that `is_gone` the latest trade takes it."""
    trade = _last(order, bit, strategies)
    if trade is None:
        return
    if trade.isopen and bit.opened and trade.size and not is_gone:
        trade.price += change * bit.opened / trade.size
    trade.pnl -= order.comminfo.profitandloss(bit.size if is_gone else bit.closed, 0.0, change)
    trade.pnlcomm = trade.pnl - trade.commission
