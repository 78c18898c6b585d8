"""复利 on unpaid penalties, where a product agrees it: from the end of each month on.

10,000.00 at 12 % falls due on 15 February with 100.00 of interest. At +50 % thirteen days cost
65.00 on the principal and 0.65 on the interest; from 28 February on these bear the rate too.
"""

from dataclasses import replace
from datetime import date

import pytest

from domain.commands import servicing as cs
from domain.events.arrears import LoanClass
from domain.loan.terms import Compounding, Conditions
from domain.servicing.explain_penalties import explain_penalties
from tests.support.lives import LOAN, Life, close, pay
from tests.support.penal import (
    AGREED,
    FOLLOWING,
    MONTH_END,
    PENAL,
    by_days,
    charged,
    holds,
    penal,
)

ON_PENALTIES = replace(AGREED, compounds=Compounding.INTEREST_AND_PENALTY)
MARCH = date(2018, 3, 31)


def lent(conditions: Conditions = PENAL) -> Life:
    return penal(replace(conditions, penalty=ON_PENALTIES))


@pytest.mark.parametrize("conditions", [PENAL, FOLLOWING], ids=["planned", "following"])
def test_unpaid_penalties_bear_the_rate_from_the_end_of_a_month_on(conditions: Conditions) -> None:
    """Source: domain rules, 5.4 `compound_on_penalty`: 165.65 at 18 % for 31 days is 2.567575."""
    life = lent(conditions).when(close(MONTH_END)).when(close(MARCH))
    assert charged(holds(life)) == [(MONTH_END, 6_500, 65), (MARCH, 15_500, 322 - 65)]


def test_penalties_that_were_paid_bear_nothing() -> None:
    life = lent().when(pay(6_565, MONTH_END)).when(close(MARCH))
    assert charged(holds(life))[-1] == (MARCH, 15_500, 155)


def test_looking_on_any_day_changes_nothing() -> None:
    """Source: domain rules, 10: a class recorded in the middle of a month lets penalties run."""
    end = by_days(60)
    plain, looked_at = lent(), lent()
    for turn, days in enumerate((3, 13, 14, 30, 44, 45)):
        told = cs.ClassifyLoan(
            loan_id=LOAN,
            effective_on=by_days(days),
            loan_class=LoanClass.DOUBTFUL if turn % 2 else LoanClass.LOSS,
        )
        looked_at.when(told, reason="seen")
    found = [
        explain_penalties(life.state.timeline.account_as_of(end))
        for life in (plain, looked_at)
        if life.state.timeline is not None
    ]
    assert found[0] == found[1]
    assert found[0][0].compound_minor > 60 * 5
