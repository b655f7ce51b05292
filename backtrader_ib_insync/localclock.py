"""The machine's clock as it stood at the import, and going on from there whatever anybody sets it to."""
import time

_BEGAN = time.time() - time.monotonic()


def local_time():
    """Seconds since the epoch, UTC: wrong by as much as the machine's clock was, and steady."""
    return _BEGAN + time.monotonic()
