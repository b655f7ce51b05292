"""The fields by which TWS finds a contract, and the rule each of them keeps."""
import datetime
import math
from typing import NamedTuple

from .errors import BadDataname

SECTYPES = ('STK', 'CASH', 'FUT', 'CONTFUT', 'OPT', 'FOP', 'IND', 'CFD', 'CRYPTO', 'CMDTY', 'BOND', 'BILL', 'FUND',
            'WAR', 'IOPT', 'NEWS')

# TWS fills the right of what is no option with the last two
_RIGHTS = {'C': 'C', 'CALL': 'C', 'P': 'P', 'PUT': 'P', '': '', '0': '', '?': ''}

_YEARS = range(1970, 2100)


class Spec(NamedTuple):
    """A contract in TWS's spelling of its fields; empty and 0 mean not given."""
    symbol: str = ''
    secType: str = ''
    exchange: str = ''
    currency: str = ''
    lastTradeDateOrContractMonth: str = ''
    strike: float = 0.0
    right: str = ''
    multiplier: str = ''
    primaryExchange: str = ''
    localSymbol: str = ''
    tradingClass: str = ''
    conId: int = 0
    secIdType: str = ''
    secId: str = ''
    includeExpired: bool = False


ABSENT = Spec()


def spec(contract):
    """The Spec of any object with the attributes of a TWS contract. Raises BadDataname."""
    if not hasattr(contract, 'secType') or not hasattr(contract, 'symbol'):
        raise BadDataname(f'{contract!r} is no dataname: give a text such as "AAPL-STK-SMART-USD", a conId '
                          'or a Contract')
    return checked(contract, {name: getattr(contract, name, getattr(ABSENT, name)) for name in Spec._fields})


def checked(dataname, values):
    """A Spec of `values`, one spelling for each contract, every field by its rule. Raises BadDataname."""
    made = Spec(**{name: _rule(name)(dataname, name, value) for name, value in values.items() if value is not None})
    if not (made.symbol or made.localSymbol or made.conId or made.secId):
        raise bad(dataname, 'symbol', '', 'a symbol, a localSymbol or a conId')
    if made.secType == 'CASH' and not made.currency and not made.conId:
        raise bad(dataname, 'currency', '', 'both currencies of the pair, as in "EUR.USD-CASH-IDEALPRO"')
    return made


def bad(dataname, field, value, rule):
    return BadDataname(f'dataname {dataname!r}: {field} {value!r} should be {rule}')


def is_type(token):
    return token.upper() in SECTYPES


def is_expiry(token):
    """Whether digits stand where an expiry may; whether they are a date is told by its rule."""
    return token.isdigit() and len(token) in (6, 8)


# -- the rules: each takes the dataname, the field's name and its value ----------------------------

def _rule(name):
    return _RULES.get(name, _text)


def _text(dataname, name, value):
    value = str(value).strip()
    # the wire is ASCII: TWS refuses the rest
    if not all(' ' <= char <= '~' for char in value):
        raise bad(dataname, name, value, 'printable ASCII')
    return value


def _sectype(dataname, name, value):
    value = _text(dataname, name, value).upper()
    if value == 'BAG':
        raise bad(dataname, name, value, 'a single contract; a combination is given as a ready Contract with comboLegs')
    if value and value not in SECTYPES:
        raise bad(dataname, name, value, 'one of ' + ' '.join(SECTYPES))
    return value


def _exchange(dataname, name, value):
    value = _text(dataname, name, value)
    return value.upper() if value.islower() else value


def _currency(dataname, name, value):
    value = _text(dataname, name, value).upper()
    if value and not value.isalnum():
        raise bad(dataname, name, value, 'a currency such as USD')
    return value


def _expiry(dataname, name, value):
    value = _text(dataname, name, value)
    # TWS may append the time of the last trade
    day = value.split(' ')[0]
    if value and not _is_date(day):
        raise bad(dataname, 'expiry', value, 'a date YYYYMMDD or a month YYYYMM')
    return day


def _is_date(text):
    try:
        date = datetime.datetime.strptime(text if len(text) == 8 else text + '01', '%Y%m%d')
    except ValueError:
        return False
    return text.isdigit() and len(text) in (6, 8) and date.year in _YEARS


def _strike(dataname, name, value):
    number = _number(dataname, name, value or 0)
    # the largest double is TWS's way to leave a number out
    return 0.0 if number > 1e300 else number


def _multiplier(dataname, name, value):
    value = _text(dataname, name, value)
    if value and not _number(dataname, name, value) > 0:
        raise bad(dataname, name, value, 'a number above 0, or left out')
    return value


def _number(dataname, name, value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise bad(dataname, name, value, 'a number') from None
    if not math.isfinite(number):
        raise bad(dataname, name, value, 'a finite number')
    return number


def _right(dataname, name, value):
    value = _text(dataname, name, value).upper()
    if value not in _RIGHTS:
        raise bad(dataname, name, value, 'C or P')
    return _RIGHTS[value]


def _conid(dataname, name, value):
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad(dataname, name, value, 'the whole number IB gave the contract')
    return value


def _flag(dataname, name, value):
    answers = {'true': True, '1': True, 'false': False, '0': False, '': False}
    key = str(value).strip().lower()
    if key not in answers:
        raise bad(dataname, name, value, 'True or False')
    return answers[key]


_RULES = {'secType': _sectype, 'exchange': _exchange, 'primaryExchange': _exchange, 'currency': _currency,
          'lastTradeDateOrContractMonth': _expiry, 'strike': _strike, 'right': _right, 'multiplier': _multiplier,
          'conId': _conid, 'includeExpired': _flag}
