"""Which loans are charged on a day for instalments that are overdue, in SQL. It puts no charge.

The turns are those of `domain.loan.charge_rules.last_turn`: counted from the first, which is on the
day after the due date and the days to wait. An instalment that is overdue again, because a payment
was taken back, is newly missed and needs no turn. Where a percentage of principal is tolerated, one
may become chargeable on any day: such loans are looked at every day.
"""

from typing import Final

from projections.tolerance import CHARGEABLE

_MONTHS: Final = """(extract(year FROM age(%(on)s::date, x.first)) * 12
            + extract(month FROM age(%(on)s::date, x.first)))::integer"""

CHARGED_TODAY: Final = f"""(s.overdue_turns <> '[]' AND EXISTS (
        SELECT FROM unmet u,
            jsonb_to_recordset(s.overdue_turns) AS r (wait_days integer, every integer, unit text),
            LATERAL (SELECT u.due_on + r.wait_days + 1 AS first) AS x
        WHERE u.loan_id = s.loan_id AND x.first <= %(on)s
            AND {CHARGEABLE}
            AND CASE
                WHEN s.tolerance_percent > 0 THEN true
                WHEN r.every IS NULL THEN x.first = %(on)s
                WHEN r.unit = 'months' THEN EXISTS (
                    SELECT FROM generate_series({_MONTHS}, {_MONTHS} + 1) AS m (months)
                    WHERE m.months %% r.every = 0
                        AND (x.first + make_interval(months => m.months))::date = %(on)s)
                ELSE (%(on)s - x.first)
                    %% (r.every * CASE r.unit WHEN 'weeks' THEN 7 ELSE 1 END) = 0
            END
    ))"""
"""Whether a turn of the loan `s`, a row of `loan_summary`, falls on the day `on`: of `unmet`."""
