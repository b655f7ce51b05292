"""A month of one-minute bars: through the library, through the raw client library, and from a file by backtrader.

    python tests/benchmarks/history.py
"""
import csv
import datetime
import os
import tempfile
import time

import backtrader as bt
import ib_insync

import backtrader_ib_insync as ibnew
from served import served

FIRST, LAST = datetime.datetime(2024, 10, 14), datetime.datetime(2024, 11, 14)


def timed(function, *args):
    started = time.perf_counter()
    return function(*args), time.perf_counter() - started


def through_the_library(port):
    ibnew.IBStore._singleton = None
    store = ibnew.IBStore(port=port, clientId=1)
    return run(store.getdata(dataname='AAPL-STK-SMART-USD', timeframe=bt.TimeFrame.Minutes, historical=True,
                             fromdate=FIRST, todate=LAST))


def run(data):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(data)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    return data


def raw(port):
    """As many weeks, one request after the other, as a program on the client library alone would do."""
    ib = ib_insync.IB()
    ib.connect('127.0.0.1', port, clientId=2)
    contract = ib.qualifyContracts(ib_insync.Stock('AAPL', 'SMART', 'USD'))[0]
    bars = []
    for week in range(5):
        end = min(FIRST + datetime.timedelta(weeks=week + 1), LAST).strftime('%Y%m%d-%H:%M:%S')
        bars += ib.reqHistoricalData(contract, end, '1 W', '1 min', 'TRADES', False, 2)
    ib.disconnect()
    return bars


def write(data, path):
    with open(path, 'w', newline='') as lines:
        rows = csv.writer(lines)
        for ago in range(1 - data.buflen(), 1):
            rows.writerow([bt.num2date(data.datetime[ago]).strftime('%Y-%m-%d %H:%M:%S')] + [
                line[ago] for line in (data.open, data.high, data.low, data.close, data.volume)])


def main():
    with served() as port:
        through_the_library(port)
        data, ours = timed(through_the_library, port)
        bars, theirs = timed(raw, port)
    handle, path = tempfile.mkstemp('.csv')
    os.close(handle)
    write(data, path)
    feed = bt.feeds.GenericCSVData(dataname=path, timeframe=bt.TimeFrame.Minutes, openinterest=-1)
    _, file = timed(run, feed)
    os.remove(path)
    print('{} bars: {:.2f} s through the library; raw {} {:.2f} s ({:.2f} times); backtrader from a CSV file {:.2f} s '
          '({:.2f} times)'.format(data.buflen(), ours, len(bars), theirs, ours / theirs, file, ours / file))


main()
