"""Read model `journal`: every event that moves money as a balanced entry; trial balances on it.

What an event posts is the domain's (`domain.postings`). A restatement's differences stand under its
old value date and its new position, so a trial balance can be had as of and as known at.
"""

from datetime import date, datetime

import msgspec

from projections.pages import Page, decode, limited, page_of
from projections.ports import Database, Row
from projections.tables import Table


class JournalEntry(msgspec.Struct):
    """A row. `amounts_minor` beside `accounts`, debit positive, in minor units of `currency`."""

    shard: int
    position: int
    number: int
    stream: str
    topic: str
    product_code: str
    currency: str
    value_on: date
    recorded_at: datetime
    accounts: list[str]
    amounts_minor: list[int]


TABLE = Table("journal", JournalEntry, ("shard", "position", "number"))

ADD = """
INSERT INTO ledger_balances AS b (product_code, currency, account, amount_minor)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[])
ON CONFLICT (product_code, currency, account)
DO UPDATE SET amount_minor = b.amount_minor + excluded.amount_minor
"""
TRIAL_BALANCE = """
SELECT currency, account, sum(amount)::bigint AS amount_minor
FROM journal, unnest(accounts, amounts_minor) AS line (account, amount)
WHERE value_on <= %(as_of)s AND (%(known)s::bigint IS NULL OR position <= %(known)s)
    AND (%(product)s::text IS NULL OR product_code = %(product)s)
GROUP BY currency, account HAVING sum(amount) <> 0 ORDER BY currency, account
"""
BALANCES_ON = """
SELECT product_code, currency, sum(amount)::bigint AS amount_minor FROM (
    SELECT product_code, currency, amount_minor AS amount FROM ledger_balances
    WHERE account = %(account)s
    UNION ALL
    SELECT product_code, currency, -amount
    FROM journal, unnest(accounts, amounts_minor) AS line (account, amount)
    WHERE value_on > %(on)s AND account = %(account)s
) AS part
GROUP BY product_code, currency ORDER BY product_code, currency
"""
ENTRIES = """
SELECT * FROM journal
WHERE stream = %(stream)s AND (position, number) > (%(position)s, %(number)s)
ORDER BY position, number LIMIT %(limit)s
"""


def add(db: Database, totals: dict[tuple[str, str, str], int]) -> None:
    """Add to the balances of (product, currency, account); sorted, so that two never deadlock."""
    keys = sorted(totals)
    if keys:
        columns: list[list[str]] = [[key[part] for key in keys] for part in range(3)]
        db.execute(ADD, [*columns, [totals[key] for key in keys]])


def trial_balance(
    db: Database, as_of: date, *, known: int | None = None, product: str | None = None
) -> list[Row]:
    """Add up the journal: columns currency, account, amount_minor; accounts at zero are left out.

    `known` None: as known now, else as known at a position; `product` None: of all products.
    """
    return db.rows(TRIAL_BALANCE, {"as_of": as_of, "known": known, "product": product})


def balances_on(db: Database, account: str, on: date) -> dict[tuple[str, str], int]:
    """Return one account's balance at the end of a day, by (product, currency), minor units.

    Costs what has a later value date, not the length of history.
    """
    rows = db.rows(BALANCES_ON, {"account": account, "on": on})
    return {(row["product_code"], row["currency"]): row["amount_minor"] for row in rows}


def entries(db: Database, stream: str, *, limit: int = 100, cursor: str = "") -> Page:
    """List a stream's entries in the order in which they were recorded.

    Raises Rejected: `limit_out_of_range`, `malformed_cursor`.
    """
    position, number = decode(cursor, tuple[int, int]) if cursor else (0, 0)
    parameters = {
        "stream": stream,
        "position": position,
        "number": number,
        "limit": limited(limit) + 1,
    }
    rows = db.rows(ENTRIES, parameters)
    return page_of(rows, limit, lambda row: [row["position"], row["number"]])
