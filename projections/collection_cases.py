"""Read model `cases`: the collection case of each loan, from its own stream."""

from datetime import date, datetime

import msgspec

from projections.tables import Table


class CaseRow(msgspec.Struct, gc=False):
    """A row. `claimed_by` None: nobody has it."""

    loan_id: str
    stream: str
    open: bool
    tier: str
    opened_on: date
    shard: int
    position: int
    version: int
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    released_at: datetime | None = None
    release_cause: str | None = None
    closed_on: date | None = None
    closed_how: str | None = None


TABLE = Table("cases", CaseRow, ("loan_id",))
