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
    inactive: bool = False


class Scenario:
    """The switches; by default all is well.

    report_order: in which order a fill's reports come. repeats: how often each status is told. dropped: statuses
    ('Submitted', 'Filled'..) never told, unless the exchange changed the quantity. commission: 'normal', 'missing',
    'sentinel' (-1 as older TWS sent) or 'unset'. commission_delay, cancel_delay: seconds; during the latter fills may
    overtake the cancel, and pending_cancel tells PendingCancel meanwhile. liquidity: no fill exceeds the size at the
    touch. cancel_status: what a cancelled order ends as ('ApiCancelled' too). hard_to_borrow: symbols whose short sales
    wait for locate. forgets_parents: a change that names a parent which is done is refused with 135 (ib_insync#647).
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
        self.cancel_status = 'Cancelled'
        self.forgets_parents = False
        self.hard_to_borrow = set()
        self._partials = {}
        self._refusals = []
        self._notices = []

    def refuse_next(self, code, text, symbol='', on='place', inactive=None):
        """The next order (modification, cancel) of a symbol, blank for any, is refused; `inactive` also ends it so."""
        _check(on)
        self._refusals.append(Refusal(code, text, symbol, on, code == 201 if inactive is None else inactive))

    def inform_next(self, code, text, symbol='', on='place'):
        """The next order (modification, cancel) of a symbol goes through, and this is told with it."""
        _check(on)
        self._notices.append(Refusal(code, text, symbol, on))

    def refusal(self, on, symbol):
        """Takes the first refusal that fits, or None."""
        return _take(self._refusals, on, symbol)

    def notice(self, on, symbol):
        """Takes the first notice that fits, or None."""
        return _take(self._notices, on, symbol)

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


def _check(on):
    if on not in ON:
        raise ValueError('on={!r}: it must be one of {}'.format(on, ', '.join(ON)))


def _take(waiting, on, symbol):
    for one in waiting:
        if one.on == on and one.symbol in ('', symbol):
            waiting.remove(one)
            return one
    return None
