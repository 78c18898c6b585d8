"""Decisions on floating rates: the rate at signing, and the resets since (domain rules, 5.6).

What was published is looked up by the surface and handed in; nothing is looked up here.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from domain.commands.application import ReviewLoan
from domain.commands.ending import RepriceLoan
from domain.context import Context
from domain.decisions.guards import require_not_ahead
from domain.decisions.plans import rate_on, require_rate
from domain.decisions.results import followed
from domain.errors import Rejected
from domain.events.changes import RateRepriced
from domain.events.registry import Event
from domain.loan.contract import floating_rate
from domain.loan.evolve import fold
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Conditions, ResetRule, SignedRate
from domain.servicing.floating import Publication, latest, next_reset
from domain.servicing.timeline import Timeline

SPREAD_BPS_MAX = 10_000
"""A hundred points on the reference, up or down: farther is a typing error."""


def signed_rate(
    conditions: Conditions, command: ReviewLoan, publications: Sequence[Publication]
) -> tuple[Decimal, SignedRate | None]:
    """Return the rate of an approval: the one it states, or the reference's value and its spread.

    Raises Rejected: `rate_missing`, `rate_is_fixed`, `rate_floats`, `spread_missing`,
    `spread_out_of_range`, `reference_unpublished`, `rate_outside_product`.
    """
    if conditions.floating is None:
        if command.spread_bps is not None:
            raise Rejected("rate_is_fixed", "the product follows no reference", "spread_bps")
        if command.rate_annual is None:
            raise Rejected("rate_missing", "an approval states the rate", "rate_annual")
        require_rate(conditions, command.rate_annual)
        return command.rate_annual, None
    if command.rate_annual is not None:
        detail = f"the rate is the value of {conditions.floating.reference} and the spread"
        raise Rejected("rate_floats", detail, "rate_annual")
    spread = command.spread_bps
    if spread is None:
        raise Rejected("spread_missing", "an approval states the spread", "spread_bps")
    if abs(spread) > SPREAD_BPS_MAX:
        detail = f"within {SPREAD_BPS_MAX} basis points either way"
        raise Rejected("spread_out_of_range", detail, "spread_bps")
    publication = latest(publications, command.effective_on)
    if publication is None:
        detail = f"{conditions.floating.reference} has no value by {command.effective_on}"
        raise Rejected("reference_unpublished", detail, "effective_on")
    floating = floating_rate(conditions, spread)
    assert floating is not None, "the product has a reference"
    rate = floating.rate(publication.value)
    if rate <= 0:
        raise Rejected("rate_outside_product", "a floating rate begins above zero", "spread_bps")
    require_rate(conditions, rate, "spread_bps")
    return rate, SignedRate(
        spread_bps=spread, value=publication.value, published_on=publication.published_on
    )


def reprice(loan: Loan, command: RepriceLoan, context: Context) -> list[Event]:
    """Fix the rate by the latest value published by each reset date up to the value date.

    A reset that took a value which was corrected since, or came late, is fixed anew. Nothing to
    say: no event, so that asking twice is asking once.
    """
    require_not_ahead(command.effective_on, context)
    told: list[Event] = []
    for on in _resets(loan, command.effective_on):
        publication = latest(context.publications, on)
        if publication is None or loan.status is not LoanStatus.ACTIVE:
            continue
        made = _repriced(loan, on, publication)
        loan = fold(loan, made)
        told += made
    return told


def _resets(loan: Loan, until: date) -> Iterator[date]:
    """List the reset dates of a running contract up to a day; a new plan begins with its rate."""
    floating, start = loan.conditions.floating, loan.disbursed_on
    if floating is None or start is None or loan.terminated_on is not None:
        return
    on = reset_after(floating.reset, start, loan.replanned_on)
    while on <= until:
        yield on
        on = next_reset(floating.reset, start, on)


def reset_after(rule: ResetRule, start: date, replanned_on: date | None) -> date:
    """Return the first reset date of a loan paid out on `start`, after its newest plan if any."""
    return next_reset(rule, start, replanned_on or start)


def _repriced(loan: Loan, on: date, publication: Publication) -> list[Event]:
    floating = floating_rate(loan.conditions, spread_of(loan))
    timeline = loan.timeline
    assert floating is not None, "only a floating loan has reset dates"
    assert timeline is not None, "a loan that was paid out has a time line"
    taken = next((one for one in loan.repricings if one.on == on), None)
    if taken and (taken.published_on, taken.value) == (publication.published_on, publication.value):
        return []
    name = f"repricing:{on}"
    told = RateRepriced(
        effective_on=on,
        repricing_id=_free(timeline, name),
        reference=floating.reference,
        value=publication.value,
        published_on=publication.published_on,
        spread_bps=floating.spread_bps,
        rate_annual_before=rate_on(timeline, on),
        rate_annual=floating.rate(publication.value),
    )
    return [told, *followed(loan, timeline, told, told.repricing_id)]


def spread_of(loan: Loan) -> int:
    """Return the spread that was signed, in basis points; 0: the rate is fixed."""
    signed = None if loan.terms is None else loan.terms.signed
    return 0 if signed is None else signed.spread_bps


def _free(timeline: Timeline, name: str) -> str:
    """Return an id that no fact has yet: a reset that is fixed anew gets the next number."""
    number, made = 1, name
    while timeline.find(made) is not None:
        number += 1
        made = f"{name}:{number}"
    return made
