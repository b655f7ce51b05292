"""IBBroker: a strategy's orders to TWS, and what becomes of them back to the strategy."""
import collections

from backtrader import BrokerBase
from backtrader.position import Position
from backtrader.utils.py3 import with_metaclass

from . import trades
from .account import Accounts
from .backtests import Shared
from .comminfo import CommInfos, magnifier
from .currencies import Currencies
from .fills import Fills
from .ibstore import IBStore
from .order_book import OrderBook
from .order_desk import OrderDesk
from .order_reports import Reports
from .orders import last_bar
from .positions import Positions

#: seconds that a run waits for cash, positions and open orders before its strategies begin without
START_SECONDS = 5.0
#: and while TWS is at telling them: it is known to leave a question of them unanswered, which takes its time
VIEW_SECONDS = 30.0
#: seconds that the end of a run waits for what TWS has to say of the orders it was sent last
STOP_SECONDS = 1.0


class MetaIBBroker(type(BrokerBase)):
    def __init__(cls, name, bases, dct):
        super().__init__(name, bases, dct)
        IBStore.BrokerCls = cls


class IBBroker(with_metaclass(MetaIBBroker, BrokerBase, Shared)):
    """Sends orders to TWS and tells their life as backtrader's own broker would.

    Cash, value and positions are those of the account, as TWS tells them, and positions follow executions at once:
    reading them never waits. Any attribute of a TWS order is a keyword of ``buy`` and ``sell``, by its name or with
    backtrader's old prefix: ``outsideRth=True``, ``m_triggerMethod=2``. Keywords of the store are taken too.

    Params:

      - ``account`` (''): the account to trade; the store's when empty.
      - ``quicknotify`` (True): tell orders and trades at once, not at the next bar (sets cerebro's ``quicknotify``).
      - ``backfill_orders`` (False): send orders also while their feed still delivers history; else they are rejected,
        for stale bars must not trade real money.
      - ``commission_wait`` (2.0): seconds that a fill waits for its commission before it is told without.
    """

    params = (
        ('account', ''),
        ('quicknotify', True),
        ('backfill_orders', False),
        ('commission_wait', 2.0),
    )

    def __init__(self, **kwargs):
        super().__init__()
        self.store = self.ib = IBStore(**kwargs)
        self.inbox = collections.deque()
        self.notifs = collections.deque()
        self.accounts = Accounts()
        self.book = OrderBook()
        self.desk = OrderDesk(self, self.store, self.book)
        self.reports = Reports(self, self.book, self.accounts, Fills(self.p.commission_wait), self.desk)
        self.positions = Positions(self)
        self.currencies = Currencies(self)
        self.startingcash = self.startingvalue = 0.0
        self._left = []
        self._cerebro = None
        self._comminfos = CommInfos()
        self._telling = trades.Telling()

    @property
    def cerebro(self):
        return self._cerebro

    @cerebro.setter
    def cerebro(self, cerebro):
        # cerebro starts, polls and stops the stores it was told of, and there may be no feed to tell it of this one
        self._cerebro = cerebro
        if not any(store is self.store for store in cerebro.stores):
            cerebro.addstore(self.store)

    def start(self):
        super().start()
        if self.p.quicknotify:
            self.cerebro.p.quicknotify = True
        views = self.reports.views
        self._take_back()
        self.store.start(broker=self)
        knows = self.store.sleeper.await_fact(lambda: self._knows_more_than(views), START_SECONDS)
        if not knows and (self.inbox or self.reports.view is not None):
            self.store.sleeper.await_fact(lambda: self._knows_more_than(views), VIEW_SECONDS)
        self.startingcash, self.startingvalue = self.getcash(), self.getvalue()

    def _take_back(self):
        """What an earlier run of this broker has left is nobody's now: its strategies are gone, and its feeds."""
        self._left = self.book.open()
        self._telling = trades.Telling()
        for order in self.book.by_ref.values():
            order.p.owner = None

    def _hand_out(self):
        """Give what an earlier run has left to the feeds of this one."""
        for order in self._left:
            data = self._trading(order.data.tradecontract.conId)
            order.p.data = order.data if data is None else data
        if not self.resolving():
            self._left = []

    def _knows_more_than(self, views):
        """Whether TWS has told its whole view again and takes orders, or will not."""
        self._take_in()
        link = self.store.link
        return self.reports.views > views and link.up or link.closed is not None

    def stop(self):
        """Let TWS go; cash, value and positions stay as they were."""
        super().stop()
        self.store.sleeper.await_fact(self._has_heard, STOP_SECONDS)
        self.store.stop()
        self._take_in()
        self.reports.settle(self.store.clock())

    def _has_heard(self):
        """Whether TWS has said something of all that was sent, and told what it had filled."""
        self._take_in()
        return not self.store.link.up or not self.reports.expects()

    # -- what the account holds ----------------------------------------------------------------------------------------

    def getcash(self):
        """Cash in the account's base currency, as TWS last told it."""
        return self.accounts.cash()

    def getvalue(self, datas=None):
        """The account's net liquidation value; with `datas`, the value of the positions in these, in their currency.

        What several of the feeds trade counts once: it is one position.
        """
        if datas is None:
            return self.accounts.value()
        return sum(self._position_value(data) for data in {trades.conId(data): data for data in datas}.values())

    get_cash = getcash
    get_value = getvalue
    cash = property(getcash)
    value = property(getvalue)

    def _position_value(self, data):
        position = self.getposition(data, clone=False)
        if not position.size:
            return 0.0
        bar = last_bar(data)
        price = bar[1] if bar else self.accounts.holding(data.tradecontract).marketPrice or position.price
        return self.getcommissioninfo(data).getvaluesize(position.size, price)

    def getposition(self, data, clone=True):
        """The position in the contract that `data` trades; flat for a feed that trades none."""
        contract = self._contract(data)
        position = Position() if contract is None else self.accounts.position(contract)
        return position.clone() if clone else position

    def _contract(self, data):
        """What `data` trades, None when it trades nothing; positions are put in what its prices are quoted in."""
        contract = getattr(data, 'tradecontract', None)
        details = getattr(data, 'tradecontractdetails', None)
        if contract is not None and details is not None:
            change = self.accounts.magnify(contract.conId, magnifier(details))
            if change != 1.0:
                self.reports.executions.fills.magnify(contract.conId, change)
        return contract

    def getcommissioninfo(self, data):
        """What the user set for the data, or for all; else one made of the contract."""
        contract = self._contract(data)
        if data._name in self.comminfo:
            return self.comminfo[data._name]
        for_all = self.comminfo[None]
        if for_all is not self.p.commission or self.p.notdefault('commission'):
            return for_all
        return self._comminfos.of(contract, getattr(data, 'tradecontractdetails', None))

    # -- orders to TWS -------------------------------------------------------------------------------------------------

    def buy(self, owner, data, size, price=None, plimit=None, exectype=None, valid=None, tradeid=0, oco=None,
            trailamount=None, trailpercent=None, parent=None, transmit=True, **kwargs):
        """Send an order to buy and return it; never waits. What cannot be sent comes back Rejected, with the reason.

        Raises BadParameter for a keyword that no TWS order has. ``whatif=True`` places nothing, waits for TWS, and
        leaves what the order would cost in ``order.info['whatif']``.
        """
        return self.desk.order(True, kwargs, owner=owner, data=data, size=size, price=price, pricelimit=plimit,
                               exectype=exectype, valid=valid, tradeid=tradeid, oco=oco, trailamount=trailamount,
                               trailpercent=trailpercent, parent=parent, transmit=transmit)

    def sell(self, owner, data, size, price=None, plimit=None, exectype=None, valid=None, tradeid=0, oco=None,
             trailamount=None, trailpercent=None, parent=None, transmit=True, **kwargs):
        """Send an order to sell; else as `buy`."""
        return self.desk.order(False, kwargs, owner=owner, data=data, size=size, price=price, pricelimit=plimit,
                               exectype=exectype, valid=valid, tradeid=tradeid, oco=oco, trailamount=trailamount,
                               trailpercent=trailpercent, parent=parent, transmit=transmit)

    def cancel(self, order):
        """Ask TWS to cancel; returns whether that was done. An order that has ended, or is not ours, is left alone.

        Without a link it is False, and TWS is asked when there is one again.
        """
        return self.desk.cancels.cancel(order)

    def modify(self, order, **changes):
        """Change a working order: size, price, plimit, valid, trailamount, trailpercent, or any TWS attribute.

        Returns whether that was sent: an order that has ended, or is being cancelled, is left alone, and so are prices
        and a size that is to grow while the feed still delivers history. What could not be sent or TWS could not take
        is said in `order.info` and to `notify_store`, as is what TWS refuses; the order stays as it was. Raises
        BadParameter for an unknown name.
        """
        return self.desk.modify(order, changes)

    def whatif(self, data, size, timeout=10.0, **asked):
        """Margin and commission of an order that is not placed (size below zero: to sell), as TWS's OrderState.

        Takes what `buy` takes; waits `timeout` seconds. Raises BadOrder, NotConnected, RequestRefused, TimedOut.
        """
        return self.desk.whatif(data, size, timeout, asked)

    def get_orders_open(self, safe=False):
        """The orders that are alive, adopted ones included; `safe` gives snapshots."""
        return [order.look() if safe else order for order in self.book.open()]

    def orderstatus(self, order):
        """The status of the order itself, which a clone may not know yet."""
        return (self.book.own(order) or order).status

    # -- notifications -------------------------------------------------------------------------------------------------

    def next(self):
        """Take in what TWS told since the last pass; cerebro then asks for the notifications."""
        self._take_in()
        self.desk.look_around()
        self.currencies.look_around()
        # what a notification makes a strategy order is told in the next pass: the two must not go on for ever
        self.notifs.append(None)

    def _take_in(self):
        self.store.link.drain()
        if not self.store.accounts:
            return
        if not self.accounts.name:
            self._name_account()
        now = self.store.clock()
        while self.inbox:
            self.reports.take(self.inbox.popleft(), now)
        # TWS's view comes before the word that the link is up: who hears of a fill must be able to protect it
        if self.store.link.up or self.store.link.closed is not None:
            self._hand_out()
            self.reports.settle(now)
        if not self.startingvalue:
            self.startingcash, self.startingvalue = self.getcash(), self.getvalue()

    def _name_account(self):
        self.accounts.name = name = self.p.account or self.store.account
        if name not in self.store.accounts:
            self.said('account {!r}: this login has {}; orders are rejected'.format(
                name, ', '.join(self.store.accounts)))

    def notify(self, order):
        """Queue the order, as it is now, for its strategy."""
        self.notifs.append(order.clone())

    def get_notification(self):
        """The next order to tell, None when there is none in this pass."""
        self._telling.end()
        order = self.notifs.popleft() if self.notifs else None
        if order is not None:
            self._telling.begin(order, self.strategies())
        return order

    def backlog(self):
        """Whether something waits for `next`, or to be notified."""
        return bool(self.inbox or self.notifs)

    def said(self, text, *args):
        """Tell `notify_store`."""
        self.store.notify(text, *args)

    # -- what the reports need -----------------------------------------------------------------------------------------

    def can_act(self, order):
        """Whether a strategy that is told of the order could act on it: protect a fill, at least."""
        if order in self._left:
            return False
        is_behind = getattr(order.data, 'catching_up', False) and not getattr(order.data, 'held_up', False)
        return self.p.backfill_orders or not is_behind

    def strategies(self):
        """The strategies of the run; none before they are made."""
        return getattr(self.cerebro, 'runningstrats', None) or []

    def adopt(self, record):
        """The order that TWS holds from an earlier run, as one of ours; None when no feed trades its contract."""
        data = self._trading(record.contract.conId)
        return None if data is None else self.desk.adopt(record, data)

    def _trading(self, conId):
        """The first feed of the run that trades a contract, None when none does."""
        datas = self.cerebro.datas if self.strategies() else ()
        return next((data for data in datas if trades.conId(data) == conId), None)

    def resolving(self):
        """Whether a feed may still learn what contract it trades."""
        return not self.strategies() or any(getattr(data, 'tradecontract', data) is None for data in self.cerebro.datas)
