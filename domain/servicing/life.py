"""A simulated loan in the making: its time line, its closes, and what it shows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from domain.errors import Rejected
from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.account import Account, Amounts, Transaction
from domain.servicing.closing import DayClose
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import PAYMENT_KINDS, ChargeAccrual, Kind, ReAgeInterest, Status


class Stage(StrEnum):
    """Where an application stands before the account opens."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    OPENED = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known after a step."""

    business_date: date
    stage: Stage
    account: Account
    transactions: tuple[Transaction, ...]

    @property
    def status(self) -> Status:
        """Where the account stands."""
        return self.account.status


class Life:
    """A simulated loan in the making."""

    def __init__(self, terms: LoanTerms) -> None:
        self.terms = terms
        self.timeline = Timeline.start(terms)
        self.today = terms.submitted_on or terms.expected_disbursement_on
        self.stage = Stage.SUBMITTED
        self.paid_off: int | None = None
        self.charge_accrual = ChargeAccrual.DUE_DATE
        self.accrues_late_charges = False
        self.close = DayClose()
        self.count = 0
        self.replayed: set[str] = set()
        self.voided: list[Transaction] = []
        self.shown: dict[str, Transaction] = {}
        self.shown_of: Timeline | None = None
        self.listed: tuple[tuple[object, ...], tuple[Transaction, ...]] | None = None
        self.order: list[str] = []
        self.links: dict[str, str] = {}  # what is undone with something else -> that

    # --- recording

    def record(self, kind: type[f.Fact], on: date, /, **data: Any) -> str:  # noqa: ANN401
        """Record a fact of today with a value date."""
        self.count += 1
        fact_id = f"{self.count:05d}"
        fact = kind(id=fact_id, effective_on=on, entered_on=self.today, **data)
        self.timeline = self.timeline.record(fact)
        self.order.append(fact_id)
        return fact_id

    def reverse(self, fact_id: str) -> None:
        """Reverse a fact and everything that hangs on it."""
        for linked, source in list(self.links.items()):
            if source == fact_id and linked in self.live():
                self.reverse(linked)
        fact = self.timeline.find(fact_id)
        if fact is not None and not isinstance(fact, f.Disbursed):
            self.voided += [t for t in self.account.transactions if t.id == fact_id]
        self.timeline = self.timeline.record(
            f.Reversed(
                id=f"{fact_id}:reversed",
                effective_on=self.today,
                entered_on=self.today,
                fact_id=fact_id,
            )
        )

    def drop(self, fact_id: str) -> None:
        """Take a fact of the simulation's own making out again, without a trace."""
        voided = list(self.voided)
        self.reverse(fact_id)
        self.voided = voided
        self.links.pop(fact_id, None)

    def live(self) -> set[str]:
        """Ids of the facts that count."""
        return {fact.id for fact in self.timeline.facts}

    @property
    def account(self) -> Account:
        """The account now: planned until money was paid out."""
        return self.timeline.account if self.timeline.disbursed else self.timeline.planned()

    def payoff(self, on: date) -> int:
        """What closes the loan on a day, by what counts until then; minor units."""
        return self.timeline.payoff(on)

    def perform(self, operation: op.Operation, handle: Callable[[], None]) -> None:
        """Perform one operation, and note what follows from it; refused, it leaves no trace."""
        held = self._held()
        try:
            self._perform(operation, handle)
            if not self.timeline.disbursed:
                self.timeline.planned()  # refused now, not when somebody looks
        except Rejected:
            for name, value in held.items():
                setattr(self, name, value)
            raise

    def _held(self) -> dict[str, Any]:
        """Everything that an operation may change, as it is now."""
        held = dict(vars(self))
        for name in ("voided", "order", "replayed", "links"):
            held[name] = held[name].copy()
        held["close"] = self.close.copy()
        return held

    def _perform(self, operation: op.Operation, handle: Callable[[], None]) -> None:
        before = self.shown
        was_closed = self._closed()
        handle()
        if isinstance(operation, op.Undo):
            self.close.recheck(self)
        if self.timeline.disbursed and not isinstance(operation, op.CloseDays):
            self.close.settle_end(self)
        if was_closed and not self._closed() and self.timeline.disbursed:
            self.close.reopen(self)
        elif self.timeline.disbursed and not self._closed() and _changes_rows(operation):
            self.close.refresh_activity(self, restored=isinstance(operation, op.UndoLatest))
        if self.timeline.disbursed:
            self._accrue_rest_on_closing(operation)
        self._note_replays(before)

    def _closed(self) -> bool:
        closed = (Status.CLOSED_OBLIGATIONS_MET, Status.OVERPAID)
        return self.timeline.disbursed and self.account.status in closed

    def _note_replays(self, before: dict[str, Transaction]) -> None:
        if not self.timeline.disbursed:
            self.shown, self.shown_of = {}, None
            return
        if self.timeline is self.shown_of:
            return  # nothing was recorded since
        self.shown_of = self.timeline
        now = {t.id: t for t in self.account.transactions}
        days: set[date] = set()  # a replayed transaction takes later ones of its day with it
        for fact_id, transaction in now.items():
            old = before.get(fact_id)
            if old is not None and (transaction.on in days or _changed(old, transaction)):
                self.replayed.add(fact_id)
                days.add(transaction.on)
        self.shown = now

    def state(self) -> State:
        """What is known now."""
        account = self.account
        return State(
            business_date=self.today,
            stage=self.stage,
            account=account,
            transactions=self._list_transactions(account),
        )

    def _list_transactions(self, account: Account) -> tuple[Transaction, ...]:
        if not self.timeline.disbursed:
            return ()
        known_by = (self.timeline, len(self.voided), len(self.replayed))
        if self.listed is None or self.listed[0] != known_by:
            self.listed = (known_by, self._list(account))
        return self.listed[1]

    def _list(self, account: Account) -> tuple[Transaction, ...]:
        listed = [t for t in account.transactions if not t.reversed]  # of others nothing is left
        listed += [replace(t, reversed=True) for t in self.voided]
        listed += [_shown(fact) for fact in self.timeline.facts if isinstance(fact, f.Posted)]
        if self.replayed:
            listed = [replace(t, replayed=True) if t.id in self.replayed else t for t in listed]
        return tuple(sorted(listed, key=lambda t: (t.on, t.entered_on, t.id)))

    def _accrue_rest_on_closing(self, operation: op.Operation) -> None:
        if not self._closed() or isinstance(operation, op.CloseDays | op.PostAccruals):
            return
        self.close.finish(self)

    def find(self, target: op.Reference) -> str:
        """Resolve a reference on the listed transactions; Rejected if it names none."""
        listed = list(self._list_transactions(self.account))
        if target.by_entry or target.last_entered or target.last_payment:
            listed.sort(key=lambda t: t.id)
        found = [
            t
            for t in listed
            if (target.kind is None or t.kind is target.kind)
            and (target.on is None or t.on == target.on)
        ]
        if target.last_payment:
            paid = [t for t in found if t.kind in _PAID_BY_CUSTOMER]
            found = (paid or [t for t in found if t.kind is Kind.DOWN_PAYMENT])[-1:]
        elif target.last_entered:
            found = [t for t in found if t.kind not in _NOT_ENTERED][-1:]
        else:
            found = found[target.nth - 1 : target.nth] if target.nth > 0 else []
        if not found:
            raise Rejected("transaction_not_found", "no transaction is named by this", "target")
        return found[0].id


