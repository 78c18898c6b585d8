"""What a product cannot say about arrears: tolerances that no instalment could ever exceed.

Domain rules 2.1, P-60. Loans are not judged here.
"""

from decimal import Decimal

from domain.errors import Rejected
from domain.loan.terms import Conditions

FIELD = "arrears"
PERCENT_MAX = Decimal(100)
PERCENT_DIGITS_MAX = 10  # after the point: more is no agreement, and no exact share
TOLERANCE_DAYS_MAX = 366
DAYS_OF_A_MONTH = 31


def require_sound_arrears(conditions: Conditions) -> None:
    """Refuse a tolerance below nothing or beyond all that is owed. Raises Rejected `bad_bounds`."""
    if conditions.arrears_tolerance_minor < 0:
        raise Rejected("bad_bounds", "not below zero", "arrears_tolerance")
    agreed = conditions.arrears
    if agreed is None:
        return
    percent, day = agreed.tolerance_percent, agreed.tolerance_day
    exponent = percent.as_tuple().exponent
    exact = isinstance(exponent, int) and -exponent <= PERCENT_DIGITS_MAX
    if not exact or not 0 <= percent < PERCENT_MAX:
        detail = f"0 to below {PERCENT_MAX} %, {PERCENT_DIGITS_MAX} digits after the point"
        raise Rejected("bad_bounds", detail, FIELD)
    if not 0 <= agreed.tolerance_days <= TOLERANCE_DAYS_MAX:
        raise Rejected("bad_bounds", f"0 to {TOLERANCE_DAYS_MAX} days", FIELD)
    if not 0 <= agreed.grace_days <= TOLERANCE_DAYS_MAX:
        raise Rejected("bad_bounds", f"0 to {TOLERANCE_DAYS_MAX} days of grace", FIELD)
    if day is not None and not 1 <= day <= DAYS_OF_A_MONTH:
        raise Rejected("bad_bounds", f"a day of the month, 1 to {DAYS_OF_A_MONTH}", FIELD)
