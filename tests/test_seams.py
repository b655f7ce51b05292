"""Seams at random moments, at start and after every hole: each bar of the market's once, whole, in order.

The gateway's clock is stepped, so that a cut comes at a moment between two ticks and not when a machine happens to be
slow. The feeds of a run are cut at the same moments: by ticks and by 5-second bars, declared and resampled.
"""
import backtrader as bt
from moments import cut_at, in_random, scripts
from stepped import COIN, EURO, INDEX, MINI, Feed

Seconds = bt.TimeFrame.Seconds
#: a bar of several minutes ends in some of them
SCRIPTS = scripts(wait=70, hole=150)


@in_random(SCRIPTS, 40)
def test_p37_a_minute_cut_anywhere(market, script):
    cut_at(market, script, Feed(), Feed(rtbar=True), Feed(resampled=True), Feed(resampled=True, rtbar=True))


@in_random(SCRIPTS, 12)
def test_p37_minutes_of_any_number_cut_anywhere(market, script):
    cut_at(market, script, *[Feed(compression=number, rtbar=rtbar) for number in (5, 7) for rtbar in (False, True)],
           Feed(compression=5, resampled=True), Feed(compression=5, resampled=True, rtbar=True))


@in_random(SCRIPTS, 12)
def test_p37_seconds_cut_anywhere(market, script):
    cut_at(market, script, *[Feed(timeframe=Seconds, compression=number, rtbar=rtbar)
                             for number in (5, 10, 30) for rtbar in (False, True)],
           Feed(timeframe=Seconds, compression=30, resampled=True))


@in_random(SCRIPTS, 12)
def test_p31_p42_other_kinds_cut_anywhere(market, script):
    cut_at(market, script, Feed(EURO, what='BID'), Feed(EURO, what='ASK'), Feed(MINI), Feed(MINI, rtbar=True),
           Feed(INDEX), Feed(COIN), Feed(COIN, rtbar=True), Feed(EURO, what='BID', resampled=True, rtbar=True))
