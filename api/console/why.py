"""Why a figure of a loan's page is what it is: of the loan as it was replayed, not computed anew.

An instalment's interest shows the days that earned it, its penalties the days that each base bore
the penalty rate, a transaction's amount the rule that took each part, and the facts that split it
anew since. `domain.servicing.explain` and `explain_penalties` know why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from api.console.loan_standing import Standing
from domain.envelope import RecordedEvent
from domain.events.servicing import AllocationsRestated
from domain.servicing.explain import (
    InterestExplained,
    PartExplained,
    explain_interest,
    explain_payment,
)
from domain.servicing.explain_penalties import PenaltyExplained, decimal_of, explain_penalties
from domain.servicing.row import PenaltyStretch

TERMS: Final = (
    ("earned", 1),
    ("fixed", 1),
    ("from_later", 1),
    ("carried_in", 1),
    ("carried_out", -1),
    ("kept", 1),
    ("by_action", 1),
)
"""What the interest of an instalment is the sum of, and how each counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyInterest:
    """The interest of an instalment: its days, and what else it is the sum of."""

    explained: InterestExplained
    terms: tuple[tuple[str, int], ...]  # name and minor units with sign, those of nothing left out


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyPenalty:
    """What is asked for beside principal and interest on an instalment: what ran, what was put."""

    explained: PenaltyExplained
    stretches: tuple[tuple[PenaltyStretch, Decimal], ...]  # with minor units, exact
    terms: tuple[tuple[str, int], ...]  # name and minor units, those of nothing left out
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a transaction: the bucket that it was taken for, by which rule."""

    explained: PartExplained
    rule: str | None  # whose order of buckets; None: no rule took it
    due: str | None  # past_due, due or in_advance; None: the rule has no such buckets


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A fact that split the transaction anew."""

    fact_id: str
    since_on: date
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WhySplit:
    """The split of a transaction."""

    transaction_id: str
    amount_minor: int
    on: date
    parts: tuple[Part, ...]
    causes: tuple[Cause, ...]


def why_interest(standing: Standing, instalment: int | None) -> WhyInterest | None:
    """Explain the interest of an instalment of the loan shown; None: there is no such one."""
    loan = standing.loan
    if instalment is None or loan is None or loan.timeline is None:
        return None
    found = [x for x in explain_interest(loan.timeline.account) if x.instalment == instalment]
    if not found:
        return None
    terms = [(name, sign * getattr(found[0], f"{name}_minor")) for name, sign in TERMS]
    return WhyInterest(explained=found[0], terms=tuple(term for term in terms if term[1]))


def penalised(standing: Standing) -> frozenset[int]:
    """Number the instalments of the loan shown that bore penalty or compound interest."""
    return frozenset(explained.instalment for explained in _penalties(standing))


def why_penalty(standing: Standing, instalment: int | None) -> WhyPenalty | None:
    """Explain the penalties of an instalment of the loan shown; None: it bore none."""
    found = [x for x in _penalties(standing) if x.instalment == instalment]
    if not found or standing.loan is None:
        return None
    explained, row = found[0], standing.loan.rows[found[0].instalment - 1]
    ran = explained.penalty_minor + explained.compound_minor
    terms = (
        ("penalty", explained.penalty_minor),
        ("compound", explained.compound_minor),
        ("charged", row.penalty_minor - ran),
        ("fees", row.fee_minor),
    )
    return WhyPenalty(
        explained=explained,
        stretches=tuple((one, decimal_of(one.earned)) for one in explained.stretches),
        terms=tuple(term for term in terms if term[1]),
        total_minor=row.fee_minor + row.penalty_minor,
    )


def _penalties(standing: Standing) -> tuple[PenaltyExplained, ...]:
    loan = standing.loan
    if loan is None or loan.timeline is None or loan.conditions.penalty is None:
        return ()
    return explain_penalties(loan.timeline.account)


def why_split(
    standing: Standing, events: Sequence[RecordedEvent], transaction_id: str | None
) -> WhySplit | None:
    """Explain the split of a transaction of the loan shown; None: there is no such one."""
    loan = standing.loan
    if transaction_id is None or loan is None or loan.timeline is None:
        return None
    entries = [x for x in loan.timeline.account.transactions if x.id == transaction_id and x.lines]
    if not entries:
        return None
    return WhySplit(
        transaction_id=transaction_id,
        amount_minor=entries[0].amount_minor,
        on=entries[0].on,
        parts=tuple(_part(part) for part in explain_payment(entries[0])),
        causes=tuple(_causes(standing, events, transaction_id)),
    )


def _part(explained: PartExplained) -> Part:
    rule, _, bucket = (explained.rule or "").partition(":")
    return Part(explained=explained, rule=rule or None, due=bucket.partition(":")[0] or None)


def _causes(
    standing: Standing, events: Sequence[RecordedEvent], transaction_id: str
) -> list[Cause]:
    return [
        Cause(
            fact_id=recorded.event.cause_id,
            since_on=recorded.event.since_on,
            recorded_at=recorded.recorded_at,
        )
        for recorded in events
        if isinstance(recorded.event, AllocationsRestated)
        and recorded.version in standing.versions
        and any(change.payment_id == transaction_id for change in recorded.event.changes)
    ]
