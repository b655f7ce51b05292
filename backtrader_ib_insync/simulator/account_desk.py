"""What clients ask about accounts and positions, and what they are told when those change."""
from . import replies, requests, stamps

ROUND = 180.0
PNL_ROUND = 1.0
MAX_SUMMARIES = 2
TOO_MANY_SUMMARIES = ('Error processing request.-\'bW\' : cause - Maximum number of account summary requests exceeded.')
DUPLICATE = 'Error processing request.-\'bW\' : cause - Duplicate ticker id'


class Watch:
    """One subscription: `rows()` answers what is so now, and only what differs from the last time is said again."""

    def __init__(self, session, rows, period):
        self.session = session
        self.period = period
        self._rows = rows
        self._told = {}

    def tell_changes(self):
        rows = dict(self._rows())
        for key in self._told:
            if key not in rows and hasattr(self._told[key], 'avgCost'):
                rows[key] = self._told[key]._replace(position=0.0, avgCost=0.0)
        for key, reply in rows.items():
            if self._told.get(key) != reply:
                self.session.send(reply)
        self._told = rows


class AccountDesk:
    """Account values, portfolio, positions, summaries, profit and loss."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._ledger = gateway.ledger
        self._watches = {}
        self._summaries = {}
        self._rounds = {ROUND: None, PNL_ROUND: None}
        self._has_traded = False

    def handlers(self):
        return {
            requests.ReqManagedAccts: self._tell_accounts, requests.ReqAccountUpdates: self._account_updates,
            requests.ReqPositions: self._positions, requests.CancelPositions: self._cancel_positions,
            requests.ReqAccountSummary: self._summary, requests.CancelAccountSummary: self._cancel_summary,
            requests.ReqPositionsMulti: self._positions_multi, requests.CancelPositionsMulti: self._cancel,
            requests.ReqAccountUpdatesMulti: self._updates_multi, requests.CancelAccountUpdatesMulti: self._cancel,
            requests.ReqPnL: self._pnl, requests.CancelPnL: self._cancel,
            requests.ReqPnLSingle: self._pnl_single, requests.CancelPnLSingle: self._cancel}

    def traded(self):
        """Something was bought or sold: whoever watches hears of it at once."""
        self._has_traded = True

    def settle(self):
        """Tell what a trade has changed."""
        if self._has_traded:
            self._has_traded = False
            self._tell_changes(ROUND)

    def advance(self):
        """Tell what has changed with the prices, when it is time to."""
        for period, due in self._rounds.items():
            if due is not None and due <= self._gateway.now:
                self._rounds[period] = self._next_round(period)
                self._tell_changes(period)

    def next_time(self):
        return min((due for due in self._rounds.values() if due is not None), default=None)

    def forget(self, session):
        self._summaries.pop(session, None)
        for key in [key for key in self._watches if key[0] is session]:
            self._drop(key)

    def _tell_changes(self, period):
        if not self._gateway.faults.is_down:
            for watch in list(self._watches.values()):
                if watch.period == period:
                    watch.tell_changes()

    def _next_round(self, period):
        in_use = any(watch.period == period for watch in self._watches.values())
        return self._gateway.now + period if in_use else None

    def _watch(self, session, key, rows, period=ROUND):
        watch = self._watches[session, key] = Watch(session, rows, period)
        self._rounds[period] = self._rounds[period] or self._next_round(period)
        watch.tell_changes()

    def _drop(self, key):
        self._watches.pop(key, None)
        for period in self._rounds:
            if self._next_round(period) is None:
                self._rounds[period] = None

    def _cancel(self, session, request):
        self._drop((session, request.reqId))

    def _knows(self, session, reqId, account):
        if account in self._ledger.accounts:
            return True
        session.refuse_invalid(reqId, f"Invalid account code '{account}'.")
        return False

    def _is_new(self, session, reqId):
        if (session, reqId) not in self._watches:
            return True
        session.refuse(reqId, 322, DUPLICATE)
        return False

    def _tell_accounts(self, session, request):
        session.send(replies.ManagedAccounts(self._ledger.accounts))

    def _account_updates(self, session, request):
        self._drop((session, 'account updates'))
        account = request.account or self._ledger.accounts[0]
        if request.subscribe and self._knows(session, -1, account):
            self._watch(session, 'account updates', lambda: self._account_rows(account))
            session.send(replies.AccountUpdateTime(stamps.hour_minute(self._gateway.told_time(), self._gateway.zone)))
            session.send(replies.AccountDownloadEnd(account))

    def _account_rows(self, account):
        now = self._gateway.now
        for row in self._ledger.account_values(now, account):
            yield (row.key, row.currency), replies.AccountValue(row.key, row.value, row.currency, account)
        for row in self._ledger.portfolio(now, account):
            yield row.contract.conId, replies.PortfolioValue(*row)

    def _positions(self, session, request):
        self._watch(session, 'positions', self._position_rows)
        session.send(replies.PositionEnd())

    def _position_rows(self):
        for held in self._ledger.positions():
            yield (held.account, held.contract.conId), replies.Position(*held)

    def _cancel_positions(self, session, request):
        self._drop((session, 'positions'))

    def _positions_multi(self, session, request):
        reqId, account = request.reqId, request.account or self._ledger.accounts[0]
        if self._is_new(session, reqId) and self._knows(session, reqId, account):
            self._watch(session, reqId, lambda: (
                (held.contract.conId, replies.PositionMulti(
                    reqId, held.account, request.modelCode, held.contract, held.position, held.avgCost))
                for held in self._ledger.positions(account)))
            session.send(replies.PositionMultiEnd(reqId))

    def _updates_multi(self, session, request):
        reqId, account = request.reqId, request.account or self._ledger.accounts[0]
        if self._is_new(session, reqId) and self._knows(session, reqId, account):
            self._watch(session, reqId, lambda: (
                ((row.key, row.currency), replies.AccountUpdateMulti(
                    reqId, account, request.modelCode, row.key, row.value, row.currency))
                for row in self._ledger.account_values(self._gateway.now, account)))
            session.send(replies.AccountUpdateMultiEnd(reqId))

    def _summary(self, session, request):
        if not self._is_new(session, request.reqId):
            return
        running = self._summaries.setdefault(session, set())
        if len(running) >= MAX_SUMMARIES:
            session.refuse(request.reqId, 322, TOO_MANY_SUMMARIES)
            return
        running.add(request.reqId)
        self._watch(session, request.reqId, lambda: self._summary_rows(request))
        session.send(replies.AccountSummaryEnd(request.reqId))

    def _cancel_summary(self, session, request):
        self._summaries.get(session, set()).discard(request.reqId)
        self._cancel(session, request)

    def _summary_rows(self, request):
        for account in self._ledger.accounts:
            for row in self._ledger.summary(self._gateway.now, account, request.tags):
                yield (account, row.key, row.currency), replies.AccountSummary(
                    request.reqId, account, row.key, row.value, row.currency)

    def _pnl(self, session, request):
        reqId, account = request.reqId, request.account
        if self._is_new(session, reqId) and self._knows(session, reqId, account):
            self._watch(session, reqId, lambda: [
                ('pnl', replies.PnL(reqId, *self._ledger.pnl(self._gateway.now, account)))], PNL_ROUND)

    def _pnl_single(self, session, request):
        reqId, account = request.reqId, request.account
        if self._is_new(session, reqId) and self._knows(session, reqId, account):
            self._watch(session, reqId, lambda: self._pnl_single_rows(request), PNL_ROUND)

    def _pnl_single_rows(self, request):
        single = self._ledger.pnl_single(self._gateway.now, request.account, request.conId)
        return [('pnl', replies.PnLSingle(request.reqId, *single))] if single else []
