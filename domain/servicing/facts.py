"""Facts on an account's time line: what happened, when it counts, and when it was recorded.

Amounts are minor units. Undoing something is a fact of its own (`Reversed`).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.servicing.values import (
    ChargeBasis,
    ChargeKind,
    ChargeTime,
    Component,
    Kind,
    ReAgeInterest,
    ReAmortiseInterest,
    Unit,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """True from `effective_on`; known since the business date `entered_on`."""

    id: str
    effective_on: date
    entered_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursed(Fact):
    """Money was paid out."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeCapitalised(Fact):
    """Income was added to principal."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyDownFeeTaken(Fact):
    """A deferred fee outside the borrower's schedule."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyDownFeeAdjusted(Fact):
    """Part of a buy-down fee was given back."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(Fact):
    """Money came in, or a credit was given.

    `split` holds the parts an upstream system allocated; None lets the engine allocate.
    `refund_id` names the refund an interest refund belongs to; `fixed` tells that its amount was
    set by hand and is not recomputed. `charge_id` and `income_id` name what is adjusted.
    """

    kind: Kind
    amount_minor: int
    split: tuple[tuple[Component, int], ...] | None = None
    refund_id: str | None = None
    fixed: bool = False
    charge_id: str | None = None
    income_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRefunded(Fact):
    """Part of what was paid went back to the payer of an active loan."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedBack(Fact):
    """Part of a payment was undone as new debt."""

    amount_minor: int
    payment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRefunded(Fact):
    """Overpaid money was paid out."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAdded(Fact):
    """A charge was put on the account. `effective_on` is the earlier of entry and due date.

    `due_on` is None for instalment fees and charges at disbursement. `percent` is None for FLAT.
    """

    code: str
    kind: ChargeKind
    time: ChargeTime
    basis: ChargeBasis
    due_on: date | None = None
    amount_minor: int = 0
    percent: Decimal | None = None
    place: int = 0  # among the rows due on `due_on`, from 1; 0: the row whose period holds that day


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeWaived(Fact):
    """What was left of a charge was given up; it counts from where the charge counts.

    `recognised_minor` is the part that was recognised as income before.
    """

    charge_id: str
    amount_minor: int
    recognised_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived(Fact):
    """Part of what a row asks for, principal aside, was given up; counts as far as it is open."""

    instalment: int
    component: Component
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restructured(Fact):
    """A new plan for what is owed on `effective_on`, the interest owed by then less a waiver."""

    first_due_on: date
    instalments: int
    rate_annual: Decimal
    waived_interest_minor: int = 0
    closed_days: tuple[date, ...] = ()  # that the new due dates meet


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChanged(Fact):
    """A new annual rate, from `effective_on` inclusive."""

    rate_annual: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced(RateChanged):
    """A reset date came: the rate was fixed by a published value, looked up and not by the fold."""

    reference: str
    value: Decimal
    published_on: date
    spread_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePublished(Fact):
    """A value of a reference rate was published; loans take it over on their reset dates."""

    reference: str
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestPaused(Fact):
    """Nothing is earned on effective_on..until inclusive."""

    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDateMoved(Fact):
    """The instalment due at `due_on` is due at `new_due_on`; later ones follow.

    `due_on` None: it is the one due at `effective_on`.
    """

    new_due_on: date
    due_on: date | None = None
    closed_days: tuple[date, ...] = ()  # that the due dates after it meet


@dataclass(frozen=True, slots=True, kw_only=True)
class TermExtended(Fact):
    """Instalments were added at the end, solved anew from `effective_on`."""

    instalments: int
    closed_days: tuple[date, ...] = ()  # that their due dates meet


@dataclass(frozen=True, slots=True, kw_only=True)
class GraceGranted(Fact):
    """From the instalment due at `effective_on` on, numbers without principal or interest.

    `from_due_on` names another instalment to begin with; None: that one.
    """

    principal: int = 0
    interest: int = 0
    from_due_on: date | None = None
    closed_days: tuple[date, ...] = ()  # that due dates of instalments meet that are added


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAged(Fact):
    """All that is unpaid moved to new instalments from `start_on`."""

    start_on: date
    every: int
    unit: Unit
    instalments: int
    interest: ReAgeInterest = ReAgeInterest.DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAmortised(Fact):
    """What is past due was spread over the remaining instalments."""

    interest: ReAmortiseInterest = ReAmortiseInterest.DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedOff(Fact):
    """The account was moved to expense; it stays collectible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated(Fact):
    """The contract ended: interest to the day, all principal due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff(Fact):
    """All that is outstanding was given up; the account is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MisuseFound(Fact):
    """Funds are used against the contract from `effective_on`; `cured` ends it that day."""

    cured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified(Fact):
    """The loan is non-performing (不良), or is not any more, for payments from here on."""

    non_performing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted(Fact):
    """Income recognised or corrected: accruals, their activity, deferred income.

    `charges` says how much of which charge the fees and penalties of an accrual are.
    """

    kind: Kind
    interest_minor: int = 0
    fees_minor: int = 0
    penalties_minor: int = 0
    charges: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated(Fact):
    """A trigger of product option `at_trigger`: overdue interest is evaluated up to the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed(Fact):
    """An earlier fact does not count any more; it stays visible."""

    fact_id: str


TERM_CHANGES = (RateChanged, InterestPaused, DueDateMoved, TermExtended, GraceGranted)
MONEY = (Disbursed, IncomeCapitalised, Paid, CashRefunded, ChargedBack, CreditRefunded)
PLANNING = (Disbursed, *TERM_CHANGES)  # what a cumulative plan is made of
