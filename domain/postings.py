"""Double entry: what each event of a loan means for the ledger, as balanced lines.

A table of rules, one function an event. Interest income is posted in aggregate by the day's close
(cumulative earned less posted), so a payment of interest lowers the receivable. Roles stand for
accounts; which account number a role has is the lender's chart (domain rules, G-08).
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from domain.events import changes, crediting, disbursement, ending, income, servicing, undoing
from domain.events.registry import TOPICS, Event
from domain.events.servicing import CreditKind
from domain.loan.instalments import AllocationLine
from domain.loan.terms import Component
from domain.servicing.values import DeferredKind


class Account(StrEnum):
    """Roles of ledger accounts (domain rules, G-08)."""

    FUND_SOURCE = "fund_source"
    LOAN_PORTFOLIO = "loan_portfolio"
    INTEREST_RECEIVABLE = "interest_receivable"
    FEE_RECEIVABLE = "fee_receivable"
    PENALTY_RECEIVABLE = "penalty_receivable"
    OVERPAYMENT_LIABILITY = "overpayment_liability"
    INTEREST_INCOME = "interest_income"
    FEE_INCOME = "fee_income"
    PENALTY_INCOME = "penalty_income"
    RECOVERY_INCOME = "recovery_income"
    GOODWILL_EXPENSE = "goodwill_credit_expense"
    CHARGES_GIVEN_BACK = "charges_given_back"  # less of fee and penalty income
    COLLECTION_EXPENSE = "collection_expense"
    TAX_PAYABLE = "tax_payable"  # inside charges: what is owed to the tax office
    CHARGE_OFF_EXPENSE = "charge_off_expense"
    INTEREST_CHARGED_OFF = "income_from_charged_off_interest"
    FEES_CHARGED_OFF = "income_from_charged_off_fees"
    PENALTIES_CHARGED_OFF = "income_from_charged_off_penalties"
    DEFERRED_CAPITALISED_INCOME = "deferred_capitalised_income"  # not earned yet
    CAPITALISATION_INCOME = "income_from_capitalisation"
    DEFERRED_BUY_DOWN_FEES = "deferred_buy_down_fees"  # not earned yet
    BUY_DOWN_INCOME = "income_from_buy_down"
    BUY_DOWN_EXPENSE = "buy_down_expense"


class Line(NamedTuple):
    """One side of an entry: minor units, debit positive and credit negative."""

    account: Account
    amount_minor: int


Lines = tuple[Line, ...]
Payout = disbursement.LoanDisbursed | disbursement.DisbursementReturned | disbursement.TrancheParts

RECEIVABLE = {
    Component.PRINCIPAL: Account.LOAN_PORTFOLIO,
    Component.INTEREST: Account.INTEREST_RECEIVABLE,
    Component.FEE: Account.FEE_RECEIVABLE,
    Component.PENALTY: Account.PENALTY_RECEIVABLE,
}
INCOME = {
    Component.INTEREST: Account.INTEREST_INCOME,
    Component.FEE: Account.FEE_INCOME,
    Component.PENALTY: Account.PENALTY_INCOME,
}


PAID_BY = {
    CreditKind.GOODWILL: Account.GOODWILL_EXPENSE,
    CreditKind.INTEREST_REFUND: Account.INTEREST_INCOME,
    CreditKind.CHARGE_ADJUSTMENT: Account.CHARGES_GIVEN_BACK,
    CreditKind.CAPITALISED_INCOME_ADJUSTMENT: Account.DEFERRED_CAPITALISED_INCOME,
}
"""What a credit is taken from; every other kind is money that came in (domain rules, G-07)."""

DEFERRED = {
    DeferredKind.CAPITALISED_INCOME: (
        Account.DEFERRED_CAPITALISED_INCOME,
        Account.CAPITALISATION_INCOME,
    ),
    DeferredKind.BUY_DOWN_FEE: (Account.DEFERRED_BUY_DOWN_FEES, Account.BUY_DOWN_INCOME),
}
"""Where income stands that is not earned yet, and where once it is (domain rules, G-08)."""


def postings(event: Event, *, charged_off: bool) -> Lines:
    """Return the balanced lines of an event; empty when it moves no money on the books.

    `charged_off` tells how the loan stood before the event: from the charge-off on the debt is off
    the books and money that comes in is recovery income (domain rules, 2.8).
    """
    rule = _RULES.get(type(event))
    return () if rule is None else _balanced(event, rule(event, charged_off))


def postings_of_topic(topic: str, event: Any, *, charged_off: bool) -> Lines:  # noqa: ANN401 - see below
    """As `postings`, for whatever reads like the event of a topic, such as a read model's shape."""
    rule = _RULES_BY_TOPIC.get(topic)
    return () if rule is None else _balanced(event, rule(event, charged_off))


