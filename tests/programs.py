"""Scripts run as a user runs them: each in a process of its own."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / 'shared'


def at_load(seconds):
    """A bound that holds on an idle machine, for one that has more to do than it has processors."""
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else 0.0
    return seconds * max(1.0, load / os.cpu_count())


def hear_ctrl_c():
    """For a child before its program begins: what runs in the background of a shell would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Program:
    """A script under way; what it prints is kept. Use as a context manager: no process outlives it."""

    def __init__(self, *arguments, folder=None):
        self._out = tempfile.TemporaryFile('w+')
        environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED='1', PYTHONIOENCODING='utf-8')
        self._process = subprocess.Popen((sys.executable,) + arguments, env=environment, stdin=subprocess.DEVNULL,
                                         stdout=self._out, stderr=subprocess.STDOUT, preexec_fn=hear_ctrl_c,
                                         cwd=folder or tempfile.gettempdir())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._out.close()

    @property
    def output(self):
        """All it printed so far."""
        self._out.seek(0)
        return self._out.read()

    @property
    def tail(self):
        return self.output[-3000:]

    def end(self, seconds=60.0):
        """Wait till it ends by itself, well; its output."""
        assert self.code(seconds) == 0, self.tail
        return self.output

    def code(self, seconds=60.0):
        """Wait till it ends; its exit status."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError('still running after {:g} s: {}'.format(seconds, self.tail)) from None

    def until(self, condition, seconds=30.0):
        """Wait till `condition()` holds while it runs; what it gave."""
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            assert self._process.poll() is None, 'it ended: ' + self.tail
            assert time.monotonic() < end, 'not within {:g} s: {}'.format(seconds, self.tail)
            time.sleep(0.02)

    def interrupt(self, seconds=2.0):
        """Press Ctrl-C; AssertionError unless the process is gone within so many seconds. Its output."""
        self._process.send_signal(signal.SIGINT)
        self.code(at_load(seconds))
        return self.output
