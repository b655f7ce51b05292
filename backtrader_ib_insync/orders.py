"""A backtrader order that has a TWS order."""
import math

from backtrader import Order, OrderBase, OrderData
from backtrader.utils import AutoOrderedDict

from .insync import Order as TWSOrder
from .order_fields import ORDER_TYPES, Terms, tidy
from .order_life import Life, Version

#: what a TWS order has that nothing was said of
BLANK = vars(TWSOrder())
#: those that no two orders may share
_LISTS = [name for name, value in BLANK.items() if isinstance(value, list)]
#: backtrader's date number of 1970-01-01
EPOCH_DAY = 719163


def tws_order(*fields):
    """A TWS order with these fields; its class takes a hundred arguments to make one, which takes its time."""
    tws = TWSOrder.__new__(TWSOrder)
    attributes = vars(tws)
    attributes.update(BLANK)
    for name in _LISTS:
        attributes[name] = []
    for named in fields:
        attributes.update(named)
    return tws


def copied(thing):
    """A shallow copy of something plain, faster than `copy.copy`."""
    made = object.__new__(type(thing))
    vars(made).update(vars(thing))
    return made


def date_number(seconds):
    """Epoch seconds UTC as backtrader's date number."""
    return EPOCH_DAY + seconds / 86400.0


def last_bar(data):
    """(date number, close) of the bar `data` stands on; None before its first bar and while it loads one."""
    if not len(data):
        return None
    bar = data.datetime[0], data.close[0]
    return None if math.isnan(bar[0]) or math.isnan(bar[1]) else bar


class Nought(int):
    """The size of an order whose executions were all taken back: of one of size 0 backtrader tells trades nothing."""

    def __bool__(self):
        return True


class Executed(OrderData):
    """Sums of the executions of one order, free of binary dust and of a division by nothing."""

    def __copy__(self):
        return copied(self)

    def addbit(self, exbit):
        self.exbits.append(exbit)
        self.total()
        self.dt, self.psize, self.pprice = exbit.dt, exbit.psize, exbit.pprice

    def total(self):
        """Sum the bits up again: after one came, or one was corrected."""
        bits = self.exbits
        asked = self.remsize + self.size
        self.size = tidy(sum(bit.size for bit in bits)) or Nought()
        self.remsize = tidy(asked - self.size)
        if self.size != 0:
            self.price = sum(bit.size * bit.price for bit in bits) / self.size
        self.value = sum(bit.value for bit in bits)
        self.comm = sum(bit.comm for bit in bits)
        self.pnl = sum(bit.pnl for bit in bits)


