"""Books facts on a loan's time line and says what follows, in the form that is published.

The only place where a decision records one. It judges nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from domain.events.servicing import CreditKind, Restatement
from domain.loan.instalments import AllocationLine, Balances, Instalment
from domain.servicing.facts import (
    TERM_CHANGES,
    ChargeAdded,
    ChargedBack,
    ChargedOff,
    Disbursed,
    Fact,
    IncomeCapitalised,
    Reversed,
    Terminated,
)
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.row import F, I, N, P, Penalised, Row
from domain.servicing.timeline import Timeline
from domain.servicing.values import Component, Kind

_CREDIT = {
    Kind.RECOVERY: CreditKind.RECOVERY,
    Kind.GOODWILL_CREDIT: CreditKind.GOODWILL,
    Kind.MERCHANT_ISSUED_REFUND: CreditKind.MERCHANT_REFUND,
    Kind.PAYOUT_REFUND: CreditKind.PAYOUT_REFUND,
    Kind.INTEREST_REFUND: CreditKind.INTEREST_REFUND,
    Kind.CHARGE_ADJUSTMENT: CreditKind.CHARGE_ADJUSTMENT,
    Kind.CAPITALISED_INCOME_ADJUSTMENT: CreditKind.CAPITALISED_INCOME_ADJUSTMENT,
}
FROM_CREDIT = (
    ChargedBack,
    Disbursed,
    IncomeCapitalised,
)  # new debt that is first paid from what was overpaid
_SPLIT_ANEW = (*TERM_CHANGES, Terminated, ChargedOff)  # before the money of their day; or rows go
_WAIVERS = (Kind.CHARGE_WAIVER, Kind.INTEREST_WAIVER)
_PART = {P: "principal_minor", I: "interest_minor", F: "fee_minor", N: "penalty_minor"}


class Standing(NamedTuple):
    """Where a loan stands as published: all rows, and the balances that they sum to."""

    rows: tuple[Instalment, ...]
    balances: Balances


def split_parts(lines: Sequence[AllocationLine]) -> dict[Component, int]:
    """Sum the lines of a transaction by component, minor units."""
    return {
        P: sum(line.principal_minor for line in lines),
        I: sum(line.interest_minor for line in lines),
        F: sum(line.fee_minor for line in lines),
        N: sum(line.penalty_minor for line in lines),
    }


class Split(NamedTuple):
    """How a transaction was split: lines by instalment, and what found no place."""

    lines: tuple[AllocationLine, ...] = ()
    overpaid_minor: int = 0
    kind: CreditKind = CreditKind.PAYMENT

    @property
    def parts(self) -> dict[Component, int]:
        """What the lines come to, by component, minor units."""
        return split_parts(self.lines)


NOT_THERE = Split()


class Booked(NamedTuple):
    """What a fact led to."""

    timeline: Timeline
    changed: tuple[Instalment, ...]
    rows_total: int
    balances: Balances
    own: Split  # of the fact's own transaction
    parts: Mapping[Component, int]  # of it by component; empty: it has none
    restated: tuple[Restatement, ...]  # other transactions that are split anew
    rewaived: tuple[str, ...]  # waivers that now give up something else
    penalised: Penalised  # penalty and compound interest asked for so far

    @property
    def part_fields(self) -> dict[str, int]:
        """The parts as events name them: `principal_minor` and so on."""
        return {name: self.parts[component] for component, name in _PART.items()}


def book(timeline: Timeline, before: Standing, fact: Fact) -> Booked:
    """Record a fact and compare with what was published.

    A fact that is dated before others, or a reversal, may split later transactions anew; so may a
    charge, which what was overpaid then pays, and a termination, which takes instalments away.
    """
    in_order = timeline.seen_on(fact.effective_on) and not isinstance(fact, Reversed)
    if isinstance(fact, _SPLIT_ANEW):
        in_order = False
    if isinstance(fact, ChargeAdded) and before.balances.overpaid_minor:
        in_order = False
    own_id = fact.id
    if isinstance(fact, Reversed) and isinstance(timeline.find(fact.fact_id), FROM_CREDIT):
        own_id = fact.fact_id  # its reversal says itself what of it was paid by the credit
    old = None if in_order else timeline.read(_known)
    after = timeline.record(fact)

    def view(ledger: Ledger) -> Booked:
        entry = _entry_of(fact, ledger.entries)
        restated = () if old is None else _differences(old.entries, ledger.entries, but=own_id)
        rewaived = () if old is None else _other_amounts(old.entries, ledger.entries)
        changed = _changed_rows(ledger, before.rows, fact.effective_on, old)
        return Booked(
            timeline=after,
            changed=changed,
            rows_total=len(ledger.rows),
            balances=_balances(ledger, before, changed),
            own=NOT_THERE if entry is None else split_of(entry),
            parts={} if entry is None else dict(entry.parts),
            restated=restated,
            rewaived=rewaived,
            penalised=ledger.penalised,
        )

    booked = after.read(view)
    timeline.expect(fact, after)
    return booked


class _Known(NamedTuple):
    """What a state before a fact held: its transactions, and its rows that are over."""

    entries: tuple[Entry, ...]
    over: list[Row]


def _known(ledger: Ledger) -> _Known:
    return _Known(tuple(ledger.entries), ledger.rows[: ledger.settled])


def _entry_of(fact: Fact, entries: Sequence[Entry]) -> Entry | None:
    """Return a fact's own transaction, which is the last one if nothing is dated after it."""
    for entry in reversed(entries):
        if entry.id == fact.id:
            return entry
    return None


