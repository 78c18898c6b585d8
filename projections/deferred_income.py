"""What loans defer at the end of a day, set-based; no table of its own: `transactions` tells it.

The straight lines of `domain.servicing.deferred` (domain rules, 9.9 S-27 to S-29) in SQL: a test
holds both equal, to the cent. Facts of later value dates do not count.
"""

from datetime import date
from typing import Final

from domain.servicing.values import DeferredKind
from projections.ports import Database, Row

TAKEN: Final = {
    "capitalised_income": DeferredKind.CAPITALISED_INCOME,
    "buy_down_fee": DeferredKind.BUY_DOWN_FEE,
}
"""Kinds of transactions that defer income, all of it from their value date."""

GIVEN: Final = {
    "capitalised_income_adjustment": DeferredKind.CAPITALISED_INCOME,
    "buy_down_fee_adjustment": DeferredKind.BUY_DOWN_FEE,
}
"""Kinds that give part of it back."""

KINDS: Final = (*TAKEN, *GIVEN)
_KIND: Final = "CASE t.kind " + " ".join(
    f"WHEN '{name}' THEN '{kind}'" for name, kind in {**TAKEN, **GIVEN}.items()
) + " END"  # fmt: skip

# Sums of quotients are cut far below what can decide a rounding: a tie stays one.
_PLACES: Final = 18
_LOANS: Final = f"""
SELECT s.loan_id, s.product_code, s.currency, p.kind,
    sum(p.amount)::bigint AS amount_minor,
    round(round(sum(CASE WHEN m.maturity > greatest(p.since, %(on)s::date + 1)
        THEN (p.amount * (%(on)s::date + 1 - p.since))::numeric(60, 24) / (m.maturity - p.since)
        ELSE p.amount END), {_PLACES}))::bigint AS recognised_minor
FROM (
    SELECT t.loan_id, {_KIND} AS kind, t.effective_on AS since,
        CASE WHEN t.kind IN {(*GIVEN,)} THEN -t.amount_minor ELSE t.amount_minor END AS amount
    FROM transactions t
    WHERE t.kind IN {KINDS} AND t.effective_on <= %(on)s AND t.superseded_position IS NULL
        AND (t.reversed_on IS NULL OR t.reversed_on > %(on)s)
) AS p
JOIN loan_summary s ON s.loan_id = p.loan_id
    AND s.disbursed_on <= %(on)s AND (s.left_on IS NULL OR s.left_on > %(on)s)
CROSS JOIN LATERAL (
    SELECT max(i.due_on) AS maturity FROM instalments i
    WHERE i.loan_id = p.loan_id AND i.valid_from <= %(on)s AND i.valid_to > %(on)s
) AS m
GROUP BY s.loan_id, s.product_code, s.currency, p.kind
"""
TOTALS: Final = f"""
SELECT product_code, currency, kind, sum(amount_minor - recognised_minor)::bigint AS deferred_minor
FROM ({_LOANS}) AS loans GROUP BY product_code, currency, kind
"""

Book = tuple[str, str, DeferredKind]
"""Product, currency, kind of income."""


def deferred_loans(db: Database, on: date) -> list[Row]:
    """Return what each loan took and has recognised by the end of a day, by kind."""
    return db.rows(_LOANS, {"on": on})


def deferred_income(db: Database, on: date) -> dict[Book, int]:
    """Return what the loans on the book have not earned by the end of a day, minor units."""
    return {
        (row["product_code"], row["currency"], DeferredKind(row["kind"])): row["deferred_minor"]
        for row in db.rows(TOTALS, {"on": on})
    }
