"""What clients ask about orders, and what the exchange tells them."""
from . import events, replies, requests, stamps


class OrderDesk:
    """Takes orders to the exchange and brings its events to the clients they belong to."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._exchange = gateway.exchange
        self._tellers = {events.Opened: self._tell_opened, events.Status: self._tell_status,
                         events.Executed: self._tell_executed, events.Commissioned: self._tell_commissioned,
                         events.Told: self._tell_told, events.Bound: self._tell_bound}

    def handlers(self):
        return {requests.PlaceOrder: self._place, requests.CancelOrder: self._cancel,
                requests.ReqGlobalCancel: self._cancel_all, requests.ReqIds: self._tell_next_id,
                requests.ReqOpenOrders: self._tell_own_orders, requests.ReqAllOpenOrders: self._tell_all_orders,
                requests.ReqAutoOpenOrders: self._bind, requests.ReqCompletedOrders: self._tell_completed,
                requests.ReqExecutions: self._tell_executions}

    def publish(self):
        """Bring what has happened to the clients; it waits while TWS has no link to IB."""
        while self._exchange.events and not self._gateway.faults.is_down:
            event = self._exchange.events.popleft()
            self._tellers[type(event)](event)

    def _place(self, session, request):
        gateway = self._gateway
        if gateway.faults.swallowing:
            # FLD QuantConnect/Lean.Brokerages.InteractiveBrokers#93
            gateway.faults.swallowing -= 1
            return
        found = gateway.catalogue.find(request.contract)
        instrument = found[0] if len(found) == 1 else None
        order = request.order.replace(orderId=request.orderId, clientId=session.client_id)
        self._exchange.place(gateway.now, session.client_id, order, request.contract, instrument)

    def _cancel(self, session, request):
        self._exchange.cancel(self._gateway.now, session.client_id, request.orderId)

    def _cancel_all(self, session, request):
        self._exchange.global_cancel(self._gateway.now)

    def _tell_next_id(self, session, request):
        session.send(replies.NextValidId(self._exchange.next_id(session.client_id)))

    def _tell_own_orders(self, session, request):
        self._tell_orders(session, session.client_id)

    def _tell_all_orders(self, session, request):
        self._tell_orders(session, None)

    def _tell_orders(self, session, client_id):
        for opened, status in self._exchange.open_orders(client_id):
            self._exchange.saw(session.client_id, status.orderId)
            session.send(replies.OpenOrder(*opened))
            session.send(_status(status))
        session.send(replies.OpenOrderEnd())

    def _bind(self, session, request):
        if session.client_id != 0:
            session.refuse_invalid(-1, 'Only the API client with id 0 can auto-bind')
        elif request.bind:
            self._exchange.bind(self._gateway.now)

    def _tell_completed(self, session, request):
        for completed in self._exchange.completed_orders(request.apiOnly, self._gateway.midnight()):
            session.send(replies.CompletedOrder(*completed))
        session.send(replies.CompletedOrdersEnd())

    def _tell_executions(self, session, request):
        try:
            since = stamps.parse(request.time, self._gateway.zone) if request.time else 0.0
        except ValueError as error:
            session.refuse_invalid(request.reqId, error)
            return
        # a gateway has no more than the day's (executions_commissions page)
        fills = self._exchange.executions(
            request.clientId or None, request.acctCode, max(since, self._gateway.midnight()), request.symbol,
            request.secType, request.exchange, request.side)
        for execution, report in fills:
            session.send(self._details(request.reqId, execution, session))
            # those of other clients are for a master client alone (executions_commissions page)
            if report and session.client_id in (execution.clientId, self._gateway.master):
                session.send(replies.CommissionReport(report))
        session.send(replies.ExecDetailsEnd(request.reqId))

    def _owners(self, client_id):
        """The sessions that hear of an order: its client, for orders by hand client 0, and the master client."""
        clients = self._gateway.clients
        return [clients[name] for name in {client_id, self._gateway.master} if name in clients]

    def _tell_opened(self, event):
        for session in self._owners(event.order.clientId):
            self._exchange.saw(session.client_id, event.order.orderId)
            session.send(replies.OpenOrder(*event))

    def _tell_status(self, event):
        for session in self._owners(event.clientId):
            session.send(_status(event))

    def _tell_executed(self, event):
        for session in self._owners(event.execution.clientId):
            session.send(self._details(-1, event.execution, session))
        self._gateway.accounts.traded()

    def _tell_commissioned(self, event):
        for session in self._owners(event.execution.clientId):
            session.send(replies.CommissionReport(event.report))

    def _tell_told(self, event):
        owner = self._gateway.clients.get(event.clientId)
        for session in [owner] if owner else []:
            session.send(replies.Error(event.orderId, event.code, event.text, event.advanced))

    def _tell_bound(self, event):
        for session in self._owners(event.clientId):
            session.send(replies.OrderBound(*event))

    def _details(self, reqId, execution, session):
        return replies.ExecDetails(
            reqId, execution, stamps.intraday(execution.time, self._gateway.zone, session.version))


def _status(status):
    return replies.OrderStatus(
        orderId=status.orderId, status=status.status, filled=status.filled, remaining=status.remaining,
        avgFillPrice=status.avgFillPrice, permId=status.permId, parentId=status.parentId,
        lastFillPrice=status.lastFillPrice, clientId=status.clientId, whyHeld=status.whyHeld,
        mktCapPrice=status.mktCapPrice)
