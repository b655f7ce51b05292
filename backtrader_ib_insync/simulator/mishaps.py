"""Each fault by its name: a function that makes it happen. `faults.py` documents them, one line each."""
import hashlib

from . import wire

FOREVER = float('inf')
UNITS = {'s': 1.0, 'm': 60.0, 'h': 3600.0, 'd': 86400.0}
FARMS = {'data': (2103, 2104, 'Market data farm connection is {}:usfarm'),
         'history': (2105, 2106, 'HMDS data farm connection is {}:ushmds'),
         'secdef': (2157, 2158, 'Sec-def data farm connection is {}:secdefnj')}
LOST = 'Connectivity between IBKR and Trader Workstation has been lost.'
RESTORED = 'Connectivity between IBKR and Trader Workstation has been restored - data '
BACK_LOST = RESTORED + 'lost. Please resubmit market data requests.'
BACK_KEPT = RESTORED + 'maintained. All data farms are connected: usfarm; ushmds; secdefnj.'
BROKEN = 'Connectivity between Trader Workstation and server is broken. It will be restored automatically.'
PORT = ('TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - {}')


def seconds(word):
    """A number of seconds: '10', '10s', '2m', '1h'."""
    number, unit = (word[:-1], UNITS[word[-1]]) if word[-1:] in UNITS else (word, 1.0)
    try:
        return float(number) * unit
    except ValueError:
        raise ValueError(f'{word!r} is not a time: write a number, and s, m or h after it if you like') from None


def _one_of(word, choices):
    if word not in choices:
        raise ValueError('{!r} is none of {}'.format(word, ', '.join(choices)))
    return word


def cut(faults, how='fin'):
    _one_of(how, ('fin', 'rst', 'mid'))
    for session in faults.gateway.sessions:
        session.close(how)


def refuse(faults, length):
    faults.refusing_until = faults.gateway.now + seconds(length)
    faults.at(faults.refusing_until, lambda: None)


def restart(faults, length='60', ids=''):
    cut(faults)
    refuse(faults, length)
    if ids:
        _one_of(ids, ('ids',))
        faults.gateway.exchange.roll_back_ids()


def stall(faults, length):
    until = faults.gateway.now + seconds(length)
    for session in faults.gateway.sessions:
        session.link.stall(until)
    faults.at(until, lambda: _resume(faults))


def _resume(faults):
    for session in faults.gateway.sessions:
        session.receive_data(b'')


def tear(faults, heard, said):
    for session in faults.gateway.sessions:
        session.tear(int(heard), int(said))


def slow(faults, rate, length):
    now = faults.gateway.now
    for session in faults.gateway.sessions:
        session.link.slow(float(rate), now, now + seconds(length))


def split(faults, size='1', length=None):
    until = FOREVER if length is None else faults.gateway.now + seconds(length)
    for session in faults.gateway.sessions:
        session.link.split(int(size), until)


def drop(faults, kind, number='1'):
    faults.add_rule(kind, 'drop', int(number))


def duplicate(faults, kind, number='1'):
    faults.add_rule(kind, 'duplicate', int(number))


def late(faults, kind, length, number='1'):
    faults.add_rule(kind, 'late', int(number), seconds(length))


def reorder(faults, kind, number='2'):
    faults.add_rule(kind, 'reorder', int(number))


def relent(faults):
    faults.drop_rules()


def lost(faults, length=None, what='kept'):
    _one_of(what, ('data', 'kept'))
    _go_down(faults, length, 1100, LOST, *((1101, BACK_LOST) if what == 'data' else (1102, BACK_KEPT)))


def broken(faults, length):
    _go_down(faults, length, 2110, BROKEN, 1102, BACK_KEPT)


def _go_down(faults, length, code, text, back_code, back_text):
    faults.is_down = True
    faults.gateway.tell(code, text)
    if length is not None:
        faults.at(faults.gateway.now + seconds(length), lambda: _come_back(faults, back_code, back_text))


def _come_back(faults, code, text):
    faults.is_down = False
    if code == 1101:
        unsubscribe(faults)
    faults.gateway.tell(code, text)
    faults.gateway.publish()


def farm(faults, name='data', length='30', dead=''):
    lost_code, back_code, text = FARMS[_one_of(name, tuple(FARMS))]
    faults.dark_farms.add(name)
    faults.gateway.tell(lost_code, text.format('broken'))
    if dead:
        _one_of(dead, ('dead',))
        unsubscribe(faults)
    faults.at(faults.gateway.now + seconds(length), lambda: _light(faults, name, back_code, text.format('OK')))


def _light(faults, name, code, text):
    faults.dark_farms.discard(name)
    faults.gateway.tell(code, text)


def port(faults, number='7497'):
    faults.gateway.tell(1300, PORT.format(number))
    cut(faults)


def unsubscribe(faults, symbol=''):
    faults.gateway.streams.lose(symbol)


def pacing(faults, number='1'):
    faults.pacing_violations += int(number)


def lag(faults, length):
    faults.lag = seconds(length)


def busy(faults, client_id, length=None):
    faults.held_ids[int(client_id)] = FOREVER if length is None else faults.gateway.now + seconds(length)


def readonly(faults, length=None):
    faults.read_only_until = FOREVER if length is None else faults.gateway.now + seconds(length)


def swallow(faults, number='1'):
    faults.swallowing += int(number)


def skew(faults, length):
    faults.skew = seconds(length)


def bust(faults, execId=''):
    _correct(faults, execId, shares=0.0)


def correct(faults, price, execId=''):
    _correct(faults, execId, price=float(price))


def _correct(faults, execId, **changes):
    exchange = faults.gateway.exchange
    if not execId:
        fills = exchange.executions()
        if not fills:
            raise ValueError('there is no fill to correct yet')
        execId = fills[-1].execution.execId
    exchange.correct(faults.gateway.now, execId, **changes)
    faults.gateway.publish()


def error(faults, code, reqId='-1', *text):
    for session in list(faults.gateway.clients.values()):
        session.refuse(int(reqId), int(code), ' '.join(text) or 'An error by request of the simulation')


def garbage(faults, size='16'):
    noise = hashlib.sha256(str(faults.gateway.now).encode()).hexdigest() * (int(size) // 64 + 1)
    for session in faults.gateway.sessions:
        session.link.put(wire.frame([noise[:int(size)], 'not', 'a', 'message']))


MISHAPS = {function.__name__: function for function in (
    cut, refuse, restart, stall, tear, slow, split, drop, duplicate, late, reorder, relent, lost, broken, farm, port,
    unsubscribe, pacing, lag, busy, readonly, swallow, skew, bust, correct, error, garbage)}
