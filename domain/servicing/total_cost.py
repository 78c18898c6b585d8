"""What a loan has cost up to a day, and what a cap on its cost a year allows. It cuts nothing.

Source: domain rules, 5.4: a cap is on all interest, penalties and fees over the principal used.
"""

from datetime import date
from decimal import localcontext

from domain.money import WIDE_CONTEXT
from domain.servicing.account import Account
from domain.servicing.penalty import RateCap
from domain.servicing.principal_owed import MOVES_NO_BALANCE
from domain.servicing.restructuring import interest_owed
from domain.servicing.row import F, I, N
from domain.servicing.values import Kind

DAYS_A_YEAR = 365
BECAME_PRINCIPAL = frozenset({Kind.RESTRUCTURE, Kind.CAPITALISED_INCOME})
GIVEN_BACK = frozenset(
    {Kind.CHARGE_ADJUSTMENT, Kind.INTEREST_REFUND, Kind.CAPITALISED_INCOME_ADJUSTMENT}
)


def charged_minor(account: Account, on: date) -> int:
    """Return interest and charges up to a day, and what became principal, less what was given up.

    Minor units. `account` is what is known on the day. What was kept back from payouts is not here.
    """
    ledger = account.ledger
    interest = sum(row.paid[I] - row.credited[I] for row in ledger.rows)
    charges = sum(row.due[part] - row.waived[part] for row in ledger.rows for part in (F, N))
    capitalised = sum(e.amount for e in ledger.entries if e.kind in BECAME_PRINCIPAL)
    given_back = sum(e.amount for e in ledger.entries if e.kind in GIVEN_BACK and not e.void)
    return interest + interest_owed(ledger, on) + charges + capitalised - given_back


def allowed_minor(account: Account, cap: RateCap, on: date) -> int:
    """Return the cap's own interest on the principal used until a day, rounded down, minor units.

    Each day counts with the principal owed on it, a 365th of a year.
    """
    moves = [t for t in account.transactions if t.kind not in MOVES_NO_BALANCE and t.on <= on]
    used, balance, since = 0, 0, on
    for move in moves:
        used += balance * (move.on - since).days
        balance, since = max(0, move.balance_after_minor), move.on
    used += balance * (on - since).days
    with localcontext(WIDE_CONTEXT):
        return int(used * cap.rate_annual / DAYS_A_YEAR)
