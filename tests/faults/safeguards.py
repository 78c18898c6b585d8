"""The list of mutations: every safeguard that the harness must miss when it is gone."""

from typing import Final

from tests.faults.mutants import Mutation, replaced

MUTATIONS: Final = (
    Mutation(
        safeguard="expected-version check",
        row=8,
        count=500,
        sql=replaced(("ELSIF v_version <> p_expected_versions[c.i] THEN", "ELSIF false THEN")),
    ),
    Mutation(
        safeguard="idempotency row",
        row=1,
        count=10,
        sql=replaced(
            (
                "LEFT JOIN outcomes o ON o.scope = p_scopes[i]",
                "LEFT JOIN outcomes o ON false AND o.scope = p_scopes[i]",
            ),
            also="ALTER TABLE outcomes DROP CONSTRAINT outcomes_scope_key_key",
        ),
    ),
)


def named(safeguard: str | None) -> Mutation | None:
    """Find a mutation; None for None."""
    if safeguard is None:
        return None
    return next(mutation for mutation in MUTATIONS if mutation.safeguard == safeguard)