def standing(ledger: Ledger, on: date) -> Standing:
    """Show a whole ledger in the published form."""
    rows = tuple(instalment(row, on) for row in ledger.rows)
    return Standing(rows=rows, balances=balances_of(rows, ledger.overpaid))


def standing_on(timeline: Timeline, on: date) -> Standing:
    """Show a loan as it stood on a day: the facts effective by then, and interest to it."""
    return timeline.read(lambda ledger: standing(ledger, on), on)


def instalment(row: Row, on: date) -> Instalment:
    """Publish a row; one on which nothing is left was met, on `on` at the latest."""
    due, paid, waived = row.due.get, row.paid.get, row.waived.get
    return Instalment(  # in the order of its fields: there are many
        row.number,
        row.from_on,
        row.due_on,
        due(P, 0),
        due(I, 0),
        due(F, 0),
        due(N, 0),
        paid(P, 0),
        paid(I, 0),
        paid(F, 0),
        paid(N, 0),
        waived(I, 0),
        waived(F, 0),
        waived(N, 0),
        (row.met_on or on) if row.outstanding == 0 else None,
    )


def _changed_rows(
    ledger: Ledger, published: Sequence[Instalment], on: date, old: _Known | None
) -> tuple[Instalment, ...]:
    """Compare the rows that may differ with the published ones.

    `old` None: those that the fact touched. A row that is over and was not folded again is the very
    row it was.
    """
    rows = ledger.rows
    if old is not None:
        rows = rows[_in_common(rows, old.over) :]
    elif ledger.touched is not None and len(rows) == len(published):
        rows = [rows[number - 1] for number in sorted(ledger.touched)]
    known = len(published)
    changed: list[Instalment] = []
    for row in rows:
        now = instalment(row, on)
        then = published[row.number - 1] if row.number <= known else None
        if then is not None and then.met_on is not None and now.met_on is not None:
            now = _as_met_before(now, then)
        if now != then:
            changed.append(now)
    return tuple(changed)


def _in_common(some: Sequence[object], others: Sequence[object]) -> int:
    """Count the first items that are the very same in both."""
    count = 0
    for one, other in zip(some, others, strict=False):
        if one is not other:
            break
        count += 1
    return count


