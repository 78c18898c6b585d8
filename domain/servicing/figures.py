"""What a period of a plan asks for, what was paid of it and what moved in it: figures that add up.

It changes no period.
"""

from operator import sub
from typing import NamedTuple

from domain.servicing.period import Period


class Figures(NamedTuple):
    """Minor units."""

    asked: int = 0
    due_interest: int = 0
    due_principal: int = 0
    paid_interest: int = 0
    paid_principal: int = 0
    money_out: int = 0
    credited: int = 0  # principal, less what was taken back of it
    raised: int = 0  # principal, whatever was taken back

    def minus(self, other: "Figures") -> "Figures":
        """Take away figure by figure."""
        return Figures._make(map(sub, self, other))


NOTHING = Figures()


class Moved(NamedTuple):
    """Principal that joined balances, minor units."""

    out: int  # disbursed and capitalised
    credited: int  # charged back or refunded, less what was taken back of it
    raised: int  # the same, whatever was taken back

    @property
    def principal(self) -> int:
        """All that is to be repaid."""
        return max(0, self.out + self.credited)


def figures_of(period: Period, others: Figures = NOTHING) -> Figures:
    """Read a period, and add it to the figures of others."""
    out, credited, raised = others.money_out, others.credited, others.raised
    for part in period.subs:
        out += part.disbursed + part.capitalised
        if part.credited_principal:
            credited += part.credited_principal
            raised += max(0, part.credited_principal)
    return Figures(
        others.asked + period.emi + period.credited + period.future_interest,
        others.due_interest + period.due_interest,
        others.due_principal + period.due_principal,
        others.paid_interest + period.paid_interest,
        others.paid_principal + period.paid_principal,
        out,
        credited,
        raised,
    )
