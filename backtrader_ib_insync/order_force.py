"""How long an order holds, in backtrader's words -> TWS's time in force and date (pure)."""
import datetime
import numbers

from backtrader import Order, num2date

from .errors import BadOrder
from .zones import UTC, as_zone, aware, epoch, utc_text

TIFS = ('DAY', 'GTC', 'IOC', 'GTD', 'OPG', 'FOK', 'DTC', 'AUC', 'GTX', 'Minutes')
#: in force for a moment only: what they leave unfilled has expired
MOMENTARY = ('IOC', 'FOK', 'OPG', 'AUC')

#: https://interactivebrokers.ca/en/trading/us-futures-stop-order.php
SLEEPING = 'TWS triggers the stop of a future in regular trading hours alone; outsideRth=True has it triggered at any'


def sleeps(tws, secType):
    """Whether TWS lets a stop pass while its market trades."""
    stops = ('STP', 'STP LMT', 'TRAIL', 'TRAIL LIMIT')
    return secType in ('FUT', 'FOP') and tws.orderType in stops and not tws.outsideRth


def in_force(terms, setting):
    """The fields tif and goodTillDate, and until when they hold."""
    tif = terms.keywords.get('tif')
    if tif is not None and tif not in TIFS:
        raise BadOrder('tif {!r}: TWS knows {}'.format(tif, ', '.join(TIFS)))
    date = terms.keywords.get('goodTillDate')
    until = _until(terms.valid, setting)
    _check_dates(terms, until, date, tif)
    if date:
        return {'tif': 'GTD'}, None
    if until is not None:
        if until <= setting.now:
            raise BadOrder('valid {!r}: {} UTC has passed'.format(terms.valid, utc_text(until)))
        return {'tif': 'GTD', 'goodTillDate': utc_text(until)}, until
    if tif == 'GTD':
        raise BadOrder("tif 'GTD': needs valid= or goodTillDate=")
    tif = tif or _default_tif(terms, setting)
    return {'tif': tif}, setting.now if tif in MOMENTARY else None


def _check_dates(terms, until, date, tif):
    """Raise BadOrder for more than one date, or one of an order that is to hold for something else."""
    has_date = until is not None or date
    if date and until is not None or has_date and tif not in (None, 'GTD'):
        given = (('valid', terms.valid), ('goodTillDate', date), ('tif', tif))
        raise BadOrder('{}: they exclude each other; give one date, and no tif but GTD with it'.format(
            ', '.join('{} {!r}'.format(name, value) for name, value in given if value is not None)))


def _default_tif(terms, setting):
    if _is_day(terms.valid) or terms.exectype == Order.Close:
        return 'DAY'
    return 'IOC' if setting.secType == 'CRYPTO' and terms.exectype == Order.Market else 'GTC'


def _is_day(valid):
    return _is_word(valid, 'DAY') or (isinstance(valid, (numbers.Real, datetime.timedelta)) and not valid)


def _is_word(valid, word):
    return isinstance(valid, str) and valid == word


def _until(valid, setting):
    """When `valid` ends, epoch seconds UTC; None when no date is in it (until cancelled, or the day)."""
    if valid is None or _is_word(valid, 'GTC') or _is_day(valid):
        return None
    try:
        until = _seconds(valid, setting)
        utc_text(until)
    except BadOrder:
        raise
    except (TypeError, ValueError, OverflowError):
        raise BadOrder('valid {!r}: is no date that TWS could be told; None is until cancelled'.format(valid)) from None
    return until


def _seconds(valid, setting):
    if isinstance(valid, datetime.timedelta):
        return setting.now + valid.total_seconds()
    if isinstance(valid, datetime.datetime):
        # in the hour that comes twice its fold tells which is meant
        return epoch(valid if valid.tzinfo else aware(valid, as_zone(setting.zone or UTC)))
    if isinstance(valid, datetime.date):
        return epoch(datetime.datetime.combine(valid, datetime.time(23, 59, 59)), setting.zone or UTC)
    if isinstance(valid, numbers.Real):
        return epoch(num2date(float(valid), tz=datetime.timezone.utc))
    raise BadOrder('valid {!r}: None or Order.GTC, Order.DAY or 0, a timedelta, a date, a datetime or a backtrader '
                   'date number'.format(valid))
