"""Every example runs, offline, as it stands, and ends by itself."""
import re

import pytest
from gateways import asked, held
from programs import ROOT, Program

EXAMPLES = ROOT / 'examples'
WORDS = {
    'history.py': 'EUR.USD-CASH-IDEALPRO, 14[0-9][0-9] bars of one minute',
    'live.py': 'ES-202412-CME-USD-50 +LIVE',
    'orders.py': 'Margin(.|\n)*trade: position 0',
    'bracket.py': 'Canceled(.|\n)*position 0',
    'reconnect.py': 'CONNBROKEN(.|\n)*from history(.|\n)*LIVE',
    'own_csv.py': '09:31  200.20  1000(.|\n)*10:10  198.49  1000',
}


def test_every_example_has_its_test_and_is_short():
    programs = {path.name: path.read_text(encoding='utf-8') for path in EXAMPLES.glob('*.py')}
    assert set(programs) == set(WORDS) | {'quickstart.py', 'picture.py', 'where.py'}
    assert [name for name in WORDS if programs[name].count('\n') >= 60] == []


@pytest.mark.parametrize('name', sorted(WORDS))
def test_an_example_ends_well(name):
    with Program(str(EXAMPLES / name)) as program:
        output = program.end()
    assert re.search(WORDS[name], output), output
    assert 'Traceback' not in output
    # where nobody set logging up the client library's words, which are told in better ones, are not printed
    assert 'API connection failed' not in output and 'Canceled order: Trade' not in output


def test_the_quickstart(tmp_path):
    with Program(str(EXAMPLES / 'quickstart.py'), '--bars', '8', folder=str(tmp_path)) as program:
        output = program.end()
    assert len(re.findall(r'^\d\d:\d\d:\d\d bar ', output, re.M)) == 8
    assert re.search(r'Final value [\d,.]+, cash [\d,.]+, position 0', output)
    assert ('Picture: ' in output) == (tmp_path / 'quickstart.png').exists()


def test_an_example_on_a_tws_of_its_own(make_gateway):
    gateway = make_gateway(speed=60)
    with Program(str(EXAMPLES / 'quickstart.py'), '--port', str(gateway.port), '--bars', '3') as program:
        output = program.end()
    assert 'On the TWS at' in output and 'LIVE' in output
    assert held(gateway) == 0 and asked(gateway, 'ReqHistoricalData')
