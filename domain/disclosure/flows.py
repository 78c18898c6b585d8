"""Cash flows between lender and borrower, checked so that they have one rate. No rates here."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from domain.errors import Rejected
from domain.money import AMOUNT_MINOR_MAX

FLOWS_MAX = 10_000
"""Most flows of one disclosure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """An amount in minor units, 0 or more, on its date. The list it stands in says which way."""

    on: date
    amount_minor: int


def net_flows(
    advances: Sequence[CashFlow], payments: Sequence[CashFlow]
) -> tuple[tuple[date, int], ...]:
    """Return date and net amount from the lender's side, by date: payments less advances.

    A fee that is withheld is a payment on the day of the advance. The flows have one rate of
    return and no other if their running sum changes its sign once (Norstrøm 1972); that is
    checked here, before anything is solved.
    Raises Rejected: `no_advance`, `no_payment`, `amount_out_of_range`, `too_many_flows`,
    `payment_before_advance`, `rate_below_zero`, `ambiguous_flows`.
    """
    _check_amounts(advances, payments)
    by_date: defaultdict[date, int] = defaultdict(int)
    for flow in advances:
        by_date[flow.on] -= flow.amount_minor
    for flow in payments:
        by_date[flow.on] += flow.amount_minor
    net = sorted((on, amount) for on, amount in by_date.items() if amount)
    if not net or net[0][1] > 0:
        raise Rejected("payment_before_advance", "money comes back before any was given")
    sums = list(accumulate(amount for _, amount in net))
    if sums[-1] < 0:
        raise Rejected("rate_below_zero", "the payments do not return what was advanced")
    returned = next(k for k, total in enumerate(sums) if total >= 0)
    if min(sums[returned:]) < 0:
        detail = "money is advanced again after everything came back; more than one rate fits"
        raise Rejected("ambiguous_flows", detail)
    return tuple(net)


def _check_amounts(advances: Sequence[CashFlow], payments: Sequence[CashFlow]) -> None:
    if not any(flow.amount_minor for flow in advances):
        raise Rejected("no_advance", "a rate needs an advance", "advances")
    if not any(flow.amount_minor for flow in payments):
        raise Rejected("no_payment", "a rate needs a payment", "payments")
    if len(advances) + len(payments) > FLOWS_MAX:
        raise Rejected("too_many_flows", f"at most {FLOWS_MAX} flows")
    for flow in (*advances, *payments):
        if not 0 <= flow.amount_minor <= AMOUNT_MINOR_MAX:
            detail = f"a flow is 0 to {AMOUNT_MINOR_MAX} minor units, not {flow.amount_minor}"
            raise Rejected("amount_out_of_range", detail)
