"""The periods of a plan in order of time: what of them is over, and what all of them add up to.

Leading periods that are paid do not change any more. Copies share them, and every pass over a plan
leaves them out: a payment costs what is still open. Nothing is derived here.
"""

from collections.abc import Iterable
from datetime import date

from domain.servicing.figures import NOTHING, Moved, figures_of
from domain.servicing.period import Period

MANY = 1_000_000  # behind the last of any plan


def is_over(period: Period, on: date) -> bool:
    """Whether facts of a day or later leave a period as it is."""
    return (
        period.due_on < on
        and period.due_principal == period.paid_principal
        and period.due_interest == period.paid_interest
        and period.fully_paid
        and not (period.moved_up or period.moved_down or period.holds_early_payments)
    )


class Periods:
    """Periods, the number of those that are over, and sums of the latter and of the open ones."""

    __slots__ = (
        "at_rest",
        "changed",
        "over",
        "periods",
        "settled",
        "stale_to",
        "true_until",
    )

    def __init__(self, dates: Iterable[tuple[date, date]]) -> None:
        self.periods = [Period(from_on, due_on) for from_on, due_on in dates]
        self.settled = 0  # so many are over: other plans may hold them too
        self.over = NOTHING  # their sums
        self.true_until = 0  # periods before this index hold the balances that follow from them
        self.stale_to = MANY  # and those behind this one if the last before them does
        self.at_rest = False  # settled, and nothing derived since
        self.changed: set[int] | None = None  # indexes derived since the rows followed; None: any

    def copy_periods(self, other: "Periods", first: int | None) -> None:
        """Take over periods of another plan; what is over is shared until it is opened."""
        over = other.settled
        self.periods = other.periods[:over]
        self.periods += [period.copy() for period in other.periods[over:first]]
        self.settled, self.over = other.settled, other.over
        self.true_until, self.stale_to = other.true_until, other.stale_to
        self.at_rest = other.at_rest
        self.changed = None if other.changed is None else other.changed.copy()

    # --- what is over, and what changes

    def settle(self, on: date) -> None:
        """Let leading periods be over that no payment of a day or later changes."""
        periods, last = self.periods, min(self.true_until, len(self.periods) - 1)
        while self.settled < last and is_over(periods[self.settled], on):
            self.over = figures_of(periods[self.settled], self.over)
            self.settled += 1

    def open_again(self, first: int = 0) -> None:
        """Let periods from an index on change again: they are this plan's own from now on."""
        periods = self.periods
        for index in range(first, self.settled):
            periods[index] = periods[index].copy()
            self.over = self.over.minus(figures_of(periods[index]))
        self.settled = min(first, self.settled)

    def open_from(self, on: date) -> None:
        """Let periods that are due on a day or later change again."""
        while (over := self.settled) and self.periods[over - 1].due_on >= on:
            self.open_again(over - 1)

    def open_all(self) -> None:
        """Let everything change in any way."""
        self.open_again()
        self.at_rest = False
        self.changed = None
        self.true_until, self.stale_to = 0, MANY

    def note(self, first: int, last: int) -> None:
        """Take note of periods that were derived, or whose rows do not follow them."""
        self.at_rest = False
        if self.changed is not None:
            self.changed.update(range(first, last + 1))

    def follow_again(self, index: int) -> None:
        """Let the row of a period, which stays as it is, follow it again."""
        if self.changed is not None:
            self.changed.add(index)

    # --- questions

    @property
    def open_periods(self) -> list[Period]:
        """The periods that are not over."""
        return self.periods[self.settled :]

    def due_before(self, on: date) -> list[Period]:
        """Return the periods that are not over and due before a day; later ones are not touched."""
        periods, end = self.periods, self.settled
        while end < len(periods) and periods[end].due_on < on:
            end += 1
        return periods[self.settled : end]

    @property
    def start_on(self) -> date:
        """First day of the first period."""
        return self.periods[0].from_on

    @property
    def maturity(self) -> date:
        """Due date of the last period."""
        return self.periods[-1].due_on

    @property
    def last(self) -> Period:
        """The last period."""
        return self.periods[-1]

    @property
    def is_empty(self) -> bool:
        """Whether no instalment has been solved yet."""
        return not any(period.emi for period in self.periods)

    def index_of(self, period: Period) -> int:
        """Index of a period of this plan; ValueError if it is none."""
        try:
            return self.periods.index(period, self.settled)
        except ValueError:
            return self.periods.index(period)

    def period_on(self, on: date) -> int | None:
        """Index of the period (from, due] that contains a day; the first also its first day."""
        for index in range(self._first_due(on), len(self.periods)):
            period = self.periods[index]
            if period.from_on < on <= period.due_on or (index == 0 and on == period.from_on):
                return index
        return None

    def period_of(self, from_on: date, due_on: date) -> int | None:
        """Index of the period with these dates, else of one that covers them."""
        first, periods = self._first_due(due_on), self.periods
        for index in range(first, len(periods)):
            period = periods[index]
            if period.from_on == from_on and period.due_on == due_on:
                return index
        for index in range(first, len(periods)):
            period = periods[index]
            if period.from_on <= from_on and period.due_on >= due_on:
                return index
        return None

    def _first_due(self, on: date) -> int:
        """Index to begin at in search of a period that is due on a day or later."""
        over = self.settled
        return over if over and self.periods[over - 1].due_on < on else 0

    def related(self, first_due: date) -> list[Period]:
        """Periods due on or after a day."""
        return [period for period in self.periods if period.due_on >= first_due]

    # --- sums

    @property
    def total_due_interest(self) -> int:
        """Interest due over all periods."""
        return self.over.due_interest + sum([p.due_interest for p in self.open_periods])

    @property
    def total_asked_principal(self) -> int:
        """Principal that all instalments ask for."""
        return self.over.due_principal + sum([p.due_principal for p in self.open_periods])

    @property
    def total_asked(self) -> int:
        """All instalments, with what was credited and what is collected for later periods."""
        asked = [p.emi + p.credited + p.future_interest for p in self.open_periods]
        return self.over.asked + sum(asked)

    @property
    def total_paid_interest(self) -> int:
        """Interest collected over all periods."""
        return self.over.paid_interest + sum([p.paid_interest for p in self.open_periods])

    @property
    def total_paid_principal(self) -> int:
        """Principal collected over all periods."""
        return self.over.paid_principal + sum([p.paid_principal for p in self.open_periods])

    @property
    def total_left_for_principal(self) -> int:
        """All instalments, as `total_asked`, without the interest due."""
        asked = [p.emi + p.credited + p.future_interest - p.due_interest for p in self.open_periods]
        return self.over.asked - self.over.due_interest + sum(asked)

    def moved(self) -> Moved:
        """Return what joined the balances of all periods and is to be repaid."""
        out, credited, raised = self.over.money_out, self.over.credited, self.over.raised
        for period in self.open_periods:
            for sub in period.subs:
                out += sub.disbursed + sub.capitalised
                if sub.credited_principal:
                    credited += sub.credited_principal
                    raised += max(0, sub.credited_principal)
        return Moved(out, credited, raised)

    @property
    def total_credited_principal(self) -> int:
        """Principal charged back or refunded over all periods."""
        return self.moved().raised

    @property
    def total_money_out(self) -> int:
        """Everything disbursed and capitalised."""
        return self.moved().out

    @property
    def total_due_principal(self) -> int:
        """Everything disbursed, capitalised and credited."""
        return self.moved().principal

    @property
    def total_outstanding_principal(self) -> int:
        """Principal that is still owed."""
        return max(0, self.total_due_principal - self.total_paid_principal)

    @property
    def unpaid_count(self) -> int:
        """How many periods are not paid exactly; those that are over are."""
        return sum([not period.fully_paid for period in self.open_periods])
