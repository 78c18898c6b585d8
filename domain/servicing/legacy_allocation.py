"""Legacy strategies: the oldest instalment first, its components in the order the name says.

Sources: domain rules 9.7 A-18 to A-21.
"""

from domain.servicing.charges import pay_earliest_charges
from domain.servicing.ledger import AllocationLine, Entry, Ledger
from domain.servicing.row import COMPONENTS, F, I, N, P, Row
from domain.servicing.values import Component, Strategy

Order = tuple[Component, ...]

ORDERS: dict[Strategy, Order] = {
    Strategy.PENALTIES_FEES_INTEREST_PRINCIPAL: (N, F, I, P),
    Strategy.INTEREST_PRINCIPAL_PENALTIES_FEES: (I, P, N, F),
    Strategy.PRINCIPAL_INTEREST_PENALTIES_FEES: (P, I, N, F),
    Strategy.DUE_PENALTY_FEE_INTEREST_PRINCIPAL_ADVANCE_PRINCIPAL_FIRST: (N, F, I, P),
    Strategy.DUE_PENALTY_INTEREST_PRINCIPAL_FEE: (N, I, P, F),
}
ORDERS_IN_ADVANCE: dict[Strategy, Order] = {
    Strategy.DUE_PENALTY_FEE_INTEREST_PRINCIPAL_ADVANCE_PRINCIPAL_FIRST: (P, N, F, I),
    Strategy.DUE_PENALTY_INTEREST_PRINCIPAL_FEE: (N, I, P, F),
}


def allocate_in_order(ledger: Ledger, entry: Entry, amount: int) -> int:
    """Pay instalment after instalment; what is left over is an overpayment."""
    strategy = ledger.terms.strategy
    left = amount
    for row in ledger.open_rows:
        if not left:
            break
        if row.met:
            continue
        order = ORDERS[strategy]
        if entry.on < row.due_on and strategy in ORDERS_IN_ADVANCE:
            order = ORDERS_IN_ADVANCE[strategy]
            left -= _pay_due_charges(ledger, entry, row, left)
        for component in order:
            left -= _collect(ledger, entry, row, component, left)
    return left


def _pay_due_charges(ledger: Ledger, entry: Entry, row: Row, amount: int) -> int:
    """Charges that are due already come before a row in advance; the part that was used."""
    used = 0
    for component in (N, F):
        due = sum(
            charge.amount
            for charge in ledger.charges
            if charge.component is component
            and charge.outstanding > 0
            and (charge.due_on is None or charge.due_on <= entry.on)
        )
        used += _collect(ledger, entry, row, component, min(due, amount - used))
    return used


def _collect(ledger: Ledger, entry: Entry, row: Row, component: Component, amount: int) -> int:
    used = row.pay(component, amount, entry.on)
    if used:
        entry.parts[component] += used
        entry.lines.append(
            AllocationLine(
                instalment=row.number,
                component=component,
                amount_minor=used,
                rule=f"{ledger.terms.strategy}:{component}",
            )
        )
        pay_earliest_charges(ledger, component, used)
    return used


def refund_cash(ledger: Ledger, entry: Entry) -> None:
    """Give back what was paid, the latest instalment first, in the reverse order."""
    left = entry.amount
    order = tuple(reversed(ORDERS.get(ledger.terms.strategy, COMPONENTS)))
    for row in reversed(ledger.rows):
        for component in order:
            back = row.unpay(component, left, entry.on)
            entry.parts[component] += back
            left -= back
        if not left:
            return
