"""The limit of a revolving loan 循环额度: what may still be drawn on a day. It refuses nothing."""

from datetime import date

from domain.servicing.timeline import Timeline
from domain.servicing.values import Amortisation


def headroom(timeline: Timeline, on: date) -> int | None:
    """Return what may be drawn on a day, minor units; None if the loan does not revolve.

    The limit is the principal of the terms; what was repaid may be drawn again. A draw with an
    earlier value date must stay within it on every day since. Source: domain rules, 5.1 (随借随还).
    """
    terms = timeline.terms
    if terms.amortisation is not Amortisation.REVOLVING:
        return None
    return max(0, terms.principal_minor - drawn_since(timeline, on) + timeline.account.overpaid)


def drawn_since(timeline: Timeline, on: date) -> int:
    """Return the most principal that is owed on a day or on any day since, minor units."""
    days = {on, *(fact.effective_on for fact in timeline.facts if fact.effective_on > on)}
    return max(timeline.account_as_of(day).outstanding.principal for day in days)
