"""Write the CSV files of this folder with exact fractions and formulas of its own.

It imports nothing of Loanbook: that is its whole use. Run it in an empty folder to compare; the
files here are never edited.
"""

import csv
import sys
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

ROWS = ("number", "payment", "principal", "interest", "balance")


def cents(value: Fraction) -> int:
    """Round half up to a cent; all values here are positive."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def write(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with Path(name).open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def write_plan(name: str, principal: int, parts: list[tuple[int, int]]) -> None:
    rows: list[list[object]] = []
    for number, (repaid, interest) in enumerate(parts, 1):
        principal -= repaid
        rows.append(
            [number, yuan(repaid + interest), yuan(repaid), yuan(interest), yuan(principal)]
        )
    write(name, ROWS, rows)


def months(first: date, count: int) -> list[date]:
    days: list[date] = []
    for k in range(count + 1):
        year, month0 = divmod(first.year * 12 + first.month - 1 + k, 12)
        last = (date(year + (month0 == 11), (month0 + 1) % 12 + 1, 1).toordinal()) - 1
        days.append(date(year, month0 + 1, min(first.day, date.fromordinal(last).day)))
    return days


def actual(rate: Fraction, days: list[date], year: int) -> list[Fraction]:
    return [
        rate * (later.toordinal() - earlier.toordinal()) / year for earlier, later in pairwise(days)
    ]


def annuity(principal: int, factors: list[Fraction]) -> list[tuple[int, int]]:
    """The instalment whose present value is the principal: A = P / sum of discount factors."""
    discount, total = Fraction(1), Fraction(0)
    for factor in factors:
        discount /= 1 + factor
        total += discount
    level = cents(principal / total)
    parts: list[tuple[int, int]] = []
    left = principal
    for factor in factors[:-1]:
        interest = cents(left * factor)
        parts.append((level - interest, interest))
        left -= level - interest
    return [*parts, (left, cents(left * factors[-1]))]


def equal_principal(principal: int, factors: list[Fraction]) -> list[tuple[int, int]]:
    part = cents(Fraction(principal, len(factors)))
    last = len(factors) - 1
    return [
        (
            principal - last * part if k == last else part,
            cents((principal - k * part) * factor),
        )
        for k, factor in enumerate(factors)
    ]


def interest_only(principal: int, factors: list[Fraction]) -> list[tuple[int, int]]:
    rows = [(0, cents(principal * factor)) for factor in factors]
    return [*rows[:-1], (principal, rows[-1][1])]


def penalties() -> None:
    header = (
        "principal", "interest", "penalty", "rate_annual", "markup", "from_on", "until_on",
        "year", "compound_on_penalty", "penalty_interest", "compound_interest",
    )  # fmt: skip
    cases = [  # within a month: at its end unpaid penalties would join what bears the rate
        # 100,000 of principal 30 days late at 4.35 % + 50 %, by the banks' year of 360 days
        ("100000.00", "362.50", "0.00", "0.0435", "0.50", "2024-03-16", "2024-04-15", 360, "no"),
        ("100000.00", "362.50", "543.75", "0.0435", "0.50", "2024-03-16", "2024-04-15", 360, "no"),
        ("100000.00", "362.50", "543.75", "0.0435", "0.50", "2024-03-01", "2024-03-31", 360, "yes"),
        ("8333.33", "1234.56", "78.90", "0.12", "0.30", "2024-02-26", "2024-02-28", 365, "yes"),
        ("250000.00", "0.00", "0.00", "0.06", "1.00", "2023-12-31", "2024-12-31", 360, "no"),
        ("0.01", "0.01", "0.01", "0.15", "0.50", "2024-01-01", "2024-01-02", 360, "yes"),
        ("60000.00", "4500.00", "900.00", "0.072", "0.40", "2024-05-20", "2024-05-20", 365, "yes"),
    ]
    rows: list[list[object]] = []
    for case in cases:
        principal, interest, penalty, rate, markup, start, end, year, compounds = case
        span = date.fromisoformat(end).toordinal() - date.fromisoformat(start).toordinal()
        factor = Fraction(rate) * (1 + Fraction(markup)) * span / year
        base = Fraction(interest) + (Fraction(penalty) if compounds == "yes" else 0)
        rows.append(
            [
                *case,
                yuan(cents(Fraction(principal) * 100 * factor)),
                yuan(cents(base * 100 * factor)),
            ]
        )
    write("penalty_and_compound.csv", header, rows)


def revolving() -> None:
    changes = [
        ("2024-01-05", "20000.00"),
        ("2024-01-20", "-5000.00"),
        ("2024-02-11", "12000.00"),
        ("2024-02-11", "-2000.00"),
        ("2024-02-29", "-25000.00"),
        ("2024-03-18", "800.00"),
    ]
    rows: list[list[object]] = []
    for until in ("2024-01-05", "2024-01-06", "2024-02-01", "2024-03-01", "2024-04-05"):
        end = date.fromisoformat(until).toordinal()
        earned = sum(  # every change earns on its own: the sum needs no running balance
            (
                Fraction(amount) * 100 * Fraction("0.1825") * max(end - day.toordinal(), 0) / 360
                for day, amount in ((date.fromisoformat(on), amount) for on, amount in changes)
            ),
            Fraction(0),
        )
        rows.append([until, yuan(cents(earned))])
    write("revolving_changes.csv", ("on", "amount"), changes)
    write("revolving_interest.csv", ("until_on", "interest"), rows)


def main() -> None:
    monthly = [Fraction("0.06") / 12] * 12
    write_plan("annuity_12.csv", 100_000_00, annuity(100_000_00, monthly))
    mortgage = [Fraction("0.0395") / 12] * 360
    write_plan("annuity_360.csv", 1_000_000_00, annuity(1_000_000_00, mortgage))
    days = months(date(2024, 1, 31), 24)
    by_day = actual(Fraction("0.12"), days, 365)
    write_plan("annuity_24_act_365.csv", 50_000_00, annuity(50_000_00, by_day))
    write_plan("equal_principal_12.csv", 120_000_00, equal_principal(
        120_000_00, [Fraction("0.049") / 12] * 12))  # fmt: skip
    write_plan("equal_principal_7.csv", 100_000_00, equal_principal(
        100_000_00, [Fraction("0.065") / 12] * 7))  # fmt: skip
    by_day = actual(Fraction("0.0435"), months(date(2024, 1, 15), 12), 360)
    write_plan("interest_then_principal_12_act_360.csv", 200_000_00, interest_only(
        200_000_00, by_day))  # fmt: skip
    whole = actual(Fraction("0.05"), [date(2024, 3, 1), date(2025, 3, 1)], 360)
    write_plan("bullet_act_360.csv", 80_000_00, interest_only(80_000_00, whole))
    whole = actual(Fraction("0.05"), [date(2023, 9, 30), date(2024, 3, 29)], 365)
    write_plan("bullet_act_365.csv", 80_000_01, interest_only(80_000_01, whole))
    penalties()
    revolving()


if __name__ == "__main__":
    sys.exit(main())
