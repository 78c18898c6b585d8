"""The first servicing engine: what each fact does to the rows of a loan. Pure; planned interest, no recalculation."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from domain.loan.facts import Charged, Disbursed, Fact, Paid, Refunded, Replanned, Waived
from domain.loan.instalments import AllocationLine, Balances, Instalment
from domain.loan.terms import Component, Terms

ENGINE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a loan stands after its facts so far. `lines` and `overpaid_by_fact_minor` are the last fact's."""

    rows: tuple[Instalment, ...] = ()
    balances: Balances = field(default_factory=Balances)
    lines: tuple[AllocationLine, ...] = ()
    overpaid_by_fact_minor: int = 0


def advance(account: Account, fact: Fact, terms: Terms) -> Account:
    """Apply one fact to the account. Raises ValueError for a kind of fact it does not know."""
    match fact:
        case Disbursed():
            return _settle(account, fact.rows, (), 0)
        case Paid():
            return _pay(account, fact, terms)
        case Charged():
            return _settle(account, _charge(account.rows, fact), (), 0)
        case Waived():
            return _settle(account, _waive(account.rows, fact), (), 0)
        case Replanned():
            kept = account.rows[: fact.rows_total - len(fact.rows)]
            return _settle(account, kept + fact.rows, (), 0)
        case Refunded():
            return _settle(account, account.rows, (), -fact.amount_minor)
        case _:
            raise ValueError(f"the engine knows no {type(fact).__name__}")


def _settle(
    account: Account, rows: tuple[Instalment, ...], lines: tuple[AllocationLine, ...], overpaid: int
) -> Account:
    return Account(
        rows=rows,
        balances=balances_of(rows, account.balances.overpaid_minor + overpaid),
        lines=lines,
        overpaid_by_fact_minor=overpaid,
    )


def balances_of(rows: Iterable[Instalment], overpaid_minor: int) -> Balances:
    """Sum what is unpaid over the rows. A waiver lowers charges first, then interest (domain rules, 2.8)."""
    principal = interest = fee = penalty = 0
    for row in rows:
        principal += row.principal_minor - row.principal_paid_minor
        if row.met_on is None or row.unpaid_minor:
            penalty_left = row.penalty_minor - row.penalty_paid_minor
            fee_left = row.fee_minor - row.fee_paid_minor
            waived = row.waived_minor
            taken = min(waived, penalty_left)
            penalty, waived = penalty + penalty_left - taken, waived - taken
            taken = min(waived, fee_left)
            fee, waived = fee + fee_left - taken, waived - taken
            interest += row.interest_minor - row.interest_paid_minor - waived
    return Balances(
        principal_minor=principal,
        interest_minor=interest,
        fee_minor=fee,
        penalty_minor=penalty,
        overpaid_minor=overpaid_minor,
    )
