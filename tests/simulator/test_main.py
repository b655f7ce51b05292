"""The command line, without starting anything."""
import pytest
from conversation import AT

from backtrader_ib_insync.simulator.__main__ import make, options, replays

MINUTES = """datetime,open,high,low,close,volume
2024-11-20 10:01,200.0,201.0,199.0,200.5,1000
2024-11-20 10:02,200.5,202.0,200.0,201.0,500
"""


def test_prices_come_from_a_file(tmp_path):
    path = tmp_path / 'aapl.csv'
    path.write_text(MINUTES)
    gateway = make(options(['--port', '0', '--csv', f'AAPL={path},US/Eastern,end'])).gateway
    market, apple = gateway.market, gateway.market.by_conId(265598)
    bar, = market.bars(apple, '1 min', AT, AT + 60)
    assert bar[1:6] == (200.0, 201.0, 199.0, 200.5, 1000)


def test_faults_come_from_a_file(tmp_path):
    path = tmp_path / 'faults.txt'
    path.write_text('after 10s cut rst\n# nothing else\n')
    gateway = make(options(['--faults', str(path)])).gateway
    assert gateway.faults.next_time() == pytest.approx(gateway.now + 10, abs=1)


def test_the_defaults_are_those_the_manual_names():
    chosen = options([])
    assert (chosen.port, chosen.host, chosen.accounts, chosen.speed) == (7497, '127.0.0.1', 'U1234567', 1.0)


@pytest.mark.parametrize('text', ['AAPL', 'AAPL=nosuch.csv', 'AAPL=x,Mars/A'])
def test_a_bad_source_of_prices_is_named(text):
    with pytest.raises((ValueError, OSError)):
        replays([text])


def test_a_server_version_nobody_speaks_is_named():
    with pytest.raises(ValueError, match='158'):
        make(options(['--server-version', '158']))
