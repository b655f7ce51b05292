import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync import contract
from backtrader_ib_insync.contract import Spec, parse, write
from backtrader_ib_insync.errors import BadDataname
from backtrader_ib_insync.spec import SECTYPES

EXPIRY = 'lastTradeDateOrContractMonth'


def fields(dataname, **fallbacks):
    """What a dataname gives, without what is empty."""
    read = parse(dataname, **fallbacks)
    return {name: value for name, value in read._asdict().items() if value}


def contract_fields(symbol, secType, exchange='', currency='', expiry='', strike=0.0, right='', multiplier='', **more):
    return {name: value for name, value in Spec(
        symbol, secType, exchange, currency, expiry, strike, right, multiplier, **more)._asdict().items() if value}


@pytest.mark.parametrize('dataname, expected', [
    # seed.md's table
    ('AAPL', ('AAPL', 'STK', 'SMART')),
    ('AAPL-STK-SMART-USD', ('AAPL', 'STK', 'SMART', 'USD')),
    ('EUR.USD-CASH-IDEALPRO', ('EUR', 'CASH', 'IDEALPRO', 'USD')),
    ('ES-202412-CME-USD-50', ('ES', 'FUT', 'CME', 'USD', '202412', 0.0, '', '50')),
    ('AAPL-20241220-SMART-USD-200-C-100', ('AAPL', 'OPT', 'SMART', 'USD', '20241220', 200.0, 'C', '100')),
    ('SPX-IND-CBOE-USD', ('SPX', 'IND', 'CBOE', 'USD')),
    # backtrader's own
    ('T-STK', ('T', 'STK', 'SMART')),
    ('T-STK-ISLAND', ('T', 'STK', 'ISLAND')),
    ('IBUS30-CFD-SMART-USD', ('IBUS30', 'CFD', 'SMART', 'USD')),
    ('ES-202412-CME', ('ES', 'FUT', 'CME', '', '202412')),
    ('ES-FUT-CME-USD-202412-50', ('ES', 'FUT', 'CME', 'USD', '202412', 0.0, '', '50')),
    ('ES-202412-CME-USD-5000-C', ('ES', 'FOP', 'CME', 'USD', '202412', 5000.0, 'C')),
    ('ES-202412-CME-USD-5000-P-50', ('ES', 'FOP', 'CME', 'USD', '202412', 5000.0, 'P', '50')),
    ('AAPL-OPT-SMART-USD-20241220-200-C', ('AAPL', 'OPT', 'SMART', 'USD', '20241220', 200.0, 'C')),
    # what backtrader documents and does not do, or does wrong (backtrader-contract.md 9.2)
    ('ES-FOP-CME-USD-202412-5000-C-50', ('ES', 'FOP', 'CME', 'USD', '202412', 5000.0, 'C', '50')),
    ('ES-FOP-CME-USD-20241220-5000-put-50', ('ES', 'FOP', 'CME', 'USD', '20241220', 5000.0, 'P', '50')),
    ('ES-20241220-CME-USD-50', ('ES', 'FUT', 'CME', 'USD', '20241220', 0.0, '', '50')),
    ('aapl-stk-smart-usd', ('aapl', 'STK', 'SMART', 'USD')),
    ('BRK-B-STK-SMART-USD', ('BRK B', 'STK', 'SMART', 'USD')),
    ('BRK-B', ('BRK B', 'STK', 'SMART')),
    ('BRK B-STK-SMART-USD', ('BRK B', 'STK', 'SMART', 'USD')),
    ('X-Y-IND-CBOE', ('X-Y', 'IND', 'CBOE')),
    # the other types
    ('ES-CONTFUT-CME-USD-50', ('ES', 'CONTFUT', 'CME', 'USD', '', 0.0, '', '50')),
    ('BTC-CRYPTO-PAXOS-USD', ('BTC', 'CRYPTO', 'PAXOS', 'USD')),
    ('BTC.USD-CRYPTO-PAXOS', ('BTC', 'CRYPTO', 'PAXOS', 'USD')),
    ('EUR.USD-CFD-SMART', ('EUR', 'CFD', 'SMART', 'USD')),
    ('XAUUSD-CMDTY-SMART-USD', ('XAUUSD', 'CMDTY', 'SMART', 'USD')),
    ('US03076KAA60-BOND-SMART-USD', ('US03076KAA60', 'BOND', 'SMART', 'USD')),
    ('VINIX-FUND-FUNDSERV-USD', ('VINIX', 'FUND', 'FUNDSERV', 'USD')),
    ('B881G-WAR-SBF-EUR-20251219-20.5-C-0.1', ('B881G', 'WAR', 'SBF', 'EUR', '20251219', 20.5, 'C', '0.1')),
    ('EUR-CASH-IDEALPRO-USD', ('EUR', 'CASH', 'IDEALPRO', 'USD')),
])
def test_a_dataname_of_every_form_is_read(dataname, expected):
    assert fields(dataname) == contract_fields(*expected)


