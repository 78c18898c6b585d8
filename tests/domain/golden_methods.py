"""Readers of tests/golden/methods: figures that were computed outside Loanbook."""

import csv
from pathlib import Path

from domain.money import parse_amount
from domain.repayment import Row

FOLDER = Path(__file__).parents[1] / "golden" / "methods"


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plan(name: str) -> list[Row]:
    return [
        Row(
            number=int(row["number"]),
            principal_minor=parse_amount(row["principal"], "CNY"),
            interest_minor=parse_amount(row["interest"], "CNY"),
            balance_minor=parse_amount(row["balance"], "CNY"),
        )
        for row in table(name)
    ]


def payments(name: str) -> list[int]:
    return [parse_amount(row["payment"], "CNY") for row in table(name)]
