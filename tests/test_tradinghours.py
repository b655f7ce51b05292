"""The hours of a contract that a program of months keeps knowing; no socket."""
import collections

import pytest
import truth

from backtrader_ib_insync.tradinghours import AGAIN_SECONDS, TradingHours
from backtrader_ib_insync.zones import DAY, zone

Details = collections.namedtuple('Details', 'tradingHours liquidHours')
NEW_YORK = zone('America/New_York')
NOON = truth.at('2024-11-20 12:00', 'America/New_York')


def told_at(now, days=6, opens='0930', closes='1600'):
    """What TWS tells of so many days from that of `now` on."""
    dates = [truth.utc(now + number * DAY).strftime('%Y%m%d') for number in range(days)]
    return Details(
        ';'.join('{0}:0400-{0}:2000'.format(date) for date in dates),
        ';'.join('{0}:{1}-{0}:{2}'.format(date, opens, closes) for date in dates))


def spans(hours, now):
    """The sessions in hours from the midnight that `now` is twelve hours after."""
    return [((one.start - now) / 3600 + 12, (one.end - now) / 3600 + 12) for one in hours.sessions]


@pytest.mark.parametrize('rth, first', [(False, (4, 20)), (True, (9.5, 16))])
def test_regular_hours_or_all(rth, first):
    hours = TradingHours(told_at(NOON), rth, NEW_YORK, NOON)
    assert spans(hours, NOON)[0] == first and len(hours.sessions) == 6


def test_nothing_is_known_of_a_zone_that_nobody_knows_or_where_tws_tells_nothing():
    assert TradingHours(told_at(NOON), False, None, NOON).sessions == ()
    assert TradingHours(Details('', ''), False, NEW_YORK, NOON).sessions == ()


def test_tws_is_asked_twice_a_day_and_not_at_once_again():
    hours = TradingHours(told_at(NOON), False, NEW_YORK, NOON)
    assert not hours.is_old(NOON + AGAIN_SECONDS - 1)
    assert hours.is_old(NOON + AGAIN_SECONDS)
    hours.asked(NOON + AGAIN_SECONDS)
    assert not hours.is_old(NOON + AGAIN_SECONDS + 1)


def test_what_is_told_later_rules_and_what_is_past_stays_for_a_while():
    hours = TradingHours(told_at(NOON), True, NEW_YORK, NOON)
    hours.learn(told_at(NOON + DAY, closes='1300'))
    assert spans(hours, NOON)[:3] == [(9.5, 16), (33.5, 37), (57.5, 61)] and len(hours.sessions) == 7


def test_when_tws_tells_nothing_what_is_known_stays():
    hours = TradingHours(told_at(NOON), True, NEW_YORK, NOON)
    before = hours.sessions
    hours.learn(Details('', ''))
    assert hours.sessions == before


def test_in_a_year_no_more_sessions_are_kept_than_in_a_month():
    hours, most = TradingHours(told_at(NOON), False, NEW_YORK, NOON), []
    for day in range(365):
        hours.learn(told_at(NOON + day * DAY))
        most.append(len(hours.sessions))
    assert max(most) == max(most[:30]) <= 14
    assert hours.sessions[-1].end > NOON + 369 * DAY
