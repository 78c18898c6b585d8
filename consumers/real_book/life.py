"""Tells the life of one published loan as dated commands. Calls nobody and stores nothing.

Observed, from the data: applicant, terms, issue month, status, the totals of principal, interest
and late fees paid. Derived, by the rules here, because the data has no dates and no single
payments (every command is therefore marked `derived`):

1. The *snapshot date* is 25 June 2018, see `snapshot.py`.
2. *Issue day and instalments met*: of all days of the issue month and all numbers of instalments
   that the paid totals cover, the ones that put the loan on the snapshot date where the publisher
   says it was (0, 1-15, 16-30, 31-120 days past due); with the most instalments met, if several.
   Loans with the same choice of days are dealt out over them in file order. Instalments are due
   on the issue day of every month after.
3. *Payments*: one for each instalment met, on its due date. Each carries the planned principal;
   what was paid above the plan comes with the last one. Where less was paid than planned, and
   still nine tenths of it, every payment is short in proportion.
4. *Interest*: as planned; the difference to the observed total is in the first payment, because
   the publisher's first period is some days shorter or longer than a month; where that cannot
   be, every payment takes its share.
5. *Late fees*: one charge, on the last instalment for which there is time, which is then paid 16
   days late (the publisher's grace ends after 15).
6. *Fully paid*: planned payments as long as the observed interest reaches; what it has beyond
   them gives the day of the payoff within the running month.
7. *Charged off*: on the 60th day past due (the time that a bankruptcy leaves, domain rules 2.7),
   or on the snapshot date if that is earlier.
8. *Before the money*: applied for 8 days before the payout, reviewed and the cost shown 5 days,
   accepted 4 days, prepared and checked one day before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from consumers.real_book.dataset import CURRENCY, PublishedLoan, PublishedStatus
from consumers.real_book.payments import Payment, payments_of
from consumers.real_book.placing import place
from consumers.real_book.snapshot import SNAPSHOT_ON
from consumers.stream import Entry
from domain.actors import Actor, ActorKind
from domain.calendar import add_months
from domain.commands import Command
from domain.commands import application as ca
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import product as cp
from domain.commands import servicing as cs
from domain.decisions.disbursement import REQUIRED_CHECKS, payload_hash
from domain.events.application import CreditFeatures, Decision, Segments
from domain.events.servicing import Split
from domain.loan.instalments import Instalment
from domain.loan.quote import planned
from domain.loan.terms import (
    Component,
    Conditions,
    Recalculation,
    Rounding,
    ScheduleDayCount,
    Terms,
)

SOURCE = "lending-club"
LOANS = 10_000  # in the published table
UPSTREAM = Actor(kind=ActorKind.UPSTREAM, id=SOURCE)
CHECKER = Actor(kind=ActorKind.UPSTREAM, id="lending-club-issuing-bank")
"""The loans were paid out by a bank, not by the marketplace: the second pair of eyes."""

REASON = "derived"
LATE_FEE = "late_fee"
FIRST_DAY = date(2017, 12, 1)
CHARGE_OFF_DAYS = 60

_APPLIED, _REVIEWED, _ACCEPTED, _PREPARED = (timedelta(days=-d) for d in (8, 5, 4, 1))


def loan_id_of(row: int) -> str:
    """Name a published loan; the same row always has the same id (UUIDv5)."""
    return str(uuid5(NAMESPACE_URL, f"{SOURCE}:loan:{row}"))


def product_code(instalments: int) -> str:
    """Name the product of a term in months."""
    return f"LC{instalments}"


def conditions(instalments: int) -> Conditions:
    """State what the lender's loans of a term have in common: instalments are rounded up."""
    return Conditions(
        currency=CURRENCY,
        day_count=ScheduleDayCount.THIRTY_360_PROPORTIONAL,
        instalment_rounding=Rounding.UP,
        recalculation=Recalculation.NONE,  # the payments' parts are observed
        amount_min_minor=100_000,
        amount_max_minor=4_000_000,
        rate_annual_max=Decimal("0.36"),
        instalments_max=instalments,
        charges=(LATE_FEE,),
    )


def products() -> Iterator[Entry]:
    """Define the two products, before the first application."""
    for instalments in (36, 60):
        command = cp.DefineProductVersion(
            effective_on=FIRST_DAY,
            code=product_code(instalments),
            name=f"Lending Club personal loan, {instalments} months",
            conditions=conditions(instalments),
        )
        yield _entry(f"product:{command.code}", command)


def plan_of(loan: PublishedLoan) -> tuple[Instalment, ...]:
    """Lay out the engine's own plan of a loan, dated from the first day of a month.

    A whole month earns the same whatever its days, so the amounts hold for every issue day. The
    loan's life is told by it, and at the end the publisher's figures are compared with it.
    """
    return _plan(loan.amount_minor, loan.rate_annual, loan.instalments)


@lru_cache(maxsize=LOANS)
def _plan(amount_minor: int, rate_annual: Decimal, instalments: int) -> tuple[Instalment, ...]:
    terms = Terms(
        currency=CURRENCY,
        principal_minor=amount_minor,
        rate_annual=rate_annual,
        instalments=instalments,
    )
    return planned(conditions(instalments), terms, from_on=FIRST_DAY)


