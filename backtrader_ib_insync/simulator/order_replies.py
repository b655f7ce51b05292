"""What a gateway says about orders: their state, their executions, what those cost."""
from typing import NamedTuple

from . import fields, order_echo
from .contract_fields import named_fields
from .records import CommissionReport as Report
from .records import Contract, Execution, Order, OrderState

PENDING_PRICE_REVISION = 178


class NextValidId(NamedTuple):
    orderId: int

    HEAD = (9, 1)


class OrderStatus(NamedTuple):
    orderId: int
    status: str
    filled: float
    remaining: float
    avgFillPrice: float
    permId: int
    parentId: int
    lastFillPrice: float
    clientId: int
    whyHeld: str = ''
    mktCapPrice: float = 0.0

    HEAD = (3,)

    def body(self, version):
        return self._replace(filled=fields.quantity(self.filled), remaining=fields.quantity(self.remaining))


class OpenOrder(NamedTuple):
    """An order in work, with what TWS fills in of its own; `order` carries orderId, clientId and permId."""
    order: Order
    contract: Contract
    state: OrderState

    HEAD = (5,)

    def body(self, version):
        return order_echo.open_order(self.order, self.contract, self.state, version)


class OpenOrderEnd(NamedTuple):
    HEAD = (53, 1)


class CompletedOrder(NamedTuple):
    """An order that is done; its orderId and clientId are not told, as TWS has it."""
    order: Order
    contract: Contract
    state: OrderState
    filledQuantity: float = 0.0

    HEAD = (101,)

    def body(self, version):
        return order_echo.completed_order(self.order, self.contract, self.state, self.filledQuantity, version)


class CompletedOrdersEnd(NamedTuple):
    HEAD = (102,)


class ExecDetails(NamedTuple):
    """A fill; reqId -1 when it happens, the request's when it was asked for."""
    reqId: int
    execution: Execution
    timeText: str

    HEAD = (11,)

    def body(self, version):
        fill = self.execution
        return ((self.reqId, fill.orderId) + named_fields(fill.contract)
                + (fill.execId, self.timeText, fill.account, fill.exchange, fill.side, fields.quantity(fill.shares),
                   fill.price, fill.permId, fill.clientId, fill.liquidation, fields.quantity(fill.cumQty),
                   fill.avgPrice, fill.orderRef, '', '', fill.modelCode, fill.lastLiquidity)
                + ((False,) if version >= PENDING_PRICE_REVISION else ()))


class ExecDetailsEnd(NamedTuple):
    reqId: int

    HEAD = (55, 1)


class CommissionReport(NamedTuple):
    report: Report

    HEAD = (59, 1)

    def body(self, version):
        report = self.report
        return (report.execId, fields.unset_double(report.commission), report.currency,
                fields.unset_double(report.realizedPNL), fields.unset_double(None), '')


class OrderBound(NamedTuple):
    permId: int
    clientId: int
    orderId: int

    HEAD = (100,)
