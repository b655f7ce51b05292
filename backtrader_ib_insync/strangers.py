"""Orders that TWS holds from an earlier run, till a feed is there that trades them."""
from .order_book import REF_PREFIX

ELSEWHERE = (
    'TWS works orders that this library placed as client {}, such as {} {:g} {}. This run is client {}: it can neither '
    'change, cancel nor follow them. To find them again give IBStore the same number as clientId in each run')


def name_of(contract):
    """A TWS contract as a person calls it."""
    return contract.localSymbol or contract.symbol


class Strangers:
    """Keeps OpenOrder records of our own orders that this run did not send; the broker adopts them when it can."""

    def __init__(self, broker):
        self.broker = broker
        self._waiting = {}
        #: (time, size) by permanent id: what had been filled by then, epoch seconds, that TWS lists no executions of
        self.filled = {}
        self._elsewhere = set()

    def meet(self, record):
        """An order we did not send: one of ours from an earlier run, or none of our business."""
        key = record.clientId, record.orderId
        store = self.broker.store
        store.link.seen_order_id(record.orderId)
        if record.clientId == store.clientId and record.orderId > 0:
            if key not in self.broker.book.left_alone:
                self._waiting[key] = record
        elif record.order.orderRef.startswith(REF_PREFIX) and record.clientId not in self._elsewhere:
            self._elsewhere.add(record.clientId)
            self.broker.said(ELSEWHERE.format(record.clientId, record.order.action, record.order.totalQuantity,
                                              name_of(record.contract), store.clientId), record)

    def forget(self, record):
        """It has ended before anybody could adopt it."""
        self._waiting.pop((record.clientId, record.orderId), None)
        self.broker.book.left_alone.discard((record.clientId, record.orderId))

    def adopt(self):
        """[(order, record)] adopted now; what no feed trades is told once and left alone."""
        adopted = []
        for key, record in list(self._waiting.items()):
            order = self.broker.adopt(record)
            if order is None and self.broker.resolving():
                continue
            del self._waiting[key]
            if order is None:
                self.broker.book.left_alone.add(key)
                self.broker.said('an order of an earlier run is left alone, no feed here trades it: {} {:g} {}'.format(
                    record.order.action, record.order.totalQuantity, name_of(record.contract)), record)
            else:
                adopted.append((order, record))
        return adopted
