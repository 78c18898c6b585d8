"""The cumulative schedule family: instalment after instalment from one amount, never smoothed.

Compatibility with loans brought over. It plans; what was paid changes the plan only through
`cumulative_recalculation`. Source: domain rules 9.10 "Cumulative engine".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from domain.servicing import cumulative_interest as rates
from domain.servicing import facts as f
from domain.servicing.dates import add_units, schedule_start
from domain.servicing.dates import due_on as nominal_due
from domain.servicing.instalment_rounding import to_multiple
from domain.servicing.period import to_minor
from domain.servicing.terms import INSTALMENTS_MAX, LoanTerms
from domain.servicing.values import Amortisation, InterestMethod

Money = Sequence[tuple[date, int]]


@dataclass(slots=True, kw_only=True)
class Planned:
    """An instalment of the plan; minor units."""

    from_on: date
    due_on: date
    principal: int
    interest: int


class Payments(Protocol):
    """What was paid, told to a plan in the making; without recalculation there is none."""

    def before_due(self, draft: "Draft", due_on: date) -> bool:
        """Take in payments before a due date; whether one of them closes the loan."""
        ...

    def on_due(self, draft: "Draft", row: Planned) -> None:
        """Take in payments on the due date of a row just planned."""
        ...

    def after_maturity(self, draft: "Draft") -> None:
        """Add what is earned after the last due date."""
        ...


class Draft:
    """A schedule in the making. `moves` holds changes of the earning balance inside a period."""

    def __init__(self, terms: LoanTerms, money: Money, changes: Sequence[f.Fact]) -> None:
        self.terms = terms
        self.rate = terms.rate_annual
        self.count = terms.instalments
        self.start_on = schedule_start(terms, money[0][0])
        self.grid = (self.start_on, 0)  # where due dates are counted from, and the number there
        self.number = 1
        self.rows: list[Planned] = []
        self.coming = list(money)
        self.first_on = money[0][0]
        self.total = sum(amount for _, amount in money)
        self.planned_principal = 0
        self.outstanding = 0
        self.earning = 0  # balance that earns at the start of the period
        self.moves: dict[date, int] = {}
        self.early = 0  # paid ahead of the due date of the period
        self.excess = 0  # part of it above the principal of the period
        self.still_to_reduce = 0  # paid ahead, to shorten the next principals
        self.from_on = self.start_on
        self.changes = sorted(changes, key=lambda change: change.effective_on)
        self.graced_principal = set(range(1, terms.grace_on_principal + 1))
        self.graced_interest = set(range(1, terms.grace_on_interest + 1))
        self.waiting_interest = 0
        self.level = 0
        self.flat = terms.interest_method is InterestMethod.FLAT
        self.flat_each = 0
        self.flat_left = 0

    # --- amounts

    def solve(self, balance: int, number: int) -> None:
        """Find what repays a balance from an instalment on: the level amount, or the principal."""
        left = max(1, self._amortising(number))
        if self.flat or self.terms.amortisation is Amortisation.EQUAL_PRINCIPAL:
            self.level = to_minor(Decimal(balance) / left)
        else:
            self.level = rates.instalment(self.terms, self.rate, balance, left)

    def _amortising(self, number: int) -> int:
        graced = sum(n >= number for n in self.graced_principal)
        return self.count - (number - 1) - graced

    def spread_flat_interest(self, total: int, number: int) -> None:
        """Divide a flat interest over the instalments from one on that collect some."""
        silent = 0 if self._brings_forward else sum(n >= number for n in self.graced_interest)
        left = max(1, self.count - (number - 1) - silent)
        self.flat_each, self.flat_left = to_minor(Decimal(total) / left), total

    @property
    def _brings_forward(self) -> bool:
        """Whether interest of a graced instalment waits, rather than being averaged out."""
        return not self.flat or self.terms.amortisation is Amortisation.EQUAL_PRINCIPAL

    def earned_until(self, until: date) -> int:
        """Interest of the running period up to a day: every stretch rounded by itself."""
        total, balance, since = 0, self.earning, self.from_on
        for on in sorted(self.moves):
            if on >= until:
                break
            if on > since:
                total += rates.interest(self.terms, self.rate, balance, since, on)
                since = on
            balance += self.moves[on]
        return total + rates.interest(self.terms, self.rate, balance, since, until)

    def _interest(self, due_on: date) -> int:
        if self.number <= self.terms.interest_free_periods:
            self.flat_left -= self.flat_each
            return 0
        graced = self.number in self.graced_interest
        if not self.flat:
            interest = self.earned_until(due_on)
        elif graced and not self._brings_forward:
            return 0
        else:
            interest = self.flat_left if self.number >= self.count else self.flat_each
            self.flat_left -= interest
        if graced:
            self.waiting_interest += interest
            return 0
        interest, self.waiting_interest = interest + self.waiting_interest, 0
        return interest

    def _principal(self, interest: int) -> int:
        if self.number >= self.count:
            return self.outstanding + self.early
        if self.number in self.graced_principal:
            return 0
        principal = self.level
        if self.flat:
            if self.terms.instalment_multiple_minor:
                principal = to_multiple(self.terms, principal) - interest
                principal += to_multiple(self.terms, interest)
        elif self.terms.amortisation is Amortisation.EQUAL_INSTALMENTS:
            principal -= interest
        return max(0, principal)

    # --- dates and changes of terms

    def next_due(self) -> date:
        """Due date of the instalment in the making, moved if it was moved."""
        start, at = self.grid
        due = nominal_due(self.terms, start, self.number - at)
        if self.number == self.count and self.terms.fixed_length is not None:
            length = self.terms.fixed_length
            due = add_units(self.start_on, self.terms.repayment_unit, length)
        moved = [c for c in self.changes if isinstance(c, f.DueDateMoved) and c.effective_on == due]
        if moved:
            due = moved[-1].new_due_on
            self.grid = (due, self.number)
            self.changes = [c for c in self.changes if c not in moved]
        return due

    def apply_changes(self, due_on: date) -> None:
        """Apply the changes of terms that begin with this instalment."""
        reached = [c for c in self.changes if c.effective_on <= due_on]
        self.changes = [c for c in self.changes if c.effective_on > due_on]
        left = self.total - self.planned_principal
        for change in reached:
            if isinstance(change, f.RateChanged):
                self.rate = change.rate_annual
                self.solve(left, self.number)
                if self.flat:
                    self.spread_flat_interest(self._flat_interest(left), self.number)
            elif isinstance(change, f.TermExtended):
                self.count += change.instalments
                self.solve(left, self.number)
                self.spread_flat_interest(self.flat_left, self.number)
            elif isinstance(change, f.GraceGranted):
                numbers = range(self.number, self.number + change.principal)
                self.graced_principal |= set(numbers)
                self.graced_interest |= set(range(self.number, self.number + change.interest))
                self.count += change.principal
                self.solve(left, self.number)
                self.spread_flat_interest(self.flat_left, self.number)

    # --- the loop

    def begin(self) -> None:
        """Solve the first plan on everything that is paid out."""
        self.solve(self.total, 1)
        if self.flat:
            self.spread_flat_interest(self._flat_interest(self.total), 1)

    def _flat_interest(self, principal: int) -> int:
        due = nominal_due(self.terms, self.start_on, self.count)
        return rates.flat_interest(self.terms, self.rate, principal, self.first_on, due)

    def open_period(self, due_on: date) -> None:
        """Let money paid out up to a due date join the balance."""
        self.early = 0
        self.earning, self.moves = self.outstanding, {}
        for on, amount in self.coming:
            if on <= due_on:
                self.outstanding += amount
                self.move(on, amount)
        self.coming = [(on, amount) for on, amount in self.coming if on > due_on]

    def move(self, on: date, amount: int) -> None:
        """Change the earning balance from a day on."""
        self.moves[on] = self.moves.get(on, 0) + amount

    def close_period(self, due_on: date) -> Planned:
        """Plan the instalment of the period."""
        interest = self._interest(due_on)
        principal = self._principal(interest)
        used = min(principal, self.still_to_reduce)
        principal, self.still_to_reduce = principal - used, self.still_to_reduce - used
        self.excess = max(0, self.early - principal)
        principal = min(max(principal, self.early), self.outstanding + self.early)
        self.outstanding -= principal - self.early
        row = Planned(from_on=self.from_on, due_on=due_on, principal=principal, interest=interest)
        self.rows.append(row)
        self.planned_principal += principal
        return row


def plan(
    terms: LoanTerms, money: Money, changes: Sequence[f.Fact], payments: Payments | None = None
) -> list[Planned]:
    """Plan the instalments of what is paid out, net of down payments, under changes of terms."""
    draft = Draft(terms, money, changes)
    draft.begin()
    while (draft.outstanding or draft.coming) and draft.number <= INSTALMENTS_MAX:
        due = draft.next_due()
        draft.apply_changes(due)
        draft.open_period(due)
        if payments is not None and payments.before_due(draft, due):
            break
        if not draft.outstanding and not draft.early and not draft.coming:
            break
        row = draft.close_period(due)
        if payments is not None:
            payments.on_due(draft, row)
        draft.from_on = row.due_on
        draft.number += 1
    if draft.waiting_interest:
        draft.rows[-1].interest += draft.waiting_interest
    if payments is not None:
        payments.after_maturity(draft)
    return draft.rows
