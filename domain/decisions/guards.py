"""Small rules that many decisions share. Each refuses with its own stable code or lets pass."""

from collections.abc import Collection
from datetime import date, timedelta

from domain.context import Context
from domain.errors import Rejected
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Component, Terms
from domain.money import AMOUNT_MINOR_MAX
from domain.servicing.facts import Fact, ReAged, Restructured
from domain.servicing.timeline import Timeline


def require_status(loan: Loan, allowed: Collection[LoanStatus]) -> None:
    """Refuse what does not fit the loan's place in its life."""
    if loan.status in allowed:
        return
    if loan.status is LoanStatus.SETTLED:
        raise Rejected("loan_settled", "the loan is settled; nothing is owed")
    wanted = ", ".join(sorted(allowed))
    raise Rejected("wrong_status", f"the loan is {loan.status}; this needs {wanted}")


def require_amount(amount_minor: int, field: str = "amount") -> None:
    """Refuse amounts that are not positive or too large to store."""
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        raise Rejected(
            "amount_out_of_range", f"{amount_minor} is not within 1..{AMOUNT_MINOR_MAX}", field
        )


def require_currency(loan: Loan, currency: str) -> None:
    """Refuse money of another currency than the loan's."""
    if currency != loan.currency:
        raise Rejected("currency_mismatch", f"the loan is in {loan.currency}", "currency")


def require_not_ahead(effective_on: date, context: Context) -> None:
    """Refuse value dates after the business date (domain rules, L-16)."""
    if effective_on > context.business_date:
        raise Rejected(
            "effective_in_future",
            f"{effective_on} is after the business date {context.business_date}",
            "effective_on",
        )


def require_value_date(loan: Loan, effective_on: date, context: Context) -> Timeline:
    """Return the time line; refuse value dates outside the loan's life or backdated too far."""
    require_not_ahead(effective_on, context)
    if loan.timeline is None or loan.disbursed_on is None:
        raise Rejected("not_disbursed", "no money has been paid out on this loan")
    if effective_on < loan.disbursed_on:
        raise Rejected(
            "before_disbursement",
            f"{effective_on} is before the payout on {loan.disbursed_on}",
            "effective_on",
        )
    oldest = context.business_date - timedelta(days=loan.conditions.backdating_days_max)
    if effective_on < oldest:
        raise Rejected(
            "backdated_too_far", f"the product takes nothing from before {oldest}", "effective_on"
        )
    if loan.replanned_on and effective_on < loan.replanned_on:
        raise Rejected(
            "before_restructuring",
            f"the loan was planned anew on {loan.replanned_on}; nothing may be dated before it",
            "effective_on",
        )
    if loan.terminated_on and effective_on < loan.terminated_on:
        raise Rejected(
            "contract_terminated",
            f"the contract ended on {loan.terminated_on}; nothing may be dated before it",
            "effective_on",
        )
    return loan.timeline


def require_last(timeline: Timeline, effective_on: date) -> None:
    """Refuse what is dated before the loan's newest fact."""
    newest = timeline.newest
    if newest and effective_on < newest.effective_on:
        raise Rejected(
            "before_last_fact",
            f"the loan's newest fact is of {newest.effective_on}",
            "effective_on",
        )


def require_new_fact(loan: Loan, fact_id: str, field: str) -> None:
    """Refuse a second fact under one id, also one that was taken back.

    The key protects requests, this protects the money.
    """
    if fact_id in loan.taken_back or (loan.timeline and loan.timeline.find(fact_id)):
        raise Rejected("already_recorded", f"{fact_id} is on this loan's time line already", field)


def require_no_plan_since(timeline: Timeline, fact: Fact, field: str) -> None:
    """Refuse to take back what a new plan was made on."""
    facts = timeline.facts
    if any(isinstance(later, Restructured | ReAged) for later in facts[facts.index(fact) :]):
        raise Rejected("before_restructuring", "the loan was planned anew since", field)


def require_each_component(order: Collection[Component], field: str) -> None:
    """Refuse an order of allocation that leaves a component out, or names one twice."""
    if sorted(order) != sorted(Component):
        raise Rejected("bad_allocation", "each component once", field)


def require_reversal_date(since: date, on: date, context: Context, what: str) -> None:
    """Refuse a reversal before `what` it takes back, of `since`, or after the business date."""
    if not since <= on <= context.business_date:
        raise Rejected(
            "effective_out_of_range",
            f"a reversal lies between {what} and the business date",
            "effective_on",
        )


def require_not_charged_off(loan: Loan) -> None:
    """Refuse what would change the books of a loan that is off them, settled since or not."""
    if loan.charged_off:
        raise Rejected("loan_charged_off", "the loan was charged off")


def require_on_book(loan: Loan) -> None:
    """Refuse to change the income of a loan that was taken to loss: none is deferred any more."""
    require_status(loan, (LoanStatus.ACTIVE, LoanStatus.SETTLED))
    require_not_charged_off(loan)


def approved(loan: Loan) -> Terms:
    """Return the approved terms. Raises Rejected `not_approved`."""
    if loan.terms is None:
        raise Rejected("not_approved", "the loan has no approved terms")
    return loan.terms


def require_contract(loan: Loan) -> None:
    """Refuse to change the terms of a contract that was terminated."""
    if loan.terminated_on:
        raise Rejected("contract_terminated", "the contract was terminated; all is due")


def require_reason(context: Context) -> str:
    """Refuse a decision without a reason code (domain rules, section 8)."""
    if not context.reason_code:
        raise Rejected("reason_missing", "this decision needs a reason code", "reason_code")
    return context.reason_code
