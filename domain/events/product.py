"""A loan product's versioned conditions; a loan pins one version at its application."""

from domain.events.registry import Event, event
from domain.loan.terms import Conditions


@event("product.version_defined.v1")
class ProductVersionDefined(Event):
    """The next version of a product, for applications from `effective_on` on."""

    code: str
    name: str
    product_version: int  # 1, 2, 3 ...
    conditions: Conditions
