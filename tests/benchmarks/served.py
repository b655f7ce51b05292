"""A simulated gateway in a process of its own, so that what is measured has this one for itself."""
import contextlib
import re
import subprocess
import sys


@contextlib.contextmanager
def served(*arguments):
    """The port of a gateway with these arguments of its command line."""
    command = [sys.executable, '-m', 'backtrader_ib_insync.simulator', '--port', '0'] + list(arguments)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True)
    try:
        yield int(re.search(r':(\d+),', process.stdout.readline()).group(1))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