@pytest.mark.parametrize('dataname, more', [
    ('BMW-STK-SMART-EUR-IBIS', {'primaryExchange': 'IBIS'}),
    ('SPX-20241220-CBOE-USD-5000-C-100-tradingClass:SPXW', {'tradingClass': 'SPXW'}),
    ('ES-20201218-CME-includeExpired:True', {'includeExpired': True}),
    ('AAPL-conid:265598', {'conId': 265598}),
    ('-FUT-CME-localSymbol:ESZ4', {'localSymbol': 'ESZ4', 'symbol': ''}),
    ('secIdType:ISIN-secId:US0378331005-secType:STK-exchange:SMART', {'secIdType': 'ISIN', 'secId': 'US0378331005'}),
])
def test_named_fields_follow(dataname, more):
    read = parse(dataname)
    assert {name: getattr(read, name) for name in more} == more


@pytest.mark.parametrize('dataname', [265598, 'conId:265598', ' conId: 265598 '])
def test_a_conid_is_a_dataname(dataname):
    assert parse(dataname) == Spec(conId=265598)


def test_what_a_dataname_leaves_out_comes_from_the_parameters():
    assert fields('T', sectype='IND', exchange='CBOE', currency='USD') == contract_fields('T', 'IND', 'CBOE', 'USD')
    assert fields('T-STK-ISLAND-EUR', exchange='ARCA', currency='USD')['currency'] == 'EUR'
    assert fields('EUR.USD', sectype='CASH') == contract_fields('EUR', 'CASH', 'IDEALPRO', 'USD')
    assert fields('EUR', sectype='cash', currency='USD') == contract_fields('EUR', 'CASH', 'IDEALPRO', 'USD')


def test_smart_is_no_default_where_it_does_not_route():
    assert fields('EUR.USD-CASH')['exchange'] == 'IDEALPRO'
    assert 'exchange' not in fields('ES-202412')
    assert fields('EUR.USD-CASH-SMART')['exchange'] == 'SMART'
    assert fields('ES-202412', exchange='EUREX')['exchange'] == 'EUREX'


@pytest.mark.parametrize('dataname, said', [
    ('', 'is empty'),
    ('-', 'is empty'),
    ('AAPL-STOCK-SMART-USD', "type 'STOCK'"),
    ('AAPL-12345-SMART', "type '12345'"),
    ('ES-241220-CME-USD', "expiry '241220'"),
    ('ES-20241340-CME-USD', "expiry '20241340'"),
    ('ES-FUT-CME-USD-50', "expiry '50'"),
    ('AAPL-20241220-SMART-USD-x-C', "strike 'x'"),
    ('AAPL-20241220-SMART-USD-nan-C', "strike 'nan'"),
    ('AAPL-20241220-SMART-USD-200-X', "right 'X'"),
    ('ES-202412-CME-USD-0', "multiplier '0'"),
    ('ES-202412-CME-USD-fifty', "multiplier 'fifty'"),
    ('SPX-IND-CBOE-USD-5', "'5'"),
    ('AAPL-20241220-SMART-USD-200-C-100-7', "'7'"),
    ('EURUSD-CASH', 'EUR.USD-CASH-IDEALPRO'),
    ('EUR.USD-CASH-IDEALPRO-GBP', "currency 'GBP'"),
    ('conId:abc', "conId 'abc'"),
    ('conId:-5', "type '5'"),
    ('A-STK-SMART-US$', "currency 'US$'"),
    ('Ä-STK', 'printable ASCII'),
    ('A\0-STK', 'printable ASCII'),
    ('-STK-SMART', 'a symbol'),
    ('secType:BAG-symbol:X', 'comboLegs'),
    (-1, 'conId -1'),
    (None, 'None is no dataname'),
    (True, 'True is no dataname'),
    (1.5, '1.5 is no dataname'),
])
def test_a_bad_dataname_is_told_with_value_and_rule(dataname, said):
    with pytest.raises(BadDataname) as caught:
        parse(dataname)
    assert said in str(caught.value)


def test_the_type_of_a_wrong_dataname_lists_the_types():
    with pytest.raises(BadDataname) as caught:
        parse('AAPL-STOCK')
    assert all(sectype in str(caught.value) for sectype in SECTYPES)


class Contract:
    """As much of the client library's as is used here."""

    def __init__(self, **kwargs):
        self.symbol = self.secType = ''
        self.comboLegs = []
        self.__dict__.update(kwargs)


def test_a_ready_contract_is_a_dataname():
    ready = Contract(symbol='AAPL', secType='STK', exchange='SMART', currency='USD', right='?', strike='0.0',
                     multiplier='', conId=265598)
    assert parse(ready) == Spec('AAPL', 'STK', 'SMART', 'USD', conId=265598)


def test_a_contract_for_the_client_library_has_every_field():
    made = contract.contract_of('AAPL-20241220-SMART-USD-200-C-100', Contract)
    assert (made.symbol, made.secType, made.strike, made.right, made.multiplier) == ('AAPL', 'OPT', 200.0, 'C', '100')
    assert contract.contract_of(parse('AAPL'), Contract).symbol == 'AAPL'


