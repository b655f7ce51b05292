"""How much equity a position ties up: Reg T in outline for stocks, the exchange's figures for futures."""

INITIAL = {'STK': 0.5, 'BOND': 0.2, 'CFD': 0.2, 'CMDTY': 0.2, 'CASH': 0.03}
MAINTENANCE = {'STK': 0.25, 'BOND': 0.15, 'CFD': 0.1, 'CMDTY': 0.1, 'CASH': 0.025}
WRITTEN_OPTION = 0.2


def requirement(instrument, position, price, under=0.0):
    """(initial, maintenance) of a signed position, in its currency; `under` is an option's underlying price."""
    if instrument.init_margin:
        return abs(position) * instrument.init_margin, abs(position) * instrument.maint_margin
    value = abs(position) * price * instrument.multiplier
    if instrument.secType in ('OPT', 'FOP'):
        return _option(instrument, position, value, under)
    return value * INITIAL.get(instrument.secType, 1.0), value * MAINTENANCE.get(instrument.secType, 1.0)


def _option(instrument, position, value, under):
    """A bought option lends nothing; a written one ties up a part of its underlying too."""
    written = -min(position, 0.0) * WRITTEN_OPTION * under * instrument.multiplier
    return value + written, value + written
