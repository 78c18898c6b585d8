"""What the close of a day asks about collection cases, and the loans that it could not close."""

from collections.abc import Collection
from datetime import date

from projections.loan_day import last_known
from projections.ports import Database, Row

LATE_WITHOUT_CASE = """
SELECT d.loan_id, d.days_past_due, d.overdue_principal_minor + d.overdue_interest_minor
    + d.overdue_fee_minor + d.overdue_penalty_minor AS overdue_minor
FROM {rows} AS d
JOIN loan_summary s ON s.loan_id = d.loan_id AND s.status = 'active'
LEFT JOIN cases c ON c.loan_id = d.loan_id
WHERE d.days_past_due > 0 AND c.open IS NOT TRUE
ORDER BY d.loan_id
"""


def late_without_case(db: Database, on: date) -> list[Row]:
    """List late loans of a closed day that nobody works on.

    Columns: loan_id, days_past_due, overdue_minor.
    """
    return db.rows(LATE_WITHOUT_CASE.format(rows=last_known(db, on)), {"on": on})


CASE_WITHOUT_ARREARS = """
SELECT c.loan_id, CASE s.status WHEN 'settled' THEN 'settled'
    WHEN 'charged_off' THEN 'charged_off' WHEN 'written_off' THEN 'charged_off'
    ELSE 'cured' END AS how
FROM cases c JOIN loan_summary s ON s.loan_id = c.loan_id
WHERE c.open AND (s.status <> 'active' OR NOT s.in_arrears)
ORDER BY c.loan_id
"""


def case_without_arrears(db: Database) -> list[Row]:
    """List open cases whose loan is not late any more, with how that came: loan_id, how."""
    return db.rows(CASE_WITHOUT_ARREARS)


def park(db: Database, on: date, reasons: dict[str, str]) -> None:
    """Note loans that could not be closed, by id, with the reason."""
    for loan_id, reason in reasons.items():
        db.execute(
            "INSERT INTO parked_loans (business_date, loan_id, reason) VALUES (%s, %s, %s)"
            " ON CONFLICT (business_date, loan_id) DO UPDATE SET reason = excluded.reason",
            [on, loan_id, reason],
        )


def unpark(db: Database, on: date, loan_ids: Collection[str]) -> None:
    """Take loans off the list of a day, because their close went through after all."""
    db.execute(
        "DELETE FROM parked_loans WHERE business_date = %s AND loan_id = ANY(%s)",
        [on, list(loan_ids)],
    )


def parked(db: Database, on: date) -> list[Row]:
    """List the parked loans of a day: loan_id, reason."""
    return db.rows(
        "SELECT loan_id, reason FROM parked_loans WHERE business_date = %s ORDER BY loan_id", [on]
    )
