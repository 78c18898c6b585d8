"""Tells lives of loans by the domain's own decisions, from a seed. It stores nothing.

A life is a template: customer, loan and external number are placeholders of the width of the real
ones, so that a book of a million loans is a few hundred lives told and then copied with names put
in (`benchmarks/book.py`).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.actors import Actor, ActorKind
from domain.commands import application as ca
from domain.commands import case as cc
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import servicing as cs
from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command, name_of
from domain.context import Context, ProductVersion
from domain.decide import decider_of
from domain.events.application import Decision, Segments
from domain.loan.arrears import days_past_due, overdue
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Conditions, RepaymentMethod, ScheduleDayCount
from infra.codec import Codec
from projections.worklist import DEFAULT_STRATEGY, tier_of

LOAN_ID = "@loan-------------------------------"
CUSTOMER_ID = "@customer-----------"
EXTERNAL_ID = "@external-----------"

LENDER = Actor(kind=ActorKind.UPSTREAM, id="core-banking")
CLOSE = Actor(kind=ActorKind.SYSTEM, id="daily-close")
REPAIR_DAYS_MAX = 120  # a loan that is later than this is taken to loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A product of the book, its share of the loans and what is lent."""

    code: str
    share: int
    conditions: Conditions
    amounts_minor: tuple[int, int]
    instalments: tuple[int, ...]


def _conditions(currency: str, method: RepaymentMethod) -> Conditions:
    return Conditions(
        currency=currency,
        method=method,
        day_count=ScheduleDayCount.THIRTY_360_PROPORTIONAL,
        amount_max_minor=50_000_000,
        rate_annual_max=Decimal("0.40"),
        instalments_max=60,
        four_eyes_from_minor=100_000_000,
        charges=("LATE",),
    )


_ANNUITY, _EQUAL = RepaymentMethod.ANNUITY, RepaymentMethod.EQUAL_PRINCIPAL
OFFERS = (
    Offer(
        code="PERSONAL",
        share=50,
        conditions=_conditions("USD", _ANNUITY),
        amounts_minor=(100_000, 1_500_000),
        instalments=(6, 12, 12, 18, 24),
    ),
    Offer(
        code="CHECKOUT",
        share=25,
        conditions=_conditions("USD", _ANNUITY),
        amounts_minor=(5_000, 80_000),
        instalments=(3, 4, 6),
    ),
    Offer(
        code="CAR",
        share=10,
        conditions=_conditions("USD", _ANNUITY),
        amounts_minor=(600_000, 4_000_000),
        instalments=(36, 48, 60),
    ),
    Offer(
        code="SHOP-CNY",
        share=15,
        conditions=_conditions("CNY", _EQUAL),
        amounts_minor=(1_000_000, 20_000_000),
        instalments=(12, 24),
    ),
)

# Due days as lenders choose them: near pay days. The rest of the loans falls due on any day.
_DUE_DAYS = (15,) * 50 + (1,) * 25 + tuple(range(2, 29))
# Months since the payout: a growing book, few old loans.
_AGES = (0,) * 14 + (1,) * 20 + (2,) * 18 + (3,) * 14 + (4,) * 10 + (5, 6, 7, 8) * 4 + (9, 11, 13)
# How borrowers pay, in parts of a hundred.
_HABITS = ("prompt",) * 58 + ("slow",) * 25 + ("shaky",) * 9 + ("gone",) * 5 + ("early",) * 3


@dataclass(frozen=True, slots=True)
class Told:
    """One stored event of a life; `kind` is of stream: loan or case."""

    kind: str
    on: date
    topic: str
    state: bytes
    command: int  # events of one command have one number
    name: str  # of the command


@dataclass(slots=True)
class Life:
    """One loan and its case, told command by command."""

    random: random.Random
    codec: Codec = field(default_factory=Codec)
    told: list[Told] = field(default_factory=list[Told])
    states: dict[str, Any] = field(default_factory=dict[str, Any])
    product: ProductVersion | None = None
    commands: int = 0

    @property
    def loan(self) -> Loan:
        """The loan as it stands."""
        return self.states["loan"]

    def do(self, command: Command, by: Actor = LENDER) -> None:
        """Decide one command. Raises Rejected: a life has no refusals."""
        on, kind = command.effective_on, command.stream.partition("-")[0]
        context = Context(actor=by, business_date=on, reason_code="book", product=self.product)
        decider = decider_of(command.stream)
        self.commands += 1
        for event in decider.decide(self.states.get(kind), command, context):
            self.states[kind] = decider.evolve(self.states.get(kind), event)
            topic, state = self.codec.encode(context.envelope(), event)
            name = name_of(type(command))
            self.told.append(Told(kind, on, topic, state, self.commands, name))


def products(on: date) -> Iterator[tuple[DefineProductVersion, Context]]:
    """Hand out the commands that define the products of the book."""
    for offer in OFFERS:
        command = DefineProductVersion(
            effective_on=on, code=offer.code, name=offer.code, conditions=offer.conditions
        )
        yield command, Context(actor=LENDER, business_date=on)


