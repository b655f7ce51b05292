"""What the trades of strategies cannot know by themselves: positions held before, corrections after."""
from backtrader.trade import Trade

from .order_fields import tidy


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


def open_size(strategies, contract_id):
    """What the open trades of all strategies in a contract sum up to."""
    return tidy(sum(trade.size for strategy in strategies for data, trades in strategy._trades.items()
                    if conId(data) == contract_id for listed in trades.values() for trade in listed if trade.isopen))


def seed(order, strategies):
    """Give the order's owner an open trade of what the account held and no trade knows of, before it is told its fills.

    backtrader makes trades of executions alone, so that closing a position from before the run would show as a new one
    the other way round. To be called once the fills before have been told.
    """
    bits = order.executed.getpending()
    if not bits or bits[0].held is None:
        return
    owner = _owner(order, strategies)
    held, price = bits[0].held
    unknown = tidy(held - open_size(strategies, conId(order.data)))
    trades = owner._trades[traded(order)][order.tradeid]
    if not unknown or unknown * held < 0 or (trades and trades[-1].isopen):
        return
    trades.append(_held(order, unknown, price, owner._tradehistoryon))


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


def _owner(order, strategies):
    """The strategy that cerebro tells of the order: the first, when it has no owner."""
    return order.owner if order.owner is not None else strategies[0] if strategies else None


def _last(order, strategies):
    owner = _owner(order, strategies)
    listed = owner._trades[traded(order)][order.tradeid] if owner is not None else []
    return listed[-1] if listed else None


def charge(order, amount, strategies):
    """A commission came after its fill was told: the latest trade pays it."""
    trade = _last(order, strategies)
    if trade is not None:
        trade.commission += amount
        trade.pnlcomm = trade.pnl - trade.commission


def reprice(order, bit, change, strategies):
    """A correction changed the price of an execution by `change`."""
    trade = _last(order, strategies)
    if trade is None:
        return
    if trade.isopen and bit.opened and trade.size:
        trade.price += change * bit.opened / trade.size
    trade.pnl -= order.comminfo.profitandloss(bit.closed, 0.0, change)
    trade.pnlcomm = trade.pnl - trade.commission
