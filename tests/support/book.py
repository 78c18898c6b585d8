"""Books of random loans in a real store, told through the service from a seed."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from domain.actors import Actor, ActorKind
from domain.commands import application as ca
from domain.commands import case as cc
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import reference as cr
from domain.commands import servicing as cs
from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command
from domain.context import Context
from domain.decisions.disbursement import REQUIRED_CHECKS
from domain.envelope import StreamId
from domain.events.application import Decision, Segments
from domain.events.ending import RestructureKind
from domain.events.servicing import Split
from domain.loan.state import Loan
from domain.loan.terms import (
    Component,
    CustomInstalment,
    FloatingConditions,
    PlannedTranche,
    RateStep,
    Recalculation,
    RepaymentMethod,
    ResetRule,
)
from domain.ports import EventStore, IdempotencyKey, Outcome
from domain.service import Instruction, Service
from tests.support.book_products import CODES, conditions, line, penal, planned
from tests.support.draws import LENIENT, MAKERS, Draw, Maker

CHANGES = 0.25  # of what happens to a loan
START = date(2018, 1, 15)
REFERENCE = "LPR-1Y"
FLOATING = FloatingConditions(reference=REFERENCE, reset=ResetRule.MONTHLY)
ANN = Actor(kind=ActorKind.HUMAN, id="ann", roles=("officer",))
BOB = Actor(kind=ActorKind.HUMAN, id="bob", roles=("checker", "senior_checker"))
COLLECTOR = Actor(kind=ActorKind.HUMAN, id="cal", roles=("collector",))
BANK = Actor(kind=ActorKind.UPSTREAM, id="core-banking")


class Book:
    """Tells loans to a store. `today` is the business date of every command."""

    def __init__(
        self,
        store: EventStore,
        *,
        seed: int = 7,
        tolerance_minor: int = 0,
        recalculation: Recalculation = Recalculation.NONE,
        **product: Any,  # noqa: ANN401 - any field of the conditions
    ) -> None:
        self.store = store
        self.service = Service(store)
        self.random = random.Random(seed)  # noqa: S311 - a seeded book, no secret
        self.today = START
        self.loans: list[str] = []
        self.keys = 0
        self.published: set[date] = set()
        self.conditions = own = conditions(tolerance_minor, recalculation, **product)
        define = DefineProductVersion(
            effective_on=START, code="P", name="Loans", conditions=self.conditions
        )
        self.floats = define.conditions.floating is not None
        self.in_parts = self.conditions.payouts_max > 1
        if self.service.state(StreamId("product-P")).version == 0:
            self.do(define)
            self.do(replace(define, code="R", name="Lines of credit", conditions=line(own)))
            self.do(replace(define, code="N", name="With penalties", conditions=penal(own)))
            if self.in_parts:
                self.do(replace(define, code="T", name="Tranches", conditions=planned(own)))
            if self.floats:
                self.publish("0.0430", START - timedelta(days=26))

    def do(self, command: Command, by: Actor = ANN, reason: str | None = "because") -> Outcome:
        """Hand in one command under a key of its own; refusals are answers too."""
        self.keys += 1
        key = IdempotencyKey(
            scope=f"book-{id(self)}",
            key=str(self.keys),
            request_hash=sha256(repr(command).encode()).digest(),
        )
        context = Context(actor=by, business_date=self.today, reason_code=reason, policies=LENIENT)
        return self.service.handle(Instruction(command=command, context=context, key=key))

    def publish(self, value: str, on: date) -> Outcome:
        """Publish a value of the reference that the product follows, or correct that of the day."""
        command = cr.CorrectReferenceValue if on in self.published else cr.PublishReferenceValue
        self.published.add(on)
        return self.do(command(effective_on=on, code=REFERENCE, value=Decimal(value)))

    def state(self, loan_id: str) -> Loan:
        return self.service.state(StreamId(f"loan-{loan_id}")).state

    def version(self, loan_id: str) -> int:
        return self.service.state(StreamId(f"loan-{loan_id}")).version

    def open_loan(
        self,
        loan_id: str,
        *,
        amount: int = 1_000_000,
        instalments: int = 12,
        approved: int | None = None,
        product: str = "P",
    ) -> str:
        """Bring a loan from its application to its payout, a model overridden now and then.

        `approved` None: no more than is paid out.
        """
        on, r = self.today, self.random
        segments = Segments(
            grade=r.choice("ABC"), purpose=r.choice(["car", "debt"]), region=r.choice(["CA", "NY"])
        )
        common: dict[str, Any] = {"loan_id": loan_id, "effective_on": on}
        self.do(
            ca.ApplyForLoan(
                **common,
                customer_id=f"customer-{len(self.loans) % 7}",
                product_code=product,
                tranches=self._plan(loan_id, amount) if product == "T" else (),
                amount_minor=approved or amount,
                currency="USD",
                instalments=instalments,
                segments=segments,
                external_id=f"x-{loan_id}",
            )
        )
        self.do(
            ca.RecordModelScore(
                **common,
                model_id="m",
                model_version="1",
                score=Decimal("0.7"),
                features_hash="f",
                recommends=r.choice([Decision.APPROVED, Decision.DECLINED]),
            )
        )
        rate = Decimal(r.randint(0, 30)) / 100
        price: dict[str, Any] = {"spread_bps": 150} if self.floats else {"rate_annual": rate}
        if self.conditions.due_days is not None:
            days = self.conditions.due_days
            price["due_day"] = r.randint(days.earliest, days.latest)
        if self.conditions.rate_steps_max and instalments > 1:
            price["rate_steps"] = (RateStep(after_instalments=1, rate_annual=Decimal("0.20")),)
        if self.conditions.method is RepaymentMethod.FIXED_INSTALMENT and product != "R":
            price["instalment_minor"] = 2 * (approved or amount) // instalments + 1
        if self.conditions.method is RepaymentMethod.CUSTOM and product != "R":
            price["custom"] = self._schedule(approved or amount, instalments)
        self.do(ca.ReviewLoan(**common, decision=Decision.APPROVED, **price))
        self.do(
            ca.DiscloseCost(**common, annual_cost=rate, method="irr", charges=CODES),
        )
        self.do(ca.AcceptOffer(**common))
        tranche = f"d-{loan_id}" if product == "T" else None
        self.pay_out(loan_id, f"d-{loan_id}", amount, tranche=tranche)
        self.loans.append(loan_id)
        return loan_id

    def _schedule(self, amount: int, instalments: int) -> tuple[CustomInstalment, ...]:
        """Make a schedule of the loan's own: rows of any size, 25 days apart."""
        dues = [self.today + timedelta(days=25 * k) for k in range(1, instalments + 1)]
        parts = [self.random.randint(0, amount // instalments) for _ in dues]
        rows = zip(dues[:-1], parts, strict=False)
        listed = [CustomInstalment(due_on=due, principal_minor=part) for due, part in rows]
        return (*listed, CustomInstalment(due_on=dues[-1]))

    def _plan(self, loan_id: str, amount: int) -> tuple[PlannedTranche, ...]:
        """Two halves, the second two months later."""
        later = self.today + timedelta(days=60)
        return (
            PlannedTranche(tranche_id=f"d-{loan_id}", expected_on=self.today, amount_minor=amount),
            PlannedTranche(tranche_id=f"e-{loan_id}", expected_on=later, amount_minor=amount),
        )

    def pay_out(
        self,
        loan_id: str,
        name: str,
        amount: int,
        on: date | None = None,
        *,
        tranche: str | None = None,
    ) -> Outcome:
        """Pay out on a loan, checked by a second person; all of it may be refused."""
        common: dict[str, Any] = {
            "loan_id": loan_id,
            "effective_on": on or self.today,
            "disbursement_id": name,
        }
        money: dict[str, Any] = {"amount_minor": amount, "tranche_id": tranche}
        self.do(cd.PrepareDisbursement(**common, **money, payee_account_hash="f00d"))
        preparation = self.state(loan_id).preparation
        assert preparation is not None
        checks = tuple(sorted(REQUIRED_CHECKS))
        self.do(
            cd.CheckDisbursement(**common, payload_hash=preparation.payload_hash, checks=checks),
            BOB,
        )
        return self.do(cd.DisburseLoan(**common, **money))

    def pay(
        self, loan_id: str, amount: int, on: date | None = None, split: Split | None = None
    ) -> Outcome:
        self.keys += 1
        return self.do(
            cs.ReceivePayment(
                loan_id=loan_id,
                effective_on=on or self.today,
                payment_id=f"p-{self.keys}",
                amount_minor=amount,
                currency="USD",
                split=split,
            ),
            BANK,
        )

    def live(self, loans: int, days: int, *, backdating: bool = True) -> None:
        """Open loans and let days go by, with everything that happens to loans."""
        for number in range(loans):
            amount = self.random.randrange(10_000, 2_000_000)
            self.open_loan(
                f"loan{number:04d}",
                amount=amount,
                instalments=self.random.randint(2, 24),
                approved=2 * amount if self.in_parts else amount,
                product={5: "R", 2: "T" if self.in_parts else "P", 4: "N"}.get(number % 6, "P"),
            )
        self.go_on(days, backdating=backdating)

    def go_on(self, days: int, *, backdating: bool = True) -> None:
        """Let days go by, with something happening to a third of the loans on each."""
        for _ in range(days):
            self.today += timedelta(days=self.random.randint(1, 9))
            if self.floats and self.random.random() < 0.3:
                self.publish(f"0.0{self.random.randint(200, 500)}", self.today)
            for loan_id in self.random.sample(self.loans, max(1, len(self.loans) // 3)):
                if self.random.random() < CHANGES:
                    self.draw(loan_id)
                else:
                    self._something(loan_id, backdating=backdating)

    def draw(self, loan_id: str, makers: Sequence[Maker] = MAKERS) -> Outcome:
        """Do one of the things that may be done to a loan; it may be refused."""
        self.keys += 1
        draw = Draw(loan_id, self.state(loan_id), self.today, f"q-{self.keys}", self.random)
        return self.do(self.random.choice(makers)(draw))

    def _something(self, loan_id: str, *, backdating: bool) -> None:  # noqa: C901 - one draw
        r, on = self.random, self.today
        loan = self.state(loan_id)
        common: dict[str, Any] = {"loan_id": loan_id, "effective_on": on}
        due = next((row for row in loan.rows if row.met_on is None), None)
        paid = loan.timeline.facts[::-1] if loan.timeline else []
        match r.choice("ppppppppbbrcwxsofzdd"):
            case "p":
                amount = due.unpaid_minor if due else 100
                self.pay(loan_id, max(1, amount * r.choice([1, 1, 1, 1, 2]) // r.choice([1, 1, 2])))
            case "b" if backdating and loan.disbursed_on:
                back = r.randint(0, min(60, (on - loan.disbursed_on).days))
                self.pay(loan_id, r.randint(1, 100_000), on - timedelta(days=back))
            case "d":
                self._pay_out_or_back(loan_id, loan, backdating=backdating)
            case "r" if backdating and paid:
                fact = r.choice(paid)
                self.do(cs.ReversePayment(**common, payment_id=fact.id, cause="bounced"), BANK)
            case "c" if due:
                self.keys += 1
                self.do(
                    cs.AssessCharge(
                        **common,
                        charge_id=f"c-{self.keys}",
                        code="LATE",
                        component=r.choice([Component.FEE, Component.PENALTY]),
                        amount_minor=r.randint(1, 5_000),
                        instalment=r.randint(1, len(loan.rows)),
                    )
                )
            case "w" if due:
                self.keys += 1
                self.do(
                    cs.Waive(
                        **common,
                        waiver_id=f"w-{self.keys}",
                        component=r.choice([Component.INTEREST, Component.FEE]),
                        amount_minor=r.randint(1, 500),
                        instalment=due.number,
                    )
                )
            case "x" if r.random() < 0.3:
                self.keys += 1
                self.do(
                    ce.RestructureLoan(
                        **common,
                        restructure_id=f"r-{self.keys}",
                        kind=RestructureKind.EXTENSION,
                        first_due_on=on + timedelta(days=30),
                        instalments=r.randint(2, 24),
                        financial_difficulty=True,
                    )
                )
            case "s":
                self.pay(loan_id, loan.balances.owed_minor + r.choice([0, 500]))
            case "o" if r.random() < 0.3:
                self.do(ce.ChargeOffLoan(**common, cause="loss"))
            case "f":
                self.keys += 1
                self.do(
                    ce.RecordRecovery(
                        **common, recovery_id=f"v-{self.keys}", amount_minor=r.randint(1, 5_000)
                    )
                )
            case "z":
                self.do(cc.OpenCase(**common, tier="call"))
                self.do(cc.ClaimCase(**common), COLLECTOR)
            case _:
                self.do(ce.CloseLoanDay(**common))

    def _pay_out_or_back(self, loan_id: str, loan: Loan, *, backdating: bool) -> None:
        """Pay out more, or let the last payout after the first come back."""
        r, on = self.random, self.today
        if loan.tranches_out and r.random() < 0.2:
            back = cd.ReturnDisbursement(
                loan_id=loan_id,
                effective_on=on,
                disbursement_id=loan.tranches_out[-1].disbursement_id,
                cause="bounced",
            )
            self.do(back, BANK)
            return
        self.keys += 1
        days = r.randint(0, 20) if backdating else 0
        day = max(loan.disbursed_on or on, on - timedelta(days=days))
        if loan.tranches:
            expected = loan.tranches[0]
            name = expected.tranche_id
            self.pay_out(loan_id, f"t-{self.keys}", expected.amount_minor, day, tranche=name)
        else:
            self.pay_out(loan_id, f"t-{self.keys}", r.randint(1, 200_000), day)
