"""Closing a simulated loan's days: triggers, penalties, accruals, activity, deferred income.

Source: domain rules 9.11, 9.14.
"""

from datetime import date, timedelta
from decimal import localcontext

from domain.servicing import activity
from domain.servicing import facts as f
from domain.servicing.accrual_posting import (
    Book,
    accrue_difference,
    accrue_interest,
    accrue_rows,
    drop_after,
    drop_unfounded,
    post,
)
from domain.servicing.accruals import earned, earned_by_rows, earned_in_full
from domain.servicing.deferred import deferred_to_post
from domain.servicing.row import F, I, N
from domain.servicing.values import (
    PAYMENT_KINDS,
    Accounting,
    ChargeTime,
    Component,
    Kind,
    Status,
)

ONE_DAY = timedelta(days=1)
Parts = dict[Component, int]


class DayClose:
    """Remembers what was closed and what penalties were put where."""

    def __init__(self) -> None:
        self.closed_through: date | None = None
        self.accrued_through: date | None = None
        self.penalised: set[tuple[str, date]] = set()

    def copy(self) -> "DayClose":
        """Return an independent copy."""
        other = DayClose()
        other.closed_through, other.accrued_through = self.closed_through, self.accrued_through
        other.penalised = set(self.penalised)
        return other

    def run(self, life: Book) -> None:
        """Close every day up to the one before today; the first close is one catch-up."""
        last = life.today - ONE_DAY
        day = last if self.closed_through is None else self.closed_through + ONE_DAY
        today = life.today
        while day <= last:
            life.today = min(day + ONE_DAY, today)
            self._close(life, day)
            day += ONE_DAY
        life.today = today
        if self.closed_through is None or last > self.closed_through:
            self.closed_through = last

    def _close(self, life: Book, day: date) -> None:
        self._penalise_overdue(life, day)
        if life.account.status is Status.ACTIVE:
            self.accrue(life, day)
        life.timeline = life.timeline.record(
            f.Evaluated(id=f"close:{day}", effective_on=life.today, entered_on=life.today)
        )
        self.post_activity(life, day)
        self.recognise(life, day)

    def _penalise_overdue(self, life: Book, day: date) -> None:
        for charge in life.terms.product_charges:
            if charge.time is not ChargeTime.OVERDUE:
                continue
            for row in life.account.instalments:
                key = (charge.code, row.due_on)
                if row.due_on > day or not row.outstanding or key in self.penalised:
                    continue
                if row.additional:
                    continue
                self.penalised.add(key)
                life.record(
                    f.ChargeAdded,
                    row.due_on,
                    code=charge.code,
                    kind=charge.kind,
                    time=charge.time,
                    basis=charge.basis,
                    due_on=row.due_on,
                    amount_minor=charge.amount_minor,
                    percent=charge.percent,
                )

    # --- accruals

    def accrue(self, life: Book, day: date) -> None:
        """Post what was earned to a day and not accrued yet."""
        ledger = life.account.ledger
        if not self._accrues(life) or self._accrued_already(life, day):
            return
        last_due = max(row.due_on for row in ledger.rows)
        on = min(day, last_due)
        with localcontext(life.terms.arithmetic()):
            if life.terms.cumulative:
                parts = list(earned_by_rows(ledger, day, life.charge_accrual))
                self._note(on, posted=accrue_rows(life, parts, on))
            else:
                due = earned(ledger, on, life.charge_accrual)
                self._note(on, posted=accrue_difference(life, on, due))

    def _note(self, on: date, *, posted: bool) -> None:
        if posted:
            self.accrued_through = on

    def _accrues(self, life: Book) -> bool:
        ledger = life.account.ledger
        ended = ledger.charged_off_on is not None or ledger.terminated_on is not None
        return life.terms.accounting is Accounting.ACCRUAL_PERIODIC and not ended

    def _accrued_already(self, life: Book, day: date) -> bool:
        """A day that is accrued is left alone, unless a charge falls due on it."""
        on = min(day, max(row.due_on for row in life.account.ledger.rows))
        if life.terms.cumulative or self.accrued_through is None or on > self.accrued_through:
            return False
        return all(charge.due_on != on for charge in life.account.ledger.charges)

    def finish(self, life: Book) -> None:
        """Accrue the rest when the loan closes, and recognise what is deferred."""
        moves = [t.on for t in life.account.transactions if t.kind in PAYMENT_KINDS]
        closed_on = max(moves, default=life.today)
        if self._accrues(life):
            ledger = life.account.ledger
            last_due = max(row.due_on for row in ledger.rows)
            on = closed_on if life.terms.cumulative else min(life.today, last_due)
            self._note(on, posted=accrue_difference(life, on, earned_in_full(ledger)))
        self._finish_activity(life, closed_on)
        self.recognise(life, closed_on, in_full=True)

    def settle_end(self, life: Book) -> None:
        """Bring the accrued interest to what was earned up to a charge-off or termination."""
        ledger = life.account.ledger
        on = ledger.charged_off_on or ledger.terminated_on
        if on is None or ledger.earned_at_end is None:
            return
        if life.terms.accounting is Accounting.ACCRUAL_PERIODIC:
            drop_after(life, on)
            accrue_interest(life, on, ledger.earned_at_end)

    def recheck(self, life: Book) -> None:
        """After an undoing, drop accruals of a cumulative loan that its rows do not bear out."""
        if life.terms.cumulative and self._accrues(life):
            ledger = life.account.ledger
            parts = earned_by_rows(ledger, date.max, life.charge_accrual)
            drop_unfounded(life, list(parts), self.accrued_through)

    # --- activity

    def _activities(self, life: Book) -> list[activity.Activity]:
        return [
            activity.Activity(
                id=fact.id,
                on=fact.effective_on,
                parts={I: fact.interest_minor, F: fact.fees_minor, N: fact.penalties_minor},
            )
            for fact in life.timeline.facts
            if isinstance(fact, f.Posted) and fact.kind is Kind.ACCRUAL_ACTIVITY
        ]

    def _correct(self, life: Book, corrections: list[activity.Correction]) -> None:
        for correction in corrections:
            if correction.dropped is not None:
                life.drop(correction.dropped.id)
            if any(correction.parts.values()):
                posted = post(life, Kind.ACCRUAL_ACTIVITY, correction.on, dict(correction.parts))
                if correction.dropped is not None and posted is not None:
                    life.replayed.add(posted)

    def post_activity(self, life: Book, day: date) -> None:
        """Post the activity of every row due up to a day."""
        if life.terms.accrual_activity and life.account.status is Status.ACTIVE:
            posted = self._activities(life)
            self._correct(life, activity.at_close(life.account, posted, day))

    def refresh_activity(self, life: Book, *, restored: bool) -> None:
        """Let posted activities follow rows that were moved; post those of rows that came back."""
        if life.terms.accrual_activity:
            self._correct(life, activity.refreshed(life.account, self._activities(life)))
            if restored and self.closed_through is not None:
                self.post_activity(life, self.closed_through)

    def reopen(self, life: Book) -> None:
        """Take back what closing recognised."""
        if life.terms.accrual_activity:
            posted = self._activities(life)
            self._correct(life, activity.at_reopening(life.account, posted, life.today))

    def _finish_activity(self, life: Book, closed_on: date) -> None:
        if life.terms.accrual_activity:
            posted = self._activities(life)
            self._correct(life, activity.at_closure(life.account, posted, closed_on))

    # --- deferred income

    def recognise(self, life: Book, day: date, *, in_full: bool = False) -> list[str]:
        """Post deferred income up to a day, or all that is left of it; ids of the postings."""
        return [
            life.record(
                f.Posted,
                day,
                kind=posting.kind,
                interest_minor=posting.interest_minor,
                fees_minor=posting.fees_minor,
            )
            for posting in deferred_to_post(life.timeline.facts, life.account, day, in_full=in_full)
        ]
