"""Re-ageing without recalculation: the rows are moved, the plan stays what it was.

Sources: domain rules 9.9 S-10, S-11 (common strategy).
"""

from collections.abc import Sequence
from datetime import date

from domain.servicing.equal_re_ageing import Split, each_of
from domain.servicing.facts import ReAged
from domain.servicing.instalment_rounding import to_multiple
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.re_aged_periods import due_dates
from domain.servicing.re_aged_rows import (
    Parts,
    hold,
    lift_from,
    nothing,
    replace_regular,
    settled_on,
)
from domain.servicing.recharging import lift_charges, place_charges, spread_charges
from domain.servicing.row import COMPONENTS, F, I, N, P, Row
from domain.servicing.splitting import split_evenly
from domain.servicing.terms import LoanTerms
from domain.servicing.values import ReAgeInterest
from domain.servicing.views import outstanding_on

EQUALLY = (
    ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST,
    ReAgeInterest.EQUAL_AMORTISATION_FULL_INTEREST,
)


def re_age_rows(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Move what is unpaid on the rows; with equal amortisation charges are split too."""
    on, equally = entry.on, fact.interest in EQUALLY
    regular = [row for row in ledger.rows if row.regular]
    ending = regular[_cut_index(regular, on) :]
    owing = [row for row in ledger.rows if not (equally and row.down_payment)]
    parts = _owed(ledger, fact, owing, on)
    if not any(parts.values()):
        return
    entry.parts.update(parts)
    if equally:
        charges = lift_charges(ledger, owing)
    else:
        charges = lift_from(ledger, ending, due_dates(fact)[-1])
    early = settled_on(ending)
    for row in owing:
        _keep_settled(row, parts, on)
    credited = _lift_credited(ledger, ending)
    if ending:
        hold(ending[0], early, on)
        ending[0].due_on, ending[0].cut, ending[0].re_aged = on, True, True
    kept = join_stubs([row for row in regular if row not in ending[1:]])
    fresh = _new_rows(fact, kept[-1].due_on if kept else ledger.started_on)
    fresh[0].beside.credited[P] = credited
    for component, shares in _split(parts, fact.instalments, ledger.terms).items():
        for row, share in zip(fresh, shares, strict=True):
            row.due[component] = share
    replace_regular(ledger, [*kept, *fresh])
    if equally:
        ledger.re_aged_equally_on = on
        spread_charges(charges, fresh)
    else:
        place_charges(ledger, charges, on)
    for row in fresh:
        row.check_met(on)
    ledger.rows_lead = True


def _cut_index(rows: Sequence[Row], on: date) -> int:
    """Index of the row that is due on the day, else runs on it; beyond the last if none."""
    due = [index for index, row in enumerate(rows) if row.due_on == on]
    if due:
        return due[-1]
    for index, row in enumerate(rows):
        if row.from_on < on < row.due_on or (index == 0 and on == row.from_on):
            return index
    return len(rows)


def _owed(ledger: Ledger, fact: ReAged, rows: Sequence[Row], on: date) -> Parts:
    parts = nothing()
    for component in COMPONENTS if fact.interest in EQUALLY else (P, I):
        parts[component] = sum(row.outstanding_of(component) for row in rows)
    if fact.interest is ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST:
        paid = sum(row.paid[I] + row.waived[I] for row in rows)
        parts[I] = max(0, outstanding_on(ledger.plan, on).interest - paid)
    return parts


def _keep_settled(row: Row, parts: Parts, on: date) -> None:
    for component in (P, I):
        if parts[component]:
            row.due[component] -= row.outstanding_of(component)
    row.update_met(on)


def _lift_credited(ledger: Ledger, ending: Sequence[Row]) -> int:
    """Take principal put back on rows that go, and on row N+1 what is moved from there."""
    lifted = sum(row.credited[P] for row in ending[1:])
    beyond = ledger.additional_row()
    if beyond is not None:
        moved = max(0, beyond.credited[P] - beyond.due[P])
        beyond.beside.credited[P] -= moved
        lifted += moved
    return lifted


def join_stubs(rows: Sequence[Row]) -> list[Row]:
    """Let cut rows that follow each other and hold nothing be one."""
    joined: list[Row] = []
    for row in rows:
        before = joined[-1] if joined else None
        if before is not None and _is_stub(before) and _is_stub(row):
            before.due_on, before.met_on = row.due_on, row.met_on
        else:
            joined.append(row)
    return joined


def _is_stub(row: Row) -> bool:
    return row.cut and not any(row.due.values())


def _new_rows(fact: ReAged, from_on: date) -> list[Row]:
    rows: list[Row] = []
    for due_on in due_dates(fact):
        row = Row(from_on, due_on)
        row.re_aged = True
        rows.append(row)
        from_on = due_on
    return rows


def _split(parts: Parts, count: int, terms: LoanTerms) -> Split:
    """Split every component evenly; the principal follows the instalment."""
    nominal = sum(each_of(parts[component], count) for component in (I, F, N))
    each = to_multiple(terms, each_of(sum(parts.values()), count)) - nominal
    return {
        P: split_evenly(parts[P], count, max(each, 0)),
        I: split_evenly(parts[I], count),
    }
