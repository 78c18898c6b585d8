"""A business day of one shard and its close."""

from dataclasses import dataclass
from datetime import date

from domain.events.registry import Event, event
from domain.servicing.values import DeferredKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Accrual:
    """Interest of one product's loans, in minor units of its currency.

    `receivable_minor` is what its open loans owe for the days up to the date and have not paid: the
    control total that ties to the loans. `posted_minor` brings the ledger there.
    """

    product_code: str
    currency: str
    receivable_minor: int
    posted_minor: int


@event("day.interest_accrued.v1")
class InterestAccrued(Event):
    """Interest earned and not yet posted, in aggregate: cumulative less posted, never by the day.

    Domain rules, 5.3 and 9.11.
    """

    accruals: tuple[Accrual, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """Deferred income of one product's loans, in minor units of its currency.

    `deferred_minor` is what its open loans have not earned by the date: the control total that ties
    to the loans. `recognised_minor` brings the ledger there; below zero, what had been recognised
    is not earned after all.
    """

    product_code: str
    currency: str
    kind: DeferredKind
    deferred_minor: int
    recognised_minor: int


@event("day.deferred_income_recognised.v1")
class DeferredIncomeRecognised(Event):
    """Deferred income earned and not yet posted, in aggregate: cumulative less posted.

    Domain rules, 9.9 S-27 to S-29.
    """

    recognitions: tuple[Recognition, ...]


@event("day.closed.v1")
class DayClosed(Event):
    """Every loan of the shard was looked at for this business date; the totals tie to the loans."""

    business_date: date
    loans_open: int
    loans_acted_on: int
    loans_parked: int
    principal_minor_by_currency: dict[str, int]
