"""Rows come back as they went in, whatever their texts hold."""

from datetime import UTC, date, datetime

import pytest

from infra.database import DatabasePool
from projections import audit_trail, schema
from projections.audit_trail import AuditEntry

TEXTS = [
    "plain",
    "",
    "null",
    "\\.",
    'double "quotes" and a back\\slash',
    "ends with \\",
    '",\\"',
    "], [\\n not a line",
    "a\nline, a\ttab and a \x01 control",
    "放款复核，账销案存 😀",
]


def entry(position: int, text: str) -> AuditEntry:
    return AuditEntry(
        shard=0,
        position=position,
        stream=f"loan-{position}",
        version=1,
        topic=text,
        effective_on=date(2024, 2, 29),
        recorded_at=datetime(2024, 2, 29, 12, 30, 0, 123456, tzinfo=UTC),
        source_recorded_at=None,
        actor_kind="human",
        actor_id=text,
        actor_roles=[text, "officer"],
        on_behalf_of=None,
        reason_code=text,
        policy_versions={text: position},
        approvals=[{"by": text, "level": None}],
        command_id=None,
        causation_id=None,
        correlation_id=None,
        summary=text,
    )


@pytest.mark.parametrize("write", ["insert", "upsert"])
@pytest.mark.parametrize("texts", [[text] for text in TEXTS] + [TEXTS], ids=ascii)
def test_a_row_comes_back_as_it_went_in(pool: DatabasePool, texts: list[str], write: str) -> None:
    rows = [entry(position, text) for position, text in enumerate(texts, start=1)]
    with pool.transaction() as db:
        schema.enter_current(db)
        getattr(audit_trail.TABLE, write)(db, rows)
        assert list(audit_trail.TABLE.load(db, "ORDER BY t.position", {})) == rows
