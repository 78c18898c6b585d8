"""What time alone does to an account: a floating rate is reset, penalties run on what is overdue.

It depends on facts and dates only, so an account may be looked at as often as one likes.
"""

from datetime import date

from domain.servicing.changes import apply_rate
from domain.servicing.facts import Repriced
from domain.servicing.floating import Publication, Repricing, latest, next_reset, published
from domain.servicing.ledger import Ledger
from domain.servicing.penalising import penalise, penalties_run


def pass_time(ledger: Ledger, until: date) -> None:
    """Take an account to a day."""
    if ledger.terms.floating is None and ledger.terms.penalty is None:
        return
    while (reset_on := _next_reset(ledger)) is not None and reset_on <= until:
        penalise(ledger, reset_on)
        _reprice(ledger, reset_on)
    penalise(ledger, until)


def time_matters(ledger: Ledger, until: date) -> bool:
    """Whether an account differs on a day from what it is now."""
    if ledger.terms.floating is None and ledger.terms.penalty is None:
        return False
    reset_on = _next_reset(ledger)
    return (reset_on is not None and reset_on <= until) or penalties_run(ledger, until)


def publish(ledger: Ledger, publication: Publication) -> None:
    """Take note of a published value."""
    ledger.publications = published(ledger.publications, publication)


def take_over(ledger: Ledger, fact: Repriced) -> None:
    """Take over a reset that was decided on by what was known when its day came."""
    _fix(
        ledger,
        Repricing(
            effective_on=fact.effective_on,
            reference=fact.reference,
            published_on=fact.published_on,
            value=fact.value,
            spread_bps=fact.spread_bps,
            old_annual=ledger.plan.rate_on(ledger.terms.counts_from(fact.effective_on)),
            new_annual=fact.rate_annual,
        ),
    )


def _fix(ledger: Ledger, repricing: Repricing) -> None:
    """Note a reset and apply its rate; a rate that stays solves nothing anew."""
    ledger.repricings = (*ledger.repricings, repricing)
    if repricing.new_annual != repricing.old_annual:
        ledger.open_again()
        apply_rate(ledger, repricing.effective_on, repricing.new_annual)


def _next_reset(ledger: Ledger) -> date | None:
    floating = ledger.terms.floating
    if floating is None or not ledger.disbursements:
        return None
    return next_reset(floating.reset, ledger.started_on, ledger.repriced_through)


def _reprice(ledger: Ledger, on: date) -> None:
    """Fix the rate by the latest value published by the reset date (domain rules, 5.6)."""
    ledger.repriced_through = on
    floating, publication = ledger.terms.floating, latest(ledger.publications, on)
    if floating is None or publication is None:
        return
    old = ledger.plan.rate_on(ledger.terms.counts_from(on))
    _fix(
        ledger,
        Repricing(
            effective_on=on,
            reference=floating.reference,
            published_on=publication.published_on,
            value=publication.value,
            spread_bps=floating.spread_bps,
            old_annual=old,
            new_annual=floating.rate(publication.value),
        ),
    )
