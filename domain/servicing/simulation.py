"""A loan's life simulated: operations in, the state after each of them out. The one entry."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any

from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.account import Account, Amounts, Transaction
from domain.servicing.accruals import earned, earned_in_full
from domain.servicing.closing import DayClose
from domain.servicing.row import F, I, N
from domain.servicing.solving import to_multiple
from domain.servicing.terms import LoanTerms, Tranche
from domain.servicing.timeline import Timeline
from domain.servicing.values import (
    PAYMENT_KINDS,
    Accounting,
    ChargeAccrual,
    ChargeBasis,
    ChargeTime,
    Kind,
    Status,
)

ONE_DAY = timedelta(days=1)
HUNDRED = Decimal(100)


class Stage(StrEnum):
    """Where an application stands before the account opens."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    OPENED = "opened"


class CannotApply(ValueError):
    """The operation makes no sense in the state it meets."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The state after each operation, in order, and what each pay-off paid."""

    states: tuple[State, ...]
    paid_off_minor: tuple[int | None, ...]

    @property
    def final(self) -> State:
        """The state at the end."""
        return self.states[-1]


def simulate(terms: LoanTerms, operations: Iterable[op.Operation]) -> Simulation:
    """Perform operations on a loan under given terms, from its application on."""
    life = Life(terms)
    states: list[State] = []
    paid: list[int | None] = []
    for operation in operations:
        life.paid_off = None
        life.perform(operation)
        states.append(life.state())
        paid.append(life.paid_off)
    return Simulation(states=tuple(states), paid_off_minor=tuple(paid))


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
        self.shown: dict[str, Transaction] = {}
        self.order: list[str] = []
        self.links: dict[str, str] = {}  # interest refund -> its refund

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
        voided = self.timeline.voided
        self.reverse(fact_id)
        self.timeline.voided = voided
        self.links.pop(fact_id, None)

    def live(self) -> set[str]:
        """Ids of the facts that count."""
        return {fact.id for fact in self.timeline.facts}

    @property
    def account(self) -> Account:
        """The account now: planned until money was paid out."""
        return self.timeline.account if self.timeline.disbursed else self.timeline.planned()

    def perform(self, operation: op.Operation) -> None:
        """Perform one operation."""
        before = self.shown
        was_closed = self._closed()
        _PERFORM[type(operation)](self, operation)
        if was_closed and not self._closed() and self.timeline.disbursed:
            self.close.reopen(self)
        elif not isinstance(operation, op.CloseDays | op.SetBusinessDate) and not self._closed():
            if self.timeline.disbursed:
                self.close.refresh_activity(self)
        if self.timeline.disbursed:
            self._accrue_rest_on_closing(operation)
        self._note_replays(before)

    def _closed(self) -> bool:
        closed = (Status.CLOSED_OBLIGATIONS_MET, Status.OVERPAID)
        return self.timeline.disbursed and self.account.status in closed

    def _note_replays(self, before: dict[str, Transaction]) -> None:
        if not self.timeline.disbursed:
            self.shown = {}
            return
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
        listed = [replace(t, replayed=t.id in self.replayed) for t in account.transactions]
        listed += [replace(t, reversed=True) for t in self.timeline.voided]
        listed += [
            replace(_shown(fact), replayed=fact.id in self.replayed)
            for fact in self.timeline.facts
            if isinstance(fact, f.Posted)
        ]
        return tuple(sorted(listed, key=lambda t: (t.on, t.entered_on, t.id)))

    def _accrue_rest_on_closing(self, operation: op.Operation) -> None:
        if not self._closed() or isinstance(operation, op.CloseDays | op.PostAccruals):
            return
        self.close.finish(self)

    def find(self, target: op.Reference) -> str:
        """Resolve a reference on the listed transactions."""
        listed = list(self._list_transactions(self.account))
        if target.by_entry or target.last_entered:
            listed.sort(key=lambda t: t.id)
        found = [
            t
            for t in listed
            if (target.kind is None or t.kind is target.kind)
            and (target.on is None or t.on == target.on)
        ]
        if target.last_entered:
            found = [t for t in found if t.kind not in _NOT_ENTERED]
            return found[-1].id
        return found[target.nth - 1].id


