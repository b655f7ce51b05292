"""Sets up what it needs in a virtual environment beside this file, then runs the demonstration or the tests.

    python3 start.py quickstart [arguments of examples/quickstart.py]
    python3 start.py tests [arguments of pytest]

Needs CPython 3.6 or later with pip and nothing else. The environment is kept in `.venv-<version>` for the next time.
"""
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
WANTED = {'quickstart': '.[plot,progress]', 'tests': '.[test]'}


def main(arguments):
    if not arguments or arguments[0] not in WANTED:
        return __doc__
    what, rest = arguments[0], arguments[1:]
    python = environment(WANTED[what])
    if what == 'quickstart':
        return run(python, str(HERE / 'examples' / 'quickstart.py'), *rest)
    return run(python, '-m', 'pytest', *rest)


def environment(wanted):
    """The interpreter of the environment, made and filled when it is not there yet."""
    folder = HERE / '.venv-{}.{}'.format(*sys.version_info)
    python = folder / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    if not python.exists():
        print('making {} ...'.format(folder.name), flush=True)
        venv.create(str(folder), with_pip=True)
    stamp = folder / ('installed-' + ''.join(filter(str.isalnum, wanted)))
    if not stamp.exists() or stamp.stat().st_mtime < (HERE / 'setup.py').stat().st_mtime:
        print('installing {} ...'.format(wanted), flush=True)
        code = run(str(python), '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-e', wanted)
        if code:
            sys.exit(code)
        stamp.touch()
    return str(python)


def run(*command):
    return subprocess.call(command, cwd=str(HERE))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
