"""A repayment period of the plan and its interest sub-periods: what it earns, and what falls due.

Amounts are minor units. Derived figures are recomputed by `derive`, never set from outside.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from domain.servicing.conventions import Factors, RoundingPlace
from domain.servicing.rate_factor import EXACT

ZERO = Decimal(0)


def to_minor(amount: Decimal, mode: str | None = None) -> int:
    """Round to minor units; by the active context, which is the loan's, if no mode is named."""
    return int(amount.to_integral_value(mode))


@dataclass(frozen=True, slots=True, kw_only=True)
class Earning:
    """How the factors of a plan become interest: on which base, and rounded how and where."""

    flat: bool
    factors: Factors
    place: RoundingPlace
    inner: Context  # cuts exact sums to the product's digits before they are rounded


class Sub:
    """Days (from, due] of a period on which balance and rate do not change.

    Money that moves on `due_on` is held here and counts from the next sub-period on.
    """

    __slots__ = (
        "balance",
        "capitalised",
        "correction",
        "credited_interest",
        "credited_principal",
        "disbursed",
        "due_on",
        "earned",
        "earned_key",
        "factor",
        "factor_to_due",
        "from_on",
        "paused",
    )

    def __init__(self, from_on: date, due_on: date, *, paused: bool = False) -> None:
        self.from_on = from_on
        self.due_on = due_on
        self.paused = paused
        self.factor = ZERO
        self.factor_to_due = ZERO
        self.disbursed = 0
        self.capitalised = 0
        self.correction = 0
        self.credited_principal = 0
        self.credited_interest = 0
        self.balance = 0
        self.earned: Decimal = ZERO
        self.earned_key: tuple[object, ...] | None = None

    def copy(self) -> "Sub":
        """Return an independent copy."""
        other = Sub.__new__(Sub)
        for name in Sub.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    @property
    def days(self) -> int:
        """Days the sub-period earns for."""
        return (self.due_on - self.from_on).days

    @property
    def moved(self) -> int:
        """What joins or leaves the balance after this sub-period."""
        return self.correction + self.capitalised + self.disbursed

    def interest(self, base: int, period_due_on: date, factors: Factors) -> Decimal:
        """Interest of these days on a base amount, unrounded."""
        if self.paused:
            return Decimal(self.credited_interest)
        to_due = (period_due_on - self.from_on).days
        factor = self.factor if factors is Factors.EXACT else self.factor_to_due
        key = (base, factor, to_due, self.due_on, self.credited_interest)
        if key != self.earned_key:
            earned = Decimal(self.credited_interest)
            if factors is Factors.EXACT:
                earned = EXACT.add(earned, EXACT.multiply(Decimal(base), factor))
            elif to_due:
                earned += Decimal(base) * factor / to_due * self.days
            self.earned = max(earned, ZERO)
            self.earned_key = key
        return self.earned


