import pytest
from conversation import AT, Talk, talk

from backtrader_ib_insync.simulator.gateway import Gateway


@pytest.fixture
def gateway():
    return Gateway(now=AT)


@pytest.mark.parametrize('highest, agreed', [(157, 157), (158, 157), (159, 159), (176, 176), (225, 178)])
def test_the_lower_of_both_versions_is_taken_but_never_158(highest, agreed):
    talk = Talk(Gateway(now=AT, server_version=178), version=highest, starts=False)
    assert talk.handshake == [[str(agreed), '20241120 10:00:00 US/Eastern']]


def test_a_client_that_is_too_old_is_sent_away(gateway):
    assert Talk(gateway, version=156, starts=False).session.closing == 'fin'


def test_nothing_is_said_before_the_api_is_started(gateway):
    talk = Talk(gateway, starts=False)
    assert talk.hear() == []
    talk.say(71, 2, 7, '')
    greeting = talk.hear()
    assert greeting[:2] == [['15', '1', 'U1234567'], ['9', '1', '1']]
    assert [fields[2:4] for fields in greeting[2:]] == [['-1', '2104'], ['-1', '2106'], ['-1', '2158']]
    assert list(gateway.clients) == [7]


def test_a_request_before_the_start_is_refused(gateway):
    talk = Talk(gateway, starts=False)
    talk.say(49, 1)
    assert talk.errors() == [(-1, 321)]


def test_a_client_id_in_use_is_refused_and_the_socket_closed(gateway):
    Talk(gateway, 1)
    other = Talk(gateway, 1)
    assert other.errors() == [(-1, 326)] and other.session.closing == 'fin'
    gateway.disconnect(gateway.clients[1])
    assert Talk(gateway, 1).errors()[0] == (-1, 2104)


def test_messages_may_come_in_pieces():
    one = talk()
    whole = b'\0\0\0\x0549\x001\0'
    for number in range(len(whole)):
        assert one.hear() == []
        one.session.receive_data(whole[number:number + 1])
    assert one.hear() == [['49', '1', str(int(AT))]]


def test_what_cannot_be_read_is_answered_with_320():
    one = talk()
    one.say(97, 'nonsense')
    assert one.errors() == [(-1, 320)]
    one.say(4711, 'what')
    assert one.errors() == [(-1, 321)]


def test_bytes_that_are_no_messages_end_the_conversation():
    one = talk()
    one.session.receive_data(b'\xff\xff\xff\xff')
    assert one.session.closing == 'fin'


def test_more_than_fifty_messages_a_second_are_refused_by_the_wall_clock():
    one = talk()
    for _ in range(60):
        one.say(49, 1)
    answers = one.hear()
    assert len([fields for fields in answers if fields[0] == '49']) == 49
    assert {fields[3] for fields in answers if fields[0] == '4'} == {'100'}
    one.gateway.advance(AT, wall=AT + 2)
    one.say(49, 1)
    assert one.hear() == [['49', '1', str(int(AT))]]
