"""Which unmet instalments are overdue by what their product tolerates, in SQL.

`u` is a row of `unmet`, `s` its loan's row of `loan_summary`, `on` the day. The rules are those of
`domain.loan.arrears`: a test holds them equal on random books.
"""

from typing import Final

from projections.transactions import CREDITS

_RAISES: Final = ("capitalised_income", "chargeback", "disbursement", "restructuring")
_LOWERS: Final = (
    *CREDITS,
    "capitalised_income_reversal",
    "chargeback_reversal",
    "disbursement_return",
)

# Of facts of later value dates the principal is taken back out.
_PRINCIPAL: Final = f"""(s.principal_minor + (
        SELECT coalesce(sum(CASE WHEN t.kind IN {_RAISES} THEN -t.principal_minor
            ELSE t.principal_minor END), 0)
        FROM transactions t
        WHERE t.loan_id = s.loan_id AND t.effective_on > %(on)s AND t.superseded_position IS NULL
            AND t.kind IN {_RAISES + _LOWERS}))"""
_TOLERATED: Final = f"""CASE s.tolerance_percent WHEN 0 THEN s.tolerance_minor
        ELSE greatest(s.tolerance_minor, s.tolerance_percent * 0.01 * {_PRINCIPAL}) END"""
_MONTH: Final = "date_trunc('month', (u.due_on + s.tolerance_days::integer)::timestamp)"
_DAY_OF: Final = """least({0}::date + s.tolerance_day::integer - 1,
        ({0} + interval '1 month - 1 day')::date)"""
_LATE_FROM: Final = f"""CASE
        WHEN s.tolerance_day IS NULL THEN u.due_on + s.tolerance_days::integer
        WHEN {_DAY_OF.format(_MONTH)} >= u.due_on + s.tolerance_days::integer
            THEN {_DAY_OF.format(_MONTH)}
        ELSE {_DAY_OF.format(f"({_MONTH} + interval '1 month')")} END"""

LATE: Final = f"(u.due_on < %(on)s AND {_LATE_FROM} < %(on)s)"
"""Whether the day lies beyond the days that are tolerated."""

OVERDUE: Final = f"""({LATE} AND u.principal + u.interest + u.fee
        + CASE WHEN s.penalty_counts THEN u.penalty ELSE 0 END > {_TOLERATED})"""

CHARGEABLE: Final = f"({LATE} AND u.principal + u.interest > {_TOLERATED})"
"""Whether principal and interest alone make the row overdue."""
