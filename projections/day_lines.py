"""`day_lines`: what the engine said of loans for all days until something happens.

A loan whose interest follows what is paid is asked once and not every day. A line counts for one
version of its loan only, so it need not be taken back; it is no history and may be emptied.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Final

from domain.loan.day import DayLine
from projections.ports import Database

_COUNTS: Final = "l.version = s.version AND l.since_on <= %(on)s AND l.until_on >= %(on)s"

COVERED: Final = f"""EXISTS (
    SELECT FROM day_lines l WHERE l.loan_id = s.loan_id AND {_COUNTS}
)"""
"""Whether a line says the day `on` of the loan `s`, a row of `loan_summary`."""

# The exact sum is cut to the product's digits, then rounded half up, as the engine does it.
_EXACT: Final = """l.earned + l.base_minor * l.factor * (%(on)s - l.from_on) / l.period_days"""

SAID: Final = f"""
    SELECT l.loan_id,
        CASE l.days_past_due WHEN 0 THEN 0 ELSE l.days_past_due + (%(on)s - l.since_on) END
            AS days_past_due,
        l.principal_minor, l.overdue_principal_minor, l.overdue_interest_minor,
        l.overdue_fee_minor, l.overdue_penalty_minor,
        greatest(0, l.fixed_minor + round(round(x.exact,
            l.digits - length(trunc(x.exact)::text))))::bigint AS accrued_interest_minor
    FROM day_lines l
    JOIN loan_summary s ON s.loan_id = l.loan_id AND s.recalculates AND {_COUNTS}
    CROSS JOIN LATERAL (SELECT {_EXACT} AS exact) AS x"""
"""Figures of a day by the lines that hold: columns of `DayFigures` with the loan's id."""

_COLUMNS: Final = {
    "loan_id": "text",
    "version": "bigint",
    "since_on": "date",
    "until_on": "date",
    "days_past_due": "integer",
    "principal_minor": "bigint",
    "overdue_principal_minor": "bigint",
    "overdue_interest_minor": "bigint",
    "overdue_fee_minor": "bigint",
    "overdue_penalty_minor": "bigint",
    "from_on": "date",
    "fixed_minor": "bigint",
    "earned": "numeric",
    "base_minor": "bigint",
    "factor": "numeric",
    "period_days": "integer",
    "digits": "integer",
}
_KEEP: Final = f"""
INSERT INTO day_lines ({", ".join(_COLUMNS)})
SELECT * FROM jsonb_to_recordset(%(lines)s::jsonb)
    AS e ({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
ON CONFLICT (loan_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "loan_id")}
"""

Line = tuple[int, DayLine]
"""The loan's version, and what was said of it."""


def keep_lines(db: Database, lines: Mapping[str, Line]) -> None:
    """Keep what was said of loans, by id; what was kept of them before is gone."""
    if lines:
        db.execute(_KEEP, {"lines": json.dumps(list(_rows(lines)))})


def _rows(lines: Mapping[str, Line]) -> Iterable[dict[str, object]]:
    for loan_id, (version, line) in sorted(lines.items()):
        figures = asdict(line.figures)
        del figures["accrued_interest_minor"]  # the line says it
        accrual = line.accrual._asdict()
        row = {"loan_id": loan_id, "version": version, "since_on": line.on, **figures, **accrual}
        yield {name: _text(value) for name, value in row.items()}


def _text(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, int | str) else str(value)
