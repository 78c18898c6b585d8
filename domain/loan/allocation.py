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
    if amount_minor >= sum(row.principal_left_minor for row in rows):  # else it cannot reach it
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

    The payment meets the oldest unmet row that it covers, and the next ones that are due by its
    date; the last of them is re-cut to all that was observed. Principal paid beyond the plan
    comes off the end of the schedule and shortens it, principal short of the plan goes there. A
    payment that covers no row is a part of the oldest. Observed principal that repays the whole
    loan ends it: no row asks for interest any more. What has no row to go to is overpayment.
    """
    if split.principal_minor >= sum(row.principal_left_minor for row in rows):
        return _end_as_observed(rows, split, on)
    after: list[Instalment] = list(rows)
    lines: list[AllocationLine] = []
    rest, last = split, len(rows) - 1
    for index, row in enumerate(rows):
        if row.met_on is not None or rest.total_minor == 0:
            continue
        met = index < last and _covers(rest, row)
        takes_all = met and rows[index + 1].due_on > on
        line = _observed_line(row, rest, whole=takes_all or not met)
        fitted = _cut_to(row, line) if met else _room_for(row, line)
        after[index] = pay(fitted, line, on)
        _move_to_the_end(after, row.principal_minor - fitted.principal_minor, on)
        if line.total_minor:
            lines.append(line)
        rest = _minus(rest, line)
    return Allocated(rows=tuple(after), lines=tuple(lines), overpaid_minor=rest.total_minor)


def _covers(rest: Split, row: Instalment) -> bool:
    """Tell whether a payment meets a row.

    It does with the row's principal (the publisher's first period may be shorter than ours, and
    its interest less), or with nine tenths of the whole (FFIEC counts that as a full payment;
    domain rules, 2.7).
    """
    body = row.principal_left_minor + row.interest_left_minor
    paid = rest.principal_minor + rest.interest_minor
    return rest.principal_minor >= row.principal_left_minor or 10 * paid >= 9 * body


def _observed_line(row: Instalment, rest: Split, *, whole: bool) -> AllocationLine:
    """Take principal and interest whole, or as far as the row asks for them; charges as asked."""
    only_charges = row.principal_left_minor + row.interest_left_minor == 0
    whole = whole and not only_charges
    return AllocationLine(
        instalment=row.number,
        principal_minor=rest.principal_minor
        if whole
        else min(rest.principal_minor, row.principal_left_minor),
        interest_minor=rest.interest_minor
        if whole
        else min(rest.interest_minor, row.interest_left_minor),
        fee_minor=min(rest.fee_minor, row.fee_left_minor),
        penalty_minor=min(rest.penalty_minor, row.penalty_left_minor),
    )


def _cut_to(row: Instalment, line: AllocationLine) -> Instalment:
    return replace(
        row,
        principal_minor=row.principal_paid_minor + line.principal_minor,
        interest_minor=row.interest_paid_minor + row.interest_waived_minor + line.interest_minor,
    )


def _room_for(row: Instalment, line: AllocationLine) -> Instalment:
    """Raise a row that is paid in part to the parts observed, should they be above the plan."""
    taken = row.interest_paid_minor + row.interest_waived_minor + line.interest_minor
    return replace(
        row,
        principal_minor=max(row.principal_minor, row.principal_paid_minor + line.principal_minor),
        interest_minor=max(row.interest_minor, taken),
    )


def _move_to_the_end(after: list[Instalment], moved_minor: int, on: date) -> None:
    """Put principal that a row does not ask for on the last one; take a surplus from the end."""
    if moved_minor > 0:
        after[-1] = replace(after[-1], principal_minor=after[-1].principal_minor + moved_minor)
    for index in reversed(range(len(after))):
        if moved_minor >= 0:
            return
        row = after[index]
        taken = min(-moved_minor, row.principal_left_minor)
        moved_minor += taken
        row = replace(row, principal_minor=row.principal_minor - taken)
        if row.principal_left_minor == 0 and row.met_on is None:  # no principal, no interest
            interest = row.interest_paid_minor + row.interest_waived_minor
            row = replace(row, interest_minor=interest)
            row = replace(row, met_on=on) if row.unpaid_minor == 0 else row
        after[index] = row


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
