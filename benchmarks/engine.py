"""The engine's four figures, beside a plain calculator that does the least that gives the rows.

A schedule of 360 instalments; a payment in order, whatever the length of the history; a backdated
payment; a whole life simulated. Payments go through the loan's own decision and what comes of it,
each on a loan of its own. The plain calculator computes the loan anew every time, because it keeps
nothing; where a limit in time judges, its time is printed beside it. All times are of the one
processor that does the work, with the collector of garbage held, as `timeit` does.
"""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

from benchmarks import harness, plain
from benchmarks.lives import LENDER, LOAN_ID, OFFERS, Life
from domain.calendar import add_months
from domain.commands import application as ca
from domain.commands import disbursement as cd
from domain.commands import servicing as cs
from domain.context import Context, ProductVersion
from domain.daycount import DayCount
from domain.decide import decide_loan
from domain.events.application import Decision, Segments
from domain.loan.evolve import fold
from domain.loan.state import Loan
from domain.servicing import operations as op
from domain.servicing.account import Instalment
from domain.servicing.simulation import simulate
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import Kind, Recalculation

BEGUN_ON = date(2024, 1, 15)
RATE = Decimal("0.072")
PRINCIPAL_MINOR = 30_000_000
LOANS, LOANS_FULL = 20, 60
SCHEDULES = 10
SLICES = 10  # turns of each side a round, of so many schedules each
TIMES_PLAIN, TIMES_PLAIN_GOAL = 3.0, 1.5
PAYMENT_US, PAYMENT_US_GOAL = 150.0, 60.0
BACKDATED_MS, BACKDATED_MS_GOAL = 15.0, 5.0
LIFE_MS, LIFE_MS_GOAL = 10.0, 3.0

_MICRO, _MILLI = 1e6, 1e3


def run(options: harness.Options) -> list[harness.Result]:
    """Measure the four on one core."""
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    return [
        _schedule(options),
        *_payments(options, loans),
        *_backdated(options, loans),
        _life(options),
    ]


def _dues(instalments: int) -> list[date]:
    return [add_months(BEGUN_ON, number) for number in range(1, instalments + 1)]


def _terms(instalments: int) -> LoanTerms:
    return LoanTerms(
        principal_minor=PRINCIPAL_MINOR,
        rate_annual=RATE,
        instalments=instalments,
        expected_disbursement_on=BEGUN_ON,
        day_count=DayCount.ACT_365F,
    )


def _plain(instalments: int) -> list[plain.Row]:
    return plain.schedule(PRINCIPAL_MINOR, RATE, BEGUN_ON, _dues(instalments))


# --- a schedule


def _schedule(options: harness.Options) -> harness.Result:
    terms = _terms(360)
    ours, theirs = _engine_rows(terms), _plain(360)
    assert [(row.due_on, row.due.principal, row.due.interest) for row in ours] == [
        (row.due_on, row.principal, row.interest) for row in theirs
    ], "the two schedules differ"
    rounds = harness.interleave(
        options.rounds,
        ours=lambda: _seconds(lambda: _engine_rows(terms), SCHEDULES) * _MILLI,
        peer=lambda: _seconds(lambda: _plain(360), SCHEDULES) * _MILLI,
        slices=SLICES,
    )
    return harness.compared(
        "engine: 360 instalments, bare loop",
        rounds,
        "ms",
        floor=1 / TIMES_PLAIN,
        target=1 / TIMES_PLAIN_GOAL,
    )


def _engine_rows(terms: LoanTerms) -> tuple[Instalment, ...]:
    return Timeline.start(terms).planned().instalments


def _seconds(work: Callable[[], object], times: int) -> float:
    """Return the median time of one call."""
    return _median_of(work for _ in range(times))


def _median_of(works: Iterable[Callable[[], object]]) -> float:
    spent: list[float] = []
    gc.collect()
    gc.disable()
    try:
        for work in works:
            started = time.thread_time()
            work()
            spent.append(time.thread_time() - started)
    finally:
        gc.enable()
    return median(spent)


# --- payments on stored loans


def lent(instalments: int) -> Life:
    """Pay out a loan on a product that takes long terms and old value dates.

    Its payout has an id of its own, as in a book: no two loans share a time line.
    """
    conditions = replace(
        OFFERS[0].conditions, instalments_max=400, backdating_days_max=3_000, charges=()
    )
    life = Life(random=None)  # type: ignore[arg-type] - nothing is left to chance here
    life.product = ProductVersion(code="LONG", version=1, conditions=conditions)
    common: dict[str, Any] = {"loan_id": LOAN_ID, "effective_on": BEGUN_ON}
    life.do(
        ca.ApplyForLoan(
            **common,
            customer_id="customer",
            external_id="external",
            product_code="LONG",
            amount_minor=PRINCIPAL_MINOR,
            currency="USD",
            instalments=instalments,
            segments=Segments(),
        )
    )
    life.do(ca.ReviewLoan(**common, decision=Decision.APPROVED, grade="A", rate_annual=RATE))
    life.do(ca.AcceptOffer(**common))
    life.do(cd.DisburseLoan(**common, disbursement_id=str(uuid4()), amount_minor=PRINCIPAL_MINOR))
    return life


def payment(loan: Loan, number: int, amount: int | None = None) -> cs.ReceivePayment:
    """Pay an instalment on its day; `amount` None: all that it asks for."""
    row = loan.rows[number - 1]
    return cs.ReceivePayment(
        loan_id=LOAN_ID,
        effective_on=row.due_on,
        payment_id=f"payment-{number}{'' if amount is None else '-late'}",
        amount_minor=row.unpaid_minor if amount is None else amount,
        currency="USD",
    )


