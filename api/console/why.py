"""Why a figure of a loan's page is what it is: of the loan as it was replayed, not computed anew.

An instalment's interest shows the days that earned it, a transaction's amount the rule that took
each part, and the facts that split it anew since. `domain.servicing.explain` knows why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
