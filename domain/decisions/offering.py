"""What a product leaves to be agreed with each loan: its bounds, and the loans that stand for all.

How an approval keeps to it is decided in `agreeing`.
"""

from collections.abc import Iterator
from itertools import product

from domain.errors import Rejected
from domain.loan.terms import Conditions, ScheduleDayCount, Terms

DAYS_OF_A_MONTH = 31
FIRST_DUE_DAYS_MAX = 3_660
"""Ten years from the payout to the first due date: later is a typing error."""


def require_sound_choices(conditions: Conditions) -> None:
    """Refuse bounds that leave nothing to agree, or that no loan can keep."""
    fewest, most = conditions.first_due_days_min, conditions.first_due_days_max
    if not 1 <= fewest <= most <= FIRST_DUE_DAYS_MAX:
        detail = f"1 <= min <= max <= {FIRST_DUE_DAYS_MAX}"
        raise Rejected("bad_bounds", detail, "first_due_days_min")
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


def largest_loans(conditions: Conditions) -> Iterator[Terms]:
    """Make the largest loans that may be agreed: with fewest and most of whatever has bounds."""
    days = conditions.due_days
    due_days = [None] if days is None else [days.earliest, days.latest]
    counts = (conditions.instalments_min, conditions.instalments_max)
    for instalments, due_day in product(counts, due_days):
        yield Terms(
            currency=conditions.currency,
            principal_minor=conditions.amount_max_minor,
            rate_annual=conditions.rate_annual_max,
            instalments=instalments,
            due_day=due_day,
        )
