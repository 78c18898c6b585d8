"""The limit of a revolving loan 循环额度: what may still be drawn on a day. It refuses nothing."""

from datetime import date
from typing import NamedTuple

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
    return max(0, terms.principal_minor - drawn_since(timeline, on).net)


class Drawn(NamedTuple):
    """The most that is drawn on a day or on any day since, minor units."""

    principal: int
    net: int  # less the credit of the day, which pays a draw first


def drawn_since(timeline: Timeline, on: date) -> Drawn:
    """Look at a day and at all days since on which something happened."""
    days = {on, *(fact.effective_on for fact in timeline.facts if fact.effective_on > on)}
    accounts = [timeline.account_as_of(day) for day in days]
    return Drawn(
        principal=max(account.outstanding.principal for account in accounts),
        net=max(account.outstanding.principal - account.overpaid for account in accounts),
    )


NOTHING_DRAWN = Drawn(0, 0)
