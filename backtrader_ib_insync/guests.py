"""Whom a store serves: one cerebro at a time, its feeds and its broker. Strategy thread only, but for `dismiss`."""
from .errors import StoreInUse
from .messages import Closed
from .runs import is_running

STOPPED = 'the store was stopped'


class Guests:
    """They come one by one as a run begins, and leave together. What waits for them is theirs to take."""

    def __init__(self):
        self.datas = []
        self.broker = None
        self._cerebro = None
        #: whose run was ended while it began
        self._dismissed = None

    def expect(self):
        """A run begins: whoever comes is welcome, though the last run was ended early."""
        self._dismissed = None

    def admit(self, data, broker):
        """A feed or a broker comes; False when its run has been ended already, which a feed is told.

        Raises StoreInUse when another cerebro is served, and runs.
        """
        cerebro = data.getenvironment() if broker is None else broker.cerebro
        if cerebro is self._dismissed:
            if data is not None:
                data.arrive(Closed(STOPPED))
            return False
        self._serve(cerebro)
        if data is not None and not any(data is known for known in self.datas):
            self.datas.append(data)
        if broker is not None:
            self.broker = broker
        return True

    def _serve(self, cerebro):
        """One cerebro at a time: what is told to a strategy thread is taken by one."""
        if cerebro is self._cerebro:
            return
        if self._cerebro is not None and is_running(self._cerebro):
            raise StoreInUse('another cerebro runs on this IBStore, which serves one cerebro at a time: add all feeds '
                             'and strategies to one, or run the other in a process and with a clientId of its own')
        self._abandon()
        self._cerebro = cerebro

    def _abandon(self):
        """Feeds and a broker that are still here were left behind by an exception in an earlier run."""
        self.broker = None
        abandoned, self.datas = self.datas, []
        for data in abandoned:
            data.unsubscribe()

    def dismiss(self):
        """All leave, and none of their cerebro comes back in its present run; returns the feeds there were."""
        datas, self.datas = self.datas, []
        self._dismissed = self._cerebro
        self.broker = self._cerebro = None
        return datas

    def backlog(self):
        """Whether anything waits to be taken by one of them."""
        broker = self.broker
        return (broker is not None and broker.backlog()) or any(data.backlog() for data in self.datas)

    def due(self):
        """Seconds till one of the feeds has something to do though nothing comes."""
        return min([float('inf')] + [data.due() for data in self.datas])