def _changes_rows(operation: op.Operation) -> bool:
    """Whether posted activities must follow; a re-ageing that solves anew leaves them (S-10)."""
    if isinstance(operation, op.ReAge):
        return operation.interest is not ReAgeInterest.DEFAULT
    return not isinstance(operation, op.CloseDays | op.SetBusinessDate)


_NOT_ENTERED = frozenset(
    {
        Kind.ACCRUAL,
        Kind.ACCRUAL_ADJUSTMENT,
        Kind.ACCRUAL_ACTIVITY,
        Kind.CAPITALISED_INCOME_AMORTISATION,
        Kind.CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT,
        Kind.BUY_DOWN_FEE_AMORTISATION,
        Kind.BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT,
    }
)
_PAID_BY_CUSTOMER = PAYMENT_KINDS - {
    Kind.DOWN_PAYMENT,
    Kind.INTEREST_REFUND,
    Kind.CHARGE_ADJUSTMENT,
    Kind.CAPITALISED_INCOME_ADJUSTMENT,
}


def _changed(old: Transaction, new: Transaction) -> bool:
    return old is not new and (old.amount_minor, old.split, old.overpayment_minor) != (
        new.amount_minor,
        new.split,
        new.overpayment_minor,
    )


def _shown(posted: f.Posted) -> Transaction:
    split = Amounts(
        interest=posted.interest_minor, fees=posted.fees_minor, penalties=posted.penalties_minor
    )
    return Transaction(
        id=posted.id,
        kind=posted.kind,
        on=posted.effective_on,
        entered_on=posted.entered_on,
        amount_minor=split.total,
        split=split,
        overpayment_minor=0,
        balance_after_minor=0,
    )
