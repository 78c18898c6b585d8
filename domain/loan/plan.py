"""The planned instalments of a loan: due dates, level instalment, interest and principal.

No payments here.
"""

from calendar import monthrange
from datetime import date
from decimal import Decimal, localcontext

from domain.loan.instalments import Instalment
from domain.loan.terms import RepaymentMethod, ScheduleDayCount, Terms
from domain.money import INTEREST_CONTEXT, WIDE_CONTEXT, to_minor


def due_date(anchor: date, months: int) -> date:
    """Return the anchor moved by whole months; a day the month lacks becomes its last."""
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month0 + 1, min(anchor.day, monthrange(year, month0 + 1)[1]))


def plan(
    terms: Terms,
    *,
    amount_minor: int,
    from_on: date,
    first_due_on: date | None = None,
    first_number: int = 1,
) -> tuple[Instalment, ...]:
    """Lay out `terms.instalments` monthly rows for `amount_minor` from `from_on`.

    `first_due_on` None: one month later. The last row takes the residue, so principal sums to the
    amount exactly (domain rules, 5.1).
    """
    dues = due_dates(from_on, first_due_on, terms.instalments)
    with localcontext(WIDE_CONTEXT):
        factors = _period_factors(terms, from_on, dues)
        level = _level_instalment(terms, amount_minor, factors)
        rows: list[Instalment] = []
        balance, begin, last = amount_minor, from_on, len(dues) - 1
        for k, (due_on, factor) in enumerate(zip(dues, factors, strict=True)):
            # Cut to 19 digits before it is rounded: half a cent stays half a cent (domain.money).
            earned = INTEREST_CONTEXT.multiply(Decimal(balance), factor)
            interest = to_minor(earned, terms.interest_rounding.value)
            principal = balance if k == last else _principal(terms, level, interest, balance)
            rows.append(
                Instalment(
                    number=first_number + k,
                    from_on=begin,
                    due_on=due_on,
                    principal_minor=principal,
                    interest_minor=interest,
                )
            )
            balance -= principal
            begin = due_on
    return tuple(rows)


def level_instalment(terms: Terms, *, from_on: date) -> int:
    """Return the instalment that a plan of these terms is built on, in minor units (annuity.

    等额本息).
    """
    with localcontext(WIDE_CONTEXT):
        dues = due_dates(from_on, None, terms.instalments)
        factors = _period_factors(terms, from_on, dues)
        return _level_instalment(terms, terms.principal_minor, factors)


def due_dates(from_on: date, first_due_on: date | None, instalments: int) -> list[date]:
    """Return the monthly due dates, counted from the anchor so that month ends do not drift."""
    if first_due_on is None:
        return [due_date(from_on, k + 1) for k in range(instalments)]
    return [due_date(first_due_on, k) for k in range(instalments)]


def _period_factors(terms: Terms, from_on: date, dues: list[date]) -> list[Decimal]:
    """Return the interest of one unit of balance per period, as a fraction."""
    if terms.day_count is ScheduleDayCount.THIRTY_360_PROPORTIONAL:
        whole = terms.rate_annual / 12
        factors = [whole] * len(dues)
        if dues[0] != due_date(
            from_on, 1
        ):  # a first period that is not a month is prorated by days
            month_start = due_date(dues[0], -1)
            factors[0] = whole * (dues[0] - from_on).days / (dues[0] - month_start).days
        return factors
    begins = [from_on, *dues[:-1]]
    return [
        terms.rate_annual * (due - begin).days / 365
        for begin, due in zip(begins, dues, strict=True)
    ]


def _level_instalment(terms: Terms, amount_minor: int, factors: list[Decimal]) -> int:
    """Solve A = P * prod(1 + i_k) / fn with fn_k = fn_(k-1) * (1 + i_k) + 1 (domain rules, 5.1)."""
    mode = terms.instalment_rounding.value
    if terms.method is RepaymentMethod.EQUAL_PRINCIPAL:
        return to_minor(Decimal(amount_minor) / len(factors), mode)
    growth, fn = 1 + factors[0], Decimal(1)
    for factor in factors[1:]:
        growth *= 1 + factor
        fn = fn * (1 + factor) + 1
    return to_minor(amount_minor * growth / fn, mode)


def _principal(terms: Terms, level: int, interest: int, balance: int) -> int:
    wanted = level if terms.method is RepaymentMethod.EQUAL_PRINCIPAL else level - interest
    return min(max(wanted, 0), balance)
