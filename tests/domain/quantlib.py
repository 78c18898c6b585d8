"""QuantLib as an oracle. It ships no types, so it enters the tests as Any, here alone."""

from datetime import date
from importlib import import_module
from typing import Any

ql: Any = import_module("QuantLib")


def to_ql(day: date) -> Any:  # noqa: ANN401  # QuantLib ships no types
    return ql.Date(day.day, day.month, day.year)


def from_ql(day: Any) -> date:  # noqa: ANN401  # QuantLib ships no types
    return date(day.year(), day.month(), day.dayOfMonth())
