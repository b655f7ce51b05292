"""The README does what it says: each of its programs runs, its tables hold what the code has."""
import re
import socket
import time

import pytest
from gateways import asked, held
from programs import ROOT, SHARED, Program

import backtrader_ib_insync as ibnew
from backtrader_ib_insync import contract, errors, simulator
from backtrader_ib_insync.simulator import faults

TEXT = (ROOT / 'README.md').read_text(encoding='utf-8')
BLOCKS = re.findall(r'```python\n(.*?)```', TEXT, re.S)
SEED = SHARED / 'seed-examples'
PORT = 7497


def block(word):
    """The one Python block in which a word stands."""
    found = [text for text in BLOCKS if word in text]
    assert len(found) == 1, word
    return found[0]


def at(gateway, text):
    return text.replace('port=7497', 'port={}'.format(gateway.port))


def section(title):
    """What stands under a heading, to the next of its rank or above."""
    rank = re.search(r'^(#+) {}$'.format(re.escape(title)), TEXT, re.M).group(1)
    pattern = r'^{} {}$(.*?)(?=^#{{1,{}}} |\Z)'.format(rank, re.escape(title), len(rank))
    return re.search(pattern, TEXT, re.S | re.M).group(1)


def rows(title, column=0):
    """The cells of a column of the tables of a section, without the head."""
    lines = [line for line in section(title).splitlines() if line.startswith('| ') and '`' in line]
    return [re.split(r'(?<!\\)\|', line)[column + 1].replace('\\|', '|').strip() for line in lines]


# -- the programs ------------------------------------------------------------------------------------

def test_every_block_is_run_by_a_test_here():
    assert len(BLOCKS) == 4


def test_the_first_script_trades_until_ctrl_c(make_gateway):
    gateway = make_gateway(speed=60)
    with Program('-c', at(gateway, block('class MyStrategy'))) as program:
        program.until(lambda: held(gateway) == 100)
        program.until(lambda: 'Completed 100' in program.output)
        assert 'LIVE' in program.interrupt()
    gateway.wait(lambda world: not world.clients and not world.lines)


def test_the_days_of_a_stock(gateway):
    with Program('-c', at(gateway, block('days ='))) as program:
        assert '211 days' in program.end()


def test_the_order_calls(make_gateway):
    gateway = make_gateway(speed=60, messages_per_second=0)
    first = at(gateway, block('class MyStrategy'))
    code = block('class Orders') + first.replace('addstrategy(MyStrategy)', 'addstrategy(Orders)')
    with Program('-c', code) as program:
        program.until(lambda: len(asked(gateway, 'PlaceOrder')) >= 9)
        program.until(lambda: asked(gateway, 'CancelOrder'))
        program.interrupt()
    kinds = [request.order.orderType for request in asked(gateway, 'PlaceOrder')]
    assert {'MKT', 'LMT', 'TRAIL', 'STP'} <= set(kinds)


def test_the_simulated_gateway_in_a_script():
    with Program('-c', block('class Ten')) as program:
        assert len(re.findall(r'^2024-11-20 ', program.end(), re.M)) == 10


def test_the_two_commands_are_those_of_start():
    commands = section('Two commands')
    assert re.search('^python3 start.py quickstart$', commands, re.M)
    assert re.search('^python3 start.py tests$', commands, re.M)


# -- the tables --------------------------------------------------------------------------------------

@pytest.mark.parametrize('made', [ibnew.IBStore, ibnew.IBData, ibnew.IBBroker], ids=lambda made: made.__name__)
def test_the_params_are_those_of_the_class_and_its_docstring(made):
    title = made.__name__
    base = dict(made.__mro__[1].params._getitems()) if hasattr(made.__mro__[1], 'params') else {}
    own = {name: value for name, value in made.params._getitems() if name not in base or base[name] != value}
    listed = {}
    for names, defaults in zip(rows(title), rows(title, 1)):
        listed.update(zip(re.findall('`(.+?)`', names), re.findall('`(.+?)`', defaults)))
    assert listed == {name: repr(value) for name, value in own.items()}
    assert [name for name in own if '``{}``'.format(name) not in made.__doc__] == []