def _as_met_before(now: Instalment, then: Instalment) -> Instalment:
    """Keep the day of a row that asks for nothing and never did: no day is its own."""
    return now._replace(met_on=then.met_on) if now.paid_minor == 0 == now.due_minor else now


def _balances(ledger: Ledger, before: Standing, changed: Iterable[Instalment]) -> Balances:
    """Carry the balances on from those published by the rows that changed."""
    were = before.balances
    principal, interest = were.principal_minor, were.interest_minor
    fee, penalty = were.fee_minor, were.penalty_minor
    known, total = len(before.rows), len(ledger.rows)
    gone = [
        *before.rows[total:],
        *[before.rows[r.number - 1] for r in changed if r.number <= known],
    ]
    for rows, sign in ((gone, -1), (changed, 1)):
        for row in rows:
            if row.met_on is None:
                principal += sign * row.principal_left_minor
                interest += sign * row.interest_left_minor
                fee += sign * row.fee_left_minor
                penalty += sign * row.penalty_left_minor
    return Balances(
        principal_minor=principal,
        interest_minor=interest,
        fee_minor=fee,
        penalty_minor=penalty,
        overpaid_minor=ledger.overpaid,
    )


def balances_of(rows: Iterable[Instalment], overpaid_minor: int) -> Balances:
    """Sum what is left on the rows, by component."""
    owed = [row for row in rows if row.met_on is None]
    return Balances(
        principal_minor=sum(row.principal_left_minor for row in owed),
        interest_minor=sum(row.interest_left_minor for row in owed),
        fee_minor=sum(row.fee_left_minor for row in owed),
        penalty_minor=sum(row.penalty_left_minor for row in owed),
        overpaid_minor=overpaid_minor,
    )


# --- how transactions are split


def _allocated(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Map the id of every transaction that was allocated to it, oldest first."""
    return {entry.id: entry for entry in entries if entry.lines or entry.overpayment}


def _other_amounts(old: Iterable[Entry], new: Iterable[Entry]) -> tuple[str, ...]:
    """Name the waivers that give up another amount than they did."""
    then, now = (
        {entry.id: entry.amount for entry in entries if entry.kind in _WAIVERS}
        for entries in (old, new)
    )
    return tuple(name for name, amount in then.items() if now.get(name, amount) != amount)


def split_of(entry: Entry) -> Split:
    """Gather a transaction's lines by instalment, in the order they were made."""
    by_row: dict[int, dict[str, int]] = {}
    for line in entry.lines:
        parts = by_row.setdefault(line.instalment, {})
        name = _PART[line.component]
        parts[name] = parts.get(name, 0) + line.amount_minor
    return Split(
        lines=tuple(AllocationLine(instalment=n, **parts) for n, parts in by_row.items()),
        overpaid_minor=entry.overpayment,
        kind=_CREDIT.get(entry.kind, CreditKind.PAYMENT),
    )


def _differences(
    old: Sequence[Entry], new: Sequence[Entry], *, but: str
) -> tuple[Restatement, ...]:
    """Compare how each transaction was and is split; the fact that caused it is left out.

    What was not folded again is the very transaction it was, and is passed by.
    """
    found: list[Restatement] = []
    same = _in_common(old, new)
    before, after = _allocated(old[same:]), _allocated(new[same:])
    for payment_id in [*after, *(i for i in before if i not in after)]:
        was, is_now = before.get(payment_id), after.get(payment_id)
        if payment_id == but or was is is_now:
            continue
        then = NOT_THERE if was is None else split_of(was)
        now = NOT_THERE if is_now is None else split_of(is_now)
        if then == now:
            continue
        found.append(
            Restatement(
                payment_id=payment_id,
                before=then.lines,
                after=now.lines,
                overpaid_before_minor=then.overpaid_minor,
                overpaid_after_minor=now.overpaid_minor,
                kind=then.kind if now is NOT_THERE else now.kind,
            )
        )
    return tuple(found)
