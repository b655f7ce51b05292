"""Tells what happens to orders: writes the events, and strays from the book where the scenario says so."""
import heapq
from collections import deque

from .events import Commissioned, Executed, Opened, Told

OLD_SENTINEL = -1.0


class Reports:
    """`events` is what has been told and not been taken; commissions may be told later."""

    def __init__(self, scenario, fills):
        self.events = deque()
        self._scenario = scenario
        self._fills = fills
        self._later = []
        self._count = 0

    def say(self, orderId, clientId, code, text):
        self.events.append(Told(orderId, clientId, code, text))

    def tell(self, ticket, code, text):
        self.say(ticket.order.orderId, ticket.order.clientId, code, text)

    def refuse(self, order, refusal):
        self.say(order.orderId, order.clientId, refusal.code, refusal.text)

    def standing(self, ticket):
        """openOrder and orderStatus, when something in them is new."""
        if ticket.standing() != ticket.reported:
            self.again(ticket)

    def again(self, ticket):
        """openOrder and orderStatus, new or not."""
        ticket.reported = ticket.standing()
        is_reduced = ticket.order.totalQuantity != ticket.asked
        if ticket.status in self._scenario.dropped and not is_reduced:
            return
        ticket.asked = ticket.order.totalQuantity
        for _ in range(self._scenario.repeats):
            self.events.append(opened(ticket))
            self.events.append(ticket.reported)

    def fill(self, ticket, execution, report, now):
        """The three reports of a fill, in the scenario's order."""
        self._fills.record(execution)
        tellers = {'execution': lambda: self.events.append(Executed(execution)),
                   'status': lambda: self.standing(ticket),
                   'commission': lambda: self.commission(execution, report, now)}
        for name in self._scenario.report_order:
            tellers[name]()

    def commission(self, execution, report, now):
        """Now, later or never, right or as a sentinel."""
        way = self._scenario.commission
        if way == 'missing':
            return
        if way != 'normal':
            report = report._replace(commission=OLD_SENTINEL if way == 'sentinel' else None, realizedPNL=None)
        if self._scenario.commission_delay:
            self._count += 1
            heapq.heappush(self._later, (now + self._scenario.commission_delay, self._count, execution, report))
        else:
            self._tell_commission(execution, report)

    def _tell_commission(self, execution, report):
        self._fills.price(execution, report)
        self.events.append(Commissioned(report, execution))

    def next_time(self):
        return self._later[0][0] if self._later else None

    def advance(self, now):
        """Tells the commissions that are due."""
        while self._later and self._later[0][0] <= now:
            _, _, execution, report = heapq.heappop(self._later)
            self._tell_commission(execution, report)


def opened(ticket):
    return Opened(ticket.order.replace(), ticket.contract, ticket.state())


def whatif(ticket, margins, currency):
    """The answer to a whatIf order."""
    return Opened(ticket.order.replace(), ticket.contract, ticket.state()._replace(
        status='PreSubmitted', initMarginBefore=margins.initBefore, maintMarginBefore=margins.maintBefore,
        equityWithLoanBefore=margins.equityBefore, initMarginAfter=margins.initAfter,
        maintMarginAfter=margins.maintAfter, equityWithLoanAfter=margins.equityAfter,
        initMarginChange=margins.initAfter - margins.initBefore,
        maintMarginChange=margins.maintAfter - margins.maintBefore,
        equityWithLoanChange=margins.equityAfter - margins.equityBefore, commission=margins.commission,
        commissionCurrency=currency))


def completed_state(ticket):
    """The state of an order that is over; TWS calls it Cancelled also when it was Inactive."""
    status = 'Filled' if ticket.status == 'Filled' else 'Cancelled'
    text = 'Filled Size: {:g}'.format(ticket.filled) if status == 'Filled' else 'Cancelled by Trader'
    return ticket.state()._replace(status=status, completedTime=ticket.completion, completedStatus=text)
