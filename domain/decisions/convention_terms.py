"""What a product cannot combine of its conventions; each refusal has its code and field.

What the engine refuses by itself stands in `domain.servicing.soundness`. Sources: domain rules 0.4,
5.3, P-19, P-41, P-43, A-04 to A-09.
"""

from domain.errors import Rejected
from domain.loan.terms import (
    Conditions,
    InterestPeriod,
    MonthEnd,
    RepaymentMethod,
    Rounding,
    ScheduleDayCount,
    Unit,
)
from domain.servicing.terms import MONTHS_A_UNIT

_OWN_END = {
    RepaymentMethod.BULLET: "its one instalment ends the agreed periods",
    RepaymentMethod.FIXED_INSTALMENT: "it ends when it is repaid",
}


def require_sound_conventions(conditions: Conditions) -> None:
    """Refuse conventions that nothing would look at, or that contradict each other.

    Raises Rejected: `not_used`, `not_offered`, `needs_regular_periods`, `dates_given_twice`.
    """
    _require_sound_month_end(conditions)
    by_period = conditions.interest_period is InterestPeriod.SAME_AS_REPAYMENT_PERIOD
    if by_period and conditions.repayment_unit is Unit.DAYS:
        raise Rejected("not_used", "a period of days is counted by its days", "interest_period")
    if conditions.fixed_length is not None and conditions.method in _OWN_END:
        raise Rejected("dates_given_twice", _OWN_END[conditions.method], "fixed_length")
    mode = conditions.instalment_rounding
    if mode not in {Rounding.UP, Rounding.DOWN, Rounding.HALF_UP, conditions.interest_rounding}:
        detail = "to the nearest an instalment is rounded in the mode of interest"
        raise Rejected("not_offered", detail, "instalment_rounding")


def _require_sound_month_end(conditions: Conditions) -> None:
    """Refuse to roll due days on where none is missing, or where a term says where they go."""
    if conditions.month_end is MonthEnd.LAST_DAY_OF_MONTH:
        return
    if conditions.repayment_unit not in MONTHS_A_UNIT:
        raise Rejected("not_used", f"every {conditions.repayment_unit}", "month_end")
    if conditions.method is RepaymentMethod.CUSTOM:
        raise Rejected("not_used", "the list has its own dates", "month_end")
    if conditions.due_days is not None:
        detail = "an agreed day that a month lacks is its last day"
        raise Rejected("not_offered", detail, "month_end")
    if conditions.full_term_tranches:
        detail = "each tranche counts from its own start"
        raise Rejected("not_offered", detail, "month_end")
    if conditions.day_count is ScheduleDayCount.ACT_ACT_ICMA:
        detail = "ACT/ACT ICMA measures by periods that end with their months"
        raise Rejected("needs_regular_periods", detail, "month_end")
