"""Rows of the schedule when it is re-aged: past ones, the one that is cut, the new ones, row N+1.

It decides no amount of a new row. Source: domain rules 9.9 S-09.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from domain.servicing.ledger import Ledger
from domain.servicing.movements import credit
from domain.servicing.period import Period
from domain.servicing.re_aged_periods import end_plan, ending_periods
from domain.servicing.recharging import Lifted, lift_charges
from domain.servicing.row import COMPONENTS, ByComponent, I, P, Row
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
    row.paid, row.beside.waived = ByComponent(early.paid), ByComponent(early.waived)
    row.due = ByComponent({c: early.paid[c] + early.waived[c] for c in COMPONENTS})
    row.in_advance = early.in_advance
    row.update_met(on)


def lift_from(ledger: Ledger, ending: Iterable[Row], last_due: date) -> list[Lifted]:
    """Take unpaid charges off rows that end, and off row N+1 if the new rows reach it."""
    rows = list(ending)
    beyond = ledger.additional_row()
    if beyond is not None and beyond.due_on <= last_due:
        rows.append(beyond)
    return lift_charges(ledger, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What ends when a plan is re-aged: periods from the one that is cut on, and their rows."""

    known: dict[Period, Row]
    periods: list[Period]
    rows: list[Row]
    early: Early
    beyond: Parts  # owed after maturity
    beyond_credited: int  # principal of it that was charged back, not paid out

    @property
    def cut(self) -> Row | None:
        """Row that ends on the day and holds what was settled."""
        return self.rows[0] if self.rows else None


def begin_ending(ledger: Ledger, on: date) -> Ending:
    """Find what ends on the day; principal and interest owed after maturity leave row N+1."""
    known = ledger.rows_by_period()
    periods = ending_periods(ledger.plan, on)
    rows = [known[period] for period in periods]
    beyond, credited = _lift_beyond(ledger)
    return Ending(
        known=known,
        periods=periods,
        rows=rows,
        early=settled_on(rows),
        beyond=beyond,
        beyond_credited=credited,
    )


def _lift_beyond(ledger: Ledger) -> tuple[Parts, int]:
    lifted = nothing()
    row = ledger.additional_row()
    if row is None:
        return lifted, 0
    for component in (P, I):
        lifted[component] = row.outstanding_of(component)
        row.due[component] -= lifted[component]
    credited = min(lifted[P], row.credited[P])
    row.beside.credited[P] -= credited
    row.beside.credited[I] -= min(lifted[I], row.credited[I])
    return lifted, credited


def credited_later(ending: Ending, on: date) -> int:
    """Sum up the principal that was put back after the day, as far as the plan knows of it."""
    later = sum(p.credited_principal for p in ending.periods if p.from_on >= on < p.due_on)
    return later + ending.beyond_credited


def end_plan_and_rows(ledger: Ledger, ending: Ending, on: date, credited: int = 0) -> None:
    """Cut plan and row on the day; what was put back or paid out later joins the balance on it."""
    plan = ledger.plan
    plan.drop_corrections()  # unpaid principal stays in the balance by itself from now on
    end_plan(plan, ending.periods, on)
    day = min(on, plan.maturity)
    if credited:
        credit(plan, day, principal=credited)
    paid_out = ending.beyond[P] - ending.beyond_credited
    if paid_out:
        plan.move_money(day, disbursed=paid_out)
    if ending.cut is not None:
        hold(ending.cut, ending.early, on)


def rows_follow(ledger: Ledger, ending: Ending, on: date) -> list[Row]:
    """Rebuild the regular rows from the plan; return the new ones. Down payments stay."""
    regular: list[Row] = []
    fresh: list[Row] = []
    for period in ledger.plan.periods:
        row = ending.known.get(period)
        if row is None:
            row = Row(period.from_on, period.due_on)
            row.re_aged = True
            fresh.append(row)
        if row.due_on < period.due_on:
            row.met_on = on  # cut rows that hold nothing were joined
        row.due_on = period.due_on
        row.re_aged = row.re_aged or row is ending.cut
        row.due[P], row.paid[P] = period.due_principal, period.paid_principal
        row.due[I], row.paid[I] = period.due_interest + row.waived[I], period.paid_interest
        row.beside.credited[P], row.beside.credited[I] = (
            period.credited_principal,
            period.credited_interest,
        )
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