def _paid(instalments: int, payments: int) -> Loan:
    loan = lent(instalments).loan
    for number in range(1, payments + 1):
        command = payment(loan, number)
        loan = after(loan, command, asked_on(command.effective_on))
    return loan


def asked_on(business_date: date) -> Context:
    """Return the circumstances of a command: given with it, and not timed."""
    return Context(actor=LENDER, business_date=business_date, reason_code="bench")


def after(loan: Loan, command: cs.ReceivePayment, context: Context) -> Loan:
    """Decide and evolve, as the service does: what is timed."""
    return fold(loan, decide_loan(loan, command, context))


def _payments(options: harness.Options, loans: int) -> list[harness.Result]:
    names = {(36, 23): "24th of 36"} | {
        (made + 13, made): f"after {made} of {made + 13}" for made in (12, 36, 360)
    }
    results: list[harness.Result] = []
    for (instalments, made), name in names.items():
        _pay_in_order(instalments, made, loans)  # to warm up, as all that is compared
        times = [_pay_in_order(instalments, made, loans) * _MICRO for _ in range(options.rounds)]
        beside = _seconds(partial(_plain_payment, instalments, made), SCHEDULES) * _MICRO
        print(f"  payment, {name}: {median(times):,.0f} us; plain calculator {beside:,.0f} us")
        results.append(
            harness.bounded(
                f"engine: payment, {name}", times, PAYMENT_US, "us", target=PAYMENT_US_GOAL
            )
        )
    return results


def _pay_in_order(instalments: int, made: int, loans: int) -> float:
    """Return the median time of the next payment; every loan pays once, as a state has one user.

    As many loans for every length of history: the first few of a row find the caches cold, and in
    a short row they would be the median.
    """
    waiting = [_paid(instalments, made) for _ in range(loans)]
    due_on = waiting[0].rows[made].due_on
    context = asked_on(due_on)
    paid: list[Loan] = []

    def pay(loan: Loan, command: cs.ReceivePayment) -> None:
        paid.append(after(loan, command, context))

    spent = _median_of([partial(pay, loan, payment(loan, made + 1)) for loan in waiting])
    for loan in paid:
        assert (loan.rows[made].met_on, loan.rows[made + 1].met_on) == (due_on, None)
    return spent


def _plain_payment(instalments: int, made: int) -> int:
    rows = _plain(instalments)
    return plain.pay(rows, [row.principal + row.interest for row in rows[: made + 1]])


def _backdated(options: harness.Options, loans: int) -> list[harness.Result]:
    """Bring in a payment late: at month 300 for a year before, and for month 300 at the end."""
    results: list[harness.Result] = []
    count = max(3, loans // 8)
    for made, back_to in ((300, 288), (358, 300)):
        name = f"engine: backdated payment, for month {back_to} after {made} of 360"
        _pay_late(made, back_to, 1)  # to warm up: there are few of them
        times = [_pay_late(made, back_to, count) * _MILLI for _ in range(options.rounds)]
        beside = _seconds(partial(_plain_payment, 360, made), SCHEDULES) * _MILLI
        print(f"  {name[8:]}: {median(times):.2f} ms; plain calculator {beside:.2f} ms")
        results.append(harness.bounded(name, times, BACKDATED_MS, "ms", target=BACKDATED_MS_GOAL))
    return results


def _pay_late(made: int, back_to: int, loans: int) -> float:
    waiting = [_paid(360, made) for _ in range(loans)]
    context, amount = asked_on(waiting[0].rows[made - 1].due_on), 100_000
    paid: list[Loan] = []

    def pay(loan: Loan, command: cs.ReceivePayment) -> None:
        paid.append(after(loan, command, context))

    spent = _median_of([partial(pay, loan, payment(loan, back_to, amount)) for loan in waiting])
    for before, loan in zip(waiting, paid, strict=True):
        less = before.balances.owed_minor - loan.balances.owed_minor
        assert less >= amount, "the late payment pays less than it is"
    return spent


# --- a whole life


def _life(options: harness.Options) -> harness.Result:
    terms, operations = _recalculating(), _operations()
    final = simulate(terms, operations).final
    assert final.account.obligations_met
    times = [
        _seconds(lambda: simulate(terms, operations), SCHEDULES) * _MILLI
        for _ in range(options.rounds)
    ]
    beside = _seconds(lambda: _plain_payment(24, 23), SCHEDULES) * _MILLI
    print(f"  24 months with 24 payments: {median(times):.2f} ms; plain calculator {beside:.2f} ms")
    return harness.bounded("engine: life of 24 payments", times, LIFE_MS, "ms", target=LIFE_MS_GOAL)


def _recalculating() -> LoanTerms:
    return replace(_terms(24), recalculation=Recalculation.CONTINUOUS)


def _operations() -> Sequence[op.Operation]:
    """Pay every instalment on its due day, as a customer does."""
    rows = Timeline.start(_recalculating()).planned().instalments
    begin: list[op.Operation] = [
        op.SetBusinessDate(on=BEGUN_ON),
        op.Apply(),
        op.Approve(amount_minor=PRINCIPAL_MINOR),
        op.Disburse(on=BEGUN_ON, amount_minor=PRINCIPAL_MINOR),
    ]
    for row in rows:
        begin += [
            op.SetBusinessDate(on=row.due_on),
            op.Transact(kind=Kind.REPAYMENT, on=row.due_on, amount_minor=row.due.total),
        ]
    return begin


if __name__ == "__main__":
    harness.main(run)
