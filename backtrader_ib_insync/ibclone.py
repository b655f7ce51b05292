"""The clone of a feed that `resampledata` and `replaydata` make of one that was added already."""
from backtrader.feed import DataClone


class IBDataClone(DataClone):
    """A clone that can be traded as its source can, shares its clock, and does not make cerebro trip over resampling."""

    @property
    def resampling(self):
        """Told to cerebro as 0: a pass in which only resampled bars come would crash it otherwise (contract 2.7)."""
        return 0

    @resampling.setter
    def resampling(self, value):
        self._resampling = value

    def qbuffer(self, savemem=0, replaying=False):
        super().qbuffer(savemem=savemem, replaying=replaying or bool(self._resampling))

    def _timeoffset(self):
        return self.data._timeoffset()

    def next(self, datamaster=None, ticks=True):
        delivered = super().next(datamaster=datamaster, ticks=ticks)
        if delivered:
            self.data.ib.pass_hit = True
        return delivered

    def _of_source(name):
        return property(lambda self: getattr(self.data, name), doc='The `{}` of the source feed.'.format(name))

    contract = _of_source('contract')
    contractdetails = _of_source('contractdetails')
    tradecontract = _of_source('tradecontract')
    tradecontractdetails = _of_source('tradecontractdetails')
    catching_up = _of_source('catching_up')
    ib = _of_source('ib')
    del _of_source
