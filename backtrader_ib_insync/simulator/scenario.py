"""What shall not go by the book at the exchange: what a test or a rehearsal sets up beforehand."""
from collections import deque
from typing import NamedTuple

ON = ('place', 'modify', 'cancel')
REPORTS = ('execution', 'status', 'commission')


class Refusal(NamedTuple):
    code: int
    text: str
    symbol: str
    on: str
    inactive: bool


class Scenario:
    """The switches; by default all is well.

    report_order: in which order a fill's reports come. repeats: how often each status is told. dropped: statuses
    ('Submitted', 'Filled'..) never told. commission: 'normal', 'missing', 'sentinel' (-1 as older TWS sent) or
    'unset'. commission_delay, cancel_delay: seconds; during the latter fills may overtake the cancel, and
    pending_cancel tells PendingCancel meanwhile. liquidity: no fill exceeds the size at the touch.
    hard_to_borrow: symbols whose short sales wait for locate.
    """

    def __init__(self):
        self.report_order = REPORTS
        self.repeats = 1
        self.dropped = frozenset()
        self.commission = 'normal'
        self.commission_delay = 0.0
        self.pending_cancel = False
        self.cancel_delay = 0.0
        self.liquidity = False
        self.hard_to_borrow = set()
        self._partials = {}
        self._refusals = []

    def refuse_next(self, code, text, symbol='', on='place', inactive=None):
        """The next order (modification, cancel) of a symbol, blank for any, is refused; `inactive` also ends it so."""
        if on not in ON:
            raise ValueError('refuse_next(on={!r}): on must be one of {}'.format(on, ', '.join(ON)))
        self._refusals.append(Refusal(code, text, symbol, on, code == 201 if inactive is None else inactive))

    def refusal(self, on, symbol):
        """Takes the first refusal that fits, or None."""
        for refusal in self._refusals:
            if refusal.on == on and refusal.symbol in ('', symbol):
                self._refusals.remove(refusal)
                return refusal
        return None

    def partial(self, symbol, sizes):
        """The next fills of a symbol (or conId) come in these sizes, one at each chance to trade; then as usual."""
        self._partials.setdefault(symbol, deque()).extend(sizes)

    def portion(self, instrument, size):
        """How much of `size` may trade at this chance."""
        contract = instrument.contract
        for key in (contract.conId, contract.symbol):
            if self._partials.get(key):
                return min(size, self._partials[key].popleft())
        return size