def _balanced(event: object, lines: Iterable[Line]) -> Lines:
    kept = tuple([line for line in lines if line.amount_minor])
    assert not sum([line.amount_minor for line in kept]), f"{event} does not balance: {kept}"
    return kept


def accrual(component: Component, amount_minor: int) -> Lines:
    """Return the lines of income earned and not yet posted; negative amounts take it back."""
    return (
        Line(account=RECEIVABLE[component], amount_minor=amount_minor),
        Line(account=INCOME[component], amount_minor=-amount_minor),
    )


def recognition(kind: DeferredKind, amount_minor: int) -> Lines:
    """Return the lines of deferred income that is earned; negative amounts take it back."""
    deferred, earned = DEFERRED[kind]
    return (
        Line(account=deferred, amount_minor=amount_minor),
        Line(account=earned, amount_minor=-amount_minor),
    )


def _disbursed(event: disbursement.LoanDisbursed, _: bool) -> Iterable[Line]:  # noqa: FBT001
    yield Line(account=Account.LOAN_PORTFOLIO, amount_minor=event.amount_minor)
    yield Line(account=Account.FUND_SOURCE, amount_minor=-event.amount_minor)
    yield from _kept_back(event, 1)


def _kept_back(event: Payout, sign: int) -> Iterable[Line]:
    """Let fees that are kept back from a payout stay with the fund source, as income and tax."""
    kept = sum(fee.amount_minor for fee in event.fees)
    tax = sum(fee.tax_minor for fee in event.fees)
    yield Line(account=Account.FUND_SOURCE, amount_minor=sign * kept)
    yield Line(account=Account.FEE_INCOME, amount_minor=-sign * (kept - tax))
    yield Line(account=Account.TAX_PAYABLE, amount_minor=-sign * tax)


def _received_lines(
    lines: Iterable[AllocationLine], overpaid_minor: int, sign: int, source: Account
) -> Iterable[Line]:
    principal = interest = fee = penalty = 0
    for line in lines:
        principal += line.principal_minor
        interest += line.interest_minor
        fee += line.fee_minor
        penalty += line.penalty_minor
    return (
        Line(source, sign * (principal + interest + fee + penalty + overpaid_minor)),
        Line(Account.LOAN_PORTFOLIO, -sign * principal),
        Line(Account.INTEREST_RECEIVABLE, -sign * interest),
        Line(Account.FEE_RECEIVABLE, -sign * fee),
        Line(Account.PENALTY_RECEIVABLE, -sign * penalty),
        Line(Account.OVERPAYMENT_LIABILITY, -sign * overpaid_minor),
    )


def _source(kind: str) -> Account:
    return PAID_BY.get(CreditKind(kind), Account.FUND_SOURCE)


def _allocated(event: servicing.PaymentAllocated, charged_off: bool) -> Iterable[Line]:  # noqa: FBT001
    if charged_off:
        return ()  # the recovery itself is posted
    return _received_lines(event.lines, event.overpaid_minor, 1, _source(event.kind))


def _restated(event: servicing.AllocationsRestated, charged_off: bool) -> Iterable[Line]:  # noqa: FBT001
    """Post the differences today, with the old value date: what was posted stays.

    What a charge-off itself restates is of the debt that it takes off the books.
    """
    recovered = charged_off and event.cause_id != ending.CHARGE_OFF_ID
    for change in event.changes:
        source = _source(change.kind)
        before = list(_received_lines(change.before, change.overpaid_before_minor, -1, source))
        after = list(_received_lines(change.after, change.overpaid_after_minor, 1, source))
        if recovered:
            cash = sum(x.amount_minor for x in (before + after) if x.account is source)
            yield Line(account=source, amount_minor=cash)
            yield Line(account=Account.RECOVERY_INCOME, amount_minor=-cash)
        else:
            yield from before
            yield from after


def _charged(event: servicing.ChargeAssessed, _: bool) -> Iterable[Line]:  # noqa: FBT001
    return _with_tax(event, 1)


