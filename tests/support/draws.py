"""What else happens to the loans of a random book: credits, changes of terms, plans, their undoing.

A draw is a command; that a rule refuses it is an answer too.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.commands import changes as ch
from domain.commands import crediting as cr
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import income as ci
from domain.commands import servicing as cs
from domain.commands import undoing as cu
from domain.commands.registry import LoanCommand
from domain.events.arrears import LoanClass
from domain.loan.state import Loan
from domain.loan.terms import RefundKind
from domain.policies import Policies
from domain.servicing.re_ageing_guard import ReAgeingPolicy, Window
from domain.servicing.values import ReAgeInterest, ReAmortiseInterest

LENIENT = Policies(
    re_ageing=ReAgeingPolicy(
        age_months=0, payments=0, ordinary=(Window(months=12, most=3),), workout=()
    )
)
"""Lets loans be re-aged that are as young as those of a random book."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A loan on a day, and what a command is made of."""

    loan_id: str
    loan: Loan
    on: date
    name: str  # of the fact, should there be one
    random: random.Random

    @property
    def fact(self) -> str:
        """The id of one of the facts that stand; of none, a name that nothing has."""
        facts = self.loan.timeline.facts if self.loan.timeline else []
        return self.random.choice(facts).id if facts else "none"

    @property
    def income(self) -> str:
        """The id of one of the incomes that stand; of none, a name that nothing has."""
        stand = self.loan.incomes
        return self.random.choice(stand).income_id if stand else "none"

    @property
    def fee(self) -> str:
        """The id of one of the buy-down fees that stand; of none, a name that nothing has."""
        stand = self.loan.buy_down_fees
        return self.random.choice(stand).fee_id if stand else "none"

    @property
    def newest(self) -> str:
        """The id of the newest fact."""
        newest = self.loan.timeline.newest if self.loan.timeline else None
        return newest.id if newest else "none"

    def make(self, command: type[LoanCommand], /, **fields: Any) -> LoanCommand:  # noqa: ANN401 - any field
        return command(loan_id=self.loan_id, effective_on=self.on, **fields)  # type: ignore[call-arg]


def _move(draw: Draw) -> LoanCommand:
    rows, r = draw.loan.rows, draw.random
    number = r.randint(1, max(1, len(rows)))
    due = rows[number - 1].due_on if rows else draw.on
    return draw.make(
        ch.MoveDueDate,
        change_id=draw.name,
        instalment=number,
        due_on=due + timedelta(days=r.randint(-10, 40)),
    )


Maker = Callable[[Draw], LoanCommand]
INCOME_MAKERS: tuple[Maker, ...] = (
    lambda d: d.make(
        ci.CapitaliseIncome, income_id=d.name, amount_minor=d.random.randint(1, 50_000)
    ),
    lambda d: d.make(
        ci.AdjustCapitalisedIncome,
        adjustment_id=d.name,
        income_id=d.income,
        amount_minor=d.random.randint(1, 20_000),
    ),
    lambda d: d.make(ci.ReverseCapitalisedIncome, income_id=d.income, cause="error"),
    lambda d: d.make(ci.RecordBuyDownFee, fee_id=d.name, amount_minor=d.random.randint(1, 9_000)),
    lambda d: d.make(
        ci.AdjustBuyDownFee,
        adjustment_id=d.name,
        fee_id=d.fee,
        amount_minor=d.random.randint(1, 5_000),
    ),
    lambda d: (
        d.make(ci.ReverseBuyDownFee, fee_id=d.fee, cause="error")
        if d.random.random() < 0.5
        else d.make(ci.ReverseBuyDownAdjustment, adjustment_id=d.fact, cause="error")
    ),
)
MAKERS: tuple[Maker, ...] = (
    lambda d: d.make(cr.CreditGoodwill, credit_id=d.name, amount_minor=d.random.randint(1, 20_000)),
    lambda d: d.make(
        cr.ReceiveRefund,
        refund_id=d.name,
        kind=d.random.choice(list(RefundKind)),
        amount_minor=d.random.randint(1, 100_000),
    ),
    lambda d: d.make(
        cr.AdjustCharge,
        adjustment_id=d.name,
        charge_id=d.fact,
        amount_minor=d.random.randint(1, 2_000),
    ),
    lambda d: d.make(
        cr.ChargeBack,
        chargeback_id=d.name,
        payment_id=d.fact,
        amount_minor=d.random.randint(1, 50_000),
    ),
    lambda d: d.make(cr.ReverseChargeback, chargeback_id=d.newest, cause="paid"),
    *INCOME_MAKERS,
    lambda d: d.make(
        ch.ChangeRate, change_id=d.name, rate_annual=Decimal(d.random.randint(0, 30)) / 100
    ),
    lambda d: d.make(
        ch.PauseInterest,
        change_id=d.name,
        until_on=d.on + timedelta(days=d.random.randint(0, 60)),
    ),
    lambda d: d.make(ch.ExtendTerm, change_id=d.name, instalments=d.random.randint(1, 6)),
    lambda d: d.make(ch.DeferPayments, change_id=d.name, months=d.random.randint(1, 3)),
    _move,
    lambda d: d.make(
        ch.GrantGrace,
        change_id=d.name,
        principal=d.random.randint(0, 2),
        interest=d.random.randint(0, 1),
    ),
    lambda d: d.make(
        ch.ReAgeLoan,
        re_age_id=d.name,
        first_due_on=d.on + timedelta(days=d.random.randint(1, 40)),
        instalments=d.random.randint(1, 24),
        interest=d.random.choice(list(ReAgeInterest)),
        willing_and_able=True,
    ),
    lambda d: d.make(
        ch.ReAmortiseLoan,
        re_amortisation_id=d.name,
        interest=d.random.choice(list(ReAmortiseInterest)),
    ),
    lambda d: d.make(cu.ReverseReAgeing, re_age_id=d.newest, cause="error"),
    lambda d: d.make(cu.ReverseReAmortisation, re_amortisation_id=d.newest, cause="error"),
    lambda d: d.make(ce.RepriceLoan),
    lambda d: d.make(ce.ReverseChargeOff, cause="error"),
    lambda d: d.make(cs.ClassifyLoan, loan_class=d.random.choice(list(LoanClass))),
    lambda d: (
        d.make(cd.ReportMisuse, category="shares")
        if d.random.random() < 0.6
        else d.make(cd.EndMisuse, cause="sold")
    ),
    lambda d: (
        d.make(ce.TerminateContract, cause="breach")
        if d.random.random() < 0.2
        else d.make(cu.ReverseTermination, cause="error")
    ),
)
