"""Where a payment goes.

Oldest instalment first, components in the terms' order; or as the upstream observed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.events.servicing import Split
from domain.loan.instalments import AllocationLine, Instalment, replace
from domain.loan.terms import Component, Terms
from domain.money import to_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """The rows after a payment, the lines it made, and what found no place."""

    rows: tuple[Instalment, ...]
    lines: tuple[AllocationLine, ...]
    overpaid_minor: int


def payoff_rows(rows: Sequence[Instalment], on: date) -> tuple[Instalment, ...]:
    """Return the rows as they stand when everything is repaid on a date.

    Interest runs to the date and not beyond (算头不算尾, domain rules 5.6): the running row keeps
    the part of its planned interest that its days so far have earned, later rows ask for none.
    """
    cut: list[Instalment] = []
    for row in rows:
        if row.met_on is not None or row.due_on <= on:
            cut.append(row)
            continue
        earned = 0
        if row.from_on < on:
            share = Decimal((on - row.from_on).days) / (row.due_on - row.from_on).days
            earned = to_minor(row.interest_minor * share)
        taken = row.interest_paid_minor + row.interest_waived_minor
        cut.append(replace(row, interest_minor=max(earned, taken)))
    return tuple(cut)


def allocate(rows: tuple[Instalment, ...], amount_minor: int, on: date, terms: Terms) -> Allocated:
    """Allocate by rule PAY-1: the oldest unmet instalment first, inside it in the terms' order.

    An amount that reaches the payoff of that date ends the loan; what is above it is overpayment.
    """
    closing = payoff_rows(rows, on)
    if amount_minor >= sum(row.unpaid_minor for row in closing):
        rows = closing
    after: list[Instalment] = list(rows)
    lines: list[AllocationLine] = []
    left = amount_minor
    for index, row in enumerate(rows):
        if row.met_on is not None:
            continue
        if left == 0 and row.unpaid_minor > 0:
            break
        line = _take(row, left, terms.allocation)
        after[index] = pay(row, line, on)
        if line.total_minor:
            lines.append(line)
            left -= line.total_minor
    return Allocated(rows=tuple(after), lines=tuple(lines), overpaid_minor=left)


def _take(row: Instalment, left: int, order: Sequence[Component]) -> AllocationLine:
    parts = dict.fromkeys(Component, 0)
    open_parts = {
        Component.PENALTY: row.penalty_left_minor,
        Component.FEE: row.fee_left_minor,
        Component.INTEREST: row.interest_left_minor,
        Component.PRINCIPAL: row.principal_left_minor,
    }
    for component in order:
        parts[component] = min(left, open_parts[component])
        left -= parts[component]
    return AllocationLine(
        instalment=row.number,
        principal_minor=parts[Component.PRINCIPAL],
        interest_minor=parts[Component.INTEREST],
        fee_minor=parts[Component.FEE],
        penalty_minor=parts[Component.PENALTY],
    )


def pay(row: Instalment, line: AllocationLine, on: date) -> Instalment:
    """Book a line on its row; the row is met on the day on which nothing is left."""
    paid = replace(
        row,
        principal_paid_minor=row.principal_paid_minor + line.principal_minor,
        interest_paid_minor=row.interest_paid_minor + line.interest_minor,
        fee_paid_minor=row.fee_paid_minor + line.fee_minor,
        penalty_paid_minor=row.penalty_paid_minor + line.penalty_minor,
    )
    return replace(paid, met_on=on) if paid.unpaid_minor == 0 and row.met_on is None else paid


def allocate_observed(rows: tuple[Instalment, ...], split: Split, on: date) -> Allocated:
    """Book a payment as its publisher split it (rule PAY-2): the observed parts are facts.

    The oldest unmet row takes the payment and is re-cut to the observed interest and principal,
    its total kept; the last row takes the difference in principal. Observed principal that repays
    the whole loan ends it: no row asks for interest any more. What has no row to go to is
    overpayment.
    """
    principal_left = sum(row.principal_left_minor for row in rows)
    if split.principal_minor >= principal_left:
        return _end_as_observed(rows, split, on)
    after: list[Instalment] = list(rows)
    lines: list[AllocationLine] = []
    rest = split
    last = len(rows) - 1
    for index, row in enumerate(rows):
        if row.met_on is not None or rest.total_minor == 0:
            continue
        fitted = _recut(row, rest) if index < last else row
        moved = fitted.principal_minor - row.principal_minor
        if moved:
            after[last] = replace(after[last], principal_minor=after[last].principal_minor - moved)
        line = AllocationLine(
            instalment=row.number,
            principal_minor=min(rest.principal_minor, fitted.principal_left_minor),
            interest_minor=min(rest.interest_minor, fitted.interest_left_minor),
            fee_minor=min(rest.fee_minor, fitted.fee_left_minor),
            penalty_minor=min(rest.penalty_minor, fitted.penalty_left_minor),
        )
        if line.total_minor:
            after[index] = pay(fitted, line, on)
            lines.append(line)
            rest = _minus(rest, line)
    return Allocated(rows=tuple(after), lines=tuple(lines), overpaid_minor=rest.total_minor)


def _recut(row: Instalment, rest: Split) -> Instalment:
    """Move principal against interest inside a covered row, so that the observed parts fit."""
    charges = row.fee_left_minor + row.penalty_left_minor
    body = row.principal_left_minor + row.interest_left_minor
    if (
        rest.principal_minor + rest.interest_minor < body
        or charges > rest.fee_minor + rest.penalty_minor
    ):
        return row
    interest = min(rest.interest_minor, body)
    principal = body - interest
    return replace(
        row,
        principal_minor=row.principal_paid_minor + principal,
        interest_minor=row.interest_paid_minor + row.interest_waived_minor + interest,
    )


def _end_as_observed(rows: tuple[Instalment, ...], split: Split, on: date) -> Allocated:
    after: list[Instalment] = []
    lines: list[AllocationLine] = []
    rest = split
    for row in rows:
        if row.met_on is not None:
            after.append(row)
            continue
        taken = row.interest_paid_minor + row.interest_waived_minor
        line = AllocationLine(
            instalment=row.number,
            principal_minor=row.principal_left_minor,
            interest_minor=rest.interest_minor,  # all of it with the first open row
            fee_minor=min(rest.fee_minor, row.fee_left_minor),
            penalty_minor=min(rest.penalty_minor, row.penalty_left_minor),
        )
        after.append(pay(replace(row, interest_minor=taken + line.interest_minor), line, on))
        if line.total_minor:
            lines.append(line)
        rest = _minus(rest, line)
    return Allocated(rows=tuple(after), lines=tuple(lines), overpaid_minor=rest.total_minor)


def _minus(split: Split, line: AllocationLine) -> Split:
    return Split(
        principal_minor=split.principal_minor - line.principal_minor,
        interest_minor=split.interest_minor - line.interest_minor,
        fee_minor=split.fee_minor - line.fee_minor,
        penalty_minor=split.penalty_minor - line.penalty_minor,
    )
