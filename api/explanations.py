"""Writes why a loan's figures are what they are; `domain.servicing.explain` knows why."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from api.explain_deferred import ExplainedDeferral, deferrals_of
from api.rows import Answer, answer_model
from domain.money import format_amount
from domain.servicing.account import Account, Transaction
from domain.servicing.explain import (
    InterestExplained,
    Restated,
    Stretch,
    explain_interest,
    explain_payment,
    restated,
)
from domain.servicing.explain_penalties import decimal_of, explain_penalties
from domain.servicing.simulation import State

ExplainedStretch = answer_model(
    "ExplainedStretch",
    "Days (from_on, until_on] on which balance and rate did not change.",
    from_on=date,
    until_on=date,
    days=int,
    balance=str,
    rate_annual=str,
    basis=str,
    factor=str,
    paused=bool,
    credited=str,
    interest_minor=str,
)
ExplainedInterest = answer_model(
    "ExplainedInterest",
    "The interest of an instalment. due = earned + fixed + from_later + carried_in - carried_out "
    "+ kept + by_action; earned is the sum of the stretches, rounded.",
    instalment=int,
    from_on=date,
    due_on=date,
    stretches=list[ExplainedStretch],
    exact_minor=str,
    rounding=str,
    earned=str,
    fixed=str,
    from_later=str,
    carried_in=str,
    carried_out=str,
    kept=str,
    by_action=str,
    due=str,
)


ExplainedPenaltyStretch = answer_model(
    "ExplainedPenaltyStretch",
    "Days [from_on, until_on) on which one base bore one rate.",
    kind=str,
    from_on=date,
    until_on=date,
    days=int,
    base=str,
    rate_annual=str,
    basis=str,
    earned_minor=str,
)
ExplainedPenalty = answer_model(
    "ExplainedPenalty",
    "Penalty interest 罚息 and compound interest 复利 of an instalment: each the sum of its "
    "stretches, rounded once.",
    instalment=int,
    due_on=date,
    stretches=list[ExplainedPenaltyStretch],
    rounding=str,
    penalty=str,
    compound=str,
)


def part_model(name: str, **identity: type) -> type[Answer]:
    """Make the model of what `parts_of` writes of a transaction, with what tells which one."""
    return answer_model(
        name,
        "A part of a transaction and the rule that took it; without a rule it was left over.",
        **identity,
        kind=str,
        on=date,
        instalment=int | None,
        component=str | None,
        amount=str,
        rule=str | None,
    )


ExplainedPart = part_model("ExplainedPart", transaction=int)
ExplainedRestatement = answer_model(
    "ExplainedRestatement",
    "A figure shown before that an operation changed; operations are counted from 0.",
    operation=int,
    kind=str,
    of=str,
    part=str,
    before=str,
    after=str,
)
Explanation = answer_model(
    "Explanation",
    "Why the figures at the end are what they are, and what each operation restated.",
    interest=list[ExplainedInterest],
    penalties=list[ExplainedPenalty],
    deferred=list[ExplainedDeferral],
    parts=list[ExplainedPart],
    restatements=list[ExplainedRestatement],
)


def explained(states: Sequence[State], currency: str) -> dict[str, list[Any]]:
    """Write the explanation of the last state, and what came between each two."""
    account = states[-1].account

    def money(minor: int) -> str:
        return format_amount(minor, currency)

    parts = [
        {"transaction": number, **part}
        for number, entry in enumerate(account.transactions, 1)
        for part in parts_of(entry, currency)
    ]
    changes = [
        _restatement(number, change, before)
        | {"before": money(change.before_minor), "after": money(change.after_minor)}
        for number, (before, after) in enumerate(pairwise(states), 1)
        for change in restated(before.account, after.account)
    ]
    return {
        "interest": interest_of(account, currency),
        "penalties": penalties_of(account, currency),
        "deferred": deferrals_of(account, states[-1].business_date, currency),
        "parts": parts,
        "restatements": changes,
    }


def interest_of(account: Account, currency: str) -> list[dict[str, Any]]:
    """Write why the interest of every instalment is what it is."""
    return [_interest(x, currency) for x in explain_interest(account)]


def penalties_of(account: Account, currency: str) -> list[dict[str, Any]]:
    """Write why the penalties of every instalment that bore any are what they are."""
    return [
        {
            "instalment": x.instalment,
            "due_on": x.due_on,
            "stretches": [
                {
                    "kind": stretch.kind,
                    "from_on": stretch.from_on,
                    "until_on": stretch.until_on,
                    "days": (stretch.until_on - stretch.from_on).days,
                    "base": format_amount(stretch.base_minor, currency),
                    "rate_annual": f"{stretch.rate_annual.normalize():f}",
                    "basis": x.basis,
                    "earned_minor": f"{decimal_of(stretch.earned).normalize():f}",
                }
                for stretch in x.stretches
            ],
            "rounding": x.rounding,
            "penalty": format_amount(x.penalty_minor, currency),
            "compound": format_amount(x.compound_minor, currency),
        }
        for x in explain_penalties(account)
    ]


def parts_of(entry: Transaction, currency: str) -> list[dict[str, Any]]:
    """Write which rule took which part of a transaction; none if it was not allocated."""
    if not entry.lines:
        return []
    return [
        {
            "kind": entry.kind,
            "on": entry.on,
            "instalment": part.instalment,
            "component": part.component,
            "amount": format_amount(part.amount_minor, currency),
            "rule": part.rule,
        }
        for part in explain_payment(entry)
    ]


def _interest(x: InterestExplained, currency: str) -> dict[str, Any]:
    amounts = ("earned", "fixed", "from_later", "carried_in", "carried_out", "kept", "by_action")
    return {
        "instalment": x.instalment,
        "from_on": x.from_on,
        "due_on": x.due_on,
        "stretches": [_stretch(stretch, currency) for stretch in x.stretches],
        "exact_minor": str(x.exact),
        "rounding": x.rounding,
        **{name: format_amount(getattr(x, f"{name}_minor"), currency) for name in amounts},
        "due": format_amount(x.due_minor, currency),
    }


def _stretch(x: Stretch, currency: str) -> dict[str, Any]:
    return {
        "from_on": x.from_on,
        "until_on": x.until_on,
        "days": x.days,
        "balance": format_amount(x.balance_minor, currency),
        "rate_annual": str(x.rate_annual),
        "basis": x.basis,
        "factor": str(x.factor),
        "paused": x.paused,
        "credited": format_amount(x.credited_minor, currency),
        "interest_minor": str(x.interest),
    }


def _restatement(number: int, change: Restated, before: State) -> dict[str, Any]:
    of = change.of
    if change.kind == "transaction":
        entry = next(t for t in before.account.transactions if t.id == change.of)
        of = f"{entry.kind} {entry.on}"
    return {"operation": number, "kind": change.kind, "of": of, "part": change.part}
