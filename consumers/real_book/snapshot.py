"""The day on which the published figures were taken. It is not in the data; here is the evidence.

Whole instalments paid by current loans peak at five, four and three for loans issued in January,
February and March, so the day lies late in June 2018. Instalments are due on the issue day of every
month, and issue days cover their month. On day `d` of June a loan issued on a later day of its
month has paid one instalment less; so the share of loans one or more instalments short of the peak
estimates the share of days after `d`. The snapshot day is the one whose shares come nearest, by
least squares over the three months.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from consumers.real_book.dataset import PublishedLoan, PublishedStatus

SNAPSHOT_ON = date(2018, 6, 25)
PEAK_BY_MONTH: Mapping[date, int] = {
    date(2018, 1, 1): 5,
    date(2018, 2, 1): 4,
    date(2018, 3, 1): 3,
}
_CANDIDATES = range(15, 31)  # the second half of June


def whole_instalments(loan: PublishedLoan) -> int:
    """Count the instalments that the paid total amounts to, rounded to whole ones."""
    paid = loan.paid_principal_minor + loan.paid_interest_minor
    return round(Fraction(paid, loan.instalment_minor))


def short_shares(loans: Iterable[PublishedLoan]) -> dict[date, Fraction]:
    """Return, for each issue month, the share of current loans that are short of its peak."""
    counts = {month: [0, 0] for month in PEAK_BY_MONTH}
    for loan in loans:
        if loan.status is PublishedStatus.CURRENT:
            count = counts[loan.issue_month]
            count[0] += whole_instalments(loan) < PEAK_BY_MONTH[loan.issue_month]
            count[1] += 1
    return {month: Fraction(short, of) for month, (short, of) in counts.items() if of}


def estimate(loans: Iterable[PublishedLoan]) -> date:
    """Find the day of June 2018 that fits best. Raises ValueError when no loan is current."""
    shares = short_shares(loans)
    if not shares:
        raise ValueError("no current loan to estimate from")

    def misfit(day: int) -> Fraction:
        total = Fraction(0)
        for month, share in shares.items():
            days = monthrange(month.year, month.month)[1]
            total += (share - Fraction(max(0, days - day), days)) ** 2
        return total

    return date(2018, 6, min(_CANDIDATES, key=misfit))
