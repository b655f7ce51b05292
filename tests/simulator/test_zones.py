from datetime import date

import pytest

from backtrader_ib_insync.simulator import zones


@pytest.mark.parametrize('name', [
    'US/Eastern', 'US/Central', 'EST5EDT', 'EST', 'MET', 'GB-Eire', 'Japan', 'Asia/Calcutta', 'Europe/Berlin', 'UTC'])
def test_every_zone_name_tws_sends_is_known(name):
    assert zones.zone(name).utcoffset(zones.EPOCH) is not None


def test_an_unknown_zone_is_an_error_that_names_it_and_the_remedy():
    with pytest.raises(ValueError, match=r"'Nowhere/Land'.*US/Eastern.*tzdata"):
        zones.zone('Nowhere/Land')


@pytest.mark.parametrize('text, seconds', [
    ('2024-11-20 10:00 US/Eastern', 1732114800.0), ('2024-11-20T15:00:00', 1732114800.0),
    ('2024-11-20 16:00 MET', 1732114800.0),
    ('2024-07-01 10:00:30 US/Eastern', 1719842430.0), ('2024-11-20', 1732060800.0)])
def test_times_are_read(text, seconds):
    assert zones.parse(text) == seconds


@pytest.mark.parametrize('text', ['', '20.11.2024', '2024-11-20 25:00', '2024-11-20 10:00 US/Eastern please'])
def test_bad_times_are_refused_with_an_example(text):
    with pytest.raises(ValueError, match='2024-11-20 10:00 US/Eastern'):
        zones.parse(text)


def test_minutes_may_lie_on_the_evening_before():
    assert zones.to_utc(date(2024, 11, 20), -420, 'US/Central') == zones.parse('2024-11-19 17:00', 'US/Central')


def test_a_label_is_midnight_utc_and_back():
    assert zones.date_of(zones.label_of(date(2024, 2, 29))) == date(2024, 2, 29)
