"""What the read models read of the parts of events: rows, lines, balances."""

from datetime import date

import msgspec


class Narrow(msgspec.Struct, gc=False):
    """What is read of an event."""


class Instalment(msgspec.Struct, array_like=True, gc=False):
    """A row of the schedule as published: a JSON array in this order."""

    number: int
    from_on: date
    due_on: date
    principal_minor: int
    interest_minor: int
    fee_minor: int = 0
    penalty_minor: int = 0
    principal_paid_minor: int = 0
    interest_paid_minor: int = 0
    fee_paid_minor: int = 0
    penalty_paid_minor: int = 0
    interest_waived_minor: int = 0
    fee_waived_minor: int = 0
    penalty_waived_minor: int = 0
    met_on: date | None = None


class Line(Narrow):
    """The part of one payment that went to one instalment."""

    instalment: int
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0


class Balances(Narrow):
    """What is owed by component, and what was paid too much."""

    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0
