"""Given / when / then for loans, and the small vocabulary that the tests share."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from domain import product
from domain.actors import Actor, ActorKind
from domain.calendar import HolidayCalendar
from domain.commands import application as ca
from domain.commands import disbursement as cd
from domain.commands import servicing as cs
from domain.commands.ending import CloseLoanDay
from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command
from domain.context import Context, ProductVersion
from domain.decide import decide_loan
from domain.decisions.disbursement import REQUIRED_CHECKS
from domain.errors import Rejected
from domain.events.application import Decision
from domain.events.ending import ChargeOffReversed, LoanChargedOff
from domain.events.registry import Event
from domain.events.servicing import Split
from domain.loan.evolve import evolve, fold
from domain.loan.state import Loan
from domain.loan.terms import (
    Component,
    Conditions,
    CustomInstalment,
    RateStep,
    Recalculation,
    RepaymentMethod,
    Rounding,
    ScheduleDayCount,
)
from domain.postings import Account, postings
from domain.servicing.facts import Fact
from domain.servicing.floating import Publication
from domain.servicing.terms import LoanTerms

LOAN = "0190a000-0000-7000-8000-000000000001"
START = date(2018, 1, 15)

CONDITIONS = Conditions(
    currency="USD",
    day_count=ScheduleDayCount.THIRTY_360_PROPORTIONAL,
    amount_max_minor=5_000_000,
    rate_annual_max=Decimal("0.40"),
    instalments_max=360,
    backdating_days_max=180,
    charges=("LATE", "NSF"),
)
PLANNED = replace(CONDITIONS, recalculation=Recalculation.NONE)
"""Interest as planned, whatever is paid: what observed splits need."""

EQUAL_PRINCIPAL = Conditions(
    currency="USD",
    method=RepaymentMethod.EQUAL_PRINCIPAL,
    day_count=ScheduleDayCount.ACT_365F,
    amount_max_minor=5_000_000,
    rate_annual_max=Decimal("0.40"),
    instalments_max=360,
    instalment_rounding=Rounding.HALF_UP,
)

EVEN_PARTS = replace(
    PLANNED,
    method=RepaymentMethod.EQUAL_PRINCIPAL,
    payouts_max=3,
    four_eyes_from_minor=10**9,
)
"""Principal comes back in equal parts, so that what else an instalment asks for is plain."""

_ONLY = {
    RepaymentMethod.EQUAL_AMORTISATION: Recalculation.NONE,  # interest is spread once
    RepaymentMethod.FLAT: Recalculation.NONE,  # or follows no payment
    RepaymentMethod.REVOLVING: Recalculation.CONTINUOUS,  # or follows what is drawn and repaid
}
METHODS = tuple(
    (method, recalculation)
    for method in RepaymentMethod
    for recalculation in (Recalculation.NONE, Recalculation.CONTINUOUS)
    if method not in _ONLY or _ONLY[method] is recalculation
)
"""What a product may choose."""


def actor(name: str = "ann", *roles: str, kind: ActorKind = ActorKind.HUMAN) -> Actor:
    return Actor(kind=kind, id=name, roles=roles or ("checker",))


def context(on: date, by: Actor | None = None, **more: object) -> Context:
    return Context(actor=by or actor(), business_date=on, **more)  # type: ignore[arg-type]


@dataclass
class Life:
    """A loan that is told command by command; `now` is the business date."""

    loan: Loan | None = None
    now: date = START
    events: list[Event] = field(default_factory=list[Event])
    last: list[Event] = field(default_factory=list[Event])

    def when(self, command: Command, by: Actor | None = None, reason: str | None = None) -> Self:
        self.now = max(self.now, command.effective_on)
        product = ProductVersion(code="P", version=1, conditions=self.conditions)
        circumstances = context(
            self.now,
            by,
            reason_code=reason,
            product=product,
            publications=self.publications,
            calendar=self.calendar,
        )
        self.last = decide_loan(self.loan, command, circumstances)
        for event in self.last:
            self.loan = evolve(self.loan, event)
        self.events += self.last
        return self

    def refused(
        self, command: Command, by: Actor | None = None, reason: str | None = None
    ) -> Rejected:
        """Expect a refusal and return it; nothing changes."""
        before, count = self.loan, len(self.events)
        try:
            self.when(command, by, reason)
        except Rejected as no:
            assert self.loan is before, "a refusal changed the loan"
            assert len(self.events) == count
            return no
        raise AssertionError(f"{type(command).__name__} was not refused: {self.last}")

    conditions: Conditions = CONDITIONS
    publications: tuple[Publication, ...] = ()  # of the reference that the product follows
    calendar: HolidayCalendar | None = None  # whose working days the product keeps

    @property
    def state(self) -> Loan:
        assert self.loan is not None
        return self.loan

    def payoff(self, on: date) -> int:
        """What closes the loan on a day."""
        assert self.state.timeline is not None
        return self.state.timeline.account_as_of(on).payoff(on)

    def then(self, *kinds: type[Event]) -> Self:
        assert [type(event) for event in self.last] == list(kinds)
        return self


def product_refused(conditions: Conditions) -> Rejected:
    """Expect a product's definition to be refused, and return why."""
    command = DefineProductVersion(effective_on=START, code="P", name="n", conditions=conditions)
    try:
        events = product.decide(None, command, context(START))
    except Rejected as no:
        return no
    raise AssertionError(f"the product was not refused: {events}")


