"""How much interest a refund makes undue. It records nothing."""

from datetime import date

from domain.servicing.facts import Paid
from domain.servicing.timeline import Timeline
from domain.servicing.values import Kind


def interest_refund_id(refund_id: str) -> str:
    """Name the interest refund of a refund: there is at most one."""
    return f"{refund_id}:interest"


def undue_interest(timeline: Timeline, refund_id: str, on: date) -> int:
    """Return the interest that would not have been earned had all refunds been paid at the payout.

    Less what was refunded before; minor units, 0 if interest is planned whatever is paid. The
    refund stands on the time line. Source: domain rules, 9.9 S-16.
    """
    if not timeline.terms.recalculates:
        return 0
    tried = Paid(
        id=interest_refund_id(refund_id),
        effective_on=on,
        entered_on=on,
        kind=Kind.INTEREST_REFUND,
        amount_minor=0,
        refund_id=refund_id,
    )
    return timeline.record(tried).read(
        lambda ledger: next(x.amount for x in ledger.entries if x.id == tried.id)
    )
