"""The line of days to come says what the engine says on each of them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.servicing import facts as f
from domain.servicing.accrual_line import AccrualLine, accrual_line
from domain.servicing.conventions import Factors, RoundingPlace
from domain.servicing.penalty import PenaltyTerms
from domain.servicing.restructuring import interest_owed
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import DaysInYear, Kind, Recalculation
from tests.domain.servicing.properties import facts_of, ordinary_terms
from tests.domain.servicing.random_lives import DAY, LENT, START

PLAIN = LoanTerms(
    principal_minor=LENT,
    rate_annual=Decimal("0.12"),
    instalments=6,
    expected_disbursement_on=START,
    day_count=DayCount.ACT_365F,
    recalculation=Recalculation.CONTINUOUS,
)


def _straight(r: Random) -> LoanTerms:
    """Draw terms of the kind that stored loans have."""
    while True:
        terms = replace(
            ordinary_terms(r),
            recalculation=Recalculation.CONTINUOUS,
            factors=Factors.EXACT,
            rounding_place=RoundingPlace.PER_PERIOD,
            interest_rounding=ROUND_HALF_UP,
            rounding=ROUND_HALF_EVEN,
            days_in_year=DaysInYear.D360,
            day_count=r.choice([None, DayCount.ACT_365F, DayCount.ACT_360]),
        )
        if terms.recalculates and not terms.validate():
            return terms


def _owed(timeline: Timeline, on: date) -> int:
    return timeline.read(lambda ledger: interest_owed(ledger, on), on)


def _line(timeline: Timeline, on: date) -> AccrualLine | None:
    return timeline.read(lambda ledger: accrual_line(ledger, on, interest_owed(ledger, on)), on)


def _paid_out(terms: LoanTerms) -> Timeline:
    paid_out = f.Disbursed(id="0", effective_on=START, entered_on=START, amount_minor=LENT)
    return Timeline.start(terms).record(paid_out)


@pytest.mark.property
@given(st.integers(min_value=0, max_value=2**63))
def test_a_line_that_holds_at_its_ends_holds_on_every_day_between(seed: int) -> None:
    """Source: architecture 4; domain rules 5.3, 9.10 "Period interest"."""
    r = Random(seed)  # noqa: S311 - a seeded run
    timeline = Timeline.start(_straight(r))
    for fact in facts_of(r)[: r.randint(1, 12)]:
        timeline = timeline.record(fact)
    on = max(fact.effective_on for fact in timeline.facts) + DAY * r.choice([0, 1, 9, 40])
    line = _line(timeline, on)
    if line is None or _owed(timeline, line.until_on) != line.owed(line.until_on):
        return
    assert line.owed(on) == _owed(timeline, on)
    while on < line.until_on:
        on += DAY * r.randint(1, 9)
        assert on > line.until_on or line.owed(on) == _owed(timeline, on)


def test_most_loans_have_one() -> None:
    """Paid or overdue, in mid-period or after maturity."""
    timeline, drawn = _paid_out(PLAIN), 0
    first = timeline.account.instalments[0]
    for on in (START + DAY * 9, first.due_on + DAY * 3, date(2025, 1, 1)):
        line = _line(timeline, on)
        assert line is not None
        assert [line.owed(day) for day in (on, line.until_on)] == [
            _owed(timeline, day) for day in (on, line.until_on)
        ]
        drawn += line.base_minor > 0
    assert drawn == 2


def test_there_is_none_where_days_do_not_weigh_alike_or_time_does_more() -> None:
    on = START + DAY * 40
    crooked = replace(PLAIN, day_count=DayCount.ACT_ACT_ISDA)
    markup = Decimal("0.5")
    penal = replace(PLAIN, penalty=PenaltyTerms(overdue_markup=markup, misuse_markup=2 * markup))
    assert _line(_paid_out(crooked), on) is None
    assert _line(_paid_out(penal), on) is None


def test_what_is_paid_on_the_day_counts_from_it() -> None:
    on = START + DAY * 9
    paid = f.Paid(id="1", effective_on=on, entered_on=on, kind=Kind.REPAYMENT, amount_minor=200_00)
    timeline = _paid_out(PLAIN).record(paid)
    line = _line(timeline, on)
    assert line is not None
    assert (line.from_on, line.base_minor < LENT) == (on, True)
    assert line.owed(on + timedelta(days=7)) == _owed(timeline, on + timedelta(days=7))
