"""Orders on their way out, into whatever session there is. Loop thread only."""
from .messages import Notice

#: the client library's code for a message that found no socket
NOT_CONNECTED = 504


class OrderLine:
    """Sends orders and takes them back; `account` and `publish` hear of those that could not leave."""

    def __init__(self, ib, account, publish):
        self.ib = ib
        self.account = account
        self.publish = publish

    def place(self, contract, order):
        """Send an order; one that finds no session is answered as TWS would, so that it ends where the others do."""
        try:
            known = self.ib.wrapper.trades.get((self.ib.client.clientId, order.orderId))
            if known is not None and known.isDone():
                # ib_insync refuses to change what it holds to be dead; TWS decides
                self.ib.client.placeOrder(order.orderId, contract, order)
            else:
                self.ib.placeOrder(contract, order)
        except ConnectionError as error:
            self.account.order_error(order.orderId, NOT_CONNECTED, str(error), '')

    def cancel(self, order):
        try:
            self.ib.cancelOrder(order)
        except ConnectionError as error:
            self.publish(Notice(order.orderId, NOT_CONNECTED, 'the order was not cancelled: {}'.format(error)))

    async def what_if(self, contract, order):
        """Margin and commission an order would have; nothing is placed."""
        return await self.ib.whatIfOrderAsync(contract, order)
