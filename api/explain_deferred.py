"""Writes why so much of a deferred income is earned; `domain.servicing.deferred` knows why."""

from datetime import date
from decimal import ROUND_HALF_UP
from fractions import Fraction
from typing import Any

from api.rows import answer_model
from domain.money import format_amount
from domain.servicing.account import Account
from domain.servicing.deferred import Deferral, Part, deferrals
from domain.servicing.explain_penalties import decimal_of

ExplainedDeferredPart = answer_model(
    "ExplainedDeferredPart",
    "An amount that is earned evenly from a day to maturity; what was given back is below zero.",
    id=str,
    from_on=date,
    amount=str,
    days=int,
    days_to_maturity=int,
    earned_minor=str,
)
ExplainedDeferral = answer_model(
    "ExplainedDeferral",
    "Deferred income of a kind at the end of a day: recognised is the sum of what its parts have "
    "earned, rounded once; of a loan that ended, all of it.",
    kind=str,
    on=date,
    maturity_on=date,
    ended=bool,
    parts=list[ExplainedDeferredPart],
    rounding=str,
    recognised=str,
    deferred=str,
)


def deferrals_of(account: Account, on: date, currency: str) -> list[dict[str, Any]]:
    """Write what a loan has earned of its deferred income by the end of a day, by kind."""
    return [_deferral(x, on, currency) for x in deferrals(account.ledger, on)]


def _deferral(x: Deferral, on: date, currency: str) -> dict[str, Any]:
    return {
        "kind": x.kind,
        "on": on,
        "maturity_on": x.maturity,
        "ended": x.ended,
        "parts": [_part(x, part, on, currency) for part in x.parts],
        "rounding": ROUND_HALF_UP,
        "recognised": format_amount(x.recognised_minor, currency),
        "deferred": format_amount(x.deferred_minor, currency),
    }


def _part(x: Deferral, part: Part, on: date, currency: str) -> dict[str, Any]:
    over, whole = part.days(x.maturity, on)
    earned = Fraction(part.amount_minor) if x.ended else part.recognised(x.maturity, on)
    return {
        "id": part.id,
        "from_on": part.on,
        "amount": format_amount(part.amount_minor, currency),
        "days": over,
        "days_to_maturity": whole,
        "earned_minor": f"{decimal_of(earned).normalize():f}",
    }
