"""Fees and penalties: where they fall due, what they amount to, who paid them, what was waived.

Sources: domain rules 9.8 F-01 to F-21; vectors' charge rules.
"""

from datetime import date
from decimal import Decimal

from domain.servicing.charge_amounts import percent_of
from domain.servicing.facts import ChargeAdded
from domain.servicing.instalment_fees import spread_fee
from domain.servicing.ledger import Charge, Entry, Ledger
from domain.servicing.row import I, P, Row
from domain.servicing.values import ChargeBasis, ChargeTime, Component, Kind


def add_charge(ledger: Ledger, fact: ChargeAdded) -> None:
    """Put a charge on the rows it falls due with; before money is out it waits for that."""
    charge = Charge(
        id=fact.id,
        code=fact.code,
        kind=fact.kind,
        time=fact.time,
        basis=fact.basis,
        submitted_on=fact.entered_on,
        due_on=fact.due_on,
        place=fact.place,
        amount=0 if fact.time is ChargeTime.INSTALMENT else fact.amount_minor,
        each=fact.amount_minor,
        percent=fact.percent or Decimal(0),
    )
    ledger.charges.append(charge)
    if ledger.disbursements:
        _put(ledger, charge)


def put_waiting_charges(ledger: Ledger) -> None:
    """Put the charges of an application on the rows of the money paid out."""
    for charge in ledger.charges:
        _put(ledger, charge)


def _put(ledger: Ledger, charge: Charge) -> None:
    if charge.time is ChargeTime.INSTALMENT:
        spread_fee(ledger, charge)
    elif charge.time is ChargeTime.DISBURSEMENT:
        _take_at_disbursement(ledger, charge)
    else:
        _place(ledger, charge)


def _place(ledger: Ledger, charge: Charge) -> None:
    """Add the charge to the row that contains its due date; after maturity to row N+1 (F-21)."""
    assert charge.due_on is not None, "a dated charge has a due date"
    if charge.basis is not ChargeBasis.FLAT and not charge.amount:
        charge.amount = _amount_of_dated(ledger, charge)
    row = row_bearing(ledger, charge) or row_after_maturity(ledger, charge.due_on)
    row.ask(charge.component, charge.amount, row.met_on)


def _amount_of_dated(ledger: Ledger, charge: Charge) -> int:
    if charge.time is ChargeTime.OVERDUE:
        assert charge.due_on is not None, "an overdue charge has its instalment's due date"
        row = row_bearing(ledger, charge) or ledger.rows[-1]
        owed = (row.outstanding_of(P), row.outstanding_of(I))
        return percent_of(charge.basis, charge.percent, *owed)
    principal = sum(row.due[P] for row in ledger.rows)
    interest = sum(row.due[I] for row in ledger.rows)
    return percent_of(charge.basis, charge.percent, principal, interest)


def row_bearing(ledger: Ledger, charge: Charge) -> Row | None:
    """Find the row of a dated charge: the one it was asked for on, else the one that holds its day.

    Rows that share a due date, as a down payment and an instalment may, are told apart by place.
    """
    assert charge.due_on is not None, "a dated charge has a due date"
    due = [row for row in ledger.rows if row.due_on == charge.due_on] if charge.place else []
    if len(due) >= charge.place > 0:
        return due[charge.place - 1]
    return row_of_charge(ledger, charge.due_on)


def row_of_charge(ledger: Ledger, due_on: date) -> Row | None:
    """Find the row with from < due date <= due; the first regular one also takes its first day."""
    start = ledger.started_on
    first = True
    for row in ledger.rows:
        if row.down_payment:
            continue
        if start < due_on <= row.due_on or (first and due_on == start):
            return row
        start, first = row.due_on, False
    return None


def row_after_maturity(ledger: Ledger, due_on: date) -> Row:
    """Return row N+1, due on a day or later."""
    row = ledger.additional_row()
    if row is None:
        return add_row_after_maturity(ledger, due_on)
    row.due_on = max(row.due_on, due_on)
    return row


