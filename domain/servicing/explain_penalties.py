"""Why the penalty and compound interest of an instalment are what they are (罚息, 复利).

The parts add up to the figure exactly. It computes nothing anew. Source: domain rules, 5.4, 9.18.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

from domain.daycount import DayCount
from domain.money import WIDE_CONTEXT, to_minor
from domain.servicing.account import Account
from domain.servicing.row import PenaltyInterest, PenaltyStretch


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyExplained:
    """Penalties of an instalment, minor units: each the stretches of its kind, rounded once."""

    instalment: int
    due_on: date
    stretches: tuple[PenaltyStretch, ...]
    basis: DayCount
    rounding: str
    penalty_minor: int
    compound_minor: int


def explain_penalties(account: Account) -> tuple[PenaltyExplained, ...]:
    """Explain the penalties of every row that bore any, up to the day the account is shown of."""
    terms = account.terms
    if terms.penalty is None:
        return ()
    return tuple(
        PenaltyExplained(
            instalment=row.number,
            due_on=row.due_on,
            stretches=found.stretches,
            basis=terms.penalty.day_count,
            rounding=terms.interest_rounding,
            penalty_minor=_rounded(found, "penalty", terms.interest_rounding),
            compound_minor=_rounded(found, "compound", terms.interest_rounding),
        )
        for row in account.ledger.rows
        if (found := row.penalty_interest) is not None and found.stretches
    )


def decimal_of(exact: Fraction) -> Decimal:
    """Write an exact amount with as many digits as sums of money are kept with."""
    with localcontext(WIDE_CONTEXT):
        return Decimal(exact.numerator) / exact.denominator


def _rounded(found: PenaltyInterest, kind: str, mode: str) -> int:
    earned = sum((s.earned for s in found.stretches if s.kind == kind), Fraction(0))
    with localcontext(WIDE_CONTEXT):
        return to_minor(decimal_of(earned), mode)
