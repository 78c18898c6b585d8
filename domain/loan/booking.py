"""Books facts on a loan's time line and says what follows, in the form that is published.

The only place where a decision records one. It judges nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.events.servicing import CreditKind, Restatement
from domain.loan.instalments import AllocationLine, Balances, Instalment
from domain.servicing.facts import (
    TERM_CHANGES,
    ChargeAdded,
    ChargedBack,
    ChargedOff,
    Disbursed,
    Fact,
    Reversed,
    Terminated,
)
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.row import F, I, N, P, Row
from domain.servicing.timeline import Timeline
from domain.servicing.values import Component, Kind

_CREDIT = {
    Kind.RECOVERY: CreditKind.RECOVERY,
    Kind.GOODWILL_CREDIT: CreditKind.GOODWILL,
    Kind.MERCHANT_ISSUED_REFUND: CreditKind.MERCHANT_REFUND,
    Kind.PAYOUT_REFUND: CreditKind.PAYOUT_REFUND,
    Kind.INTEREST_REFUND: CreditKind.INTEREST_REFUND,
    Kind.CHARGE_ADJUSTMENT: CreditKind.CHARGE_ADJUSTMENT,
}
FROM_CREDIT = (ChargedBack, Disbursed)  # new debt that is first paid from what was overpaid
_WAIVERS = (Kind.CHARGE_WAIVER, Kind.INTEREST_WAIVER)
_PART = {P: "principal_minor", I: "interest_minor", F: "fee_minor", N: "penalty_minor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How a transaction was split: lines by instalment, and what found no place."""

    lines: tuple[AllocationLine, ...] = ()
    overpaid_minor: int = 0
    kind: CreditKind = CreditKind.PAYMENT

    @property
    def parts(self) -> dict[Component, int]:
        """What the lines come to, by component, minor units."""
        return split_parts(self.lines)


NOT_THERE = Split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What a fact led to."""

    timeline: Timeline
    changed: tuple[Instalment, ...]
    rows_total: int
    balances: Balances
    own: Split  # of the fact's own transaction
    parts: Mapping[Component, int]  # of it by component; empty: it has none
    restated: tuple[Restatement, ...]  # other transactions that are split anew
    rewaived: tuple[str, ...] = ()  # waivers that now give up something else

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
    if isinstance(
        fact, (*TERM_CHANGES, Terminated, ChargedOff)
    ):  # before the money of their day; rows go
        in_order = False
    if isinstance(fact, ChargeAdded) and before.balances.overpaid_minor:
        in_order = False
    own_id = fact.id
    if isinstance(fact, Reversed) and isinstance(timeline.find(fact.fact_id), FROM_CREDIT):
        own_id = fact.fact_id  # its reversal says itself what of it was paid by the credit
    old = None if in_order else timeline.read(_posted)
    after = timeline.record(fact)

    def view(ledger: Ledger) -> Booked:
        entry = next((e for e in reversed(ledger.entries) if e.id == fact.id), None)
        now = None if old is None else _posted(ledger)
        restated = () if now is None or old is None else _differences(old[0], now[0], but=own_id)
        rewaived = () if now is None or old is None else _other_amounts(old[1], now[1])
        changed = _changed_rows(ledger, before.rows, fact.effective_on, whole=old is not None)
        return Booked(
            timeline=after,
            changed=changed,
            rows_total=len(ledger.rows),
            balances=_balances(ledger, before, changed),
            own=NOT_THERE if entry is None else split_of(entry),
            parts={} if entry is None else dict(entry.parts),
            restated=restated,
            rewaived=rewaived,
        )

    booked = after.read(view)
    timeline.expect(fact, after)
    return booked


def standing(ledger: Ledger, on: date) -> Standing:
    """Show a whole ledger in the published form."""
    rows = tuple(instalment(row, on) for row in ledger.rows)
    return Standing(rows=rows, balances=balances_of(rows, ledger.overpaid))


def standing_on(timeline: Timeline, on: date) -> Standing:
    """Show a loan as it stood on a day: the facts effective by then, and interest to it."""
    return timeline.read(lambda ledger: standing(ledger, on), on)


def instalment(row: Row, on: date) -> Instalment:
    """Publish a row; one on which nothing is left was met, on `on` at the latest."""
    due, paid, waived = row.due, row.paid, row.waived
    return Instalment(
        row.number,
        row.from_on,
        row.due_on,
        due[P],
        due[I],
        due[F],
        due[N],
        paid[P],
        paid[I],
        paid[F],
        paid[N],
        waived[I],
        waived[F],
        waived[N],
        (row.met_on or on) if row.outstanding == 0 else None,
    )


def _changed_rows(
    ledger: Ledger, published: Sequence[Instalment], on: date, *, whole: bool
) -> tuple[Instalment, ...]:
    rows = ledger.rows
    if not whole and ledger.touched is not None and len(rows) == len(published):
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


def _as_met_before(now: Instalment, then: Instalment) -> Instalment:
    """Keep the day of a row that asks for nothing and never did: no day is its own."""
    return now._replace(met_on=then.met_on) if now.paid_minor == 0 == now.due_minor else now


def _balances(ledger: Ledger, before: Standing, changed: Iterable[Instalment]) -> Balances:
    """Carry the balances on from those published by the rows that changed."""
    principal, interest = before.balances.principal_minor, before.balances.interest_minor
    fee, penalty = before.balances.fee_minor, before.balances.penalty_minor
    known, total = len(before.rows), len(ledger.rows)
    gone = before.rows[total:]
    pairs: list[tuple[Instalment | None, Instalment | None]] = [(row, None) for row in gone]
    pairs += [(before.rows[r.number - 1] if r.number <= known else None, r) for r in changed]
    for then, now in pairs:
        for row, sign in ((then, -1), (now, 1)):
            if row is not None and row.met_on is None:
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


def splits(ledger: Ledger) -> dict[str, Split]:
    """Map the id of every transaction that was allocated to its split, oldest first."""
    return {entry.id: split_of(entry) for entry in ledger.entries if _allocates(entry)}


def _posted(ledger: Ledger) -> tuple[dict[str, Split], dict[str, int]]:
    """What was posted of transactions: the splits of credits, the amounts of waivers."""
    waived = {entry.id: entry.amount for entry in ledger.entries if entry.kind in _WAIVERS}
    return splits(ledger), waived


def _other_amounts(old: Mapping[str, int], new: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(name for name, amount in old.items() if new.get(name, amount) != amount)


def _allocates(entry: Entry) -> bool:
    return bool(entry.lines or entry.overpayment)


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
    old: Mapping[str, Split], new: Mapping[str, Split], *, but: str
) -> tuple[Restatement, ...]:
    """Compare how each transaction was and is split; the fact that caused it is left out."""
    found: list[Restatement] = []
    for payment_id in [*new, *(i for i in old if i not in new)]:
        then, now = old.get(payment_id, NOT_THERE), new.get(payment_id, NOT_THERE)
        if payment_id == but or then == now:
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
