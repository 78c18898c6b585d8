"""Rounding of an instalment: to minor units, then to the product's multiple (domain rules, 5.3)."""

from decimal import Decimal

from domain.servicing.period import to_minor
from domain.servicing.terms import LoanTerms


def to_instalment(terms: LoanTerms, value: Decimal) -> int:
    """Round what was solved to an instalment the product allows, in minor units (P-48)."""
    return to_multiple(terms, to_whole(terms, value))


def to_whole(terms: LoanTerms, value: Decimal) -> int:
    """Round to minor units, in the direction of the product's instalments."""
    return to_minor(terms.inner_arithmetic().plus(value), terms.instalment_mode)


def to_multiple(terms: LoanTerms, amount: int) -> int:
    """Round an instalment to the product's multiple; if that leaves nothing, keep the amount."""
    multiple = terms.instalment_multiple_minor
    if not multiple:
        return amount
    rounded = to_minor(Decimal(amount) / multiple, terms.instalment_mode) * multiple
    return rounded or amount