def test_every_dataname_is_one_contract():
    names = [name for cell in rows('Datanames', 1) for name in re.findall('`(.+?)`', cell)]
    assert len(names) > 10
    with simulator.running(speed=0) as gateway:
        for name in names:
            wanted = contract.parse(name, currency='USD')
            found = gateway.call(lambda world, wanted=wanted: world.market.find(wanted, now=world.now))
            assert len(found) == 1, (name, wanted, [one.contract for one in found])


def test_every_fault_is_listed():
    listed = rows('The simulated gateway')
    there = re.findall(r'^    ([a-z]+)(?: .*)?  ', faults.__doc__, re.M)
    assert [cell.strip('`').split()[0] for cell in listed] == there


def test_every_error_is_listed():
    listed = {name for cell in rows('Errors') for name in re.findall('`(.+?)`', cell)}
    assert listed == {name for name, made in vars(errors).items() if isinstance(made, type)} - {'IBError'}


def test_every_link_inside_leads_somewhere():
    titles = re.findall('^#+ (.+)$', TEXT, re.M)
    anchors = {re.sub(r'[^a-z0-9 -]', '', title.lower()).replace(' ', '-') for title in titles}
    for target in re.findall(r'\]\(([^)]+)\)', TEXT):
        if target.startswith('#'):
            assert target[1:] in anchors
        elif not target.startswith('http'):
            assert (ROOT / target).exists(), target


# -- the manual's own scripts, as they stand ---------------------------------------------------------

@pytest.fixture
def tws():
    """A gateway on the port that the scripts name."""
    if not SEED.is_dir():
        pytest.skip('the manual\'s scripts are not beside this checkout: {}'.format(SEED))
    for _ in range(400):
        with socket.socket() as probe:
            free = probe.connect_ex(('127.0.0.1', PORT)) != 0
        if free:
            break
        time.sleep(0.3)
    else:
        pytest.skip('something else serves port {}, which the manual\'s scripts name'.format(PORT))
    with simulator.running(port=PORT, speed=60) as gateway:
        yield gateway


def test_seed_01_first_trades_until_stopped(tws):
    with Program(str(SEED / '01_first.py')) as program:
        # its check of the position lets a second order go when two bars come at once
        program.until(lambda: held(tws) >= 100)
        program.interrupt()
    tws.wait(lambda world: not world.clients and not world.lines)


@pytest.mark.parametrize('form, word', [('live', 'LIVE'), ('rtbar', 'LIVE')])
def test_seed_02_feeds_live(tws, form, word):
    with Program(str(SEED / '02_feeds.py'), form) as program:
        program.until(lambda: word in program.output)
        after = len(re.findall('^2024-11-20T', program.output, re.M))
        program.until(lambda: len(re.findall('^2024-11-20T', program.output, re.M)) > after + 1)
        program.interrupt()


def test_seed_02_feeds_historical(tws):
    with Program(str(SEED / '02_feeds.py'), 'historical') as program:
        output = program.end()
    assert len(re.findall('^2024-', output, re.M)) > 200


def test_p07_seed_03_orders_reach_the_exchange(tws):
    with Program(str(SEED / '03_orders.py')) as program:
        program.until(lambda: len(asked(tws, 'PlaceOrder')) >= 11)
        program.until(lambda: len(re.findall('Completed', program.output)) >= 4)
        program.interrupt()
    kinds = [request.order.orderType for request in asked(tws, 'PlaceOrder')]
    assert kinds[:6] == ['MKT', 'LMT', 'STP', 'STP LMT', 'TRAIL', 'TRAIL']


def test_seed_04_complete_runs_to_its_end(tws):
    with Program(str(SEED / '04_complete.py')) as program:
        assert re.search(r'Final portfolio value: \d+\.\d\d', program.end(110))
