"""Commands before the money: apply, documents, credit portrait, review, offer."""

from datetime import date
from decimal import Decimal

from domain.commands.registry import LoanCommand, MoneyCommand, command
from domain.events.application import CreditFeatures, Decision, Segments
from domain.loan.terms import CustomInstalment, PlannedTranche, RateStep


@command("loan.apply")
class ApplyForLoan(LoanCommand):
    """Ask for a loan of a product; the newest version of the product is pinned."""

    customer_id: str
    product_code: str
    amount_minor: int
    currency: str
    instalments: int
    segments: Segments = Segments()
    features: CreditFeatures = CreditFeatures()
    external_id: str | None = None
    tranches: tuple[PlannedTranche, ...] = ()  # of a product whose payouts are planned


@command("loan.submit_document")
class SubmitDocument(LoanCommand):
    """Hand in a document by its fingerprint."""

    document_id: str
    kind: str
    sha256: str


@command("loan.verify_document")
class VerifyDocument(LoanCommand):
    """Say that a document is what it seems."""

    document_id: str
    method: str


@command("loan.flag_document")
class FlagDocument(LoanCommand):
    """Say that a document is forged, altered or stale."""

    document_id: str
    suspicion: str


@command("loan.record_bureau_report")
class RecordBureauReport(MoneyCommand):
    """Record a credit bureau's answer."""

    report_id: str
    score: int | None = None
    inquiries: int | None = None
    debts_minor: int | None = None


@command("loan.assess_credit")
class AssessCredit(MoneyCommand):
    """Record the credit portrait as it is now."""

    features: CreditFeatures


@command("loan.record_policy_evaluation")
class RecordPolicyEvaluation(LoanCommand):
    """Record which rules of a policy the application hit."""

    policy: str
    policy_version: int
    rule_hits: tuple[str, ...] = ()


@command("loan.record_model_score")
class RecordModelScore(LoanCommand):
    """Record what a model suggests. The only thing about a decision that a model may do."""

    model_id: str
    model_version: str
    score: Decimal
    features_hash: str
    reasons: tuple[str, ...] = ()
    recommends: Decision | None = None


@command("loan.review")
class ReviewLoan(MoneyCommand):
    """Decide on an application: approve with a rate, decline with reasons, or refer."""

    decision: Decision
    grade: str | None = None
    amount_minor: int | None = None  # None: as applied for
    instalments: int | None = None  # None: as applied for
    rate_annual: Decimal | None = None  # fraction per year; needed to approve a fixed rate
    spread_bps: int | None = None  # basis points; needed to approve a floating rate
    reasons: tuple[str, ...] = ()
    tranches: tuple[PlannedTranche, ...] | None = None  # None: as applied for
    due_day: int | None = None  # of the month, where the product has due days; None: its only one
    first_due_on: date | None = None  # None: agreed with the payout, or one period after it
    instalment_minor: int | None = None  # needed to approve a fixed instalment
    custom: tuple[CustomInstalment, ...] = ()  # needed to approve a schedule of the loan's own
    rate_steps: tuple[RateStep, ...] = ()  # rates known from the start, after `rate_annual`


@command("loan.change_approved_amount")
class ChangeApprovedAmount(MoneyCommand):
    """Approve another amount, or raise or lower the limit of a revolving loan (调额)."""

    amount_minor: int


@command("loan.disclose_cost")
class DiscloseCost(LoanCommand):
    """Show the borrower the all-in annualised cost and every charge there may be."""

    annual_cost: Decimal
    method: str
    charges: tuple[str, ...] = ()


@command("loan.accept_offer")
class AcceptOffer(LoanCommand):
    """Accept the approved terms, for the borrower."""


@command("loan.withdraw_application")
class WithdrawApplication(LoanCommand):
    """Step back before the money moves."""
