"""What the read models read of each event: narrow structs, one a topic.

A field that no read model asks for is not named here. Old topic versions get a struct of their own.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec


class Narrow(msgspec.Struct, gc=False):
    """What is read of an event."""


class Conditions(Narrow):
    """Of a product version."""

    method: str | None = None
    arrears_tolerance_minor: int = 0
    four_eyes_from_minor: int = 0
    recalculation: str = "none"


class Segments(Narrow):
    """What portfolios are cut by."""

    grade: str | None = None
    purpose: str | None = None
    region: str | None = None
    channel: str | None = None


class Instalment(msgspec.Struct, array_like=True, gc=False):
    """A row of the schedule as published: a JSON array in this order."""

    number: int
    from_on: date
    due_on: date
    principal_minor: int
    interest_minor: int
    fee_minor: int = 0
    penalty_minor: int = 0
    principal_paid_minor: int = 0
    interest_paid_minor: int = 0
    fee_paid_minor: int = 0
    penalty_paid_minor: int = 0
    interest_waived_minor: int = 0
    fee_waived_minor: int = 0
    penalty_waived_minor: int = 0
    met_on: date | None = None


class Line(Narrow):
    """The part of one payment that went to one instalment."""

    instalment: int
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0


class Balances(Narrow):
    """What is owed by component, and what was paid too much."""

    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0


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


class Terms(Narrow):
    """Approved terms."""

    principal_minor: int
    rate_annual: Decimal
    instalments: int


class Reviewed(Narrow):
    """`loan.reviewed.v1`."""

    decision: str
    grade: str | None = None
    terms: Terms | None = None


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


class Disbursed(Narrow):
    """`loan.disbursed.v1`."""

    disbursement_id: str
    amount_minor: int
    instalments: list[Instalment]
    balances: Balances


class Returned(Narrow):
    """`loan.disbursement_returned.v1`."""

    disbursement_id: str
    amount_minor: int
    cause: str


class Received(Narrow):
    """`loan.payment_received.v1`."""

    payment_id: str
    amount_minor: int
    channel: str | None = None


class Allocated(Narrow):
    """`loan.payment_allocated.v1`."""

    payment_id: str
    lines: list[Line]
    overpaid_minor: int
    rows: list[Instalment]
    rows_total: int
    balances: Balances
    source: str


class Reversed(Narrow):
    """`loan.payment_reversed.v1`."""

    payment_id: str
    cause: str


class Restatement(Narrow):
    """One payment whose split changed."""

    payment_id: str
    before: list[Line]
    after: list[Line]
    overpaid_before_minor: int = 0
    overpaid_after_minor: int = 0


class Restated(Narrow):
    """`loan.allocations_restated.v1`."""

    cause_id: str
    since_on: date
    changes: list[Restatement]
    rows: list[Instalment]
    rows_total: int
    balances: Balances


class Changed(Narrow):
    """`loan.schedule_changed.v1`."""

    cause_id: str
    rows: list[Instalment]
    rows_total: int
    balances: Balances


class Charged(Narrow):
    """`loan.charge_assessed.v1`."""

    charge_id: str
    code: str
    component: str
    amount_minor: int
    instalment: int


class Waived(Narrow):
    """`loan.charge_waived.v1`."""

    waiver_id: str
    component: str
    amount_minor: int
    instalment: int


class Refunded(Narrow):
    """`loan.credit_balance_refunded.v1`."""

    refund_id: str
    amount_minor: int


class Missed(Narrow):
    """`loan.payment_missed.v1`."""

    instalment: int
    unpaid_minor: int


class Bucketed(Narrow):
    """`loan.delinquency_bucket_changed.v1`."""

    bucket_set: str
    before: str
    after: str
    days_past_due: int


class Restructured(Narrow):
    """`loan.restructured.v1`."""

    restructure_id: str
    kind: str
    instalments: int
    rate_annual: Decimal
    waived_interest_minor: int
    capitalised_interest_minor: int
    financial_difficulty: bool


class ChargedOff(Narrow):
    """`loan.charged_off.v1`."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    cause: str


class Recovered(Narrow):
    """`loan.recovery_received.v1`."""

    recovery_id: str
    amount_minor: int
    cost_minor: int = 0


class WrittenOff(Narrow):
    """`loan.written_off.v1`."""

    amount_minor: int
    cause: str


class Settled(Narrow):
    """`loan.settled.v1`."""

    how: str


class Accrual(Narrow):
    """Interest of one product's loans that a close posted."""

    product_code: str
    currency: str
    receivable_minor: int
    posted_minor: int


class InterestAccrued(Narrow):
    """`day.interest_accrued.v1`."""

    accruals: list[Accrual]


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
    "loan.decision_overridden.v1": Overridden,
    "loan.cost_disclosed.v1": Fields,
    "loan.offer_accepted.v1": Fields,
    "loan.application_withdrawn.v1": Fields,
    "loan.disbursement_prepared.v1": Prepared,
    "loan.disbursement_checked.v1": Checked,
    "loan.disbursed.v1": Disbursed,
    "loan.disbursement_returned.v1": Returned,
    "loan.use_of_funds_declared.v1": Fields,
    "loan.use_evidence_recorded.v1": Fields,
    "loan.use_of_funds_breached.v1": Fields,
    "loan.payment_received.v1": Received,
    "loan.payment_allocated.v1": Allocated,
    "loan.payment_reversed.v1": Reversed,
    "loan.allocations_restated.v1": Restated,
    "loan.schedule_changed.v1": Changed,
    "loan.charge_assessed.v1": Charged,
    "loan.charge_waived.v1": Waived,
    "loan.credit_balance_refunded.v1": Refunded,
    "loan.payment_missed.v1": Missed,
    "loan.arrears_cured.v1": Fields,
    "loan.delinquency_bucket_changed.v1": Bucketed,
    "loan.delinquency_paused.v1": Fields,
    "loan.warning_raised.v1": Fields,
    "loan.warning_closed.v1": Fields,
    "loan.rate_changed.v1": Fields,
    "loan.interest_paused.v1": Fields,
    "loan.term_extended.v1": Fields,
    "loan.restructured.v1": Restructured,
    "loan.charged_off.v1": ChargedOff,
    "loan.recovery_received.v1": Recovered,
    "loan.written_off.v1": WrittenOff,
    "loan.settled.v1": Settled,
    "loan.reopened.v1": Fields,
    "case.opened.v1": CaseOpened,
    "case.claimed.v1": CaseClaimed,
    "case.released.v1": CaseReleased,
    "case.closed.v1": CaseClosed,
    "day.interest_accrued.v1": InterestAccrued,
    "day.closed.v1": Fields,
    "product.version_defined.v1": Fields,
}
"""Topic to what is read of it. A test holds the topics equal to the domain's."""
