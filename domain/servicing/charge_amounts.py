"""What a percentage charge comes to. Where it stands and who pays it is `charges`' to say."""

from decimal import Decimal

from domain.servicing.period import to_minor
from domain.servicing.rate_factor import EXACT
from domain.servicing.values import ChargeBasis

HUNDRED = Decimal(100)


def percent_of(basis: ChargeBasis, percent: Decimal, principal: int, interest: int) -> int:
    """Amount of a percentage charge on a principal and an interest, minor units."""
    base = 0
    if basis is not ChargeBasis.PERCENT_OF_INTEREST:
        base += principal
    if basis not in (ChargeBasis.PERCENT_OF_AMOUNT, ChargeBasis.PERCENT_OF_DISBURSED):
        base += interest
    return to_minor(EXACT.divide(EXACT.multiply(Decimal(base), percent), HUNDRED))
