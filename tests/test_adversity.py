"""It survives the night: what a strategy sees and holds is the truth, whatever happens to the gateway and the link."""
import backtrader as bt
import pytest
from night import BEGIN, SINCE, bars_are_true, deaths, ledger_agrees, nothing_is_left, spend

from backtrader_ib_insync import heartbeat, insync, pacing, request_desk

SYMBOLS = ('AAPL-STK-SMART-USD', 'MSFT-STK-SMART-USD', 'SPY-STK-SMART-USD')
NIGHT = dict(reconnect=-1, timeout=0.05, timerefresh=0.1)


@pytest.fixture(autouse=True)
def accelerated(monkeypatch):
    """What the library waits for in the wall's seconds, in which an accelerated gateway lives through minutes."""
    monkeypatch.setattr(heartbeat, 'DEAD_SECONDS', 1.0)
    monkeypatch.setattr(insync, 'BURST', 0)
    limits = pacing.LIMITS._replace(violation_seconds=0.1)
    monkeypatch.setattr(request_desk, 'Pacing', lambda: pacing.Pacing(limits))


def feeds(store, symbols=SYMBOLS, **params):
    """One-minute feeds; the second follows 5-second bars, the others every trade."""
    return [store.getdata(dataname=name, timeframe=bt.TimeFrame.Minutes, fromdate=SINCE, rtbar=number == 1, qcheck=0.05,
                          **params) for number, name in enumerate(symbols)]


def night(make_gateway, store, faults, minutes=6, speed=200.0, symbols=SYMBOLS, **params):
    """Spend so many simulated minutes with these faults; all that can be judged is judged. Returns the strategy."""
    gateway = make_gateway(speed=speed, faults=faults, messages_per_second=0)
    made = store(gateway, **NIGHT)
    trader = spend(made, *feeds(made, symbols), until=BEGIN + minutes * 60, **params)
    bars_are_true(gateway, trader, deaths(faults))
    ledger_agrees(gateway, trader)
    nothing_is_left(gateway)
    return trader


def test_a_quiet_night(make_gateway, store):
    trader = night(make_gateway, store, '')
    assert all(statuses == ['CONNECTED', 'DELAYED', 'LIVE'] for statuses in trader.statuses.values())


CASES = {
    'a two-minute restart under open orders and live feeds': 'after 130s restart 120',
    'the same with order ids rolled back': 'after 130s restart 120 ids',
    'a restart during the backfill': 'after 1s restart 30',
    'a restart at start-up': 'after 0s refuse 60',
    'a reset': 'after 100s cut rst',
    'an orderly end': 'after 100s cut fin',
    'an end in the middle of a message': 'after 100s cut mid',
    'cuts again and again': 'every 50s cut rst',
    'a stalled link that comes back': 'after 100s stall 20',
    'a stalled link that is dead': 'after 100s stall 1h',
    'a slow link': 'after 60s slow 2000 60',
    'byte by byte': 'after 30s split 1 60',
    'IB lost and back': 'after 100s lost 70',
    'IB lost and back, subscriptions gone': 'after 100s lost 70 data',
    'the server broken': 'after 100s broken 70',
    'IB lost, then the socket': 'after 100s lost 50\nafter 120s cut',
    'a market data farm lost': 'after 100s farm data 70',
    'a market data farm lost, subscriptions dead': 'after 100s farm data 70 dead',
    'subscriptions that die without a word': 'after 100s unsubscribe',
    'one that dies without a word, and once more': 'after 100s unsubscribe AAPL\nafter 300s unsubscribe AAPL',
    'one that dies without a word, then IB is lost': 'after 100s unsubscribe MSFT\nafter 150s lost 70',
    'the history farm lost under a reconnection': 'after 90s farm history 60\nafter 100s cut',
    'pacing violations': 'after 0s pacing 2\nafter 100s cut\nafter 100s pacing 1',
    'reports told twice': 'every 20s duplicate execution 4\nevery 20s duplicate status 6\n'
                          'every 20s duplicate commission 4',
    'reports late': 'every 30s late execution 8 3\nevery 30s late commission 12 3',
    'statuses lost': 'every 20s drop status 4',
    'reports out of order': 'every 30s reorder status 4\nevery 30s reorder execution 3\nevery 30s reorder commission 3',
    'somebody takes the client id meanwhile': 'after 100s busy 1 60\nafter 100s cut',
}


@pytest.mark.parametrize('faults', list(CASES.values()), ids=list(CASES))
def test_a_night_with(make_gateway, store, faults):
    night(make_gateway, store, faults)


@pytest.mark.parametrize('fault', [
    ('restart', 20), ('restart', 20, 'ids'), ('cut', 'rst'), ('cut', 'mid'), ('stall', 5), ('stall', '1h'),
    ('lost', 20), ('slow', 200, 20)], ids=str)
def test_a_fault_in_the_middle_of_buying(make_gateway, store, fault):
    """Orders are on their way when it happens: each is sent or refused, filled or not, and the books agree."""
    gateway = make_gateway(speed=200.0, messages_per_second=0)
    made = store(gateway, **NIGHT)
    bought = []

    def buy_under_fire(strategy):
        if len(bought) < 3 and all(strategy.is_live(data) for data in strategy.datas):
            bought.append(strategy.buy(size=7))
            gateway.fault(*fault)
            bought.append(strategy.buy_bracket(size=5, exectype=bt.Order.Market, limitprice=1e5, stopprice=1.0))

    trader = spend(made, *feeds(made, SYMBOLS[:2]), until=BEGIN + 360, size=0, act=buy_under_fire)
    assert bought
    bars_are_true(gateway, trader)
    ledger_agrees(gateway, trader)
    nothing_is_left(gateway)
