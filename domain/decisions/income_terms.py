"""What a product may say of income that is recognised over time; a refusal has its code and field.

Sources: domain rules 9.2 P-72, P-73; 5.7 (the cost table). Loans are not judged here.
"""

from domain.errors import Rejected
from domain.loan.terms import BuyDownFee, CapitalisedIncome, Component, Conditions

RECOGNISED_AS = frozenset({Component.FEE, Component.INTEREST})


def require_sound_income(conditions: Conditions) -> None:
    """Refuse income that the cost table could not list, or that is bounded by what cannot be."""
    capitalised = conditions.capitalised_income
    if capitalised is not None:
        _require_listed(conditions, capitalised)
        _require_bounds(conditions, capitalised, "capitalised_income")
    if conditions.buy_down_fee is not None:
        _require_bounds(conditions, conditions.buy_down_fee, "buy_down_fee")


def _require_listed(conditions: Conditions, agreed: CapitalisedIncome) -> None:
    field, code = "capitalised_income", agreed.code
    if code not in conditions.charges:
        raise Rejected("unknown_charge", f"{code} is no charge of it", field)
    others = [fee.code for fee in conditions.payout_fees]
    others += [rule.code for rule in conditions.charge_rules]
    if code in others:
        raise Rejected("charge_repeated", f"{code}: each charge once", field)


def _require_bounds(
    conditions: Conditions, agreed: CapitalisedIncome | BuyDownFee, field: str
) -> None:
    if agreed.income not in RECOGNISED_AS:
        raise Rejected("not_offered", "it is recognised as a fee or as interest", field)
    most = agreed.total_max_minor
    if most is not None and not 0 < most <= conditions.amount_max_minor:
        raise Rejected("bad_bounds", "0 < total <= the largest loan", field)
