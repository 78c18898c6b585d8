"""Says what instalments ask for of the contract's fees, beside what is decided.

The engine asks for them with the rows, so that they are in every plan and quote; what a decision
changes of them is said in an event of its own, which the ledger posts. Sources: domain rules 9.8
F-04, F-20; 5.7.
"""

from collections.abc import Sequence

from domain.commands.registry import LoanCommand
from domain.errors import Rejected
from domain.events.disbursement import DisbursementReturned, LoanDisbursed
from domain.events.ending import LoanChargedOff
from domain.events.registry import Event
from domain.events.servicing import FeeChange, InstalmentFeesChanged
from domain.loan.charge_rules import agreed_fees, tax_in
from domain.loan.evolve import fold
from domain.loan.facts import FACTS
from domain.loan.state import Loan
from domain.loan.terms import Conditions
from domain.servicing.instalment_fees import fees_asked

FIRST = (LoanChargedOff, DisbursementReturned)
"""Events that take all that is owed off the books: what is owed is said before."""


def bears_instalment_fees(conditions: Conditions) -> bool:
    """Whether a product asks for fees with instalments."""
    return bool(agreed_fees(conditions.charge_rules))


def require_fees_disclosed(loan: Loan) -> None:
    """Refuse to begin a plan with a fee that is not on the cost table (domain rules, 5.7)."""
    for rule in agreed_fees(loan.conditions.charge_rules):
        if rule.code not in (loan.disclosed_charges or ()):
            detail = f"{rule.code} is not on the cost table"
            raise Rejected("charge_not_disclosed", detail, "disbursement_id")


def with_instalment_fees(loan: Loan, command: LoanCommand, events: list[Event]) -> list[Event]:
    """Return the events of a decision with what they change of the fees; nothing: as they were."""
    if not any(type(event) in FACTS or isinstance(event, _PAYOUTS) for event in events):
        return events
    changes = _changes(loan, events)
    if not changes:
        return events
    told = InstalmentFeesChanged(effective_on=command.effective_on, changes=changes)
    first = any(isinstance(event, FIRST) for event in events)
    return [told, *events] if first else [*events, told]


_PAYOUTS = (LoanDisbursed, DisbursementReturned)


def _changes(loan: Loan, events: Sequence[Event]) -> tuple[FeeChange, ...]:
    after = fold(loan, events)
    timeline = after.timeline
    returned = any(isinstance(event, DisbursementReturned) for event in events)
    asked = {} if returned or timeline is None else timeline.read(fees_asked)
    known = {fee.code: fee for fee in loan.fees_asked}
    found: list[FeeChange] = []
    for code in {**asked, **known}:
        now = _fee(loan, code, asked.get(code, 0))
        then = known.get(code) or FeeChange(code=code, amount_minor=0)
        more = now.amount_minor - then.amount_minor
        if more:
            tax = now.tax_minor - then.tax_minor
            found.append(FeeChange(code=code, amount_minor=more, tax_minor=tax))
    return tuple(found)


def _fee(loan: Loan, code: str, amount_minor: int) -> FeeChange:
    rules = agreed_fees(loan.conditions.charge_rules)
    tax = sum(tax_in(amount_minor, rule.tax_percent) for rule in rules if rule.code == code)
    return FeeChange(code=code, amount_minor=amount_minor, tax_minor=tax)
