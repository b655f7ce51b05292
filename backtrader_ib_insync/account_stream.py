"""What TWS tells of orders and the account, as records for the broker. Loop thread only."""
import copy
import math

from .messages import (
    AccountValue, Commission, CompletedOrder, Execution, OpenOrder, OrderError, OrderState, Portfolio, Position,
    PositionsListed, Synchronising)

UNSET_INTEGER = 2147483647


def known(number):
    """A number of TWS, None where TWS means "unset" by it (empty, NaN, 1.79e308)."""
    if number is None or number == '' or math.isnan(number) or abs(number) > 1e300:
        return None
    return number


def paid(commission):
    """A commission; TWS's -1 means "not known" as well."""
    amount = known(commission)
    return None if amount == -1 else amount


class AccountStream:
    """Hears the client library's account and order messages."""

    def __init__(self):
        self._sink = None
        self._next = None
        self._ids = {}

    def attach(self, sink):
        """Tell all to `sink`, from the next whole view of TWS on: a part of one would be misunderstood."""
        self._next = sink

    @property
    def is_left_out(self):
        """Whether whoever was attached last has heard nothing yet."""
        return self._sink is not self._next

    def tell(self, record):
        if isinstance(record, Synchronising):
            self._sink = self._next
        if self._sink is not None:
            self._sink(record)

    def highest_id(self, clientId):
        """The largest order id that TWS has named for a client; 0 when there was none."""
        return self._ids.get(clientId, 0)

    def _see(self, clientId, orderId):
        self._ids[clientId] = max(orderId, self.highest_id(clientId))

    def order_error(self, orderId, code, text, advanced):
        self.tell(OrderError(orderId, code, text, advanced))

    def openOrder(self, orderId, contract, order, state):
        self._see(order.clientId, orderId)
        if not order.whatIf:
            self.tell(OpenOrder(orderId, order.clientId, order.permId, state.status, copy.copy(contract),
                                copy.copy(order), state.warningText))

    def orderStatus(self, orderId, status, filled, remaining, avgFillPrice, permId, parentId, lastFillPrice, clientId,
                    whyHeld, mktCapPrice=0.0):
        self.tell(OrderState(orderId, clientId, permId, parentId, status, filled, remaining, avgFillPrice,
                             lastFillPrice, whyHeld))

    def execDetails(self, reqId, contract, execution):
        orderId = 0 if execution.orderId == UNSET_INTEGER else execution.orderId
        self._see(execution.clientId, orderId)
        self.tell(Execution(
            execution.execId, orderId, execution.clientId, execution.permId, execution.acctNumber,
            execution.time.timestamp(), execution.side, execution.shares, execution.price, execution.cumQty,
            execution.avgPrice, execution.orderRef, execution.exchange, copy.copy(contract), reqId == -1))

    def commissionReport(self, report):
        self.tell(Commission(report.execId, paid(report.commission), report.currency, known(report.realizedPNL)))

    def completedOrder(self, contract, order, state):
        self.tell(CompletedOrder(order.permId, state.status, copy.copy(contract), copy.copy(order),
                                 state.completedStatus, float(known(order.filledQuantity) or 0.0)))

    def updateAccountValue(self, tag, value, currency, account):
        self.tell(AccountValue(account, tag, value, currency))

    def accountUpdateMulti(self, reqId, account, modelCode, tag, value, currency):
        if not modelCode:
            self.tell(AccountValue(account, tag, value, currency))

    def updatePortfolio(self, contract, position, marketPrice, marketValue, avgCost, unrealizedPNL, realizedPNL,
                        account):
        self.tell(Portfolio(account, copy.copy(contract), position, marketPrice, marketValue, avgCost,
                            known(unrealizedPNL) or 0.0, known(realizedPNL) or 0.0))

    def position(self, account, contract, position, avgCost):
        self.tell(Position(account, copy.copy(contract), position, avgCost))

    def positionEnd(self):
        self.tell(PositionsListed())
