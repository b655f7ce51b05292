"""What a dataname means: text <-> the fields by which TWS knows a contract, both ways.

    SYMBOL[-SECTYPE[-EXCHANGE[-CURRENCY[-EXTRA...]]]][-name:value...]

The grammar is backtrader's (backtrader-contract.md 9.2) with what its parser forgot; what it has no place for
follows as `name:value` in TWS's spelling: `SPX-20241220-CBOE-USD-5000-C-100-tradingClass:SPXW`, `conId:265598`.
"""
import copy
import re

from .errors import BadDataname
from .spec import ABSENT, SECTYPES, Spec, bad, checked, is_expiry, is_type, spec

__all__ = ['Spec', 'contract_of', 'default_what', 'follows_quotes', 'names', 'parse', 'spec', 'to_ib', 'write']

# what SMART does not route: TWS finds the exchange by itself, but for FX there is only one
_EXCHANGES = {'CASH': 'IDEALPRO', 'FUT': '', 'CONTFUT': '', 'FOP': '', 'IND': '', 'CRYPTO': '', 'FUND': ''}

_OPTION = ('lastTradeDateOrContractMonth', 'strike', 'right', 'multiplier')

# the fields after the currency
_EXTRAS = {
    'STK': ('primaryExchange',),
    'FUT': ('lastTradeDateOrContractMonth', 'multiplier'),
    'CONTFUT': ('multiplier',),
    'OPT': _OPTION, 'FOP': _OPTION, 'WAR': _OPTION, 'IOPT': _OPTION,
}

_QUOTED = ('CASH', 'CFD', 'CMDTY')
_PAIR = re.compile('[A-Za-z]{3}[.][A-Za-z]{3}$')
_NAMES = {name.lower(): name for name in Spec._fields}


def parse(dataname, sectype='STK', exchange='SMART', currency=''):
    """The Spec of a dataname: a text, a conId, or any object with the attributes of a TWS contract.

    The other arguments stand in for what the text leaves out; SMART does so only where SMART routes. In a stock's
    symbol a dash is read as the blank TWS writes (`BRK-B` is 'BRK B'). Raises BadDataname.
    """
    if isinstance(dataname, int) and not isinstance(dataname, bool):
        return checked(dataname, {'conId': dataname})
    if not isinstance(dataname, str):
        return spec(dataname)
    tokens, named = _split(dataname)
    values = _Reader(dataname, tokens, sectype).read(exchange, currency) if tokens else {}
    values.update(named)
    return checked(dataname, values)


def to_ib(fields, Contract):
    """An object of the client library's class `Contract` with the fields of a Spec."""
    return Contract(**fields._asdict())


def contract_of(dataname, Contract, sectype='STK', exchange='SMART', currency=''):
    """The client library's Contract for any dataname; a ready one is copied, so the legs of a combination survive."""
    if hasattr(dataname, 'secType') and not isinstance(dataname, Spec):
        return copy.copy(dataname)
    return to_ib(parse(dataname, sectype, exchange, currency), Contract)


def write(contract):
    """The dataname that `parse` reads back as the same Spec; takes a Spec or any object with those attributes."""
    return _write(spec(contract), Spec._fields)


def names(contracts):
    """The shortest datanames that tell these contracts apart, one each: what an ambiguity error lists."""
    wanted = [spec(contract) for contract in contracts]
    more = ()
    for name in ('primaryExchange', 'tradingClass', 'localSymbol', 'conId', None):
        found = tuple(_write(fields, more) for fields in wanted)
        if len(set(found)) == len(found):
            break
        more += (name,)
    return found


def follows_quotes(secType, indcash=True):
    """Whether live prices come as quotes for want of trades: FX, CFD, spot metals, and (`indcash`) an index's level."""
    return secType in _QUOTED or secType == 'IND' and bool(indcash)


def default_what(secType):
    """The `whatToShow` of a feed that names none: TWS has no TRADES for FX (162) nor for crypto (10299)."""
    if secType in _QUOTED:
        return 'BID'
    return 'AGGTRADES' if secType == 'CRYPTO' else 'TRADES'


# -- reading ---------------------------------------------------------------------------------------

def _split(dataname):
    """The positional tokens, and the trailing `name:value` ones as a dictionary."""
    tokens = [token.strip() for token in dataname.split('-')]
    named = {}
    while tokens:
        name, colon, value = tokens[-1].partition(':')
        if not colon or name.lower() not in _NAMES:
            break
        named[_NAMES[name.lower()]] = _unescape(value)
        tokens.pop()
    if not any(tokens) and not named:
        raise BadDataname(f'the dataname {dataname!r} is empty: give a symbol, as in "AAPL-STK-SMART-USD"')
    return tokens, named


