"""The fold: one fact after the other changes the working state. One road for every fact.

Source of the order and of what each fact does: domain rules 9.6 T-45, 9.7, 9.9.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import localcontext
from typing import Any

from domain.servicing import facts as f
from domain.servicing.acceleration import accelerate, paid_beyond
from domain.servicing.allocation import allocate
from domain.servicing.changes import (
    apply_pause,
    apply_rate,
    extend_term,
    move_due_date,
)
from domain.servicing.charges import add_charge, waive_charge
from domain.servicing.credits import charge_back, return_principal
from domain.servicing.dates import schedule_periods
from domain.servicing.ending import charge_off, terminate, write_off
from domain.servicing.floating import Publication
from domain.servicing.grace import grant_grace
from domain.servicing.instalment_fees import agreed_fees, follow_instalments
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.legacy_allocation import allocate_in_order, refund_cash
from domain.servicing.movements import earn_on_overdue
from domain.servicing.observed import take_observed
from domain.servicing.passing import pass_time, publish, take_over
from domain.servicing.payoff import prepays_all
from domain.servicing.payouts import capitalise, pay_out
from domain.servicing.plan import Plan
from domain.servicing.re_amortising import re_amortise
from domain.servicing.reaging import re_age
from domain.servicing.restructuring import restructure
from domain.servicing.row import COMPONENTS, I
from domain.servicing.terms import LoanTerms
from domain.servicing.values import ChargeOffBehaviour, Kind, OverdueInterest, Strategy
from domain.servicing.views import total_interest_on
from domain.servicing.waivers import waive

Fact = f.Fact
Past = Callable[[], Sequence[Fact]]


_MONEY = 1
_PLACES: dict[type[Fact], int] = {f.ReferencePublished: -1, **dict.fromkeys(f.TERM_CHANGES, 0)}


def order_key(fact: Fact) -> tuple[date, int, date]:
    """Value date first; what was published, changes of terms, money; then the day of entry.

    A due date that is moved ahead of its day moves after what came before it on that day.
    """
    place = _PLACES.get(type(fact), _MONEY)
    if isinstance(fact, f.DueDateMoved) and fact.due_on is not None:
        place = _MONEY
    return (fact.effective_on, place, fact.entered_on if place == _MONEY else fact.effective_on)


def open_ledger(terms: LoanTerms, first_disbursed_on: date) -> Ledger:
    """Working state of a loan before its first disbursement."""
    plan = Plan(terms, schedule_periods(terms, first_disbursed_on))
    ledger = Ledger(terms, plan, first_disbursed_on)
    ledger.charges += agreed_fees(terms, first_disbursed_on)
    return ledger


def fold(ledger: Ledger, facts: Iterable[Fact]) -> Ledger:
    """Apply facts in the given order."""
    with localcontext(ledger.terms.arithmetic()):
        seen: list[Fact] = []
        for fact in facts:
            apply(ledger, fact, lambda: seen)
            seen.append(fact)
    return ledger


def fold_on(ledger: Ledger, facts: Iterable[Fact]) -> Ledger:
    """Apply what is left of a cumulative loan's facts to a ledger that holds its plan."""
    return fold(ledger, (fact for fact in facts if not isinstance(fact, f.PLANNING)))


def apply(ledger: Ledger, fact: Fact, past: Past) -> None:
    """Apply one fact; `past` gives the facts already applied, for refunds of interest."""
    if type(fact) in _CHANGE_NOTHING:
        return
    if not isinstance(fact, f.ReferencePublished):  # what a day's reset needs to know first
        pass_time(ledger, fact.effective_on)
    handler = _HANDLERS[type(fact)]
    ledger.touched = None
    if isinstance(fact, f.Paid):
        ledger.settle(fact.effective_on)
    else:
        ledger.open_again()
    handler(ledger, fact, past)
    if ledger.charges:
        follow_instalments(ledger)


