"""Decisions on a loan in service: payments, reversals, charges, waivers, refunds.

The engine runs here only.
"""

from dataclasses import dataclass
from datetime import date

from domain.commands import servicing as c
from domain.context import Context
from domain.decisions.guards import (
    require_amount,
    require_currency,
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.errors import Rejected
from domain.events import ending
from domain.events import servicing as e
from domain.events.registry import Event
from domain.loan.account import ENGINE_VERSION, Account
from domain.loan.facts import Charged, Fact, Paid, Refunded, Waived
from domain.loan.instalments import Instalment
from domain.loan.state import OPEN, Loan, LoanStatus
from domain.loan.terms import Component
from domain.loan.timeline import Timeline

CHARGEABLE = frozenset({Component.FEE, Component.PENALTY})
WAIVABLE = frozenset({Component.INTEREST, Component.FEE, Component.PENALTY})


def receive_payment(loan: Loan, command: c.ReceivePayment, context: Context) -> list[Event]:
    """Take a payment and allocate it; a backdated one restates what came after it."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_amount(command.amount_minor)
    require_currency(loan, command.currency)
    if command.split is not None:
        _require_split(command.split, command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(timeline, command.payment_id, "payment_id")
    fact = Paid(
        id=command.payment_id,
        effective_on=command.effective_on,
        amount_minor=command.amount_minor,
        split=command.split,
    )
    received = e.PaymentReceived(
        effective_on=command.effective_on,
        payment_id=command.payment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        channel=command.channel,
        split=command.split,
    )
    return [received, *paid(loan, fact, timeline, how="paid")]


def _require_split(split: e.Split, amount_minor: int) -> None:
    parts = (split.principal_minor, split.interest_minor, split.fee_minor, split.penalty_minor)
    if min(parts) < 0 or sum(parts) != amount_minor:
        raise Rejected("split_mismatch", "the parts must be the payment, none below zero", "split")


def paid(loan: Loan, fact: Paid, timeline: Timeline, *, how: str) -> list[Event]:
    """Return the results of a payment: its allocation, restatements of later ones, settlement."""
    after = timeline.record(fact)
    account = after.account
    own = _account_of(after, fact.id)
    restated = () if own is account else differences(timeline, after, but=fact.id)
    rows = changed(loan.rows, account.rows)
    source = e.AllocationSource.UPSTREAM if fact.split else e.AllocationSource.ENGINE
    events: list[Event] = [
        e.PaymentAllocated(
            effective_on=fact.effective_on,
            payment_id=fact.id,
            lines=own.lines,
            overpaid_minor=own.overpaid_by_fact_minor,
            rows=() if restated else rows,
            balances=loan.balances if restated else account.balances,
            source=source,
            engine_version=ENGINE_VERSION,
        )
    ]
    if restated:
        events.append(_restated(fact.id, fact.effective_on, Result(account, rows, restated)))
    return [*events, *_settled(loan, account, fact.effective_on, how)]


@dataclass(frozen=True, slots=True)
class Result:
    """What a fact led to: the account, the rows that changed, the payments that are split anew."""

    account: Account
    rows: tuple[Instalment, ...]
    changes: tuple[e.Restatement, ...]


def _restated(cause_id: str, on: date, result: Result) -> e.AllocationsRestated:
    return e.AllocationsRestated(
        effective_on=on,
        cause_id=cause_id,
        changes=result.changes,
        rows=result.rows,
        balances=result.account.balances,
        engine_version=ENGINE_VERSION,
    )


def changed(
    published: tuple[Instalment, ...], rows: tuple[Instalment, ...]
) -> tuple[Instalment, ...]:
    """Return the rows that differ from what was published."""
    known = len(published)
    return tuple(
        row
        for index, row in enumerate(rows)
        if index >= known or (row is not published[index] and row != published[index])
    )


def _account_of(timeline: Timeline, fact_id: str) -> Account:
    """Return the account as it stood right after one fact. Raises KeyError for an unknown id."""
    for node in timeline.nodes():
        if node.fact and node.fact.id == fact_id:
            return node.account
    raise KeyError(fact_id)


def differences(before: Timeline, after: Timeline, *, but: str) -> tuple[e.Restatement, ...]:
    """Compare how each payment was and is allocated; the fact that caused it is left out."""
    old = _payments(before)
    new = _payments(after)
    found: list[e.Restatement] = []
    for payment_id in [*new, *(i for i in old if i not in new)]:
        then, now = old.get(payment_id), new.get(payment_id)
        lines_then = then.lines if then else ()
        lines_now = now.lines if now else ()
        if payment_id == but or lines_then == lines_now:
            continue
        found.append(
            e.Restatement(
                payment_id=payment_id,
                before=lines_then,
                after=lines_now,
                overpaid_before_minor=then.overpaid_by_fact_minor if then else 0,
                overpaid_after_minor=now.overpaid_by_fact_minor if now else 0,
            )
        )
    return tuple(found)


def _payments(timeline: Timeline) -> dict[str, Account]:
    """Map payment ids to the account after each, oldest first."""
    nodes = [node for node in timeline.nodes() if isinstance(node.fact, Paid)]
    return {node.fact.id: node.account for node in reversed(nodes) if node.fact}


def _settled(loan: Loan, account: Account, on: date, how: str) -> list[Event]:
    if account.balances.owed_minor > 0 or loan.status is LoanStatus.SETTLED:
        return []
    return [ending.LoanSettled(effective_on=on, how=how)]


def reverse_payment(loan: Loan, command: c.ReversePayment, context: Context) -> list[Event]:
    """Take a payment back: balances are as if it had never been, and both events stay visible."""
    require_status(loan, (*OPEN, LoanStatus.SETTLED))
    timeline = loan.timeline
    fact = _find(timeline, command.payment_id)
    if timeline is None or not isinstance(fact, Paid):
        raise Rejected("unknown_payment", "no such payment stands on this loan", "payment_id")
    if loan.replanned_on and fact.effective_on < loan.replanned_on:
        raise Rejected(
            "before_restructuring", "the loan was restructured after this payment", "payment_id"
        )
    if not fact.effective_on <= command.effective_on <= context.business_date:
        raise Rejected(
            "effective_out_of_range",
            "a reversal lies between its payment and the business date",
            "effective_on",
        )
    after = timeline.without(command.payment_id)
    account = after.account
    if account.balances.overpaid_minor < 0:
        raise Rejected("credit_already_refunded", "the overpayment was paid back already")
    result = Result(account, changed(loan.rows, account.rows), differences(timeline, after, but=""))
    events: list[Event] = [
        e.PaymentReversed(
            effective_on=command.effective_on, payment_id=command.payment_id, cause=command.cause
        ),
        _restated(command.payment_id, command.effective_on, result),
    ]
    if loan.status is LoanStatus.SETTLED and account.balances.owed_minor > 0:
        events.append(
            ending.LoanReopened(effective_on=command.effective_on, cause_id=command.payment_id)
        )
    return events


def _find(timeline: Timeline | None, fact_id: str) -> Fact | None:
    if timeline is None:
        return None
    return next((n.fact for n in timeline.nodes() if n.fact and n.fact.id == fact_id), None)


def _require_row(loan: Loan, number: int) -> Instalment:
    if not 1 <= number <= len(loan.rows):
        raise Rejected(
            "unknown_instalment", f"the loan has {len(loan.rows)} instalments", "instalment"
        )
    return loan.rows[number - 1]


def _require_last(timeline: Timeline, effective_on: date) -> None:
    """Refuse charges and waivers dated before the newest fact.

    Only payments may be backdated so far.
    """
    if timeline.fact and effective_on < timeline.fact.effective_on:
        raise Rejected(
            "before_last_fact",
            f"the loan's newest fact is of {timeline.fact.effective_on}",
            "effective_on",
        )


def assess_charge(loan: Loan, command: c.AssessCharge, context: Context) -> list[Event]:
    """Put a charge on an instalment. One that was not disclosed is refused (domain rules, 5.7)."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_amount(command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(timeline, command.charge_id, "charge_id")
    _require_last(timeline, command.effective_on)
    if command.component not in CHARGEABLE:
        raise Rejected("not_chargeable", "a charge is a fee or a penalty", "component")
    if command.code not in (loan.disclosed_charges or ()):
        raise Rejected("charge_not_disclosed", "this charge is not on the cost table", "code")
    _require_row(loan, command.instalment)
    fact = Charged(
        id=command.charge_id,
        effective_on=command.effective_on,
        instalment=command.instalment,
        component=command.component,
        amount_minor=command.amount_minor,
    )
    account = timeline.record(fact).account
    return [
        e.ChargeAssessed(
            effective_on=command.effective_on,
            charge_id=command.charge_id,
            code=command.code,
            component=command.component,
            amount_minor=command.amount_minor,
            instalment=command.instalment,
            rows=changed(loan.rows, account.rows),
            balances=account.balances,
        )
    ]


def waive(loan: Loan, command: c.Waive, context: Context) -> list[Event]:
    """Give up part of an instalment, principal aside; a reason is needed."""
    require_status(loan, OPEN)
    require_amount(command.amount_minor)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(timeline, command.waiver_id, "waiver_id")
    _require_last(timeline, command.effective_on)
    if command.component not in WAIVABLE:
        raise Rejected("not_waivable", "interest, fees and penalties can be waived", "component")
    row = _require_row(loan, command.instalment)
    left = {
        Component.INTEREST: row.interest_left_minor,
        Component.FEE: row.fee_left_minor,
        Component.PENALTY: row.penalty_left_minor,
    }[command.component]
    if command.amount_minor > left:
        raise Rejected("more_than_owed", f"only {left} minor units are open there", "amount")
    fact = Waived(
        id=command.waiver_id,
        effective_on=command.effective_on,
        instalment=command.instalment,
        component=command.component,
        amount_minor=command.amount_minor,
    )
    account = timeline.record(fact).account
    waived = e.ChargeWaived(
        effective_on=command.effective_on,
        waiver_id=command.waiver_id,
        component=command.component,
        amount_minor=command.amount_minor,
        instalment=command.instalment,
        rows=changed(loan.rows, account.rows),
        balances=account.balances,
    )
    return [waived, *_settled(loan, account, command.effective_on, "paid")]


def refund_credit_balance(
    loan: Loan, command: c.RefundCreditBalance, context: Context
) -> list[Event]:
    """Pay overpaid money back, up to the credit there is (domain rules, section 1)."""
    require_status(loan, (*OPEN, LoanStatus.SETTLED))
    require_amount(command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(timeline, command.refund_id, "refund_id")
    _require_last(timeline, command.effective_on)
    if command.amount_minor > loan.balances.overpaid_minor:
        raise Rejected(
            "more_than_credit", f"the credit is {loan.balances.overpaid_minor}", "amount"
        )
    fact = Refunded(
        id=command.refund_id,
        effective_on=command.effective_on,
        amount_minor=command.amount_minor,
    )
    return [
        e.CreditBalanceRefunded(
            effective_on=command.effective_on,
            refund_id=command.refund_id,
            amount_minor=command.amount_minor,
            balances=timeline.record(fact).account.balances,
        )
    ]
