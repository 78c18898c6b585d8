"""What holds for every loan, as checks of one seed each: the suite runs a few, the soak thousands.

A check raises AssertionError. The loans are of the ordinary kind: payments go by instalment, what
is due first. Odd tables meet the fuzz and the vectors.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, Final

from domain.errors import Rejected
from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.account import Account, Amounts
from domain.servicing.life import Life
from domain.servicing.performing import perform
from domain.servicing.terms import STANDARD_ORDER, AllocationRule, LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import (
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeTime,
    Direction,
    Kind,
    Recalculation,
    Strategy,
)
from tests.domain.servicing.random_lives import DAY, LENT, START, any_terms, charge, operations

GIVES_BACK: Final = (Kind.CHARGEBACK, Kind.CREDIT_BALANCE_REFUND)
PARTS: Final = ("principal", "interest", "fees", "penalties")
FACTS_MAX: Final = 40  # more than two checkpoints
MONEY_IN: Final = (Kind.REPAYMENT, Kind.GOODWILL_CREDIT, Kind.DOWN_PAYMENT)


def ordinary_terms(r: Random) -> LoanTerms:
    """Draw sound terms that pay by instalment, what is due first."""
    rule = AllocationRule(kind=None, order=STANDARD_ORDER)
    while True:
        terms = replace(
            any_terms(r),
            allocation=(rule,),
            direction=Direction.HORIZONTAL,
            strategy=Strategy.ADVANCED,
            full_term_tranches=False,
            product_charges=(),
        )
        if not terms.validate() and not terms.cumulative:
            return terms


# --- lives


def ordinary_life(r: Random) -> Life:
    """Live some months of payments, draws, charges, rates, pauses; refusals change nothing."""
    life = Life(ordinary_terms(r))
    today = START
    steps: list[op.Operation] = [
        op.SetBusinessDate(on=today),
        op.Disburse(on=today, amount_minor=r.choice([LENT, 600_00])),
    ]
    for _ in range(r.randint(0, 10)):
        today += DAY * r.choice([0, 1, 5, 17, 31, 60])
        steps += [op.SetBusinessDate(on=today), _ordinary_step(r, today)]
    for step in steps:
        try:
            perform(life, step)
        except Rejected:
            continue
    return life


def _ordinary_step(r: Random, today: date) -> op.Operation:
    rate = r.choice([Decimal("0.05"), Decimal("0.3")])
    on = max(START, today - DAY * r.choice([0, 0, 0, 9, 40]))
    kind = r.choice([Kind.REPAYMENT, Kind.REPAYMENT, Kind.GOODWILL_CREDIT])
    pays: list[op.Operation] = [
        op.Transact(kind=kind, on=on, amount_minor=r.randint(1, 400_00)) for _ in range(4)
    ]
    others: list[op.Operation] = [
        op.PayOff(on=today),
        op.Undo(target=op.Reference(last_payment=True)),
        op.AddCharge(charge=charge(r), due_on=today + DAY * r.randint(0, 20)),
        op.ChangeRate(on=today, rate_annual=rate),
        op.PauseInterest(start=today, end=today + DAY * r.randint(0, 20)),
        op.CloseDays(),
    ]
    return r.choice([*pays, *others])


def facts_of(r: Random, *, days_apart: bool = False) -> list[f.Fact]:
    """Draw facts of a loan in order of entry, each with a value date before or on it."""
    found: list[f.Fact] = [
        f.Disbursed(id="0000", effective_on=START, entered_on=START, amount_minor=LENT)
    ]
    today, taken, paused = START, {START}, START
    for number in range(1, r.randint(1, FACTS_MAX)):
        today += DAY * r.choice([0, 1, 3, 9, 20])
        on = max(START, today - DAY * r.choice([0, 0, 0, 0, 5, 30, 60]))
        while days_apart and on in taken:
            on += DAY
        taken.add(on)
        today = max(today, on)
        fact = _fact(r, f"{number:04}", on, today)
        if isinstance(fact, f.InterestPaused):
            if on <= paused:
                continue
            paused = fact.until
        found.append(fact)
    return found


def _fact(r: Random, fact_id: str, on: date, today: date) -> f.Fact:
    known: dict[str, Any] = {"id": fact_id, "effective_on": on, "entered_on": today}
    match r.randint(0, 11):
        case 0:
            rate = r.choice([Decimal("0.05"), Decimal("0.3")])
            return f.RateChanged(**known, rate_annual=rate)
        case 1:
            return f.InterestPaused(**known, until=on + DAY * r.randint(0, 9))
        case 2:
            return f.ChargeAdded(
                **known,
                code="late",
                kind=ChargeKind.PENALTY,
                time=ChargeTime.SPECIFIED_DUE_DATE,
                basis=ChargeBasis.FLAT,
                due_on=on,
                amount_minor=r.randint(1, 20_00),
            )
        case _:
            kind = r.choice([Kind.REPAYMENT, Kind.GOODWILL_CREDIT])
            return f.Paid(**known, kind=kind, amount_minor=r.randint(1, 150_00))


def recorded(terms: LoanTerms, facts: list[f.Fact]) -> Timeline:
    """Record facts in the given order and ask nothing on the way."""
    timeline = Timeline.start(terms)
    for fact in facts:
        timeline = timeline.record(fact)
    return timeline


def shown(account: Account) -> tuple[Any, ...]:
    """Everything that can be seen of an account."""
    return account.instalments, account.transactions, account.charges, account.overpaid


# --- what holds


def money_is_conserved_per_component(r: Random) -> None:
    """Source: domain rules, 10 (invariant 1)."""
    account = ordinary_life(r).account
    for entry in account.transactions:
        if entry.kind in MONEY_IN:
            assert entry.split.total + entry.overpayment_minor == entry.amount_minor
    for part in PARTS:
        taken = sum(
            line.amount_minor
            for entry in account.transactions
            for line in entry.lines
            if line.component == {"fees": "fee", "penalties": "penalty"}.get(part, part)
        )
        assert sum(getattr(row.paid, part) for row in account.instalments) == taken
    came = sum(t.amount_minor for t in account.transactions if t.kind in MONEY_IN)
    assert sum(row.paid.total for row in account.instalments) + account.overpaid == came


def principal_sums_to_what_was_disbursed(r: Random) -> None:
    """Source: domain rules, 10 (invariants 6 and 12)."""
    account = ordinary_life(r).account
    paid_out = sum(amount for _, amount in account.disbursements)
    assert sum(row.due.principal for row in account.instalments) == paid_out
    assert account.instalments[-1].balance_after_minor == 0


def nothing_is_negative(r: Random) -> None:
    """Source: domain rules, 10 (invariant 1)."""
    account = ordinary_life(r).account
    amounts: list[Amounts] = [account.outstanding]
    for row in account.instalments:
        amounts += [row.due, row.paid, row.waived, row.written_off]
        assert row.outstanding >= 0
        assert row.balance_after_minor >= 0
    amounts += [entry.split for entry in account.transactions]
    assert all(getattr(amount, part) >= 0 for amount in amounts for part in PARTS)
    assert account.overpaid >= 0


def a_payoff_closes_the_loan_to_the_cent(r: Random) -> None:
    """Source: domain rules, 5.6; 一分一毫地还清."""
    life = ordinary_life(r)
    over = life.account.overpaid
    if life.payoff(life.today) <= 0:
        return
    perform(life, op.PayOff(on=life.today))
    assert life.account.obligations_met
    assert life.account.overpaid == over


def a_fold_from_a_checkpoint_is_the_fold_of_all(r: Random) -> None:
    """Source: domain rules, 10 (invariant 14)."""
    terms, facts = ordinary_terms(r), facts_of(r)
    looked_at = Timeline.start(terms)
    for fact in facts:
        looked_at = looked_at.record(fact)
        if r.random() < 0.5:
            assert looked_at.account.instalments
    assert shown(looked_at.account) == shown(recorded(terms, facts).account)


def the_order_of_recording_does_not_matter(r: Random) -> None:
    """Source: domain rules, 10 (invariants 3 and 15): value dates are fixed and apart."""
    terms = ordinary_terms(r)
    facts = facts_of(r, days_apart=True)
    last = max(fact.entered_on for fact in facts)
    facts = [replace(fact, entered_on=last) for fact in facts]
    shuffled = list(facts)
    r.shuffle(shuffled)
    assert shown(recorded(terms, facts).account) == shown(recorded(terms, shuffled).account)


def a_payment_reversed_was_never_paid(r: Random) -> None:
    """Source: domain rules, 10 (invariant 4); the reversed one is still listed, as reversed."""
    terms, facts = ordinary_terms(r), facts_of(r)
    today = max(fact.entered_on for fact in facts)
    payments = [fact for fact in facts if isinstance(fact, f.Paid)]
    if not payments:
        return
    gone = r.choice(payments)
    undone = f.Reversed(id="undone", effective_on=today, entered_on=today, fact_id=gone.id)
    looked = f.Evaluated(id="looked", effective_on=today, entered_on=today)
    without = [fact for fact in facts if fact is not gone]
    reversed_later = recorded(terms, [*facts, undone])
    assert shown(reversed_later.account) == shown(recorded(terms, [*without, looked]).account)

    life = ordinary_life(r)
    listed = [t for t in life.state().transactions if t.kind is Kind.REPAYMENT]
    standing = [number for number, t in enumerate(listed, 1) if not t.reversed]
    if standing:
        perform(life, op.Undo(target=op.Reference(kind=Kind.REPAYMENT, nth=standing[0])))
        undone_one = next(
            t for t in life.state().transactions if t.id == listed[standing[0] - 1].id
        )
        assert undone_one.reversed


def what_was_known_once_never_changes(r: Random) -> None:
    """Source: domain rules, 10 (invariants 2 and 16); 4.2."""
    terms, facts = ordinary_terms(r), facts_of(r)
    known: list[tuple[Timeline, tuple[Any, ...]]] = []
    timeline = Timeline.start(terms)
    for fact in facts:
        timeline = timeline.record(fact)
        known.append((timeline, shown(timeline.account)))
    count = r.randrange(len(known))
    then, answer = known[count]
    assert shown(then.account) == answer
    assert shown(recorded(terms, facts[: count + 1]).account) == answer


def a_day_in_the_past_is_what_the_facts_of_then_say(r: Random) -> None:
    """Source: domain rules, 4.2: as of a day, facts with a later value date do not count."""
    terms = replace(ordinary_terms(r), recalculation=Recalculation.NONE, floating=None)
    if terms.amortisation is Amortisation.REVOLVING:
        return
    facts = facts_of(r)
    on = r.choice(facts).effective_on
    seen = recorded(terms, facts).account_as_of(on)
    by_then = [fact for fact in facts if fact.effective_on <= on]
    assert shown(seen) == shown(recorded(terms, by_then).account)


def no_operation_takes_more_than_there_is(r: Random) -> None:
    """Source: domain rules, 10 (invariant 1): after re-ageing, charge-off, rescheduling and all.

    The lives of the fuzz; what the engine refuses changes nothing, what it does not refuse holds.
    """
    for account in _after_each_of(r, 14):
        _takes_no_more_than_there_is(account)


def principal_adds_up_whatever_is_done(r: Random) -> None:
    """Source: domain rules, 10 (invariant 12): what went out, what came back, in every row."""
    for account in _after_each_of(r, 14):
        asked = sum(row.due.principal for row in account.instalments)
        assert asked == _went_out(account) + _came_back(account)
        assert min(row.balance_after_minor for row in account.instalments) >= 0


def _after_each_of(r: Random, count: int) -> Iterator[Account]:
    life = Life(ordinary_terms(r))
    for step in operations(r, count):
        try:
            perform(life, step)
        except Rejected:
            continue
        if life.timeline.disbursed:
            yield life.account


def _went_out(account: Account) -> int:
    return sum(amount for _, amount in account.disbursements)


def _came_back(account: Account) -> int:
    """Principal that was charged back, or refunded out of more than was overpaid.

    What was overpaid is paid into the row at once that asks for the whole refund, so the row's
    principal is the whole; so it is with chargebacks of planned loans without an order.
    """
    terms, back = account.terms, 0
    for entry in account.transactions:
        whole = entry.kind is Kind.CREDIT_BALANCE_REFUND or not (
            terms.recalculates or terms.chargeback_order
        )
        if entry.kind in GIVES_BACK and entry.split.principal:
            back += entry.amount_minor if whole else entry.split.principal
    return back


def _takes_no_more_than_there_is(account: Account) -> None:
    assert account.overpaid >= 0
    for row in account.instalments:
        assert row.outstanding >= 0
        assert min(map(min, (row.due, row.paid, row.waived, row.written_off))) >= 0
    for entry in account.transactions:
        assert min(entry.split) >= 0
        if entry.kind in MONEY_IN:
            assert entry.split.total + entry.overpayment_minor == entry.amount_minor


PROPERTIES: Final[tuple[Callable[[Random], None], ...]] = (
    money_is_conserved_per_component,
    principal_sums_to_what_was_disbursed,
    nothing_is_negative,
    a_payoff_closes_the_loan_to_the_cent,
    a_fold_from_a_checkpoint_is_the_fold_of_all,
    the_order_of_recording_does_not_matter,
    a_payment_reversed_was_never_paid,
    what_was_known_once_never_changes,
    a_day_in_the_past_is_what_the_facts_of_then_say,
    no_operation_takes_more_than_there_is,
    principal_adds_up_whatever_is_done,
)
