"""Every TWS code the library acts on, and what it means; the same number means different things by whose id it carries.

Source: ib-codes.md, which gathers IB's pages and what LEAN, nautilus_trader, ib_insync, ib_async and rust-ibapi make of
them; no source vouches for 507, 509, 10186, 10190, 10311 and 10318. Pairs are ranges, both ends included.
"""
import re

# -- the link: codes with no id, or that hold for every id -----------------------------------------

_LINK = {
    1100: 'lost',           # TWS lost IB's servers; the socket stays
    2110: 'lost',           # TWS lost its server, and comes back by itself
    1101: 'renewed',        # back, the subscriptions are gone
    1102: 'restored',       # back, the subscriptions were kept
    1300: 'moved',          # the port was changed: TWS drops the socket and names the new one
    326: 'refused',         # the client id is in use
    2103: 'farm_lost', 2105: 'farm_lost', 2157: 'farm_lost',
    2104: 'farm_ok', 2106: 'farm_ok', 2158: 'farm_ok',
}

# 2107 and 2108 (a farm idles till it is asked) and 2119 (connecting) are normal, hence no word of the link
_ROUTINE = frozenset({2104, 2106, 2158, 2107, 2108, 2119})


def is_routine(code):
    """Whether the code says only that all is as it should be."""
    return code in _ROUTINE


def link(code):
    """What a code says of the link: lost, renewed, restored, moved, refused, farm_lost, farm_ok, or nothing ('')."""
    return _LINK.get(code, '')


# -- notices: they end nothing, whatever their id is -----------------------------------------------

_NOTICES = (
    165,            # a historical data service tells its state
    300,            # a cancel came late: the subscription is gone already
    366,            # the same for a history query
    (2100, 2199),   # TWS's warnings, farms and dates without a zone (2174) among them
    10167,          # delayed data follows
)


def is_notice(code):
    """Whether the code leaves what it is told about running."""
    return _among(code, _NOTICES)


# -- orders ----------------------------------------------------------------------------------------

# TWS works the order all the same
_ORDER_INFORMS = (
    165,
    399,            # the order message: held till the market opens, say
    404,            # held while shares are located for a short sale
    2109,           # outsideRth is ignored
    2148, (2100, 2199),
    10149,
    10167,
    10311,          # direct routing may cost more
    10349,          # a preset set the time in force to DAY
)

# said about an order TWS already works: that one goes on as it was; about a new one: it never came to be
_ORDER_KEPT = (
    (104, 107),     # filled already, no match with the original, cannot be transmitted
    110,            # the price is off the tick
    321, 329,       # the request fails TWS's checks
    10326,          # the one-cancels-all group of a working order cannot change
    434,            # the size is 0; ib_insync takes it for a warning and leaves the trade pending for ever
)

# never accepted, or thrown out
_ORDER_REFUSED = (
    103, 109, 111, (113, 126), (131, 136), (146, 148), (152, 160), 163, 167, 168,
    200,            # no such contract
    201,            # the order is rejected, its text tells why
    203,            # not available to this account
    (312, 315), 325, 328, (347, 350), 355, (358, 364), (367, 383), (387, 398), (400, 403), (405, 413), (417, 419),
    421, 423, 424, (427, 429), 433, (435, 437), (439, 449), 460, 463,
    (10006, 10014), 10020, 10052, 10058,
    10243,          # no fractional size for this product
    10268, 10289,   # attributes TWS no longer takes; crypto bought without cashQty
    10293, 10318,
)

_FILLED_ALREADY = 104
_CANCEL_DONE = 202
_CANCEL_REFUSED = (161, 10148)      # not in a state to be cancelled, 10148's text names that state
_UNKNOWN_ORDER = 10147              # nothing under that id: whatever it was, it no longer works

_MARGIN = re.compile('margin|insufficient|equity with loan value|available funds|buying power', re.IGNORECASE)
_PERMISSION = re.compile('permission|not (allowed|permitted)', re.IGNORECASE)
_WARNING = re.compile(r'\bwarning\b', re.IGNORECASE)

# what ib_insync says of an order before TWS has said anything
_UNACKNOWLEDGED = (None, '', 'PendingSubmit', 'ApiPending', 'ValidationError')


