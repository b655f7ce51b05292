"""The records that cross the threads."""
import pytest

from backtrader_ib_insync import messages

RECORDS = [made for made in vars(messages).values() if isinstance(made, type) and hasattr(made, '_fields')]


def test_there_are_records():
    assert len(RECORDS) > 15


@pytest.mark.parametrize('record', RECORDS, ids=lambda record: record.__name__)
def test_a_record_cannot_be_changed_and_says_what_it_is(record):
    made = record(*range(len(record._fields)))
    for name in record._fields:
        with pytest.raises(AttributeError):
            setattr(made, name, 1)
    assert record.__doc__ and not record.__doc__.startswith(record.__name__ + '(') or record.__name__ == 'AccountValue'


def test_a_notice_has_the_names_of_backtraders_messages_and_reads_well():
    notice = messages.Notice(-1, 2104, 'Market data farm connection is OK')
    assert (notice.id, notice.errorCode, notice.errorMsg) == (-1, 2104, 'Market data farm connection is OK')
    assert str(notice) == '2104 Market data farm connection is OK'
    assert str(messages.Notice(5, 201, 'no')) == '201 no (id 5)'
    assert str(messages.Notice(-1, 0, 'a word')) == 'a word'
