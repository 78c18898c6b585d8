"""A payout's plan is solved once for its decision and its fold, and for no other loan."""

from dataclasses import replace
from decimal import Decimal

from domain.events.disbursement import LoanDisbursed
from domain.loan.facts import begin
from tests.domain import test_any_life as lives


def test_a_loan_of_equal_terms_tells_its_own_as_they_were_agreed() -> None:
    """Found by comparing random lives: a rate of 0.120 was told as another loan's 0.12."""
    life = lives.paid_out(lives.PRODUCTS[0], {})
    told = next(event for event in life.events if isinstance(event, LoanDisbursed))
    assert life.state.terms is not None
    rates = [Decimal("0.12"), Decimal("0.120")]
    begun = [
        begin(life.state.conditions, replace(life.state.terms, rate_annual=rate), told)
        for rate in rates
    ]
    assert [str(one.terms.rate_annual) for one in begun] == ["0.12", "0.120"]
    assert begin(life.state.conditions, life.state.terms, told) is begin(
        life.state.conditions, life.state.terms, told
    )
