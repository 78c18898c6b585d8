"""Before the money: application, documents, credit portrait, review and offer."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.events.registry import Event, event
from domain.loan.terms import Conditions, PlannedTranche, Terms


class Decision(StrEnum):
    """What a review can end in."""

    APPROVED = "approved"
    DECLINED = "declined"
    REFERRED = "referred"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditFeatures:
    """The applicant's credit portrait as values, so that a later pull cannot rewrite a decision."""

    income_annual_minor: int | None = None
    debt_to_income: Decimal | None = None  # fraction: 0.18 is 18 %
    inquiries_12m: int | None = None
    delinquencies_24m: int | None = None
    employment_months: int | None = None
    home_ownership: str | None = None
    credit_lines_open: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What portfolios are cut by. Codes, never names of people."""

    grade: str | None = None
    purpose: str | None = None
    region: str | None = None
    channel: str | None = None


@event("loan.applied.v1")
class LoanApplied(Event):
    """An applicant asked for a loan of a product, whose version is pinned from here on."""

    customer_id: str
    product_code: str
    product_version: int
    conditions: Conditions  # of that version, so that a replay needs no other stream
    amount_minor: int
    currency: str
    instalments: int
    segments: Segments = Segments()
    features: CreditFeatures = CreditFeatures()
    external_id: str | None = None  # the upstream's own id of the application
    tranches: tuple[PlannedTranche, ...] = ()  # how the applicant would like to be paid out


@event("loan.document_submitted.v1")
class DocumentSubmitted(Event):
    """A document came in; only its fingerprint stands here."""

    document_id: str
    kind: str
    sha256: str


@event("loan.document_verified.v1")
class DocumentVerified(Event):
    """Somebody checked a document and believes it."""

    document_id: str
    method: str


@event("loan.document_flagged.v1")
class DocumentFlagged(Event):
    """Somebody checked a document and does not believe it (火眼金睛)."""

    document_id: str
    suspicion: str  # forged, altered or stale


@event("loan.bureau_report_received.v1")
class BureauReportReceived(Event):
    """A credit bureau's answer, reduced to the figures that decisions use."""

    report_id: str
    score: int | None = None
    inquiries: int | None = None
    debts_minor: int | None = None


@event("loan.credit_profile_assessed.v1")
class CreditProfileAssessed(Event):
    """The credit portrait (信用画像) at one moment."""

    features: CreditFeatures


@event("loan.policy_evaluated.v1")
class PolicyEvaluated(Event):
    """Which rules of which policy version the application hit."""

    policy: str
    policy_version: int
    rule_hits: tuple[str, ...] = ()


@event("loan.model_scored.v1")
class ModelScored(Event):
    """What a model said, with what it saw: a suggestion, never a decision."""

    model_id: str
    model_version: str
    score: Decimal
    features_hash: str
    reasons: tuple[str, ...] = ()
    recommends: Decision | None = None


@event("loan.terms_recommended.v1")
class TermsRecommended(Event):
    """What the policy and the models would offer."""

    terms: Terms


@event("loan.reviewed.v1")
class LoanReviewed(Event):
    """A human, or an upstream system on record, decided. Approved terms are frozen here."""

    decision: Decision
    grade: str | None = None
    terms: Terms | None = None  # set exactly when approved
    reasons: tuple[str, ...] = ()


@event("loan.approved_amount_changed.v1")
class ApprovedAmountChanged(Event):
    """Another amount is approved from here on: of a revolving loan, another limit (调额)."""

    amount_minor: int
    before_minor: int


@event("loan.decision_overridden.v1")
class DecisionOverridden(Event):
    """The reviewer decided otherwise than the model recommended; both sides count."""

    recommended: Decision
    decided: Decision
    direction: str  # high_side: declined although recommended; low_side: approved although not


@event("loan.cost_disclosed.v1")
class CostDisclosed(Event):
    """The borrower was shown the all-in annualised cost (综合融资成本明示表)."""

    annual_cost: Decimal  # fraction per year
    method: str  # irr or simple
    charges: tuple[str, ...] = ()  # charge codes on the table; no other may be assessed


@event("loan.offer_accepted.v1")
class OfferAccepted(Event):
    """The borrower agreed to the approved terms."""


@event("loan.application_withdrawn.v1")
class ApplicationWithdrawn(Event):
    """The applicant stepped back before the money moved."""
