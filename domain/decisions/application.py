"""Decisions before the money: applying, documents, review, offer."""

from domain.actors import ActorKind
from domain.commands import application as c
from domain.context import Context, ProductVersion
from domain.decisions.agreeing import with_agreed
from domain.decisions.guards import (
    require_amount,
    require_not_ahead,
    require_reason,
    require_status,
)
from domain.decisions.limits import require_amount_offered, require_within_applied
from domain.decisions.repricing import signed_rate
from domain.decisions.tranches import require_plan
from domain.errors import Rejected
from domain.events import application as e
from domain.events.registry import Event
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Conditions, Terms

IN_REVIEW = (LoanStatus.APPLIED, LoanStatus.REFERRED)
BEFORE_MONEY = (*IN_REVIEW, LoanStatus.APPROVED, LoanStatus.ACCEPTED)


def apply(command: c.ApplyForLoan, context: Context) -> list[Event]:
    """Take an application and pin the product's version."""
    require_not_ahead(command.effective_on, context)
    require_amount(command.amount_minor)
    product = _product(context, command.product_code)
    _require_within(product.conditions, command.amount_minor, command.instalments)
    if command.currency != product.conditions.currency:
        raise Rejected(
            "currency_mismatch", f"the product is in {product.conditions.currency}", "currency"
        )
    return [
        e.LoanApplied(
            effective_on=command.effective_on,
            customer_id=command.customer_id,
            product_code=product.code,
            product_version=product.version,
            conditions=product.conditions,
            amount_minor=command.amount_minor,
            currency=command.currency,
            instalments=command.instalments,
            segments=command.segments,
            features=command.features,
            external_id=command.external_id,
            tranches=require_plan(
                product.conditions, command.tranches, command.amount_minor, command.effective_on
            ),
        )
    ]


def _product(context: Context, code: str) -> ProductVersion:
    if context.product is None:
        raise Rejected("unknown_product", f"there is no product {code}", "product_code")
    return context.product


def _require_within(conditions: Conditions, amount_minor: int, instalments: int) -> None:
    require_amount_offered(conditions, amount_minor)
    if not conditions.instalments_min <= instalments <= conditions.instalments_max:
        raise Rejected(
            "instalments_outside_product",
            f"the product allows {conditions.instalments_min}..{conditions.instalments_max} "
            "instalments",
            "instalments",
        )


def submit_document(loan: Loan, command: c.SubmitDocument, context: Context) -> list[Event]:
    """Take a document's fingerprint."""
    require_status(loan, BEFORE_MONEY)
    require_not_ahead(command.effective_on, context)
    if command.document_id in loan.documents:
        raise Rejected("already_recorded", "this document is in the file", "document_id")
    return [
        e.DocumentSubmitted(
            effective_on=command.effective_on,
            document_id=command.document_id,
            kind=command.kind,
            sha256=command.sha256,
        )
    ]


def _require_document(loan: Loan, document_id: str) -> None:
    if document_id not in loan.documents:
        raise Rejected("unknown_document", "this document is not in the file", "document_id")


def verify_document(loan: Loan, command: c.VerifyDocument, context: Context) -> list[Event]:
    """Record that somebody believes a document."""
    require_status(loan, BEFORE_MONEY)
    require_not_ahead(command.effective_on, context)
    _require_document(loan, command.document_id)
    return [
        e.DocumentVerified(
            effective_on=command.effective_on,
            document_id=command.document_id,
            method=command.method,
        )
    ]


def flag_document(loan: Loan, command: c.FlagDocument, context: Context) -> list[Event]:
    """Record that somebody does not believe a document."""
    require_status(loan, BEFORE_MONEY)
    require_not_ahead(command.effective_on, context)
    _require_document(loan, command.document_id)
    if command.suspicion not in {"forged", "altered", "stale"}:
        raise Rejected("unknown_suspicion", "forged, altered or stale", "suspicion")
    return [
        e.DocumentFlagged(
            effective_on=command.effective_on,
            document_id=command.document_id,
            suspicion=command.suspicion,
        )
    ]


def record_bureau_report(
    loan: Loan, command: c.RecordBureauReport, context: Context
) -> list[Event]:
    """Record a bureau's answer; there is no reason to pull one for a loan that is over."""
    require_status(loan, (*BEFORE_MONEY, LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF))
    require_not_ahead(command.effective_on, context)
    return [
        e.BureauReportReceived(
            effective_on=command.effective_on,
            report_id=command.report_id,
            score=command.score,
            inquiries=command.inquiries,
            debts_minor=command.debts_minor,
        )
    ]


def assess_credit(loan: Loan, command: c.AssessCredit, context: Context) -> list[Event]:
    """Record the credit portrait of the moment."""
    require_status(loan, BEFORE_MONEY)
    require_not_ahead(command.effective_on, context)
    return [e.CreditProfileAssessed(effective_on=command.effective_on, features=command.features)]