def _with_tax(
    event: servicing.ChargeAssessed | servicing.ChargeReversed, sign: int
) -> Iterable[Line]:
    """Owe the whole charge; what is tax in it is no income (domain rules, F-20)."""
    yield from accrual(event.component, sign * event.amount_minor)
    yield Line(account=INCOME[event.component], amount_minor=sign * event.tax_minor)
    yield Line(account=Account.TAX_PAYABLE, amount_minor=-sign * event.tax_minor)


def _fees_changed(event: servicing.InstalmentFeesChanged, charged_off: bool) -> Iterable[Line]:  # noqa: FBT001
    for fee in () if charged_off else event.changes:
        yield from accrual(Component.FEE, fee.amount_minor)
        yield Line(account=Account.FEE_INCOME, amount_minor=fee.tax_minor)
        yield Line(account=Account.TAX_PAYABLE, amount_minor=-fee.tax_minor)


def _waived(event: servicing.ChargeWaived, charged_off: bool) -> Iterable[Line]:  # noqa: FBT001
    return () if charged_off else accrual(event.component, -event.amount_minor)


def _penalised(event: servicing.PenaltyInterestCharged, charged_off: bool) -> Iterable[Line]:  # noqa: FBT001
    amount = event.penalty_minor + event.compound_minor
    return () if charged_off else accrual(Component.PENALTY, amount)


def _refunded(event: servicing.CreditBalanceRefunded, _: bool) -> Iterable[Line]:  # noqa: FBT001
    yield Line(account=Account.OVERPAYMENT_LIABILITY, amount_minor=event.amount_minor)
    yield Line(account=Account.FUND_SOURCE, amount_minor=-event.amount_minor)


def _owed_more(
    event: crediting.ChargebackParts | disbursement.TrancheParts | income.CapitalisedParts,
    sign: int,
    source: Account = Account.FUND_SOURCE,
) -> Iterable[Line]:
    """Owe what went out: new debt, and less of what was owed to the borrower."""
    parts = {
        Account.LOAN_PORTFOLIO: event.principal_minor,
        Account.INTEREST_RECEIVABLE: event.interest_minor,
        Account.FEE_RECEIVABLE: event.fee_minor,
        Account.PENALTY_RECEIVABLE: event.penalty_minor,
        Account.OVERPAYMENT_LIABILITY: event.overpaid_minor,
    }
    for account, amount in parts.items():
        yield Line(account=account, amount_minor=sign * amount)
    yield Line(account=source, amount_minor=-sign * sum(parts.values()))


def _capitalised(event: income.CapitalisedParts, sign: int) -> Iterable[Line]:
    return _owed_more(event, sign, Account.DEFERRED_CAPITALISED_INCOME)


def _bought_down(event: income.BuyDown, sign: int) -> Iterable[Line]:
    """Defer a fee: money that came in, or the lender's own expense (P-73, G-07)."""
    source = Account.FUND_SOURCE if event.merchant_paid else Account.BUY_DOWN_EXPENSE
    yield Line(account=source, amount_minor=sign * event.amount_minor)
    yield Line(account=Account.DEFERRED_BUY_DOWN_FEES, amount_minor=-sign * event.amount_minor)


def _returned(event: disbursement.DisbursementReturned, _: bool) -> Iterable[Line]:  # noqa: FBT001
    yield Line(account=Account.FUND_SOURCE, amount_minor=event.amount_minor)
    yield Line(account=Account.LOAN_PORTFOLIO, amount_minor=-event.amount_minor)
    yield from _kept_back(event, -1)


def _tranche(event: disbursement.TrancheParts, sign: int) -> Iterable[Line]:
    yield from _owed_more(event, sign)
    yield from _kept_back(event, sign)


def _restructured(event: ending.LoanRestructured, _: bool) -> Iterable[Line]:  # noqa: FBT001
    capitalised = event.capitalised_interest_minor
    yield Line(account=Account.LOAN_PORTFOLIO, amount_minor=capitalised)
    yield Line(account=Account.INTEREST_RECEIVABLE, amount_minor=-capitalised)
    yield from accrual(Component.INTEREST, -event.waived_interest_minor)


def _replanned(event: changes.LoanReaged | changes.LoanReamortized, _: bool) -> Lines:  # noqa: FBT001
    return accrual(Component.INTEREST, -event.waived_interest_minor)