def test_a_combination_keeps_its_legs():
    combo = Contract(symbol='SPY', secType='BAG', comboLegs=['leg'])
    made = contract.contract_of(combo, Contract)
    assert made is not combo
    assert made.comboLegs == ['leg']


def test_the_client_librarys_contract_takes_every_field():
    from backtrader_ib_insync.insync import Contract as Real
    made = contract.contract_of('SPX-20241220-CBOE-USD-5000-C-100-tradingClass:SPXW', Real)
    assert made.tradingClass == 'SPXW'
    assert write(made) == 'SPX-20241220-CBOE-USD-5000-C-100-tradingClass:SPXW'


# -- writing ---------------------------------------------------------------------------------------

@pytest.mark.parametrize('dataname', [
    'AAPL-STK-SMART-USD', 'EUR.USD-CASH-IDEALPRO', 'ES-202412-CME-USD-50', 'AAPL-20241220-SMART-USD-200-C-100',
    'SPX-IND-CBOE-USD', 'ES-FOP-CME-USD-20241220-5000.5-P-50', 'ES-202412-CME-USD-5000-C', 'BTC-CRYPTO-PAXOS-USD',
    'BRK B-STK-SMART-USD', 'conId:12345', 'ES-CONTFUT-CME', 'AAPL-OPT-SMART-USD-202412-200-C',
])
def test_a_dataname_is_written_as_a_person_writes_it(dataname):
    assert write(parse(dataname)) == dataname


texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).map(str.strip)
exchanges = st.sampled_from(['', 'SMART', 'CME', 'IDEALPRO', 'NASDAQ', 'A-B', 'TradeWeb'])
numbers = st.floats(-1e6, 1e6, allow_nan=False)

specs = st.builds(
    Spec,
    symbol=st.one_of(st.sampled_from(['AAPL', 'BRK B', 'BRK-B', 'A.B', 'EUR.USD', 'X-FUT', 'X-202412', 'conId:7']),
                     texts),
    secType=st.sampled_from(SECTYPES + ('',)), exchange=exchanges, currency=st.sampled_from(['', 'USD', 'USDT']),
    lastTradeDateOrContractMonth=st.sampled_from(['', '202412', '20241220']),
    strike=st.one_of(st.just(0.0), numbers),
    right=st.sampled_from(['', 'C', 'P']), multiplier=st.sampled_from(['', '50', '0.1']), primaryExchange=exchanges,
    localSymbol=texts, tradingClass=texts, conId=st.integers(0, 2 ** 31), secIdType=st.sampled_from(['', 'ISIN']),
    secId=texts, includeExpired=st.booleans())


@given(specs)
def test_what_is_written_is_read_back_the_same(wanted):
    try:
        normal = contract.spec(wanted)
    except BadDataname:
        return
    assert parse(write(normal)) == normal


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_by_name(text):
    try:
        read = parse(text)
    except BadDataname:
        return
    assert parse(write(read)) == read


# -- candidates (P45) ------------------------------------------------------------------------------

def test_p45_candidates_are_datanames_that_tell_them_apart():
    listed = [Contract(symbol='CSCO', secType='STK', exchange='SMART', currency=currency, primaryExchange=place,
                       conId=id) for currency, place, id in (('USD', 'NASDAQ', 1), ('MXN', 'MEXI', 2))]
    assert contract.names(listed) == ('CSCO-STK-SMART-USD', 'CSCO-STK-SMART-MXN')


def test_p45_candidates_say_as_much_as_it_takes():
    listed = [Contract(symbol='X', secType='STK', exchange='SMART', currency='EUR', primaryExchange=place, conId=place)
              for place in ('IBIS', 'AEB')]
    for number, one in enumerate(listed):
        one.conId = number + 1
    assert contract.names(listed) == ('X-STK-SMART-EUR-primaryExchange:IBIS', 'X-STK-SMART-EUR-primaryExchange:AEB')
    for one in listed:
        one.primaryExchange = 'IBIS'
    assert contract.names(listed) == tuple(
        f'X-STK-SMART-EUR-primaryExchange:IBIS-conId:{number}' for number in (1, 2))


@given(st.lists(specs, min_size=1, max_size=6))
def test_p45_candidates_differ_whenever_contracts_do(wanted):
    try:
        normal = {contract.spec(one)._replace(secIdType='', secId='', includeExpired=False, conId=number + 1)
                  for number, one in enumerate(wanted)}
    except BadDataname:
        return
    assert len(set(contract.names(normal))) == len(normal)


# -- what a type of security follows ---------------------------------------------------------------

def test_quotes_make_the_price_of_what_has_no_trades():
    assert [sectype for sectype in SECTYPES if contract.follows_quotes(sectype)] == ['CASH', 'IND', 'CFD', 'CMDTY']
    assert not contract.follows_quotes('IND', indcash=False)
    assert contract.default_what('CASH') == contract.default_what('CFD') == 'BID'
    assert contract.default_what('IND') == contract.default_what('STK') == 'TRADES'
    assert contract.default_what('CRYPTO') == 'AGGTRADES'