def record_policy_evaluation(
    loan: Loan, command: c.RecordPolicyEvaluation, context: Context
) -> list[Event]:
    """Record the rule hits."""
    require_status(loan, IN_REVIEW)
    require_not_ahead(command.effective_on, context)
    return [
        e.PolicyEvaluated(
            effective_on=command.effective_on,
            policy=command.policy,
            policy_version=command.policy_version,
            rule_hits=command.rule_hits,
        )
    ]


def record_model_score(loan: Loan, command: c.RecordModelScore, context: Context) -> list[Event]:
    """Record a suggestion. Whoever records it, it binds nobody."""
    require_status(loan, IN_REVIEW)
    require_not_ahead(command.effective_on, context)
    return [
        e.ModelScored(
            effective_on=command.effective_on,
            model_id=command.model_id,
            model_version=command.model_version,
            score=command.score,
            features_hash=command.features_hash,
            reasons=command.reasons,
            recommends=command.recommends,
        )
    ]


def review(loan: Loan, command: c.ReviewLoan, context: Context) -> list[Event]:
    """Decide on the application.

    Deciding against a model's recommendation is an override and needs a reason.
    """
    require_status(loan, IN_REVIEW)
    require_not_ahead(command.effective_on, context)
    events: list[Event] = []
    if loan.recommended is not None and command.decision is not loan.recommended:
        require_reason(context)
        low_side = command.decision is e.Decision.APPROVED
        events.append(
            e.DecisionOverridden(
                effective_on=command.effective_on,
                recommended=loan.recommended,
                decided=command.decision,
                direction="low_side" if low_side else "high_side",
            )
        )
    if command.decision is e.Decision.DECLINED and not command.reasons:
        # Regulation B asks for the specific principal reasons (domain rules, section 8).
        raise Rejected("reasons_missing", "a decline states its principal reasons", "reasons")
    terms = _terms(loan, command, context) if command.decision is e.Decision.APPROVED else None
    events.append(
        e.LoanReviewed(
            effective_on=command.effective_on,
            decision=command.decision,
            grade=command.grade,
            terms=terms,
            reasons=command.reasons,
        )
    )
    return events


def _terms(loan: Loan, command: c.ReviewLoan, context: Context) -> Terms:
    conditions = loan.conditions
    amount = command.amount_minor if command.amount_minor is not None else loan.amount_minor
    listed = len(command.custom) or loan.instalments
    instalments = command.instalments if command.instalments is not None else listed
    require_within_applied(loan, amount)
    _require_within(conditions, amount, instalments)
    tranches = loan.tranches if command.tranches is None else command.tranches
    rate, signed = signed_rate(conditions, command, context.publications)
    terms = Terms(
        currency=conditions.currency,
        principal_minor=amount,
        rate_annual=rate,
        instalments=instalments,
        signed=signed,
        tranches=require_plan(conditions, tranches, amount, command.effective_on),
    )
    return with_agreed(conditions, terms, command)


def disclose_cost(loan: Loan, command: c.DiscloseCost, context: Context) -> list[Event]:
    """Record the cost table shown; it may list only what the product knows (domain rules, 5.7)."""
    require_status(loan, (LoanStatus.APPROVED, LoanStatus.ACCEPTED))
    require_not_ahead(command.effective_on, context)
    if command.method not in {"irr", "simple"}:
        raise Rejected("unknown_method", "irr or simple", "method")
    strange = sorted(set(command.charges) - set(loan.conditions.charges))
    if strange:
        raise Rejected("unknown_charge", f"the product has no {', '.join(strange)}", "charges")
    return [
        e.CostDisclosed(
            effective_on=command.effective_on,
            annual_cost=command.annual_cost,
            method=command.method,
            charges=command.charges,
        )
    ]


def accept_offer(loan: Loan, command: c.AcceptOffer, context: Context) -> list[Event]:
    """Record the borrower's yes."""
    require_status(loan, (LoanStatus.APPROVED,))
    require_not_ahead(command.effective_on, context)
    return [e.OfferAccepted(effective_on=command.effective_on)]


def withdraw(loan: Loan, command: c.WithdrawApplication, context: Context) -> list[Event]:
    """Record that the applicant stepped back."""
    require_status(loan, BEFORE_MONEY)
    require_not_ahead(command.effective_on, context)
    return [e.ApplicationWithdrawn(effective_on=command.effective_on)]


MODEL_MAY = frozenset({c.RecordModelScore})
"""All that a model may do to a loan (domain rules, section 8)."""


def require_no_model(command: object, context: Context) -> None:
    """Refuse everything but suggestions from a model."""
    if context.actor.kind is ActorKind.MODEL and type(command) not in MODEL_MAY:
        raise Rejected("model_may_not_decide", "a model may suggest; people decide")
