"""Rows of the schedule when it is re-aged: past ones, the one that is cut, the new ones, row N+1.

It decides no amount of a new row. Source: domain rules 9.9 S-09.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from domain.servicing.ledger import Ledger
from domain.servicing.period import Period
from domain.servicing.recharging import Lifted, lift_charges
from domain.servicing.row import COMPONENTS, I, P, Row
from domain.servicing.values import Component

Parts = dict[Component, int]


def nothing() -> Parts:
    """Return zero of every component."""
    return dict.fromkeys(COMPONENTS, 0)


@dataclass(slots=True, kw_only=True)
class Early:
    """What was settled on the rows that end: it stays on the row that is cut."""

    paid: Parts = field(default_factory=nothing)
    waived: Parts = field(default_factory=nothing)
    in_advance: int = 0


def settled_on(rows: Iterable[Row]) -> Early:
    """Sum up what was settled on rows."""
    early = Early()
    for row in rows:
        for component in COMPONENTS:
            early.paid[component] += row.paid[component]
            early.waived[component] += row.waived[component]
        early.in_advance += row.in_advance
    return early


def hold(row: Row, early: Early, on: date) -> None:
    """Let the row that is cut ask for what was settled, and no more."""
    row.paid, row.waived = dict(early.paid), dict(early.waived)
    row.due = {c: early.paid[c] + early.waived[c] for c in COMPONENTS}
    row.in_advance = early.in_advance
    row.update_met(on)


def lift_from(ledger: Ledger, ending: Iterable[Row], last_due: date) -> list[Lifted]:
    """Take unpaid charges off rows that end, and off row N+1 if the new rows reach it."""
    rows = list(ending)
    beyond = ledger.additional_row()
    if beyond is not None and beyond.due_on <= last_due:
        rows.append(beyond)
    return lift_charges(ledger, rows)


def lift_beyond(ledger: Ledger) -> Parts:
    """Take principal and interest owed after maturity off row N+1: they were charged back."""
    lifted = nothing()
    row = ledger.additional_row()
    if row is not None:
        for component in (P, I):
            owed = row.outstanding_of(component)
            row.due[component] -= owed
            row.credited[component] -= min(owed, row.credited[component])
            lifted[component] = owed
    return lifted


def rows_by_period(ledger: Ledger) -> dict[Period, Row]:
    """Return the row of each period of the plan."""
    rows = {(row.from_on, row.due_on): row for row in ledger.rows if row.regular}
    found = ((period, rows.get((period.from_on, period.due_on))) for period in ledger.plan.periods)
    return {period: row for period, row in found if row is not None}


def rows_follow(
    ledger: Ledger, known: Mapping[Period, Row], cut: Row | None, on: date
) -> list[Row]:
    """Rebuild the regular rows from the plan; return the new ones. Down payments stay."""
    regular: list[Row] = []
    fresh: list[Row] = []
    for period in ledger.plan.periods:
        row = known.get(period)
        if row is None:
            row = Row(period.from_on, period.due_on)
            fresh.append(row)
        if row.due_on < period.due_on:
            row.met_on = on  # cut rows that hold nothing were joined
        row.due_on = period.due_on
        row.re_aged = row.re_aged or row is cut or row in fresh
        row.due[P], row.paid[P] = period.due_principal, period.paid_principal
        row.due[I], row.paid[I] = period.due_interest + row.waived[I], period.paid_interest
        row.credited[P], row.credited[I] = period.credited_principal, period.credited_interest
        row.update_met(on)
        regular.append(row)
    replace_regular(ledger, regular)
    return fresh


def replace_regular(ledger: Ledger, regular: list[Row]) -> None:
    """Put rows in the place of the regular ones; row N+1 goes if nothing is left on it."""
    others = [row for row in ledger.rows if not row.regular]
    others = [row for row in others if row.down_payment or any(row.due.values())]
    for row in others:
        if row.additional and row.due_on > regular[-1].due_on:
            row.from_on = regular[-1].due_on
    ledger.rows = [*others, *regular]
    ledger.renumber()
