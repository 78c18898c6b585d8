"""What decisions on a loan need to know, and nothing else: screens belong to projections."""

from dataclasses import MISSING, dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.events.application import Decision, LoanApplied
from domain.events.arrears import NON_PERFORMING, DelinquencyPaused, LoanClass
from domain.events.crediting import ChargedBack
from domain.events.disbursement import FeeTaken, TrancheDisbursed
from domain.events.income import BuyDownFeeAdjusted, BuyDownFeeRecorded, IncomeCapitalised
from domain.events.servicing import ChargeCapped, FeeChange
from domain.loan.instalments import Balances, Instalment
from domain.loan.terms import Conditions, PlannedTranche, Terms
from domain.servicing.deferred import NOTHING_DEFERRED, Deferred
from domain.servicing.re_ageing_guard import ReAgeing
from domain.servicing.row import NOTHING_YET, Penalised
from domain.servicing.timeline import Timeline


class LoanStatus(StrEnum):
    """Where in its life a loan is."""

    APPLIED = "applied"
    REFERRED = "referred"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    RETURNED = "returned"  # the payout came back
    CHARGED_OFF = "charged_off"
    WRITTEN_OFF = "written_off"
    SETTLED = "settled"


NOTHING_OWED = Balances()

OPEN = frozenset({LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF})
"""Statuses in which money is owed on the books or in collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The maker's half of a payout, waiting for or bearing its check."""

    disbursement_id: str
    amount_minor: int
    payload_hash: str
    prepared_by: str
    checked: bool = False
    tranche_id: str | None = None  # of the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """What a floating loan took over on a reset date."""

    on: date
    published_on: date
    value: Decimal  # of the reference
    rate_annual_before: Decimal
    rate_annual: Decimal


@dataclass(frozen=True, kw_only=True)
class Loan:
    """One loan as its events tell it.

    Without slots: a fold copies all fields at once and not one by one.
    """

    customer_id: str
    amount_minor: int  # applied for
    instalments: int  # applied for
    currency: str
    conditions: Conditions
    status: LoanStatus = LoanStatus.APPLIED
    recommended: Decision | None = None  # what the last model suggested
    documents: frozenset[str] = frozenset()
    terms: Terms | None = None  # approved
    disclosed_charges: tuple[str, ...] | None = None  # None: no cost table shown yet
    preparation: Preparation | None = None
    disbursed_on: date | None = None  # the first payout
    paid_out_minor: int = 0  # by all payouts that stand
    fees_taken: tuple[FeeTaken, ...] = ()  # from the first payout
    tranches_out: tuple[TrancheDisbursed, ...] = ()  # further payouts that stand, oldest first
    timeline: Timeline | None = None
    rows: tuple[Instalment, ...] = ()  # as published
    balances: Balances = NOTHING_OWED  # as published
    missed: frozenset[int] = frozenset()  # instalments published as missed and not met since
    in_arrears: bool = False  # as published
    bucket: str | None = None  # as published; None: never late
    loan_class: LoanClass | None = None  # None: never classified
    days_past_due: int = 0  # when last published
    replanned_on: date | None = None  # of the last restructuring or re-ageing
    rate_annual: Decimal | None = None  # after a change of it; None: as in the terms
    repricings: tuple[Repriced, ...] = ()  # one a reset date, oldest first
    charged_off: bool = False
    terminated_on: date | None = None  # when the contract ended early: all is due
    re_ageings: tuple[ReAgeing, ...] = ()  # oldest first
    chargebacks: tuple[ChargedBack, ...] = ()  # that stand
    incomes: tuple[IncomeCapitalised, ...] = ()  # that stand
    buy_down_fees: tuple[BuyDownFeeRecorded, ...] = ()  # that stand
    buy_down_adjustments: tuple[BuyDownFeeAdjusted, ...] = ()  # that stand
    deferred_charged_off: Deferred = NOTHING_DEFERRED  # by the last charge-off
    tranches: tuple[PlannedTranche, ...] = ()  # expected to go out, by date
    tranches_paid: frozenset[str] = frozenset()  # ids of those that went out
    taken_back: frozenset[str] = frozenset()  # ids of payments and the like that were reversed
    count_pauses: tuple[DelinquencyPaused, ...] = ()  # in which delinquent days stand still
    capped: tuple[ChargeCapped, ...] = ()  # charges that a cap on the cost a year has cut
    penalised: Penalised = NOTHING_YET  # penalty and compound interest, as published
    fees_asked: tuple[FeeChange, ...] = ()  # of the contract, by all instalments, as published

    @property
    def non_accrual(self) -> bool:
        """Whether interest is no income before it is paid (非应计)."""
        return self.conditions.non_accrual and self.loan_class in NON_PERFORMING

    @property
    def payouts(self) -> int:
        """How many payouts stand."""
        return len(self.tranches_out) + (self.disbursed_on is not None)


_AT_FIRST = {field.name: field.default for field in fields(Loan) if field.default is not MISSING}


def applied_for(event: LoanApplied) -> Loan:
    """Return a new loan. All its fields are set at once: by the class, one by one, it took long."""
    loan = object.__new__(Loan)
    vars(loan).update(
        _AT_FIRST,
        customer_id=event.customer_id,
        amount_minor=event.amount_minor,
        instalments=event.instalments,
        currency=event.currency,
        conditions=event.conditions,
        tranches=event.tranches,
    )
    return loan
