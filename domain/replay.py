"""One loan as of a value date and as known at an instant: the same fold over fewer events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from domain.envelope import RecordedEvent
from domain.loan.arrears import days_past_due, delinquent_days, overdue
from domain.loan.evolve import fold
from domain.loan.instalments import Instalment
from domain.loan.state import Loan


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Where a loan stood, and the events that say so. `loan` None: it was not applied for yet."""

    loan: Loan | None
    events: tuple[RecordedEvent, ...]
    days_past_due: int
    delinquent_days: int  # less grace and the pauses of the counter


def replay(
    events: Iterable[RecordedEvent], *, as_of: date | None = None, known_at: datetime | None = None
) -> Replay:
    """Fold what was effective on or before `as_of` and recorded at or before `known_at`.

    None: no bound on that side; days past due are then counted to the newest value date. Rows and
    balances are those that were published.
    """
    seen = tuple(
        recorded
        for recorded in events
        if (as_of is None or recorded.effective_on <= as_of)
        and (known_at is None or recorded.recorded_at <= known_at)
    )
    loan = fold(None, (recorded.event for recorded in seen))
    on = as_of or max((recorded.effective_on for recorded in seen), default=None)
    late: list[Instalment] = []
    if loan is not None and on is not None and not loan.charged_off:
        late = overdue(loan.rows, on, loan.conditions)
    past_due = days_past_due(late, on) if on else 0
    delinquent = delinquent_days(loan, late, on) if loan and on else 0
    return Replay(loan=loan, events=seen, days_past_due=past_due, delinquent_days=delinquent)