class _Reader:
    """Reads the positional tokens of one dataname, from left to right."""

    def __init__(self, dataname, tokens, sectype):
        self.dataname = dataname
        self.sectype = sectype.upper()
        at = self._place_of_type(tokens)
        self.symbol = tokens[:at]
        self.rest = [_unescape(token) for token in tokens[at:]]

    def _place_of_type(self, tokens):
        """The symbol ends before the first token that is a type or an expiry: `BRK-B-STK` holds a dash."""
        for at, token in enumerate(tokens[1:], 1):
            if is_type(token) or is_expiry(token):
                return at
        if len(tokens) == 1 or len(tokens) == 2 and len(tokens[1]) <= 2 and tokens[1].isalpha():
            return len(tokens)
        raise bad(self.dataname, 'type', tokens[1],
                  'one of {} or an expiry YYYYMM or YYYYMMDD'.format(' '.join(SECTYPES)))

    def read(self, exchange, currency):
        head = self._take()
        values = {'secType': self._derivative(head) if is_expiry(head) else head.upper() or self.sectype}
        if is_expiry(head):
            values['lastTradeDateOrContractMonth'] = head
        self._place(values, exchange, currency)
        self._extras(values)
        return values

    def _take(self):
        return self.rest.pop(0) if self.rest else ''

    def _derivative(self, expiry):
        """A right makes an option: eight digits of a share or index, six of a future, as backtrader has it."""
        if len(self.rest) < 4:
            return 'FUT'
        return 'OPT' if len(expiry) == 8 else 'FOP'

    def _place(self, values, exchange, currency):
        secType = values['secType']
        default = _EXCHANGES.get(secType, exchange) if exchange == 'SMART' else exchange
        values['exchange'] = self._take() or default
        written = self._take()
        # TWS writes a class of shares with a blank
        symbol = (' ' if secType == 'STK' else '-').join(self.symbol)
        if secType in ('CASH', 'CRYPTO') or secType == 'CFD' and _PAIR.match(symbol):
            symbol, written = self._pair(symbol, written)
        values['symbol'] = _unescape(symbol)
        values['currency'] = written or currency

    def _pair(self, symbol, written):
        """`EUR.USD`: the second half is the currency."""
        base, dot, quote = symbol.rpartition('.')
        quote = _unescape(quote)
        if not dot:
            return symbol, written
        if written and written.upper() != quote.upper():
            raise bad(self.dataname, 'currency', written, f'{quote}, as the pair says')
        return base, quote

    def _extras(self, values):
        if values['secType'] == 'FUT' and len(self.rest) > 2:
            values['secType'] = 'FOP'
        for name in _EXTRAS.get(values['secType'], ()):
            if name not in values and self.rest:
                values[name] = self._take()
        if self.rest:
            raise bad(self.dataname, 'field', '-'.join(self.rest), 'left out: nothing follows here in a dataname of '
                      'type {}'.format(values['secType']))


# -- writing ---------------------------------------------------------------------------------------

def _write(wanted, more):
    """The positional part, and `name:value` for those of `more` that it does not tell."""
    plain = _plain(wanted)
    read = parse(plain) if plain else ABSENT
    named = [f'{name}:{_escape(_text(getattr(wanted, name)))}' for name in Spec._fields
             if (name in more or not plain) and getattr(read, name) != getattr(wanted, name)]
    return '-'.join(([plain] if plain else []) + named)


def _plain(fields):
    """The positional part; '' when there is nothing to begin it with."""
    if not fields.symbol or not fields.secType or fields.secType == 'CASH' and not fields.currency:
        return ''
    if _is_short(fields):
        head, extras = fields.lastTradeDateOrContractMonth, _EXTRAS[fields.secType][1:]
    else:
        head, extras = fields.secType, _EXTRAS.get(fields.secType, ())
    tokens = _symbol(fields) + [head, fields.exchange, '' if fields.secType == 'CASH' else fields.currency]
    tokens += [_text(getattr(fields, name)) for name in extras if fields.secType != 'STK']
    while not tokens[-1]:
        tokens.pop()
    return '-'.join(tokens[:1] + [_escape(token) for token in tokens[1:]])


def _is_short(fields):
    """Whether the expiry may stand where the type does."""
    digits = len(fields.lastTradeDateOrContractMonth)
    if fields.secType == 'FUT':
        return digits > 0
    return bool(fields.strike and fields.right) and (fields.secType, digits) in (('OPT', 8), ('FOP', 6))


def _symbol(fields):
    symbol = _escape(fields.symbol)
    if fields.secType == 'CASH':
        return [f'{symbol}.{_escape(fields.currency)}']
    return [symbol.replace('.', '%2E') if fields.secType in ('CRYPTO', 'CFD') else symbol]


def _text(value):
    """A strike as a person writes it; what is not given is nothing."""
    if isinstance(value, float):
        return repr(int(value) if value == int(value) else value) if value else ''
    return str(value)


def _escape(value):
    return re.sub('[-%:]', lambda match: f'%{ord(match.group()):02X}', value)


def _unescape(value):
    return re.sub('%([0-9A-Fa-f]{2})', lambda match: chr(int(match.group(1), 16)), value)