def life_of(loan: PublishedLoan) -> list[Entry]:
    """Tell the whole life of a loan, oldest first."""
    rows = plan_of(loan)
    placing = place(loan, rows)
    teller = _Teller(loan=loan, loan_id=loan_id_of(loan.row))
    entries = [*teller.before_the_money(placing.issued_on)]
    for number, payment in enumerate(payments_of(loan, rows, placing), start=1):
        entries += teller.paid(number, payment)
    if loan.status is PublishedStatus.CHARGED_OFF:
        missed_on = add_months(placing.issued_on, placing.met + 1)
        on = min(missed_on + timedelta(days=CHARGE_OFF_DAYS), SNAPSHOT_ON)
        command = ce.ChargeOffLoan(loan_id=teller.loan_id, effective_on=on, cause="not_published")
        entries.append(_entry(f"{loan.row}:charge_off", command))
    return entries


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teller:
    loan: PublishedLoan
    loan_id: str

    def before_the_money(self, issued_on: date) -> Iterator[Entry]:
        """Tell application, review, offer and payout."""
        loan, loan_id, row = self.loan, self.loan_id, self.loan.row
        yield _entry(f"{row}:apply", self._application(issued_on + _APPLIED))
        review = ca.ReviewLoan(
            loan_id=loan_id,
            effective_on=issued_on + _REVIEWED,
            decision=Decision.APPROVED,
            grade=loan.sub_grade,
            rate_annual=loan.rate_annual,
        )
        yield _entry(f"{row}:review", review)
        cost = ca.DiscloseCost(
            loan_id=loan_id,
            effective_on=issued_on + _REVIEWED,
            annual_cost=loan.rate_annual,
            method="irr",
            charges=(LATE_FEE,),
        )
        yield _entry(f"{row}:disclose", cost)
        accept = ca.AcceptOffer(loan_id=loan_id, effective_on=issued_on + _ACCEPTED)
        yield _entry(f"{row}:accept", accept)
        yield from self._payout(issued_on)

    def _application(self, on: date) -> ca.ApplyForLoan:
        loan = self.loan
        years = loan.employment_years
        return ca.ApplyForLoan(
            loan_id=self.loan_id,
            effective_on=on,
            customer_id=str(uuid5(NAMESPACE_URL, f"{SOURCE}:customer:{loan.row}")),
            product_code=product_code(loan.instalments),
            amount_minor=loan.amount_minor,
            currency=CURRENCY,
            instalments=loan.instalments,
            segments=Segments(grade=loan.grade, purpose=loan.purpose, region=loan.state),
            features=CreditFeatures(
                income_annual_minor=loan.income_annual_minor,
                debt_to_income=loan.debt_to_income,
                inquiries_12m=loan.inquiries_12m,
                delinquencies_24m=loan.delinquencies_24m,
                employment_months=None if years is None else years * 12,
                home_ownership=loan.home_ownership,
                credit_lines_open=loan.credit_lines_open,
            ),
            external_id=str(loan.row),
        )

    def _payout(self, issued_on: date) -> Iterator[Entry]:
        loan, loan_id, row = self.loan, self.loan_id, self.loan.row
        payout = f"{SOURCE}-{row}-payout"
        prepare = cd.PrepareDisbursement(
            loan_id=loan_id,
            effective_on=issued_on + _PREPARED,
            disbursement_id=payout,
            amount_minor=loan.amount_minor,
            payee_account_hash=sha256(f"{SOURCE}:payee:{row}".encode()).hexdigest(),
        )
        yield _entry(f"{row}:prepare", prepare)
        check = cd.CheckDisbursement(
            loan_id=loan_id,
            effective_on=issued_on + _PREPARED,
            disbursement_id=payout,
            payload_hash=payload_hash(prepare),
            checks=_CHECKS,
        )
        yield _entry(f"{row}:check", check, CHECKER)
        disburse = cd.DisburseLoan(
            loan_id=loan_id,
            effective_on=issued_on,
            disbursement_id=payout,
            amount_minor=loan.amount_minor,
        )
        yield _entry(f"{row}:disburse", disburse)

    def paid(self, number: int, payment: Payment) -> Iterator[Entry]:
        """Tell one payment, and the late fee that came before it."""
        row = self.loan.row
        if payment.late_fee_minor:
            charge = cs.AssessCharge(
                loan_id=self.loan_id,
                effective_on=payment.on,
                charge_id=f"{SOURCE}-{row}-late-fee",
                code=LATE_FEE,
                component=Component.PENALTY,
                amount_minor=payment.late_fee_minor,
                instalment=number,
            )
            yield _entry(f"{row}:late_fee", charge)
        split = Split(
            principal_minor=payment.principal_minor,
            interest_minor=payment.interest_minor,
            penalty_minor=payment.late_fee_minor,
        )
        receive = cs.ReceivePayment(
            loan_id=self.loan_id,
            effective_on=payment.on,
            payment_id=f"{SOURCE}-{row}-payment-{number}",
            amount_minor=split.total_minor,
            currency=CURRENCY,
            split=split,
        )
        yield _entry(f"{row}:payment:{number}", receive)


_CHECKS = tuple(sorted(REQUIRED_CHECKS))


def _entry(key: str, command: Command, actor: Actor = UPSTREAM) -> Entry:
    return Entry(on=command.effective_on, key=key, command=command, actor=actor, reason_code=REASON)