def live(seed: int, *, until: date, late: bool = False) -> Life:
    """Live one loan up to a date, its business days closed up to it.

    `late`: an instalment falls due on that date and is not paid, all before it were.
    """
    life = Life(random.Random(seed))  # noqa: S311 - a seeded book, no secret
    r = life.random
    offer = r.choices(OFFERS, weights=[offer.share for offer in OFFERS])[0]
    due_day, age = r.choice(_DUE_DAYS), r.choice(_AGES)
    if late:
        due_day, age = until.day, r.randint(1, 3)  # no loan has fewer instalments
    first_due = _months(until.replace(day=due_day), 1 - age)
    on = min(_months(first_due, -1) + timedelta(days=r.randint(0, 9)), until)
    _pay_out(life, offer, on, first_due)
    borrower = Borrower(habit=r.choice(_HABITS), gone_from=r.randint(1, 6), random=r)
    if late:
        borrower.habit, borrower.gone_from = "gone", age
    while on < until:
        on += timedelta(days=1)
        if life.loan.status is LoanStatus.ACTIVE:
            _pay(life, on, borrower)
        _close_day(life, on)
    return life


def _months(on: date, months: int) -> date:
    year, month0 = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month0 + 1, on.day)


def _pay_out(life: Life, offer: Offer, on: date, first_due: date) -> None:
    r = life.random
    life.product = ProductVersion(code=offer.code, version=1, conditions=offer.conditions)
    amount = r.randrange(*offer.amounts_minor, 500)
    common: dict[str, Any] = {"loan_id": LOAN_ID, "effective_on": on}
    life.do(
        ca.ApplyForLoan(
            **common,
            customer_id=CUSTOMER_ID,
            external_id=EXTERNAL_ID,
            product_code=offer.code,
            amount_minor=amount,
            currency=offer.conditions.currency,
            instalments=r.choice(offer.instalments),
            segments=Segments(
                grade=r.choice("AABBBCCD"),
                purpose=r.choice(["car", "debt", "home", "medical"]),
                region=r.choice(["CA", "NY", "TX", "WA"]),
                channel=r.choice(["branch", "web", "partner"]),
            ),
        )
    )
    rate = Decimal(r.randint(6, 30)) / 100
    life.do(ca.ReviewLoan(**common, decision=Decision.APPROVED, grade="B", rate_annual=rate))
    life.do(ca.AcceptOffer(**common))
    life.do(
        cd.DisburseLoan(
            **common, disbursement_id="payout", amount_minor=amount, first_due_on=first_due
        )
    )


@dataclass(slots=True)
class Borrower:
    """How somebody pays: for each instalment a day, counted from its due date."""

    habit: str
    gone_from: int  # the first instalment that a borrower who goes away does not pay
    random: random.Random
    _days: dict[int, int] = field(default_factory=dict[int, int])

    def days_after(self, instalment: int) -> int:
        """Tell on which day after its due date an instalment is paid."""
        if instalment not in self._days:
            self._days[instalment] = self.random.choice(self._choices(instalment))
        return self._days[instalment]

    def _choices(self, instalment: int) -> tuple[int, ...]:
        if self.habit == "gone" and instalment >= self.gone_from:
            return (REPAIR_DAYS_MAX * 10,)
        if self.habit == "slow":
            return (0, 1, 1, 2, 4, 6)
        if self.habit == "shaky":
            return (0, 0, 0, 0, 12, 40, 75)
        return (-2, -1, 0, 0)


def _pay(life: Life, on: date, borrower: Borrower) -> None:
    """Let the borrower pay what is due, or all when it is time to end early, or nothing."""
    rows = life.loan.rows
    row = next((row for row in rows if row.met_on is None), None)
    if row is None or (on - row.due_on).days < borrower.days_after(row.number):
        return
    if borrower.habit == "early" and row.number > 1:
        amount = life.loan.balances.owed_minor
    else:
        amount = sum(each.unpaid_minor for each in rows if each.due_on <= on) or row.unpaid_minor
    life.do(
        cs.ReceivePayment(
            loan_id=LOAN_ID,
            effective_on=on,
            payment_id=f"payment-{life.commands}",
            amount_minor=amount,
            currency=life.loan.currency,
        )
    )


def _close_day(life: Life, on: date) -> None:
    """Do what the close of a day does to the loan and its case; take old arrears to loss."""
    loan = life.loan
    active = loan.status is LoanStatus.ACTIVE
    late = overdue(loan.rows, on, loan.conditions) if active else []
    days = days_past_due(late, on)
    if days > REPAIR_DAYS_MAX:
        life.do(ce.ChargeOffLoan(loan_id=LOAN_ID, effective_on=on, cause="loss"))
    elif late or loan.in_arrears or loan.days_past_due:
        life.do(ce.CloseLoanDay(loan_id=LOAN_ID, effective_on=on), CLOSE)
    loan, case = life.loan, life.states.get("case")
    active, is_open = loan.status is LoanStatus.ACTIVE, case is not None and case.open
    if active and loan.in_arrears and not is_open:
        owed = sum(row.unpaid_minor for row in late)
        tier = tier_of(days, owed, DEFAULT_STRATEGY).tier
        life.do(cc.OpenCase(loan_id=LOAN_ID, effective_on=on, tier=tier), CLOSE)
    elif is_open and not (active and loan.in_arrears):
        how = "cured" if active else loan.status.value
        life.do(cc.CloseCase(loan_id=LOAN_ID, effective_on=on, how=how), CLOSE)
