"""Grace granted in mid-term: instalments that ask for no principal, or for no interest.

As many instalments as have a grace on principal are added at the end; interest under a grace is
earned and collected with the first instalment after it. Sources: domain rules 9.9 S-03, P-27, T-46.
"""

from datetime import date

from domain.errors import Rejected
from domain.servicing.changes import add_instalments, interest_is_fixed, let_rows_follow
from domain.servicing.dates import ONE_DAY, knowing
from domain.servicing.facts import GraceGranted
from domain.servicing.ledger import Ledger
from domain.servicing.plan import Plan
from domain.servicing.solving import resolve_after
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Amortisation

OWN_AMOUNTS = frozenset(
    {
        Amortisation.BULLET,
        Amortisation.FIXED_INSTALMENT,
        Amortisation.CUSTOM,
        Amortisation.REVOLVING,
    }
)
"""What has one instalment, or instalments that are given."""

BESIDE_PRINCIPAL = frozenset({Amortisation.EQUAL_PRINCIPAL, Amortisation.INTEREST_ONLY})
"""What asks for interest beside a principal that is fixed, so that interest may wait."""


def require_grace(terms: LoanTerms, interest: int, *, prefix: str = "") -> None:
    """Refuse a grace that a plan cannot give; `prefix` goes before the fields' names (P-27).

    Raises Rejected: `grace_not_offered`, `interest_is_planned`.
    """
    if terms.amortisation in OWN_AMOUNTS:
        detail = "the instalment is given: move due dates, or restructure the loan"
        raise Rejected("grace_not_offered", detail, f"{prefix}principal")
    if interest and terms.amortisation not in BESIDE_PRINCIPAL:
        detail = "interest is collected as it falls due: pause it, or defer payments"
        raise Rejected("grace_not_offered", detail, f"{prefix}interest")
    if interest and not terms.recalculates:
        detail = "interest is collected later where it is earned day by day"
        raise Rejected("interest_is_planned", detail, f"{prefix}interest")


def grant_grace(ledger: Ledger, fact: GraceGranted) -> None:
    """Grant a grace from an instalment on, and solve what comes after it anew."""
    if interest_is_fixed(ledger, fact.effective_on):
        return
    ledger.terms = knowing(ledger.terms, fact.closed_days)
    plan, from_on = ledger.plan, fact.from_due_on or fact.effective_on
    first = first_under(plan, from_on)
    if first is None:
        return
    if fact.principal:
        add_instalments(ledger, plan, fact.principal)
    for number, period in enumerate(plan.periods[first:]):
        period.granted_principal |= number < fact.principal
        period.granted_interest |= number < fact.interest
    resolve_after(plan, max(fact.effective_on - ONE_DAY, plan.periods[first].from_on))
    let_rows_follow(ledger, plan, plan.periods[first].due_on)


def first_under(plan: Plan, from_on: date) -> int | None:
    """Return the index of the first instalment due on or after a day; None: all are past."""
    return next((i for i, p in enumerate(plan.periods) if p.due_on >= from_on), None)
