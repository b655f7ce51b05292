from datetime import date

import pytest

from backtrader_ib_insync.simulator import chains, instruments, listings, zones
from backtrader_ib_insync.simulator.market import START, Market
from backtrader_ib_insync.simulator.records import Contract

MARKET = Market()


def find(**fields):
    return MARKET.find(Contract(**fields), START)


def only(**fields):
    found = find(**fields)
    assert len(found) == 1, [one.contract for one in found]
    return found[0]


@pytest.mark.parametrize('fields, localSymbol', [
    (dict(symbol='AAPL', secType='STK', exchange='SMART', currency='USD'), 'AAPL'),
    (dict(symbol='aapl', secType='STK', exchange='island', currency='usd'), 'AAPL'),
    (dict(symbol='AAPL', secType='STK', exchange='SMART', primaryExchange='NASDAQ'), 'AAPL'),
    (dict(symbol='BRK B', secType='STK'), 'BRK B'),
    (dict(symbol='EUR', secType='CASH', exchange='IDEALPRO', currency='USD'), 'EUR.USD'),
    (dict(symbol='ES', secType='FUT', exchange='CME', currency='USD', lastTradeDateOrContractMonth='202412',
          multiplier='50'), 'ESZ4'),
    (dict(symbol='ES', secType='FUT', lastTradeDateOrContractMonth='20241220'), 'ESZ4'),
    (dict(localSymbol='ESZ4', secType='FUT', exchange='CME'), 'ESZ4'),
    (dict(symbol='FESX', secType='FUT', exchange='EUREX', lastTradeDateOrContractMonth='202503'), 'FESXH5'),
    (dict(symbol='ES', secType='CONTFUT', exchange='CME'), 'ESZ4'),
    (dict(symbol='AAPL', secType='OPT', exchange='SMART', currency='USD', lastTradeDateOrContractMonth='20241220',
          strike=200.0, right='C', multiplier='100'), 'AAPL  241220C00200000'),
    (dict(localSymbol='AAPL  241220P00197500', secType='OPT'), 'AAPL  241220P00197500'),
    (dict(symbol='ES', secType='FOP', exchange='CME', lastTradeDateOrContractMonth='20241220', strike=5900.0,
          right='PUT'), 'ESZ4 P5900'),
    (dict(symbol='SPX', secType='IND', exchange='CBOE', currency='USD'), 'SPX'),
    (dict(symbol='AAPL', secType='CFD', exchange='SMART'), 'AAPLn'),
    (dict(symbol='BTC', secType='CRYPTO', exchange='PAXOS', currency='USD'), 'BTC.USD'),
    (dict(symbol='XAUUSD', secType='CMDTY', exchange='SMART'), 'XAUUSD'),
    (dict(secType='BOND', symbol='912828C57'), 'IBCID15960357'),
    (dict(secIdType='ISIN', secId='US0378331005', secType='STK', exchange='SMART'), 'AAPL'),
    (dict(conId=265598), 'AAPL'),
    (dict(conId=265598, symbol='WRONG', secType='OPT'), 'AAPL')])
def test_a_contract_is_found(fields, localSymbol):
    assert only(**fields).contract.localSymbol == localSymbol


@pytest.mark.parametrize('fields', [
    dict(symbol='NOSUCH', secType='STK', exchange='SMART', currency='USD'),
    dict(symbol='AAPL', secType='STK', currency='EUR'),
    dict(symbol='AAPL', secType='STK', exchange='LSE'), dict(symbol='AAPL', secType='STK', primaryExchange='NYSE'),
    dict(symbol='ES', secType='FUT', lastTradeDateOrContractMonth='202411'),
    dict(symbol='ES', secType='FUT', multiplier='5'),
    dict(symbol='AAPL', secType='OPT', lastTradeDateOrContractMonth='20241219'), dict(conId=1),
    dict(symbol='AAPL', secType='OPT', strike=201.0), dict(symbol='AAPL', secType='OPT', multiplier='many')])
def test_what_does_not_fit_is_not_found(fields):
    assert find(**fields) == []


def test_an_ambiguous_contract_gives_all_it_may_mean():
    assert {one.contract.primaryExchange for one in find(symbol='CSCO', secType='STK')} == {'NASDAQ', 'MEXI'}
    assert len(find(symbol='CSCO', secType='STK', exchange='SMART', currency='USD')) == 1
    assert len(find(symbol='ES', secType='FUT', exchange='CME')) == 8
    chain = find(symbol='AAPL', secType='OPT', lastTradeDateOrContractMonth='202412', right='C', strike=200.0)
    assert [one.contract.lastTradeDateOrContractMonth for one in chain] == [
        '20241206', '20241213', '20241220', '20241227']


def test_the_exchange_asked_for_is_the_one_answered():
    assert only(symbol='AAPL', secType='STK', exchange='ISLAND').contract.exchange == 'ISLAND'


def test_expired_futures_only_when_asked_for():
    fields = dict(symbol='ES', secType='FUT', lastTradeDateOrContractMonth='202409')
    assert find(**fields) == []
    old = only(includeExpired=True, **fields)
    assert old.contract.localSymbol == 'ESU4'
    assert find(conId=old.conId) == []
    assert only(conId=old.conId, includeExpired=True).conId == old.conId


