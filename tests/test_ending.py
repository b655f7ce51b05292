"""A process ends when its strategy does, however that comes about: in two seconds, and the gateway sees it leave."""
import os

import pytest
from programs import Program, at_load

SCRIPT = '''
import sys, time
import backtrader as bt
import backtrader_ib_insync as ibnew

class Strategy(bt.Strategy):
    is_live = False

    def notify_data(self, data, status, *args, **kwargs):
        self.is_live = status == data.LIVE
        if self.is_live:
            print('live', flush=True)
            if '{how}' == 'notify':
                raise ZeroDivisionError('in notify_data')

    def next(self):
        if self.is_live:
            print('next', flush=True)
            {act}

store = ibnew.IBStore(port={port}, clientId=1, reconnect=-1)
cerebro = bt.Cerebro()
cerebro.setbroker(store.getbroker())
cerebro.adddata(store.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Seconds, compression=5,
                              backfill_start=False))
cerebro.addstrategy(Strategy)
cerebro.run()
'''


@pytest.fixture
def script(gateway, tmp_path):
    """Starts the script, `script(act, how)`; `act` is what its `next` does once it is live."""
    def start(act='pass', how=''):
        path = tmp_path / 'script.py'
        path.write_text(SCRIPT.format(port=gateway.port, act=act, how=how))
        return Program(str(path))
    return start


def is_gone(gateway):
    gateway.wait(lambda world: not world.sessions and not world.lines, 3.0)


@pytest.mark.parametrize('act, how', [
    ("raise ZeroDivisionError('in next')", ''), ('pass', 'notify'), ('sys.exit(3)', '')])
def test_p85_an_exception_ends_the_process(gateway, script, act, how):
    with script(act, how) as program:
        program.until(lambda: 'live' in program.output)
        if not how:
            program.until(lambda: 'next' in program.output or program.code(at_load(2.0)) is not None)
        assert program.code(at_load(2.0)) != 0
        is_gone(gateway)


@pytest.mark.parametrize('act', ['pass', 'time.sleep(60)'], ids=['asleep', 'in next'])
def test_p85_ctrl_c_ends_the_process(gateway, script, act):
    with script(act) as program:
        program.until(lambda: 'next' in program.output)
        assert 'KeyboardInterrupt' in program.interrupt(2.0)
        is_gone(gateway)


def test_p85_ctrl_c_while_nothing_listens(script, gateway):
    gateway.fault('refuse', '1d')
    with script() as program:
        program.until(lambda: 'cannot connect' in program.output)
        program.interrupt(2.0)


def test_p85_ctrl_c_on_a_stalled_link(gateway, script):
    with script() as program:
        program.until(lambda: 'live' in program.output)
        gateway.fault('stall', '1d')
        program.interrupt(2.5)
        is_gone(gateway)


FORKED = """
import multiprocessing, os, sys
import backtrader_ib_insync as ibnew

def child():
    for ask in (store.start, lambda: store.call(lambda ib: ib.isConnected())):
        try:
            ask()
        except ibnew.IBError as error:
            print(type(error).__name__, error, flush=True)
    sys.exit(7)

store = ibnew.IBStore(port={port}, clientId=1)
store.start()
store.call(lambda ib: ib.isConnected())
process = multiprocessing.get_context('fork').Process(target=child)
process.start()
process.join()
print('child', process.exitcode, 'parent', store.call(lambda ib: ib.isConnected()))
if os.fork() == 0:
    sys.exit()
print('grandchild', os.wait()[1])
store.stop()
"""


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork here')
def test_a_forked_process_is_told_that_the_connection_is_not_its(gateway, tmp_path):
    path = tmp_path / 'script.py'
    path.write_text(FORKED.format(port=gateway.port))
    with Program(str(path)) as program:
        output = program.end(20)
    assert output.count('NotConnected the connection belongs to process') == 2
    assert 'child 7 parent True' in output and 'grandchild 0' in output
    is_gone(gateway)
