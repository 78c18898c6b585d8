"""Who a bearer token stands for: the actor, its roles, its client. It grants nothing by itself.

A tokens file is JSON, read at the start:

    {"tokens": [{"sha256": "<hex of the token's SHA-256>", "kind": "human", "id": "ann",
                 "roles": ["underwriter"]}]}

`"token": "<the token itself>"` may stand in the place of `sha256`. `kind` is human, model, system,
agency or upstream. Without a file the development token works, from this machine only; with a
slash and a name after it (`TOKEN/bob`) it stands for that person, so that one person can try what
takes two.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.actors import Actor, ActorKind
from domain.errors import Rejected
from infra.edge import Identifier
from infra.settings import Settings

DEVELOPER: Final = "developer"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class Scope(StrEnum):
    """What a caller may do; every route asks for one."""

    READ = "read"  # loans, portfolio, queue, simulations
    ORIGINATE = "originate"  # applications and what belongs to their file
    SUGGEST = "suggest"  # record what a model scored
    DECIDE = "decide"  # review an application
    PAY_OUT = "pay_out"  # prepare and confirm payouts
    CHECK = "check"  # the second pair of eyes
    SERVICE = "service"  # payments, charges, waivers, changes of terms, charge-off
    COLLECT = "collect"  # collection cases and recoveries
    AUDIT = "audit"  # who did what
    CONFIGURE = "configure"  # products, reference rates, the close of a business day


_EVERYTHING = frozenset(Scope)
SCOPES_OF_ROLE: Final[Mapping[str, frozenset[Scope]]] = {
    "reader": frozenset({Scope.READ}),
    "originator": frozenset({Scope.READ, Scope.ORIGINATE}),
    "scorer": frozenset({Scope.SUGGEST}),
    "underwriter": frozenset({Scope.READ, Scope.ORIGINATE, Scope.DECIDE}),
    "servicer": frozenset({Scope.READ, Scope.PAY_OUT, Scope.SERVICE}),
    "checker": frozenset({Scope.READ, Scope.CHECK}),
    "senior_checker": frozenset({Scope.READ, Scope.CHECK}),
    "collector": frozenset({Scope.READ, Scope.COLLECT}),
    "supervisor": frozenset({Scope.READ, Scope.COLLECT}),
    "auditor": frozenset({Scope.READ, Scope.AUDIT}),
    "admin": _EVERYTHING,
}
"""Role to scopes. Authorities within a scope, such as how much a checker may check, are rules of
the domain, which sees the same roles."""

_DEVELOPER_ROLES = ("admin", "senior_checker", "supervisor")


class TokensUnreadable(Exception):
    """The tokens file is missing or not as it should be; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a request comes from."""

    actor: Actor
    scopes: frozenset[Scope]

    @property
    def client(self) -> str:
        """The scope of this caller's idempotency keys."""
        return f"http:{self.actor.kind}:{self.actor.id}"

    def require(self, scope: Scope) -> None:
        """Refuse who may not. Raises Rejected `forbidden`."""
        if scope not in self.scopes:
            raise Rejected("forbidden", f"this needs a role with the scope {scope}")


class _Holder(BaseModel):
    """One line of the tokens file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None
    token: Annotated[str, StringConstraints(min_length=16, max_length=200)] | None = None
    kind: ActorKind
    id: Identifier
    roles: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> "_Holder":
        if (self.sha256 is None) == (self.token is None):
            raise ValueError("give either sha256 or token")
        if unknown := set(self.roles) - set(SCOPES_OF_ROLE):
            raise ValueError(f"unknown roles {sorted(unknown)}; known: {sorted(SCOPES_OF_ROLE)}")
        return self


class _TokensFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: tuple[_Holder, ...] = Field(min_length=1)


def caller_of(kind: ActorKind, name: str, roles: Iterable[str]) -> Caller:
    """Make a caller of known roles."""
    actor = Actor(kind=kind, id=name, roles=tuple(roles))
    scopes = frozenset(scope for role in actor.roles for scope in SCOPES_OF_ROLE[role])
    return Caller(actor=actor, scopes=scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What may be kept of a token: its hash, and the name after the development token's slash."""

    digest: bytes
    person: str = ""


class Tokens:
    """Finds the caller of a token by the token's hash, so that timing tells nothing."""

    def __init__(
        self, callers: Mapping[bytes, Caller], *, development_token: str | None = None
    ) -> None:
        """`development_token` None: only what is configured is let in."""
        self._callers = dict(callers)
        self._development = _digest(development_token) if development_token else None

    @property
    def loopback_only(self) -> bool:
        """Whether only this machine may call, because no tokens are configured."""
        return not self._callers

    def caller(self, token: str, client_host: str | None) -> Caller:
        """Return whom a token stands for. Raises Rejected `unauthenticated`."""
        return self.holder(self.present(token), client_host)

    def present(self, token: str) -> Presented:
        """Return what may be kept of a token, for `holder`."""
        secret, _, person = token.partition("/") if self.loopback_only else (token, "", "")
        return Presented(digest=_digest(secret), person=person)

    def holder(self, token: Presented, client_host: str | None) -> Caller:
        """Return whom a token stands for now. Raises Rejected `unauthenticated`."""
        if self.loopback_only:
            return self._developer(token, client_host)
        known = self._callers.get(token.digest)
        if known is None:
            raise Rejected("unauthenticated", "this token is not known")
        return known

    def _developer(self, token: Presented, client_host: str | None) -> Caller:
        if not _is_loopback(client_host):
            raise Rejected(
                "unauthenticated", "without LOANBOOK_TOKENS_FILE only this machine is let in"
            )
        if self._development is None or token.digest != self._development:
            raise Rejected("unauthenticated", "this is not the development token")
        if token.person and _NAME.fullmatch(token.person) is None:
            raise Rejected("unauthenticated", "after the slash comes a person's short name")
        return _developer_named(token.person or DEVELOPER)


@lru_cache(maxsize=64)
def _developer_named(name: str) -> Caller:
    return caller_of(ActorKind.HUMAN, name, _DEVELOPER_ROLES)


def read_tokens(settings: Settings) -> Tokens:
    """Read the configured tokens, or fall back to the development token.

    Raises TokensUnreadable.
    """
    if settings.tokens_file is None:
        secret = settings.development_token
        return Tokens({}, development_token=secret.get_secret_value() if secret else None)
    return Tokens(_read(settings.tokens_file))


def _read(path: Path) -> dict[bytes, Caller]:
    try:
        file = _TokensFile.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TokensUnreadable(f"{path}: {error}") from error
    callers: dict[bytes, Caller] = {}
    for holder in file.tokens:
        key = bytes.fromhex(holder.sha256) if holder.sha256 else _digest(holder.token or "")
        if key in callers:
            raise TokensUnreadable(f"{path}: the token of {holder.id} comes twice")
        callers[key] = caller_of(holder.kind, holder.id, holder.roles)
    return callers


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


@lru_cache(maxsize=64)
def _is_loopback(host: str | None) -> bool:
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False