def test_a_future_trades_until_its_last_day():
    contract = Contract(symbol='ES', secType='FUT', lastTradeDateOrContractMonth='202412')
    for text, count in (('2024-12-20 08:00 US/Central', 1), ('2024-12-21 08:00 US/Central', 0)):
        assert len(MARKET.find(contract, zones.parse(text))) == count


def test_futures_exist_by_rule_in_any_year():
    now = zones.parse('2006-01-02 10:00 MET')
    found = MARKET.find(Contract(symbol='FESX', secType='FUT', lastTradeDateOrContractMonth='200603'), now)
    assert [one.contract.localSymbol for one in found] == ['FESXH6']
    assert {one.contract.lastTradeDateOrContractMonth for one in find(symbol='ES', secType='FUT')} == {
        '20241220', '20250321', '20250620', '20250919', '20251219', '20260320', '20260618', '20260918'}


def test_the_continuous_future_is_the_front_one():
    front = only(symbol='ES', secType='FUT', lastTradeDateOrContractMonth='202412')
    continuous = only(symbol='ES', secType='CONTFUT')
    assert (continuous.conId, continuous.secType) == (front.conId, 'CONTFUT')
    assert only(conId=front.conId, secType='CONTFUT').secType == 'CONTFUT'


def test_every_conId_leads_back_to_its_instrument():
    everything = MARKET.listing.instruments + find(symbol='ES', secType='FUT') + find(
        symbol='AAPL', secType='OPT')[:500] + find(symbol='ES', secType='FOP')[:500]
    assert len({one.conId for one in everything}) == len(everything)
    for one in everything:
        assert MARKET.by_conId(one.conId) == one
        assert 0 < one.conId < 2 ** 31


@pytest.mark.parametrize('conId', [0, 1, -5, 495000001, 700000999, 2 ** 31 - 1])
def test_other_conIds_lead_nowhere(conId):
    assert MARKET.by_conId(conId) is None


def test_details_tell_the_hours_of_the_coming_days():
    details, = MARKET.details(Contract(symbol='AAPL', secType='STK'), START)
    assert details.tradingHours.startswith('20241120:0400-20241120:2000;')
    assert details.liquidHours.startswith('20241120:0930-20241120:1600;')
    assert (details.timeZoneId, details.minTick, details.stockType) == ('US/Eastern', 0.01, 'COMMON')


def test_details_of_derivatives_name_what_is_beneath():
    option = only(symbol='AAPL', secType='OPT', lastTradeDateOrContractMonth='20241220', strike=200.0, right='C')
    assert (option.underConId, option.underSymbol, option.underSecType) == (265598, 'AAPL', 'STK')
    fop = only(symbol='ES', secType='FOP', lastTradeDateOrContractMonth='20241220', strike=5900.0, right='C')
    assert (fop.underSymbol, fop.multiplier, fop.zone) == ('ESZ4', 50.0, 'US/Central')


def test_option_parameters_list_expiries_and_strikes():
    rows = MARKET.option_params(265598, START)
    exchange, tradingClass, multiplier, expirations, strikes = rows[0]
    assert (exchange, tradingClass, multiplier) == ('SMART', 'AAPL', '100')
    assert '20241220' in expirations and '20241129' in expirations and 200.0 in strikes
    assert MARKET.option_params(416904, START) == []
    assert {row[0] for row in MARKET.option_params(only(localSymbol='ESZ4', secType='FUT').conId, START)} == {'CME'}


def test_an_expiry_on_a_holiday_moves_to_the_day_before():
    options = next(family for family in MARKET.listing.families if isinstance(family, chains.Options))
    assert date(2025, 4, 17) in options.expiries(START)
    assert date(2025, 4, 18) not in options.expiries(START)


def test_symbols_are_searched_by_name_too():
    assert [one.symbol for one in MARKET.matching('micros')] == ['MSFT']
    assert {one.secType for one in MARKET.matching('AAPL')} == {'STK', 'CFD'}


def test_every_market_rule_named_is_known_and_begins_with_the_least_step():
    for instrument in MARKET.listing.instruments + find(symbol='FESX', secType='FUT'):
        rule = MARKET.market_rule(int(instrument.marketRuleIds))
        assert rule[0] == (0.0, instrument.told_tick), instrument.contract
    assert MARKET.market_rule(109) == ((0.0, 0.01), (3.0, 0.05))
    with pytest.raises(KeyError):
        MARKET.market_rule(999999)


def test_what_is_traded_and_what_is_only_quoted():
    kinds = {one.secType: (one.is_traded, one.has_last, one.is_quoted) for one in MARKET.listing.instruments}
    assert kinds == {'STK': (True, True, True), 'CASH': (False, False, True), 'IND': (False, True, False),
                     'CRYPTO': (True, True, True), 'CMDTY': (False, False, True), 'BOND': (True, True, True),
                     'CFD': (False, False, True)}


def test_prices_have_no_dust():
    euro = only(symbol='EUR', secType='CASH')
    assert euro.price(euro.ticks(1.06005)) == 1.06005
    assert euro.price(21201.5) == 1.060075


def test_a_market_of_ones_own_instruments():
    mine = listings.stock(5, 'MINE', 'NYSE', 'MY COMPANY', 10.0)
    market = Market([mine])
    assert market.find(Contract(symbol='MINE')) == [mine]
    assert market.find(Contract(symbol='AAPL')) == []
    assert isinstance(mine, instruments.Instrument)
