"""`business_report`: applications, decisions, disbursed volume, balances and customers by period.

Flows come from `loan_summary`, balances from the closed days; amounts per currency.
"""

from datetime import date
from typing import Final

from domain.errors import Rejected
from projections.ports import Database, Row

PERIODS: Final = ("day", "week", "month")

FLOWS = """
WITH happened AS (
    SELECT loan_id, currency, applied_minor AS minor, 'applications' AS what,
        applied_on AS happened_on
    FROM loan_summary
    UNION ALL
    SELECT loan_id, currency, coalesce(amount_minor, 0),
        CASE decision WHEN 'approved' THEN 'approvals' WHEN 'declined' THEN 'declines'
            ELSE 'referrals' END, reviewed_on
    FROM loan_summary WHERE reviewed_on IS NOT NULL
    UNION ALL
    SELECT loan_id, currency, applied_minor, 'withdrawals', withdrawn_on
    FROM loan_summary WHERE withdrawn_on IS NOT NULL
    UNION ALL
    SELECT loan_id, currency, amount_minor, 'disbursements', effective_on
    FROM transactions WHERE kind = 'disbursement'
    UNION ALL
    SELECT loan_id, currency, amount_minor, 'returns', effective_on
    FROM transactions WHERE kind = 'disbursement_return'
    UNION ALL
    SELECT loan_id, currency, amount_minor, 'payments', effective_on
    FROM transactions
    WHERE kind = 'payment' AND superseded_position IS NULL AND reversed_on IS NULL
    UNION ALL
    SELECT loan_id, currency, 0, 'settlements', settled_on
    FROM loan_summary WHERE settled_on IS NOT NULL
    UNION ALL
    SELECT loan_id, currency, charged_off_minor, 'charge_offs', charged_off_on
    FROM loan_summary WHERE charged_off_on IS NOT NULL
)
SELECT date_trunc(%(period)s, happened_on)::date AS period, currency,
    count(*) FILTER (WHERE what = 'applications') AS applications,
    coalesce(sum(minor) FILTER (WHERE what = 'applications'), 0)::bigint AS applied_minor,
    count(*) FILTER (WHERE what = 'approvals') AS approvals,
    count(*) FILTER (WHERE what = 'declines') AS declines,
    count(*) FILTER (WHERE what = 'withdrawals') AS withdrawals,
    count(*) FILTER (WHERE what = 'disbursements') AS disbursements,
    (coalesce(sum(minor) FILTER (WHERE what = 'disbursements'), 0)
        - coalesce(sum(minor) FILTER (WHERE what = 'returns'), 0))::bigint AS disbursed_minor,
    count(*) FILTER (WHERE what = 'payments') AS payments,
    coalesce(sum(minor) FILTER (WHERE what = 'payments'), 0)::bigint AS paid_minor,
    count(*) FILTER (WHERE what = 'settlements') AS settlements,
    count(*) FILTER (WHERE what = 'charge_offs') AS charge_offs,
    coalesce(sum(minor) FILTER (WHERE what = 'charge_offs'), 0)::bigint AS charged_off_minor
FROM happened
WHERE happened_on BETWEEN %(from_on)s AND %(until_on)s
GROUP BY 1, 2
"""

ENDS = """
SELECT date_trunc(%(period)s, business_date)::date AS period, max(business_date) AS day
FROM portfolio_day WHERE business_date BETWEEN %(from_on)s AND %(until_on)s GROUP BY 1
"""

REPORT = f"""
WITH flows AS ({FLOWS}), ends AS ({ENDS}),
balances AS (
    SELECT e.period, e.day, b.currency, count(*) AS loans,
        count(DISTINCT s.customer_id) AS customers,
        sum(b.principal_minor)::bigint AS outstanding_minor
    FROM ends e CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.loan_id) d.* FROM loan_day d WHERE d.business_date = e.day
        ORDER BY d.loan_id, d.known_from DESC
    ) AS b
    JOIN loan_summary s ON s.loan_id = b.loan_id
    WHERE b.state = 'on_book'
    GROUP BY e.period, e.day, b.currency
)
SELECT period, currency,
    coalesce(f.applications, 0) AS applications, coalesce(f.applied_minor, 0) AS applied_minor,
    coalesce(f.approvals, 0) AS approvals, coalesce(f.declines, 0) AS declines,
    coalesce(f.withdrawals, 0) AS withdrawals,
    coalesce(f.disbursements, 0) AS disbursements,
    coalesce(f.disbursed_minor, 0) AS disbursed_minor,
    coalesce(f.payments, 0) AS payments, coalesce(f.paid_minor, 0) AS paid_minor,
    coalesce(f.settlements, 0) AS settlements, coalesce(f.charge_offs, 0) AS charge_offs,
    coalesce(f.charged_off_minor, 0) AS charged_off_minor,
    b.day AS balances_on, b.loans AS active_loans, b.customers AS active_customers,
    b.outstanding_minor
FROM flows f FULL JOIN balances b USING (period, currency)
ORDER BY period, currency
"""


def business_report(
    db: Database, from_on: date, until_on: date, period: str = "month"
) -> list[Row]:
    """Return one row a period and currency.

    Balances and customers are those of the last closed day in the period, None without one.
    Raises Rejected: `unknown_period`, `dates_out_of_order`.
    """
    if period not in PERIODS:
        raise Rejected("unknown_period", f"one of {', '.join(PERIODS)}", "period")
    if from_on > until_on:
        raise Rejected("dates_out_of_order", "the first date is after the last", "from")
    return db.rows(REPORT, {"from_on": from_on, "until_on": until_on, "period": period})
