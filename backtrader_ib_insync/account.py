"""Cash, value and positions of the accounts, rebuilt from what TWS tells (pure)."""
import collections
import math

from backtrader.position import Position

from .fills import latest
from .holding import Holding
from .order_fields import tidy

#: seconds that a position told by TWS may be ahead of the execution that explains it
AHEAD_SECONDS = 1.0

#: (tag, currency) in the order they are believed; TWS sends BASE with several currencies, else the base currency itself
CASH = (('TotalCashBalance', 'BASE'), ('TotalCashValue', None))
VALUE = (('NetLiquidation', None), ('NetLiquidationByCurrency', 'BASE'))


class Accounts:
    """All accounts of a login; `name` is the one that a broker trades ('' until it is known)."""

    def __init__(self, name=''):
        self.name = name
        self.values = {}
        #: what cash and value are counted in, by account
        self.currencies = {}
        self.holdings = {}
        self.disputed = {}
        self.listed = None
        #: what live executions have moved since TWS listed positions in its view, by account and contract; and which
        self._since, self._overtaking = None, set()
        self._magnifiers = {}

    # -- money ---------------------------------------------------------------------------------------------------------

    def cash(self, account=None):
        """Cash in the account's base currency; 0.0 while TWS has not told it."""
        return self._first(CASH, account)

    def value(self, account=None):
        """Net liquidation value in the account's base currency; 0.0 while TWS has not told it."""
        return self._first(VALUE, account)

    def _first(self, choices, account):
        told = self.values.get(account or self.name, {})
        for choice in choices:
            if choice in told:
                return told[choice]
        return 0.0

    def on_value(self, record):
        """Keep the tags that cash and value are made of."""
        if record.tag == 'NetLiquidation':
            self.currencies[record.account] = record.currency
        for tag, currency in CASH + VALUE:
            if record.tag == tag and currency in (None, record.currency):
                self.values.setdefault(record.account, {})[tag, currency] = float(record.value)

    # -- positions -----------------------------------------------------------------------------------------------------

    def other(self, account):
        """' of account U2', to be said of what is not in the broker's own account."""
        return '' if account == self.name else ' of account {}'.format(account)

    def holding(self, contract, account=None):
        """The holding of a TWS contract, or None when there never was one."""
        return self.holdings.get((account or self.name, contract.conId))

    def position(self, contract, account=None):
        """The position in a TWS contract; its price is per unit, and without fees where we saw it grow."""
        holding = self.holding(contract, account)
        return Position() if holding is None else holding.position

    def _hold(self, contract, account):
        key = account, contract.conId
        if key not in self.holdings:
            self.holdings[key] = Holding(contract, self._magnifiers.get(contract.conId, 1.0), account)
        return self.holdings[key]

    def magnify(self, conId, magnifier):
        """It has become known in what a contract is quoted, see `comminfo.magnifier`: executions come in that.

        Returns by how much prices that TWS told of positions were too small.
        """
        change = magnifier / self._magnifiers.get(conId, 1.0)
        if change != 1.0:
            self._magnifiers[conId] = magnifier
            for key, holding in self.holdings.items():
                if key[1] == conId:
                    holding.magnify(change)
                    if self.listed and key in self.listed:
                        size, price = self.listed[key]
                        self.listed[key] = size, price * change
        return change

    def execute(self, contract, account, size, price, now, happened=math.inf):
        """Move a position by an execution of signed `size` that TWS dates `happened`."""
        holding = self._hold(contract, account)
        moved = holding.move(size, price, now, happened)
        if holding.told is None:
            self.disputed.pop((account, contract.conId), None)
        return moved._replace(account=account)

    def recall(self, contract, account, size, price, now, happened):
        """An execution of long ago is told: what it did to a position that it is in."""
        return self._hold(contract, account).recall(size, price)._replace(account=account)

    def amend(self, contract, account, size, price):
        """A correction: replace the price of `size` (signed) that is in the position by moving its average."""
        position = self._hold(contract, account).position
        if position.size:
            position.price += price * size / position.size

    def reprice(self, contract, account, position):
        """Executions lead to `position`, as they are now: its price is the price, if TWS told no more than these."""
        held = self._hold(contract, account).position
        if held.size == position.size:
            held.price = position.price

    def on_position(self, record, now):
        """A Position or Portfolio record."""
        holding = self._hold(record.contract, record.account)
        holding.mark(getattr(record, 'marketValue', 0.0), record.position)
        key = record.account, record.contract.conId
        if self.listed is not None:
            self._list(key, tidy(record.position), record.avgCost / holding.mult)
        elif holding.tell(record.position, record.avgCost, now):
            self.disputed[key] = holding
        else:
            self.disputed.pop(key, None)

    def settle(self, now):
        """Believe TWS where its word has stood long enough; returns the holdings that changed so."""
        due = [key for key, holding in self.disputed.items() if now - holding.told.time >= AHEAD_SECONDS]
        settled = [self.disputed.pop(key) for key in due]
        for holding in settled:
            holding.believe(holding.told.size, holding.told.price, now)
        return settled

    # -- TWS's whole view ----------------------------------------------------------------------------------------------

    def begin(self):
        """What follows is TWS's whole view: positions are listed, not compared."""
        self.listed = {}
        self._since, self._overtaking = None, set()

    def are_listed(self):
        """All positions have been, as they are now."""
        if self.listed is not None:
            self._since = collections.Counter()

    def overtake(self, execution):
        """An execution came within a view: one that is made after positions were listed is not in them."""
        if self._since is not None and execution.live and execution.execId not in self._overtaking:
            self._overtaking.add(execution.execId)
            self._since[execution.account, execution.contract.conId] += signed(execution)

    def _list(self, key, size, price):
        if self._since is not None and self._since[key]:
            if size == self.listed.get(key, (0, 0.0))[0]:
                # as it was before
                return
            del self._since[key]
        self.listed[key] = size, price

    def rewind(self, executions):
        """Before the first view is taken: start from where the positions stood before these executions."""
        back = collections.Counter()
        for execution in latest(executions):
            self._hold(execution.contract, execution.account)
            back[execution.account, execution.contract.conId] += signed(execution)
        back.subtract(self._since or {})
        for key, holding in self.holdings.items():
            size, price = self.listed.get(key, (0, 0.0))
            holding.put(tidy(size - back[key]), price)

    def finish(self, now):
        """The view is whole: take it where executions do not lead to it; what it does not list is flat."""
        listed, self.listed = self.listed, None
        self.disputed.clear()
        changed = []
        for key, holding in self.holdings.items():
            holding.told, holding.leap = None, 0.0
            if holding.contract.secType == 'BAG':
                # TWS lists the legs of a combination alone: what executions made of it stays
                continue
            size, price = listed.get(key, (0, 0.0))
            behind = holding.behind(size, now)
            if behind is None:
                changed.append(holding)
                holding.leap = tidy(size - holding.position.size)
                holding.believe(size, price, now)
                continue
            holding.confirm(behind)
            if not holding.exact:
                holding.position.price = price
        return changed


def signed(execution):
    """The size of an execution, below zero for a sale."""
    return tidy(execution.shares if execution.side == 'BOT' else -execution.shares)
