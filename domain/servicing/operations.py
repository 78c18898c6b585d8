"""What can be done to a simulated loan, in the domain's own words. Amounts are minor units."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.servicing.terms import ChargeTerms
from domain.servicing.values import (
    ChargeAccrual,
    Kind,
    ReAgeInterest,
    ReAmortiseInterest,
    Unit,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBusinessDate:
    """The day everything without a date happens on."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """A loan is applied for under the simulation's terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """The application is approved for an amount."""

    amount_minor: int
    expected_disbursement_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoApproval:
    """The approval is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disburse:
    """Money is paid out; `take_down_payment` None follows the product."""

    on: date
    amount_minor: int
    take_down_payment: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDisbursal:
    """All disbursements are taken back, or the latest only."""

    latest_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectTranche:
    """A further disbursement is expected."""

    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transact:
    """A payment, credit, or income. `refund_interest` None follows the product."""

    kind: Kind
    on: date
    amount_minor: int
    refund_interest: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOff:
    """A repayment of exactly what closes the loan on a day."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Names a listed transaction: the n-th (1-based) of a kind and/or day, or the last entered.

    `last_payment` is what the customer paid or was credited last, whatever its kind.
    """

    kind: Kind | None = None
    on: date | None = None
    nth: int = 1
    last_entered: bool = False
    last_payment: bool = False
    by_entry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A transaction is reversed."""

    target: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeBack:
    """Part of a payment is undone as new debt."""

    target: Reference
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundCredit:
    """Overpaid money is paid out."""

    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundInterest:
    """Interest is refunded by hand for an earlier refund."""

    target: Reference
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCharge:
    """A charge is put on the loan."""

    charge: ChargeTerms
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveCharge:
    """The charge added last is waived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoWaiveCharge:
    """The latest waiver is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustCharge:
    """A credit of part of a charge, found by its code and due date."""

    code: str
    due_on: date | None
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reschedule:
    """A change of terms from an instalment on; each part is None if it does not change."""

    from_on: date
    submitted_on: date | None = None
    new_due_on: date | None = None
    extra_instalments: int | None = None
    grace_on_principal: int | None = None
    grace_on_interest: int | None = None
    new_rate_annual: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRate:
    """A new annual rate from a day on, inclusive."""

    on: date
    rate_annual: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReference:
    """A value of a reference rate, a fraction a year, is published on a day."""

    on: date
    reference: str
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseInterest:
    """Days start..end inclusive earn nothing."""

    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMisuse:
    """Funds are used against the contract from a day on; `cured` ends it."""

    on: date
    cured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Classify:
    """The loan is non-performing from the business date on, or is not any more."""

    non_performing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAge:
    """All that is unpaid moves to new instalments."""

    start_on: date
    every: int
    unit: Unit
    instalments: int
    interest: ReAgeInterest = ReAgeInterest.DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLatest:
    """The latest action of a kind is taken back."""

    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAmortise:
    """What is past due is spread over the remaining instalments."""

    interest: ReAmortiseInterest = ReAmortiseInterest.DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOff:
    """The loan is moved to expense."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate:
    """The contract ends on the business date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """All that is outstanding is given up."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDays:
    """Every day up to the one before the business date is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAccruals:
    """Accruals are posted, and nothing else of a close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChargeAccrual:
    """From which day charges accrue."""

    accrual: ChargeAccrual


@dataclass(frozen=True, slots=True, kw_only=True)
class AccrueLateChargesAtOnce:
    """Whether a charge added after maturity is accrued at once."""

    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEffect:
    """Something that is recorded and changes no figure."""


Operation = (
    SetBusinessDate
    | Apply
    | Approve
    | UndoApproval
    | Disburse
    | UndoDisbursal
    | ExpectTranche
    | Transact
    | PayOff
    | Undo
    | ChargeBack
    | RefundCredit
    | RefundInterest
    | AddCharge
    | WaiveCharge
    | UndoWaiveCharge
    | AdjustCharge
    | Reschedule
    | ChangeRate
    | PublishReference
    | PauseInterest
    | ReportMisuse
    | Classify
    | ReAge
    | UndoLatest
    | ReAmortise
    | ChargeOff
    | Terminate
    | WriteOff
    | CloseDays
    | PostAccruals
    | SetChargeAccrual
    | AccrueLateChargesAtOnce
    | NoEffect
)