def evaluate(ledger: Ledger, on: date) -> None:
    """Let time pass up to a day, overdue principal earn, and show it in the rows."""
    with localcontext(ledger.terms.arithmetic()):
        pass_time(ledger, on)
        _earn(ledger, on)


def _earn(ledger: Ledger, on: date) -> None:
    if not ledger.recalculates or ledger.terms.overdue_interest is not OverdueInterest.EARNS:
        return
    if earn_on_overdue(ledger.plan, on, prepays_all=ledger.prepays_all):
        ledger.sync_interest()


def _open_entry(ledger: Ledger, fact: Fact, kind: Kind, amount: int = 0) -> Entry:
    entry = Entry(
        id=fact.id, kind=kind, on=fact.effective_on, amount=amount, entered_on=fact.entered_on
    )
    ledger.entries.append(entry)
    return entry


# --- money out


def _disbursed(ledger: Ledger, fact: f.Disbursed, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.DISBURSEMENT, fact.amount_minor)
    _earn(ledger, entry.on)
    pay_out(ledger, entry)


def _capitalised(ledger: Ledger, fact: f.IncomeCapitalised, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.CAPITALISED_INCOME, fact.amount_minor)
    _earn(ledger, entry.on)
    capitalise(ledger, entry)


def _buy_down(ledger: Ledger, fact: f.BuyDownFeeTaken, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.BUY_DOWN_FEE, fact.amount_minor)
    entry.parts[ledger.terms.buy_down_income_type] = fact.amount_minor


def _buy_down_adjusted(ledger: Ledger, fact: f.BuyDownFeeAdjusted, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.BUY_DOWN_FEE_ADJUSTMENT, fact.amount_minor)
    entry.parts[ledger.terms.buy_down_income_type] = fact.amount_minor


# --- money in


def _paid(ledger: Ledger, fact: f.Paid, past: Past) -> None:
    entry = _open_entry(ledger, fact, fact.kind, fact.amount_minor)
    touched: set[int] = set()
    ledger.touched = None if ledger.terms.penalty else touched  # penalties run on any row
    if fact.split is not None:
        take_observed(ledger, entry, dict.fromkeys(COMPONENTS, 0) | dict(fact.split))
        return
    ledger.prepays_all = prepays_all(ledger, entry.on, entry.amount)
    _earn(ledger, entry.on)
    if fact.kind is Kind.INTEREST_REFUND:
        if not fact.fixed:
            entry.amount = _refundable_interest(ledger, entry, past())
        ledger.refunded_interest += entry.amount
    left = _allocate(ledger, entry, entry.amount)
    ledger.prepays_all = False
    entry.overpayment = left
    ledger.overpaid += left
    touched.update([line.instalment for line in entry.lines])


def _allocate(ledger: Ledger, entry: Entry, amount: int) -> int:
    rule = ledger.terms.non_performing_rule if ledger.non_performing else None
    if rule is not None:
        return allocate(ledger, entry, amount, rule)
    if ledger.terms.strategy is Strategy.ADVANCED:
        return allocate(ledger, entry, amount, ledger.terms.rule_for(entry.kind))
    return allocate_in_order(ledger, entry, amount)


