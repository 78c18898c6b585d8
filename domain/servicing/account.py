"""What an account looks like after its facts: frozen rows, transactions, balances, quotes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import localcontext
from typing import Any, NamedTuple, cast

from domain.servicing.floating import Repricing
from domain.servicing.ledger import AllocationLine, Entry, Ledger
from domain.servicing.principal_owed import MOVES_NO_BALANCE, RAISES_BALANCE, principal_moved
from domain.servicing.row import F, I, N, P, Row
from domain.servicing.terms import LoanTerms
from domain.servicing.values import ChargeBasis, ChargeKind, ChargeTime, Component, Kind, Status

_fill = cast("Callable[..., Any]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]
"""Makes a named tuple of its fields in order, without naming them: an account has many."""


class Amounts(NamedTuple):
    """Minor units by component."""

    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalties: int = 0

    @property
    def total(self) -> int:
        """All components."""
        return self.principal + self.interest + self.fees + self.penalties

    @classmethod
    def of(cls, parts: Mapping[Component, int]) -> "Amounts":
        """Freeze a mapping of components."""
        if not parts:
            return NO_AMOUNTS
        get = parts.get
        return _fill(cls, (get(P, 0), get(I, 0), get(F, 0), get(N, 0)))


NO_AMOUNTS = Amounts()


class Instalment(NamedTuple):
    """A row of the schedule. `met_on` is None while something is outstanding."""

    number: int
    from_on: date
    due_on: date
    due: Amounts
    paid: Amounts
    waived: Amounts
    written_off: Amounts
    paid_in_advance_minor: int
    paid_late_minor: int
    met_on: date | None
    balance_after_minor: int
    down_payment: bool
    additional: bool

    @property
    def days(self) -> int:
        """Length of the period."""
        return (self.due_on - self.from_on).days

    @property
    def outstanding(self) -> int:
        """What is still owed, minor units."""
        settled = self.paid.total + self.waived.total + self.written_off.total
        return self.due.total - settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A movement on the account with the parts it was split into."""

    id: str
    kind: Kind
    on: date
    entered_on: date
    amount_minor: int
    split: Amounts
    overpayment_minor: int
    balance_after_minor: int
    lines: tuple[AllocationLine, ...] = ()
    reversed: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeView:
    """A charge and what became of it; amounts in minor units."""

    id: str
    code: str
    kind: ChargeKind
    time: ChargeTime
    basis: ChargeBasis
    due_on: date | None
    amount_minor: int
    paid_minor: int
    waived_minor: int

    @property
    def outstanding(self) -> int:
        """What of it is still owed, minor units."""
        return self.amount_minor - self.paid_minor - self.waived_minor


class Account:
    """The state of an account after its facts; every view is computed when asked for."""

    __slots__ = ("_instalments", "_ledger", "_transactions")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._instalments: tuple[Instalment, ...] | None = None
        self._transactions: tuple[Transaction, ...] | None = None

    @property
    def ledger(self) -> Ledger:
        """The working state behind the views; not to be changed."""
        return self._ledger

    @property
    def terms(self) -> LoanTerms:
        """The terms served under."""
        return self._ledger.terms

    @property
    def instalments(self) -> tuple[Instalment, ...]:
        """All rows in order."""
        if self._instalments is None:
            self._instalments = _freeze_rows(self._ledger)
        return self._instalments

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """All transactions of the fold in order of value date."""
        if self._transactions is None:
            entries = sorted(self._ledger.entries, key=lambda e: (e.on, e.entered_on))
            self._transactions = _freeze_entries(entries)
        return self._transactions

    @property
    def disbursements(self) -> tuple[tuple[date, int], ...]:
        """Money paid out and income capitalised, minor units."""
        kinds = (Kind.DISBURSEMENT, Kind.CAPITALISED_INCOME)
        return tuple((e.on, e.amount) for e in self._ledger.entries if e.kind in kinds)

    @property
    def disbursement_fees(self) -> int:
        """Charges taken at disbursement, minor units."""
        return self._ledger.disbursement_fees

    @property
    def charges(self) -> tuple[ChargeView, ...]:
        """All charges."""
        return tuple(
            ChargeView(
                id=c.id,
                code=c.code,
                kind=c.kind,
                time=c.time,
                basis=c.basis,
                due_on=c.due_on,
                amount_minor=c.amount,
                paid_minor=c.paid,
                waived_minor=c.waived,
            )
            for c in self._ledger.charges
        )

    @property
    def repricings(self) -> tuple[Repricing, ...]:
        """Every reset of a floating rate so far and what it was made of."""
        return self._ledger.repricings

    @property
    def outstanding(self) -> Amounts:
        """What is owed by component."""
        return Amounts.of(self._ledger.outstanding())

    @property
    def overpaid(self) -> int:
        """What was paid too much, minor units."""
        return self._ledger.overpaid

    @property
    def obligations_met(self) -> bool:
        """Whether nothing is outstanding on any row."""
        return all(row.outstanding == 0 for row in reversed(self._ledger.rows))

    @property
    def status(self) -> Status:
        """Where the account stands."""
        if self._ledger.written_off:
            return Status.CLOSED_WRITTEN_OFF
        if not self._ledger.disbursements:
            return Status.PLANNED
        if self.overpaid > 0:
            return Status.OVERPAID
        if self.obligations_met:
            return Status.CLOSED_OBLIGATIONS_MET
        return Status.ACTIVE

    @property
    def maturity(self) -> date:
        """Due date of the last regular instalment."""
        return maturity_of(self._ledger)

    def interest_accrued_to(self, on: date) -> int:
        """Interest earned up to a day, minor units."""
        from domain.servicing.accruals import earned_interest  # noqa: PLC0415

        with localcontext(self.terms.arithmetic()):
            return earned_interest(self._ledger, on)

    def payoff(self, on: date) -> int:
        """What closes the account on a day, minor units."""
        from domain.servicing.payoff import payoff  # noqa: PLC0415

        return payoff(self._ledger, on)


