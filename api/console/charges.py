"""What a loan may be charged, and what overdue or misused principal costs, as rows of its page."""

from dataclasses import dataclass
from decimal import Decimal

from api.console.loan_standing import Standing
from domain.loan.charge_rules import ChargeRule
from domain.loan.income_terms import CapitalisedIncome
from domain.loan.terms import Conditions, PayoutFee


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedCharge:
    """One charge of the product: how much, when, and whether the cost table lists it."""

    code: str
    when: str  # a name of `charge.when`
    disclosed: bool
    amount_minor: int | None  # fixed; None: a share, or what is asked for
    percent: Decimal | None = None
    basis: str | None = None
    min_minor: int = 0
    max_minor: int | None = None
    rule: ChargeRule | None = None  # of an overdue charge: days to wait, turns, cap


def agreed_charges(standing: Standing) -> list[AgreedCharge]:
    """List the charges of the loan's product; those that are put by hand come last."""
    loan = standing.loan
    if loan is None:
        return []
    conditions, disclosed = loan.conditions, loan.disclosed_charges or ()
    computed = [
        *(_of_rule(rule, disclosed=rule.code in disclosed) for rule in conditions.charge_rules),
        *(_of_fee(fee, disclosed=fee.code in disclosed) for fee in conditions.payout_fees),
    ]
    if (income := conditions.capitalised_income) is not None:
        computed.append(_of_income(income, disclosed=income.code in disclosed))
    known = {charge.code for charge in computed}
    return [*computed, *_by_hand(conditions, disclosed, known)]


def _of_rule(rule: ChargeRule, *, disclosed: bool) -> AgreedCharge:
    fixed = rule.percent is None
    return AgreedCharge(
        code=rule.code,
        when=rule.time.value,
        disclosed=disclosed,
        amount_minor=rule.amount_minor if fixed else None,
        percent=rule.percent,
        basis=None if fixed else rule.basis.value,
        min_minor=rule.min_minor,
        max_minor=rule.max_minor,
        rule=rule,
    )


def _of_fee(fee: PayoutFee, *, disclosed: bool) -> AgreedCharge:
    fixed = fee.percent is None
    return AgreedCharge(
        code=fee.code,
        when=fee.taken.value,
        disclosed=disclosed,
        amount_minor=fee.amount_minor if fixed else None,
        percent=fee.percent,
        basis=None if fixed else "payout",
        min_minor=fee.min_minor,
        max_minor=fee.max_minor,
    )


def _of_income(income: CapitalisedIncome, *, disclosed: bool) -> AgreedCharge:
    return AgreedCharge(
        code=income.code,
        when="capitalised",
        disclosed=disclosed,
        amount_minor=None,
        max_minor=income.total_max_minor,
    )


def _by_hand(
    conditions: Conditions, disclosed: tuple[str, ...], known: set[str]
) -> list[AgreedCharge]:
    return [
        AgreedCharge(code=code, when="asked_for", disclosed=code in disclosed, amount_minor=None)
        for code in conditions.charges
        if code not in known
    ]
