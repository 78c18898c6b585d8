"""The limit of a revolving loan 循环额度: what may still be drawn on a day. It refuses nothing."""

from datetime import date

from domain.servicing.timeline import Timeline
from domain.servicing.values import Amortisation


def headroom(timeline: Timeline, on: date) -> int | None:
    """Return what may be drawn on a day, minor units; None if the loan does not revolve.

    The limit is the principal of the terms; what was repaid may be drawn again, and credit pays a
    draw first. A draw with an earlier value date must stay within it on every day since, and credit
    of a later day is no room on an earlier one. Source: domain rules, 5.1 (随借随还).
    """
    terms = timeline.terms
    if terms.amortisation is not Amortisation.REVOLVING:
        return None
    return max(0, terms.principal_minor - drawn_net_since(timeline, on))


def drawn_since(timeline: Timeline, on: date) -> int:
    """Return the most principal that is owed on a day or on any day since, minor units."""
    days = _days_since(timeline, on)
    return max(timeline.account_as_of(day).outstanding.principal for day in days)


def drawn_net_since(timeline: Timeline, on: date) -> int:
    """Return the most principal owed less the credit of the day, on a day or on any day since."""
    accounts = [timeline.account_as_of(day) for day in _days_since(timeline, on)]
    return max(account.outstanding.principal - account.overpaid for account in accounts)


def _days_since(timeline: Timeline, on: date) -> set[date]:
    """List a day and the days since on which something happened."""
    return {on, *(fact.effective_on for fact in timeline.facts if fact.effective_on > on)}
