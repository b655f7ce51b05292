"""The exchange: takes everybody's orders and matches them against the market."""
from . import families, order_rules, order_types, reports
from .book import BY_HAND, Book
from .events import Bound, Completed, Executed
from .fills import Fills, corrected
from .floor import Floor
from .reports import Reports
from .scenario import Scenario
from .ticket import Ticket

NOT_FOUND = 'OrderId {} that needs to be cancelled is not found.'
NOT_CANCELLABLE = 'OrderId {} that needs to be cancelled cannot be cancelled, state: {}.'
PENDING = 'Cancel attempted when order is not in a cancellable state.  Order permId = {}'
LOCATING = ('Shares for this order are not immediately available for short sale. The order will be held while we '
            'attempt to locate the shares.')


class Exchange:
    """Orders of all clients, in one place; times are UTC epoch seconds.

    `events` is a deque of events.Opened, Status, Executed, Commissioned, Told and Bound in true order: take from its
    left. `scenario` has the switches for what shall go wrong, or in parts. `groups` maps FA groups to their
    accounts.
    """

    def __init__(self, market, ledger, zone='US/Eastern', groups=None):
        self.market = market
        self.ledger = ledger
        self.zone = zone
        self.groups = dict(groups or {})
        self.scenario = Scenario()
        self._book = Book()
        self._fills = Fills(self.groups)
        self._reports = Reports(self.scenario, self._fills)
        self._floor = Floor(market, ledger, self._book, self._fills, self._reports, self.scenario, zone)
        self._binds = False
        self.events = self._reports.events

    def place(self, now, clientId, order, contract, instrument):
        """A new order or, for a known (clientId, order.orderId), its modification; whatIf answers with one Opened.

        `instrument` None: nothing known for the contract, the order is refused with 200.
        """
        self.advance(now)
        order = order_rules.canonical(order.replace(clientId=clientId), self.ledger.accounts)
        known = self._book.find(clientId, order.orderId)
        if not contract.exchange:
            self._reports.refuse(order, order_rules.NO_EXCHANGE)
        elif known is not None and not order.whatIf:
            self._modify(known, order, instrument, now)
        else:
            self._take(order, contract, instrument, now)

    def enter_by_hand(self, now, order, contract, instrument):
        """An order typed into TWS: clientId 0, orderId 0; returns its permId, None when it was refused."""
        self.advance(now)
        order = order_rules.canonical(order.replace(clientId=0, orderId=BY_HAND), self.ledger.accounts)
        ticket = self._take(order, contract, instrument, now)
        return ticket and ticket.order.permId

    def _take(self, order, contract, instrument, now):
        ticket = None if instrument is None else self._ticket(order, contract, instrument)
        refusal = self._refusal(order, instrument, now)
        if refusal:
            self._reports.refuse(order, refusal)
            return None
        if order.whatIf:
            self._answer_whatif(ticket, now)
            return None
        families.join(ticket)
        self._book.add(ticket)
        self._bind(ticket)
        if order.transmit:
            self._transmit(ticket, now)
        return ticket

    def _ticket(self, order, contract, instrument):
        parent = self._book.find(order.clientId, order.parentId) if order.parentId else None
        full = instrument.contract._replace(exchange=contract.exchange or instrument.contract.exchange)
        if order_types.named(order.orderType) is None:
            return None
        return Ticket(order.replace(permId=self._book.take_perm_id()), full, instrument, parent)

    def _refusal(self, order, instrument, now):
        if not order.whatIf and 0 < order.orderId < self._book.next_id(order.clientId):
            return order_rules.Refusal(103, 'Duplicate order id')
        return (order_rules.refusal(order, instrument, now, self.zone, self.ledger.accounts, self.groups)
                or order_rules.parent_refusal(order, self._book.find(order.clientId, order.parentId))
                or order_rules.group_refusal(order, self._book.live()))

    def _answer_whatif(self, ticket, now):
        self._size_by_cash(ticket, now)
        margins = self._margins(ticket, now)
        self.events.append(reports.whatif(ticket, margins, self.ledger.currency))

    def _margins(self, ticket, now):
        account = ticket.order.account or self.groups[ticket.allocation][0]
        return self.ledger.margin_change(now, account, ticket.instrument, ticket.sign * ticket.remaining,
                                         self._floor.price_of(ticket, now))

    def _transmit(self, ticket, now):
        """Transmitting one of a family transmits what its parents and their other children still hold back."""
        for member in families.members(self._book, families.root(ticket)):
            if not member.transmitted:
                member.transmitted = True
                self._accept(member, now)

    def _accept(self, ticket, now):
        if ticket.parent is not None and ticket.parent.ended is not None and not ticket.parent.filled:
            self._floor.end(ticket, now, 'Cancelled')
            return
        self._size_by_cash(ticket, now)
        refusal = self._rejection(ticket, now)
        if refusal is not None:
            self._reports.tell(ticket, refusal.code, refusal.text)
            self._floor.reject(ticket, now, refusal.inactive)
        else:
            self._hold_for_locate(ticket)
            self._floor.enter(ticket, now)

    def _rejection(self, ticket, now):
        """What only shows when the order gets to the exchange: a set-up refusal, or lack of margin."""
        refusal = self._scripted('place', ticket)
        return refusal or self._lack_of_means(ticket, now)

    def _lack_of_means(self, ticket, now):
        if ticket.parent is not None:
            return None
        return (order_rules.short_refusal(ticket, self.ledger.position(ticket.order.account, ticket.instrument.conId))
                or order_rules.margin_refusal(self._margins(ticket, now), self.ledger.currency))

    def _scripted(self, on, ticket):
        """Tells the notice set up for this, and returns the refusal."""
        notice = self.scenario.notice(on, ticket.instrument.symbol)
        if notice is not None:
            self._reports.tell(ticket, notice.code, notice.text)
        return self.scenario.refusal(on, ticket.instrument.symbol)

    def _hold_for_locate(self, ticket):
        held = self.ledger.position(ticket.order.account, ticket.instrument.conId)
        if (ticket.sign < 0 and ticket.instrument.symbol in self.scenario.hard_to_borrow
                and ticket.order.totalQuantity > (held.position if held else 0)):
            ticket.located = False
            self._reports.tell(ticket, 404, LOCATING)

    def locate(self, now, symbol):
        """Shares to borrow have been found: short sales of the symbol are held no more."""
        self.advance(now)
        self.scenario.hard_to_borrow.discard(symbol)
        for ticket in self._book.live():
            if ticket.instrument.symbol == symbol and not ticket.located:
                ticket.located = True
                self._floor.step(ticket, now)

    def _size_by_cash(self, ticket, now):
        order = ticket.order
        if order.cashQty and not order.totalQuantity:
            units = order.cashQty / self._floor.price_of(ticket, now) / ticket.instrument.multiplier
            step = ticket.instrument.size_step or 1e-8
            order.totalQuantity = round(units // step * step, 8)

    def _modify(self, ticket, order, instrument, now):
        refusal = (order_rules.change_refusal(ticket, order, instrument, self.scenario.forgets_parents)
                   or self._scripted('modify', ticket)
                   or order_rules.refusal(order, instrument, now, self.zone, self.ledger.accounts, self.groups)
                   or self._cannot_pay(ticket, order, now))
        if refusal:
            self._reports.refuse(order, refusal)
            if refusal.inactive:
                self._floor.reject(ticket, now, True)
            return
        ticket.change(order)
        families.join(ticket)
        if not ticket.transmitted:
            if order.transmit:
                self._transmit(ticket, now)
        elif ticket.ended is not None:
            ticket.ended = None
            self._accept(ticket, now)
        else:
            self._floor.re_enter(ticket, now)

    def _cannot_pay(self, ticket, order, now):
        """Lack of means for a change of what works; that it goes on as it was is a guess, by other refusals."""
        if ticket.ended is not None or not ticket.transmitted:
            return None
        changed = Ticket(order, ticket.contract, ticket.instrument, ticket.parent)
        changed.filled = ticket.filled
        refusal = self._lack_of_means(changed, now)
        return refusal and refusal._replace(inactive=False)

    def cancel(self, now, clientId, orderId):
        """Answers by events: Status Cancelled then Told 202, or Told 10147/10148/161."""
        self.advance(now)
        ticket = self._book.find(clientId, orderId)
        if ticket is None:
            self._reports.say(orderId, clientId, 10147, NOT_FOUND.format(orderId))
            return
        refusal = self._scripted('cancel', ticket)
        if refusal is not None:
            self._reports.tell(ticket, refusal.code, refusal.text)
        elif ticket.status == 'Inactive' and ticket.ended is not None:
            self._floor.end(ticket, now, self.scenario.cancel_status)
        elif ticket.ended is not None:
            self._reports.tell(ticket, 10148, NOT_CANCELLABLE.format(orderId, ticket.status))
        elif ticket.cancelling is not None:
            self._reports.tell(ticket, 161, PENDING.format(ticket.order.permId))
        else:
            self._cancel(ticket, now)

    def _cancel(self, ticket, now):
        if not ticket.transmitted:
            for member in families.members(self._book, ticket):
                self._book.drop(member)
            return
        ticket.cancelling = now + self.scenario.cancel_delay
        ticket.wake = None
        self._floor.step(ticket, now)

    def cancel_by_hand(self, now, permId):
        """Somebody cancels an order, of any client, in TWS."""
        self.advance(now)
        ticket = self._book.by_perm_id(permId)
        if ticket is None:
            raise KeyError('no order with permId {}: see open_orders()'.format(permId))
        if ticket.ended is None and ticket.cancelling is None:
            self._cancel(ticket, now)

    def global_cancel(self, now):
        """Cancels every open order of every client."""
        self.advance(now)
        for ticket in self._book.live():
            if ticket.alive and ticket.cancelling is None:
                self._cancel(ticket, now)

    def bind(self, now):
        """From now on orders by hand carry negative ids of client 0: Bound, Opened and Status for each open one."""
        self.advance(now)
        self._binds = True
        for ticket in self._book.live():
            if self._bind(ticket):
                self._reports.again(ticket)

    def _bind(self, ticket):
        """Whether the ticket was by hand and has got an id now."""
        if not self._binds or ticket.order.orderId != BY_HAND:
            return False
        self._book.bind(ticket)
        self.events.append(Bound(ticket.order.permId, 0, ticket.order.orderId))
        return True

    def advance(self, now):
        """Matches everything before `now`, in time order; time does not run backwards."""
        self._floor.advance(now)

    def next_time(self):
        """When something happens by the clock alone (expiry, opening, late commission); None when nothing will."""
        return self._floor.next_time()

    def watched(self):
        """The instruments whose ticks matter to a working order now."""
        return list(self._floor.watched().values())

    def next_id(self, clientId):
        """The next valid order id of a client."""
        return self._book.next_id(clientId)

    def saw(self, clientId, orderId):
        """A client was told of an order of another: its own next id is above."""
        self._book.saw(clientId, orderId)

    def roll_back_ids(self, to=1):
        """As TWS's "Reset API order ID sequence": ids of ended orders may come again, from `to` on."""
        self._book.roll_back(to)

    def open_orders(self, clientId=None):
        """[(Opened, Status)] of working orders, of one client or of all, oldest first."""
        return [(reports.opened(ticket), ticket.standing()) for ticket in self._book.live()
                if clientId in (None, ticket.order.clientId)]

    def completed_orders(self, apiOnly=False, since=0.0):
        """[Completed] of what has ended since then, oldest first; `apiOnly` leaves out orders by hand."""
        done = [ticket for ticket in self._book.tickets()
                if ticket.ended is not None and ticket.ended >= since and ticket.reported
                and not (apiOnly and ticket.order.orderId <= BY_HAND)]
        return [Completed(ticket.order.replace(), ticket.contract, reports.completed_state(ticket), ticket.filled)
                for ticket in sorted(done, key=lambda ticket: ticket.ended)]

    def executions(self, clientId=None, acctCode='', time=None, symbol='', secType='', exchange='', side=''):
        """[Fill] that match, oldest first; blank fields match all, `time` is the earliest."""
        return self._fills.matching(clientId, time, account=acctCode, exchange=exchange,
                                    side={'BUY': 'BOT', 'SELL': 'SLD'}.get(side.upper(), side.upper()),
                                    contract={'symbol': symbol, 'secType': secType})

    def correct(self, now, execId, shares=None, price=None):
        """A correction of a fill (execId .01 -> .02) by the exchange; shares 0 is a bust."""
        self.advance(now)
        old = self._fills.find(execId).execution
        new = corrected(old, shares, price)
        ticket = self._book.by_perm_id(new.permId)
        ticket.filled = round(ticket.filled - old.shares + new.shares, 8)
        ticket.value += new.price * new.shares - old.price * old.shares
        report = self.ledger.correct(new, ticket.instrument)
        self._fills.record(new)
        self.events.append(Executed(new))
        self._reports.commission(new, report, now)
