"""Says what was wrong with a body, under stable codes and with the field. Validates nothing."""

from pydantic import ValidationError

from domain.ports import Refusal

_CODES = {
    "missing": "field_missing",
    "extra_forbidden": "unknown_field",
    "enum": "unknown_value",
    "malformed_date": "malformed_date",
    "malformed_decimal": "malformed_decimal",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "json_invalid": "malformed_json",
}
"""pydantic's name of an error to ours; every other is `malformed_field`."""


def refusals_of(error: ValidationError) -> list[Refusal]:
    """List what was wrong, in the body's order; the offending input is not repeated."""
    return [
        Refusal(
            code=_CODES.get(problem["type"], "malformed_field"),
            detail=problem["msg"],
            field=".".join(str(part) for part in problem["loc"]) or None,
        )
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
