"""Where a loan stands: rows, balances, and how one fact moves them.

Pure; planned interest, no recalculation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.loan.allocation import Allocated, allocate, allocate_observed
from domain.loan.facts import Charged, Disbursed, Fact, Paid, Refunded, Replanned, Waived
from domain.loan.instalments import AllocationLine, Balances, Instalment, replace
from domain.loan.terms import Component, Terms

ENGINE_VERSION = 1

_DUE_FIELD = {Component.FEE: "fee_minor", Component.PENALTY: "penalty_minor"}
_WAIVED_FIELD = {
    Component.INTEREST: "interest_waived_minor",
    Component.FEE: "fee_waived_minor",
    Component.PENALTY: "penalty_waived_minor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A loan after its facts so far.

    `lines` and `overpaid_by_fact_minor` belong to the last fact.
    """

    rows: tuple[Instalment, ...] = ()
    balances: Balances = field(default_factory=Balances)
    lines: tuple[AllocationLine, ...] = ()
    overpaid_by_fact_minor: int = 0


def advance(account: Account, fact: Fact, terms: Terms) -> Account:  # noqa: PLR0911 - one a fact
    """Apply one fact. Raises ValueError for a kind of fact the engine does not know."""
    match fact:
        case Disbursed():
            return _after(account, fact.rows)
        case Paid(split=None):
            paid = allocate(account.rows, fact.amount_minor, fact.effective_on, terms)
            return _after_payment(account, paid)
        case Paid(split=split) if split is not None:
            paid = allocate_observed(account.rows, split, fact.effective_on)
            return _after_payment(account, paid)
        case Charged():
            name = _DUE_FIELD[fact.component]
            return _after(account, _add(account.rows, fact.instalment, name, fact))
        case Waived():
            name = _WAIVED_FIELD[fact.component]
            return _after(account, _add(account.rows, fact.instalment, name, fact))
        case Replanned():
            return _after(account, account.rows[: fact.rows_total - len(fact.rows)] + fact.rows)
        case Refunded():
            return _after(account, account.rows, overpaid_minor=-fact.amount_minor)
        case _:
            raise ValueError(f"the engine knows no {type(fact).__name__}")


def _after(
    account: Account,
    rows: tuple[Instalment, ...],
    *,
    lines: tuple[AllocationLine, ...] = (),
    overpaid_minor: int = 0,
) -> Account:
    overpaid = account.balances.overpaid_minor + overpaid_minor
    return Account(
        rows=rows,
        balances=balances_of(rows, overpaid),
        lines=lines,
        overpaid_by_fact_minor=overpaid_minor,
    )


def _after_payment(account: Account, paid: Allocated) -> Account:
    return _after(account, paid.rows, lines=paid.lines, overpaid_minor=paid.overpaid_minor)


def _add(
    rows: tuple[Instalment, ...], number: int, name: str, fact: Charged | Waived
) -> tuple[Instalment, ...]:
    """Raise one amount of one row and set again when the row is met."""
    row = rows[number - 1]
    raised = replace(row, **{name: getattr(row, name) + fact.amount_minor})
    met_on = row.met_on
    if raised.unpaid_minor > 0:
        met_on = None
    elif met_on is None:
        met_on = fact.effective_on
    return (*rows[: number - 1], replace(raised, met_on=met_on), *rows[number:])


def balances_of(rows: Iterable[Instalment], overpaid_minor: int) -> Balances:
    """Sum what is left on the rows, by component."""
    principal = interest = fee = penalty = 0
    for row in rows:
        if row.met_on is None:
            principal += row.principal_left_minor
            interest += row.interest_left_minor
            fee += row.fee_left_minor
            penalty += row.penalty_left_minor
    return Balances(
        principal_minor=principal,
        interest_minor=interest,
        fee_minor=fee,
        penalty_minor=penalty,
        overpaid_minor=overpaid_minor,
    )
