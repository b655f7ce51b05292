"""Where orders are made, checked, sent, changed and taken back. Strategy thread; nothing here waits but `whatif`."""
import logging

from backtrader import Order

from . import order_changes, order_fields, order_force
from .errors import BadOrder, BadParameter, IBError, NotConnected
from .order_book import group_of, own_ref
from .order_cancels import Cancels
from .order_groups import Groups, fields_of
from .order_keywords import keywords as keywords_of
from .order_setting import Settings
from .order_ticks import plain
from .orders import BLANK, IBOrder, copied, last_bar, tws_order

log = logging.getLogger(__name__)

WHATIF = ('whatif', 'whatIf', 'm_whatIf')
#: what else an order has that is no attribute of TWS's
OWN = ('exectype', 'owner', 'tradeid', 'oco', 'parent')
NUMBERS = ('price', 'pricelimit', 'trailamount', 'trailpercent')


class TooEarly(BadOrder):
    """The order's feed has not caught up with the market."""


class OrderDesk:
    """Makes TWS orders of what strategies ask and posts them to the store; `book` has all that were sent."""

    def __init__(self, broker, store, book):
        self.broker = broker
        self.store = store
        self.book = book
        self.settings = Settings(store)
        self.cancels = Cancels(broker, store, book)
        self.groups = Groups(book, self.cancels.surely)
        self._said = set()
        self._late = {}

    # -- new orders ----------------------------------------------------------------------------------------------------

    def order(self, buy, keywords, **asked):
        """A new order, sent; or Rejected with the reason. Raises BadParameter for a keyword that no TWS order has."""
        whatif = any([keywords.pop(name, False) for name in WHATIF])
        try:
            order = self._make(buy, keywords_of(keywords, BLANK), **asked)
        except BadParameter as error:
            if hasattr(asked['parent'], 'ref'):
                self.cancels.dissolve(asked['parent'], str(error))
            raise
        try:
            self._check(order)
            order.state(*self._fields(order, order.terms))
            if not whatif:
                return self._send(order)
            # a leg of a bracket would wait for the others
            order.update(transmit=True)
            order.info['whatif'] = self.store.what_if(order.data.tradecontract, order.tws)
            return order
        except TooEarly as error:
            return self._refuse(order, str(error), self._weight(order.data))
        except IBError as error:
            return self._refuse(order, str(error))

    def _make(self, buy, keywords, **asked):
        for name in ('parent', 'oco'):
            if asked.get(name) is not None and not hasattr(asked[name], 'ref'):
                raise BadParameter('{}={!r}: must be one order'.format(name, asked[name]))
        asked.update((name, plain(asked[name])) for name in NUMBERS if name in asked)
        size = order_fields.plain_size(asked.pop('size'))
        order = IBOrder(buy, now=self.store.clock(), keywords=keywords, size=size, **asked)
        order.addcomminfo(self.broker.getcommissioninfo(order.data))
        return order

    def _check(self, order):
        """Raise BadOrder or NotConnected when the order cannot be sent at all."""
        data = order.data
        if getattr(data, 'tradecontract', None) is None:
            raise BadOrder('the feed {!r} trades no TWS contract: it is not an IBData, or TWS has not told its '
                           'contract yet; wait for the first bar'.format(data._name))
        self._need_link('order not sent')
        if self._is_behind(data) and not self._is_way_out(order):
            raise TooEarly('the feed {!r} still delivers history: wait for LIVE in notify_data, or use '
                           'getbroker(backfill_orders=True)'.format(data._name))
        for name, other in (('parent', order.p.parent), ('oco', order.p.oco)):
            own = other and self.book.own(other)
            if other is not None and not (own and own.alive()):
                raise BadOrder('{}: order {} is not at work, it is {}'.format(
                    name, other.ref, (own or other).getstatusname()))
        self.groups.check(order)

    def _is_behind(self, data):
        return not self.broker.p.backfill_orders and getattr(data, 'catching_up', False)

    def _is_way_out(self, order):
        """Whether an order only makes a position smaller, while bars that could be stale do not come."""
        held = self.broker.getposition(order.data).size
        conId = order.data.tradecontract.conId
        leaving = sum(other.executed.remsize for other in self.book.open()
                      if other.exectype == Order.Market and other.data.tradecontract.conId == conId)
        return order.data.held_up and held * order.size < 0 and abs(order.size + leaving) <= abs(held)

    def _need_link(self, what):
        reason = self.store.link.reason_not_trading()
        if reason:
            raise NotConnected('{}: {}'.format(what, reason))

    def _send(self, order):
        group = {} if order.p.oco is None else self._join(self.book.own(order.p.oco))
        self.book.add(order)
        if group and order.tws.parentId:
            self.groups.keep(order, group['ocaGroup'])
        else:
            order.update(**group)
        self.groups.born(order)
        order.submit(self.broker)
        self.broker.notify(order)
        self._place(order)
        if order.tws.transmit:
            # by an order that is new; a change of one transmits no other
            for member in self.book.family(order):
                member.life.transmitted = True
                self.book.sent(member)
        return order

    def _place(self, order):
        tws = order.tws
        if tws.parentId and not self.book.has_parent(order):
            # TWS may know it no more, and refuse the change of a working order for that (ib_insync#647)
            tws = copied(tws)
            tws.parentId = 0
        self.store.place(order.data.tradecontract, tws)
        self.book.sent(order)

    def _weight(self, data):
        """How loud a refusal is while `data` catches up: the first is a warning, one a bar would bury the rest."""
        known = id(data) in self._late
        self._late[id(data)] = data
        return logging.DEBUG if known else logging.WARNING

    def look_around(self):
        """What no report of TWS's brings about, once a pass."""
        self.settings.look_around(self.broker.cerebro.datas)
        self.groups.look_around()
        self.cancels.look_around()
        if self._late:
            self._late = {key: data for key, data in self._late.items() if data.catching_up}

    def _refuse(self, order, reason, weight=logging.WARNING):
        """Tell an order Rejected that was not sent; a bracket it belongs to is taken back as a whole."""
        log.log(weight, 'order %s rejected: %s', order.ref, reason)
        order.broker = self.broker
        order.tell(0, reason)
        order.end(Order.Rejected, order.created.dt)
        self.book.retire(order)
        self.broker.notify(order)
        self.cancels.dissolve(order.p.parent, reason)
        return order

    # -- its TWS fields ------------------------------------------------------------------------------------------------

    def _fields(self, order, terms):
        """(the TWS order for `terms`, until when it is in force)."""
        data = order.data
        ticket = order_fields.ticket(terms, self.settings.of(data, last_bar(data)))
        if ticket.notes:
            self._say_once('tick', data, ticket.notes)
        tws = tws_order(self._belongings(order, terms), ticket.fields)
        if order_force.sleeps(tws, data.tradecontract.secType):
            self._say_once('sleep', data, [order_force.SLEEPING])
        return tws, self.settings.until(tws, data) if ticket.until is None else ticket.until

    def _belongings(self, order, terms):
        """Whose the order is: ids, account, family, group."""
        fields = {'clientId': self.store.clientId, 'transmit': bool(order.p.transmit),
                  'orderId': self.store.link.next_order_id(), 'orderRef': own_ref()}
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

    def _say_once(self, kind, data, notes):
        """A price off the tick, say, is worth one warning a contract."""
        text = '{}: {}'.format(data._name, '; '.join(notes))
        key = kind, data.tradecontract.conId
        if key in self._said:
            log.info(text)
        else:
            self._said.add(key)
            self.broker.said(text)

    # -- groups --------------------------------------------------------------------------------------------------------

    def _join(self, other):
        """The one-cancels-all group of `other`, which gets one when it has none."""
        if not group_of(other) or group_of(other) == other.tws.ocaGroup and other.tws.parentId:
            name = self.groups.name_for(other)
            if self._is_settled(other):
                self.groups.keep(other, name)
            else:
                self._replace(other, ocaGroup=name, ocaType=1)
        return fields_of(other)

    def _is_settled(self, order):
        """Whether TWS would not take it into a group, or not as it is meant."""
        # a child of a bracket would leave the group of its siblings; what was refused would be a new order if it were
        # sent again
        return bool(order.life.acknowledged or order.life.ending is not None or order.tws.parentId)

    def _replace(self, order, **fields):
        """Send an order again with other fields; remember what a refusal would bring back."""
        order.life.before = order.versions()
        order.update(transmit=order.tws.transmit or order.life.transmitted, **fields)
        self._place(order)

    # -- changes -------------------------------------------------------------------------------------------------------

    def modify(self, order, changes):
        """Send a working order again with changed terms; returns whether that was done: not when nothing is left."""
        own = self.book.own(order)
        if own is None or not own.alive() or own.life.ending is not None:
            return False
        try:
            return self._modify(own, changes)
        except BadParameter:
            raise
        except TooEarly as error:
            self._say_unchanged(own, error, self._weight(own.data))
        except IBError as error:
            # the link may be gone, an indicator not be warm: a run does not end by that
            self._say_unchanged(own, error)
        return False

    def _say_unchanged(self, own, error, weight=logging.WARNING):
        text = 'not changed: {}'.format(error)
        if weight == logging.WARNING or own.info.get('message') != text:
            own.tell(0, text)
        if weight == logging.WARNING:
            self.broker.said('order {} {}'.format(own.ref, text))

    def _modify(self, own, changes):
        names, terms = order_changes.wanted(own, changes)
        done = own.done
        if own.life.cancel_asked:
            # a change that comes when it is gone could be taken for a new order
            raise BadOrder('it is being cancelled')
        if terms.size <= done:
            if 'size' not in names:
                return False
            raise BadOrder('size {!r}: {!r} have been executed already'.format(terms.size, done))
        self._check_timely(own, names, terms)
        self._need_link('order {} not modified'.format(own.ref))
        tws, until = self._revised(own, terms, names)
        own.life.before = own.versions()
        own.ask(terms)
        own.state(tws, until)
        self._place(own)
        if 'size' in names and self.book.descent(own)[1:]:
            self.broker.said('order {} has another size now, those that hang on it do not: modify them, too, or they '
                             'close more or less than it opens'.format(own.ref))
        return True

    def _check_timely(self, own, names, terms):
        """Raise TooEarly for a change by bars of the past that could trade."""
        is_moving = order_fields.MOVING & order_fields.touched(names)
        if self._is_behind(own.data) and (
                terms.size > own.terms.size or is_moving and not own.data.held_up):
            raise TooEarly('{}: the feed {!r} still delivers history: wait for LIVE in notify_data, or use '
                           'getbroker(backfill_orders=True)'.format(', '.join(sorted(names)), own.data._name))

    def _revised(self, order, terms, names):
        """(the TWS order for a change of `names` to `terms`, until when it is in force): else as TWS works it."""
        data = order.data
        ticket = order_fields.revision(terms, names, self.settings.of(data, last_bar(data)))
        if ticket.notes:
            self._say_once('tick', data, ticket.notes)
        transmit = bool(order.p.transmit) or order.life.transmitted
        tws = order_changes.revised(order.tws, dict(ticket.fields, transmit=transmit))
        if 'tif' not in ticket.fields:
            return tws, order.life.until
        return tws, self.settings.until(tws, data) if ticket.until is None else ticket.until

    def whatif(self, data, size, timeout, asked):
        """TWS's OrderState of an order that is not placed."""
        for name in WHATIF + ('transmit',):
            asked.pop(name, None)
        named = {name: asked.pop(name) for name in order_changes.MODIFIABLE + OWN if name in asked}
        order = self._make(size > 0, keywords_of(asked, BLANK), data=data, size=abs(size),
                           pricelimit=named.pop('plimit', None), **named)
        self._check(order)
        return self.store.what_if(data.tradecontract, self._fields(order, order.terms)[0], timeout)

    # -- orders of an earlier run --------------------------------------------------------------------------------------

    def adopt(self, record, data):
        """Make an order that TWS holds from an earlier run one of ours, trading `data`."""
        tws = order_changes.as_given(record.order)
        order = self._make(tws.action == 'BUY', {}, data=data, size=order_fields.tidy(tws.totalQuantity),
                           **order_changes.asked(tws))
        order.state(tws, self.settings.until(tws, data))
        order.submit(self.broker)
        self.book.add(order)
        self.groups.adopted(order)
        return order
