"""Read model `transactions`: what moved money or terms on a loan, with splits and restatements.

A restatement adds a revision; the one before keeps its figures and names the position at which
they were superseded. Kinds: disbursement, disbursement_return, payout_fee, payout_fee_return, the
credits below, reversal, chargeback, chargeback_reversal, charge, charge_reversal, instalment_fees,
penalty_interest, waiver, refund, capitalised_income, capitalised_income_reversal, buy_down_fee,
buy_down_fee_adjustment, buy_down_fee_reversal, buy_down_adjustment_reversal, re_ageing,
re_amortisation, restructuring, charge_off, charge_off_reversal, termination, write_off;
re_ageing_reversal, re_amortisation_reversal, termination_reversal.
"""

from datetime import date, datetime
from typing import Any

import msgspec

from projections.pages import Page, decode, limited, page_of
from projections.ports import Database
from projections.tables import Table


class Transaction(msgspec.Struct, gc=False):
    """A row. Amounts in minor units of `currency`; `lines` as published."""

    loan_id: str
    transaction_id: str
    kind: str
    revision: int
    version: int
    shard: int
    position: int
    effective_on: date
    recorded_at: datetime
    currency: str
    amount_minor: int
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0
    lines: list[dict[str, Any]] = []
    source: str | None = None
    channel: str | None = None
    code: str | None = None
    component: str | None = None
    instalment: int | None = None
    cost_minor: int = 0
    tax_minor: int = 0  # of a charge or a fee, owed to the tax office
    cause: str | None = None
    cause_id: str | None = None
    reversed_on: date | None = None
    superseded_position: int | None = None


CREDITS = (
    "payment",
    "recovery",
    "goodwill",
    "merchant_refund",
    "payout_refund",
    "interest_refund",
    "charge_adjustment",
    "capitalised_income_adjustment",
)
"""Kinds that are allocated to instalments, and may be allocated anew."""

DEFERRING = ("capitalised_income", "buy_down_fee", "buy_down_fee_adjustment")
"""Kinds of income that is recognised over time, and may be taken back."""

KEY = ("loan_id", "transaction_id", "kind", "revision")
TABLE = Table("transactions", Transaction, KEY)

TRANSACTIONS = """
SELECT * FROM transactions
WHERE loan_id = %(loan_id)s
    AND (%(restated)s OR superseded_position IS NULL)
    AND (%(from_on)s::date IS NULL OR effective_on >= %(from_on)s)
    AND (%(until_on)s::date IS NULL OR effective_on <= %(until_on)s)
    AND (effective_on, version, transaction_id, revision)
        > (%(on)s::date, %(version)s::bigint, %(id)s, %(revision)s::bigint)
ORDER BY effective_on, version, transaction_id, revision LIMIT %(limit)s
"""


def transactions(  # noqa: PLR0913 - a list with its usual filters
    db: Database,
    loan_id: str,
    *,
    from_on: date | None = None,
    until_on: date | None = None,
    restated: bool = False,
    limit: int = 100,
    cursor: str = "",
) -> Page:
    """List a loan's transactions by value date.

    `restated` True: also figures that a restatement has superseded.
    Raises Rejected: `limit_out_of_range`, `malformed_cursor`.
    """
    key = tuple[date, int, str, int]
    on, version, name, revision = decode(cursor, key) if cursor else (date.min, 0, "", 0)
    parameters = {
        "loan_id": loan_id,
        "from_on": from_on,
        "until_on": until_on,
        "restated": restated,
        "on": on,
        "version": version,
        "id": name,
        "revision": revision,
        "limit": limited(limit) + 1,
    }
    rows = db.rows(TRANSACTIONS, parameters)
    order = ("effective_on", "version", "transaction_id", "revision")
    return page_of(rows, limit, lambda row: [row[column] for column in order])