def add_row_after_maturity(ledger: Ledger, due_on: date) -> Row:
    """Add row N+1: no plan behind it, due on a day after maturity."""
    row = Row(ledger.rows[-1].due_on, due_on)
    row.additional = True
    ledger.rows.append(row)
    ledger.renumber()
    return row


def _take_at_disbursement(ledger: Ledger, charge: Charge) -> None:
    if charge.basis is not ChargeBasis.FLAT:
        paid_out = sum(amount for _, amount, _ in ledger.disbursements)
        charge.amount = percent_of(charge.basis, charge.percent, paid_out, 0)
    charge.paid = charge.amount
    ledger.disbursement_fees += charge.amount
    entry = Entry(
        id=f"{charge.id}:taken",
        kind=Kind.REPAYMENT_AT_DISBURSEMENT,
        on=ledger.started_on,
        amount=charge.amount,
        entered_on=charge.submitted_on,
    )
    entry.parts[charge.component] = charge.amount
    ledger.entries.append(entry)


def charges_of(ledger: Ledger, row: Row) -> list[Charge]:
    """Charges that fall due with a row."""
    first = next((r for r in ledger.rows if not r.down_payment), None)
    return [
        charge
        for charge in ledger.charges
        if row.due_on in charge.shares or _is_borne_by(ledger, charge, row, first=row is first)
    ]


def _is_borne_by(ledger: Ledger, charge: Charge, row: Row, *, first: bool) -> bool:
    if charge.due_on is None:
        return False
    if charge.place:
        return row_bearing(ledger, charge) is row
    return _due_in(charge.due_on, row, first=first)


def _due_in(due_on: date, row: Row, *, first: bool) -> bool:
    return row.from_on < due_on <= row.due_on or (first and due_on == row.from_on)


def pay_charges(ledger: Ledger, row: Row, component: Component, amount: int) -> None:
    """Mark the earliest unpaid charges of a row as paid."""
    if component is P or component is I:
        return
    unpaid = [c for c in charges_of(ledger, row) if c.component is component and c.outstanding > 0]
    for charge in sorted(unpaid, key=lambda c: c.due_on or row.due_on):
        used = min(amount, charge.outstanding)
        if charge.time is ChargeTime.INSTALMENT:
            used = min(used, charge.shares[row.due_on])
        charge.paid += used
        amount -= used


def pay_earliest_charges(ledger: Ledger, component: Component, amount: int) -> None:
    """Mark the unpaid charges that are due first as paid, whatever row they stand on (A-13)."""
    while amount > 0:
        unpaid = [c for c in ledger.charges if c.component is component and c.outstanding > 0]
        if component is P or component is I or not unpaid:
            return
        charge = min(unpaid, key=_next_due)
        used = min(amount, _next_share(charge))
        charge.paid += used
        amount -= used


def _next_due(charge: Charge) -> date:
    """Due date of the part of a charge that is to be paid next; one without a date is due first."""
    if charge.due_on is not None:
        return charge.due_on
    return _open_share(charge)[0] if charge.shares else date.min


def _next_share(charge: Charge) -> int:
    return _open_share(charge)[1] if charge.shares else charge.outstanding


def _open_share(charge: Charge) -> tuple[date, int]:
    settled = charge.paid + charge.waived
    for due_on, share in sorted(charge.shares.items()):
        if settled < share:
            return due_on, share - settled
        settled -= share
    return date.max, charge.outstanding


def waive_charge(ledger: Ledger, charge_id: str, entry: Entry, recognised: int) -> None:
    """Give up an amount of a charge; it moves to waived. The split holds what was income before."""
    charge = next(c for c in ledger.charges if c.id == charge_id)
    amount = entry.amount
    charge.waived += amount
    charge.given_up += amount - recognised
    entry.parts[charge.component] = recognised
    if charge.shares:
        rows = [row for row in ledger.rows if row.due_on in charge.shares]
    else:
        assert charge.due_on is not None, "a dated charge has a due date"
        row = row_bearing(ledger, charge)
        rows = [] if row is None else [row]
    for row in rows:
        share = min(amount, row.outstanding_of(charge.component))
        row.beside.waived[charge.component] += share
        row.check_met(entry.on)
        amount -= share
