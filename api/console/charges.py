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
        *(_computed(x, x.time, x.basis, disclosed) for x in conditions.charge_rules),
        *(_computed(x, x.taken, "payout", disclosed) for x in conditions.payout_fees),
    ]
    if (income := conditions.capitalised_income) is not None:
        computed.append(_of_income(income, disclosed=income.code in disclosed))
    known = {charge.code for charge in computed}
    return [*computed, *_by_hand(conditions, disclosed, known)]


def _computed(
    of: ChargeRule | PayoutFee, when: str, basis: str, disclosed: tuple[str, ...]
) -> AgreedCharge:
    fixed = of.percent is None
    return AgreedCharge(
        code=of.code,
        when=when,
        disclosed=of.code in disclosed,
        amount_minor=of.amount_minor if fixed else None,
        percent=of.percent,
        basis=None if fixed else basis,
        min_minor=of.min_minor,
        max_minor=of.max_minor,
        rule=of if isinstance(of, ChargeRule) else None,
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
