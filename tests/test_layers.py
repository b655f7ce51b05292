"""The house rules that a syntax tree can show: which file may import which, and what none may do."""
import ast
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'backtrader_ib_insync'
#: top to bottom: a file imports from its own layer and from those below it
LAYERS = (
    '__init__',
    'ibdata ibbroker ibclone rowfeed',
    'archive columns course daycourse declared delivery identity livequeue journey livestream overture progress proof '
    'regularhours resampler rows tickcourse currencies doubts executions order_cancels order_desk order_reports '
    'order_setting order_versions positions strangers trades',
    'ibstore',
    'bridge guests singleton sleeper',
    'connection line linkwatch order_line request_desk synchroniser heartbeat streams subscription downloads '
    'tickhistory account_stream uplink vigil',
    'account assembler attempts backtests bars clock comminfo contract daybars daynumber excerpt fills frontier '
    'history holding linkstate mnames pacing order_book order_changes order_fields order_force order_groups '
    'order_keywords order_life order_ticks orders runs silence tickseam timetable tradinghours',
    'insync',
    'codes errors localclock loop messages spec version zonenames zones',
)
CLIENTS = {'ib_insync', 'ib_async', 'ibapi'}
#: what a file may not use that has neither a socket nor a clock
OUTSIDE = {'asyncio', 'socket', 'select', 'threading', 'time', 'subprocess'}
AFTER_36 = {'dataclasses', 'contextvars', 'graphlib', 'tomllib'}
ASYNCIO_AFTER_36 = {'run', 'get_running_loop', 'create_task', 'to_thread', 'timeout', 'TaskGroup', 'Runner'}


def sources(folder):
    return {path: ast.parse(path.read_text(encoding='utf-8')) for path in sorted(folder.glob('*.py'))}


LIBRARY = {path.stem: tree for path, tree in sources(PACKAGE).items()}
SIMULATOR = {path.stem: tree for path, tree in sources(PACKAGE / 'simulator').items()}
EVERYTHING = dict(LIBRARY, **{'simulator.' + name: tree for name, tree in SIMULATOR.items()})


