"""Where orders are made, checked, sent, changed and taken back. Strategy thread; nothing here waits but `whatif`."""
import bisect
import logging

from backtrader import Order

from . import order_fields, zones
from .errors import BadOrder, BadParameter, IBError, NotConnected, UnknownZone
from .insync import Order as TWSOrder
from .order_book import group_of, own_ref
from .orders import IBOrder, date_number, exectype_of, last_bar, prices_of

log = logging.getLogger(__name__)

#: the attributes that a TWS order has
KNOWN = frozenset(vars(TWSOrder()))
#: what backtrader itself names of an order that can be changed
MODIFIABLE = ('size', 'price', 'plimit', 'valid', 'trailamount', 'trailpercent')


class OrderDesk:
    """Makes TWS orders of what strategies ask and posts them to the store; `book` has all that were sent."""

    def __init__(self, broker, store, book):
        self.broker = broker
        self.store = store
        self.book = book
        self._off_tick = set()
        self._day_ends = {}

    # -- new orders ----------------------------------------------------------------------------------------------------

    def order(self, buy, keywords, **asked):
        """A new order, sent; or Rejected with the reason. Raises BadParameter for a keyword that no TWS order has."""
        whatif = keywords.pop('whatif', False) or keywords.pop('whatIf', False)
        order = self._make(buy, order_fields.keywords(keywords, KNOWN), **asked)
        try:
            self._check(order)
            order.state(*self._fields(order, order.terms))
            if not whatif:
                return self._send(order)
            order.info['whatif'] = self.store.what_if(order.data.tradecontract, order.tws)
            return order
        except IBError as error:
            return self._refuse(order, str(error))

    def _make(self, buy, keywords, **asked):
        order = IBOrder(buy, now=self.store.clock(), keywords=keywords, **asked)
        order.addcomminfo(self.broker.getcommissioninfo(order.data))
        return order

    def _check(self, order):
        """Raise BadOrder or NotConnected when the order cannot be sent at all."""
        data = order.data
        if getattr(data, 'tradecontract', None) is None:
            raise BadOrder('the feed {!r} trades no TWS contract: it is not an IBData, or TWS has not told its '
                           'contract yet; wait for the first bar'.format(data._name))
        self._need_link('order not sent')
        if not self.broker.p.backfill_orders and getattr(data, 'catching_up', False):
            raise BadOrder('the feed {!r} still delivers history: wait for LIVE in notify_data, or use '
                           'getbroker(backfill_orders=True)'.format(data._name))
        for name, other in (('parent', order.p.parent), ('oco', order.p.oco)):
            own = other and self.book.own(other)
            if other is not None and not (own and own.alive()):
                raise BadOrder('{}: order {} is no longer alive: {}'.format(
                    name, other.ref, (own or other).getstatusname()))

    def _need_link(self, what):
        reason = self.store.link.reason_not_trading()
        if reason:
            raise NotConnected('{}: {}'.format(what, reason))

    def _send(self, order):
        if order.p.oco is not None:
            order.update(**self._join(self.book.own(order.p.oco)))
        self.book.add(order)
        order.submit(self.broker)
        self.broker.notify(order)
        self._place(order)
        return order

    def _place(self, order):
        self.store.place(order.data.tradecontract, order.tws)
        if order.tws.transmit:
            for member in self.book.family(order):
                member.life.transmitted = True

    def _refuse(self, order, reason):
        """Tell an order Rejected that was not sent; a bracket it belongs to is taken back as a whole."""
        log.warning('order %s rejected: %s', order.ref, reason)
        order.broker = self.broker
        order.tell(0, reason)
        order.end(Order.Rejected, order.created.dt)
        self.book.retire(order)
        self.broker.notify(order)
        parent = order.p.parent and self.book.own(order.p.parent)
        if parent and not parent.life.transmitted:
            for member in self.book.family(parent):
                member.tell(0, 'taken back: a member of its bracket was rejected ({})'.format(reason))
                self.cancel(member)
        return order

    # -- its TWS fields ------------------------------------------------------------------------------------------------

    def _fields(self, order, terms):
        """(the TWS order for `terms`, until when it is in force)."""
        ticket = order_fields.ticket(terms, self._setting(order.data))
        if ticket.notes:
            self._say_once(order.data, ticket.notes)
        tws = TWSOrder()
        vars(tws).update(self._belongings(order, terms), **ticket.fields)
        return tws, self._until(tws, order.data) if ticket.until is None else ticket.until

    def _until(self, tws, data):
        """When TWS lets an order expire, epoch seconds; None when it has no date or one that cannot be read."""
        if tws.tif in ('DAY', 'DTC'):
            return self._day_end(data)
        try:
            return zones.parse_stamp(tws.goodTillDate, data._tz or zones.UTC) if tws.tif == 'GTD' else None
        except (ValueError, UnknownZone) as error:
            log.warning('an order is good till an unknown date: %s', error)
            return None

    def _setting(self, data):
        contract = data.tradecontract
        details = getattr(data, 'tradecontractdetails', None)
        increments = self.store.link.price_increments(details, contract.exchange)
        bar, zone = last_bar(data), getattr(data, '_tz', None) or zones.UTC
        return order_fields.Setting(contract.secType, increments, bar and bar[1], zone, self.store.clock(),
                                    details.orderTypes if details is not None else '')

    def _belongings(self, order, terms):
        """Whose the order is: ids, account, family, group."""
        own = self.book.own(order)
        fields = {'clientId': self.store.clientId, 'transmit': bool(order.p.transmit) or order.life.transmitted}
        if own is not None:
            fields.update({name: getattr(own.tws, name) for name in (
                'orderId', 'permId', 'clientId', 'parentId', 'ocaGroup', 'ocaType', 'orderRef', 'account')})
            return fields
        fields.update(orderId=self.store.link.next_order_id(), orderRef=own_ref())
        if order.p.parent is not None:
            fields['parentId'] = self.book.own(order.p.parent).tws.orderId
        if not terms.keywords.get('faGroup') and not terms.keywords.get('faProfile'):
            fields['account'] = self._account(terms.keywords.get('account'))
        return fields

    def _account(self, asked):
        account = asked or self.broker.accounts.name
        if account not in self.store.accounts:
            raise BadOrder('account {!r}: this login has {}'.format(account, ', '.join(self.store.accounts)))
        return account

    def _day_end(self, data):
        """When the session that is open, or the next one, ends (epoch seconds); None when TWS tells no hours."""
        conId = data.tradecontract.conId
        if conId not in self._day_ends:
            details = getattr(data, 'tradecontractdetails', None)
            hours = details and (details.liquidHours or details.tradingHours)
            self._day_ends[conId] = [session.end for session in zones.sessions(hours, zones.zone(details.timeZoneId))
                                     ] if hours else []
        ends = self._day_ends[conId]
        place = bisect.bisect_right(ends, self.store.clock())
        return ends[place] if place < len(ends) else None

    def _say_once(self, data, notes):
        """A price off the tick is worth one warning a contract."""
        text = '{}: {}'.format(data._name, '; '.join(notes))
        conId = data.tradecontract.conId
        if conId in self._off_tick:
            log.info(text)
        else:
            self._off_tick.add(conId)
            self.broker.said(text)

    # -- groups --------------------------------------------------------------------------------------------------------

    def _join(self, other):
        """The one-cancels-all group of `other`, which gets one when it has none."""
        if not group_of(other):
            self._replace(other, ocaGroup=own_ref(), ocaType=1)
        return {'ocaGroup': group_of(other), 'ocaType': other.tws.ocaType or 1}

    def _replace(self, order, **fields):
        """Send an order again with other fields; remember what a refusal would bring back."""
        order.life.before = order.life.before or (order.terms, order.tws, order.life.until)
        order.update(transmit=order.tws.transmit or order.life.transmitted, **fields)
        self._place(order)

    # -- changes -------------------------------------------------------------------------------------------------------

    def cancel(self, order):
        """Ask TWS to cancel; returns whether that was done. An order that has ended, or is not ours, is left alone."""
        own = self.book.own(order)
        if own is None or not own.alive():
            return False
        reason = self.store.link.reason_not_trading()
        if reason:
            self.broker.said('order {} not cancelled: {}'.format(own.ref, reason))
            return False
        own.life.cancel_asked = True
        self.store.cancel(own.tws)
        if not own.life.transmitted:
            self._take_back(own)
        return True

    def _take_back(self, order):
        """TWS tells nothing of orders that were never transmitted: they end here, a parent's children with it."""
        for member in [order] if order.tws.parentId else self.book.family(order):
            if member is not order:
                self.store.cancel(member.tws)
            member.end(Order.Canceled, date_number(self.store.clock()))
            self.book.retire(member)
            self.broker.notify(member)

    def modify(self, order, changes):
        """Send a working order again with changed terms; returns whether that was done."""
        own = self.book.own(order)
        if own is None or not own.alive() or own.life.ending is not None:
            return False
        terms = self._changed(own.terms, changes)
        done = abs(own.executed.size)
        if terms.size <= done:
            raise BadOrder('size {!r}: {!r} have been executed already'.format(terms.size, done))
        self._need_link('order {} not modified'.format(own.ref))
        tws, until = self._fields(own, terms)
        own.life.before = own.life.before or (own.terms, own.tws, own.life.until)
        own.ask(terms)
        own.state(tws, until)
        self._place(own)
        return True

    def _changed(self, terms, changes):
        named = {name: changes.pop(name) for name in MODIFIABLE if name in changes}
        if 'exectype' in changes:
            raise BadParameter("'exectype': TWS changes prices, sizes and dates, not what an order is; cancel it and "
                               "send another")
        return terms._replace(keywords=dict(terms.keywords, **order_fields.keywords(changes, KNOWN)), **named)

    def whatif(self, data, size, timeout, asked):
        """TWS's OrderState of an order that is not placed."""
        named = {name: asked.pop(name) for name in MODIFIABLE + ('exectype',) if name in asked}
        order = self._make(size > 0, order_fields.keywords(asked, KNOWN), data=data, size=abs(size),
                           pricelimit=named.pop('plimit', None), **named)
        self._check(order)
        return self.store.what_if(data.tradecontract, self._fields(order, order.terms)[0], timeout)

    # -- orders of an earlier run --------------------------------------------------------------------------------------

    def adopt(self, record, data):
        """Make an order that TWS holds from an earlier run one of ours, trading `data`."""
        tws = record.order
        price, plimit = prices_of(tws)
        order = self._make(tws.action == 'BUY', {}, data=data, size=order_fields.tidy(tws.totalQuantity), price=price,
                           pricelimit=plimit, exectype=exectype_of(tws))
        order.state(tws, self._until(tws, data))
        order.submit(self.broker)
        self.book.add(order)
        return order
