"""A reference rate: what is published of it, once a day, and corrected with a reason."""

from datetime import date
from decimal import Decimal

import pytest

from domain.actors import Actor, ActorKind
from domain.commands import reference as cr
from domain.context import Context
from domain.errors import Rejected
from domain.events.reference import ReferenceValueCorrected, ReferenceValuePublished
from domain.events.registry import Event
from domain.reference import Reference, decide, evolve
from domain.servicing.floating import Publication


def told(*events: Event) -> Reference | None:
    reference: Reference | None = None
    for event in events:
        reference = evolve(reference, event)
    return reference


PUBLISHED = ReferenceValuePublished(
    effective_on=date(2018, 11, 20), code="LPR-1Y", value=Decimal("0.0431")
)


def publish(value: str, on: date = date(2018, 11, 20)) -> cr.PublishReferenceValue:
    return cr.PublishReferenceValue(effective_on=on, code="LPR-1Y", value=Decimal(value))


def correct(value: str, on: date = date(2018, 11, 20)) -> cr.CorrectReferenceValue:
    return cr.CorrectReferenceValue(effective_on=on, code="LPR-1Y", value=Decimal(value))


def treasury(reason: str | None = None) -> Context:
    return Context(
        actor=Actor(kind=ActorKind.HUMAN, id="tess", roles=("admin",)),
        business_date=date(2018, 12, 1),
        reason_code=reason,
    )


def test_a_value_is_published_once_a_day_and_corrected_with_a_reason() -> None:
    assert decide(None, publish("0.0431"), treasury()) == [PUBLISHED]
    known = told(PUBLISHED)
    (fixed,) = decide(known, correct("0.0420"), treasury("typing_error"))
    assert fixed == ReferenceValueCorrected(
        effective_on=date(2018, 11, 20),
        code="LPR-1Y",
        value=Decimal("0.0420"),
        value_before=Decimal("0.0431"),
    )
    after = told(PUBLISHED, fixed)
    assert after is not None
    assert after.publications == (
        Publication(published_on=date(2018, 11, 20), value=Decimal("0.0420")),
    )


@pytest.mark.parametrize(
    ("command", "reason", "code"),
    [
        (publish("0.0420"), None, "already_published"),
        (publish("0.0420", date(2018, 12, 2)), None, "effective_in_future"),
        (publish("101", date(2018, 11, 21)), None, "value_out_of_range"),
        (publish("NaN", date(2018, 11, 21)), None, "value_out_of_range"),
        (publish("0.0000000000001", date(2018, 11, 21)), None, "value_out_of_range"),
        (correct("0.0420"), None, "reason_missing"),
        (correct("0.0431"), "error", "unchanged"),
        (correct("0.0420", date(2018, 11, 21)), "error", "not_published"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    command: cr.ReferenceCommand, reason: str | None, code: str
) -> None:
    with pytest.raises(Rejected) as refused:
        decide(told(PUBLISHED), command, treasury(reason))
    assert refused.value.code == code
