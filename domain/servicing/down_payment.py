"""How much of a disbursement is due on its own day; where that stands is `payouts`' to say.

Sources: domain rules P-48, P-51; 9.10 "Down payment".
"""

from decimal import Decimal, localcontext

from domain.servicing.instalment_rounding import to_multiple
from domain.servicing.period import to_minor
from domain.servicing.terms import LoanTerms

HUNDRED = Decimal(100)


def down_payment_of(terms: LoanTerms, amount: int) -> int:
    """Part of a disbursement that is due on its day, minor units; never more than all of it."""
    if terms.down_payment is None:
        return 0
    with localcontext(terms.arithmetic()):
        share = to_minor(Decimal(amount) * terms.down_payment.percent / HUNDRED)
        return min(amount, to_multiple(terms, share))
