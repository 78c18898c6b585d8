"""What a repayment method cannot be combined with, and what it needs. It looks at terms only."""

from collections.abc import Iterator
from itertools import pairwise

from domain.calendar import BusinessDayRule
from domain.servicing.conventions import Residue
from domain.servicing.down_payment import down_payment_of
from domain.servicing.term_parts import Refusal, Unsound
from domain.servicing.terms import LoanTerms
from domain.servicing.values import (
    Amortisation,
    InterestMethod,
    PreClose,
    Recalculation,
    Strategy,
    Unit,
)

LEVEL = frozenset({Amortisation.EQUAL_INSTALMENTS})
OF_THE_CUMULATIVE = frozenset({Amortisation.EQUAL_INSTALMENTS, Amortisation.EQUAL_PRINCIPAL})


def method_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    """Return the reasons one by one."""
    if terms.cumulative:
        yield from _cumulative_refusals(terms)
    elif terms.amortisation not in LEVEL:
        yield from _needs_level_instalments(terms)
    yield from _recalculation_refusals(terms)
    yield from _fixed_instalment_refusals(terms)
    if terms.amortisation is Amortisation.CUSTOM:
        yield from _custom_refusals(terms)
    elif terms.custom:
        yield _no("custom", Unsound.NOT_USED, f"{terms.amortisation} has no list")


def _no(field: str, code: Unsound, reason: str) -> Refusal:
    return Refusal(field=field, code=code, reason=reason)


def _cumulative_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if terms.amortisation not in OF_THE_CUMULATIVE:
        yield _no("amortisation", Unsound.NOT_OFFERED, "needs a progressive schedule")
    if terms.repayment_unit in (Unit.QUARTERS, Unit.YEARS):
        yield _no("repayment_unit", Unsound.NOT_OFFERED, "cumulative: days, weeks or months")
    followed = terms.recalculation is not Recalculation.NONE
    if followed and terms.strategy is Strategy.ADVANCED:
        yield _no("strategy", Unsound.NOT_OFFERED, "a cumulative plan follows a legacy order")


def _needs_level_instalments(terms: LoanTerms) -> Iterator[Refusal]:
    reason = f"not with {terms.amortisation}"
    if terms.interest_method is InterestMethod.FLAT:
        yield _no("interest_method", Unsound.NEEDS_LEVEL_INSTALMENTS, reason)
    if terms.residue is Residue.SMOOTHED:
        yield _no("residue", Unsound.NEEDS_LEVEL_INSTALMENTS, reason)
    if terms.pre_close is PreClose.TILL_REST_FREQUENCY_DATE:
        yield _no("pre_close", Unsound.NEEDS_LEVEL_INSTALMENTS, reason)
    if terms.full_term_tranches:
        yield _no("full_term_tranches", Unsound.NEEDS_LEVEL_INSTALMENTS, reason)
    if terms.explicit_periods:
        yield _no("explicit_periods", Unsound.NEEDS_LEVEL_INSTALMENTS, reason)


def _recalculation_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    recalculates = terms.recalculation is not Recalculation.NONE
    if terms.interest_method is InterestMethod.FLAT and recalculates:
        yield _no("recalculation", Unsound.NOT_OFFERED, "flat interest follows no payment")
    if terms.amortisation is Amortisation.EQUAL_AMORTISATION and recalculates:
        reason = "equal amortisation spreads its interest once"
        yield _no("recalculation", Unsound.NOT_OFFERED, reason)
    level = terms.amortisation in LEVEL and not terms.cumulative
    if recalculates and level and terms.grace_on_interest:
        reason = "level instalments that follow payments collect interest as it falls due"
        yield _no("grace_on_interest", Unsound.NOT_OFFERED, reason)
    if recalculates and not terms.cumulative and terms.strategy is not Strategy.ADVANCED:
        yield _no("strategy", Unsound.NOT_OFFERED, "a plan that follows payments needs a table")
    if terms.amortisation is Amortisation.REVOLVING and not recalculates:
        reason = "a revolving loan earns on what was drawn and repaid (随借随还)"
        yield _no("recalculation", Unsound.RECALCULATION_MISSING, reason)


def _fixed_instalment_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    fixed = terms.amortisation is Amortisation.FIXED_INSTALMENT
    if fixed and terms.instalment_minor is None:
        yield _no("instalment_minor", Unsound.FIELD_MISSING, "the instalment is not given")
    elif fixed and (terms.instalment_minor or 0) < 1:
        yield _no("instalment_minor", Unsound.AMOUNT_OUT_OF_RANGE, "must be positive")
    elif not fixed and terms.instalment_minor is not None:
        yield _no("instalment_minor", Unsound.NOT_USED, f"{terms.amortisation} solves its own")
    for field in ("grace_on_principal", "grace_on_interest"):
        if fixed and getattr(terms, field):
            yield _no(field, Unsound.NOT_OFFERED, "the instalment is given")


def _custom_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    rows = terms.custom
    if len(rows) != terms.instalments:
        reason = f"{len(rows)} are listed and {terms.instalments} announced"
        yield _no("custom", Unsound.CUSTOM_INCONSISTENT, reason)
    if not rows:
        return
    start = terms.submitted_on or terms.expected_disbursement_on
    dues = [min(start, terms.expected_disbursement_on), *(row.due_on for row in rows)]
    if any(later <= earlier for earlier, later in pairwise(dues)):
        yield _no("custom", Unsound.DUE_DATES_OUT_OF_ORDER, "each is due after the one before")
    yield from _custom_amount_refusals(terms)
    for field in ("due_day", "first_due_on", "matures_on", "fixed_length"):
        if getattr(terms, field) is not None:
            yield _no(field, Unsound.DATES_GIVEN_TWICE, "the list has its own dates")
    if terms.business_days is not BusinessDayRule.NONE:
        yield _no("business_days", Unsound.DATES_GIVEN_TWICE, "the list has its own dates")
    if terms.grace_on_principal:
        yield _no("grace_on_principal", Unsound.NOT_OFFERED, "the list says what is due when")


def _custom_amount_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    *before, last = terms.custom
    if last.principal_minor is not None or last.instalment_minor is not None:
        yield _no("custom", Unsound.CUSTOM_INCONSISTENT, "the last one is open: it takes the rest")
    principals = [row.principal_minor for row in before if row.principal_minor is not None]
    wholes = [row.instalment_minor for row in before if row.instalment_minor is not None]
    if len(principals) + len(wholes) != len(before) or (principals and wholes):
        reason = "each but the last has its principal, or each the whole of it"
        yield _no("custom", Unsound.CUSTOM_INCONSISTENT, reason)
    if min([*principals, *wholes], default=0) < 0:
        yield _no("custom", Unsound.AMOUNT_OUT_OF_RANGE, "not negative")
    if sum(principals) > terms.principal_minor - down_payment_of(terms, terms.principal_minor):
        yield _no("custom", Unsound.CUSTOM_INCONSISTENT, "more principal than is lent")
