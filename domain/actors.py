"""Who acts, for whom, and why: the part of a command and of an event that is not about money."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of principal acts.

    A model may suggest; it never decides (domain rules, section 8).
    """

    HUMAN = "human"
    MODEL = "model"
    SYSTEM = "system"
    AGENCY = "agency"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One principal, as the surface authenticated it; never taken from a command's body."""

    kind: ActorKind
    id: str
    roles: tuple[str, ...] = ()

    def has(self, role: str) -> bool:
        """Tell whether the actor holds the role."""
        return role in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A second person's yes to exactly one payload."""

    by: str  # actor id
    level: str  # role that gave the authority
    payload_hash: str  # SHA-256 in hex of what was approved
