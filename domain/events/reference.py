"""A reference rate, such as the LPR: the values its administrator published, and corrections."""

from decimal import Decimal

from domain.events.registry import Event, event


@event("reference.value_published.v1")
class ReferenceValuePublished(Event):
    """A value holds from the value date on, the day on which it was published."""

    code: str  # such as LPR-5Y
    value: Decimal  # fraction per year: 0.0360 is 3.60 %


@event("reference.value_corrected.v1")
class ReferenceValueCorrected(Event):
    """The value published on the value date was another one; loans that took it are repriced."""

    code: str
    value: Decimal
    value_before: Decimal
