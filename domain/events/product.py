"""A loan product's versioned terms; a loan pins one version at its application."""

from decimal import Decimal

from domain.events.registry import Event, event
from domain.loan.terms import Component, RepaymentMethod, Rounding, ScheduleDayCount


@event("product.version_defined.v1")
class ProductVersionDefined(Event):
    """The next version of a product, valid for applications from `effective_on` on."""

    code: str
    name: str
    product_version: int  # 1, 2, 3 …
    currency: str
    method: RepaymentMethod
    day_count: ScheduleDayCount
    interest_rounding: Rounding
    instalment_rounding: Rounding
    allocation: tuple[Component, ...]
    amount_min_minor: int
    amount_max_minor: int
    rate_annual_max: Decimal
    instalments_max: int
    four_eyes_from_minor: int  # disbursements of at least this need maker and checker
    backdating_days_max: int  # how far before the business date a fact may lie
    charges: tuple[str, ...] = ()  # charge codes on the disclosed cost table
