"""A hash of each read model over its rows in order of key, to compare two of them.

Live and rebuilt, before and after a replay, current and folded from zero must be equal.
"""

from typing import Final

from projections.ports import Database

KEYS: Final = {
    "applied_versions": "stream",
    "loan_summary": "loan_id",
    "instalments": "loan_id, number, version",
    "transactions": "loan_id, transaction_id, kind, revision",
    "cases": "loan_id",
    "audit_trail": "shard, position",
    "override_register": "loan_id, version",
    "four_eyes": "loan_id, disbursement_id, prepared_version",
    "journal": "shard, position, number",
    "ledger_balances": "product_code, currency, account",
}
"""Read model to the key that orders its rows. Dead letters hold times of failures: not compared."""


def hash_of(db: Database, table: str) -> str:
    """Hash a read model's rows as text, sorted by key as bytes; of no rows the hash of nothing."""
    order = ", ".join(_as_bytes(column.strip()) for column in KEYS[table].split(","))
    row = db.row(
        "SELECT encode(sha256(coalesce(string_agg(sha256(convert_to(t::text, 'UTF8')), ''::bytea"
        f" ORDER BY {order}), ''::bytea)), 'hex') AS hash FROM {table} t"
    )
    assert row is not None
    return str(row["hash"])


def hashes(db: Database) -> dict[str, str]:
    """Hash every read model of the schema that `db` has entered, or of the current views."""
    return {table: hash_of(db, table) for table in KEYS}


def _as_bytes(column: str) -> str:
    """Compare text as bytes, so that a locale cannot change the hash."""
    return f't.{column}::text COLLATE "C"'
