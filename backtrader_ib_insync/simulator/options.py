"""What an option is worth: Black and Scholes without interest, one volatility for all strikes."""
from math import erf, exp, log, pi, sqrt
from typing import NamedTuple

YEAR = 365.0 * 86400


class Greeks(NamedTuple):
    """Theoretical price and sensitivities; vega per point of volatility, theta per day."""
    price: float
    impliedVol: float
    delta: float
    gamma: float
    vega: float
    theta: float


def _cumulative(x):
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


def worth(underlying, strike, right, seconds, volatility):
    """The Greeks of an option `seconds` before its expiry on an underlying at price `underlying`."""
    call = right.startswith('C')
    if seconds <= 0:
        intrinsic = max(0.0, underlying - strike if call else strike - underlying)
        inside = (1.0 if call else -1.0) if intrinsic else 0.0
        return Greeks(intrinsic, volatility, inside, 0.0, 0.0, 0.0)
    years = seconds / YEAR
    width = volatility * sqrt(years)
    d1 = log(underlying / strike) / width + width / 2
    d2 = d1 - width
    density = exp(-d1 * d1 / 2) / sqrt(2 * pi)
    price = underlying * _cumulative(d1) - strike * _cumulative(d2)
    delta = _cumulative(d1)
    if not call:
        price, delta = price - underlying + strike, delta - 1.0
    theta = -underlying * density * volatility / (2 * sqrt(years)) / 365
    return Greeks(max(price, 0.0), volatility, delta, density / (underlying * width),
                  underlying * density * sqrt(years) / 100, theta)