def _refundable_interest(ledger: Ledger, entry: Entry, before: Sequence[Fact]) -> int:
    """Interest that would not have been earned had the refunds been paid at disbursement (S-16).

    Of a loan that is charged off, all that is asked for, or earned up to the charge-off.
    """
    if ledger.charged_off_on is not None:
        if ledger.terms.charge_off is ChargeOffBehaviour.REGULAR:
            return sum(row.due[I] for row in ledger.rows)
        return ledger.earned_at_end or 0
    kinds = ledger.terms.interest_refund_kinds
    refunds = [x for x in before if isinstance(x, f.Paid) and x.kind in kinds]
    refunded = sum(x.amount_minor for x in refunds)
    replay: list[Fact] = []
    for fact in before:
        if fact in refunds or (isinstance(fact, f.Paid) and fact.kind is Kind.INTEREST_REFUND):
            continue
        replay.append(fact)
        if isinstance(fact, f.Disbursed) and refunded:
            part = min(refunded, fact.amount_minor)
            refunded -= part
            replay.append(
                f.Paid(
                    id=f"{fact.id}:refunded",
                    effective_on=fact.effective_on,
                    entered_on=fact.entered_on,
                    kind=Kind.REPAYMENT,
                    amount_minor=part,
                )
            )
    bare = fold(open_ledger(ledger.agreed, ledger.started_on), replay)
    _earn(bare, entry.on)
    as_it_was = total_interest_on(ledger.plan, entry.on)
    after = total_interest_on(bare.plan, entry.on)
    return max(0, as_it_was - ledger.refunded_interest - after)


def _cash_refunded(ledger: Ledger, fact: f.CashRefunded, _: Past) -> None:
    refund_cash(ledger, _open_entry(ledger, fact, Kind.CASH_REFUND, fact.amount_minor))


def _charged_back(ledger: Ledger, fact: f.ChargedBack, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.CHARGEBACK, fact.amount_minor)
    entry.source_id = fact.payment_id
    _earn(ledger, entry.on)
    charge_back(ledger, entry, fact.payment_id)


def _credit_refunded(ledger: Ledger, fact: f.CreditRefunded, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.CREDIT_BALANCE_REFUND, fact.amount_minor)
    _earn(ledger, entry.on)
    return_principal(ledger, entry)


# --- charges


def _charge_added(ledger: Ledger, fact: f.ChargeAdded, _: Past) -> None:
    add_charge(ledger, fact)
    if ledger.overpaid > 0:
        _reallocate_overpayments(ledger)


def _reallocate_overpayments(ledger: Ledger) -> None:
    """A charge on an overpaid account is paid by the payments that overpaid it."""
    for index, known in enumerate(ledger.entries):
        used = min(ledger.overpaid, known.overpayment)
        if used <= 0 or known.kind is Kind.CREDIT_BALANCE_REFUND:
            continue
        entry = ledger.entries[index] = known.copy()
        left = _allocate(ledger, entry, used)
        entry.overpayment -= used - left
        ledger.overpaid -= used - left


def _charge_waived(ledger: Ledger, fact: f.ChargeWaived, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.CHARGE_WAIVER, fact.amount_minor)
    waive_charge(ledger, fact.charge_id, entry, fact.recognised_minor)


# --- changes and ends


def _waived(ledger: Ledger, fact: f.Waived, _: Past) -> None:
    kind = Kind.INTEREST_WAIVER if fact.component is I else Kind.CHARGE_WAIVER
    entry = _open_entry(ledger, fact, kind, fact.amount_minor)
    _earn(ledger, entry.on)
    waive(ledger, fact, entry)


def _restructured(ledger: Ledger, fact: f.Restructured, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.RESTRUCTURE)
    _earn(ledger, entry.on)
    restructure(ledger, fact, entry)


def _rate_changed(ledger: Ledger, fact: f.RateChanged, _: Past) -> None:
    apply_rate(ledger, fact.effective_on, fact.rate_annual)


def _published(ledger: Ledger, fact: f.ReferencePublished, _: Past) -> None:
    floating = ledger.terms.floating
    if floating is not None and floating.reference == fact.reference:
        publish(ledger, Publication(published_on=fact.effective_on, value=fact.value))


def _misused(ledger: Ledger, fact: f.MisuseFound, _: Past) -> None:
    ledger.misused_on = None if fact.cured else fact.effective_on


def _classified(ledger: Ledger, fact: f.Classified, _: Past) -> None:
    ledger.non_performing = fact.non_performing


def _paused(ledger: Ledger, fact: f.InterestPaused, _: Past) -> None:
    apply_pause(ledger, fact)


