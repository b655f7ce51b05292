"""What a fill costs: IB's fixed rates, simplified, in the fee currency."""

STOCK_SHARE, STOCK_MINIMUM, STOCK_MAXIMUM = 0.005, 1.0, 0.01
FOREX_RATE, FOREX_MINIMUM = 0.00002, 2.0
OPTION_CONTRACT, OPTION_MINIMUM = 0.65, 1.0
FUTURE_CONTRACT = 2.25
CRYPTO_RATE, CRYPTO_MINIMUM = 0.0018, 1.75
BOND_RATE, BOND_MINIMUM = 0.001, 1.0
METAL_RATE = 0.000015


def _stock(size, value):
    return min(max(size * STOCK_SHARE, STOCK_MINIMUM), max(value * STOCK_MAXIMUM, 0.01))


RATES = {
    'STK': _stock,
    'CFD': lambda size, value: max(size * STOCK_SHARE, STOCK_MINIMUM),
    'OPT': lambda size, value: max(size * OPTION_CONTRACT, OPTION_MINIMUM),
    'FOP': lambda size, value: size * FUTURE_CONTRACT,
    'FUT': lambda size, value: size * FUTURE_CONTRACT,
    'CASH': lambda size, value: max(value * FOREX_RATE, FOREX_MINIMUM),
    'CMDTY': lambda size, value: max(value * METAL_RATE, FOREX_MINIMUM),
    'CRYPTO': lambda size, value: max(value * CRYPTO_RATE, CRYPTO_MINIMUM),
    'BOND': lambda size, value: max(value * BOND_RATE, BOND_MINIMUM)}


def order_fee(secType, size, value):
    """What `size` filled for `value` costs in all; 0 for nothing."""
    return RATES.get(secType, _stock)(size, abs(value)) if size else 0.0


def fill_fee(secType, execution, multiplier):
    """The share of this fill: minima count once per order, hence what the order costs more than before."""
    before = round(execution.cumQty - execution.shares, 8)
    total = execution.avgPrice * execution.cumQty
    earlier = total - execution.price * execution.shares
    return round(order_fee(secType, execution.cumQty, total * multiplier)
                 - order_fee(secType, before, earlier * multiplier), 6)
