"""What the exchange tells, in the order it happened; whoever listens makes messages of it."""
from typing import NamedTuple, Optional

from .records import CommissionReport, Contract, Execution, Order, OrderState


class Opened(NamedTuple):
    """The order as the exchange has it now (openOrder); `order` carries orderId, clientId and permId."""
    order: Order
    contract: Contract
    state: OrderState


class Status(NamedTuple):
    """Where an order stands (orderStatus)."""
    orderId: int
    clientId: int
    permId: int
    parentId: int
    status: str
    filled: float
    remaining: float
    avgFillPrice: float
    lastFillPrice: float
    whyHeld: str = ''
    mktCapPrice: float = 0.0


class Executed(NamedTuple):
    """A fill, or its correction: the same execId but for the digits after the last dot (execDetails, reqId -1)."""
    execution: Execution


class Commissioned(NamedTuple):
    """What a fill has cost; `execution` is the one it belongs to (commissionReport)."""
    report: CommissionReport
    execution: Execution


class Told(NamedTuple):
    """A code and a text about an order: refusal, notice, or the answer to a cancel (error)."""
    orderId: int
    clientId: int
    code: int
    text: str
    advanced: str = ''


class Bound(NamedTuple):
    """An order entered by hand was given an id of the client it is bound to (orderBound)."""
    permId: int
    clientId: int
    orderId: int


class Completed(NamedTuple):
    """An order that has ended (completedOrder)."""
    order: Order
    contract: Contract
    state: OrderState
    filledQuantity: float


class Fill(NamedTuple):
    """An execution on record with its commission report, None while that is not out."""
    execution: Execution
    report: Optional[CommissionReport]
