"""What a row of the fault matrix answers: how much was injected and what did not hold, as data."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that did not hold. `invariant` is I1 to I8, or the row's own promise."""

    invariant: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"


@dataclass(slots=True, kw_only=True)
class Found:
    """A row's outcome; `faults` counts what was really injected."""

    faults: int = 0
    violations: list[Violation] = field(default_factory=list[Violation])
    note: str = ""

    def must(self, holds: object, invariant: str, detail: str) -> None:
        """Note a violation unless it holds."""
        if not holds:
            self.violations.append(Violation(invariant=invariant, detail=detail))


class NotHere(Exception):
    """This machine cannot inject the fault; the message says why."""
