"""The broker's positions as the mapping that backtrader's own broker has: by data feed."""
import collections.abc


class Positions(collections.abc.Mapping):
    """`positions[data]`, for every feed of the run; always as they are now."""

    def __init__(self, broker):
        self._broker = broker

    def __getitem__(self, data):
        return self._broker.getposition(data, clone=False)

    def __iter__(self):
        return iter(self._broker.cerebro.datas if self._broker.cerebro is not None else ())

    def __len__(self):
        return sum(1 for _ in self)
