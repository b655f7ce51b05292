"""A holding: what one account has of one instrument, what it cost, and what cash it has moved."""
from collections import defaultdict

from . import fees

OUTRIGHT = 'outright'
MARGINED = 'margined'
EXCHANGED = 'exchanged'
WAYS = {'FUT': MARGINED, 'CFD': MARGINED, 'CASH': EXCHANGED}


class Holding:
    """`price` is the average per unit without fees, `fees` what the open position has cost to enter.

    How cash moves depends on the kind: stocks, options, bonds, crypto are paid outright; of futures and CFDs only the
    profit is; currencies are exchanged one for the other. `flows` has the sums by currency.
    """

    def __init__(self, instrument, currency):
        self.instrument = instrument
        self.way = WAYS.get(instrument.secType, OUTRIGHT)
        self.currency = instrument.contract.currency
        self.fee_currency = currency if self.way == EXCHANGED else self.currency
        self.position = 0.0
        self.price = 0.0
        self.fees = 0.0
        self.realized = 0.0
        self.flows = defaultdict(float)

    @property
    def multiplier(self):
        return self.instrument.multiplier

    @property
    def average_cost(self):
        """Per contract, with multiplier and fees (but for currencies), as TWS tells it."""
        if not self.position:
            return 0.0
        fee = 0.0 if self.way == EXCHANGED else self.fees / self.position
        return round(self.price * self.multiplier + fee, 8)

    def value(self, price):
        return self.position * price * self.multiplier

    def unrealized(self, price):
        return self.position * (price * self.multiplier - self.average_cost)

    def worth(self, price):
        """What it adds to the account beside the cash it has moved."""
        if self.way == OUTRIGHT:
            return self.value(price)
        return self.position * (price - self.price) * self.multiplier if self.way == MARGINED else 0.0

    def begin(self, position, price):
        """A position from before: nothing was paid for it here."""
        self.position, self.price, self.fees = float(position), price, 0.0

    def book(self, execution, rate):
        """Books a fill: (fee, realized), the latter None when nothing was closed; `rate` leads to the base currency."""
        signed = execution.shares if execution.side == 'BOT' else -execution.shares
        scale = self.multiplier * (rate if self.way == EXCHANGED else 1.0)
        fee = fees.fill_fee(self.instrument.secType, execution, scale)
        closing = -_clip(signed, self.position)
        profit = realized = None
        if closing:
            profit, realized = self._close(closing, execution.price, fee * abs(closing / signed))
        opening = round(signed + closing, 8)
        self._open(opening, execution.price, fee * abs(opening / signed) if signed else 0.0)
        self._move_cash(signed, execution.price, profit or 0.0, fee)
        return fee, realized

    def _close(self, size, price, fee):
        """Takes `size` (signed as the position) off; (gross profit, net profit)."""
        share = size / self.position
        profit = size * (price - self.price) * self.multiplier
        entry = self.fees * share
        self.position = round(self.position - size, 8)
        self.fees -= entry
        realized = profit - fee - (0.0 if self.way == EXCHANGED else entry)
        self.realized += realized
        if not self.position:
            self.price = self.fees = 0.0
        return profit, realized

    def _open(self, size, price, fee):
        """Adds `size` with its part of the fee."""
        if not size:
            return
        total = round(self.position + size, 8)
        self.price = (self.price * self.position + price * size) / total
        self.position = total
        self.fees += fee

    def _move_cash(self, signed, price, profit, fee):
        self.flows[self.fee_currency] -= fee
        if self.way == MARGINED:
            self.flows[self.currency] += profit
        else:
            self.flows[self.currency] -= signed * price * self.multiplier
        if self.way == EXCHANGED:
            self.flows[self.instrument.symbol] += signed


def _clip(signed, position):
    """The part of a signed size that closes a position, signed like the size."""
    if signed * position >= 0:
        return 0.0
    return max(signed, -position) if signed < 0 else min(signed, -position)
