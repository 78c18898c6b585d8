"""A copy of the engine's working state holds every field, and shares nothing that changes."""

from datetime import date
from decimal import Decimal

import pytest

from domain.servicing.ledger import Entry
from domain.servicing.period import Period, Sub
from domain.servicing.plan import Plan
from domain.servicing.row import COMPONENTS, Row
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Kind

FROM, DUE = date(2024, 1, 15), date(2024, 2, 15)
TERMS = LoanTerms(
    principal_minor=10_000,
    rate_annual=Decimal("0.12"),
    instalments=1,
    expected_disbursement_on=FROM,
)


@pytest.mark.parametrize(
    "original", [Sub(FROM, DUE), Period(FROM, DUE), Row(FROM, DUE), Plan(TERMS, [(FROM, DUE)])]
)
def test_a_copy_holds_every_field(original: Sub | Period | Row | Plan) -> None:
    copy = original.copy()
    assert copy is not original
    for name in type(original).__slots__:
        if name not in {"subs", "periods"}:
            assert getattr(copy, name) == getattr(original, name), name


def test_what_happens_to_a_copy_of_a_row_leaves_the_row_alone() -> None:
    row = Row(FROM, DUE)
    copy = row.copy()
    for parts in (copy.due, copy.paid, copy.waived, copy.written_off, copy.credited):
        parts.update(dict.fromkeys(COMPONENTS, 1))
    assert row.total_due == row.total_paid == row.outstanding == sum(row.credited.values()) == 0


def test_what_happens_to_a_copy_of_a_period_leaves_the_period_alone() -> None:
    period = Period(FROM, DUE)
    period.copy().subs[0].correction = 1
    assert period.subs[0].correction == 0


def test_a_copy_of_a_transaction_is_equal_and_independent() -> None:
    entry = Entry(
        id="1", kind=Kind.REPAYMENT, on=DUE, amount=5, entered_on=DUE, overpayment=1, source_id="0"
    )
    copy = entry.copy()
    assert copy == entry
    copy.parts[COMPONENTS[0]] = 5
    copy.lines.clear()
    assert entry.parts[COMPONENTS[0]] == 0
