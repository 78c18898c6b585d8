"""Credits that are no payment of the borrower's. Each is followed by its `PaymentAllocated`."""

from domain.events.registry import Event, event
from domain.loan.terms import Component, RefundKind


@event("loan.goodwill_credited.v1")
class GoodwillCredited(Event):
    """A fact: the lender pays part of the debt out of its own pocket."""

    credit_id: str
    amount_minor: int


@event("loan.refund_received.v1")
class RefundReceived(Event):
    """A fact: a merchant, or who was paid out to, gives money back to the loan."""

    refund_id: str
    kind: RefundKind
    amount_minor: int


@event("loan.interest_refunded.v1")
class InterestRefunded(Event):
    """Interest that would not have been earned had the refund been paid at the payout.

    Computed once, when the refund was recorded; what is dated back later leaves it as it is.
    """

    interest_refund_id: str
    refund_id: str
    amount_minor: int


@event("loan.charge_adjusted.v1")
class ChargeAdjusted(Event):
    """A fact: up to a charge's amount is given back, whether the charge was paid or not."""

    adjustment_id: str
    charge_id: str
    component: Component  # of the charge: fee or penalty
    amount_minor: int
