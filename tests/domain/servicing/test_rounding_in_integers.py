"""Interest of a balance is rounded in integers only where the decimals would say the same."""

from datetime import date
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import WIDE_CONTEXT
from domain.servicing.conventions import Factors, RoundingPlace
from domain.servicing.period import Earning, Period, to_minor
from domain.servicing.rate_factor import EXACT, Factor

FROM, DUE = date(2024, 1, 15), date(2024, 2, 15)
MODES = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN, ROUND_UP)
BALANCES = st.integers(min_value=0, max_value=10**15)


def _earning(mode: str, digits: int) -> Earning:
    return Earning(
        flat=False,
        factors=Factors.EXACT,
        place=RoundingPlace.PER_PERIOD,
        inner=Context(prec=digits, rounding=ROUND_HALF_EVEN),
        mode=mode,
    )


def _earned(balance: int, factor: Decimal, earning: Earning) -> int:
    period = Period(FROM, DUE)
    period.subs[0].balance = balance
    period.subs[0].factor = Factor(factor, factor)
    return period.earned(earning)


def _by_decimals(balance: int, factor: Decimal, earning: Earning) -> int:
    exact = EXACT.multiply(Decimal(balance), factor)
    return max(0, to_minor(earning.inner.plus(exact), earning.mode))


@pytest.mark.property
@given(
    BALANCES,
    st.decimals(min_value="-0.01", max_value="1.5", allow_nan=False, allow_infinity=False),
    st.sampled_from(MODES),
    st.sampled_from([9, 12, 19, 28]),
)
def test_any_balance_earns_what_the_decimals_say(
    balance: int, factor: Decimal, mode: str, digits: int
) -> None:
    earning = _earning(mode, digits)
    factor = WIDE_CONTEXT.plus(factor)
    assert _earned(balance, factor, earning) == _by_decimals(balance, factor, earning)


@pytest.mark.property
@given(
    st.integers(min_value=1, max_value=10**15),
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=-(10**6), max_value=10**6),
    st.sampled_from(MODES),
    st.sampled_from([9, 12, 19, 28]),
)
def test_a_balance_that_earns_about_half_a_unit_does_too(
    balance: int, whole: int, off: int, mode: str, digits: int
) -> None:
    """A factor that is cut off at 40 digits still gives half a cent as half a cent."""
    wanted = EXACT.add(Decimal(whole) + Decimal("0.5"), Decimal(off).scaleb(-18))
    factor, earning = WIDE_CONTEXT.divide(wanted, Decimal(balance)), _earning(mode, digits)
    assert _earned(balance, factor, earning) == _by_decimals(balance, factor, earning)


def test_most_balances_are_rounded_in_integers_and_none_by_another_mode() -> None:
    assert _earning(ROUND_HALF_UP, 19).integers_below == 10**16 << 8
    assert _earning(ROUND_UP, 19).integers_below == 0
