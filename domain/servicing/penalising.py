"""Lets penalty interest 罚息 and compound interest 复利 run on what is overdue, day after day.

It runs from the day an instalment fell due until it is paid: on its unpaid principal and on its
unpaid interest, each kept exactly and rounded as a whole, so that looking on a day changes nothing.
Funds used against the contract cost the heavier rate, also on principal that is not due yet. Where
unpaid penalties bear the rate too, they do from the end of the month in which they ran.
Source: domain rules, 5.4.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from operator import add

from domain.calendar import is_month_end
from domain.daycount import year_fraction
from domain.money import WIDE_CONTEXT, to_minor
from domain.servicing.ledger import Ledger
from domain.servicing.penalty import Breach, PenaltyTerms, penalty_rate
from domain.servicing.row import I, N, P, Penalised, PenaltyInterest, PenaltyStretch, Row


def penalise(ledger: Ledger, until: date) -> None:
    """Let penalties run up to a day and fall due on the rows that they are for."""
    terms = ledger.terms.penalty
    since = ledger.penalised_through
    if terms is None or until <= since:
        return
    ledger.penalised_through = until
    if ledger.charged_off_on is not None or ledger.written_off:
        return
    for stretch in pairwise(_days_of_change(ledger, since, until)):
        for row in ledger.open_rows:
            _run(ledger, row, terms, stretch)


def penalties_run(ledger: Ledger, until: date) -> bool:
    """Whether penalties differ on a day from what they are now."""
    if ledger.terms.penalty is None or until <= ledger.penalised_through:
        return False
    misused = ledger.misused_on is not None
    return any(row.outstanding and (misused or row.due_on < until) for row in ledger.open_rows)


def _days_of_change(ledger: Ledger, since: date, until: date) -> list[date]:
    changes = {row.due_on for row in ledger.rows} | {on for on, _ in ledger.plan.rates}
    terms = ledger.terms.penalty
    if terms is not None and terms.policy.compound_on_penalty:
        days = map(date.fromordinal, range(since.toordinal() + 1, until.toordinal()))
        changes.update(filter(is_month_end, days))
    return sorted({since, until} | {on for on in changes if since < on < until})


def _run(ledger: Ledger, row: Row, terms: PenaltyTerms, stretch: tuple[date, date]) -> None:
    found = row.penalty_interest or PenaltyInterest()
    if is_month_end(stretch[0]) and found.settled != found.asked:
        found = row.penalty_interest = replace(found, settled=found.asked)
    bears = list(_bases(ledger, row, terms, stretch[0]))
    if not any(base for _, base, _ in bears):
        return
    part = year_fraction(terms.day_count, *stretch)
    before, stretches = _asked(found, ledger), found.stretches
    for kind, base, rate in bears:
        earned = Fraction(base) * Fraction(rate) * part
        found = replace(found, **{kind: getattr(found, kind) + earned})
        if earned:
            stretches = _with(stretches, PenaltyStretch(kind, *stretch, base, rate, earned))
    after = _asked(found, ledger)
    more = after - before
    row.penalty_interest = replace(found, asked=sum(after), stretches=stretches)
    ledger.penalised = Penalised(*map(add, ledger.penalised, more))
    if any(more):
        row.ask(N, sum(more), row.met_on)


def _asked(found: PenaltyInterest, ledger: Ledger) -> Penalised:
    return Penalised(_rounded(found.penalty, ledger), _rounded(found.compound, ledger))


def _with(stretches: tuple[PenaltyStretch, ...], new: PenaltyStretch) -> tuple[PenaltyStretch, ...]:
    """Add days, to those before them where nothing else changed: looking changes nothing."""
    for place, old in enumerate(stretches):
        same = (old.kind, old.base_minor, old.rate_annual) == (
            new.kind, new.base_minor, new.rate_annual,
        )  # fmt: skip
        if same and old.until_on == new.from_on:
            longer = old._replace(until_on=new.until_on, earned=old.earned + new.earned)
            return (*stretches[:place], longer, *stretches[place + 1 :])
    return (*stretches, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    overdue: Decimal
    beside: Decimal  # above the contract rate, on principal that earns it already


def _rates(ledger: Ledger, terms: PenaltyTerms, on: date) -> _Rates:
    contract = ledger.plan.rate_on(ledger.terms.counts_from(on))
    misused = ledger.misused_on is not None
    breaches = {Breach.OVERDUE, Breach.MISUSE} if misused else {Breach.OVERDUE}
    beside = penalty_rate(contract, terms, {Breach.MISUSE}) - contract if misused else Decimal(0)
    return _Rates(overdue=penalty_rate(contract, terms, breaches), beside=beside)


def _bases(
    ledger: Ledger, row: Row, terms: PenaltyTerms, on: date
) -> Iterator[tuple[str, int, Decimal]]:
    """Give what bears which rate on a row: matured parts, or principal of a misused loan."""
    rates = _rates(ledger, terms, on)
    if row.due_on > on:
        yield "penalty", row.outstanding_of(P), rates.beside
        return
    yield "penalty", row.outstanding_of(P), rates.overdue
    if not terms.compounds:
        return
    unpaid = row.outstanding_of(I)
    found = row.penalty_interest
    if terms.policy.compound_on_penalty and found is not None:
        since_settled = found.asked - found.settled
        unpaid += max(0, min(found.asked, row.outstanding_of(N)) - since_settled)
    yield "compound", unpaid, rates.overdue


def _rounded(amount: Fraction, ledger: Ledger) -> int:
    with localcontext(WIDE_CONTEXT):
        exact = Decimal(amount.numerator) / amount.denominator
        return to_minor(exact, ledger.terms.interest_rounding)