def _owed_anew(
    event: undoing.ReagingReversed | undoing.ReamortizationReversed,
    _: bool,  # noqa: FBT001
) -> Lines:
    return accrual(Component.INTEREST, event.waived_interest_minor)


def _off_the_books(
    event: ending.LoanChargedOff | ending.ChargeOffReversed, sign: int
) -> Iterable[Line]:
    """Take portfolio and receivables off the books, or back on them (domain rules, G-13).

    Income that will not be earned any more lowers the loss (S-27, S-28).
    """
    for expense, receivable, amount in (
        (Account.CHARGE_OFF_EXPENSE, Account.LOAN_PORTFOLIO, event.principal_minor),
        (Account.INTEREST_CHARGED_OFF, Account.INTEREST_RECEIVABLE, event.interest_minor),
        (Account.FEES_CHARGED_OFF, Account.FEE_RECEIVABLE, event.fee_minor),
        (Account.PENALTIES_CHARGED_OFF, Account.PENALTY_RECEIVABLE, event.penalty_minor),
    ):
        yield Line(account=expense, amount_minor=sign * amount)
        yield Line(account=receivable, amount_minor=-sign * amount)
    capitalised, bought_down = event.deferred_capitalised_minor, event.deferred_bought_down_minor
    never_earned = sign * (capitalised + bought_down)
    yield Line(account=Account.DEFERRED_CAPITALISED_INCOME, amount_minor=sign * capitalised)
    yield Line(account=Account.DEFERRED_BUY_DOWN_FEES, amount_minor=sign * bought_down)
    yield Line(account=Account.CHARGE_OFF_EXPENSE, amount_minor=-never_earned)


def _recovered(event: ending.RecoveryReceived, _: bool) -> Iterable[Line]:  # noqa: FBT001
    yield Line(account=Account.FUND_SOURCE, amount_minor=event.amount_minor - event.cost_minor)
    yield Line(account=Account.COLLECTION_EXPENSE, amount_minor=event.cost_minor)
    yield Line(account=Account.RECOVERY_INCOME, amount_minor=-event.amount_minor)


_RULES: dict[type[Event], Callable[[Any, bool], Iterable[Line]]] = {
    disbursement.LoanDisbursed: _disbursed,
    disbursement.DisbursementReturned: _returned,
    disbursement.TrancheDisbursed: lambda event, _: _tranche(event, 1),
    disbursement.TrancheReturned: lambda event, _: _tranche(event, -1),
    servicing.PaymentAllocated: _allocated,
    servicing.AllocationsRestated: _restated,
    servicing.PenaltyInterestCharged: _penalised,
    servicing.ChargeAssessed: _charged,
    servicing.ChargeReversed: lambda event, _: _with_tax(event, -1),
    servicing.InstalmentFeesChanged: _fees_changed,
    servicing.ChargeWaived: _waived,
    servicing.CreditBalanceRefunded: _refunded,
    crediting.ChargedBack: lambda event, _: _owed_more(event, 1),
    crediting.ChargebackReversed: lambda event, _: _owed_more(event, -1),
    income.IncomeCapitalised: lambda event, _: _capitalised(event, 1),
    income.CapitalisedIncomeReversed: lambda event, _: _capitalised(event, -1),
    income.BuyDownFeeRecorded: lambda event, _: _bought_down(event, 1),
    income.BuyDownFeeAdjusted: lambda event, _: _bought_down(event, -1),
    income.BuyDownFeeReversed: lambda event, _: _bought_down(event, -1),
    income.BuyDownAdjustmentReversed: lambda event, _: _bought_down(event, 1),
    ending.LoanRestructured: _restructured,
    changes.LoanReaged: _replanned,
    changes.LoanReamortized: _replanned,
    undoing.ReagingReversed: _owed_anew,
    undoing.ReamortizationReversed: _owed_anew,
    ending.LoanChargedOff: lambda event, _: _off_the_books(event, 1),
    ending.ChargeOffReversed: lambda event, _: _off_the_books(event, -1),
    ending.RecoveryReceived: _recovered,
}
_RULES_BY_TOPIC = {topic: _RULES[kind] for topic, kind in TOPICS.items() if kind in _RULES}

POSTED = frozenset(_RULES_BY_TOPIC)
"""Topics whose events may post something."""
