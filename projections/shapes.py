"""What the read models read of each event: narrow structs, one a topic.

A field that no read model asks for is not named here. Old topic versions get a struct of their own.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from projections import servicing_shapes as s
from projections.narrow import Balances, Instalment, Narrow


class Floating(Narrow):
    """A reference that loans follow."""

    reference: str
    reset: str


class Arrears(Narrow):
    """What is tolerated beside an amount before a loan is overdue."""

    tolerance_percent: Decimal = Decimal(0)
    tolerance_days: int = 0
    tolerance_day: int | None = None
    counted: str = "all"


class ChargeRule(Narrow):
    """A charge that the product computes, and when an overdue one is put."""

    time: str
    wait_days: int = 0
    every: int | None = None
    every_unit: str = "days"


class Conditions(Narrow):
    """Of a product version."""

    method: str | None = None
    arrears_tolerance_minor: int = 0
    arrears: Arrears | None = None
    four_eyes_from_minor: int = 0
    charge_rules: tuple[ChargeRule, ...] = ()
    recalculation: str = "none"
    floating: Floating | None = None
    penalty: dict[str, Any] | None = None
    non_accrual: bool = False

    @property
    def overdue_turns(self) -> list[dict[str, Any]]:
        """When the product charges for overdue instalments, as `loan_summary` keeps it."""
        return [
            {"wait_days": rule.wait_days, "every": rule.every, "unit": rule.every_unit}
            for rule in self.charge_rules
            if rule.time == "overdue"
        ]


class Segments(Narrow):
    """What portfolios are cut by."""

    grade: str | None = None
    purpose: str | None = None
    region: str | None = None
    channel: str | None = None


class Applied(Narrow):
    """`loan.applied.v1`."""

    customer_id: str
    product_code: str
    product_version: int
    conditions: Conditions
    amount_minor: int
    currency: str
    instalments: int
    segments: Segments
    external_id: str | None = None


class Scored(Narrow):
    """`loan.model_scored.v1`."""

    model_id: str
    model_version: str
    score: Decimal
    recommends: str | None = None


class SignedRate(Narrow):
    """How a floating rate began."""

    spread_bps: int


class CustomInstalment(Narrow):
    """A row of a schedule of the loan's own."""

    due_on: date


class RateStep(Narrow):
    """A rate that begins after so many instalments."""

    after_instalments: int
    rate_annual: Decimal


class Terms(Narrow):
    """Approved terms."""

    principal_minor: int
    rate_annual: Decimal
    instalments: int
    signed: SignedRate | None = None
    due_day: int | None = None
    first_due_on: date | None = None
    instalment_minor: int | None = None
    custom: tuple[CustomInstalment, ...] = ()
    rate_steps: tuple[RateStep, ...] = ()


class Reviewed(Narrow):
    """`loan.reviewed.v1`."""

    decision: str
    grade: str | None = None
    terms: Terms | None = None


class ApprovedAmountChanged(Narrow):
    """`loan.approved_amount_changed.v1`."""

    amount_minor: int
    before_minor: int


class Overridden(Narrow):
    """`loan.decision_overridden.v1`."""

    recommended: str
    decided: str
    direction: str


class Prepared(Narrow):
    """`loan.disbursement_prepared.v1`."""

    disbursement_id: str
    amount_minor: int
    payload_hash: str
    prepared_by: str


class Checked(Narrow):
    """`loan.disbursement_checked.v1`."""

    disbursement_id: str
    payload_hash: str
    checks: list[str]
    checked_by: str
    passed: bool


class FeeTaken(Narrow):
    """A fee kept back from a payout."""

    code: str
    amount_minor: int
    tax_minor: int = 0


class Disbursed(Narrow):
    """`loan.disbursed.v1`."""

    disbursement_id: str
    amount_minor: int
    instalments: list[Instalment]
    balances: Balances
    fees: list[FeeTaken]
    down_payment_minor: int = 0


class Returned(Narrow):
    """`loan.disbursement_returned.v1`."""

    disbursement_id: str
    amount_minor: int
    cause: str
    fees: list[FeeTaken]


class Tranche(Narrow):
    """`loan.tranche_disbursed.v1`."""

    disbursement_id: str
    amount_minor: int
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    overpaid_minor: int
    fees: list[FeeTaken]
    down_payment_minor: int = 0


class TrancheReturned(Tranche, kw_only=True):
    """`loan.tranche_returned.v1`."""

    cause: str


class Accrual(Narrow):
    """Interest of one product's loans that a close posted."""

    product_code: str
    currency: str
    receivable_minor: int
    posted_minor: int


class InterestAccrued(Narrow):
    """`day.interest_accrued.v1`."""

    accruals: list[Accrual]


class Recognition(Narrow):
    """Deferred income of one product's loans that a close recognised."""

    product_code: str
    currency: str
    kind: str
    recognised_minor: int


class DeferredIncomeRecognised(Narrow):
    """`day.deferred_income_recognised.v1`."""

    recognitions: list[Recognition]


class CaseOpened(Narrow):
    """`case.opened.v1`."""

    loan_id: str
    tier: str


class CaseClaimed(Narrow):
    """`case.claimed.v1`."""

    claimed_by: str


class CaseReleased(Narrow):
    """`case.released.v1`."""

    cause: str


class CaseClosed(Narrow):
    """`case.closed.v1`."""

    how: str


