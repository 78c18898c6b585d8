"""The engine's working state: plan, rows, charges, transactions. It decides nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import Any, NamedTuple

from domain.servicing.facts import ReAged
from domain.servicing.floating import Publication, Repricing
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.row import COMPONENTS, NOTHING_YET, F, I, N, P, Row
from domain.servicing.terms import LoanTerms
from domain.servicing.values import ChargeBasis, ChargeKind, ChargeTime, Component, Kind


class AllocationLine(NamedTuple):
    """Which rule took which part of a payment to which instalment."""

    instalment: int
    component: Component
    amount_minor: int
    rule: str


@dataclass(slots=True, kw_only=True)
class Entry:
    """A transaction while the engine works on it; `shown` is what was made of it to look at."""

    id: str
    kind: Kind
    on: date
    amount: int
    entered_on: date
    parts: dict[Component, int] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, 0))
    overpayment: int = 0
    void: bool = False
    source_id: str | None = None
    lines: list[AllocationLine] = field(default_factory=list[AllocationLine])
    shown: Any = field(default=None, compare=False, repr=False)

    def copy(self) -> "Entry":
        """Return an independent copy."""
        other = Entry.__new__(Entry)
        other.id = self.id
        other.kind = self.kind
        other.on = self.on
        other.amount = self.amount
        other.entered_on = self.entered_on
        other.parts = self.parts.copy()
        other.overpayment = self.overpayment
        other.void = self.void
        other.source_id = self.source_id
        other.lines = self.lines.copy()
        other.shown = None
        return other


@dataclass(slots=True, kw_only=True)
class Charge:
    """A charge while the engine works on it.

    An instalment fee asks for `each` on a row, or a percentage; `shares` holds it by due date.
    """

    id: str
    code: str
    kind: ChargeKind
    time: ChargeTime
    basis: ChargeBasis
    submitted_on: date
    due_on: date | None = None
    place: int = 0  # among the rows due on that day, from 1; 0: the row whose period holds it
    amount: int = 0
    each: int = 0
    percent: Decimal = Decimal(0)
    least: int = 0  # of a share on an instalment
    most: int | None = None  # of a share on an instalment; None: without limit
    agreed: bool = False  # by the contract: on every instalment, or on those that hold a day
    yearly: tuple[int, int] | None = None  # month and day of each year; None: on every instalment
    moved: int = 0  # of an instalment fee: onto instalments of a new plan, beside their own
    paid: int = 0
    waived: int = 0
    given_up: int = 0  # waived before it was recognised as income
    shares: dict[date, int] = field(default_factory=dict[date, int])

    @property
    def component(self) -> Component:
        """The bucket the charge belongs to."""
        return N if self.kind is ChargeKind.PENALTY else F

    @property
    def outstanding(self) -> int:
        """What of the charge is still owed."""
        return self.amount - self.paid - self.waived

    def copy(self) -> "Charge":
        """Return an independent copy."""
        return Charge(
            id=self.id,
            code=self.code,
            kind=self.kind,
            time=self.time,
            basis=self.basis,
            submitted_on=self.submitted_on,
            due_on=self.due_on,
            place=self.place,
            amount=self.amount,
            each=self.each,
            percent=self.percent,
            least=self.least,
            most=self.most,
            agreed=self.agreed,
            yearly=self.yearly,
            moved=self.moved,
            paid=self.paid,
            waived=self.waived,
            given_up=self.given_up,
            shares=dict(self.shares),
        )


class Ledger:
    """Everything the fold carries from one fact to the next.

    Without slots: a copy takes all fields at once and not one by one.
    """

    def __init__(self, terms: LoanTerms, plan: Plan, started_on: date) -> None:
        self.terms = terms  # in force: a restructuring changes them
        self.agreed = terms  # from the start: what a fold of all facts begins with
        self._plan: Plan | None = plan
        self._solve_again: Callable[[], Plan] | None = None
        self.started_on = started_on
        self.rows = [Row(period.from_on, period.due_on) for period in plan.periods]
        self.settled = 0  # leading rows that are over: other ledgers may hold them too
        self.charges: list[Charge] = []
        self.entries: list[Entry] = []  # only the fact that made one changes it
        self.disbursements: list[tuple[date, int, str]] = []
        self.disbursement_fees = 0
        self.overpaid = 0
        self.prepays_all = False
        self.charged_off_on: date | None = None
        self.terminated_on: date | None = None
        self.earned_at_end: int | None = None  # interest up to a charge-off or termination
        self.written_off = False
        self.re_age: ReAged | None = None  # the latest that counts
        self.re_aged_equally_on: date | None = None
        self.rows_lead = False  # rows were moved without the plan, which is not followed any more
        self.refunded_interest = 0
        self.publications: tuple[Publication, ...] = ()  # of the reference rate, by day
        self.repricings: tuple[Repricing, ...] = ()
        self.repriced_through = started_on
        self.penalised_through = started_on
        self.penalised = NOTHING_YET
        self.misused_on: date | None = None  # since when funds are used against the contract
        self.non_performing = False
        self.settled_plan: Plan | None = None
        self.touched: set[int] | None = None  # rows the last fact changed; None: any may have
        self.shared = False  # whether an account shows this state: then it must not change
        for number, row in enumerate(self.rows, 1):  # as periods are, in order of their dates
            row.number, row.met_on = number, started_on

    def copy(self) -> "Ledger":
        """Return an independent copy; rows and periods that are over are shared."""
        other = Ledger.__new__(Ledger)
        vars(other).update(vars(self))
        other._plan = None if self._plan is None else self._plan.copy()  # noqa: SLF001 - its own
        other.rows = self.rows[: self.settled]
        other.rows += [row.copy() for row in self.rows[self.settled :]]
        other.charges = [charge.copy() for charge in self.charges]
        other.entries = list(self.entries)
        other.disbursements = list(self.disbursements)
        other.shared = False
        other.touched = None
        return other

    def settle(self, on: date) -> None:
        """Let leading rows and periods be over that no payment of a day or later changes."""
        if self.rows_lead or self.terms.cumulative or self.terms.explicit_periods:
            return
        charges = self.charges
        if charges and any(charge.time is ChargeTime.INSTALMENT for charge in charges):
            return  # such a charge may follow what any row asks for
        if self._plan is not None:
            self._plan.settle(on)
        periods = self.plan.periods if self.recalculates else None
        last = len(self.rows) - 1 if periods is None else min(len(self.rows) - 1, self.plan.settled)
        count = self.settled
        while count < last and _is_over(self.rows[count], on):
            if periods is not None and not _same_dates(self.rows[count], periods[count]):
                break
            count += 1
        self.settled = count

    def open_again(self) -> None:
        """Let every row and period change again: they are this ledger's own from now on."""
        self._open_rows(0)
        if self._plan is not None:
            self._plan.open_all()

    def _open_rows(self, first: int) -> None:
        if first < self.settled:
            shared = self.rows[first : self.settled]
            self.rows[first : self.settled] = [row.copy() for row in shared]
            self.settled = first

    @property
    def open_rows(self) -> list[Row]:
        """The rows that are not over."""
        return self.rows[self.settled :]

    def rows_due(self, on: date) -> list[Row]:
        """Return the rows that are not over and due by a day; those to come are not looked at."""
        rows, end = self.rows, self.settled
        while end < len(rows) and rows[end].due_on <= on:
            end += 1
        return rows[self.settled : end]

    @property
    def plan(self) -> Plan:
        """The plan behind the rows."""
        if self._plan is None:
            assert self._solve_again is not None, "a plan is let go only if it can be solved again"
            with localcontext(self.terms.arithmetic()):
                self._plan = self._solve_again()
        return self._plan

    @plan.setter
    def plan(self, plan: Plan) -> None:
        self._plan = plan

    def let_plan_go(self, solve_again: Callable[[], Plan]) -> None:
        """Keep the rows only: payments on planned interest change no plan, and it takes room."""
        self._plan, self._solve_again = None, solve_again

    def become(self, other: "Ledger") -> None:
        """Take over the state of another ledger, which is given up."""
        vars(self).update(vars(other))

    @property
    def recalculates(self) -> bool:
        """Whether payments still change the interest."""
        ended = self.charged_off_on or self.terminated_on or self.written_off
        return self.terms.recalculates and not ended

    def renumber(self) -> None:
        """Sort rows by due date and number them from 1."""
        self.rows.sort(key=attrgetter("due_on"))
        for number, row in enumerate(self.rows, 1):
            row.number = number

    def period_of(self, row: Row) -> Period | None:
        """Return the plan's period behind a row; rows of no days may have the same dates."""
        plan = self.plan
        if row.from_on == row.due_on and row.regular:
            rows = [r for r in self.rows if r.from_on == r.due_on == row.due_on and r.regular]
            periods = [p for p in plan.periods if p.from_on == p.due_on == row.due_on]
            if len(rows) == len(periods):
                return periods[rows.index(row)]
        index = plan.period_of(row.from_on, row.due_on)
        return None if index is None else plan.periods[index]

    def additional_row(self) -> Row | None:
        """Return the row after maturity, if there is one."""
        return next((row for row in self.rows if row.additional), None)

    def row_in(self, on: date) -> Row | None:
        """Return the row whose [from, due) contains a day."""
        return next((r for r in self.rows if r.from_on <= on < r.due_on), None)

    def outstanding(self) -> dict[Component, int]:
        """What is owed, by component."""
        owing = [row for row in self.open_rows if row.given_up or row.due != row.paid]
        return {c: sum([row.outstanding_of(c) for row in owing]) for c in COMPONENTS}

    def periods_with_rows(self) -> Iterable[tuple[Period, Row | None]]:
        """Return every period of the plan with its row; None if it has none with its dates."""
        rows, periods = self.rows, self.plan.periods
        if len(rows) == len(periods) and all(map(_same_dates, rows, periods)):
            return zip(periods, rows, strict=True)
        known = self.rows_by_period()
        return [(period, known.get(period)) for period in periods]

    def rows_by_period(self) -> dict[Period, Row]:
        """Return the row of each period of the plan that has one with its dates."""
        rows, periods = self.rows, self.plan.periods
        if len(rows) == len(periods) and all(map(_same_dates, rows, periods)):
            return dict(zip(periods, rows, strict=True))
        by_dates: dict[tuple[date, date], list[Row]] = {}
        for row in self.rows:
            if row.regular:
                by_dates.setdefault((row.from_on, row.due_on), []).append(row)
        found: dict[Period, Row] = {}
        for period in self.plan.periods:
            rows = by_dates.get((period.from_on, period.due_on))
            if rows:
                found[period] = rows.pop(0)
        return found

    def _followed(self) -> Iterable[tuple[Period, Row]]:
        """The periods that are not over, each with its row."""
        rows, periods, over = self.rows, self.plan.periods, self.plan.settled
        self._open_rows(over)
        if len(rows) == len(periods) and all(map(_same_dates, rows[over:], periods[over:])):
            return zip(periods[over:], rows[over:], strict=True)
        return self.rows_by_period().items()

    def sync_rows(self, on: date) -> None:
        """Take over what the plan asks for, and note what is met on a day."""
        for period, row in self._followed():
            self._follow(period, row, on)

    def sync_changed(self, on: date) -> None:
        """The same after payments, which leave most of the plan as the rows know it."""
        plan, rows = self.plan, self.rows
        changed = plan.changed
        if changed is not None and not changed:
            return
        plan.changed = set()
        if changed is None or len(rows) != len(plan.periods):
            self.sync_rows(on)
            return
        self._open_rows(min(changed))
        periods = plan.periods
        for index in sorted(changed):
            period, row = periods[index], rows[index]
            if not _same_dates(row, period):
                self.sync_rows(on)
                return
            self._follow(period, row, on)

    def _follow(self, period: Period, row: Row, on: date) -> None:
        """Take over what a period asks for; what was credited is part of it."""
        if period.credited or period.moved_credit or row.rare is not None:
            self._follow_credited(period, row, on)
            return
        principal, interest, due = period.due_principal, period.due_interest, row.due
        if due.get(P, 0) != principal or due.get(I, 0) != interest:
            due[P], due[I] = principal, interest
            row.update_met(on)
            if self.touched is not None:
                self.touched.add(row.number)

    def _follow_credited(self, period: Period, row: Row, on: date) -> None:
        principal, interest = period.credited_parts
        credited = principal or interest or row.credited
        if credited:
            row.beside.credited.update({P: principal, I: interest})
        if self._ask_as_planned(period, row) or credited:
            row.update_met(on)

    def sync_interest(self) -> None:
        """Take over what the plan asks for without judging whether rows are met."""
        known = dict(self._followed())
        by_from = {row.from_on: row for row in reversed(self.rows) if not row.down_payment}
        for period in self.plan.open_periods:
            row = known.get(period) or by_from.get(period.from_on)
            if row is not None:
                self._ask_as_planned(period, row)

    def _ask_as_planned(self, period: Period, row: Row) -> bool:
        """Take over what a period asks for; whether that is something else than before."""
        principal, interest = period.due_principal, period.due_interest
        if row.rare is not None:
            interest += row.waived_beside_plan
        due = row.due
        if due.get(P, 0) == principal and due.get(I, 0) == interest:
            return False
        due[P], due[I] = principal, interest
        if self.touched is not None:
            self.touched.add(row.number)
        return True


def _is_over(row: Row, on: date) -> bool:
    if not row.met or row.due_on >= on or row.given_up:
        return False
    return row.due == row.paid or not any(map(row.outstanding_of, COMPONENTS))


def _same_dates(row: Row, period: Period) -> bool:
    if row.due_on != period.due_on or row.from_on != period.from_on:
        return False
    return not (row.down_payment or row.additional)
