"""The textbook repayment methods as pure functions, for quotes, disclosure and as oracles in tests.

Not the servicing engine: no payments, no allocation, nothing that happens to a loan over time.
A period's factor is the interest of one unit of balance over that period, as a fraction. It has
more digits than the products, so that what is exactly half a cent is rounded as half a cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise

from domain.calendar import DUE_DATES_MAX
from domain.daycount import DayCount, ReferencePeriods, year_fraction
from domain.errors import Rejected
from domain.money import AMOUNT_MINOR_MAX, INTEREST_CONTEXT, WIDE_CONTEXT, to_minor

FACTOR_MAX = Decimal(10)
"""Largest interest of one period; above it a rate was surely meant as a percentage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentRounding:
    """How a method rounds: everything by `mode`, the instalment then to `multiple_minor`."""

    mode: str = ROUND_HALF_UP
    multiple_minor: int = 1

    def instalment(self, value: Decimal) -> int:
        """Round to minor units, then to the multiple; what that makes 0 keeps its cents."""
        minor = to_minor(value, self.mode)
        multiple = self.multiple_minor
        return to_minor(Decimal(minor) / multiple, self.mode) * multiple or minor


DEFAULT_ROUNDING = InstalmentRounding()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instalment of a plan, in minor units; `balance_minor` is what is left after it."""

    number: int
    principal_minor: int
    interest_minor: int
    balance_minor: int
    fee_minor: int = 0

    @property
    def payment_minor(self) -> int:
        """What the borrower pays."""
        return self.principal_minor + self.interest_minor + self.fee_minor


def equal_factors(rate_annual: Decimal, periods_per_year: int, count: int) -> tuple[Decimal, ...]:
    """Return `count` equal factors: monthly rate = annual / 12 (domain rules, 5.1).

    Raises Rejected `too_many_instalments`.
    """
    _check_count(count)
    with localcontext(WIDE_CONTEXT):
        return (rate_annual / periods_per_year,) * count


def dated_factors(
    rate_annual: Decimal,
    convention: DayCount,
    dates: Sequence[date],
    reference: ReferencePeriods | None = None,
) -> tuple[Decimal, ...]:
    """Return the factor of each period between consecutive dates, the last being the termination.

    `reference` as for `year_fraction`. Raises ValueError for dates that go back.
    """
    with localcontext(WIDE_CONTEXT):
        fractions = (
            year_fraction(convention, start, end, termination_on=dates[-1], reference=reference)
            for start, end in pairwise(dates)
        )
        return tuple(rate_annual * part.numerator / part.denominator for part in fractions)


def interest_free(factors: Sequence[Decimal], periods: int) -> tuple[Decimal, ...]:
    """Return the factors with the first `periods` earning nothing (免息期; domain rules, P-26)."""
    if not 0 <= periods <= len(factors):
        detail = f"{periods} interest-free periods of {len(factors)}"
        raise Rejected("grace_out_of_range", detail, "interest_free_periods")
    return (Decimal(0),) * periods + tuple(factors[periods:])


def level_instalment(
    principal_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
) -> int:
    """Return the level instalment A = P x prod(1 + i_k) / fn, fn_k = fn_(k-1) (1 + i_k) + 1.

    For equal factors this is A = P i (1+i)^n / ((1+i)^n - 1), for zero ones P / n (rules, 5.1).
    Raises Rejected as `annuity` does.
    """
    _check(principal_minor, factors)
    with localcontext(INTEREST_CONTEXT):
        growth, fn = Decimal(1), Decimal(0)
        for factor in factors:
            growth *= 1 + factor
            fn = fn * (1 + factor) + 1
        return rounding.instalment(principal_minor * growth / fn)


def annuity(
    principal_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
    principal_grace: int = 0,
) -> tuple[Row, ...]:
    """Lay out 等额本息: level instalments; the last absorbs the rounding (domain rules, 5.1).

    In the first `principal_grace` periods only interest is due, and the instalment is solved over
    the others. Raises Rejected: `amount_out_of_range`, `too_many_instalments`,
    `rate_out_of_range`, `grace_out_of_range`, `negative_amortisation`.
    """
    _check(principal_minor, factors)
    _check_grace(principal_grace, len(factors))
    level = level_instalment(principal_minor, factors[principal_grace:], rounding)
    with localcontext(INTEREST_CONTEXT):
        rows: list[Row] = []
        balance = principal_minor
        for number, factor in enumerate(factors, 1):
            interest = to_minor(balance * factor, rounding.mode)
            if number <= principal_grace:
                principal = 0
            elif number == len(factors):
                principal = balance
            else:
                principal = min(level - interest, balance)
            if principal < 0:
                detail = f"interest {interest} of period {number} is above the instalment {level}"
                raise Rejected("negative_amortisation", detail)
            balance -= principal
            rows.append(_row(number, principal, interest, balance))
    return tuple(rows)


def equal_principal(
    principal_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
    principal_grace: int = 0,
) -> tuple[Row, ...]:
    """Lay out 等额本金: equal parts of principal, the last the rest; interest on the balance (5.1).

    Raises Rejected as `annuity` does.
    """
    _check(principal_minor, factors)
    _check_grace(principal_grace, len(factors))
    with localcontext(INTEREST_CONTEXT):
        part = rounding.instalment(Decimal(principal_minor) / (len(factors) - principal_grace))
        rows: list[Row] = []
        balance = principal_minor
        for number, factor in enumerate(factors, 1):
            interest = to_minor(balance * factor, rounding.mode)
            principal = 0 if number <= principal_grace else min(part, balance)
            if number == len(factors):
                principal = balance
            balance -= principal
            rows.append(_row(number, principal, interest, balance))
    return tuple(rows)


def interest_then_principal(
    principal_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
) -> tuple[Row, ...]:
    """Lay out 先息后本: interest each period, the principal with the last (domain rules, 5.1).

    Raises Rejected as `annuity` does.
    """
    return equal_principal(principal_minor, factors, rounding, len(factors) - 1)


def bullet(
    principal_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
) -> tuple[Row, ...]:
    """Lay out 到期一次性还本付息: one row with simple interest over all the periods (rules, 5.1).

    Raises Rejected as `annuity` does.
    """
    _check(principal_minor, factors)
    with localcontext(WIDE_CONTEXT):
        factor = sum(factors, Decimal(0))
    with localcontext(INTEREST_CONTEXT):
        interest = to_minor(principal_minor * factor, rounding.mode)
    return (_row(1, principal_minor, interest, 0),)


def flat_fee(
    principal_minor: int,
    fee_rate: Decimal,
    instalments: int,
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
) -> tuple[Row, ...]:
    """Lay out 按初始本金收费: equal principal and a fee of `fee_rate` of the first principal each.

    Twelve times the fee rate is not the cost of it: `domain.disclosure.china.flat_fee_cost`.
    Raises Rejected as `annuity` does.
    """
    _check_count(instalments)
    _check(principal_minor, (fee_rate,) * instalments)
    with localcontext(INTEREST_CONTEXT):
        fee = to_minor(principal_minor * fee_rate, rounding.mode)
    parts = _parts(principal_minor, instalments, rounding)
    rows: list[Row] = []
    balance = principal_minor
    for number, part in enumerate(parts, 1):
        balance -= part
        rows.append(_row(number, part, 0, balance, fee))
    return tuple(rows)


def equal_amortisation(
    principal_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
) -> tuple[Row, ...]:
    """Spread principal and the annuity's total interest evenly over the instalments (rules, P-38).

    Raises Rejected as `annuity` does.
    """
    total = sum(row.interest_minor for row in annuity(principal_minor, factors, rounding))
    principals = _parts(principal_minor, len(factors), rounding)
    interests = _parts(total, len(factors), rounding)
    rows: list[Row] = []
    balance = principal_minor
    for number, (principal, interest) in enumerate(zip(principals, interests, strict=True), 1):
        balance -= principal
        rows.append(_row(number, principal, interest, balance))
    return tuple(rows)


def fixed_instalment(
    principal_minor: int,
    instalment_minor: int,
    factors: Sequence[Decimal],
    rounding: InstalmentRounding = DEFAULT_ROUNDING,
) -> tuple[Row, ...]:
    """Pay a given instalment until nothing is left; how many follow from it, the last is smaller.

    `factors` are those of the longest term allowed. Raises Rejected `instalment_too_small` when
    they do not suffice, and as `annuity` does (domain rules, 5.1).
    """
    _check(principal_minor, factors)
    with localcontext(INTEREST_CONTEXT):
        rows: list[Row] = []
        balance = principal_minor
        for number, factor in enumerate(factors, 1):
            interest = to_minor(balance * factor, rounding.mode)
            principal = min(instalment_minor - interest, balance)
            if principal <= 0:
                break
            balance -= principal
            rows.append(_row(number, principal, interest, balance))
            if not balance:
                return tuple(rows)
    detail = f"{instalment_minor} does not repay {principal_minor} in {len(factors)} periods"
    raise Rejected("instalment_too_small", detail, "instalment")


def _parts(amount_minor: int, count: int, rounding: InstalmentRounding) -> tuple[int, ...]:
    """Cut an amount into equal rounded parts; the last takes the rest, none goes below zero."""
    with localcontext(INTEREST_CONTEXT):
        part = rounding.instalment(Decimal(amount_minor) / count)
    parts: list[int] = []
    left = amount_minor
    for _ in range(count - 1):
        parts.append(min(part, left))
        left -= parts[-1]
    return (*parts, left)


def _row(number: int, principal: int, interest: int, balance: int, fee: int = 0) -> Row:
    return Row(
        number=number,
        principal_minor=principal,
        interest_minor=interest,
        balance_minor=balance,
        fee_minor=fee,
    )


def _check(principal_minor: int, factors: Sequence[Decimal]) -> None:
    if not 1 <= principal_minor <= AMOUNT_MINOR_MAX:
        detail = f"principal is 1 to {AMOUNT_MINOR_MAX} minor units, not {principal_minor}"
        raise Rejected("amount_out_of_range", detail, "principal")
    _check_count(len(factors))
    for factor in factors:
        if not 0 <= factor <= FACTOR_MAX:
            detail = f"the interest of one period is 0 to {FACTOR_MAX}, not {factor}"
            raise Rejected("rate_out_of_range", detail, "rate_annual")


def _check_count(instalments: int) -> None:
    if not 1 <= instalments <= DUE_DATES_MAX:
        detail = f"a schedule has 1 to {DUE_DATES_MAX} instalments, not {instalments}"
        raise Rejected("too_many_instalments", detail, "instalments")


def _check_grace(periods: int, instalments: int) -> None:
    if not 0 <= periods < instalments:
        detail = f"{periods} periods of principal grace of {instalments}"
        raise Rejected("grace_out_of_range", detail, "principal_grace")
