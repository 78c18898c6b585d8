"""A repayment period of the plan and its interest sub-periods: what it earns, and what falls due.

Amounts are minor units. Derived figures are recomputed by `derive`, never set from outside.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from domain.servicing.conventions import Factors, RoundingPlace
from domain.servicing.rate_factor import EXACT, NO_FACTOR, ONE, WEIGHT_BITS, ZERO

_PLACES = 8  # binary ones that a product keeps: they say how it is rounded
_CUT = WEIGHT_BITS - _PLACES
_PART, _HALF = (1 << _PLACES) - 1, 1 << _PLACES - 1
_BEFORE_HALF = _HALF - 1
_NEAREST = frozenset({ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN})


def to_minor(amount: Decimal, mode: str | None = None) -> int:
    """Round to minor units; by the active context, which is the loan's, if no mode is named."""
    return int(amount.to_integral_value(mode))


@dataclass(frozen=True, slots=True, kw_only=True)
class Earning:
    """How the factors of a plan become interest: on which base, and rounded how and where.

    A balance times one exact factor is rounded to the nearest minor unit in integers wherever the
    same comes of cutting it to `inner`'s digits first. Below `integers_below` (in 256ths of a minor
    unit; 0: never) the cut moves it by half a thousandth of a unit at most, so that only a product
    within 1/256 of a half could come out otherwise: there the decimals decide.
    """

    flat: bool
    factors: Factors
    place: RoundingPlace
    inner: Context  # cuts exact sums to the product's digits before they are rounded
    mode: str  # of rounding to minor units
    integers_below: int = field(init=False)

    def __post_init__(self) -> None:
        simple = not self.flat and self.factors is Factors.EXACT and self.mode in _NEAREST
        most = 10 ** max(0, self.inner.prec - 3) << _PLACES if simple else 0
        object.__setattr__(self, "integers_below", most)


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
        "factor",
        "factored",
        "from_on",
        "paused",
    )

    def __init__(self, from_on: date, due_on: date, *, paused: bool = False) -> None:
        self.from_on = from_on
        self.due_on = due_on
        self.paused = paused
        self.factor = NO_FACTOR
        self.factored: tuple[object, ...] | None = None  # what the factor was computed from
        self.disbursed = 0
        self.capitalised = 0
        self.correction = 0
        self.credited_principal = 0
        self.credited_interest = 0
        self.balance = 0

    def copy(self) -> "Sub":
        """Return an independent copy."""
        other = Sub.__new__(Sub)
        other.from_on = self.from_on
        other.due_on = self.due_on
        other.paused = self.paused
        other.factor = self.factor
        other.factored = self.factored
        other.disbursed = self.disbursed
        other.capitalised = self.capitalised
        other.correction = self.correction
        other.credited_principal = self.credited_principal
        other.credited_interest = self.credited_interest
        other.balance = self.balance
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
        earned = Decimal(self.credited_interest) if self.credited_interest else ZERO
        if self.paused:
            return earned
        if factors is Factors.EXACT:
            of_days = EXACT.multiply(Decimal(base), self.factor.exact)
            earned = EXACT.add(earned, of_days) if earned else of_days
        elif to_due := (period_due_on - self.from_on).days:
            earned += Decimal(base) * self.factor.to_due / to_due * self.days
        return max(earned, ZERO)


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
        "granted_interest",
        "granted_principal",
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
        self.granted_principal = False  # a grace of mid-term
        self.granted_interest = False
        self.disbursed_before = 0
        self.capitalised_before = 0
        self.credited = 0
        self.interest = 0
        self.due_interest = 0
        self.due_principal = 0
        self.carried = 0

    def copy(self) -> "Period":
        """Return an independent copy."""
        other = self.without_days()
        other.subs = [sub.copy() for sub in self.subs]
        return other

    def without_days(self) -> "Period":
        """Return an independent copy that has no days to earn in."""
        other = Period.__new__(Period)
        other.capitalised_before = self.capitalised_before
        other.carried = self.carried
        other.closed_early = self.closed_early
        other.credited = self.credited
        other.disbursed_before = self.disbursed_before
        other.due_interest = self.due_interest
        other.due_on = self.due_on
        other.due_principal = self.due_principal
        other.earns = self.earns
        other.emi = self.emi
        other.fixed_interest = self.fixed_interest
        other.from_on = self.from_on
        other.future_interest = self.future_interest
        other.granted_interest = self.granted_interest
        other.granted_principal = self.granted_principal
        other.holds_early_payments = self.holds_early_payments
        other.interest = self.interest
        other.interest_grace = self.interest_grace
        other.moved_credit = self.moved_credit
        other.moved_down = self.moved_down
        other.moved_up = self.moved_up
        other.original_emi = self.original_emi
        other.paid_interest = self.paid_interest
        other.paid_principal = self.paid_principal
        other.principal_grace = self.principal_grace
        other.re_aged = self.re_aged
        other.share = self.share
        other.subs = []
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
        self.emi = self.original_emi = self.total_paid

    @property
    def total_paid(self) -> int:
        """Principal and interest collected."""
        return self.paid_principal + self.paid_interest

    @property
    def credited_parts(self) -> tuple[int, int]:
        """Charged-back or refunded principal, and interest, that joined this period."""
        for sub in self.subs:
            if sub.credited_principal or sub.credited_interest:
                break
        else:
            return 0, 0
        principal = sum([sub.credited_principal for sub in self.subs])
        return max(0, principal), max(0, sum([sub.credited_interest for sub in self.subs]))

    @property
    def credited_principal(self) -> int:
        """Charged-back or refunded principal that joined this period."""
        return self.credited_parts[0]

    @property
    def credited_interest(self) -> int:
        """Charged-back interest that joined this period."""
        return self.credited_parts[1]

    @property
    def asked(self) -> int:
        """The instalment with what was credited and what is collected for later periods."""
        return self.emi + self.credited + self.future_interest

    @property
    def fully_paid(self) -> bool:
        """Whether exactly what is asked was paid."""
        asked = self.emi + self.credited + self.future_interest
        return asked == self.paid_principal + self.paid_interest

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
        return sum([sub.disbursed for sub in self.subs])

    @property
    def capitalised(self) -> int:
        """Income capitalised inside the period."""
        return sum([sub.capitalised for sub in self.subs])

    def closing_balance(self) -> int:
        """Principal balance at the period's end."""
        last = self.subs[-1]
        moved = last.correction + last.capitalised + last.disbursed
        balance = last.balance - self.due_principal + (moved + self.paid_principal)
        return balance if balance > 0 else 0

    def growth(self) -> Decimal:
        """One plus the period's factors."""
        subs = self.subs
        if len(subs) == 1:
            return subs[0].factor.growth
        total = ONE
        for sub in subs:
            total = EXACT.add(total, sub.factor.exact)
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
        if len(self.subs) == 1:
            days = self.subs[0]
            product = days.balance * days.factor.weight >> _CUT
            if 0 <= product < earning.integers_below and not (
                _BEFORE_HALF <= product & _PART <= _HALF or days.paused or days.credited_interest
            ):
                return product + _HALF >> _PLACES
        return self._earned(earning)

    def _earned(self, earning: Earning) -> int:
        total = ZERO
        for sub in self.subs:
            base = self.flat_base(sub) if earning.flat else sub.balance
            interest = sub.interest(base, self.due_on, earning.factors)
            if earning.place is RoundingPlace.PER_SEGMENT:
                interest = Decimal(to_minor(earning.inner.plus(interest), earning.mode))
            total = EXACT.add(total, interest) if total else interest
        exact = earning.inner.plus(total) if earning.factors is Factors.EXACT else total
        return to_minor(exact, earning.mode)

    def derive(self, carried_in: int, earning: Earning) -> None:
        """Recompute what falls due from balances, the instalment and what was paid.

        Interest above the instalment is carried to the next period (domain rules 9.10).
        """
        credited, earned = -self.moved_credit, 0
        if self.subs:
            earned = self.earned(earning)
            for sub in self.subs:
                if sub.credited_principal or sub.credited_interest:
                    credited += sum(self.credited_parts)
                    break
        future = self.future_interest
        interest = earned + (self.fixed_interest + future + carried_in)
        interest = interest if interest > 0 else 0
        self.credited, self.interest = credited, interest
        if self.share is not None:
            self._derive_from_share(self.share, interest)
            self.carried = max(0, interest - self.due_interest)
            return
        asked, paid, due = self.emi + (credited + future), self.paid_principal, self.paid_interest
        if not (self.interest_grace or (paid > 0 and paid > asked - interest)):
            most = interest if interest < asked else asked
            due = most if most > due else due
        principal = asked - due
        principal = principal if principal > paid else paid
        self.due_interest = due
        self.due_principal = principal if principal > 0 else 0
        self.carried = interest - due if interest > due else 0

    def _derive_from_share(self, share: int, interest: int) -> None:
        collects = not self.interest_grace and not self.closed_early
        self.due_interest = max(interest if collects else 0, self.paid_interest)
        self.due_principal = max(0, share + self.credited_principal, self.paid_principal)
        asked = self.due_principal + self.due_interest
        self.emi = asked - self.credited - self.future_interest
