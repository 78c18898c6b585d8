"""Published rows of a loan: instalments, allocation lines and balances.

Results of the engine, never its input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple


class Instalment(NamedTuple):
    """One row of the schedule. All amounts in minor units of the loan's currency.

    A named tuple, because events store it as a JSON array in this order: a schedule of thirty years
    then takes 20 KiB and not 120. New fields go to the end, with a default.
    """

    number: int  # from 1
    from_on: date
    due_on: date
    principal_minor: int
    interest_minor: int
    fee_minor: int = 0
    penalty_minor: int = 0
    principal_paid_minor: int = 0
    interest_paid_minor: int = 0
    fee_paid_minor: int = 0
    penalty_paid_minor: int = 0
    interest_waived_minor: int = 0
    fee_waived_minor: int = 0
    penalty_waived_minor: int = 0
    met_on: date | None = None  # the value date on which nothing was left to pay

    @property
    def due_minor(self) -> int:
        """All that the row asks for."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor

    @property
    def paid_minor(self) -> int:
        """All that has been paid on the row."""
        return (
            self.principal_paid_minor
            + self.interest_paid_minor
            + self.fee_paid_minor
            + self.penalty_paid_minor
        )

    @property
    def waived_minor(self) -> int:
        """All that was given up on the row."""
        return self.interest_waived_minor + self.fee_waived_minor + self.penalty_waived_minor

    @property
    def unpaid_minor(self) -> int:
        """What is left to pay on the row."""
        return self.due_minor - self.paid_minor - self.waived_minor

    @property
    def principal_left_minor(self) -> int:
        """Principal not yet paid."""
        return self.principal_minor - self.principal_paid_minor

    @property
    def interest_left_minor(self) -> int:
        """Interest neither paid nor given up."""
        return self.interest_minor - self.interest_paid_minor - self.interest_waived_minor

    @property
    def fee_left_minor(self) -> int:
        """Fees neither paid nor given up."""
        return self.fee_minor - self.fee_paid_minor - self.fee_waived_minor

    @property
    def penalty_left_minor(self) -> int:
        """Penalties neither paid nor given up."""
        return self.penalty_minor - self.penalty_paid_minor - self.penalty_waived_minor


def replace(row: Instalment, **changes: Any) -> Instalment:  # noqa: ANN401 - any field
    """Return a row with some fields changed."""
    return row._replace(**changes)


def merge(
    rows: tuple[Instalment, ...], changed: tuple[Instalment, ...], total: int
) -> tuple[Instalment, ...]:
    """Return `total` rows: the changed ones in their places, new numbers at the end."""
    if not changed and total == len(rows):
        return rows
    merged = list(rows[:total])
    for row in changed:
        if row.number <= len(merged):
            merged[row.number - 1] = row
        else:
            merged.append(row)
    return tuple(merged)


def place_of(rows: Sequence[Instalment], number: int) -> int:
    """Return which of the instalments due on its day an instalment is, from 1."""
    due_on = rows[number - 1].due_on
    return sum(row.due_on == due_on for row in rows[:number])


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationLine:
    """The part of one payment that went to one instalment."""

    instalment: int
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0

    @property
    def total_minor(self) -> int:
        """The whole line."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What is owed over the whole schedule, by component, and what was paid too much."""

    principal_minor: int = 0
    interest_minor: int = 0  # planned and not yet paid, due or not
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0

    @property
    def owed_minor(self) -> int:
        """All that is still to pay."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor
