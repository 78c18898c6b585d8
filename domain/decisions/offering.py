"""What a product leaves to be agreed with each loan: its bounds, and the loans that stand for all.

How an approval keeps to it is decided in `agreeing`.
"""

from collections.abc import Iterator
from datetime import date
from itertools import product

from domain.errors import Rejected
from domain.loan.terms import (
    Conditions,
    CustomInstalment,
    RateStep,
    RepaymentMethod,
    ScheduleDayCount,
    Terms,
)
from domain.servicing.dates import add_units
from domain.servicing.terms import PRINCIPAL_MINOR_MAX

DAYS_OF_A_MONTH = 31
FIRST_DUE_DAYS_MAX = 3_660
"""Ten years from the payout to the first due date: later is a typing error."""
RATE_STEPS_MAX = 24
"""More is a table of rates and no price."""


def require_sound_choices(conditions: Conditions) -> None:
    """Refuse bounds that leave nothing to agree, or that no loan can keep."""
    fewest, most = conditions.first_due_days_min, conditions.first_due_days_max
    if not 1 <= fewest <= most <= FIRST_DUE_DAYS_MAX:
        detail = f"1 <= min <= max <= {FIRST_DUE_DAYS_MAX}"
        raise Rejected("bad_bounds", detail, "first_due_days_min")
    _require_sound_steps(conditions)
    days = conditions.due_days
    if days is None:
        return
    if not 1 <= days.earliest <= days.latest <= DAYS_OF_A_MONTH:
        detail = f"1 <= earliest <= latest <= {DAYS_OF_A_MONTH}"
        raise Rejected("bad_bounds", detail, "due_days")
    if conditions.full_term_tranches:
        raise Rejected("not_offered", "each tranche has its own full term", "due_days")
    if conditions.day_count is ScheduleDayCount.ACT_ACT_ICMA:
        detail = "ACT/ACT ICMA measures by periods from the payout"
        raise Rejected("needs_regular_periods", detail, "due_days")


def _require_sound_steps(conditions: Conditions) -> None:
    """Refuse a number of rate steps that no approval can state."""
    most = conditions.rate_steps_max
    if not 0 <= most <= RATE_STEPS_MAX:
        raise Rejected("bad_bounds", f"0 to {RATE_STEPS_MAX}", "rate_steps_max")
    if most and conditions.floating is not None:
        raise Rejected("rate_given_twice", "the rate floats already", "rate_steps_max")
    once = conditions.method in {RepaymentMethod.BULLET, RepaymentMethod.EQUAL_AMORTISATION}
    if most and (once or conditions.instalments_max == 1):
        detail = "interest is asked for once, or spread once"
        raise Rejected("not_offered", detail, "rate_steps_max")


def largest_loans(conditions: Conditions, on: date) -> Iterator[Terms]:
    """Make the largest loans that may be agreed on a day: with fewest and most of what has bounds.

    An instalment of one's own repays all at once; a schedule of one's own asks for it at the end.
    """
    days = conditions.due_days
    due_days = [None] if days is None else [days.earliest, days.latest]
    counts = (conditions.instalments_min, conditions.instalments_max)
    fixed = conditions.method is RepaymentMethod.FIXED_INSTALMENT
    custom = conditions.method is RepaymentMethod.CUSTOM
    for instalments, due_day in product(counts, due_days):
        yield Terms(
            currency=conditions.currency,
            principal_minor=conditions.amount_max_minor,
            rate_annual=conditions.rate_annual_max,
            instalments=instalments,
            due_day=due_day,
            instalment_minor=PRINCIPAL_MINOR_MAX if fixed else None,
            custom=_at_the_end(conditions, instalments, on) if custom else (),
            rate_steps=_steps(conditions, instalments),
        )


def _at_the_end(conditions: Conditions, count: int, on: date) -> tuple[CustomInstalment, ...]:
    unit, every = conditions.repayment_unit, conditions.repayment_every
    dues = [add_units(on, unit, every * number) for number in range(1, count + 1)]
    rows = [CustomInstalment(due_on=due, principal_minor=0) for due in dues[:-1]]
    return (*rows, CustomInstalment(due_on=dues[-1]))


def _steps(conditions: Conditions, instalments: int) -> tuple[RateStep, ...]:
    """Make as many steps as may be agreed, each after one instalment more."""
    count = min(conditions.rate_steps_max, instalments - 1)
    rate = conditions.rate_annual_max
    return tuple(RateStep(after_instalments=n, rate_annual=rate) for n in range(1, count + 1))
