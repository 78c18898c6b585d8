"""Chinese overdue interest (罚息) and compound interest (复利): rates, bands, the cap.

The figures are defaults of a versioned policy that a loan records, not law in code (domain rules,
0.2 and 5.4). `penalising` lets them run.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from domain.daycount import DayCount
from domain.money import INTEREST_CONTEXT

ADDITIVE = frozenset({DayCount.ACT_360, DayCount.ACT_364, DayCount.ACT_365F, DayCount.ACT_ACT_ISDA})
"""Day counts whose stretches add up however they are cut: looking on a day changes nothing."""


class Breach(StrEnum):
    """What makes a penalty rate run."""

    OVERDUE = "overdue"  # 逾期
    MISUSE = "misuse"  # 擅自改变资金用途


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyPolicy:
    """The markups on the contract rate that a lender may agree, both ends included, as fractions.

    The defaults are PBC 银发[2003]251号, article 3.
    """

    overdue_from: Decimal = Decimal("0.30")
    overdue_to: Decimal = Decimal("0.50")
    misuse_from: Decimal = Decimal("0.50")
    misuse_to: Decimal = Decimal("1.00")
    compound_on_penalty: bool = False  # contested in court: only a product's choice turns it on


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyTerms:
    """What one loan agreed: markups on the contract rate, as fractions (0.5 is +50 %)."""

    overdue_markup: Decimal
    misuse_markup: Decimal
    day_count: DayCount = DayCount.ACT_360  # Chinese banks: daily rate = annual / 360 (rules, 5.1)
    compounds: bool = True  # whether unpaid interest bears the penalty rate too (复利)
    policy: PenaltyPolicy = PenaltyPolicy()


def outside_band(terms: PenaltyTerms) -> Iterator[str]:
    """Return what is wrong with each markup that its band does not allow (domain rules, 5.4)."""
    policy = terms.policy
    agreed = (
        ("overdue_markup", terms.overdue_markup, policy.overdue_from, policy.overdue_to),
        ("misuse_markup", terms.misuse_markup, policy.misuse_from, policy.misuse_to),
    )
    for name, markup, low, high in agreed:
        if not low <= markup <= high:
            yield f"{name} must be {low} to {high}, not {markup}"


def penalty_rate(
    rate_annual: Decimal, terms: PenaltyTerms, breaches: Collection[Breach]
) -> Decimal:
    """Return the rate that runs: the heavier markup where both breaches stand, never their sum.

    No breach: the contract rate (domain rules, 5.4).
    """
    markup = {Breach.OVERDUE: terms.overdue_markup, Breach.MISUSE: terms.misuse_markup}
    heaviest = max((markup[breach] for breach in breaches), default=Decimal(0))
    with localcontext(INTEREST_CONTEXT):
        return rate_annual * (1 + heaviest)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCap:
    """The highest total a year of interest, penalties and fees may reach, as a fraction."""

    rate_annual: Decimal


def consumer_cap() -> RateCap:
    """Return the 24 % above which courts cut a financial institution's total (rules, 5.4)."""
    return RateCap(rate_annual=Decimal("0.24"))


def private_lending_cap(lpr_1y_at_contract: Decimal) -> RateCap:
    """Return four times the one-year LPR at the contract's date (domain rules, 5.4)."""
    with localcontext(INTEREST_CONTEXT):
        return RateCap(rate_annual=4 * lpr_1y_at_contract)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capped:
    """A charge before and after the cap, in minor units; they differ where the cap bit."""

    uncapped_minor: int
    capped_minor: int


def cap_charge(wanted_minor: int, charged_minor: int, allowed_minor: int) -> Capped:
    """Cut a charge so that all charged so far and this one stay within what the cap allows.

    `allowed_minor` is the cap's own interest on the principal used, rounded down. Raises ValueError
    for a negative amount (domain rules, 5.4).
    """
    if min(wanted_minor, charged_minor, allowed_minor) < 0:
        raise ValueError("amounts of a cap are not negative")
    room = max(allowed_minor - charged_minor, 0)
    return Capped(uncapped_minor=wanted_minor, capped_minor=min(wanted_minor, room))
