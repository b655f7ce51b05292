"""Faults at random moments: scripts that hypothesis draws, and the way of a stepped run through one.

A script is the seconds of market time before the run begins, and holes: the waits before one, its fault and how long
that lasts, and whether the next thing happens before all that this one led to has been done.
"""
import stepped
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

#: holes in a script; examples times these (and a start) are the cut points
HOLES = 4


def lengths(longest):
    """Seconds of market time, to the millisecond."""
    return st.integers(1, int(longest * 1000)).map(lambda milliseconds: milliseconds / 1000)


def scripts(wait, hole):
    """Scripts whose single waits and holes last up to so many seconds."""
    faults = st.one_of(
        st.tuples(st.sampled_from([('cut', 'fin'), ('cut', 'rst'), ('cut', 'mid')]),
                  st.one_of(st.just(0.0), lengths(hole))),
        st.tuples(st.sampled_from([('lost', 'data'), ('lost', 'kept'), ('broken',), ('farm', 'data'),
                                   ('farm', 'data', 'dead')]), lengths(hole)))
    waits = st.lists(lengths(wait), min_size=1, max_size=3)
    return st.tuples(lengths(stepped.MINUTE), st.lists(
        st.tuples(waits, faults, st.booleans()), min_size=HOLES, max_size=HOLES))


def in_random(scripts, examples):
    """Runs a test, whose last argument is a script, with so many of them: the same in every run."""
    return lambda test: settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck))(given(scripts)(test))


def words(fault, length):
    """The fault's lines: a cut goes with a time in which there is no gateway."""
    if fault[0] == 'cut':
        return [('refuse', length)] * bool(length) + [fault]
    if fault[0] == 'farm':
        return [('farm', 'data', length) + fault[2:]]
    return [(fault[0], length) + fault[1:]]


def play(run, holes, until_live=stepped.Run.until_live):
    """Go through the waits and holes of a script; `until_live(run)` waits till every feed is live and all is done."""
    for waits, (fault, length), hasty in holes:
        for wait in waits:
            run.step(wait)
        lines = words(fault, length)
        if hasty:
            for line in lines:
                run.gateway.fault(*line)
        else:
            run.break_link(*lines)
        run.gateway.advance(length)
        if not hasty:
            until_live(run)
    until_live(run)


def cut_at(market, script, *feeds):
    """Play a script over feeds of bars and hold what they delivered against the truth."""
    begun, holes = script
    begin = stepped.in_session(market)
    market.advance(begun)
    with stepped.Run(market, stepped.added(begin, *feeds)) as run:
        play(run, holes)
        to_the_end(run, max(one.length for one in feeds))
        for number, one in enumerate(feeds):
            assert run.bars[number][0][0] <= begin, run.story[number][:5]
            one.is_true(run, number)


def to_the_end(run, seconds):
    """To where a bar of so many seconds that was watched from its start must have come."""
    now = run.gateway.now()
    run.go_to((now // seconds + 2) * seconds + stepped.LATE + 1.0)
    run.wait_for_history()
