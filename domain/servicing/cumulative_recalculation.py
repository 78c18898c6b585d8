"""What is paid early or late changes a cumulative plan: daily rest, no compounding.

A scratch ledger of rows tells which part of a payment is in arrears and which is ahead.
Source: domain rules 9.10 "Cumulative engine", P-32.
"""

from collections.abc import Sequence
from datetime import date

from domain.servicing import cumulative_interest as rates
from domain.servicing.cumulative import Draft, Planned
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.legacy_allocation import allocate_in_order
from domain.servicing.plan import Plan
from domain.servicing.row import F, I, P, Row
from domain.servicing.terms import LoanTerms
from domain.servicing.values import AdvancePayment, Kind, PreClose

Dated = tuple[date, int]
DueCharge = tuple[date, int]


class Following:
    """Payments in order of value date, taken in by a plan in the making, up to a day."""

    def __init__(
        self,
        terms: LoanTerms,
        payments: Sequence[Dated],
        charges: Sequence[DueCharge],
        today: date,
    ) -> None:
        self.terms = terms
        self.payments = sorted(payments, key=lambda payment: payment[0])
        self.charges = list(charges)
        self.today = today
        self.seen = Ledger(terms, Plan(terms, []), today)

    # --- the scratch rows

    def _pay(self, payment: Dated) -> Entry:
        on, amount = payment
        entry = Entry(id="", kind=Kind.REPAYMENT, on=on, amount=amount, entered_on=on)
        entry.overpayment = allocate_in_order(self.seen, entry, amount)
        return entry

    def _show(self, row: Planned, *, first: bool) -> None:
        shown = Row(row.from_on, row.due_on)
        shown.met = False
        shown.ask(P, row.principal, None)
        shown.ask(I, row.interest, None)
        for on, amount in self.charges:
            if row.from_on < on <= row.due_on or (first and on == row.from_on):
                shown.ask(F, amount, None)
        self.seen.rows.append(shown)

    def _late_principal(self) -> int:
        return sum(row.outstanding_of(P) for row in self.seen.rows)

    def _take_until(self, on: date) -> list[Dated]:
        taken = [p for p in self.payments if p[0] <= on]
        self.payments = [p for p in self.payments if p[0] > on]
        return taken

    # --- the plan asks

    def before_due(self, draft: Draft, due_on: date) -> bool:
        """Let arrears earn until they are paid, and early money stop earning from its day."""
        started = draft.from_on
        late = self._late_principal() if started < self.today else 0
        draft.earning += late
        ahead = [p for p in self.payments if p[0] < due_on]
        self.payments = [p for p in self.payments if p[0] >= due_on]
        kept: list[Dated] = []
        for payment in ahead:
            entry = self._pay(payment)
            draft.move(payment[0], -entry.parts[P])
            late -= entry.parts[P]
            if entry.overpayment and self._closes(draft, payment[0], entry.overpayment):
                return True
            if entry.overpayment:
                early = min(entry.overpayment, draft.outstanding)
                draft.move(payment[0], -early)
                draft.early += early
                draft.outstanding -= early
                kept.append((due_on, entry.overpayment))
        self.payments = [*kept, *self.payments]
        if started < self.today < due_on:
            draft.move(self.today, -late)
        return False

    def _closes(self, draft: Draft, on: date, amount: int) -> bool:
        if self.terms.pre_close is not PreClose.TILL_PRE_CLOSE_DATE or draft.coming:
            return False
        interest = draft.earned_until(on) + draft.waiting_interest
        if draft.outstanding + interest > amount:
            return False
        last = Planned(
            from_on=draft.from_on,
            due_on=on,
            principal=draft.outstanding + draft.early,
            interest=interest,
        )
        draft.waiting_interest = 0
        draft.outstanding = 0
        draft.rows.append(last)
        self._show(last, first=len(draft.rows) == 1)
        return True

    def on_due(self, draft: Draft, row: Planned) -> None:
        """Money beyond the instalment joins its principal; the strategy says what becomes less."""
        self._show(row, first=len(draft.rows) == 1)
        beyond = draft.excess
        for payment in self._take_until(row.due_on):
            rest = min(self._pay(payment).overpayment, draft.outstanding)
            if rest:
                row.principal += rest
                draft.planned_principal += rest
                draft.outstanding -= rest
                self.seen.rows[-1].ask(P, rest, None)
                self.seen.rows[-1].pay(P, rest, payment[0])
                beyond += rest
        if beyond:
            self._apply_strategy(draft, beyond)

    def _apply_strategy(self, draft: Draft, beyond: int) -> None:
        match self.terms.advance_payment:
            case AdvancePayment.REDUCE_INSTALMENT:
                if draft.outstanding:
                    draft.solve(draft.total - draft.planned_principal, draft.number + 1)
            case AdvancePayment.RESCHEDULE_NEXT:
                draft.still_to_reduce += beyond
            case AdvancePayment.REDUCE_TERM | AdvancePayment.ADJUST_LAST_UNPAID:
                pass

    def after_maturity(self, draft: Draft) -> None:
        """Arrears go on earning after the last due date: a row of interest to each payment."""
        started = draft.rows[-1].due_on
        stops = sorted({on for on, _ in self.payments if on < self.today} | {self.today})
        for stop in stops:
            late = self._late_principal()
            if stop > started and late:
                interest = rates.interest(self.terms, draft.rate, late, started, stop)
                row = Planned(from_on=started, due_on=stop, principal=0, interest=interest)
                draft.rows.append(row)
                self._show(row, first=False)
                started = stop
            for payment in self._take_until(stop):
                self._pay(payment)