def apply_for(amount: int = 1_000_000, instalments: int = 36) -> ca.ApplyForLoan:
    return ca.ApplyForLoan(
        loan_id=LOAN,
        effective_on=START,
        customer_id="c-1",
        product_code="P",
        amount_minor=amount,
        currency="USD",
        instalments=instalments,
    )


def approve(rate: str = "0.12") -> ca.ReviewLoan:
    return ca.ReviewLoan(
        loan_id=LOAN,
        effective_on=START,
        decision=Decision.APPROVED,
        grade="B",
        rate_annual=Decimal(rate),
    )


PUBLISHED = tuple(
    Publication(
        published_on=START + timedelta(days=40 * k - 26), value=Decimal(430 - 60 * (k % 3)) / 10_000
    )
    for k in range(30)
)
"""A reference that rises and falls: 4.30 %, 3.70 %, 3.10 % and again."""


def accepted(
    amount: int = 1_000_000,
    instalments: int = 36,
    rate: str = "0.12",
    conditions: Conditions = CONDITIONS,
    **agreed: Any,  # noqa: ANN401 - any field of the review
) -> Life:
    """A loan whose offer was accepted, its cost table shown."""
    life = Life(conditions=conditions, publications=PUBLISHED if conditions.floating else ())
    life.when(apply_for(amount, instalments))
    given = _given(conditions, amount, instalments) | agreed
    priced = replace(approve(rate), **given)
    if conditions.floating:
        priced = replace(priced, rate_annual=None, spread_bps=770)  # 12 % at signing
    life.when(priced)
    life.when(
        ca.DiscloseCost(
            loan_id=LOAN,
            effective_on=START,
            annual_cost=Decimal("0.13"),
            method="irr",
            charges=conditions.charges,
        )
    )
    return life.when(ca.AcceptOffer(loan_id=LOAN, effective_on=START))


