"""An account of one currency that trades contracts of another: what the numbers are in is said."""
import stage


def said(run):
    return [said for said in run.said if 'counts in' in said]


def test_p81_a_feed_in_another_currency_than_the_accounts_is_told_of_once_before_anything_is_ordered():
    with stage.open(gateway={'currency': 'JPY'}, datanames=('AAPL-STK-SMART-USD', 'MSFT-STK-SMART-USD')) as run:
        text, = run.until(lambda: said(run))
        assert 'JPY' in text and 'USD' in text and 'order_target_percent' in text
        run.do(lambda s: s.order_target_size(target=10))
        run.until(lambda: run.position().size == 10)
        assert said(run) == [text]


def test_p81_the_accounts_own_currency_is_nothing_to_tell():
    with stage.open() as run:
        run.do(lambda s: None)
        run.until(lambda: run.bars > 3)
        assert said(run) == []
