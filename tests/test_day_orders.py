"""Orders for the day know when it ends, also in the second week of a run: TWS tells hours of the next days only."""
import datetime

import backtrader as bt
from test_trading import rests

import stage

Order = bt.Order


def to(run, day, hour, minute=0, second=0):
    """Let TWS's time come to that hour (UTC) of November 2024, and the library hear of it."""
    moment = datetime.datetime(2024, 11, day, hour, minute, second, tzinfo=datetime.timezone.utc).timestamp()
    run.gateway.advance(moment - run.gateway.now())

    def is_heard():
        run.store.ask_time()
        run.store.link.drain()
        return abs(run.store.clock() - run.gateway.now()) < 1.0
    run.until(is_heard)


def hours(run):
    return run.datas[0].tradecontractdetails.liquidHours


def test_p60_a_day_order_expires_in_the_second_week_too():
    # an option: a week of it is told in a moment
    with stage.open(gateway={'start': '2024-11-22 10:00 US/Eastern', 'speed': 1}, live=False,
                    datanames=('AAPL-20241220-SMART-USD-200-CALL',), broker={'backfill_orders': True}) as run:
        run.until(lambda: getattr(run.datas[0], 'tradecontract', None))
        assert '20241129:0930-' not in hours(run)
        to(run, 26, 15)
        run.until(lambda: '20241129:0930-20241129:1300' in hours(run))
        # the day after Thanksgiving ends at one o'clock
        to(run, 29, 15)
        order = rests(run, size=1, price=0.05, valid=Order.DAY)
        to(run, 29, 17, 59, 57)
        run.ends(order, 'Submitted', 'Accepted', 'Expired')