def _given(conditions: Conditions, amount: int, instalments: int) -> dict[str, Any]:
    """What an approval says of a product that leaves it to be agreed."""
    if conditions.method is RepaymentMethod.FIXED_INSTALMENT:
        return {"instalment_minor": 2 * amount // instalments + 1}
    if conditions.method is RepaymentMethod.CUSTOM:
        dues = [month(k) for k in range(1, instalments + 1)]
        if conditions.down_payment is not None:
            amount -= int(amount * conditions.down_payment.percent / 100)
        rows = [
            CustomInstalment(due_on=due, principal_minor=amount // instalments) for due in dues[:-1]
        ]
        return {"custom": (*rows, CustomInstalment(due_on=dues[-1]))}
    if conditions.rate_steps_max and instalments > 1:
        return {"rate_steps": (RateStep(after_instalments=1, rate_annual=Decimal("0.18")),)}
    return {}


def prepare(amount: int = 1_000_000) -> cd.PrepareDisbursement:
    return cd.PrepareDisbursement(
        loan_id=LOAN,
        effective_on=START,
        disbursement_id="d-1",
        amount_minor=amount,
        payee_account_hash="f00d",
    )


def check(payload_hash: str, checks: Sequence[str] = tuple(REQUIRED_CHECKS)) -> Command:
    return cd.CheckDisbursement(
        loan_id=LOAN,
        effective_on=START,
        disbursement_id="d-1",
        payload_hash=payload_hash,
        checks=tuple(checks),
    )


def pay_out(amount: int = 1_000_000, on: date = START) -> cd.DisburseLoan:
    return cd.DisburseLoan(
        loan_id=LOAN, effective_on=on, disbursement_id="d-1", amount_minor=amount
    )


def disbursed(
    amount: int = 1_000_000,
    instalments: int = 36,
    rate: str = "0.12",
    conditions: Conditions = CONDITIONS,
    approved: int | None = None,
    **agreed: Any,  # noqa: ANN401 - any field of the review
) -> Life:
    """A loan in service since START, its payout checked by a second person.

    `approved` None: no more than is paid out.
    """
    life = accepted(approved or amount, instalments, rate, conditions, **agreed)
    life.when(prepare(amount), actor("maker"))
    preparation = life.state.preparation
    assert preparation is not None
    life.when(check(preparation.payload_hash), actor("checker", "checker"))
    return life.when(pay_out(amount))


def pay(
    amount: int, on: date, payment_id: str | None = None, split: Split | None = None
) -> cs.ReceivePayment:
    return cs.ReceivePayment(
        loan_id=LOAN,
        effective_on=on,
        payment_id=payment_id or f"pay-{on.isoformat()}-{amount}",
        amount_minor=amount,
        currency="USD",
        split=split,
    )


def charge(
    amount: int,
    on: date,
    instalment: int = 1,
    component: Component = Component.FEE,
    charge_id: str = "c-1",
) -> cs.AssessCharge:
    return cs.AssessCharge(
        loan_id=LOAN,
        effective_on=on,
        charge_id=charge_id,
        code="LATE",
        component=component,
        amount_minor=amount,
        instalment=instalment,
    )


def reverse(payment_id: str, on: date) -> cs.ReversePayment:
    return cs.ReversePayment(loan_id=LOAN, effective_on=on, payment_id=payment_id, cause="bounced")


def close(on: date) -> CloseLoanDay:
    return CloseLoanDay(loan_id=LOAN, effective_on=on)


def month(k: int) -> date:
    """The k-th due date of a loan paid out on START."""
    year, month0 = divmod(START.year * 12 + START.month - 1 + k, 12)
    return date(year, month0 + 1, START.day)


def days_after(on: date, days: int) -> date:
    return on + timedelta(days=days)


def folded_again(life: Life) -> Loan:
    """Fold a life's events from zero; rows, balances and status are what decisions had seen."""
    again = folded_all_ways(life.events)
    seen = life.state
    assert (again.rows, again.balances, again.status) == (seen.rows, seen.balances, seen.status)
    return again


def folded_all_ways(events: Sequence[Event]) -> Loan:
    """Fold a history step by step, at once and from its middle on: it says the same each time."""
    again: Loan | None = None
    for event in events:
        again = evolve(again, event)
    at_once = fold(None, events)
    half = fold(None, events[: len(events) // 2])
    before = half and replace(half)
    continued = fold(half, events[len(events) // 2 :])
    assert half == before, "a fold changed the loan it began with"
    assert again is not None
    assert told_of(again) == told_of(at_once) == told_of(continued)
    return again


def told_of(loan: Loan | None) -> tuple[Loan, LoanTerms | None, date | None, list[Fact]]:
    """All that a loan says, and the facts behind it: two time lines are equal by them."""
    assert loan is not None
    line = loan.timeline
    return (
        replace(loan, timeline=None),
        line and line.terms,
        line and line.through,
        line.facts if line else [],
    )


def booked(events: Iterable[Event]) -> Counter[Account]:
    """What stands on each account after events, debit positive; every posting balances."""
    balance: Counter[Account] = Counter()
    charged_off = False
    for event in events:
        lines = postings(event, charged_off=charged_off)
        assert sum(line.amount_minor for line in lines) == 0
        for line in lines:
            balance[line.account] += line.amount_minor
        if isinstance(event, LoanChargedOff | ChargeOffReversed):
            charged_off = isinstance(event, LoanChargedOff)
    return balance


def ties_to_the_ledger(life: Life) -> None:
    """The portfolio is the principal owed, the liability what is owed back."""
    stands, owed = booked(life.events), life.state.balances
    assert sum(stands.values()) == 0
    assert stands[Account.LOAN_PORTFOLIO] == owed.principal_minor
    assert stands[Account.FEE_RECEIVABLE] == owed.fee_minor
    assert stands[Account.PENALTY_RECEIVABLE] == owed.penalty_minor
    assert stands[Account.OVERPAYMENT_LIABILITY] == -owed.overpaid_minor
