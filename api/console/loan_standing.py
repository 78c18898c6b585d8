"""Where one loan stood as of a date and as known at an instant: replayed from the record.

Rows and balances are those that the events published. Transactions and the words of the time line
come from the read models; which of them count, the replayed events say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from domain.decisions.payouts import in_one_payout, require_open_to_payouts
from domain.decisions.plans import rate_of
from domain.envelope import RecordedEvent
from domain.errors import Rejected
from domain.loan.arrears import overdue
from domain.loan.headroom import Headroom, headroom
from domain.loan.instalments import Instalment
from domain.loan.payoff import PayoffQuote, payoff_quote
from domain.loan.state import Loan, LoanStatus
from domain.replay import replay
from domain.servicing.floating import next_reset
from projections.ports import Row
from projections.transactions import CREDITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Which loan is meant in time. `as_of` None: all value dates; `known_at` None: all we know."""

    as_of: date | None = None
    known_at: datetime | None = None

    @property
    def is_now(self) -> bool:
        """Whether nothing was picked."""
        return self.as_of is None and self.known_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the loan stood. `on` is the day to which days past due are counted."""

    loan: Loan | None
    on: date
    versions: frozenset[int]
    days_past_due: int
    delinquent_days: int  # less grace and pauses
    overdue_minor: int
    late: frozenset[int]  # numbers of the instalments that are overdue


def stand(events: Sequence[RecordedEvent], moment: Moment, today: date) -> Standing:
    """Replay the loan at a moment; now is the business date, or the newest value date if later."""
    newest = max((recorded.effective_on for recorded in events), default=today)
    on = moment.as_of or max(today, newest)
    seen = replay(events, as_of=on, known_at=moment.known_at)
    late: list[Instalment] = []
    if seen.loan is not None and not seen.loan.charged_off:
        late = overdue(seen.loan.rows, on, seen.loan.conditions)
    return Standing(
        loan=seen.loan,
        on=on,
        versions=frozenset(recorded.version for recorded in seen.events),
        days_past_due=seen.days_past_due,
        delinquent_days=seen.delinquent_days,
        overdue_minor=sum(row.unpaid_minor for row in late),
        late=frozenset(row.number for row in late),
    )


def payoff(standing: Standing, on: date) -> PayoffQuote | None:
    """Quote what ends the loan on a date, no earlier than the day shown; None: nothing is owed."""
    if standing.loan is None:
        return None
    try:
        return payoff_quote(standing.loan, on)
    except Rejected:  # nothing is owed, or the loan has newer facts than the day shown
        return None


def rate_in_force(standing: Standing) -> Decimal | None:
    """Return the annual rate of the day shown; None: not approved."""
    loan = standing.loan
    return None if loan is None or loan.terms is None else rate_of(loan, standing.on)


def next_reset_on(standing: Standing) -> date | None:
    """Return when the loan's rate is fixed next after the day shown; None: it is fixed."""
    loan = standing.loan
    if loan is None or loan.conditions.floating is None or loan.disbursed_on is None:
        return None
    if loan.status is not LoanStatus.ACTIVE or loan.terminated_on is not None:
        return None
    return next_reset(loan.conditions.floating.reset, loan.disbursed_on, standing.on)


def room(standing: Standing) -> Headroom | None:
    """Say what may still go out on the day shown; None: nothing, or all went out at once."""
    if standing.loan is None or in_one_payout(standing.loan):
        return None
    try:
        require_open_to_payouts(standing.loan)
    except Rejected:  # it ended, or the offer was not accepted yet
        return None
    return headroom(standing.loan, standing.on)


def standing_transactions(rows: Sequence[Row], versions: frozenset[int]) -> list[Row]:
    """Pick of all revisions those that stood when only these versions of the loan were known."""
    newest: dict[tuple[str, str], Row] = {}
    taken_back = {
        row["transaction_id"]
        for row in rows
        if row["kind"] == "reversal" and row["version"] in versions
    }
    for row in rows:
        if row["version"] not in versions:
            continue
        key = (row["transaction_id"], row["kind"])
        if key not in newest or newest[key]["revision"] < row["revision"]:
            newest[key] = row
    return [
        row | {"reversed": row["kind"] in CREDITS and row["transaction_id"] in taken_back}
        for row in sorted(newest.values(), key=lambda row: (row["effective_on"], row["version"]))
    ]


def told(entries: Sequence[Row], loan_id: str, standing: Standing, moment: Moment) -> list[Row]:
    """Mark on each line of the time line whether it counts at the moment shown."""
    stream = f"loan-{loan_id}"

    def counts(entry: Row) -> bool:
        if entry["stream"] == stream:
            return entry["version"] in standing.versions
        known = moment.known_at is None or entry["recorded_at"] <= moment.known_at
        return known and entry["effective_on"] <= standing.on

    return [entry | {"seen": counts(entry)} for entry in entries]


def neighbours(entries: Sequence[Row], on: date) -> tuple[date | None, date | None]:
    """Return the nearest days with an event before and after a day; None: there is none."""
    days = {entry["effective_on"] for entry in entries}
    before = max((day for day in days if day < on), default=None)
    after = min((day for day in days if day > on), default=None)
    return before, after


def quote_day(asked: date | None, standing: Standing) -> date:
    """Choose the day of a payoff quote: the one asked for, but not before the day shown."""
    wanted = asked or standing.on
    return min(max(wanted, standing.on), standing.on + timedelta(days=366))
