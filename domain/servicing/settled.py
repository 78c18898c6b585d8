"""What of a plan is over: the leading periods that are paid, and what they add up to.

They do not change any more, so copies of a plan share them and every pass over it leaves them out:
what a payment costs follows what is still open. It changes no period.
"""

from datetime import date
from typing import NamedTuple

from domain.servicing.period import Period


class Settled(NamedTuple):
    """So many periods, and their sums in minor units."""

    number: int = 0
    asked: int = 0
    due_interest: int = 0
    paid_interest: int = 0
    paid_principal: int = 0
    money_out: int = 0
    credited_principal: int = 0  # net of what was taken back
    raised_principal: int = 0  # without what was taken back

    def plus(self, period: Period) -> "Settled":
        """Take in the next period."""
        return Settled(
            self.number + 1,
            self.asked + period.asked,
            self.due_interest + period.due_interest,
            self.paid_interest + period.paid_interest,
            self.paid_principal + period.paid_principal,
            self.money_out + period.disbursed + period.capitalised,
            self.credited_principal + sum([sub.credited_principal for sub in period.subs]),
            self.raised_principal + sum([max(0, sub.credited_principal) for sub in period.subs]),
        )


NOTHING = Settled()


def is_over(period: Period, on: date) -> bool:
    """Whether facts of a day or later leave a period as it is."""
    return (
        period.due_on < on
        and period.due_principal == period.paid_principal
        and period.due_interest == period.paid_interest
        and period.fully_paid
        and not (period.moved_up or period.moved_down or period.holds_early_payments)
    )
