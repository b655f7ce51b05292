"""What the strategy thread knows of the link, its accounts and ids: as much as the loop thread has told."""
import collections
import logging

from . import codes
from .comminfo import magnifier
from .errors import NotConnected
from .messages import Closed, Heard, Lost, MarketRule, Notice, Restored, Session

log = logging.getLogger(__name__)

READ_ONLY = 'TWS is in read-only mode: no order is sent. Untick "Read-Only API" in its API settings to trade'


class LinkState:
    """Takes in records of the connection's (`inbox`), tells a person by `put(Notice)`; `params` are the store's."""

    def __init__(self, params, put):
        self.inbox = collections.deque()
        self.up = False
        #: why nothing will ever be tried again, None till then
        self.closed = None
        #: TWS's time up to which all it sent has arrived (epoch seconds UTC), and its clock minus ours
        self.heard = 0.0
        self.offset = 0.0
        self.session = None
        #: whether there has been a session since `begin`
        self.had_session = False
        #: (from this price on, increment) pairs by market rule id
        self.rules = {}
        self._params = params
        self._put = put
        self._order_id = 0

    def begin(self):
        """A new connection is being made; what was known of accounts and ids still holds."""
        self.closed = None
        self.had_session = False

    def drain(self):
        """Take in what the connection said of itself."""
        while True:
            try:
                record = self.inbox.popleft()
            except IndexError:
                # by now: whoever asks from another thread takes records as well
                return
            self._TAKE[type(record)](self, record)

    def _take_session(self, session):
        again, self.had_session = self.had_session, True
        self.session = session
        self.up = True
        self._order_id = max(session.order_id, self._order_id)
        if again:
            self._tell(0, 'connected again: account and orders have been read, feeds fill their gaps')
        else:
            # the end of a warning is worth one too, a good beginning is not
            self._tell(0, 'connected to {}:{}, server version {}, as client {}'.format(
                self._params.host, self._params.port, session.server_version, session.clientId), logging.INFO)
        if session.readonly and not self._params.readonly:
            self._tell(0, READ_ONLY)

    def _take_heard(self, heard):
        self.heard = heard.time
        self.offset = heard.offset if self._params.timeoffset else 0.0

    def _take_notice(self, notice):
        routine = codes.is_routine(notice.errorCode)
        # what carries an id belongs to an order or a feed, which say what they make of it
        log.log(logging.INFO if routine or notice.id >= 0 else logging.WARNING, '%s', notice)
        if self._params.notifyall or not routine:
            self._put(notice)

    def _take_lost(self, lost):
        self.up = False
        self._tell(lost.code, '{}: {}; {}'.format(
            'TWS lost IB' if lost.code else 'connection lost', lost.reason, self._remedy(lost.code)))

    def _remedy(self, code):
        if code:
            return 'it comes back by itself, feeds and orders wait'
        allowed, every = self._params.reconnect, self._params.timeout
        if not allowed:
            return 'reconnect=0 allows no attempt to reconnect'
        how = 'for ever' if allowed < 0 else 'up to {} times'.format(allowed)
        return 'reconnecting {}, every {:g} s at first'.format(how, every)

    def _take_restored(self, restored):
        self.up = True
        self._tell(0, 'TWS has IB again: {}; account and orders have been read, feeds fill their gaps'.format(
            restored.reason))

    def _take_closed(self, closed):
        self.up = False
        self.closed = closed.reason
        self._tell(0, 'no connection and no further attempt: {}'.format(closed.reason))

    def _take_market_rule(self, rule):
        self.rules[str(rule.marketRuleId)] = rule.increments

    _TAKE = {MarketRule: _take_market_rule, Session: _take_session, Heard: _take_heard, Notice: _take_notice,
             Lost: _take_lost, Restored: _take_restored, Closed: _take_closed}

    def _tell(self, code, text, level=logging.WARNING):
        log.log(level, '%s', text)
        self._put(Notice(-1, code, text))

    # -- what follows from it ------------------------------------------------------------------------------------------

    @property
    def accounts(self):
        return self.session.accounts if self.session else ()

    def next_order_id(self):
        """An order id nobody used; raises NotConnected before the first session."""
        self.drain()
        if self.session is None:
            raise NotConnected('no order id yet: TWS tells the first one when the connection is made')
        orderId, self._order_id = self._order_id, self._order_id + 1
        return orderId

    def seen_order_id(self, orderId):
        """An order with this id exists: ids given from now on are larger (P10)."""
        self._order_id = max(self._order_id, orderId + 1)

    def reason_not_trading(self):
        """Why no order can be sent now, '' when one can."""
        self.drain()
        if self._params.readonly:
            return 'the store is read-only (readonly=True)'
        if self.session is not None and self.session.readonly:
            return READ_ONLY
        if not self.up:
            return 'not connected to TWS' + (': {}'.format(self.closed) if self.closed else '')
        return ''

    def price_increments(self, details, exchange):
        """The price steps of a contract at an exchange, ((from this price on, increment), ...); at least minTick."""
        if details is None:
            return ()
        rules = dict(zip(details.validExchanges.split(','), details.marketRuleIds.split(',')))
        steps = self.rules.get(rules.get(exchange), ((0.0, details.minTick),))
        # TWS tells them in the contract's currency, and takes prices in cents or pence where it quotes those
        return tuple((round(edge * magnifier(details), 10), round(step * magnifier(details), 10))
                     for edge, step in steps)
