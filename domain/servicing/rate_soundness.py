"""What a rate, its steps, its reference or a day count cannot be. It looks at terms only."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from domain.daycount import DayCount
from domain.servicing.conventions import Factors
from domain.servicing.floating import BASIS_POINTS, FloatingRate
from domain.servicing.penalty import ADDITIVE, PenaltyTerms, outside_band
from domain.servicing.term_parts import Refusal, Unsound
from domain.servicing.terms import MONTHS_A_UNIT, RATE_ANNUAL_MAX, LoanTerms
from domain.servicing.values import Amortisation, InterestPeriod, OverdueInterest, Unit

PARTS_OF_A_YEAR = frozenset({1, 2, 3, 4, 6, 12})  # months of a regular ICMA period
OWN_DATES = frozenset({Amortisation.CUSTOM})


def measures_periods(day_count: DayCount | None, unit: Unit, every: int) -> bool:
    """Whether a day count can measure such periods: ACT/ACT ICMA needs parts of a year."""
    if day_count is not DayCount.ACT_ACT_ICMA:
        return True
    return MONTHS_A_UNIT.get(unit, 0) * every in PARTS_OF_A_YEAR


def rate_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    """Return the reasons one by one."""
    if not _is_a_rate(terms.rate_annual):
        yield _no("rate_annual", Unsound.RATE_OUT_OF_RANGE, f"0 to {RATE_ANNUAL_MAX} a year")
    yield from _step_refusals(terms)
    if terms.penalty is not None:
        yield from _penalty_refusals(terms, terms.penalty)
    if terms.floating is not None:
        yield from _floating_refusals(terms, terms.floating)
    if terms.day_count is not None:
        yield from _day_count_refusals(terms, terms.day_count)


def _no(field: str, code: Unsound, reason: str) -> Refusal:
    return Refusal(field=field, code=code, reason=reason)


def _is_a_rate(rate: Decimal) -> bool:
    return rate.is_finite() and 0 <= rate <= RATE_ANNUAL_MAX


def _step_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    steps = terms.rate_steps
    if not steps:
        return
    if terms.cumulative:
        yield _no("rate_steps", Unsound.NOT_OFFERED, "needs a progressive schedule")
    if terms.floating is not None:
        yield _no("rate_steps", Unsound.RATE_GIVEN_TWICE, "the rate floats already")
    if not all(_is_a_rate(step.rate_annual) for step in steps):
        yield _no("rate_steps", Unsound.RATE_OUT_OF_RANGE, f"0 to {RATE_ANNUAL_MAX} a year")
    periods = 1 if terms.amortisation is Amortisation.BULLET else terms.instalments
    numbers = [0, *(step.after_instalments for step in steps), periods]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        reason = f"each after more instalments than the one before, within {periods}"
        yield _no("rate_steps", Unsound.COUNT_OUT_OF_RANGE, reason)


def _floating_refusals(terms: LoanTerms, floating: FloatingRate) -> Iterator[Refusal]:
    if terms.cumulative:
        yield _no("floating", Unsound.NOT_OFFERED, "needs a progressive schedule")
    if terms.amortisation is Amortisation.EQUAL_AMORTISATION:
        yield _no("floating", Unsound.NOT_OFFERED, "equal amortisation spreads interest once")
    if not floating.reference.strip():
        yield _no("floating", Unsound.FIELD_MISSING, "which reference rate?")
    if abs(floating.spread_bps) > RATE_ANNUAL_MAX * BASIS_POINTS:
        yield _no("floating", Unsound.RATE_OUT_OF_RANGE, f"a spread above {RATE_ANNUAL_MAX}")
    bounds = [b for b in (floating.floor_annual, floating.cap_annual) if b is not None]
    if not all(_is_a_rate(bound) for bound in bounds):
        yield _no("floating", Unsound.RATE_OUT_OF_RANGE, f"0 to {RATE_ANNUAL_MAX} a year")
    elif bounds != sorted(bounds):
        yield _no("floating", Unsound.FLOOR_ABOVE_CAP, f"{bounds[0]} is above {bounds[1]}")
    if not terms.rate_annual:
        yield _no("rate_annual", Unsound.RATE_OUT_OF_RANGE, "a floating rate begins above zero")


def _penalty_refusals(terms: LoanTerms, penalty: PenaltyTerms) -> Iterator[Refusal]:
    for reason in outside_band(penalty):
        yield _no("penalty", Unsound.PENALTY_RATE_OUTSIDE_BAND, reason)
    if penalty.day_count not in ADDITIVE:
        yield _no("penalty", Unsound.NOT_OFFERED, f"penalties are counted by {sorted(ADDITIVE)}")
    if terms.cumulative:
        yield _no("penalty", Unsound.NOT_OFFERED, "needs a progressive schedule")
    if terms.recalculates and terms.overdue_interest is OverdueInterest.EARNS:
        reason = "overdue principal earns its penalty rate: let it earn no other"
        yield _no("overdue_interest", Unsound.RATE_GIVEN_TWICE, reason)


def _day_count_refusals(terms: LoanTerms, day_count: DayCount) -> Iterator[Refusal]:
    if terms.cumulative:
        yield _no("day_count", Unsound.NOT_OFFERED, "needs a progressive schedule")
    if terms.factors is Factors.ROUNDED:
        yield _no("day_count", Unsound.NOT_OFFERED, "rounded factors are proportional")
    if terms.interest_period is InterestPeriod.SAME_AS_REPAYMENT_PERIOD:
        yield _no("day_count", Unsound.NOT_OFFERED, "interest is counted by whole periods")
    if day_count is DayCount.ACT_ACT_ICMA:
        regular = measures_periods(day_count, terms.repayment_unit, terms.repayment_every)
        if not regular or terms.amortisation in OWN_DATES or terms.explicit_periods:
            reason = "ACT/ACT ICMA needs regular periods of 1, 2, 3, 4, 6 or 12 months"
            yield _no("day_count", Unsound.NEEDS_REGULAR_PERIODS, reason)
