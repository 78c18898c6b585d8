"""The imported book against the published figures. True by construction: it checks the import.

Pure: what the read models say comes in as values.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumers.checks import Check, Finding
from consumers.real_book.dataset import PublishedLoan, PublishedStatus
from consumers.real_book.life import loan_id_of, plan_of
from consumers.real_book.placing import place

HALF_A_CENT = Decimal("0.005")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLoan:
    """What the read models say about a loan at the close of the snapshot date, in cents."""

    status: str
    days_past_due: int | None  # None: the close of the day has no row for it
    principal_minor: int
    principal_paid_minor: int
    interest_paid_minor: int
    penalty_paid_minor: int


Imported = Mapping[str, ImportedLoan]
"""By loan id."""


def import_consistency(loans: Sequence[PublishedLoan], imported: Imported) -> list[Check]:
    """Compare counts, balances, parts and totals paid, and statuses, loan by loan."""
    found = [(loan, imported.get(loan_id_of(loan.row))) for loan in loans]
    known = [(loan, seen) for loan, seen in found if seen is not None]
    missing = [_finding(loan, "not imported") for loan, seen in found if seen is None]
    return [
        _check("loans_imported", len(loans), missing),
        _compare("balances_equal", known, _balance),
        _compare("parts_paid_equal", known, _parts),
        _compare("totals_paid_equal", known, _total),
        _statuses(known),
    ]


def _balance(loan: PublishedLoan, seen: ImportedLoan) -> str | None:
    """Compare principal owed; a charged-off loan's published balance is 0, its debt is not."""
    owed = loan.balance_minor
    if loan.status is PublishedStatus.CHARGED_OFF:
        owed = loan.amount_minor - loan.paid_principal_minor
    return None if seen.principal_minor == owed else f"{seen.principal_minor}, published {owed}"


def _parts(loan: PublishedLoan, seen: ImportedLoan) -> str | None:
    own = (seen.principal_paid_minor, seen.interest_paid_minor, seen.penalty_paid_minor)
    published = (loan.paid_principal_minor, loan.paid_interest_minor, loan.paid_late_fees_minor)
    return None if own == published else f"{own}, published {published}"


def _total(loan: PublishedLoan, seen: ImportedLoan) -> str | None:
    """Compare with the published total, which has fractions of a cent in some hundred loans."""
    own = seen.principal_paid_minor + seen.interest_paid_minor + seen.penalty_paid_minor
    if abs(Decimal(own) / 100 - loan.paid_total) <= HALF_A_CENT:
        return None
    return f"{own} cents, published {loan.paid_total}"


def published_status_of(seen: ImportedLoan) -> PublishedStatus | None:
    """Say in the publisher's words where a loan stands; None: it has no word for it."""
    if seen.status == "settled":
        return PublishedStatus.FULLY_PAID
    if seen.status == "charged_off":
        return PublishedStatus.CHARGED_OFF
    days = seen.days_past_due
    if seen.status != "active" or days is None or days > 120:  # noqa: PLR2004 - the last word's end
        return None
    words = (
        (30, PublishedStatus.LATE_31),
        (15, PublishedStatus.LATE_16),
        (0, PublishedStatus.IN_GRACE),
    )
    return next((word for above, word in words if days > above), PublishedStatus.CURRENT)


def _statuses(known: Sequence[tuple[PublishedLoan, ImportedLoan]]) -> Check:
    """Compare statuses; an exception that the data itself excludes is explained and may stand."""
    explained: list[Finding] = []
    wrong: list[Finding] = []
    for loan, seen in known:
        own = published_status_of(seen)
        if own is not loan.status:
            why = explanation(loan)
            reason = f"{own or seen.status}, published {loan.status}: {why or 'not explained'}"
            (explained if why else wrong).append(_finding(loan, reason))
    return Check(
        name="statuses_equal",
        ok=not wrong,
        expected=f"all {len(known)}, but for those that the data excludes",
        actual=f"{len(known) - len(explained) - len(wrong)} equal, {len(explained)} excluded",
        exceptions=(*wrong, *explained),
    )


def explanation(loan: PublishedLoan) -> str | None:
    """Say why the published figures of a loan cannot give its published status; None: they can."""
    if loan.status is PublishedStatus.CURRENT and loan.balance_minor == 0:
        return "its whole principal is published as paid"
    if place(loan, plan_of(loan)).off_by_days:
        return "no issue day of its month puts what it has paid where its status says"
    return None


def _compare(
    name: str,
    known: Sequence[tuple[PublishedLoan, ImportedLoan]],
    differs: Callable[[PublishedLoan, ImportedLoan], str | None],
) -> Check:
    reasons = ((loan, differs(loan, seen)) for loan, seen in known)
    return _check(name, len(known), [_finding(loan, reason) for loan, reason in reasons if reason])


def _check(name: str, loans: int, exceptions: list[Finding]) -> Check:
    return Check(
        name=name,
        ok=not exceptions,
        expected=str(loans),
        actual=str(loans - len(exceptions)),
        exceptions=tuple(exceptions),
    )


def _finding(loan: PublishedLoan, reason: str) -> Finding:
    return Finding(id=str(loan.row), reason=reason)