def _due_date_moved(ledger: Ledger, fact: f.DueDateMoved, _: Past) -> None:
    move_due_date(ledger, fact)


def _extended(ledger: Ledger, fact: f.TermExtended, _: Past) -> None:
    extend_term(ledger, fact)


def _re_aged(ledger: Ledger, fact: f.ReAged, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.RE_AGE)
    _earn(ledger, entry.on)
    re_age(ledger, fact, entry)


def _re_amortised(ledger: Ledger, fact: f.ReAmortised, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.RE_AMORTISE)
    _earn(ledger, entry.on)
    re_amortise(ledger, fact, entry)


def _charged_off(ledger: Ledger, fact: f.ChargedOff, past: Past) -> None:
    accelerates = ledger.terms.charge_off is ChargeOffBehaviour.ACCELERATE_MATURITY
    if accelerates and ledger.terms.strategy is Strategy.ADVANCED:
        _accelerate(ledger, fact.effective_on, past)
    entry = _open_entry(ledger, fact, Kind.CHARGE_OFF)
    _earn(ledger, entry.on)
    charge_off(ledger, entry)


def _terminated(ledger: Ledger, fact: f.Terminated, past: Past) -> None:
    _accelerate(ledger, fact.effective_on, past)
    entry = _open_entry(ledger, fact, Kind.CONTRACT_TERMINATION)
    terminate(ledger, entry)


def _accelerate(ledger: Ledger, on: date, past: Past) -> None:
    """Accelerate the maturity; payments into rows it removes are taken out and paid again."""
    _earn(ledger, on)
    again, before = paid_beyond(ledger, on), past()
    if again:
        kept = [fact for fact in before if fact.id not in again]
        ledger.become(fold(open_ledger(ledger.agreed, ledger.started_on), kept))
        pass_time(ledger, on)
        ledger.open_again()
        _earn(ledger, on)
    if all(row.met for row in ledger.rows):
        return
    accelerate(ledger, on)
    for fact in before:
        if isinstance(fact, f.Paid) and fact.id in again:
            _pay_again(ledger, fact, again[fact.id])


def _pay_again(ledger: Ledger, fact: f.Paid, amount: int) -> None:
    entry = _open_entry(ledger, fact, fact.kind, amount)
    entry.overpayment = _allocate(ledger, entry, amount)
    ledger.overpaid += entry.overpayment


def _written_off(ledger: Ledger, fact: f.WrittenOff, _: Past) -> None:
    entry = _open_entry(ledger, fact, Kind.WRITE_OFF)
    _earn(ledger, entry.on)
    write_off(ledger, entry)


_HANDLERS: dict[type[Fact], Callable[[Ledger, Any, Past], None]] = {
    f.Disbursed: _disbursed,
    f.IncomeCapitalised: _capitalised,
    f.BuyDownFeeTaken: _buy_down,
    f.BuyDownFeeAdjusted: _buy_down_adjusted,
    f.Paid: _paid,
    f.CashRefunded: _cash_refunded,
    f.ChargedBack: _charged_back,
    f.CreditRefunded: _credit_refunded,
    f.ChargeAdded: _charge_added,
    f.ChargeWaived: _charge_waived,
    f.Waived: _waived,
    f.Restructured: _restructured,
    f.RateChanged: _rate_changed,
    f.Repriced: lambda ledger, fact, _: take_over(ledger, fact),
    f.ReferencePublished: _published,
    f.MisuseFound: _misused,
    f.Classified: _classified,
    f.InterestPaused: _paused,
    f.DueDateMoved: _due_date_moved,
    f.TermExtended: _extended,
    f.GraceGranted: lambda ledger, fact, _: grant_grace(ledger, fact),
    f.ReAged: _re_aged,
    f.ReAmortised: _re_amortised,
    f.ChargedOff: _charged_off,
    f.Terminated: _terminated,
    f.WrittenOff: _written_off,
}
_CHANGE_NOTHING = frozenset({f.Posted, f.Evaluated})