def maturity_of(ledger: Ledger) -> date:
    """Due date of the last regular row."""
    return max([row.due_on for row in ledger.rows if not row.additional])


def _freeze_rows(ledger: Ledger) -> tuple[Instalment, ...]:
    """Freeze all rows in one place: of a long schedule a call for each is felt."""
    rows: list[Instalment] = []
    moves = sorted((e.on, e.amount) for e in ledger.entries if e.kind in RAISES_BALANCE)
    balance, taken, matures_on, moved = 0, 0, maturity_of(ledger), len(moves)
    of, none = Amounts.of, NO_AMOUNTS
    for row in ledger.rows:
        while taken < moved and _counts_by(moves[taken][0], row, matures_on):
            balance += moves[taken][1]
            taken += 1
        get, rare = row.due.get, row.rare
        principal = get(P, 0)
        due = _fill(Amounts, (principal, get(I, 0), get(F, 0), get(N, 0)))
        balance -= principal
        if rare is not None:
            balance += rare.credited[P]
        shown = (
            row.number,
            row.from_on,
            row.due_on,
            due,
            of(row.paid) if row.paid else none,
            none if rare is None else of(rare.waived),
            none if rare is None else of(rare.written_off),
            row.in_advance,
            row.late,
            None if row.met_on is None or row.outstanding else row.met_on,
            balance,
            row.down_payment,
            row.additional,
        )
        rows.append(_fill(Instalment, shown))
    if ledger.terms.explicit_periods:  # the plan alone: its own balances
        plan = zip(rows, ledger.plan.periods, strict=True)
        rows = [row._replace(balance_after_minor=p.closing_balance()) for row, p in plan]
    return tuple(rows)


def _counts_by(on: date, row: Row, matures_on: date) -> bool:
    of_one_day = row.down_payment or row.from_on == row.due_on
    inclusive = of_one_day or row.additional or row.cut or row.due_on == matures_on
    return on <= row.due_on if inclusive else on < row.due_on


def _freeze_entries(entries: list[Entry]) -> tuple[Transaction, ...]:
    balance = 0
    shown: list[Transaction] = []
    for entry in entries:
        balance += principal_moved(entry)
        shown.append(freeze_entry(entry, 0 if entry.kind in MOVES_NO_BALANCE else balance))
    return tuple(shown)


def freeze_entry(entry: Entry, balance: int) -> Transaction:
    """Freeze an entry with the principal owed after it; once, for it does not change any more."""
    known: Transaction | None = entry.shown
    if known is None or known.balance_after_minor != balance:
        known = entry.shown = _freeze_entry(entry, balance)
    return known


def _freeze_entry(entry: Entry, balance: int) -> Transaction:
    return Transaction(
        id=entry.id,
        kind=entry.kind,
        on=entry.on,
        entered_on=entry.entered_on,
        amount_minor=entry.amount,
        split=Amounts.of(entry.parts),
        overpayment_minor=entry.overpayment,
        balance_after_minor=balance,
        lines=tuple(entry.lines),
        reversed=entry.void,
    )
