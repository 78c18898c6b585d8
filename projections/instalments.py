"""Read model `instalments`: every row of a schedule as published, with the dates it holds for.

A value date picks the versions with `valid_from <= date < valid_to`; now is `valid_to` STILL. A
restatement ends the versions it replaces and adds new ones from the date of what caused it.
"""

from datetime import date

import msgspec

from projections.ports import Database, Row
from projections.tables import STILL, Table


class InstalmentVersion(msgspec.Struct, gc=False):
    """A row. Amounts in minor units of the loan's currency."""

    loan_id: str
    number: int
    version: int
    valid_from: date
    valid_to: date
    seen_until: date
    from_on: date
    due_on: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    principal_paid_minor: int
    interest_paid_minor: int
    fee_paid_minor: int
    penalty_paid_minor: int
    interest_waived_minor: int
    fee_waived_minor: int
    penalty_waived_minor: int
    met_on: date | None

    @property
    def unpaid_minor(self) -> int:
        """What is left to pay on the row."""
        return (
            self.principal_minor
            - self.principal_paid_minor
            + self.interest_minor
            - self.interest_paid_minor
            - self.interest_waived_minor
            + self.fee_minor
            - self.fee_paid_minor
            - self.fee_waived_minor
            + self.penalty_minor
            - self.penalty_paid_minor
            - self.penalty_waived_minor
        )


TABLE = Table("instalments", InstalmentVersion, ("loan_id", "number", "version"))

UNPAID = """(i.principal_minor - i.principal_paid_minor
    + i.interest_minor - i.interest_paid_minor - i.interest_waived_minor
    + i.fee_minor - i.fee_paid_minor - i.fee_waived_minor
    + i.penalty_minor - i.penalty_paid_minor - i.penalty_waived_minor)"""

SCHEDULE = f"""
SELECT i.*, {UNPAID} AS unpaid_minor FROM instalments i
WHERE i.loan_id = %(loan_id)s AND i.valid_to = '{STILL}' ORDER BY i.number
"""
SCHEDULE_AS_OF = f"""
SELECT i.*, {UNPAID} AS unpaid_minor FROM instalments i
WHERE i.loan_id = %(loan_id)s AND i.valid_from <= %(as_of)s AND i.valid_to > %(as_of)s
ORDER BY i.number
"""


def schedule(db: Database, loan_id: str, as_of: date | None = None) -> list[Row]:
    """Return a loan's rows in order, with `unpaid_minor`.

    `as_of` None: as they stand. For another date the versions that hold for it; those with
    `seen_until` after the date come from a restatement and take in later facts too.
    """
    sql = SCHEDULE if as_of is None else SCHEDULE_AS_OF
    return db.rows(sql, {"loan_id": loan_id, "as_of": as_of})
