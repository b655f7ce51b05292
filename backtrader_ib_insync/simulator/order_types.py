"""What kinds of orders there are: TWS's names, its aliases, and what each kind waits for and may pay."""
from typing import NamedTuple


class OrderType(NamedTuple):
    """`trigger` is stop, touch or trail; `auction` close; `peg` primary or mid; `rests`: a part fill makes it LMT."""
    name: str
    limited: bool = False
    trigger: str = ''
    auction: str = ''
    peg: str = ''
    rests: bool = False
    aux: bool = False


TYPES = {kind.name: kind for kind in (
    OrderType('MKT'),
    OrderType('LMT', limited=True),
    OrderType('STP', trigger='stop', aux=True),
    OrderType('STP LMT', limited=True, trigger='stop', aux=True),
    OrderType('TRAIL', trigger='trail'),
    OrderType('TRAIL LIMIT', limited=True, trigger='trail'),
    OrderType('MIT', trigger='touch', aux=True),
    OrderType('LIT', limited=True, trigger='touch', aux=True),
    OrderType('MOC', auction='close'),
    OrderType('LOC', limited=True, auction='close'),
    OrderType('MTL', rests=True),
    OrderType('BOX TOP', rests=True),
    OrderType('REL', peg='primary'),
    OrderType('MIDPRICE', peg='mid'),
    OrderType('PEG MID', peg='mid'),
    OrderType('MKT PRT'),
    OrderType('STP PRT', trigger='stop', aux=True))}

ALIASES = {
    'MARKET': 'MKT', 'LIMIT': 'LMT', 'STOP': 'STP', 'STOP LIMIT': 'STP LMT', 'STOPLIMIT': 'STP LMT',
    'STOPLMT': 'STP LMT', 'STPLMT': 'STP LMT', 'RELATIVE': 'REL', 'TRAILING STOP': 'TRAIL', 'TRAILLIMIT': 'TRAIL LIMIT',
    'TRAIL LMT': 'TRAIL LIMIT', 'TRAILLMT': 'TRAIL LIMIT', 'LMT CLS': 'LOC', 'MKT CLS': 'MOC', 'MKT TO LMT': 'MTL',
    'PEGMID': 'PEG MID', 'BOXTOP': 'BOX TOP'}


def named(text):
    """The OrderType of a TWS name or alias; None when there is none."""
    name = text.strip().upper()
    return TYPES.get(ALIASES.get(name, name))