def imported(tree):
    """(dots, module) of every import, wherever it stands; `from . import name` counts as the module `name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name
        elif isinstance(node, ast.ImportFrom):
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                yield node.level, name


def neighbours(tree, names):
    """The modules of the same folder that a file imports."""
    return {name.split('.')[0] for dots, name in imported(tree) if dots == 1} & set(names)


def outer(tree):
    """The packages from elsewhere that a file imports."""
    return {name.split('.')[0] for dots, name in imported(tree) if not dots}


def calls(tree, *names):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)
            and (getattr(node.func, 'id', None) or getattr(node.func, 'attr', None)) in names]


def attributes(tree, module):
    """What a file takes from a module by its name: `module.this`."""
    return {node.attr for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and getattr(node.value, 'id', '') == module}


def test_every_file_has_its_layer():
    placed = ' '.join(LAYERS).split()
    assert sorted(placed) == sorted(LIBRARY), 'LAYERS and the folder differ'


def test_imports_go_down():
    layer = {name: number for number, names in enumerate(LAYERS) for name in names.split()}
    upward = ['{} imports {}'.format(name, other) for name, tree in LIBRARY.items()
              for other in neighbours(tree, LIBRARY) if layer[other] < layer[name]]
    assert upward == []


@pytest.mark.parametrize('files', [LIBRARY, SIMULATOR], ids=['library', 'simulator'])
def test_no_cycle(files):
    done = set()

    def visit(name, path):
        assert name not in path, 'import cycle: {}'.format(' -> '.join(path + [name]))
        if name not in done:
            for other in sorted(neighbours(files[name], files)):
                visit(other, path + [name])
            done.add(name)
    for name in files:
        visit(name, [])


def test_only_insync_imports_the_client_library():
    assert [name for name, tree in EVERYTHING.items() if outer(tree) & CLIENTS] == []
    assert 'find_spec' in ast.dump(LIBRARY['insync'])


def test_library_and_simulator_meet_on_a_socket_only():
    assert [name for name, tree in LIBRARY.items() if any('simulator' in module for _, module in imported(tree))] == []
    assert [name for name, tree in SIMULATOR.items()
            if 'backtrader_ib_insync' in outer(tree) or any(dots > 1 for dots, _ in imported(tree))] == []


def test_the_simulator_needs_the_standard_library_alone():
    foreign = {'backtrader', 'ib_insync', 'ib_async', 'numpy', 'pandas', 'pytz', 'dateutil', 'eventkit'}
    assert [name for name, tree in SIMULATOR.items() if outer(tree) & foreign] == []


def test_only_server_and_handle_know_a_socket_or_a_clock():
    knowing = {name for name, tree in SIMULATOR.items() if outer(tree) & OUTSIDE}
    assert knowing == {'server', 'handle', '__main__'}


def test_threads_are_started_in_three_places():
    # insync's ends before its import does
    starters = ('Thread', 'Timer', 'ThreadPoolExecutor', 'Popen')
    starting = {name for name, tree in EVERYTHING.items() if calls(tree, *starters)}
    assert starting == {'loop', 'simulator.handle', 'insync'}


def test_no_print():
    assert {name for name, tree in EVERYTHING.items() if calls(tree, 'print')} <= {'simulator.__main__'}


def test_no_lock_but_the_wakers():
    locks = {'Lock', 'RLock', 'Condition', 'Semaphore', 'BoundedSemaphore', 'Barrier'}
    assert {name for name, tree in EVERYTHING.items() if attributes(tree, 'threading') & locks} == {'loop'}


def test_p01_nothing_is_patched():
    words = ('nest_asyncio', 'patchAsyncio', 'startLoop', 'set_event_loop_policy')
    assert [name for name, tree in EVERYTHING.items() if any(word in ast.dump(tree) for word in words)] == []


def test_python_36_syntax():
    feature = (3, 6) if sys.version_info < (3, 13) else (3, 7)
    more = {'feature_version': feature} if sys.version_info >= (3, 8) else {}
    for folder in ('backtrader_ib_insync', 'tests', 'examples'):
        for path in (ROOT / folder).rglob('*.py'):
            ast.parse(path.read_text(encoding='utf-8'), str(path), **more)


def test_python_36_library():
    assert [name for name, tree in EVERYTHING.items() if outer(tree) & AFTER_36] == []
    assert [(name, word) for name, tree in EVERYTHING.items()
            for word in attributes(tree, 'asyncio') & ASYNCIO_AFTER_36] == []
    assert [name for name, tree in EVERYTHING.items() if '__future__' in outer(tree)] == []


def test_p13_no_zone_library_that_is_not_declared():
    assert [name for name, tree in EVERYTHING.items() if outer(tree) & {'pytz', 'dateutil'}] == []


def test_a_cancelled_coroutine_ends():
    # before CPython 3.8 a CancelledError is an Exception: who catches those must let it through first
    for name, tree in EVERYTHING.items():
        for function in ast.walk(tree):
            for node in ast.walk(function) if isinstance(function, ast.AsyncFunctionDef) else ():
                if isinstance(node, ast.Try):
                    caught = [ast.dump(handler.type) if handler.type else '' for handler in node.handlers]
                    broad = [place for place, text in enumerate(caught) if "id='Exception'" in text]
                    assert not broad or any('CancelledError' in text for text in caught[:broad[0]]), (name, node.lineno)


@pytest.mark.parametrize('trees', [LIBRARY, SIMULATOR], ids=['library', 'simulator'])
def test_the_map_names_every_file(trees):
    words = set(re.findall(r'\w+', ast.get_docstring(trees['__init__'])))
    assert set(trees) - words <= {'__init__', '__main__', 'version'}
