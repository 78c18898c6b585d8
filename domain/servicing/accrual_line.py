"""Interest owed on days on which nothing happens: a straight line, rounded once.

It looks at a state and changes none. Where a line cannot be vouched for there is none. Source:
architecture 4 (a close may use a compiled line); domain rules 5.3, 9.10 "Period interest".
"""

import decimal
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from domain.daycount import fixed_year
from domain.servicing.conventions import Factors, RoundingPlace
from domain.servicing.ledger import Ledger
from domain.servicing.passing import time_matters
from domain.servicing.period import Period, Sub, to_minor
from domain.servicing.plan import Plan
from domain.servicing.rate_factor import EXACT, exact_factor
from domain.servicing.terms import LoanTerms
from domain.servicing.values import DaysInYear, OverdueInterest, Recalculation

DAY = timedelta(days=1)
AFTER_MATURITY = timedelta(days=366)


class AccrualLine(NamedTuple):
    """What is owed on a day is `fixed_minor` and what the running period earned up to it.

    The period earned `earned` before `from_on`, and since then on `base_minor` the factor's share
    of the days that passed. Amounts in minor units.
    """

    until_on: date  # the last day it holds for
    from_on: date
    fixed_minor: int
    earned: Decimal  # exact
    base_minor: int
    factor: Decimal  # of the whole period
    period_days: int
    digits: int  # exact sums are cut to so many significant digits before they are rounded

    def owed(self, on: date) -> int:
        """Interest owed on a day, minor units."""
        return max(0, self.fixed_minor + self._earned_by(on))

    def _earned_by(self, on: date) -> int:
        days = Decimal((on - self.from_on).days)
        grown = EXACT.multiply(EXACT.multiply(Decimal(self.base_minor), self.factor), days)
        exact = EXACT.add(self.earned, EXACT.divide(grown, Decimal(self.period_days)))
        cut = decimal.Context(prec=self.digits, rounding=decimal.ROUND_HALF_EVEN)
        return to_minor(cut.plus(exact), decimal.ROUND_HALF_UP)


def accrual_line(ledger: Ledger, on: date, owed_minor: int) -> AccrualLine | None:
    """Draw the line from a day on, by the state of that day; None where there is none.

    `owed_minor`: the `interest_owed` on that day, which whoever asks has seen.
    """
    if not _is_straight(ledger):
        return None
    plan, terms = ledger.plan, ledger.terms
    if on >= plan.maturity:
        return _after_maturity(ledger, on, owed_minor)
    index = plan.period_on(on)
    if index is not None and on == plan.periods[index].due_on:
        index += 1  # the days to come are those of the next one
    if index is None or index < terms.interest_free_periods:
        return None
    if time_matters(ledger, plan.periods[index].due_on + DAY):
        return None
    line = _in_period(plan, index, on)
    return line and line._replace(fixed_minor=owed_minor - line.owed(on))


def _after_maturity(ledger: Ledger, on: date, owed_minor: int) -> AccrualLine | None:
    """Draw a flat line: after maturity nothing is earned any more."""
    until = on + AFTER_MATURITY
    if time_matters(ledger, until + DAY):
        return None
    return AccrualLine(
        until_on=until,
        from_on=on,
        fixed_minor=owed_minor,
        earned=Decimal(0),
        base_minor=0,
        factor=Decimal(0),
        period_days=1,
        digits=ledger.terms.precision,
    )


def _in_period(plan: Plan, index: int, on: date) -> AccrualLine | None:
    terms, period = plan.terms, plan.periods[index]
    whole = (period.from_on, period.due_on)
    found = period.find_sub(on, first_period=True)
    later = [] if found is None else period.subs[found + 1 :]
    if found is None or any(sub.paused for sub in period.subs[found:]) or len(later) > 1:
        return None
    sub = period.subs[found]
    if on == period.from_on and not later:
        start, base, before = on, sub.balance + _overdue(plan, terms, on), 0
    elif sub.due_on == on and later:  # what moves on the day counts from the next one
        start, base, before = on, later[0].balance + _overdue(plan, terms, on), found + 1
    elif not later:
        start, base, before = sub.from_on, sub.balance, found
    else:
        return None
    return AccrualLine(
        until_on=period.due_on,
        from_on=start,
        fixed_minor=0,
        earned=_earned(period, period.subs[:before], terms),
        base_minor=base,
        factor=exact_factor(
            terms, plan.rate_on(start), whole, whole, (plan.start_on, plan.maturity)
        ),
        period_days=(period.due_on - period.from_on).days,
        digits=terms.precision,
    )


def _is_straight(ledger: Ledger) -> bool:
    """Whether interest grows with the days of a period alone, and is rounded once, half up."""
    terms = ledger.terms
    if terms.day_count is None:
        by_days = terms.days_in_year is not DaysInYear.ACTUAL
    else:
        by_days = fixed_year(terms.day_count) is not None
    return (
        by_days
        and ledger.recalculates
        and terms.recalculation is Recalculation.CONTINUOUS
        and terms.factors is Factors.EXACT
        and terms.rounding_place is RoundingPlace.PER_PERIOD
        and terms.interest_rounding == decimal.ROUND_HALF_UP
        and terms.rounding == decimal.ROUND_HALF_EVEN
        and not ledger.plan.flat
    )


def _overdue(plan: Plan, terms: LoanTerms, on: date) -> int:
    """Principal that was due by a day, is not paid and goes on earning."""
    if terms.overdue_interest is not OverdueInterest.EARNS:
        return 0
    return sum(p.outstanding_principal for p in plan.open_periods if p.due_on <= on)


def _earned(period: Period, subs: list[Sub], terms: LoanTerms) -> Decimal:
    total = Decimal(0)
    for sub in subs:
        total = EXACT.add(total, sub.interest(sub.balance, period.due_on, terms.factors))
    return total
