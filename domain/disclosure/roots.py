"""The one root finder of the disclosed rates: bracketed, in decimals, the same on every machine."""

from collections.abc import Callable
from decimal import Decimal

from domain.errors import Rejected

RATE_TOLERANCE = Decimal("1e-18")
"""How narrow, relative to the rate or 1, a bracket must be: far below any disclosed digit."""

RATE_MAX = Decimal(10) ** 9
"""Highest rate looked for. A week at 30 % compounds to millions of per cent, so it is not small."""

STEPS_MAX = 500
"""More than halving alone needs: a fifth of the steps halve a bracket that is 10^9 wide at most."""

_HALVE_EVERY = 5

_FIRST_GUESS = Decimal("0.01")


def rate_root(value: Callable[[Decimal], Decimal]) -> Decimal:
    """Return the rate from 0 up at which `value` falls through zero.

    `value` is present value received less present value given, from the lender's side, so that it
    is positive at rate 0 for a loan that costs something. The caller has made sure that there is
    one root only. Raises Rejected: `rate_below_zero`, `rate_too_high`.
    """
    low, at_low = Decimal(0), value(Decimal(0))
    if at_low < 0:
        raise Rejected("rate_below_zero", "the payments do not return what was advanced")
    if at_low == 0:
        return low
    high = _FIRST_GUESS
    while (at_high := value(high)) > 0:
        low, at_low = high, at_high
        high *= 2
        if high > RATE_MAX:
            raise Rejected("rate_too_high", f"the rate is above {RATE_MAX}")
    return _narrow(value, (low, at_low), (high, at_high))


_Point = tuple[Decimal, Decimal]  # rate, value


def _narrow(value: Callable[[Decimal], Decimal], low: _Point, high: _Point) -> Decimal:
    """Close the bracket by false position (Illinois), and by halving where that is too slow."""
    kept: str | None = None  # the end that the last step left in place
    for step in range(1, STEPS_MAX + 1):
        width = high[0] - low[0]
        if high[1] == 0 or width <= RATE_TOLERANCE * max(high[0], Decimal(1)):
            return high[0]
        halve = step % _HALVE_EVERY == 0
        share = Decimal("0.5") if halve else high[1] / (high[1] - low[1])
        middle = high[0] - share * width
        at_middle = value(middle)
        if at_middle > 0:
            low = (middle, at_middle)
            high = (high[0], high[1] / 2) if kept == "high" else high
            kept = "high"
        else:
            high = (middle, at_middle)
            low = (low[0], low[1] / 2) if kept == "low" else low
            kept = "low"
    raise AssertionError(f"no root within {STEPS_MAX} steps; halving alone needs fewer")
