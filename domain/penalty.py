"""Chinese overdue interest (罚息) and compound interest (复利): rates, bands, one stretch, the cap.

The figures are defaults of a versioned policy, not law in code (domain rules, 0.2 and 5.4).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum

from domain.daily_interest import DailyRate
from domain.daycount import year_fraction
from domain.errors import Rejected
from domain.money import INTEREST_CONTEXT, WIDE_CONTEXT, to_minor


class Breach(StrEnum):
    """What makes a penalty rate run."""

    OVERDUE = "overdue"  # 逾期
    MISUSE = "misuse"  # 擅自改变资金用途


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The markups on the contract rate that may be agreed, both ends included, as fractions."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyPolicy:
    """What a lender may agree. The defaults are PBC 银发[2003]251号, article 3."""

    overdue: Band = Band(low=Decimal("0.30"), high=Decimal("0.50"))
    misuse: Band = Band(low=Decimal("0.50"), high=Decimal("1.00"))
    compound_on_penalty: bool = False  # contested in court: only a product's choice turns it on


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyTerms:
    """What one loan agreed: markups on the contract rate, as fractions (0.5 is +50 %)."""

    overdue_markup: Decimal
    misuse_markup: Decimal


def check_penalty_terms(terms: PenaltyTerms, policy: PenaltyPolicy) -> None:
    """Refuse a markup outside its band (rules, 5.4): Rejected `penalty_rate_outside_band`."""
    agreed = (
        ("overdue_markup", terms.overdue_markup, policy.overdue),
        ("misuse_markup", terms.misuse_markup, policy.misuse),
    )
    for field, markup, band in agreed:
        if not band.low <= markup <= band.high:
            detail = f"the markup must be {band.low} to {band.high}, not {markup}"
            raise Rejected("penalty_rate_outside_band", detail, field)


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
class PlannedPrincipal:
    """The unpaid principal of one instalment."""

    due_on: date
    unpaid_minor: int


def overdue_principal(
    plan: Sequence[PlannedPrincipal], on: date, accelerated_on: date | None = None
) -> int:
    """Return the principal that bears penalty on a day: matured instalments only (rules, 5.4).

    From the acceleration on it is all of it; None: never accelerated. An instalment is overdue
    from the day after its due date.
    """
    everything = accelerated_on is not None and on >= accelerated_on
    return sum(part.unpaid_minor for part in plan if everything or part.due_on < on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrears:
    """What is unpaid and overdue over a stretch of days, in minor units."""

    principal_minor: int
    interest_minor: int  # unpaid normal interest
    penalty_minor: int = 0  # unpaid penalty and compound interest


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueInterest:
    """What a stretch of arrears costs, in minor units."""

    penalty_minor: int  # 罚息
    compound_minor: int  # 复利


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days on which nothing changed: the first counts, the last does not (算头不算尾)."""

    from_on: date
    until_on: date


def overdue_interest(
    arrears: Arrears,
    stretch: Stretch,
    price: DailyRate,
    policy: PenaltyPolicy,
    mode: str = ROUND_HALF_UP,
) -> OverdueInterest:
    """Return 罚息 on overdue principal and 复利 on unpaid interest, both at the penalty rate.

    `price` carries the penalty rate. Unpaid penalty bears nothing unless the policy says
    `compound_on_penalty` (domain rules, 5.4).
    """
    compounding = arrears.interest_minor
    if policy.compound_on_penalty:
        compounding += arrears.penalty_minor
    part = year_fraction(price.convention, stretch.from_on, stretch.until_on)
    with localcontext(WIDE_CONTEXT):
        price_of_part = price.rate_annual * part.numerator  # divided last: half a cent stays one
        penalty = arrears.principal_minor * price_of_part / part.denominator
        compound = compounding * price_of_part / part.denominator
    return OverdueInterest(
        penalty_minor=to_minor(penalty, mode), compound_minor=to_minor(compound, mode)
    )


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

    `allowed_minor` is the cap's own interest on the principal used: `daily_interest` at the cap's
    rate, rounded down. Raises ValueError for a negative amount (domain rules, 5.4).
    """
    if min(wanted_minor, charged_minor, allowed_minor) < 0:
        raise ValueError("amounts of a cap are not negative")
    room = max(allowed_minor - charged_minor, 0)
    return Capped(uncapped_minor=wanted_minor, capped_minor=min(wanted_minor, room))
