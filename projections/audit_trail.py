"""Compliance audit `audit_trail`: every event of every stream: who, when, why, by which policy.

The bytes and their hashes stay in the record; this is the reading copy.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from domain.errors import Rejected
from projections.pages import Page, decode, limited, page_of
from projections.ports import Database
from projections.tables import Table


class AuditEntry(msgspec.Struct, gc=False):
    """A row; `summary` is one English line for a person."""

    shard: int
    position: int
    stream: str
    version: int
    topic: str
    effective_on: Any
    recorded_at: datetime
    source_recorded_at: datetime | None
    actor_kind: str
    actor_id: str
    actor_roles: list[str]
    on_behalf_of: str | None
    reason_code: str | None
    policy_versions: dict[str, int]
    approvals: list[dict[str, Any]]
    command_id: str | None
    causation_id: str | None
    correlation_id: str | None
    summary: str


TABLE = Table("audit_trail", AuditEntry, ("shard", "position"))

# Each filter is its own clause, so that the planner sees which index fits.
_CLAUSES: Final = {
    "stream": "stream = %(stream)s",
    "topic": "topic = %(topic)s",
    "actor_id": "actor_id = %(actor_id)s",
    "actor_kind": "actor_kind = %(actor_kind)s",
    "reason_code": "reason_code = %(reason_code)s",
    "recorded_from": "recorded_at >= %(recorded_from)s::timestamptz",
    "recorded_until": "recorded_at < %(recorded_until)s::timestamptz",
}


def audit_trail(
    db: Database, *, filters: dict[str, Any] | None = None, limit: int = 100, cursor: str = ""
) -> Page:
    """List events, newest first.

    `filters`: stream, topic, actor_id, actor_kind, reason_code, recorded_from, recorded_until.
    Raises Rejected: `limit_out_of_range`, `malformed_cursor`, `unknown_filter`.
    """
    filters = filters or {}
    if unknown := set(filters) - set(_CLAUSES):
        raise Rejected("unknown_filter", f"there is no filter {', '.join(sorted(unknown))}")
    clauses = [_CLAUSES[name] for name in filters]
    parameters = filters | {"limit": limited(limit) + 1}
    if cursor:
        shard, position = decode(cursor, tuple[int, int])
        clauses.append("(shard, position) < (%(shard)s::bigint, %(position)s::bigint)")
        parameters |= {"shard": shard, "position": position}
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    sql = f"SELECT * FROM audit_trail {where} ORDER BY shard DESC, position DESC LIMIT %(limit)s"
    return page_of(db.rows(sql, parameters), limit, lambda row: (row["shard"], row["position"]))


TIMELINE = """
SELECT * FROM audit_trail
WHERE stream = ANY(%(streams)s)
    AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
    AND (shard, position) > (%(shard)s::bigint, %(position)s::bigint)
ORDER BY shard, position LIMIT %(limit)s
"""


def timeline(
    db: Database,
    loan_id: str,
    *,
    known_at: datetime | None = None,
    limit: int = 200,
    cursor: str = "",
) -> Page:
    """Return a loan's life with its collection case, oldest first.

    `known_at` None: all that is known. Raises Rejected: `limit_out_of_range`, `malformed_cursor`.
    """
    shard, position = decode(cursor, tuple[int, int]) if cursor else (-1, 0)
    parameters = {
        "streams": [f"loan-{loan_id}", f"case-{loan_id}"],
        "known_at": known_at,
        "shard": shard,
        "position": position,
        "limit": limited(limit) + 1,
    }
    rows = db.rows(TIMELINE, parameters)
    return page_of(rows, limit, lambda row: (row["shard"], row["position"]))


REFUSALS = """
SELECT shard, sequence, command, actor, stream, code, detail, field, recorded_at, scope, key
FROM outcomes
WHERE status = 'refused' AND (shard, sequence) < (%(shard)s::integer, %(sequence)s::bigint)
    AND (%(code)s::text IS NULL OR code = %(code)s)
    AND (%(actor)s::text IS NULL OR actor = %(actor)s)
    AND (%(stream)s::text IS NULL OR stream = %(stream)s)
ORDER BY shard DESC, sequence DESC LIMIT %(limit)s
"""


def refusals(
    db: Database, *, filters: dict[str, str] | None = None, limit: int = 100, cursor: str = ""
) -> Page:
    """List refused commands, newest first, from the store's outcomes.

    `filters`: code, actor (`kind:id`), stream. Raises Rejected: `limit_out_of_range`,
    `malformed_cursor`, `unknown_filter`.
    """
    wanted: dict[str, Any] = dict.fromkeys(("code", "actor", "stream")) | (filters or {})
    if len(wanted) > 3:  # noqa: PLR2004 - the filters above
        raise Rejected("unknown_filter", "one of code, actor, stream", "filters")
    shard, sequence = decode(cursor, tuple[int, int]) if cursor else (2**31 - 1, 0)
    rows = db.rows(
        REFUSALS, wanted | {"shard": shard, "sequence": sequence, "limit": limited(limit) + 1}
    )
    return page_of(rows, limit, lambda row: (row["shard"], row["sequence"]))
