"""A reference rate as an aggregate: its published values. State, evolve and decide together.

It knows no loan: loans look its values up on their reset dates (`domain.decisions.repricing`).
"""

from dataclasses import dataclass
from decimal import Decimal

from domain.commands import reference as c
from domain.commands.registry import Command
from domain.context import Context
from domain.decisions.guards import require_not_ahead, require_reason
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.events.reference import ReferenceValueCorrected, ReferenceValuePublished
from domain.events.registry import Event
from domain.servicing.floating import Publication, published
from domain.servicing.terms import RATE_ANNUAL_MAX

VALUES_MAX = 20_000
"""Values of one reference: a daily one for half a century; more is a feed gone wild."""

VALUE_DECIMALS_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What was published, by day of publication."""

    code: str
    publications: tuple[Publication, ...] = ()


def reference_stream(code: str) -> StreamId:
    """Name a reference's stream."""
    return StreamId(f"reference-{code}")


def evolve(reference: Reference | None, event: Event) -> Reference:
    """Apply one event. Raises TypeError for an event that cannot follow."""
    if not isinstance(event, ReferenceValuePublished | ReferenceValueCorrected):
        raise TypeError(f"{type(event).__name__} cannot follow on a reference")
    known = () if reference is None else reference.publications
    value = Publication(published_on=event.effective_on, value=event.value)
    return Reference(code=event.code, publications=published(known, value))


def decide(reference: Reference | None, command: Command, context: Context) -> list[Event]:
    """Take a value, once a day; a second one of the same day is a correction (domain rules, 5.6).

    Raises Rejected: `value_out_of_range`, `already_published`, `not_published`, `unchanged`,
    `too_many_values`, `effective_in_future`, `reason_missing`.
    """
    if not isinstance(command, c.ReferenceCommand):
        raise TypeError(f"{type(command).__name__} is no command to a reference")
    require_not_ahead(command.effective_on, context)
    known = () if reference is None else reference.publications
    before = next((p.value for p in known if p.published_on == command.effective_on), None)
    if isinstance(command, c.PublishReferenceValue):
        return [_published(command, before, len(known))]
    assert isinstance(command, c.CorrectReferenceValue), "the other command to a reference"
    return [_corrected(command, before, context)]


def _published(command: c.PublishReferenceValue, before: Decimal | None, count: int) -> Event:
    _require_value(command.value)
    if before is not None:
        detail = f"{before} was published on {command.effective_on}: correct it"
        raise Rejected("already_published", detail, "effective_on")
    if count >= VALUES_MAX:
        raise Rejected("too_many_values", f"a reference has at most {VALUES_MAX} values")
    return ReferenceValuePublished(
        effective_on=command.effective_on, code=command.code, value=command.value
    )


def _corrected(command: c.CorrectReferenceValue, before: Decimal | None, context: Context) -> Event:
    require_reason(context)
    _require_value(command.value)
    if before is None:
        detail = f"{command.code} has no value of {command.effective_on}"
        raise Rejected("not_published", detail, "effective_on")
    if command.value == before:
        raise Rejected("unchanged", "this is the value that was published", "value")
    return ReferenceValueCorrected(
        effective_on=command.effective_on,
        code=command.code,
        value=command.value,
        value_before=before,
    )


def _require_value(value: Decimal) -> None:
    """Refuse what is no rate. A reference may be below zero; a loan's floor is its product's."""
    exponent = value.as_tuple().exponent
    if not value.is_finite() or abs(value) > RATE_ANNUAL_MAX:
        raise Rejected("value_out_of_range", f"within {RATE_ANNUAL_MAX} either way", "value")
    if isinstance(exponent, int) and -exponent > VALUE_DECIMALS_MAX:
        detail = f"at most {VALUE_DECIMALS_MAX} decimals of a fraction"
        raise Rejected("value_out_of_range", detail, "value")
