import pytest

from backtrader_ib_insync.simulator import options

YEAR = options.YEAR


def test_a_known_value():
    call = options.worth(100.0, 100.0, 'C', YEAR, 0.2)
    assert call.price == pytest.approx(7.9656, abs=1e-4)
    assert call.delta == pytest.approx(0.5398, abs=1e-4)
    assert call.vega == pytest.approx(0.3970, abs=1e-4)


def test_put_and_call_are_in_parity():
    call, put = (options.worth(213.0, 200.0, right, 30 * 86400, 0.25) for right in ('C', 'PUT'))
    assert call.price - put.price == pytest.approx(13.0)
    assert call.delta - put.delta == pytest.approx(1.0)
    assert call.theta < 0 and call.gamma > 0


def test_at_expiry_only_the_intrinsic_value_is_left():
    assert options.worth(213.0, 200.0, 'C', 0, 0.25)[:3] == (13.0, 0.25, 1.0)
    assert options.worth(213.0, 200.0, 'P', -1, 0.25)[:3] == (0.0, 0.25, 0.0)
