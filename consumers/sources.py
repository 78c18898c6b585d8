"""The systems whose commands are taken from Kafka, and for whom each of them acts.

A sources file is JSON, read at the start:

    {"sources": [{"source": "urn:bank:core", "kind": "upstream", "id": "core-banking",
                  "roles": ["servicer"], "commands": ["loan.receive_payment"]}]}

`source` is the CloudEvents attribute and the scope of the source's message ids. What stands in a
message never says who acts: that is `kind` (upstream or system), `id` and `roles`. `commands` are
those that it may give, `["*"]` every one. With `"dated": true` its messages may carry a
`businessdate` of their own, as a history that is brought in does.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from domain.actors import Actor, ActorKind
from infra.edge import BODIES, Identifier

EVERY: Final = "*"
# The scopes of HTTP clients begin so; a source of that name would answer with their outcomes.
_TAKEN: Final = re.compile(rf"^http:({'|'.join(kind.value for kind in ActorKind)}):")


class SourcesUnreadable(Exception):
    """The sources file is missing or not as it should be; the message says where."""


class Source(BaseModel):
    """One sender."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: Literal[ActorKind.UPSTREAM, ActorKind.SYSTEM] = ActorKind.UPSTREAM
    id: Identifier
    roles: tuple[str, ...] = ()
    commands: tuple[str, ...] = Field(min_length=1)
    dated: bool = False

    @field_validator("source")
    @classmethod
    def _is_free(cls, source: str) -> str:
        if _TAKEN.match(source):
            raise ValueError("this is how scopes of HTTP clients begin")
        return source

    @field_validator("commands")
    @classmethod
    def _are_known(cls, commands: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(commands) - {EVERY, *BODIES}:
            raise ValueError(f"unknown commands {sorted(unknown)}")
        return commands

    @property
    def actor(self) -> Actor:
        """For whom it acts."""
        return Actor(kind=self.kind, id=self.id, roles=self.roles)

    def may(self, command: str) -> bool:
        """Tell whether it may give a command."""
        return EVERY in self.commands or command in self.commands


class _SourcesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[Source, ...] = Field(min_length=1)


Sources = Mapping[str, Source]
"""By the CloudEvents source."""


def read_sources(path: Path) -> Sources:
    """Read a sources file. Raises SourcesUnreadable."""
    try:
        file = _SourcesFile.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SourcesUnreadable(f"{path}: {error}") from error
    sources = {source.source: source for source in file.sources}
    if len(sources) < len(file.sources):
        raise SourcesUnreadable(f"{path}: a source comes twice")
    return sources
