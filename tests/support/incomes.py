"""Products that defer income, and the words for it that tests share."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from domain.commands import income as c
from domain.commands import servicing as cs
from domain.commands.registry import Command
from domain.loan.deferring import bought_down_minor, capitalised_minor
from domain.loan.state import Loan
from domain.loan.terms import BuyDownFee, CapitalisedIncome, Conditions
from domain.postings import DEFERRED
from domain.servicing.deferred import Deferral, deferrals
from domain.servicing.values import DeferredKind
from tests.support.lives import CONDITIONS, LOAN, Life, booked, disbursed
from tests.support.turns import Turn

CODE = "SETUP"
AGREED = CapitalisedIncome(code=CODE)
INCOME_SHAPE = {
    "charges": (*CONDITIONS.charges, CODE),
    "capitalised_income": AGREED,
    "buy_down_fee": BuyDownFee(),
}
"""What is changed of a product that defers income of each kind."""
CAPITALISING = replace(CONDITIONS, **INCOME_SHAPE, backdating_days_max=2_000)


def capitalise(amount: int, on: date, income_id: str = "i-1") -> c.CapitaliseIncome:
    return c.CapitaliseIncome(
        loan_id=LOAN, effective_on=on, income_id=income_id, amount_minor=amount
    )


def adjust(
    amount: int, on: date, income_id: str = "i-1", adjustment_id: str = "a-1"
) -> c.AdjustCapitalisedIncome:
    return c.AdjustCapitalisedIncome(
        loan_id=LOAN,
        effective_on=on,
        adjustment_id=adjustment_id,
        income_id=income_id,
        amount_minor=amount,
    )


def take_back(on: date, income_id: str = "i-1") -> c.ReverseCapitalisedIncome:
    return c.ReverseCapitalisedIncome(
        loan_id=LOAN, effective_on=on, income_id=income_id, cause="error"
    )


def buy_down(amount: int, on: date, fee_id: str = "b-1") -> c.RecordBuyDownFee:
    return c.RecordBuyDownFee(loan_id=LOAN, effective_on=on, fee_id=fee_id, amount_minor=amount)


def adjust_fee(
    amount: int, on: date, fee_id: str = "b-1", adjustment_id: str = "a-1"
) -> c.AdjustBuyDownFee:
    return c.AdjustBuyDownFee(
        loan_id=LOAN,
        effective_on=on,
        adjustment_id=adjustment_id,
        fee_id=fee_id,
        amount_minor=amount,
    )


def take_fee_back(on: date, fee_id: str = "b-1") -> c.ReverseBuyDownFee:
    return c.ReverseBuyDownFee(loan_id=LOAN, effective_on=on, fee_id=fee_id, cause="error")


def take_adjustment_back(on: date, adjustment_id: str = "a-1") -> c.ReverseBuyDownAdjustment:
    return c.ReverseBuyDownAdjustment(
        loan_id=LOAN, effective_on=on, adjustment_id=adjustment_id, cause="error"
    )


def reverse_adjustment(on: date, adjustment_id: str = "a-1") -> cs.ReversePayment:
    return cs.ReversePayment(loan_id=LOAN, effective_on=on, payment_id=adjustment_id, cause="error")


def lent(conditions: Conditions = CAPITALISING, paid_out: int = 1_000_000) -> Life:
    """A loan of which 10,000.00 went out and 2,000.00 more are approved."""
    return disbursed(paid_out, conditions=conditions, approved=1_200_000)


def deferral_of(
    loan: Loan, on: date, kind: DeferredKind = DeferredKind.CAPITALISED_INCOME
) -> Deferral | None:
    """Where income of a kind stands at the end of a day; None: the loan took none by then."""
    assert loan.timeline is not None
    found: Iterable[Deferral] = loan.timeline.read(lambda ledger: deferrals(ledger, on), on)
    return next((one for one in found if one.kind is kind), None)


def earned(life: Life, on: date, kind: DeferredKind = DeferredKind.CAPITALISED_INCOME) -> int:
    """What is recognised of income of a kind by the end of a day."""
    found = deferral_of(life.state, on, kind)
    return 0 if found is None else found.recognised_minor


# --- in random lives

INCOME_TURNS: dict[str, Callable[[Turn], Command]] = {
    "capitalise": lambda t: capitalise(1 + t.n * 53, t.on, t.name),
    "adjust income": lambda t: adjust(1 + t.n * 11, t.on, _any_income(t), t.name),
    "take income back": lambda t: take_back(t.on, _any_income(t)),
    "buy down": lambda t: buy_down(1 + t.n * 37, t.on, t.name),
    "adjust buy-down": lambda t: adjust_fee(1 + t.n * 17, t.on, _any_fee(t), t.name),
    "take buy-down back": lambda t: take_fee_back(t.on, _any_fee(t)),
    "take buy-down adjustment back": lambda t: take_adjustment_back(t.on, t.fact),
}
"""Makers of commands on income for a life of any turns."""


def _any_income(turn: Turn) -> str:
    """The id of one of the incomes that stand, or of none."""
    stand = turn.life.state.incomes
    return stand[turn.n % len(stand)].income_id if stand else "none"


def _any_fee(turn: Turn) -> str:
    """The id of one of the buy-down fees that stand, or of none."""
    stand = turn.life.state.buy_down_fees
    return stand[turn.n % len(stand)].fee_id if stand else "none"


def standing_income(life: Life) -> int:
    """What became principal as income, whatever was given back of it since."""
    return sum(one.amount_minor for one in life.state.incomes)


def deferral_ties(life: Life) -> None:
    """The books defer what stands of all income, as no close has recognised any of it yet.

    A charge-off takes from them what was not earned by then.
    """
    state, stands = life.state, booked(life.events)
    gone = state.deferred_charged_off
    for kind, taken, minor, lost in (
        (
            DeferredKind.CAPITALISED_INCOME,
            state.incomes,
            capitalised_minor(state),
            gone.capitalised_minor,
        ),
        (
            DeferredKind.BUY_DOWN_FEE,
            state.buy_down_fees,
            bought_down_minor(state),
            gone.bought_down_minor,
        ),
    ):
        deferral = deferral_of(state, life.now, kind)
        assert (deferral is None) == (not taken)
        if deferral is not None:
            assert deferral.recognised_minor >= 0
            assert deferral.recognised_minor + deferral.deferred_minor == minor
        left = minor - lost if state.charged_off else minor
        assert stands[DEFERRED[kind][0]] == -left
