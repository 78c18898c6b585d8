"""Facts on a loan's time line: what moved money or terms, in the order of their value dates."""

from dataclasses import dataclass
from datetime import date

from domain.events.servicing import Split
from domain.loan.instalments import Instalment
from domain.loan.terms import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is true in the world from `effective_on`; `id` names it for reversal."""

    id: str
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursed(Fact):
    """Money went out; the plan is what was published with it."""

    rows: tuple[Instalment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(Fact):
    """Money came in. `split` is set when the upstream observed the parts."""

    amount_minor: int
    split: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged(Fact):
    """A fee or penalty was put on an instalment."""

    instalment: int
    component: Component  # FEE or PENALTY
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived(Fact):
    """Part of what an instalment asks for, principal aside, was given up (减免)."""

    instalment: int
    component: Component
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanned(Fact):
    """A restructuring put new rows in the place of all rows from the first new number on."""

    rows: tuple[Instalment, ...]
    rows_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(Fact):
    """Overpaid money went back."""

    amount_minor: int
