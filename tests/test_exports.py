"""What stands at which name, and that an import leaves nothing behind; each in an interpreter of its own."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def fresh(code, **environment):
    """Run code in a new interpreter that sees this checkout; its output, or AssertionError with what it said."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), **environment)
    done = subprocess.run([sys.executable, '-W', 'error::DeprecationWarning:__main__', '-c', code], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
    assert done.returncode == 0, done.stdout
    return done.stdout


NAMES = ['IBStore', 'IBData', 'IBBroker', 'IBOrder', 'IBCommInfo', 'IBError', 'install', '__version__']


def test_the_names():
    import backtrader_ib_insync as ibnew
    assert sorted(ibnew.__all__) == sorted(NAMES)
    assert all(hasattr(ibnew, name) for name in NAMES)
    assert ibnew.__doc__ and 'ibstore' in ibnew.__doc__


@pytest.mark.parametrize('path, name', [
    ('ibstore', 'IBStore'), ('ibdata', 'IBData'), ('ibbroker', 'IBBroker'), ('orders', 'IBOrder'),
    ('errors', 'IBError'), ('simulator', 'running')])
def test_the_drop_in_paths_work_each_alone(path, name):
    fresh('from backtrader_ib_insync.{} import {} as it; assert it'.format(path, name))


def test_a_store_from_its_own_path_makes_feed_and_broker():
    fresh('from backtrader_ib_insync.ibstore import IBStore\n'
          'assert IBStore.getbroker().__class__.__name__ == "IBBroker"\n'
          'assert IBStore.getdata(dataname="AAPL").__class__.__name__ == "IBData"\n'
          'assert IBStore.DataCls.__name__ == "IBData" and IBStore.BrokerCls.__name__ == "IBBroker"')


def test_install_puts_the_classes_where_backtrader_has_them():
    fresh('import backtrader as bt, backtrader_ib_insync as ibnew\n'
          'ibnew.install()\n'
          'assert bt.stores.IBStore is ibnew.IBStore\n'
          'assert bt.feeds.IBData is ibnew.IBData\n'
          'assert bt.brokers.IBBroker is ibnew.IBBroker')


def test_p54_gtc_exists_after_the_import():
    fresh('import backtrader as bt, backtrader_ib_insync\nbt.Order.GTC')


CLEAN = '''
import asyncio, threading, warnings
warnings.simplefilter("error")
before = threading.enumerate()
policy = asyncio.get_event_loop_policy.__name__, type(getattr(asyncio.events, "_event_loop_policy", None))
functions = asyncio.run if hasattr(asyncio, "run") else None, asyncio.Task, asyncio.Future, asyncio.sleep
warnings.simplefilter("ignore")
import backtrader_ib_insync
assert threading.enumerate() == before, threading.enumerate()
assert (asyncio.run if hasattr(asyncio, "run") else None, asyncio.Task, asyncio.Future, asyncio.sleep) == functions
assert asyncio.events._get_running_loop() is None
local = getattr(asyncio.events._event_loop_policy, "_local", None)
assert getattr(local, "_loop", None) is None
assert not any("nest" in name for name in dir(asyncio))
import sys
assert sys.modules.get("nest_asyncio") is None or not hasattr(asyncio, "_nest_patched")
'''


def test_p01_the_import_leaves_no_loop_policy_patch_or_thread():
    fresh(CLEAN)


def test_p01_p08_the_import_works_off_the_main_thread_with_no_loop():
    fresh('import threading\n'
          'errors = []\n'
          'def work():\n'
          '    try:\n'
          '        import backtrader_ib_insync\n'
          '    except BaseException as error:\n'
          '        errors.append(error)\n'
          'thread = threading.Thread(target=work)\n'
          'thread.start(); thread.join()\n'
          'assert not errors, errors\n'
          'import backtrader_ib_insync')


def test_p08_the_import_works_in_a_running_loop_and_leaves_it_the_one():
    fresh('import asyncio\n'
          'async def work():\n'
          '    loop = asyncio.get_event_loop()\n'
          '    import backtrader_ib_insync\n'
          '    assert asyncio.get_event_loop() is loop\n'
          '    await asyncio.sleep(0.01)\n'
          'loop = asyncio.new_event_loop()\n'
          'loop.run_until_complete(work())\n'
          'loop.close()')


RUN = '''
import datetime
import backtrader as bt
import backtrader_ib_insync as ibnew
from backtrader_ib_insync import simulator

class Count(bt.Strategy):
    bars = 0
    def next(self):
        self.bars += 1

def run():
    with simulator.running(speed=30) as gateway:
        cerebro = bt.Cerebro()
        store = ibnew.IBStore(port=gateway.port, clientId=1)
        cerebro.setbroker(store.getbroker())
        cerebro.adddata(store.getdata(dataname='AAPL', currency='USD', timeframe=bt.TimeFrame.Days, historical=True,
                                      fromdate=datetime.datetime(2024, 10, 1), todate=datetime.datetime(2024, 11, 1)))
        cerebro.addstrategy(Count)
        assert cerebro.run()[0].bars == 23
'''


def test_p08_a_run_off_the_main_thread():
    fresh(RUN + 'import threading\n'
                'done = []\n'
                'thread = threading.Thread(target=lambda: (run(), done.append(1)))\n'
                'thread.start(); thread.join()\n'
                'assert done')


def test_p08_a_run_inside_a_running_loop_as_in_jupyter():
    fresh(RUN + 'import asyncio\n'
                'async def cell():\n'
                '    loop = asyncio.get_event_loop()\n'
                '    run()\n'
                '    assert asyncio.get_event_loop() is loop and loop.is_running()\n'
                '    await asyncio.sleep(0.01)\n'
                'loop = asyncio.new_event_loop()\n'
                'loop.run_until_complete(cell())\n'
                'loop.close()')


def test_the_client_library_can_be_named_and_a_wrong_name_is_an_error():
    out = fresh('try:\n'
                '    import backtrader_ib_insync\n'
                'except ImportError as error:\n'
                '    import sys; sys.stdout.write(str(error))', BACKTRADER_IB_LIBRARY='ibpy')
    assert "'ibpy'" in out and 'ib_insync' in out


def test_the_version_is_one():
    import backtrader_ib_insync
    text = (ROOT / 'backtrader_ib_insync' / 'version.py').read_text(encoding='utf-8')
    assert backtrader_ib_insync.__version__ in text and (ROOT / 'backtrader_ib_insync' / 'py.typed').exists()
