"""Closing a simulated loan's days: triggers, penalties, accruals, activity, deferred income.

Source: domain rules 9.11, 9.14.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import localcontext
from typing import Protocol

from domain.servicing import activity
from domain.servicing import facts as f
from domain.servicing.account import Account
from domain.servicing.accruals import earned, earned_in_full, earned_interest
from domain.servicing.deferred import deferred_to_post
from domain.servicing.row import F, I, N
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import (
    PAYMENT_KINDS,
    Accounting,
    ChargeAccrual,
    ChargeTime,
    Component,
    Kind,
    Status,
)

ONE_DAY = timedelta(days=1)
Parts = dict[Component, int]


class Book(Protocol):
    """What closing needs of a simulated life."""

    terms: LoanTerms
    timeline: Timeline
    today: date
    charge_accrual: ChargeAccrual
    replayed: set[str]

    @property
    def account(self) -> Account:
        """The account now."""
        ...

    def record(self, kind: type[f.Fact], on: date, /, **data: object) -> str:
        """Record a fact of today; its id."""
        ...

    def drop(self, fact_id: str) -> None:
        """Take a fact out again, without a trace."""
        ...


class DayClose:
    """Remembers what was closed and what penalties were put where."""

    def __init__(self) -> None:
        self.closed_through: date | None = None
        self.penalised: set[tuple[str, date]] = set()

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
        self._post_deferred(life, day)

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
        if not self._accrues(life):
            return
        with localcontext(life.terms.arithmetic()):
            due = earned(life.account.ledger, day, life.charge_accrual)
        last_due = max(row.due_on for row in life.account.ledger.rows)
        self._post_difference(life, min(day, last_due), due)

    def _accrues(self, life: Book) -> bool:
        charged_off = life.account.ledger.charged_off_on is not None
        return life.terms.accounting is Accounting.ACCRUAL_PERIODIC and not charged_off

    def _post_difference(self, life: Book, day: date, due: Parts) -> None:
        posted = self.posted(life, (Kind.ACCRUAL,), (Kind.ACCRUAL_ADJUSTMENT,))
        more = {c: max(0, due[c] - posted[c]) for c in due}
        less = {c: max(0, posted[c] - due[c]) for c in due}
        self._post(life, Kind.ACCRUAL, day, more)
        self._post(life, Kind.ACCRUAL_ADJUSTMENT, day, less)

    def _post(self, life: Book, kind: Kind, day: date, parts: Parts) -> str | None:
        if any(parts.values()):
            return life.record(
                f.Posted,
                day,
                kind=kind,
                interest_minor=parts[I],
                fees_minor=parts[F],
                penalties_minor=parts[N],
            )
        return None

    def posted(self, life: Book, plus: tuple[Kind, ...], minus: tuple[Kind, ...]) -> Parts:
        """Sum of what is posted, by component."""
        total: Parts = {I: 0, F: 0, N: 0}
        for fact in life.timeline.facts:
            if isinstance(fact, f.Posted) and fact.kind in (*plus, *minus):
                sign = 1 if fact.kind in plus else -1
                total[I] += sign * fact.interest_minor
                total[F] += sign * fact.fees_minor
                total[N] += sign * fact.penalties_minor
        return total

    def finish(self, life: Book) -> None:
        """Accrue the rest when the loan closes, and recognise what is deferred."""
        if self._accrues(life):
            self._post_difference(life, life.today, earned_in_full(life.account.ledger))
        moves = [t.on for t in life.account.transactions if t.kind in PAYMENT_KINDS]
        self._finish_activity(life, max(moves, default=life.today))
        self._post_deferred(life, life.today, in_full=True)

    def catch_up_interest(self, life: Book, day: date, act: Callable[[], object]) -> None:
        """Post interest up to a day on which the loan ends, then act."""
        act()
        if life.terms.accounting is not Accounting.ACCRUAL_PERIODIC:
            return
        with localcontext(life.terms.arithmetic()):
            interest = earned_interest(life.account.ledger, day)
        posted = self.posted(life, (Kind.ACCRUAL,), (Kind.ACCRUAL_ADJUSTMENT,))
        missing = interest - posted[I]
        kind = Kind.ACCRUAL if missing > 0 else Kind.ACCRUAL_ADJUSTMENT
        self._post(life, kind, day, {I: abs(missing), F: 0, N: 0})

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
                posted = self._post(
                    life, Kind.ACCRUAL_ACTIVITY, correction.on, dict(correction.parts)
                )
                if correction.dropped is not None and posted is not None:
                    life.replayed.add(posted)

    def post_activity(self, life: Book, day: date) -> None:
        """Post the activity of every row due up to a day."""
        if life.terms.accrual_activity and life.account.status is Status.ACTIVE:
            posted = self._activities(life)
            self._correct(life, activity.at_close(life.account, posted, day))

    def refresh_activity(self, life: Book) -> None:
        """Let posted activities follow rows that were moved."""
        if life.terms.accrual_activity:
            self._correct(life, activity.refreshed(life.account, self._activities(life)))

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

    def _post_deferred(self, life: Book, day: date, *, in_full: bool = False) -> None:
        for posting in deferred_to_post(life.timeline.facts, life.account, day, in_full=in_full):
            life.record(
                f.Posted,
                day,
                kind=posting.kind,
                interest_minor=posting.interest_minor,
                fees_minor=posting.fees_minor,
            )