class Period:
    """One repayment period. `emi` is what the plan asks for it; the rest says why it may differ.

    `share` is the principal of methods that fix it; the instalment then follows from the interest.
    """

    __slots__ = (
        "capitalised_before",
        "carried",
        "closed_early",
        "credited",
        "disbursed_before",
        "due_interest",
        "due_on",
        "due_principal",
        "earns",
        "emi",
        "fixed_interest",
        "from_on",
        "future_interest",
        "holds_early_payments",
        "interest",
        "interest_grace",
        "moved_credit",
        "moved_down",
        "moved_up",
        "original_emi",
        "paid_interest",
        "paid_principal",
        "principal_grace",
        "re_aged",
        "share",
        "subs",
    )

    def __init__(self, from_on: date, due_on: date, emi: int = 0) -> None:
        self.from_on = from_on
        self.due_on = due_on
        self.subs = [Sub(from_on, due_on)]
        self.emi = emi
        self.original_emi = emi
        self.share: int | None = None
        self.closed_early = False
        self.earns = True
        self.paid_principal = 0
        self.paid_interest = 0
        self.future_interest = 0
        self.fixed_interest = 0
        self.moved_credit = 0
        self.moved_up = False
        self.moved_down = False
        self.re_aged = False
        self.holds_early_payments = False
        self.principal_grace = False
        self.interest_grace = False
        self.disbursed_before = 0
        self.capitalised_before = 0
        self.credited = 0
        self.interest = 0
        self.due_interest = 0
        self.due_principal = 0
        self.carried = 0

    def copy(self) -> "Period":
        """Return an independent copy."""
        other = Period.__new__(Period)
        for name in Period.__slots__:
            setattr(other, name, getattr(self, name))
        other.subs = [sub.copy() for sub in self.subs]
        return other

    def forget_paid(self) -> None:
        """Drop what was paid and every balance correction: the bare contract."""
        if self.moved_down:
            self.fixed_interest = self.paid_interest
        self.paid_principal = self.paid_interest = self.future_interest = 0
        for sub in self.subs:
            sub.correction = 0

    def keep_paid(self) -> None:
        """Ask for what was paid and nothing else."""
        self.share = None
        self.emi = self.total_paid

    @property
    def total_paid(self) -> int:
        """Principal and interest collected."""
        return self.paid_principal + self.paid_interest

    @property
    def credited_principal(self) -> int:
        """Charged-back or refunded principal that joined this period."""
        return max(0, sum(sub.credited_principal for sub in self.subs))

    @property
    def credited_interest(self) -> int:
        """Charged-back interest that joined this period."""
        return max(0, sum(sub.credited_interest for sub in self.subs))

    @property
    def asked(self) -> int:
        """The instalment with what was credited and what is collected for later periods."""
        return self.emi + self.credited + self.future_interest

    @property
    def fully_paid(self) -> bool:
        """Whether exactly what is asked was paid."""
        return self.asked == self.paid_principal + self.paid_interest

    @property
    def outstanding_principal(self) -> int:
        """Principal due and not paid."""
        return max(0, self.due_principal - self.paid_principal)

    @property
    def outstanding_interest(self) -> int:
        """Interest due and not paid."""
        return max(0, self.due_interest - self.paid_interest)

    @property
    def disbursed(self) -> int:
        """Money paid out inside the period."""
        return sum(sub.disbursed for sub in self.subs)

    @property
    def capitalised(self) -> int:
        """Income capitalised inside the period."""
        return sum(sub.capitalised for sub in self.subs)

    @property
    def balance_after(self) -> int:
        """Principal balance at the period's end."""
        last = self.subs[-1]
        return max(0, last.balance + last.moved + self.paid_principal - self.due_principal)

    @property
    def rate_factor_plus_one(self) -> Decimal:
        """One plus the period's factors."""
        total = Decimal(1)
        for sub in self.subs:
            total = EXACT.add(total, sub.factor)
        return total

    def find_sub(self, on: date, *, first_period: bool) -> int | None:
        """Index of the last sub-period that contains a day."""
        found = None
        for index, sub in enumerate(self.subs):
            inside = sub.from_on < on <= sub.due_on
            if inside or (first_period and index == 0 and on == sub.from_on):
                found = index
        return found

    def flat_base(self, until: Sub) -> int:
        """All that was paid out before a sub-period: what flat interest is earned on."""
        base = self.disbursed_before + self.capitalised_before
        for sub in self.subs:
            if sub is until:
                break
            if sub.due_on != self.from_on:
                base += sub.disbursed + sub.capitalised
        return base

    def earned(self, earning: Earning) -> int:
        """Interest of all sub-periods, rounded once, or by sub-period if the product says so."""
        if self.moved_up or self.moved_down or not self.earns:
            return 0
        total = ZERO
        for sub in self.subs:
            base = self.flat_base(sub) if earning.flat else sub.balance
            interest = sub.interest(base, self.due_on, earning.factors)
            if earning.place is RoundingPlace.PER_SEGMENT:
                interest = Decimal(to_minor(earning.inner.plus(interest)))
            total = EXACT.add(total, interest)
        return to_minor(earning.inner.plus(total) if earning.factors is Factors.EXACT else total)

    def derive(self, carried_in: int, earning: Earning) -> None:
        """Recompute what falls due from balances, the instalment and what was paid.

        Interest above the instalment is carried to the next period (domain rules 9.10).
        """
        credited = self.credited_principal + self.credited_interest
        self.credited = credited - self.moved_credit
        interest = self.earned(earning) + self.fixed_interest + self.future_interest + carried_in
        self.interest = max(0, interest)
        if self.share is None:
            self._derive_from_instalment()
        else:
            self._derive_from_share(self.share)
        self.carried = max(0, self.interest - self.due_interest)

    def _derive_from_instalment(self) -> None:
        asked = self.asked
        if self.interest_grace or self.paid_principal > max(0, asked - self.interest):
            self.due_interest = self.paid_interest
        else:
            self.due_interest = max(min(self.interest, asked), self.paid_interest)
        self.due_principal = max(0, asked - self.due_interest, self.paid_principal)

    def _derive_from_share(self, share: int) -> None:
        collects = not self.interest_grace and not self.closed_early
        self.due_interest = max(self.interest if collects else 0, self.paid_interest)
        self.due_principal = max(0, share + self.credited_principal, self.paid_principal)
        self.emi = self.due_principal + self.due_interest - self.credited - self.future_interest
