"""The plan of a loan: periods with balances, and the changes that money and time make to them.

It solves nothing: `solving` finds instalments, `views` looks at a day, `overdue` lets unpaid
principal go on earning.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from domain.servicing.period import ZERO, Earning, Period, Sub
from domain.servicing.periods import Periods
from domain.servicing.rate_factor import FactorTable
from domain.servicing.terms import LoanTerms
from domain.servicing.values import InterestMethod


class Late(NamedTuple):
    """Principal that was paid late: the plan takes it off the balance on its due date.

    Until it was paid it earned by a correction. `until` is the day, or the rest after it.
    """

    due_on: date
    until: date
    amount: int


class Plan(Periods):
    """Periods in order of time, the rates in force, and what overdue principal added."""

    __slots__ = (
        "bare",
        "by_principal",
        "corrections",
        "earning",
        "flat",
        "grace_lifted",
        "keeps_instalments",
        "overdue_through",
        "rates",
        "repaid_late",
        "steps",
        "terms",
    )

    def __init__(self, terms: LoanTerms, periods: Iterable[tuple[date, date]]) -> None:
        super().__init__(periods)
        self.terms = terms
        self.steps = [
            (self.periods[step.after_instalments - 1].due_on, step.rate_annual)
            for step in terms.rate_steps
            if step.after_instalments <= len(self.periods)
        ]
        self.rates = sorted(self.steps, reverse=True)  # latest first
        self.corrections: list[tuple[date, int, date]] = []  # on, amount, due date of its period
        self.overdue_through: date | None = None
        self.repaid_late: tuple[Late, ...] = ()
        self.flat = terms.interest_method is InterestMethod.FLAT
        self.earning = Earning(
            flat=self.flat,
            factors=terms.factors,
            place=terms.rounding_place,
            inner=terms.inner_arithmetic(),
            mode=terms.interest_rounding,
        )
        self.by_principal = terms.fixes_principal
        self.bare = False  # a copy without payments, made to solve instalments
        self.grace_lifted = False
        self.keeps_instalments = False  # after an accelerated maturity payments set no instalment

    def copy(self, first: int | None = None) -> "Plan":
        """Return an independent copy; what is over is shared until it is opened again.

        It has the `first` periods, and those that are over; None: all of them.
        """
        other = Plan.__new__(Plan)
        other.terms = self.terms
        other.copy_periods(self, first)
        other.rates = list(self.rates)
        other.steps = self.steps
        other.corrections = list(self.corrections)
        other.overdue_through = self.overdue_through
        other.repaid_late = self.repaid_late
        other.flat = self.flat
        other.earning = self.earning
        other.bare = self.bare
        other.by_principal = self.by_principal
        other.grace_lifted = self.grace_lifted
        other.keeps_instalments = self.keeps_instalments
        return other

    def without_payments(self) -> "Plan":
        """Copy as if nothing had been paid, to solve instalments of the bare contract."""
        other = self.copy()
        other.open_all()
        other.bare = True
        other.corrections = []
        for period in other.periods:
            period.forget_paid()
        other.derive()
        return other

    # --- questions

    def rate_on(self, on: date) -> Decimal:
        """Return the annual rate in force for a sub-period that starts on a day."""
        for from_on, rate in self.rates:
            if from_on <= on:
                return rate
        return self.terms.rate_annual

    @property
    def under_principal_grace(self) -> list[Period]:
        """Instalments that ask for no principal: the product's first ones, and granted ones."""
        graced = 0 if self.grace_lifted else self.terms.grace_on_principal
        periods = self.periods
        return periods[:graced] + [p for p in periods[graced:] if p.granted_principal]

    @property
    def under_interest_grace(self) -> list[Period]:
        """Instalments that ask for no interest: the product's first ones, and granted ones."""
        graced = 0 if self.grace_lifted else self.terms.grace_on_interest
        periods = self.periods
        return periods[:graced] + [p for p in periods[graced:] if p.granted_interest]

    def lift_grace(self) -> None:
        """End every grace: what is planned anew asks for principal and interest."""
        self.grace_lifted = True
        for period in self.periods:
            period.granted_principal = period.granted_interest = False

    # --- recomputation

    def factor(self, periods: Iterable[Period]) -> None:
        """Recompute the factors of periods."""
        span, rate = (self.start_on, self.maturity), self.terms.rate_annual
        free = self.periods[: self.terms.interest_free_periods]
        table = FactorTable(self.terms, span)
        by_days, changes = table.by_days, bool(self.rates)
        for period in periods:
            for sub in period.subs:
                if changes:
                    rate = self.rate_on(sub.from_on)
                in_force = ZERO if free and period in free else rate
                if by_days:
                    sub.factor = table.of_days(in_force, (sub.due_on - sub.from_on).days)
                    continue
                stretch, of_period = (sub.from_on, sub.due_on), (period.from_on, period.due_on)
                source = (in_force, stretch, of_period, span)
                if source != sub.factored:
                    sub.factored = source
                    sub.factor = table.of(in_force, stretch, of_period)

    def derive(self, first: int = 0, last: int | None = None) -> int:
        """Recompute what falls due, leaving balances as they are; the change of all interest due.

        `first` and `last` are the indexes of the periods that are not as they were derived last;
        the defaults are safe. Behind them it ends where as much is carried on as before.
        """
        first = max(first, self.settled)
        count = len(self.periods)
        until = count if last is None else last
        carried = known = self.periods[first - 1].carried if first else 0
        change, done = 0, first - 1
        for number in range(first, count):
            if number > until and carried == known:
                break
            period = self.periods[number]
            known, due = period.carried, period.due_interest
            period.derive(carried, self.earning)
            carried = period.carried
            change += period.due_interest - due
            done = number
        self.true_until = min(self.true_until, first + 1)
        self.stale_to = max(self.stale_to, done)
        self.note(first, done)
        return change

    def rebalance(self, first: int = 0, last: int | None = None) -> None:
        """Carry balances forward and recompute what falls due.

        `first` and `last` are the indexes of the periods that are not as they were derived last;
        the defaults are safe. Behind them it ends where nothing is carried on that was not before.
        """
        periods, earning = self.periods, self.earning
        count = len(periods)
        until = count if last is None else max(last, self.stale_to)
        begin = max(min(first, self.true_until), self.settled)
        previous = periods[begin - 1] if begin else None
        carried = known = previous.carried if previous else 0
        done = begin - 1
        for number in range(begin, count):
            period = periods[number]
            subs = period.subs
            if subs and previous is not None:
                balance = previous.closing_balance()
                if number > until and carried == known and subs[0].balance == balance:
                    break
                subs[0].balance = balance
            if len(subs) > 1:
                for before, sub in pairwise(subs):
                    sub.balance = max(0, before.balance + before.moved)
            known = period.carried
            period.derive(carried, earning)
            carried = period.carried
            previous, done = period, number
        self.true_until, self.stale_to = count, -1
        self.note(begin, done)

    # --- changes

    def keep_instalments(self) -> None:
        """Let every period ask for the instalment it has, whatever it was made of."""
        self.by_principal = False
        for period in self.periods:
            period.share = None

    def set_rate(self, from_on: date, rate: Decimal) -> None:
        """Put a rate in force for days after `from_on`."""
        kept = [entry for entry in self.rates if entry[0] != from_on]
        self.rates = sorted([*kept, (from_on, rate)], reverse=True)

    def stop_earning(self, on: date) -> None:
        """Let nothing be earned after a day, whatever rates were to come."""
        self.rates = [entry for entry in self.rates if entry[0] <= on]
        self.set_rate(on, ZERO)

    def move_money(
        self, on: date, *, disbursed: int = 0, correction: int = 0, capitalised: int = 0
    ) -> Period | None:
        """Change the balance after a day, splitting that day's sub-period; None if out of term."""
        index = self.period_on(on)
        if index is None:
            return None
        if index < self.settled:
            self.open_again(index)
        period = self.periods[index]
        sub = self._sub_ending(period, on)
        if sub is None:
            sub = split_sub(period, on)
        sub.disbursed += disbursed
        sub.correction += correction
        sub.capitalised += capitalised
        return period

    def _sub_ending(self, period: Period, on: date) -> Sub | None:
        if period is self.last and on == period.due_on and period.subs[-1].days:
            return None  # days after a change on the maturity date earn nothing
        for sub in period.subs:
            if sub.due_on == on:
                return sub
        return None

    def pause(self, start: date, end: date) -> Period | None:
        """Let the stretch from start to end earn nothing; the first period touched, or None."""
        touched = [p for p in self.periods if p.from_on < end and p.due_on > start]
        for period in touched:
            first, last = max(start, period.from_on), min(end, period.due_on)
            if not any(sub.from_on == first for sub in period.subs):
                split_sub(period, first)
            if not any(sub.due_on == last for sub in period.subs):
                split_sub(period, last)
            for sub in period.subs:
                if sub.from_on >= first and sub.due_on <= last:
                    sub.paused = True
        return touched[0] if touched else None

    def drop_corrections(self) -> None:
        """Take back what overdue principal added to balances."""
        for on, amount, _ in self.corrections:
            self.move_money(on, correction=-amount)
        self.corrections = []
        self.overdue_through = None


def split_sub(period: Period, on: date) -> Sub:
    """Cut the sub-period that contains a day; the part that ends there.

    What moves at the end of the whole stays there, with the second part.
    """
    before = period.subs[0]
    for sub in period.subs:
        if sub.from_on < on <= sub.due_on:
            before = sub
    cut = min(max(on, before.from_on), before.due_on)
    after = Sub(cut, before.due_on, paused=before.paused)
    after.disbursed, before.disbursed = before.disbursed, 0
    after.capitalised, before.capitalised = before.capitalised, 0
    after.correction, before.correction = before.correction, 0
    before.due_on = cut
    period.subs.insert(period.subs.index(before) + 1, after)
    return before
