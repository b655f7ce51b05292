"""Sets up what it needs in a virtual environment beside this file, then runs the demonstration or the tests.

    python3 start.py quickstart [arguments of examples/quickstart.py]
    python3 start.py tests [arguments of pytest; without any, four tests run at a time]

Needs CPython 3.6 or later and nothing else. The environment is kept in `.venv-<version>` for the next time.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
WANTED = {'quickstart': '.[plot,progress]', 'tests': '.[test]'}
#: the oldest pip that installs this folder in place; the last one for CPython 3.6
RECENT = 'pip>=21.3' + (',<22' if sys.version_info < (3, 7) else '')
PIP = ('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check')


def main(arguments):
    if not arguments or arguments[0] not in WANTED:
        return __doc__
    what, rest = arguments[0], arguments[1:]
    python = environment(WANTED[what])
    if what == 'quickstart':
        return run(python, str(HERE / 'examples' / 'quickstart.py'), *rest)
    # most tests wait for a socket most of the time
    return run(python, '-m', 'pytest', *(rest or ['-n', '4']))


def environment(wanted):
    """The interpreter of the environment, made and filled when it is not there yet."""
    folder = HERE / '.venv-{}.{}'.format(*sys.version_info)
    python = folder / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    if not python.exists():
        make(folder, str(python))
    stamp = folder / ('installed-' + ''.join(filter(str.isalnum, wanted)))
    if not stamp.exists() or stamp.stat().st_mtime < (HERE / 'setup.py').stat().st_mtime:
        print('installing {} ...'.format(wanted), flush=True)
        if run(str(python), *PIP, '-e', wanted):
            sys.exit('pip could not install {}: what it said is above'.format(wanted))
        stamp.touch()
    return str(python)


def make(folder, python):
    """A virtual environment with a pip that knows the packages of today; nothing when that fails."""
    print('making {} ...'.format(folder.name), flush=True)
    try:
        venv.create(str(folder), with_pip=True)
        subprocess.check_call((python,) + PIP + (RECENT,), cwd=str(HERE))
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(str(folder), ignore_errors=True)
        sys.exit('{}\nno virtual environment could be made with {}: on Debian, apt install python3-venv'.format(
            error, sys.executable))


def run(*command):
    try:
        return subprocess.call(command, cwd=str(HERE))
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
