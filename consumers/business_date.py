"""The business date of commands that come in now and carry none: data, not the clock.

It is the day after the last closed one; where no day was ever closed it is today's, in UTC.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from consumers.projector import Transactions
from projections.loan_day import last_closed


def _clock() -> datetime:
    return datetime.now(UTC)


def business_date(pool: Transactions, now: Callable[[], datetime] = _clock) -> date:
    """Return it as it is now. Raises Unavailable."""
    with pool.transaction() as db:
        closed = last_closed(db)
    return closed + timedelta(days=1) if closed else now().date()
