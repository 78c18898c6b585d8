"""A row of the repayment schedule: what is due, paid, waived and written off, by component."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from domain.servicing.values import Component

P, F, N = Component.PRINCIPAL, Component.FEE, Component.PENALTY
I = Component.INTEREST  # noqa: E741 - the four parts by their initial, as the field writes them
COMPONENTS = (P, I, F, N)


class ByComponent(dict[Component, int]):
    """Minor units by component; what is not there is nothing, and takes no room."""

    __slots__ = ()

    def __missing__(self, _: Component) -> int:
        """Say nothing."""
        return 0

    def copy(self) -> "ByComponent":
        """Return an independent copy."""
        return ByComponent(self)


Parts = Mapping[Component, int]
NO_PARTS: Parts = MappingProxyType(ByComponent())


class Penalised(NamedTuple):
    """Penalty and compound interest that were asked for so far, minor units."""

    penalty_minor: int = 0  # 罚息
    compound_minor: int = 0  # 复利

    def __sub__(self, other: "Penalised") -> "Penalised":
        """Return the difference."""
        return Penalised(
            self.penalty_minor - other.penalty_minor, self.compound_minor - other.compound_minor
        )


NOTHING_YET = Penalised()


class PenaltyStretch(NamedTuple):
    """Days [from, until) on which one base bore one rate."""

    kind: str  # penalty or compound
    from_on: date
    until_on: date
    base_minor: int
    rate_annual: Decimal
    earned: Fraction  # exact, minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyInterest:
    """Penalty and compound interest of a row, exact, in minor units; `asked` of it is due."""

    penalty: Fraction = Fraction(0)
    compound: Fraction = Fraction(0)
    asked: int = 0
    settled: int = 0  # of `asked`, what had run by the last end of a month
    stretches: tuple[PenaltyStretch, ...] = ()  # what earned it, by day


class Beside:
    """What of a row was given up, or joined it again: most rows have nothing of it."""

    __slots__ = ("credited", "waived", "written_off")

    def __init__(self) -> None:
        self.waived = ByComponent()
        self.written_off = ByComponent()
        self.credited = ByComponent()

    def copy(self) -> "Beside":
        """Return an independent copy."""
        other = Beside.__new__(Beside)
        other.waived = self.waived.copy()
        other.written_off = self.written_off.copy()
        other.credited = self.credited.copy()
        return other


class Row:
    """One instalment while the engine works on it; accounts show frozen copies."""

    __slots__ = (
        "additional",
        "cut",
        "down_payment",
        "due",
        "due_on",
        "from_on",
        "in_advance",
        "late",
        "met",
        "met_on",
        "number",
        "paid",
        "penalty_interest",
        "rare",
        "re_aged",
        "waived_in_plan",
    )

    def __init__(self, from_on: date, due_on: date) -> None:
        self.number = 0
        self.from_on = from_on
        self.due_on = due_on
        self.due = ByComponent()
        self.paid = ByComponent()
        self.rare: Beside | None = None  # None: nothing was given up or credited
        self.waived_in_plan = 0  # interest given up of what the plan still asks for
        self.in_advance = 0
        self.late = 0
        self.met = True
        self.met_on: date | None = None
        self.down_payment = False
        self.additional = False
        self.re_aged = False
        self.cut = False  # ended by a re-ageing without recalculation
        self.penalty_interest: PenaltyInterest | None = None

    def copy(self) -> "Row":
        """Return an independent copy."""
        other = Row.__new__(Row)
        other.additional = self.additional
        other.rare = self.rare and self.rare.copy()
        other.cut = self.cut
        other.down_payment = self.down_payment
        other.due = self.due.copy()
        other.due_on = self.due_on
        other.from_on = self.from_on
        other.in_advance = self.in_advance
        other.late = self.late
        other.met = self.met
        other.met_on = self.met_on
        other.number = self.number
        other.paid = self.paid.copy()
        other.penalty_interest = self.penalty_interest
        other.re_aged = self.re_aged
        other.waived_in_plan = self.waived_in_plan
        return other

    @property
    def beside(self) -> Beside:
        """What was given up or credited, to change it; made when it is first asked for."""
        if self.rare is None:
            self.rare = Beside()
        return self.rare

    @property
    def waived(self) -> Parts:
        """What was waived, to read; `beside` holds it."""
        return NO_PARTS if self.rare is None else self.rare.waived

    @property
    def written_off(self) -> Parts:
        """What was written off, to read."""
        return NO_PARTS if self.rare is None else self.rare.written_off

    @property
    def credited(self) -> Parts:
        """What was charged back or refunded and is asked for again, to read."""
        return NO_PARTS if self.rare is None else self.rare.credited

    @property
    def regular(self) -> bool:
        """Whether the row belongs to a period of the plan."""
        return not self.down_payment and not self.additional

    @property
    def waived_beside_plan(self) -> int:
        """Interest given up that the plan does not ask for any more."""
        waived = self.waived
        return waived[I] - self.waived_in_plan if waived else 0

    @property
    def given_up(self) -> bool:
        """Whether anything was waived or written off."""
        beside = self.rare
        return beside is not None and bool(beside.waived or beside.written_off)

    def outstanding_of(self, component: Component) -> int:
        """What of a component is still owed."""
        left = self.due.get(component, 0) - self.paid.get(component, 0)
        if self.rare is not None:
            left -= self.rare.waived[component] + self.rare.written_off[component]
        return left

    @property
    def outstanding(self) -> int:
        """What of all components is still owed."""
        return self._left()

    def _left(self) -> int:
        due, paid = self.due, self.paid
        if paid:
            left = 0 if due == paid else sum(due.values()) - sum(paid.values())
        else:
            left = sum(due.values())
        if self.rare is not None:
            left -= sum(self.rare.waived.values()) + sum(self.rare.written_off.values())
        return left

    @property
    def total_due(self) -> int:
        """What was asked for."""
        return sum(self.due.values())

    @property
    def total_paid(self) -> int:
        """What was collected."""
        return sum(self.paid.values())

    def pay(self, component: Component, amount: int, on: date) -> int:
        """Collect up to what is owed of a component; the part that was used."""
        if amount == 0:
            return 0
        used = min(amount, self.outstanding_of(component))
        self.paid[component] = self.paid.get(component, 0) + used
        self.check_met(on)
        if on < self.due_on:
            self.in_advance += used
        elif on > self.due_on:
            self.late += used
        return used

    def unpay(self, component: Component, amount: int, on: date) -> int:
        """Give back up to what was collected of a component; the part given back."""
        back = min(amount, self.paid[component])
        self.paid[component] -= back
        self.check_met(on)
        if on < self.due_on:
            self.in_advance = max(0, self.in_advance - back)
        elif on > self.due_on:
            self.late = max(0, self.late - back)
        return back

    def ask(self, component: Component, amount: int, on: date | None) -> None:
        """Add to what is due."""
        self.due[component] += amount
        self.check_met(on)

    def write_off(self, on: date) -> dict[Component, int]:
        """Give up all that is owed; the parts."""
        parts = {component: self.outstanding_of(component) for component in COMPONENTS}
        for component, amount in parts.items():
            self.beside.written_off[component] += amount
        self.check_met(on)
        return parts

    def check_met(self, on: date | None) -> None:
        """Record the day nothing was left, or that something is."""
        self.met = self._left() == 0
        self.met_on = on if self.met else None

    def update_met(self, on: date) -> None:
        """Like `check_met`, but a row that was met before keeps its day."""
        if self.paid or self.rare is not None:
            settled = self._left() == 0
        else:
            settled = not any(self.due.values())
        if settled != self.met:
            self.met = settled
            self.met_on = on if settled else None
