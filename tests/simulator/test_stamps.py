import pytest

from backtrader_ib_insync.simulator import stamps

AT = 1732114800.0  # 2024-11-20 15:00:00 UTC


def test_how_tws_writes_times():
    assert stamps.in_zone(AT, 'US/Eastern') == '20241120 10:00:00 US/Eastern'
    assert stamps.intraday(AT, 'US/Central', 176) == '20241120 09:00:00 US/Central'
    assert stamps.intraday(AT, 'US/Central', 173) == '20241120  09:00:00'
    assert stamps.utc(AT) == '20241120-15:00:00'
    assert stamps.day(AT) == '20241120'
    assert stamps.hour_minute(AT, 'MET') == '16:00'


@pytest.mark.parametrize('text', [
    '20241120 15:00:00 UTC', '20241120-15:00:00', '20241120 10:00:00 US/Eastern', '20241120  10:00:00',
    '20241120 10:00'])
def test_how_tws_reads_times(text):
    assert stamps.parse(text, 'US/Eastern') == AT


@pytest.mark.parametrize('text', [
    '20241120 15:00:00 GMT', '20241120', 'nonsense', '20241320 10:00:00', '20241120 10:00:00 Mars/A'])
def test_bad_times_are_refused_by_name(text):
    with pytest.raises(ValueError):
        stamps.parse(text, 'US/Eastern')


def test_whether_the_zone_was_said():
    assert stamps.has_zone('20241120 15:00:00 UTC') and stamps.has_zone('20241120-15:00:00')
    assert not stamps.has_zone('20241120 15:00:00')
