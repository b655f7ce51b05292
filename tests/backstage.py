"""What runs of cerebro on a thread of their own have in common: a test waits for facts, and acts on that thread."""
import concurrent.futures
import threading

from helpers import wait_until


class Task:
    """Something for the strategy thread to do, by way of `notify_store`."""

    def __init__(self, function):
        self._function = function
        self.future = concurrent.futures.Future()

    def run(self, *given):
        """On the strategy thread."""
        try:
            self.future.set_result(self._function(*given))
        except BaseException as error:
            self.future.set_exception(error)


class Backstage:
    """A run of cerebro; `error` is what ended it. Who inherits it has `last_words()`, told when a wait was in vain.

    Its strategy runs the Tasks that come to `notify_store`.
    """

    #: seconds of wall time after which a wait is given up
    WAIT = 20.0

    def __init__(self, store, cerebro):
        self.store, self.cerebro = store, cerebro
        self.error = None
        self._thread = threading.Thread(target=self._work, name='cerebro', daemon=True)

    def _work(self):
        try:
            self.cerebro.run()
        except BaseException as error:
            self.error = error

    @property
    def has_ended(self):
        return not self._thread.is_alive()

    def post(self, function):
        """Have the strategy thread do this, at the start of a pass; the future of what it returns."""
        task = Task(function)
        self.store.put_notification(task)
        self.store.waker.kick()
        return task.future

    def do(self, function):
        """What the function returns on the strategy thread."""
        return self.post(function).result(self.WAIT)

    def until(self, fact, wait=WAIT):
        """Wait until `fact()` holds, and return it; raises what ended cerebro."""
        def look():
            if self.error is not None:
                raise self.error
            return fact()
        return wait_until(look, wait, self.last_words)

    def join(self):
        """Wait until cerebro has ended."""
        self._thread.join(self.WAIT)
        assert self.has_ended, 'cerebro does not end'
