from backtrader_ib_insync.simulator.link import Link


def test_bytes_leave_at_once():
    link = Link()
    link.put(b'abc')
    assert link.next_time(5.0) == 5.0
    assert link.take(5.0) == b'abc'
    assert link.take(5.0) == b'' and link.is_empty() and link.next_time(5.0) is None


def test_a_stalled_link_keeps_them_until_the_stall_is_over():
    link = Link()
    link.stall(20.0)
    link.put(b'abc')
    assert link.take(19.9) == b'' and link.next_time(10.0) == 20.0
    assert link.take(20.0) == b'abc'


def test_a_split_link_gives_a_piece_a_call():
    link = Link()
    link.split(2, 100.0)
    link.put(b'abcde')
    assert [link.take(1.0) for _ in range(4)] == [b'ab', b'cd', b'e', b'']


def test_a_split_ends():
    link = Link()
    link.split(1, 100.0)
    link.put(b'abcde')
    assert link.take(100.0) == b'abcde'


def test_a_slow_link_gives_so_many_bytes_a_second():
    link = Link()
    link.slow(10.0, 0.0, 60.0)
    link.put(b'x' * 25)
    assert len(link.take(1.0)) == 10
    assert len(link.take(1.05)) == 0
    assert len(link.take(1.5)) == 5
    assert len(link.take(60.0)) == 10


def test_dropping_half_leaves_the_first_half():
    link = Link()
    link.put(b'abcd')
    link.drop_half()
    assert link.take(0.0) == b'ab'