class ReferenceValue(Narrow):
    """`reference.value_published.v1`."""

    code: str
    value: Decimal


class ReferenceCorrection(ReferenceValue):
    """`reference.value_corrected.v1`."""

    value_before: Decimal


Fields = dict[str, Any]
"""An event that is only read for its line in the audit trail."""

SHAPES: dict[str, Any] = {
    "loan.applied.v1": Applied,
    "loan.document_submitted.v1": Fields,
    "loan.document_verified.v1": Fields,
    "loan.document_flagged.v1": Fields,
    "loan.bureau_report_received.v1": Fields,
    "loan.credit_profile_assessed.v1": Fields,
    "loan.policy_evaluated.v1": Fields,
    "loan.model_scored.v1": Scored,
    "loan.terms_recommended.v1": Fields,
    "loan.reviewed.v1": Reviewed,
    "loan.approved_amount_changed.v1": ApprovedAmountChanged,
    "loan.decision_overridden.v1": Overridden,
    "loan.cost_disclosed.v1": Fields,
    "loan.offer_accepted.v1": Fields,
    "loan.application_withdrawn.v1": Fields,
    "loan.disbursement_prepared.v1": Prepared,
    "loan.disbursement_checked.v1": Checked,
    "loan.disbursed.v1": Disbursed,
    "loan.disbursement_returned.v1": Returned,
    "loan.tranches_planned.v1": Fields,
    "loan.tranche_disbursed.v1": Tranche,
    "loan.tranche_returned.v1": TrancheReturned,
    "loan.use_of_funds_declared.v1": Fields,
    "loan.use_evidence_recorded.v1": Fields,
    "loan.use_of_funds_breached.v1": Fields,
    "loan.misuse_ended.v1": Fields,
    "loan.classified.v1": Fields,
    "loan.payment_received.v1": s.Received,
    "loan.payment_allocated.v1": s.Allocated,
    "loan.payment_reversed.v1": s.Reversed,
    "loan.allocations_restated.v1": s.Restated,
    "loan.schedule_changed.v1": s.Changed,
    "loan.penalty_interest_charged.v1": s.Penalised,
    "loan.charge_assessed.v1": s.Charged,
    "loan.charge_capped.v1": s.ChargeCapped,
    "loan.charge_reversed.v1": s.ChargeReversed,
    "loan.instalment_fees_changed.v1": s.FeesChanged,
    "loan.charge_waived.v1": s.Waived,
    "loan.credit_balance_refunded.v1": s.Refunded,
    "loan.goodwill_credited.v1": s.Goodwill,
    "loan.refund_received.v1": s.RefundReceived,
    "loan.interest_refunded.v1": s.InterestRefunded,
    "loan.charge_adjusted.v1": s.ChargeAdjusted,
    "loan.charged_back.v1": s.ChargedBack,
    "loan.chargeback_reversed.v1": s.ChargebackReversed,
    "loan.income_capitalised.v1": s.IncomeCapitalised,
    "loan.capitalised_income_reversed.v1": s.CapitalisedIncomeReversed,
    "loan.capitalised_income_adjusted.v1": s.CapitalisedIncomeAdjusted,
    "loan.buy_down_fee_recorded.v1": s.BuyDown,
    "loan.buy_down_fee_reversed.v1": s.BuyDownReversed,
    "loan.buy_down_fee_adjusted.v1": s.BuyDownAdjusted,
    "loan.buy_down_adjustment_reversed.v1": s.BuyDownAdjustmentReversed,
    "loan.payment_missed.v1": s.Missed,
    "loan.arrears_cured.v1": Fields,
    "loan.delinquency_bucket_changed.v1": s.Bucketed,
    "loan.delinquency_paused.v1": Fields,
    "loan.warning_raised.v1": Fields,
    "loan.warning_closed.v1": Fields,
    "loan.rate_changed.v1": Fields,
    "loan.rate_repriced.v1": s.Repriced,
    "loan.interest_paused.v1": Fields,
    "loan.term_extended.v1": Fields,
    "loan.grace_granted.v1": Fields,
    "loan.due_date_moved.v1": Fields,
    "loan.payment_deferred.v1": Fields,
    "loan.reaged.v1": s.ReAged,
    "loan.reamortized.v1": s.ReAmortised,
    "loan.reaging_reversed.v1": s.ReagingReversed,
    "loan.reamortization_reversed.v1": s.ReamortizationReversed,
    "loan.termination_reversed.v1": s.Owed,
    "loan.restructured.v1": s.Restructured,
    "loan.charged_off.v1": s.ChargedOff,
    "loan.charge_off_reversed.v1": s.ChargedOff,
    "loan.contract_terminated.v1": s.Owed,
    "loan.recovery_received.v1": s.Recovered,
    "loan.written_off.v1": s.WrittenOff,
    "loan.settled.v1": s.Settled,
    "loan.reopened.v1": Fields,
    "case.opened.v1": CaseOpened,
    "case.claimed.v1": CaseClaimed,
    "case.released.v1": CaseReleased,
    "case.closed.v1": CaseClosed,
    "day.interest_accrued.v1": InterestAccrued,
    "day.deferred_income_recognised.v1": DeferredIncomeRecognised,
    "day.closed.v1": Fields,
    "product.version_defined.v1": Fields,
    "reference.value_published.v1": ReferenceValue,
    "reference.value_corrected.v1": ReferenceCorrection,
}
"""Topic to what is read of it. A test holds the topics equal to the domain's."""
