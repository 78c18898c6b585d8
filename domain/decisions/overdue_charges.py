"""Charges on overdue instalments: put on by the close of day, taken back when they were not due.

Both follow from the loan's facts alone, so asking twice is asking once. Sources: domain rules 9.8
F-05, 9.14 B-02, 5.7; what becomes of a charge after a payment that is dated back is ours.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from domain.decisions.rate_cap import within_cap
from domain.decisions.results import followed, recorded, results_of
from domain.errors import Rejected
from domain.events.registry import Event
from domain.events.servicing import ChargeAssessed, ChargeCapped, ChargeReversed
from domain.loan.arrears import overdue_beside_charges
from domain.loan.booking import standing_on
from domain.loan.charge_rules import ChargeRule, UndueCharge, amount_of, last_turn, rule_of, tax_in
from domain.loan.evolve import fold
from domain.loan.facts import fact_of
from domain.loan.instalments import Instalment, place_of
from domain.loan.state import Loan
from domain.servicing.facts import ChargeAdded, Paid, Reversed
from domain.servicing.timeline import Timeline
from domain.servicing.values import ChargeTime, Component

NO_LONGER_OVERDUE = "not_overdue"


def charge_overdue(loan: Loan, on: date) -> list[Event]:
    """Put on a loan what its product charges for instalments overdue at the end of a day.

    One charge a rule and instalment: that of the last turn by the day, unless it stands already.
    What charges leave open bears no further charge.
    A charge that is not on the cost table is not put, nor one for which a waiver that was posted
    since would leave less to give up.
    """
    rules = _overdue_rules(loan)
    if not rules or loan.timeline is None:
        return []
    events: list[Event] = []
    rows = standing_on(loan.timeline, on).rows
    for row in overdue_beside_charges(rows, on, loan.conditions):
        for rule in rules:
            made = _charge(loan, rule, row, place_of(rows, row.number), on)
            events += made
            loan = fold(loan, made)
    return events


def _overdue_rules(loan: Loan) -> list[ChargeRule]:
    disclosed = loan.disclosed_charges or ()
    return [
        rule
        for rule in loan.conditions.charge_rules
        if rule.time is ChargeTime.OVERDUE and rule.code in disclosed
    ]


def _charge(loan: Loan, rule: ChargeRule, row: Instalment, place: int, on: date) -> list[Event]:
    assert loan.timeline is not None, "a loan with overdue instalments has a time line"
    turn = last_turn(rule, row.due_on, on)
    standing = [
        x
        for x in _charges(loan.timeline)
        if (x.code, x.due_on, x.place or 1) == (rule.code, row.due_on, place)
    ]
    charge_id = f"{rule.code}:{row.due_on}:{on}" + (f":{place}" if place > 1 else "")
    if (
        turn is None
        or charge_id in loan.taken_back
        or any(x.effective_on >= turn for x in standing)
        or any(x.effective_on >= turn for x in _cut(loan, rule, row))
    ):
        return []
    amount = amount_of(rule, row.principal_left_minor, row.interest_left_minor)
    if rule.cap_minor is not None:
        amount = min(amount, rule.cap_minor - sum(x.amount_minor for x in standing))
    if amount <= 0:
        return []
    told = ChargeAssessed(
        effective_on=on,
        charge_id=charge_id,
        code=rule.code,
        component=rule.component,
        amount_minor=amount,
        instalment=row.number,
        due_on=row.due_on,
        time=ChargeTime.OVERDUE,
        place=place,
        tax_minor=tax_in(amount, rule.tax_percent),
    )
    charge, said = within_cap(loan, told, rule.tax_percent)
    if charge is None:
        return said
    try:
        return [*said, charge, *followed(loan, loan.timeline, charge, charge_id)]
    except Rejected:  # of a day closed late: what was decided since stands
        return []


def _cut(loan: Loan, rule: ChargeRule, row: Instalment) -> list[ChargeCapped]:
    """Return what the cap said of a rule's charges on an instalment: a turn is decided once."""
    wanted = (rule.code, row.due_on, ChargeTime.OVERDUE)
    return [x for x in loan.capped if (x.code, x.due_on, x.time) == wanted]


