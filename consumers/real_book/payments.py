"""Cuts the published totals of a loan into single payments with dates (rules 3 to 6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from consumers.real_book.dataset import PublishedLoan, PublishedStatus
from consumers.real_book.placing import Placing
from consumers.real_book.snapshot import SNAPSHOT_ON
from domain.calendar import add_months
from domain.loan.instalments import Instalment
from domain.money import split

LATE_BY = timedelta(days=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment with its parts, in cents. `late_fee_minor` was charged on the same day."""

    on: date
    principal_minor: int
    interest_minor: int
    late_fee_minor: int = 0


def payments_of(loan: PublishedLoan, plan: Sequence[Instalment], placing: Placing) -> list[Payment]:
    """Return the payments, oldest first; their parts sum to the published totals exactly.

    Of `plan` only the amounts are looked at; its dates are those of the placing.
    """
    if loan.status is PublishedStatus.FULLY_PAID:
        payments = _until_payoff(loan, plan, placing.issued_on)
    elif placing.met:
        payments = _monthly(loan, plan[: placing.met], placing.issued_on)
    elif loan.paid_principal_minor + loan.paid_interest_minor:
        payments = [_all_that_was_paid(loan, add_months(placing.issued_on, 1))]
    else:
        payments = []
    return _with_late_fee(payments, loan.paid_late_fees_minor)


def _all_that_was_paid(loan: PublishedLoan, on: date) -> Payment:
    return Payment(
        on=on,
        principal_minor=loan.paid_principal_minor,
        interest_minor=loan.paid_interest_minor,
    )


def _monthly(loan: PublishedLoan, rows: Sequence[Instalment], issued_on: date) -> list[Payment]:
    principal = [row.principal_minor for row in rows]
    surplus = loan.paid_principal_minor - sum(principal)
    if surplus >= 0:
        principal[-1] += surplus
    else:
        principal = list(split(loan.paid_principal_minor, principal))
    interest = [row.interest_minor for row in rows]
    interest[0] += loan.paid_interest_minor - sum(interest)
    if interest[0] < 0 or surplus < 0:
        interest = list(split(loan.paid_interest_minor, [row.interest_minor for row in rows]))
    return [
        Payment(on=add_months(issued_on, row.number), principal_minor=p, interest_minor=i)
        for row, p, i in zip(rows, principal, interest, strict=True)
    ]


def _until_payoff(
    loan: PublishedLoan, plan: Sequence[Instalment], issued_on: date
) -> list[Payment]:
    payments: list[Payment] = []
    principal, interest = loan.paid_principal_minor, loan.paid_interest_minor
    on = issued_on
    for row in plan:
        due_on = add_months(issued_on, row.number)
        if interest < row.interest_minor or due_on > SNAPSHOT_ON:
            on += timedelta(days=interest * (due_on - on).days // row.interest_minor)
            break
        payments.append(
            Payment(
                on=due_on,
                principal_minor=row.principal_minor,
                interest_minor=row.interest_minor,
            )
        )
        principal, interest = principal - row.principal_minor, interest - row.interest_minor
        on = due_on
    on = min(max(on, issued_on + timedelta(days=1)), SNAPSHOT_ON)
    return [*payments, Payment(on=on, principal_minor=principal, interest_minor=interest)]


def _with_late_fee(payments: list[Payment], fee_minor: int) -> list[Payment]:
    """Move the last payment that can be late to the day on which its late fee is due."""
    if not fee_minor:
        return payments
    for index in reversed(range(len(payments))):
        late_on = payments[index].on + LATE_BY
        before_next = index + 1 == len(payments) or late_on <= payments[index + 1].on
        if late_on <= SNAPSHOT_ON and before_next:
            late = replace(payments[index], on=late_on, late_fee_minor=fee_minor)
            return [*payments[:index], late, *payments[index + 1 :]]
    raise ValueError("a late fee needs a payment that can be late")
