"""Folds a case's events into its row of `cases`."""

from collections.abc import Collection

from projections.collection_cases import TABLE, CaseRow
from projections.ports import Database
from projections.reading import Entry


class CasesFold:
    """The cases of a batch."""

    def __init__(self) -> None:
        self.rows: dict[str, CaseRow] = {}

    def load(self, db: Database, loan_ids: Collection[str]) -> None:
        """Read the cases of some loans as they stand."""
        if loan_ids:
            tail = "WHERE t.loan_id = ANY(%(ids)s)"
            loaded = TABLE.load(db, tail, {"ids": list(loan_ids)})
            self.rows = {row.loan_id: row for row in loaded}

    def apply(self, entry: Entry) -> None:
        """Apply one event. Raises KeyError for a case that was never opened."""
        if entry.topic == "case.opened.v1":
            self.rows[entry.key] = CaseRow(
                loan_id=entry.event.loan_id,
                stream=entry.stream,
                open=True,
                tier=entry.event.tier,
                opened_on=entry.effective_on,
                shard=entry.shard,
                position=entry.position,
                version=entry.version,
            )
            return
        row = self.rows[entry.key]
        match entry.topic:
            case "case.claimed.v1":
                row.claimed_by, row.claimed_at = entry.event.claimed_by, entry.recorded_at
            case "case.released.v1":
                row.claimed_by = row.claimed_at = None
                row.released_at, row.release_cause = entry.recorded_at, entry.event.cause
            case "case.closed.v1":
                row.open, row.claimed_by, row.claimed_at = False, None, None
                row.closed_on, row.closed_how = entry.effective_on, entry.event.how
            case _:
                pass
        row.position, row.version = entry.position, entry.version

    def save(self, db: Database, *, fresh: bool) -> None:
        """Write the rows; `fresh`: none of it is there yet."""
        TABLE.save(db, list(self.rows.values()), fresh=fresh)
