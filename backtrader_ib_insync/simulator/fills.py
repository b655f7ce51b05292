"""Every execution on record, with its commission; who asks gets the latest version of each."""
from collections import OrderedDict

from .events import Fill
from .records import Execution

FIRST_NUMBER = 0xe0d5


class Fills:
    """`groups` maps FA groups, and profiles, to their accounts."""

    def __init__(self, groups):
        self._groups = groups
        self._fills = OrderedDict()
        self._number = FIRST_NUMBER

    def make(self, ticket, now, shares, price):
        """The Executions of `shares` of a ticket that has counted them already: one per account that gets some."""
        accounts = self._groups[ticket.allocation] if ticket.allocation else [ticket.order.account]
        step = ticket.instrument.size_step
        after = split(ticket.filled, len(accounts), step)
        before = split(round(ticket.filled - shares, 8), len(accounts), step)
        return [self._make(ticket, now, price, account, total, round(total - earlier, 8))
                for account, total, earlier in zip(accounts, after, before) if total > earlier]

    def _make(self, ticket, now, price, account, total, shares):
        self._number += 1
        order, contract = ticket.order, ticket.contract
        return Execution(
            execId='{:08x}.{:08x}.01.01'.format(self._number, int(now)), orderId=order.orderId, clientId=order.clientId,
            permId=order.permId, contract=contract, time=now, account=account,
            exchange=venue(contract, ticket.instrument), side='BOT' if ticket.sign > 0 else 'SLD', shares=shares,
            price=price, cumQty=total, avgPrice=ticket.average, orderRef=order.orderRef,
            modelCode=order.modelCode, lastLiquidity=1 if ticket.resting else 2)

    def record(self, execution, report=None):
        self._fills[stem(execution.execId)] = Fill(execution, report)

    def price(self, execution, report):
        """Puts the commission to a fill; one that comes late must not undo a correction made meanwhile."""
        known = self._fills.get(stem(execution.execId))
        if known is None or known.execution.execId == execution.execId:
            self.record(execution, report)

    def find(self, execId):
        """The Fill of an execution, whichever of its versions is named; KeyError when there is none."""
        return self._fills[stem(execId)]

    def all(self):
        return list(self._fills.values())

    def matching(self, clientId, time, contract, **fields):
        """Those whose fields are the given ones, blanks aside."""
        return [fill for fill in self._fills.values()
                if clientId in (None, fill.execution.clientId) and (time is None or fill.execution.time >= time)
                and _has(fill.execution, fields) and _has(fill.execution.contract, contract)]


def _has(record, fields):
    return all(value in ('', getattr(record, name)) for name, value in fields.items())


def split(total, parts, step):
    """`total` in that many parts, as even as the step allows, the first ones getting what is over."""
    if parts == 1:
        return [total]
    units = int(round(total / step))
    return [round((units // parts + (place < units % parts)) * step, 8) for place in range(parts)]


def stem(execId):
    """What all versions of an execution share."""
    return execId.rsplit('.', 1)[0]


def corrected(execution, shares=None, price=None):
    """The next version of an execution."""
    shares = execution.shares if shares is None else shares
    price = execution.price if price is None else price
    value = execution.avgPrice * execution.cumQty - execution.price * execution.shares + price * shares
    quantity = round(execution.cumQty - execution.shares + shares, 8)
    head, version = execution.execId.rsplit('.', 1)
    return execution._replace(execId='{}.{:02d}'.format(head, int(version) + 1), shares=shares, price=price,
                              cumQty=quantity, avgPrice=value / quantity if quantity else 0.0)


def venue(contract, instrument):
    """Where a smart-routed order trades: the listing exchange, for want of a router."""
    if contract.exchange not in ('', 'SMART'):
        return contract.exchange
    return instrument.contract.primaryExchange or instrument.contract.exchange
