"""The client library as we use it: what is heard before it handles a message, and what of it is not believed."""
import asyncio
import logging
import os

import pytest

from backtrader_ib_insync import insync


class Listener:
    """Keeps what it is told, by name."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *args: self.told.append((name,) + args)


@pytest.fixture
def tapped():
    """A TappedIB with no socket, and those who listen to it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    ib = insync.TappedIB(Listener(), Listener())
    ib.wrapper.clientId = 1
    yield ib
    asyncio.set_event_loop(None)
    loop.close()


def working(ib, status='Submitted'):
    """An order that the library holds to be alive."""
    made = insync.IB.placeOrder.__globals__
    trade = made['Trade'](insync.Contract(conId=1), insync.Order(orderId=5, clientId=1),
                          made['OrderStatus'](orderId=5, status=status))
    ib.wrapper.trades[(1, 5)] = trade
    return trade


def test_the_library_is_the_one_that_was_asked_for():
    assert insync.LIBRARY == os.environ.get(insync.ENVIRONMENT, insync.LIBRARY)
    assert insync.LIBRARY in insync.KNOWN and insync.IB.__module__.startswith(insync.LIBRARY)


@pytest.mark.client_errors
def test_an_unrouted_answer_is_left_to_the_library(tapped, caplog):
    """Which says that it does not know what it answers; of an end it knows nothing to say."""
    tapped.wrapper.tickSize(77, 8, 5.0)
    tapped.wrapper.contractDetailsEnd(78)
    assert 'Unknown reqId: 77' in caplog.text and not tapped.wrapper.link.told


def test_a_routed_answer_goes_to_its_stream_alone(tapped):
    stream = tapped.routes[77] = Listener()
    tapped.wrapper.tickString(77, 48, '1;1;1;1;1;true')
    tapped.wrapper.realtimeBar(77, 1, 2.0, 3.0, 1.0, 2.0, 5.0, 2.0, 1)
    assert [told[0] for told in stream.told] == ['tickString', 'realtimeBar']
    assert not tapped.wrapper.link.told


@pytest.mark.parametrize('name, args', [('nextValidId', (7,)), ('currentTime', (1000,))])
def test_the_link_is_heard_first(tapped, name, args):
    getattr(tapped.wrapper, name)(*args)
    assert tapped.wrapper.link.told[0] == (name,) + args


def test_an_error_is_told_to_the_link_and_to_its_stream(tapped):
    stream = tapped.routes[77] = Listener()
    tapped.wrapper.error(77, 354, 'not subscribed', '')
    assert tapped.wrapper.link.told == [('error', 77, 354, 'not subscribed', '')]
    assert stream.told == [('error', 354, 'not subscribed')]


@pytest.mark.parametrize('code, text', [(399, 'your order will not be placed until'), (2109, 'outsideRth is ignored'),
                                        (10349, 'Order TIF was set to DAY'), (404, 'held while we locate')])
def test_p59_a_code_that_informs_does_not_cancel(tapped, code, text):
    trade = working(tapped)
    tapped.wrapper.error(5, code, text, '')
    assert trade.orderStatus.status == 'Submitted'
    assert tapped.wrapper.link.told[0][:3] == ('error', 5, code)


def test_p59_a_rejection_does(tapped):
    trade = working(tapped, 'PendingSubmit')
    tapped.wrapper.error(5, 201, 'Order rejected - reason:no', '')
    assert trade.orderStatus.status == 'Cancelled'


@pytest.mark.client_errors
def test_p13_a_message_the_library_cannot_read_is_heard():
    told = []
    ear = insync.LogEar(told.append)
    ear.open()
    try:
        logging.getLogger(insync.LIBRARY + '.Decoder').error('Error handling fields: %s', ['4', 'x'])
        logging.getLogger(insync.LIBRARY + '.Decoder').info('all is well')
    finally:
        ear.close()
    logging.getLogger(insync.LIBRARY + '.Decoder').error('after the end')
    assert told == ["Error handling fields: ['4', 'x']"]


def test_completed_orders_that_nobody_waits_for_any_more_are_heard_and_no_error(tapped):
    """TWS lists them to a question that was given up when IB came back twice."""
    order, state = insync.Order(permId=7), insync.IB.placeOrder.__globals__['OrderStatus'](status='Filled')
    tapped.wrapper.completedOrder(insync.Contract(conId=1), order, state)
    (name, _, heard, _), = tapped.wrapper.account.told
    assert (name, heard.permId) == ('completedOrder', 7) and 7 not in tapped.wrapper.trades
    tapped.wrapper.startReq('completedOrders')
    tapped.wrapper.completedOrder(insync.Contract(conId=1), order, state)
    assert 7 in tapped.wrapper.trades