def _charges(timeline: Timeline) -> Iterator[ChargeAdded]:
    """Return the overdue charges that stand, oldest first."""
    for fact in timeline.facts:
        if isinstance(fact, ChargeAdded) and fact.time is ChargeTime.OVERDUE:
            yield fact


# --- taken back


def undue_taken_back(loan: Loan, told: Sequence[Event]) -> list[Event]:
    """Take back charges for days on which nothing was overdue, as money dated back shows.

    `told` is the money's event and its results, `loan` the loan before them. A charge stays that
    the product keeps, or of which something was given back or waived since.
    """
    since = told[0].effective_on
    if loan.timeline is None or loan.timeline.seen_on(since):
        return []
    rules = [rule for rule in _overdue_rules(loan) if rule.undue is UndueCharge.TAKEN_BACK]
    if not rules:
        return []
    loan, events = fold(loan, told), list[Event]()
    assert loan.timeline is not None, "a paid loan has a time line"
    for charge in [x for x in _charges(loan.timeline) if x.effective_on >= since]:
        rule = rule_of(rules, charge.code, ChargeTime.OVERDUE)
        if rule is None or not _stands_as_charged(loan, charge) or _was_overdue(loan, charge):
            continue
        made = _take_back(loan, charge, tax_in(charge.amount_minor, rule.tax_percent))
        events += made
        loan = fold(loan, made)
    return events


def _was_overdue(loan: Loan, charge: ChargeAdded) -> bool:
    """Whether the close of the charge's day would put it, had no such charge been put since."""
    assert loan.timeline is not None, "a charged loan has a time line"
    on = charge.effective_on
    without = loan.timeline
    for other in _charges(loan.timeline):
        if other.effective_on >= on:
            without = without.record(_reversal(other))
    rows = standing_on(without, on).rows
    late = overdue_beside_charges(rows, on, loan.conditions)
    return _bearing(rows, charge) in late


def _bearing(rows: Sequence[Instalment], charge: ChargeAdded) -> Instalment | None:
    """Return the instalment that a charge is on; None: none is due on its day any more."""
    due = [row for row in rows if row.due_on == charge.due_on]
    return due[max(charge.place, 1) - 1] if len(due) >= charge.place and due else None


def _stands_as_charged(loan: Loan, charge: ChargeAdded) -> bool:
    """Whether its instalment is due as it was then, and nothing of the charge was given back."""
    assert loan.timeline is not None, "a charged loan has a time line"
    facts = loan.timeline.facts
    given_back = any(isinstance(x, Paid) and x.charge_id == charge.id for x in facts)
    return not given_back and _bearing(loan.rows, charge) is not None


def _reversal(charge: ChargeAdded) -> Reversed:
    on = charge.effective_on
    return Reversed(id=f"without:{charge.id}", effective_on=on, entered_on=on, fact_id=charge.id)


def _take_back(loan: Loan, charge: ChargeAdded, tax_minor: int) -> list[Event]:
    assert loan.timeline is not None, "a charged loan has a time line"
    on, row = charge.effective_on, _bearing(loan.rows, charge)
    assert row is not None, "a charge that stands as charged has its instalment"
    told = ChargeReversed(
        effective_on=on,
        charge_id=charge.id,
        component=Component(charge.kind),
        amount_minor=charge.amount_minor,
        tax_minor=tax_minor,
        instalment=row.number,
        cause=NO_LONGER_OVERDUE,
    )
    try:
        booked = recorded(loan, loan.timeline, fact_of(told))
    except Rejected:  # a waiver that was posted since gave up part of it
        return []
    return [told, *results_of(loan, booked, charge.id, on)]