def order_error(code, text='', acknowledged=False, changed=False):
    """What an error under an order's id does to it.

    `acknowledged` tells whether TWS had reported it as working, `changed` whether a change of it is on its way.

    One of 'rejected' 'margin' 'modification refused' 'cancel done' 'cancel refused' 'dead' 'information' 'unclear'. A
    code that is not listed does not end an order TWS works: its status will tell. Whether it refuses a change is
    'unclear': only TWS's own view of the order tells.
    """
    if code == _CANCEL_DONE:
        return 'cancel done'
    if code in _CANCEL_REFUSED:
        return 'cancel refused'
    if code == _UNKNOWN_ORDER:
        return 'dead'
    if _among(code, _ORDER_INFORMS):
        return 'information'
    if code == _FILLED_ALREADY and changed:
        return 'modification refused'
    if _among(code, _ORDER_KEPT):
        return 'modification refused' if acknowledged else 'rejected'
    if _among(code, _ORDER_REFUSED):
        return 'margin' if code == 201 and _lacks_funds(text) else 'rejected'
    if _WARNING.search(text):
        return 'information'
    return 'unclear' if acknowledged else 'rejected'


def ends_order(code, text, status):
    """Whether an error ends an order whose status was `status`: ib_insync would say so of almost any (ib-codes.md)."""
    return order_error(code, text, status not in _UNACKNOWLEDGED) in ('rejected', 'margin', 'cancel done', 'dead')


def _lacks_funds(text):
    """A missing permission for margin is no lack of it."""
    return bool(_MARGIN.search(text)) and not _PERMISSION.search(text)


# -- history ---------------------------------------------------------------------------------------

# 162 says everything there is to say about history: the text decides, the first that fits
_HISTORY_TEXTS = (
    ('pacing violation', 'pacing'),
    ('query cancel', 'cancelled'),
    ('returned no data|no data of type', 'none'),
    ('invalid|permission|not subscribed|no historical market data|no market data', 'refused'),
)

_HISTORY = {
    100: 'pacing',          # more than 50 messages a second
    322: 'retry',           # the id is in use: the next one will not be
    366: 'cancelled',
    10182: 'retry',         # the link was lost under it
    10187: 'retry',
}


def history_error(code, text=''):
    """What an error about a history request means: 'none' (there is no data) 'pacing' 'cancelled' 'retry' 'refused'."""
    if code == 162:
        found = (meaning for pattern, meaning in _HISTORY_TEXTS if re.search(pattern, text, re.IGNORECASE))
        return next(found, 'retry')
    if code in _SOCKET or link(code):
        return 'retry'
    return _HISTORY.get(code, 'refused')


# -- market data -----------------------------------------------------------------------------------

#: kinds of market data (1 live, 2 frozen, 3 delayed, 4 delayed and frozen) that run late; TWS has no 5-second bars then
DELAYED_KINDS = (3, 4)

_MARKET_DATA = {
    100: 'renew',           # more than 50 messages a second: the request was dropped
    101: 'refused',         # the 100 lines are used up
    200: 'refused',         # no such contract, or several
    316: 'renew', 317: 'renew',     # the depth of market was reset
    321: 'refused',         # the request fails TWS's checks
    322: 'renew',           # the id is in use: the next one will not be
    354: 'not subscribed',
    10089: 'not subscribed', 10090: 'not subscribed', 10091: 'not subscribed',  # delayed data may exist
    10168: 'not subscribed',        # nor is delayed data enabled
    10186: 'not subscribed',        # nor is there delayed data
    10182: 'renew',         # the link was lost under it
    10189: 'refused', 10190: 'refused',     # tick by tick: not for this contract, or too many
    10197: 'competing',     # another session of this user has the data, and may give it back
    10225: 'renew',         # a bust: TWS took bars back
}

# the socket's; made by client libraries, never sent
_SOCKET = frozenset({502, 503, 504, 506, 507, 509})


def market_data_error(code, text=''):
    """What an error under a subscription's id means: 'refused' 'not subscribed' 'competing' 'renew' 'pacing' 'notice'.

    'renew' asks again at once, 'pacing' after a while; 420 (real-time bars) has its reason in the text.
    """
    if is_notice(code):
        return 'notice'
    if code == 420:
        return 'pacing' if 'pacing' in text.lower() else 'not subscribed'
    if code in _SOCKET:
        return 'renew'
    return _MARKET_DATA.get(code, 'refused')


def _among(code, ranges):
    return any(part[0] <= code <= part[1] if isinstance(part, tuple) else part == code for part in ranges)
