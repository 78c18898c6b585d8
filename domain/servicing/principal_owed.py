"""What each transaction moves of the principal owed, and what it moved after maturity.

It changes no plan and no row. Sources: domain rules 9.9 S-09, S-15.
"""

from datetime import date

from domain.servicing.ledger import Entry, Ledger
from domain.servicing.row import P
from domain.servicing.values import Kind

RAISES_BALANCE = frozenset({Kind.DISBURSEMENT, Kind.CAPITALISED_INCOME, Kind.RESTRUCTURE})
MOVES_NO_BALANCE = frozenset(
    {
        Kind.RE_AGE,
        Kind.RE_AMORTISE,
        Kind.CHARGE_OFF,
        Kind.CONTRACT_TERMINATION,
        Kind.BUY_DOWN_FEE,
        Kind.BUY_DOWN_FEE_ADJUSTMENT,
    }
)
GIVES_BACK = frozenset({Kind.CHARGEBACK, Kind.CREDIT_BALANCE_REFUND, Kind.CASH_REFUND})


def principal_moved(entry: Entry) -> int:
    """Minor units by which a transaction raises the principal owed; less than zero if it repays."""
    if entry.kind in RAISES_BALANCE:
        return entry.amount - entry.overpayment
    if entry.kind in GIVES_BACK:
        return entry.parts[P]
    return 0 if entry.kind in MOVES_NO_BALANCE else -entry.parts[P]


def moved_after(ledger: Ledger, maturity: date, owed: int) -> list[tuple[date, int]]:
    """Days after maturity and what they moved of the principal owed, which is `owed` by now.

    What was paid of new debt from an earlier overpayment is part of no day: it never was owed.
    """
    moves: list[tuple[date, int]] = []
    for entry in reversed(ledger.entries):
        if entry.on > maturity:
            before = max(0, owed - principal_moved(entry))
            if before != owed:
                moves.append((entry.on, owed - before))
            owed = before
    return moves[::-1]
