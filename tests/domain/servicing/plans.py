"""Terms and planned schedules in few words, for tests of the engine's conventions."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain.money import parse_amount
from domain.servicing.account import Instalment
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import InterestPeriod
from tests.domain.golden_methods import table

START = date(2024, 1, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One row of a plan, in minor units."""

    principal: int
    interest: int
    balance: int

    @property
    def payment(self) -> int:
        return self.principal + self.interest


def terms(**changes: Any) -> LoanTerms:  # noqa: ANN401 - any field of the terms
    """A year of 1,000.00 at 12 %, one per cent a month, unless said otherwise."""
    given: dict[str, Any] = {
        "principal_minor": 1_000_00,
        "rate_annual": Decimal("0.12"),
        "instalments": 12,
        "expected_disbursement_on": START,
        "interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD,
    }
    if "day_count" in changes:
        given["interest_period"] = InterestPeriod.DAILY
    return LoanTerms(**(given | changes))


def plan(of: LoanTerms) -> list[Figures]:
    """The schedule as it is expected to be paid out."""
    return [figures(row) for row in Timeline.start(of).planned().instalments]


def figures(row: Instalment) -> Figures:
    return Figures(
        principal=row.due.principal, interest=row.due.interest, balance=row.balance_after_minor
    )


def golden_plan(name: str) -> list[Figures]:
    """A plan of tests/golden/methods, computed outside Loanbook."""
    return [
        Figures(
            principal=parse_amount(row["principal"], "CNY"),
            interest=parse_amount(row["interest"], "CNY"),
            balance=parse_amount(row["balance"], "CNY"),
        )
        for row in table(name)
    ]
