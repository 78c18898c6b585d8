"""Deferred income: capitalised income and buy-down fees, recognised evenly by day.

Source: domain rules 9.9 S-27 to S-29.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.servicing import facts as f
from domain.servicing.account import Account
from domain.servicing.values import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """Income to post, minor units."""

    kind: Kind
    interest_minor: int = 0
    fees_minor: int = 0


def deferred_to_post(
    facts: Sequence[f.Fact], account: Account, on: date, *, in_full: bool
) -> list[Recognition]:
    """Rounded total to a day minus what is posted."""
    _ = (facts, account, on, in_full)
    return []
