"""The clone of a feed that `resampledata` and `replaydata` make of one that was added already."""
from backtrader.feed import DataClone

from .resampler import FilterClock, aligned


def _keep(data, value):
    data._resampling = value


#: backtrader's attribute, told to cerebro as 0: a pass in which only resampled bars come would crash it
unseen_resampling = property(lambda data: 0, _keep)


@aligned
class IBDataClone(DataClone):
    """A clone that can be traded as its source can, shares its clock and does not make cerebro trip over resampling."""

    _resampling = 0
    resampling = unseen_resampling

    def __init__(self):
        super().__init__()
        self.filterclock = FilterClock(self)

    def qbuffer(self, savemem=0, replaying=False):
        super().qbuffer(savemem=savemem, replaying=replaying or bool(self._resampling))

    def backlog(self):
        """Whether bars of the source wait to be copied."""
        return self.data.backlog() or len(self.data) > self._dlen

    def islive(self):
        return self.data.islive()

    def start(self):
        super().start()
        self._is_preloaded = False

    def preload(self):
        self._is_preloaded = True
        super().preload()

    def advance(self, size=1, datamaster=None, ticks=True):
        counted = self._dlen
        super().advance(size, datamaster, ticks=ticks)
        if not self._is_preloaded:
            # a bar that was put back and is taken up again: backtrader would count it twice, and pass over the next
            self._dlen = counted

    def next(self, datamaster=None, ticks=True):
        delivered = super().next(datamaster=datamaster, ticks=ticks)
        if delivered:
            self.data.ib.sleeper.pass_hit = True
        return delivered

    def _of_source(name):
        return property(lambda self: getattr(self.data, name), doc='The `{}` of the source feed.'.format(name))

    contract = _of_source('contract')
    contractdetails = _of_source('contractdetails')
    tradecontract = _of_source('tradecontract')
    tradecontractdetails = _of_source('tradecontractdetails')
    catching_up = _of_source('catching_up')
    held_up = _of_source('held_up')
    ib = _of_source('ib')
    course = _of_source('course')
    timetable = _of_source('timetable')
    del _of_source
