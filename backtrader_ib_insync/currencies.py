"""What numbers are counted in where contract and account differ: backtrader knows no currencies. Strategy thread."""


class Currencies:
    """Tells `notify_store` once of each currency that a feed trades in and the account does not count in."""

    def __init__(self, broker):
        self.broker = broker
        self._looked_at = set()
        self._told = set()

    def look_around(self):
        """Look at the feeds that have learned their contracts."""
        datas = self.broker.cerebro.datas
        if len(self._looked_at) < len(datas):
            accounts = self.broker.accounts
            base = accounts.currencies.get(accounts.name)
            for data in datas if base else ():
                self._look_at(data, base)

    def _look_at(self, data, base):
        contract = getattr(data, 'tradecontract', None)
        if contract is None or id(data) in self._looked_at:
            return
        self._looked_at.add(id(data))
        if contract.currency not in (base, '') and contract.currency not in self._told:
            self._told.add(contract.currency)
            self.broker.said(
                'the account counts in {0}, {1} trades in {2}: getvalue() and getcash() are in {0}, prices and '
                'getvalue([data]) in {2}, and backtrader converts nothing: order_target_percent, order_target_value '
                'and sizers that share out cash are wrong by the rate of exchange. Work out sizes in {2} yourself '
                'and use order_target_size'.format(base, data._name, contract.currency))