class IBOrder(Order):
    """An order as backtrader knows it, and in `tws` as TWS does.

    TWS's attributes are read by their own names or with backtrader's old prefix (`order.permId`, `order.m_lmtPrice`).
    `tws` is replaced, never changed, so what a clone shows stays. `valid` is the end of its force as a date number
    (UTC), else as given. `info` holds TWS's texts: `message` and `code` (the last), `messages` (all); `realizedPNL` is
    what TWS says that closing has earned, commissions paid, in the contract's currency, once it has said so. Can be
    made before the first bar, and while one is loading.
    """
    #: of an order that never was one of TWS's, its attributes are there all the same: who logs them reads them of any
    tws = tws_order()

    def __init__(self, buy, now=0.0, keywords=None):
        self.ordtype = self.Buy if buy else self.Sell
        self.ref = next(self.refbasis)
        self.broker = self.comminfo = None
        self.info = _info()
        self._realized = {}
        self.triggered = False
        self.status = Order.Created
        self.position = 0
        self.plen = 0
        self.dteos = 0.0
        self._active = self.p.parent is None
        self.life = Life()
        exectype = Order.Market if self.p.exectype is None else self.p.exectype
        # out of a file of settings it may come as 2.0
        self.exectype = next((known for known in ORDER_TYPES if known == exectype), exectype)
        self._create(now)
        self.terms = Terms(buy, abs(self.p.size), self.p.price, self.p.pricelimit, self.exectype, self.p.valid,
                           self.p.trailamount, self.p.trailpercent, keywords or {})

    def _create(self, now):
        bar = last_bar(self.p.data) or (date_number(now), self.p.price or 0.0)
        self.size = abs(self.p.size) if self.isbuy() else -abs(self.p.size)
        self.plimit = self.p.pricelimit
        price = bar[1] if not self.p.price and not self.p.pricelimit else self.p.price
        self.created = OrderData(dt=bar[0], size=self.size, price=price, pricelimit=self.p.pricelimit, pclose=bar[1],
                                 trailamount=self.p.trailamount, trailpercent=self.p.trailpercent)
        self._limitoffset = 0.0
        if self.exectype in (Order.StopTrail, Order.StopTrailLimit) and self._is_of_numbers():
            self._trail_from(self.created.price)
        self.executed = Executed(remsize=self.size)

    def _is_of_numbers(self):
        """Whether no term is a text: an order of such will be refused for it."""
        p = self.p
        return not any(isinstance(term, str) for term in (p.price, p.pricelimit, p.trailamount, p.trailpercent))

    def _trail_from(self, price):
        self._limitoffset = price - self.created.pricelimit
        self.created.price = math.inf if self.isbuy() else -math.inf
        self.trailadjust(price)

    def __getattr__(self, name):
        plain = name[2:] if name.startswith('m_') else name
        fields = vars(self.tws)
        return fields[plain] if plain in fields else getattr(self.params, name)

    def __copy__(self):
        return copied(self)

    def __hash__(self):
        return hash(self.ref)

    def __eq__(self, other):
        return isinstance(other, OrderBase) and other.ref == self.ref

    def __ne__(self, other):
        return not self == other

    def __str__(self):
        lines = [super().__str__()]
        if self.tws.orderId:
            lines += ['{}: {}'.format(name, getattr(self.tws, name)) for name in (
                'orderId', 'permId', 'action', 'totalQuantity', 'orderType', 'lmtPrice', 'auxPrice', 'tif',
                'goodTillDate', 'account', 'orderRef')]
        return '\n'.join(lines)

    def getordername(self, exectype=None):
        try:
            return super().getordername(exectype)
        except (TypeError, IndexError):
            # no type at all, of an order that was refused for it
            return str(self.exectype if exectype is None else exectype)

    def look(self):
        """A snapshot that leaves the executions a notification has yet to report where they are."""
        return copied(self)

    def state(self, tws, until=None):
        """Take `tws` as what TWS was told, in force `until` (epoch seconds UTC)."""
        self.tws = tws
        self.life.until = until
        if tws.tif == 'GTD' and until is not None:
            self.valid = date_number(until)

    def versions(self):
        """What TWS may be working, oldest first: what modifications on their way are of, and what was asked last."""
        return (self.life.before or ()) + (Version(self.terms, self.tws, self.life.until),)

    def update(self, **fields):
        """Replace `tws` by one with these fields."""
        self.tws = copied(self.tws)
        vars(self.tws).update(fields)

    def ask(self, terms):
        """Take other terms: what a modification asks for, or what its refusal brings back."""
        self.terms = terms
        size = terms.size if terms.buy else -terms.size
        self.executed.remsize = tidy(size - self.executed.size - self._signed(self.life.earlier))
        self.size = self.created.size = size
        self.price, self.plimit, self.pricelimit = terms.price, terms.plimit, terms.plimit
        self.trailamount, self.trailpercent = terms.trailamount, terms.trailpercent
        if terms.price is not None and self.exectype not in (Order.StopTrail, Order.StopTrailLimit):
            self.created.price = terms.price
            self.created.pricelimit = self.created.plimit = terms.plimit

    def _signed(self, size):
        return size if self.isbuy() else -size

    @property
    def done(self):
        """How much of it has been executed, that before this run included."""
        return tidy(abs(self.executed.size) + self.life.earlier)

    def fill_earlier(self, size):
        """`size` more of it had been executed before this run, by nothing that TWS has listed."""
        self.life.earlier = tidy(self.life.earlier + size)
        self.executed.remsize = tidy(self.executed.remsize - self._signed(size))

    def fill(self, size, price, dt, moved, commission):
        """Enter one execution; `moved` is what it did to the position. Returns the execution bit."""
        comminfo = self.comminfo
        closedcomm = commission * moved.closed / size
        self.execute(dt, size, price,
                     moved.closed, comminfo.getoperationcost(moved.closed, moved.price_before), closedcomm,
                     moved.opened, comminfo.getoperationcost(moved.opened, price), commission - closedcomm,
                     comminfo.margin, comminfo.profitandloss(-moved.closed, moved.price_before, price),
                     moved.size, moved.price)
        bit = self.executed.exbits[-1]
        bit.account, bit.held = moved.account, (moved.size_before, moved.price_before)
        #: the other feed whose trade took it
        bit.traded = None
        return bit

    def recharge(self, bit, commission):
        """An execution cost `commission` more than had been entered."""
        closed = commission * bit.closed / bit.size
        bit.closedcomm += closed
        bit.openedcomm += commission - closed
        bit.comm += commission
        self.executed.total()

    def realize(self, key, pnl):
        """TWS told what an execution, known as `key`, has realized."""
        self._realized[key] = pnl
        self.info['realizedPNL'] = sum(self._realized.values())

    def reprice(self, bit, change):
        """What an execution was told at was corrected by `change`."""
        bit.price += change
        bit.pnl += self.comminfo.profitandloss(-bit.closed, 0.0, change)
        self.executed.total()

    def execute(self, dt, size, price, *args):
        """backtrader's; an order that ended keeps its end, and one that TWS may hold to be larger is not complete."""
        ended, status = not self.alive(), self.status
        super().execute(dt, size, price, *args)
        if ended:
            self.status = status
        elif self.status == Order.Completed and self._may_work_on():
            self.status = Order.Partial

    def _may_work_on(self):
        ending = self.life.ending
        is_known = ending is not None and ending.status == Order.Completed
        return not is_known and any(version.terms.size > self.done for version in self.life.before or ())

    def end(self, status, dt):
        """Reach one of the final statuses at `dt` (a date number, UTC)."""
        self.status = status
        self.executed.dt = self.executed.dt if status == Order.Completed else dt

    def tell(self, code, text):
        """Keep a text of TWS (code 0: of this library) for the strategy to read."""
        self.info['code'], self.info['message'] = code, text
        self.info['messages'].append('{} {}'.format(code, text) if code else text)


def _info():
    info = AutoOrderedDict()
    info['messages'] = []
    return info
