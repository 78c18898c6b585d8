"""The engine against the publisher: instalment and principal of the real loans, from terms alone.

These two checks are evidence, because no published figure goes into what is compared with it.
"""

from collections.abc import Sequence

from consumers.checks import Check, Finding
from consumers.real_book.dataset import PublishedLoan
from consumers.real_book.life import plan_of
from consumers.real_book.snapshot import whole_instalments

BOOK_LOANS = 10_000
INSTALMENTS_EQUAL_MIN = 9_990  # of the whole book
PRINCIPALS_EQUAL_MIN = 8_600
PRINCIPAL_WITHIN_MINOR = 2


def against_publisher(loans: Sequence[PublishedLoan]) -> list[Check]:
    """Compare for every loan; a part of the book is held to the same shares."""
    unequal: list[Finding] = []
    apart: list[Finding] = []
    for loan in loans:
        rows = plan_of(loan)
        own = rows[0].due_minor
        if own != loan.instalment_minor:
            reason = f"own instalment {own}, published {loan.instalment_minor}"
            unequal.append(Finding(id=str(loan.row), reason=reason))
        met = whole_instalments(loan)
        principal = sum(row.principal_minor for row in rows[:met])
        if abs(principal - loan.paid_principal_minor) > PRINCIPAL_WITHIN_MINOR:
            reason = f"own principal of {met} is {principal}, paid {loan.paid_principal_minor}"
            apart.append(Finding(id=str(loan.row), reason=reason))
    return [
        _at_least("instalment_equals_published", INSTALMENTS_EQUAL_MIN, len(loans), unequal),
        _at_least("principal_within_two_cents", PRINCIPALS_EQUAL_MIN, len(loans), apart),
    ]


def _at_least(name: str, of_book: int, loans: int, exceptions: list[Finding]) -> Check:
    wanted = of_book * loans // BOOK_LOANS
    equal = loans - len(exceptions)
    return Check(
        name=name,
        ok=equal >= wanted,
        expected=f"at least {wanted} of {loans}",
        actual=str(equal),
        exceptions=tuple(exceptions),
    )
