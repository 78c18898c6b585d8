"""Splitting an amount evenly over instalments: the remainder goes on the last."""

from decimal import Decimal

from domain.servicing.period import to_minor

Shares = list[int]  # minor units, one an instalment


def split_evenly(amount: int, parts: int, each: int | None = None) -> Shares:
    """Round amount / parts, or take `each`; the last takes what is left (domain rules S-11).

    A rounded share that would not leave enough for all is cut, so that none is negative.
    """
    if each is None:
        each = to_minor(Decimal(amount) / parts)
    shares: Shares = []
    left = max(0, amount)
    for _ in range(parts - 1):
        share = min(each, left)
        shares.append(share)
        left -= share
    return [*shares, left]
