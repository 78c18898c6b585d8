"""Readers of tests/golden/methods: figures that were computed outside Loanbook."""

import csv
from pathlib import Path

from domain.money import parse_amount

FOLDER = Path(__file__).parents[1] / "golden" / "methods"


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def payments(name: str) -> list[int]:
    return [parse_amount(row["payment"], "CNY") for row in table(name)]
