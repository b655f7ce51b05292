"""The conditions an order may wait for: price, time, margin, execution, volume, percent change."""
from . import stamps, zones

PRICE, TIME, MARGIN, EXECUTION, VOLUME, PERCENT = 1, 3, 4, 5, 6, 7
KINDS = (PRICE, TIME, MARGIN, EXECUTION, VOLUME, PERCENT)
TEN_DAYS = 864000


class Conditions:
    """Judges by what market, ledger and executions show; `volumes` maps conId to the session's volume so far."""

    def __init__(self, market, ledger, fills, zone):
        self._market = market
        self._ledger = ledger
        self._fills = fills
        self._zone = zone
        self.volumes = {}
        self._judges = {PRICE: self._price, TIME: self._time, MARGIN: self._margin, EXECUTION: self._execution,
                        VOLUME: self._volume, PERCENT: self._percent}

    def met(self, ticket, now):
        """Left to right, each joined to the next by its conjunction."""
        result, conjunction = True, 'a'
        for condition in ticket.order.conditions:
            judged = self._judges[condition.kind](condition.fields, ticket, now)
            result = (result and judged) if conjunction == 'a' else (result or judged)
            conjunction = condition.conjunction
        return result

    def instruments(self, order):
        """Those whose ticks the conditions look at."""
        found = (self._market.by_conId(condition.fields['conId'])
                 for condition in order.conditions if 'conId' in condition.fields)
        return [instrument for instrument in found if instrument is not None]

    def _price(self, fields, ticket, now):
        instrument = self._market.by_conId(fields['conId'])
        return instrument is not None and _beyond(fields, self._market.last(instrument, now), fields['price'])

    def _time(self, fields, ticket, now):
        return _beyond(fields, now, stamps.parse(fields['time'], self._zone))

    def _margin(self, fields, ticket, now):
        return _beyond(fields, 100 * self._ledger.cushion(now, ticket.order.account), fields['percent'])

    def _execution(self, fields, ticket, now):
        return any(fill.execution.contract.symbol == fields['symbol']
                   and fill.execution.contract.secType == fields['secType'] for fill in self._fills.all())

    def _volume(self, fields, ticket, now):
        return _beyond(fields, self.volumes.get(fields['conId'], 0), fields['volume'])

    def _percent(self, fields, ticket, now):
        instrument = self._market.by_conId(fields['conId'])
        if instrument is None:
            return False
        today = zones.label_of(zones.local(now, instrument.zone).date())
        days = [bar for bar in self._market.bars(instrument, '1 day', today - TEN_DAYS, today) if bar.time < today]
        change = 100 * (self._market.last(instrument, now) / days[-1].close - 1) if days else 0.0
        return _beyond(fields, change, fields['changePercent'])


def _beyond(fields, value, bound):
    return value >= bound if fields['isMore'] else value <= bound
