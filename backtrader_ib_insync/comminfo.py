"""What backtrader must know of a contract to value it: multiplier, margin, steps of size (pure)."""
import math

from backtrader.comminfo import CommInfoBase

#: sold for margin, not for their price
MARGINED = ('FUT', 'FOP', 'OPT', 'CONTFUT')


def multiplier(contract):
    """The multiplier of a TWS contract as a number; TWS leaves it empty, or 0, where there is none."""
    return float(contract.multiplier or 1.0) or 1.0


def magnifier(details):
    """How many of what TWS quotes a contract in make one of its currency: 100 where prices are in cents or pence."""
    return float(getattr(details, 'priceMagnifier', 1) or 1)


class IBCommInfo(CommInfoBase):
    """Values in the contract's currency; commissions themselves are TWS's own, reported with each execution.

    TWS tells margins only for a given order (`broker.whatif`), so the margin here is the whole value, mult * price:
    sizers then never ask for more than the cash can carry. `getvaluesize` is signed as TWS's market value is, so that
    `order_target_value` is right for shorts. `step` is the smallest size traded.
    """
    params = (('step', 1),)

    def unit(self, price):
        """The value of one share, contract or coin at `price`."""
        return price * self.p.mult

    def get_margin(self, price):
        return self.unit(price)

    def getsize(self, price, cash):
        steps = math.floor(self.p.leverage * cash / self.unit(price) / self.p.step + 1e-9)
        return steps if self.p.step == 1 else round(steps * self.p.step, 10)

    def getoperationcost(self, size, price):
        return abs(size) * self.unit(price)

    def getvaluesize(self, size, price):
        return size * self.unit(price)

    def getvalue(self, position, price):
        return self.getvaluesize(position.size, price)


def of_contract(contract, step=1, magnified=1.0):
    """The IBCommInfo of a TWS contract; None stands for a contract that is not known yet."""
    if contract is None:
        return IBCommInfo(commtype=CommInfoBase.COMM_FIXED, stocklike=True, margin=1.0)
    mult = multiplier(contract) / magnified
    return IBCommInfo(commtype=CommInfoBase.COMM_FIXED, stocklike=contract.secType not in MARGINED,
                      mult=mult, margin=mult, automargin=mult, step=step)


class CommInfos:
    """The IBCommInfo of each contract, made once."""

    def __init__(self):
        self._made = {}

    def of(self, contract, details):
        """That of a contract, None stands for one that is not known yet; `details` are TWS's, None if not told."""
        if contract is None:
            return of_contract(None)
        if contract.conId not in self._made:
            self._made[contract.conId] = of_contract(contract, size_step(details), magnifier(details))
        return self._made[contract.conId]


def size_step(details):
    """The smallest size TWS trades of a contract, 1 where the details do not tell of fractions."""
    if details is None or details.contract.secType != 'CRYPTO':
        return 1
    told = [step for step in (getattr(details, 'sizeIncrement', 0), getattr(details, 'minSize', 0)) if 0 < step < 1]
    return told[0] if told else 1e-8
