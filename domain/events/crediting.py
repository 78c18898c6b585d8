"""Credits that are no payment of the borrower's, each followed by its allocation; chargebacks."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackParts(Event):
    """What a chargeback comes from: credit of the borrower's first, then new debt."""

    chargeback_id: str
    payment_id: str
    amount_minor: int  # the sum of the parts
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    overpaid_minor: int


@event("loan.charged_back.v1")
class ChargedBack(ChargebackParts):
    """A payer's bank took back part of a payment: it is owed again, from this day on."""


@event("loan.chargeback_reversed.v1")
class ChargebackReversed(ChargebackParts):
    """A chargeback is taken back: the payer's bank paid after all. Both stay visible."""

    cause: str
