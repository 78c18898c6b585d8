"""Accrual activity: one figure an instalment on its due date, one for the rest when a loan closes.

Source: domain rules 9.11 G-05.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from domain.servicing.account import Account
from domain.servicing.row import F, I, N, Row
from domain.servicing.values import Component

Parts = Mapping[Component, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An activity that is posted, with the id it is listed under."""

    id: str
    on: date
    parts: Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What to drop and what to post instead; either may be missing."""

    dropped: Activity | None
    on: date
    parts: Parts


def asked(row: Row) -> Parts:
    """What a row recognises on its due date."""
    return {I: row.due[I], F: row.due[F], N: row.due[N]}


def _asked_by_day(rows: Iterable[Row]) -> dict[date, Parts]:
    """What the rows due on each day recognise together: a re-ageing may leave two of one day."""
    by_day: dict[date, Parts] = {}
    for row in rows:
        sums = by_day.setdefault(row.due_on, {I: 0, F: 0, N: 0})
        by_day[row.due_on] = {part: sums[part] + amount for part, amount in asked(row).items()}
    return by_day


def at_close(account: Account, posted: list[Activity], day: date) -> list[Correction]:
    """Activities of rows due up to a day that are missing, or not what the row asks."""
    rows = [r for r in account.ledger.rows if not r.down_payment and r.due_on <= day]
    corrections: list[Correction] = []
    for on, parts in _asked_by_day(rows).items():
        same_day = [a for a in posted if a.on == on]
        corrections += _replace(same_day[:1], on, parts)
        corrections += [Correction(dropped=a, on=a.on, parts={}) for a in same_day[1:]]
    return corrections


def _replace(existing: list[Activity], on: date, parts: Parts) -> list[Correction]:
    if not existing:
        return [Correction(dropped=None, on=on, parts=parts)] if any(parts.values()) else []
    if existing[0].on == on and existing[0].parts == parts:
        return []
    return [Correction(dropped=existing[0], on=on, parts=parts)]


def refreshed(account: Account, posted: list[Activity]) -> list[Correction]:
    """Corrections of what is posted already, after a change of the rows."""
    by_day = _asked_by_day(row for row in account.ledger.rows if not row.down_payment)
    corrections: list[Correction] = []
    for activity in posted:
        parts = by_day.get(activity.on, {I: 0, F: 0, N: 0})
        corrections += _replace([activity], activity.on, parts)
    return corrections


def at_closure(account: Account, posted: list[Activity], closed_on: date) -> list[Correction]:
    """Activities of rows before the closing day, and one for the rest on it."""
    rows = [row for row in account.ledger.rows if not row.down_payment]
    corrections = [Correction(dropped=a, on=a.on, parts={}) for a in posted if a.on > closed_on]
    kept = [a for a in posted if a.on <= closed_on]
    total = {c: sum(row.due[c] for row in rows) for c in (I, F, N)}
    for row in rows:
        if row.additional or row.due_on >= closed_on:
            continue
        same_day = [a for a in kept if a.on == row.due_on]
        corrections += _replace(same_day[:1], row.due_on, asked(row))
        if asked(row) != {I: 0, F: 0, N: 0}:
            total = {c: total[c] - row.due[c] for c in total}
        kept = [a for a in kept if a not in same_day]
    for activity in kept:
        total = {c: total[c] - activity.parts[c] for c in total}
    return corrections + _of_the_rest(total, kept, closed_on)


def _of_the_rest(rest: Parts, closing: list[Activity], closed_on: date) -> list[Correction]:
    """Post what is left; the latest closing activities give way to less if it is too much."""
    left = dict(rest)
    corrections: list[Correction] = []
    for activity in sorted(closing, key=lambda a: (a.on, a.id), reverse=True):
        if min(left.values()) >= 0:
            break
        parts = {c: max(0, activity.parts[c] + left[c]) for c in left}
        left = {c: left[c] + activity.parts[c] - parts[c] for c in left}
        corrections.append(Correction(dropped=activity, on=activity.on, parts=parts))
    if any(amount > 0 for amount in left.values()):
        parts = {c: max(0, amount) for c, amount in left.items()}
        corrections.append(Correction(dropped=None, on=closed_on, parts=parts))
    return corrections


def at_reopening(account: Account, posted: list[Activity], today: date) -> list[Correction]:
    """The last activity gives way to those of the rows due since."""
    last = max(posted, key=lambda a: (a.on, a.id), default=None)
    rows = [
        row
        for row in account.ledger.rows
        if row.due_on < today and (last is None or row.due_on >= last.on)
    ]
    if not rows and last is not None:
        return [Correction(dropped=last, on=last.on, parts={})]
    corrections: list[Correction] = []
    for row in sorted(rows, key=lambda r: r.due_on):
        corrections += _replace([] if last is None else [last], row.due_on, asked(row))
        last = None
    return corrections
