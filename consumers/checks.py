"""One line of a reconciliation: what was expected, what was found, and what did not fit."""

from dataclasses import asdict, dataclass
from typing import Any

EXCEPTIONS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not fit: its id and the reason."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A named check and its outcome; `exceptions` may be given although it holds."""

    name: str
    ok: bool
    expected: str
    actual: str
    exceptions: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the check as plain values; a long list of exceptions is cut and says so."""
        plain = asdict(self)
        shown = plain["exceptions"][:EXCEPTIONS_SHOWN_MAX]
        left_out = len(self.exceptions) - len(shown)
        if left_out:
            shown = (*shown, {"id": "…", "reason": f"{left_out} more"})
        return plain | {"exceptions": list(shown)}
