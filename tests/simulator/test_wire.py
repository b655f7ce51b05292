"""Frames, fields and the hello, whole and in pieces."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrader_ib_insync.simulator import wire

texts = st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'))


def test_a_frame_is_a_length_and_terminated_fields():
    assert wire.frame(['71', '2', '', '5']) == b'\0\0\0\x08' + b'71\x002\x00\x005\x00'


def test_a_frame_without_fields_is_empty():
    assert wire.frame([]) == b'\0\0\0\0'


def test_an_iterator_of_fields_will_do():
    assert wire.frame(iter(['1'])) == wire.frame(['1'])


@given(st.lists(st.lists(texts, min_size=1)), st.lists(st.integers(1, 50), min_size=1))
def test_any_cut_of_the_bytes_gives_the_same_messages(messages, cuts):
    data = b''.join(map(wire.frame, messages))
    reader, read = wire.Reader(), []
    while data:
        for cut in cuts:
            reader.feed(data[:cut])
            data = data[cut:]
            read.extend(wire.fields(payload) for payload in reader)
    assert read == messages


def test_the_hello_arrives_byte_by_byte():
    reader, read = wire.Reader(expects_hello=True), []
    for byte in b'API\0' + b'\0\0\0\x09v157..176' + wire.frame(['71', '2', '0', '']):
        reader.feed(bytes([byte]))
        read.extend(reader)
    assert read == [b'v157..176', b'71\x002\x000\x00\x00']


def test_next_frame_is_none_until_it_is_complete():
    reader = wire.Reader()
    reader.feed(b'\0\0\0\x02')
    assert reader.next_frame() is None
    reader.feed(b'1\0')
    assert reader.next_frame() == b'1\0'


@pytest.mark.parametrize('payload, offer', [
    (b'v157..176', (157, 176, '')),
    (b'v100..157', (100, 157, '')),
    (b'v157..178 +PACEAPI', (157, 178, '+PACEAPI')),
    (b'v157', (157, 157, ''))])
def test_what_clients_offer(payload, offer):
    assert wire.parse_hello(payload) == offer


@pytest.mark.parametrize('payload', [b'', b'157', b'v', b'v157..', b'GET / HTTP/1.1', b'\xff\xfe'])
def test_an_offer_that_is_none_says_what_is_expected(payload):
    with pytest.raises(wire.ProtocolError, match='v157..178 is expected'):
        wire.parse_hello(payload)


def test_a_browser_is_not_taken_for_a_client():
    reader = wire.Reader(expects_hello=True)
    reader.feed(b'GET / HTTP/1.1\r\n')
    with pytest.raises(wire.ProtocolError, match='GET '):
        reader.next_frame()


def test_a_wrong_hello_is_noticed_at_its_first_wrong_byte():
    reader = wire.Reader(expects_hello=True)
    reader.feed(b'AX')
    with pytest.raises(wire.ProtocolError):
        reader.next_frame()


def test_an_absurd_length_is_refused_before_its_bytes_come():
    reader = wire.Reader()
    reader.feed(b'\x7f\xff\xff\xff')
    with pytest.raises(wire.ProtocolError, match='2147483647 bytes'):
        reader.next_frame()


def test_a_message_too_long_to_send_is_refused():
    with pytest.raises(wire.ProtocolError, match='longer than'):
        wire.frame(['x' * wire.MAX_FRAME])


def test_a_field_must_not_hold_the_terminator():
    with pytest.raises(wire.ProtocolError, match='NUL'):
        wire.frame(['a\0b'])


def test_a_payload_ends_with_nul():
    with pytest.raises(wire.ProtocolError, match='does not end with NUL'):
        wire.fields(b'71\x002')


def test_bytes_that_are_no_text_stay_visible():
    assert wire.fields(b'1\0\xff\0') == ['1', '\\xff']
