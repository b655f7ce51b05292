"""Which cerebros are at work just now, on whatever thread."""
import sys

from backtrader import Cerebro

RUN = Cerebro.run.__code__


def is_running(cerebro):
    """Whether a run of it goes on. An exception may have ended it, which nobody is told: the stacks of threads show it.
    """
    return any(frame.f_code is RUN and frame.f_locals.get('self') is cerebro
               for top in sys._current_frames().values() for frame in _stack(top))


def _stack(frame):
    while frame is not None:
        yield frame
        frame = frame.f_back
