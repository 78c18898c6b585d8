"""Unpaid charges when rows end: lifted from them, then placed by their dates or spread evenly.

It decides no amount of a charge. Source: domain rules 9.9 S-09, S-11; F-21.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from domain.servicing.charges import charges_of, row_after_maturity, row_of_charge
from domain.servicing.instalment_fees import times_in
from domain.servicing.ledger import Charge, Ledger
from domain.servicing.row import F, N, Row
from domain.servicing.splitting import split_evenly
from domain.servicing.values import ChargeTime, Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """An unpaid part of a charge; `charge` is None for one that was charged back."""

    charge: Charge | None
    component: Component
    due_on: date
    amount: int


def lift_charges(ledger: Ledger, rows: Iterable[Row]) -> list[Lifted]:
    """Take what is not paid of fees and penalties off rows."""
    return [
        lifted
        for row in rows
        for component in (F, N)
        for lifted in _lift(row, component, charges_of(ledger, row))
    ]


def _lift(row: Row, component: Component, charges: Sequence[Charge]) -> list[Lifted]:
    left = row.outstanding_of(component)
    row.due[component] -= left
    lifted: list[Lifted] = []
    for charge in charges:
        part = min(left, charge.outstanding) if charge.component is component else 0
        if charge.time is ChargeTime.INSTALMENT:
            part = min(part, charge.shares[row.due_on])
            charge.shares[row.due_on] -= part
        if part:
            due_on = charge.due_on or row.due_on
            lifted.append(Lifted(charge=charge, component=component, due_on=due_on, amount=part))
            left -= part
    if left:
        lifted.append(Lifted(charge=None, component=component, due_on=row.due_on, amount=left))
    return lifted


def let_fees_go(ledger: Ledger, rows: Iterable[Row], on: date) -> None:
    """Ask no more for what is unpaid of the contract's fees on instalments that end on a day.

    A yearly fee whose day was by then stays.
    """
    for row, charge, part in _unpaid_fees(ledger, rows, on):
        row.ask(charge.component, -part, row.met_on)
        charge.shares[row.due_on] -= part
        charge.amount -= part


def move_fees(ledger: Ledger, rows: Iterable[Row]) -> None:
    """Note what is unpaid of the contract's fees on rows whose charges move to a new plan."""
    for row, charge, part in _unpaid_fees(ledger, rows, date.min):
        charge.shares[row.due_on] -= part
        charge.moved += part


def _unpaid_fees(
    ledger: Ledger, rows: Iterable[Row], on: date
) -> Iterator[tuple[Row, Charge, int]]:
    """Tell unpaid parts of the contract's fees; of a row in arrears dated charges are paid first.

    Of yearly ones the part after a day. Each is to be taken off before the next is asked for.
    """
    agreed = [charge for charge in ledger.charges if charge.agreed]
    for row in rows if agreed else ():
        dated = [charge for charge in charges_of(ledger, row) if charge.due_on is not None]
        left = row.outstanding_of(F) - sum(x.outstanding for x in dated if x.component is F)
        for charge in agreed:
            share = charge.shares.get(row.due_on, 0)
            times = times_in(charge, row.from_on, row.due_on)
            after = times_in(charge, max(on, row.from_on), row.due_on)
            part = min(max(0, left), share * after // times if times else share)
            left -= part
            if part:
                yield row, charge, part


def place_charges(ledger: Ledger, lifted: Iterable[Lifted], on: date) -> None:
    """Ask for lifted charges on the rows that contain their dates, after maturity on row N+1."""
    for part in lifted:
        row = row_of_charge(ledger, part.due_on) or row_after_maturity(ledger, part.due_on)
        row.ask(part.component, part.amount, on)
        if part.charge is not None and part.charge.time is ChargeTime.INSTALMENT:
            shares = part.charge.shares
            shares[row.due_on] = shares.get(row.due_on, 0) + part.amount


def spread_charges(lifted: Iterable[Lifted], rows: Sequence[Row]) -> None:
    """Ask for lifted charges evenly on new rows: each component is split as one sum."""
    parts = list(lifted)
    for component in (F, N):
        owed = sum(part.amount for part in parts if part.component is component)
        for row, share in zip(rows, split_evenly(owed, len(rows)), strict=True):
            row.due[component] += share
    for part in parts:
        if part.charge is not None:
            for row, share in zip(rows, split_evenly(part.amount, len(rows)), strict=True):
                shares = part.charge.shares  # of a fee on every instalment several parts come here
                shares[row.due_on] = shares.get(row.due_on, 0) + share
