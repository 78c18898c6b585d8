"""Splitting an amount evenly over instalments: the remainder goes on the last."""

from dataclasses import dataclass
from decimal import Decimal

from domain.servicing.period import to_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class EvenSplit:
    """`each` on every instalment, `last` on the last; minor units."""

    each: int
    last: int

    def share(self, *, is_last: bool) -> int:
        """Return the share of an instalment."""
        return self.last if is_last else self.each


def split_evenly(amount: int, parts: int) -> EvenSplit:
    """Round amount / parts, the last takes what is left (domain rules S-11)."""
    if amount <= 0:
        return EvenSplit(each=0, last=0)
    each = to_minor(Decimal(amount) / parts)
    return EvenSplit(each=each, last=amount - each * (parts - 1))


def split_rest(amount: int, total: EvenSplit, others: int, parts: int) -> EvenSplit:
    """Let one component follow: the instalment minus the other components."""
    each = total.each - others
    return EvenSplit(each=each, last=amount - each * (parts - 1))