_NOT_ENTERED = frozenset({Kind.ACCRUAL, Kind.ACCRUAL_ADJUSTMENT, Kind.ACCRUAL_ACTIVITY})


def _changed(old: Transaction, new: Transaction) -> bool:
    return (old.amount_minor, old.split, old.overpayment_minor) != (
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


# --- application


def _set_business_date(life: Life, o: op.SetBusinessDate) -> None:
    life.today = o.on


def _apply(_life: Life, _o: op.Apply) -> None:
    pass


def _approve(life: Life, o: op.Approve) -> None:
    life.stage = Stage.APPROVED
    expected = o.expected_disbursement_on or life.terms.expected_disbursement_on
    terms = replace(
        life.terms, principal_minor=o.amount_minor, expected_disbursement_on=expected
    )
    life.terms = terms
    life.timeline = _under(terms, life.timeline)


def _under(terms: LoanTerms, timeline: Timeline) -> Timeline:
    fresh = Timeline.start(terms)
    for fact in timeline.facts:
        fresh = fresh.record(fact)
    return fresh


def _undo_approval(life: Life, _o: op.UndoApproval) -> None:
    life.stage = Stage.SUBMITTED


def _expect_tranche(life: Life, o: op.ExpectTranche) -> None:
    tranche = Tranche(expected_on=o.on, amount_minor=o.amount_minor)
    life.terms = replace(life.terms, expected_tranches=(*life.terms.expected_tranches, tranche))
    if not life.timeline.disbursed:
        life.timeline = _under(life.terms, life.timeline)


def _disburse(life: Life, o: op.Disburse) -> None:
    life.stage = Stage.OPENED
    overpaid = life.account.overpaid if life.timeline.disbursed else 0
    life.record(f.Disbursed, o.on, amount_minor=o.amount_minor)
    down = life.terms.down_payment
    if down is not None and (down.automatic and o.take_down_payment is not False):
        with localcontext(life.terms.arithmetic()):
            share = (Decimal(o.amount_minor) * down.percent / HUNDRED).to_integral_value()
            amount = to_multiple(life.terms, int(share)) - overpaid
        if amount > 0:  # what was overpaid pays the down payment first
            life.record(f.Paid, o.on, kind=Kind.DOWN_PAYMENT, amount_minor=amount)


def _undo_disbursal(life: Life, o: op.UndoDisbursal) -> None:
    paid_out = [x for x in life.timeline.facts if isinstance(x, f.Disbursed)]
    if o.latest_only:
        last = max(paid_out, key=lambda x: x.id)
        life.reverse(last.id)
        return
    life.stage = Stage.APPROVED
    life.timeline = Timeline.start(life.terms)
    life.close = DayClose()
    life.replayed.clear()


# --- money


def _transact(life: Life, o: op.Transact) -> None:
    if o.kind in PAYMENT_KINDS:
        _pay(life, o)
    elif o.kind is Kind.CAPITALISED_INCOME:
        life.record(f.IncomeCapitalised, o.on, amount_minor=o.amount_minor)
    elif o.kind is Kind.BUY_DOWN_FEE:
        life.record(f.BuyDownFeeTaken, o.on, amount_minor=o.amount_minor)
    elif o.kind is Kind.BUY_DOWN_FEE_ADJUSTMENT:
        life.record(f.BuyDownFeeAdjusted, o.on, amount_minor=o.amount_minor)
    elif o.kind is Kind.CASH_REFUND:
        life.record(f.CashRefunded, o.on, amount_minor=o.amount_minor)
    else:
        raise CannotApply(f"{o.kind} is no transaction of a customer")


def _pay(life: Life, o: op.Transact) -> None:
    fact_id = life.record(f.Paid, o.on, kind=o.kind, amount_minor=o.amount_minor)
    wanted = o.refund_interest
    if wanted is None:
        wanted = o.kind in life.terms.interest_refund_kinds
    if not wanted or not life.terms.interest_bearing:
        return
    refund_id = life.record(
        f.Paid, o.on, kind=Kind.INTEREST_REFUND, amount_minor=0, refund_id=fact_id
    )
    life.links[refund_id] = fact_id
    refund = next(t for t in life.account.transactions if t.id == refund_id)
    if refund.amount_minor <= 0:
        life.drop(refund_id)




def _pay_off(life: Life, o: op.PayOff) -> None:
    amount = life.account.payoff(o.on)
    life.paid_off = amount
    life.record(f.Paid, o.on, kind=Kind.REPAYMENT, amount_minor=amount)


def _undo(life: Life, o: op.Undo) -> None:
    life.reverse(life.find(o.target))


def _charge_back(life: Life, o: op.ChargeBack) -> None:
    payment = life.find(o.target)
    life.record(f.ChargedBack, life.today, amount_minor=o.amount_minor, payment_id=payment)


def _refund_credit(life: Life, o: op.RefundCredit) -> None:
    life.record(f.CreditRefunded, o.on, amount_minor=o.amount_minor)


def _refund_interest(life: Life, o: op.RefundInterest) -> None:
    refund = life.find(o.target)
    on = next(t.on for t in life.account.transactions if t.id == refund)
    fact_id = life.record(
        f.Paid,
        on,
        kind=Kind.INTEREST_REFUND,
        amount_minor=o.amount_minor,
        refund_id=refund,
        fixed=True,
    )
    life.links[fact_id] = refund


# --- charges


def _add_charge(life: Life, o: op.AddCharge) -> None:
    charge = o.charge
    counts_on = life.today if o.due_on is None else min(life.today, o.due_on)
    percent = None if charge.basis is ChargeBasis.FLAT else charge.percent
    life.record(
        f.ChargeAdded,
        counts_on,
        code=charge.code,
        kind=charge.kind,
        time=charge.time,
        basis=charge.basis,
        due_on=o.due_on,
        amount_minor=charge.amount_minor,
        percent=percent,
    )
    late = life.timeline.disbursed and o.due_on is not None and o.due_on > life.account.maturity
    if life.accrues_late_charges and late:
        life.close.accrue(life, life.today)


def _waive_charge(life: Life, _o: op.WaiveCharge) -> None:
    added = [x for x in life.timeline.facts if isinstance(x, f.ChargeAdded)]
    charge = max(added, key=lambda x: x.id)
    on = life.today if charge.due_on is None else min(charge.due_on, life.today)
    left = next(c.outstanding for c in life.account.charges if c.id == charge.id)
    life.record(f.ChargeWaived, on, charge_id=charge.id, amount_minor=left)


def _undo_waive_charge(life: Life, _o: op.UndoWaiveCharge) -> None:
    waived = [x for x in life.timeline.facts if isinstance(x, f.ChargeWaived)]
    life.reverse(max(waived, key=lambda x: x.id).id)


def _adjust_charge(life: Life, o: op.AdjustCharge) -> None:
    life.record(f.Paid, life.today, kind=Kind.CHARGE_ADJUSTMENT, amount_minor=o.amount_minor)


# --- changes


def _reschedule(life: Life, o: op.Reschedule) -> None:
    if o.new_due_on is not None:
        life.record(f.DueDateMoved, o.from_on, new_due_on=o.new_due_on)
    if o.extra_instalments is not None:
        life.record(f.TermExtended, o.from_on, instalments=o.extra_instalments)
    if o.new_rate_annual is not None:
        life.record(f.RateChanged, o.from_on, rate_annual=o.new_rate_annual)


def _change_rate(life: Life, o: op.ChangeRate) -> None:
    life.record(f.RateChanged, o.on, rate_annual=o.rate_annual)


def _pause(life: Life, o: op.PauseInterest) -> None:
    life.record(f.InterestPaused, o.start, until=o.end)


def _re_age(life: Life, o: op.ReAge) -> None:
    life.record(
        f.ReAged,
        min(o.start_on, life.today),
        start_on=o.start_on,
        every=o.every,
        unit=o.unit,
        instalments=o.instalments,
        interest=o.interest,
    )


def _re_amortise(life: Life, o: op.ReAmortise) -> None:
    life.record(f.ReAmortised, life.today, interest=o.interest)


def _charge_off(life: Life, o: op.ChargeOff) -> None:
    life.close.catch_up_interest(life, o.on, lambda: life.record(f.ChargedOff, o.on))


def _terminate(life: Life, _o: op.Terminate) -> None:
    on = life.today
    life.close.catch_up_interest(life, on, lambda: life.record(f.Terminated, on))


def _write_off(life: Life, o: op.WriteOff) -> None:
    life.record(f.WrittenOff, o.on)


def _undo_latest(life: Life, o: op.UndoLatest) -> None:
    kinds = {
        Kind.RE_AGE: f.ReAged,
        Kind.RE_AMORTISE: f.ReAmortised,
        Kind.CHARGE_OFF: f.ChargedOff,
        Kind.CONTRACT_TERMINATION: f.Terminated,
    }
    found = [x for x in life.timeline.facts if isinstance(x, kinds[o.kind])]
    life.reverse(max(found, key=lambda x: x.id).id)


# --- closing of days


def _close_days(life: Life, _o: op.CloseDays) -> None:
    if life.timeline.disbursed:
        life.close.run(life)


def _post_accruals(life: Life, _o: op.PostAccruals) -> None:
    if life.timeline.disbursed:
        life.close.accrue(life, life.today)


def _set_charge_accrual(life: Life, o: op.SetChargeAccrual) -> None:
    life.charge_accrual = o.accrual


def _accrue_late_charges(life: Life, o: op.AccrueLateChargesAtOnce) -> None:
    life.accrues_late_charges = o.enabled


def _nothing(_life: Life, _o: op.NoEffect) -> None:
    pass


_PERFORM: dict[type[Any], Any] = {
    op.SetBusinessDate: _set_business_date,
    op.Apply: _apply,
    op.Approve: _approve,
    op.UndoApproval: _undo_approval,
    op.ExpectTranche: _expect_tranche,
    op.Disburse: _disburse,
    op.UndoDisbursal: _undo_disbursal,
    op.Transact: _transact,
    op.PayOff: _pay_off,
    op.Undo: _undo,
    op.ChargeBack: _charge_back,
    op.RefundCredit: _refund_credit,
    op.RefundInterest: _refund_interest,
    op.AddCharge: _add_charge,
    op.WaiveCharge: _waive_charge,
    op.UndoWaiveCharge: _undo_waive_charge,
    op.AdjustCharge: _adjust_charge,
    op.Reschedule: _reschedule,
    op.ChangeRate: _change_rate,
    op.PauseInterest: _pause,
    op.ReAge: _re_age,
    op.ReAmortise: _re_amortise,
    op.ChargeOff: _charge_off,
    op.Terminate: _terminate,
    op.WriteOff: _write_off,
    op.UndoLatest: _undo_latest,
    op.CloseDays: _close_days,
    op.PostAccruals: _post_accruals,
    op.SetChargeAccrual: _set_charge_accrual,
    op.AccrueLateChargesAtOnce: _accrue_late_charges,
    op.NoEffect: _nothing,
}
_ = (earned, earned_in_full, F, I, N, Accounting, ChargeTime, ONE_DAY)
