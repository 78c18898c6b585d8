"""What the engine says about a loan at the end of a day, beside what was published."""

from dataclasses import dataclass, replace
from datetime import date

from domain.loan.arrears import days_past_due, overdue
from domain.loan.booking import balances_of, instalment
from domain.loan.instalments import Instalment
from domain.loan.state import Loan
from domain.servicing.accrual_line import AccrualLine, accrual_line
from domain.servicing.ledger import Ledger
from domain.servicing.restructuring import interest_owed


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """Amounts in minor units of the loan's currency."""

    days_past_due: int
    principal_minor: int
    overdue_principal_minor: int
    overdue_interest_minor: int
    overdue_fee_minor: int
    overdue_penalty_minor: int
    accrued_interest_minor: int  # owed to the day (算头不算尾; domain rules, 5.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """A loan's figures on the days from one on, as long as nothing happens."""

    on: date
    figures: DayFigures
    accrual: AccrualLine

    def figures_on(self, on: date) -> DayFigures:
        """Figures of a day from `on` until the line ends; of an overdue loan its age grows too."""
        late = self.figures.days_past_due
        return replace(
            self.figures,
            days_past_due=late and late + (on - self.on).days,
            accrued_interest_minor=self.accrual.owed(on),
        )


def day_figures(loan: Loan, on: date) -> DayFigures:
    """Look at a loan that was paid out, as of a day: later facts do not count."""
    if loan.timeline is None:
        raise ValueError("a loan that was not paid out has no day")
    return loan.timeline.read(lambda ledger: _figures(loan, ledger, on), on)


def day_line(loan: Loan, on: date) -> tuple[DayFigures, DayLine | None]:
    """Say a loan's figures of a day, and of the days to come; None: ask again every day.

    The line is held beside the engine where it ends, so that it is never used on trust.
    """
    if loan.timeline is None:
        raise ValueError("a loan that was not paid out has no day")

    def view(ledger: Ledger) -> tuple[DayFigures, AccrualLine | None]:
        figures = _figures(loan, ledger, on)
        return figures, accrual_line(ledger, on, figures.accrued_interest_minor)

    figures, accrual = loan.timeline.read(view, on)
    if accrual is None or not loan.timeline.seen_on(on):
        return figures, None  # or a later fact is known, which counts on a day to come
    line = DayLine(on=on, figures=figures, accrual=accrual)
    end = accrual.until_on
    agrees = line.figures_on(on) == figures and line.figures_on(end) == day_figures(loan, end)
    return figures, line if agrees else None


def _figures(loan: Loan, ledger: Ledger, on: date) -> DayFigures:
    rows: list[Instalment] = [instalment(row, on) for row in ledger.rows if row.outstanding]
    late = overdue(rows, on, loan.conditions)
    return DayFigures(
        days_past_due=days_past_due(late, on),
        principal_minor=balances_of(rows, ledger.overpaid).principal_minor,
        overdue_principal_minor=sum(row.principal_left_minor for row in late),
        overdue_interest_minor=sum(row.interest_left_minor for row in late),
        overdue_fee_minor=sum(row.fee_left_minor for row in late),
        overdue_penalty_minor=sum(row.penalty_left_minor for row in late),
        accrued_interest_minor=interest_owed(ledger, on),
    )
