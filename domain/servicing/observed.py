"""A payment as its publisher split it (rule PAY-2): the observed parts are facts, rows give way.

For loans whose plan does not recalculate. Nothing is computed that was observed.
"""

from datetime import date

from domain.servicing.charges import pay_charges
from domain.servicing.ledger import AllocationLine, Entry, Ledger
from domain.servicing.row import COMPONENTS, F, I, N, P, Row
from domain.servicing.values import Component

RULE = "observed"
WHOLE = 10  # nine tenths of an instalment count as the whole (FFIEC; domain rules, 2.7)
ENOUGH = 9

Parts = dict[Component, int]


def take_observed(ledger: Ledger, entry: Entry, observed: Parts) -> None:
    """Book a payment as it was observed.

    It meets the oldest open row that it covers, and the next ones that are due by its date; the
    last of them is re-cut to all that was observed. Principal paid beyond the plan comes off the
    end of the schedule and shortens it, principal short of the plan goes there. A payment that
    covers no row is a part of the oldest. Observed principal that repays the whole loan ends it:
    no row asks for interest any more. What has no row to go to is overpayment.
    """
    open_rows = [row for row in ledger.open_rows if not row.met]
    rest = dict(observed)
    if rest[P] >= sum(row.outstanding_of(P) for row in open_rows):
        _end(ledger, entry, open_rows, rest)
    else:
        _meet(ledger, entry, open_rows, rest)
    entry.overpayment = sum(rest.values())
    ledger.overpaid += entry.overpayment


def _meet(ledger: Ledger, entry: Entry, open_rows: list[Row], rest: Parts) -> None:
    last = ledger.rows[-1]
    for index, row in enumerate(open_rows):
        if not any(rest.values()):
            return
        if row.met:  # emptied from the end by what an earlier row took
            continue
        met = row is not last and _covers(rest, row)
        following = open_rows[index + 1] if index + 1 < len(open_rows) else last
        takes_all = met and following.due_on > entry.on
        line = _line(row, rest, whole=takes_all or not met)
        before = row.due[P]
        (_cut_to if met else _make_room)(row, line)
        moved = before - row.due[P]
        _book(ledger, entry, row, line)
        _move_to_the_end(ledger, moved, entry.on)
        for component in COMPONENTS:
            rest[component] -= line[component]


def _covers(rest: Parts, row: Row) -> bool:
    """Tell whether a payment meets a row.

    It does with the row's principal (the publisher's first period may be shorter than ours, and
    its interest less), or with nine tenths of the whole.
    """
    principal = row.outstanding_of(P)
    body = principal + row.outstanding_of(I)
    return rest[P] >= principal or WHOLE * (rest[P] + rest[I]) >= ENOUGH * body


def _line(row: Row, rest: Parts, *, whole: bool) -> Parts:
    """Take principal and interest whole, or as far as the row asks for them; charges as asked."""
    line = {c: min(rest[c], row.outstanding_of(c)) for c in COMPONENTS}
    only_charges = row.outstanding_of(P) + row.outstanding_of(I) == 0
    if whole and not only_charges:
        line[P], line[I] = rest[P], rest[I]
    return line


def _cut_to(row: Row, line: Parts) -> None:
    row.due[P] = row.paid[P] + line[P]
    row.due[I] = row.paid[I] + row.waived[I] + line[I]


def _make_room(row: Row, line: Parts) -> None:
    """Raise a row that is paid in part to the parts observed, should they be above the plan."""
    row.due[P] = max(row.due[P], row.paid[P] + line[P])
    row.due[I] = max(row.due[I], row.paid[I] + row.waived[I] + line[I])


def _move_to_the_end(ledger: Ledger, moved: int, on: date) -> None:
    """Put principal that a row does not ask for on the last one; take a surplus from the end."""
    if moved > 0:
        last = ledger.rows[-1]
        last.due[P] += moved
        last.check_met(on)
        _touch(ledger, last)
    for row in reversed(ledger.open_rows):
        if moved >= 0:
            return
        taken = min(-moved, row.outstanding_of(P))
        moved += taken
        row.due[P] -= taken
        if taken or not row.met:
            _touch(ledger, row)
        if not row.met and row.outstanding_of(P) == 0:  # no principal, no interest
            row.due[I] = row.paid[I] + row.waived[I]
            row.update_met(on)


def _end(ledger: Ledger, entry: Entry, open_rows: list[Row], rest: Parts) -> None:
    for row in open_rows:
        line = {
            P: row.outstanding_of(P),
            I: rest[I],  # all of it with the first open row
            F: min(rest[F], row.outstanding_of(F)),
            N: min(rest[N], row.outstanding_of(N)),
        }
        row.due[I] = row.paid[I] + row.waived[I] + line[I]
        _book(ledger, entry, row, line)
        for component in COMPONENTS:
            rest[component] -= line[component]


def _book(ledger: Ledger, entry: Entry, row: Row, line: Parts) -> None:
    for component, amount in line.items():
        if not amount:
            continue
        row.paid[component] += amount
        entry.parts[component] += amount
        entry.lines.append(
            AllocationLine(
                instalment=row.number, component=component, amount_minor=amount, rule=RULE
            )
        )
        pay_charges(ledger, row, component, amount)
    row.check_met(entry.on)
    _touch(ledger, row)


def _touch(ledger: Ledger, row: Row) -> None:
    if ledger.touched is not None:
        ledger.touched.add(row.number)
