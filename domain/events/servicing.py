"""Money in service: payments, their allocation, charges, credits, corrections.

A fact says what is true in the world; the result after it, what the engine made of it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.events.registry import Event, event
from domain.loan.instalments import AllocationLine, Balances, Instalment
from domain.loan.terms import Component
from domain.servicing.values import ChargeTime


class AllocationSource(StrEnum):
    """Who split a payment into its parts."""

    ENGINE = "engine"
    UPSTREAM = "upstream"  # observed by the publisher and taken as a fact


class PaymentKind(StrEnum):
    """What a payer pays."""

    REPAYMENT = "repayment"
    DOWN_PAYMENT = "down_payment"  # first of all what is due on its day (首付)


class CreditKind(StrEnum):
    """What lowers the debt, and so on whose account it comes."""

    PAYMENT = "payment"
    RECOVERY = "recovery"  # after a charge-off
    GOODWILL = "goodwill"  # the lender's own money
    MERCHANT_REFUND = "merchant_refund"
    PAYOUT_REFUND = "payout_refund"
    INTEREST_REFUND = "interest_refund"  # interest that a refund made undue
    CHARGE_ADJUSTMENT = "charge_adjustment"  # a charge given back
    CAPITALISED_INCOME_ADJUSTMENT = "capitalised_income_adjustment"  # part of one given back


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A payment's parts as an upstream system observed them, in minor units."""

    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0

    @property
    def total_minor(self) -> int:
        """The sum of the parts."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """One payment or other credit whose split changed: before and after, line by line."""

    payment_id: str
    before: tuple[AllocationLine, ...]
    after: tuple[AllocationLine, ...]
    overpaid_before_minor: int = 0
    overpaid_after_minor: int = 0
    kind: CreditKind = CreditKind.PAYMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Event):
    """What the engine computed for a fact: rows that changed or are new, and the balances.

    The schedule has `rows_total` rows now: rows of higher numbers that were published are gone.
    """

    rows: tuple[Instalment, ...]
    rows_total: int
    balances: Balances
    engine_version: int


@event("loan.payment_received.v1")
class PaymentReceived(Event):
    """A fact: a payer's money arrived."""

    payment_id: str
    amount_minor: int
    currency: str
    channel: str | None = None
    split: Split | None = None  # set exactly when the upstream observed the parts
    kind: PaymentKind = PaymentKind.REPAYMENT


@event("loan.payment_allocated.v1")
class PaymentAllocated(Result):
    """The result of a payment or another credit: where the money went.

    Rows and balances are those before it when later payments are split anew: then
    `AllocationsRestated` follows with them.
    """

    payment_id: str
    lines: tuple[AllocationLine, ...]
    overpaid_minor: int
    source: AllocationSource
    kind: CreditKind = CreditKind.PAYMENT


@event("loan.payment_reversed.v1")
class PaymentReversed(Event):
    """A fact: a payment or another credit is taken back (bounced, misposted). It stays visible."""

    payment_id: str
    cause: str


@event("loan.allocations_restated.v1")
class AllocationsRestated(Result):
    """The result of a backdated fact or a reversal: the differences to what was published."""

    cause_id: str  # id of the fact, or of the one that was taken back
    since_on: date  # the value date from which figures differ
    changes: tuple[Restatement, ...]


@event("loan.schedule_changed.v1")
class ScheduleChanged(Result):
    """The result of a fact that is no payment and splits none anew."""

    cause_id: str


@event("loan.penalty_interest_charged.v1")
class PenaltyInterestCharged(Result):
    """Penalties have run up to the effective date: so much more is owed than was said before.

    Less than nothing where a backdated fact shows that they should not have run.
    """

    penalty_minor: int  # 罚息: on overdue principal, or on misused funds
    compound_minor: int  # 复利: on unpaid interest


@event("loan.charge_assessed.v1")
class ChargeAssessed(Event):
    """A fee or a penalty was put on an instalment."""

    charge_id: str
    code: str
    component: Component  # fee or penalty
    amount_minor: int
    instalment: int
    due_on: date  # of the instalment
    time: ChargeTime = ChargeTime.SPECIFIED_DUE_DATE  # overdue: put by the close of day
    tax_minor: int = 0  # of the amount, owed to the tax office
    place: int = 0  # among the instalments due on that day, from 1; 0: as it was not told yet


@event("loan.charge_capped.v1")
class ChargeCapped(Event):
    """A charge was cut to what the cap on the loan's cost a year allows; to nothing: it is not put.

    Of one that is put in part the charge itself follows.
    """

    charge_id: str
    code: str
    component: Component  # fee or penalty
    instalment: int
    due_on: date  # of the instalment
    uncapped_minor: int
    capped_minor: int
    rate_cap_annual: Decimal  # fraction per year
    time: ChargeTime = ChargeTime.SPECIFIED_DUE_DATE  # overdue: asked for by the close of day


@event("loan.charge_reversed.v1")
class ChargeReversed(Event):
    """A charge is taken back: nothing had been overdue on its day. It stays visible."""

    charge_id: str
    component: Component
    amount_minor: int
    tax_minor: int  # of the amount, owed to the tax office no more
    instalment: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeChange:
    """How much more, or less, all instalments together ask for of a fee of the contract."""

    code: str
    amount_minor: int
    tax_minor: int = 0  # of the amount, owed to the tax office


@event("loan.instalment_fees_changed.v1")
class InstalmentFeesChanged(Event):
    """What instalments ask for of the contract's fees differs from what was said before.

    First with the first payout, then with every new plan. The rows said so already.
    """

    changes: tuple[FeeChange, ...]


@event("loan.charge_waived.v1")
class ChargeWaived(Event):
    """Part of a charge, or of an instalment's interest, was given up (减免)."""

    waiver_id: str
    component: Component
    amount_minor: int
    instalment: int


@event("loan.credit_balance_refunded.v1")
class CreditBalanceRefunded(Event):
    """Overpaid money went back to the payer."""

    refund_id: str
    amount_minor: int
