"""Checks the harness itself: `python -m tests.faults.mutations` takes away one safeguard at a time.

The row named beside it must then find violations, or break; a harness that stays green without a
safeguard proves nothing about it.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from infra import log
from infra.settings import Settings
from tests.faults.found import Found, NotHere
from tests.faults.mutants import Mutation, applied
from tests.faults.registry import Row, rows_of
from tests.faults.rig import Rig
from tests.faults.safeguards import MUTATIONS
from tests.support.kafka import waiting_broker
from tests.support.postgres import running_server


def rows_without(mutation: Mutation) -> list[Row]:
    """Find the rows of which one must go red."""
    return [row for row in rows_of(mutation.row) if mutation.fault in {"", row.fault}]


def caught(mutation: Mutation, rig: Rig) -> str | None:
    """Return what the row found without the safeguard; None: it stayed green."""
    for row in rows_without(mutation):
        mutated = replace(rig, mutation=mutation)
        try:
            with applied(mutation):
                found = row.run(mutated, mutation.count)
        except NotHere:
            continue
        except Exception as error:  # noqa: BLE001 - a row that breaks is red
            return f"the row broke: {type(error).__name__}: {error}".split("\n", 1)[0]
        finally:
            mutated.forget()
        if found.violations:
            return f"{len(found.violations)} violations, first {found.violations[0]}"
    return None


def run(rig: Rig, count: int) -> Found:
    """Row 20: take away every safeguard, `count` times with other seeds; green is a violation."""
    found = Found()
    for seed in range(rig.seed, rig.seed + count):
        for number, mutation in enumerate(MUTATIONS):
            folder = rig.folder / f"mutation-{seed}-{number}"
            folder.mkdir()
            seen = caught(mutation, replace(rig, folder=folder, seed=seed))
            found.must(seen, "row 20", f"row {mutation.row} is green without {mutation.safeguard}")
            found.faults += 1
    found.note = f"{len(MUTATIONS)} safeguards"
    return found


HARNESS: Final = Row(number=20, fault="a safeguard taken away", run=run, ci=1, short=1, full=1)


def main() -> int:
    """Try every mutation; exit code 0 only if all were caught."""
    red = 0
    print(f"{'safeguard taken away':<44} {'row':>3} {'seen':<4} {'seconds':>7}  what was found")
    log.configure(Settings(log_level="CRITICAL"))
    with running_server() as server, waiting_broker() as broker:
        for mutation in MUTATIONS:
            begun = time.monotonic()
            with tempfile.TemporaryDirectory(
                prefix="loanbook-mutation-", ignore_cleanup_errors=True
            ) as folder:
                rig = Rig(server=server, folder=Path(folder), broker=broker)
                seen = caught(mutation, rig)
            red += seen is not None
            print(
                f"{mutation.safeguard:<44} {mutation.row:>3} {'red' if seen else 'GREEN':<5}"
                f"{time.monotonic() - begun:>7.1f}  {(seen or 'nothing')[:100]}",
                flush=True,
            )
    print(f"{red} of {len(MUTATIONS)} mutations caught")
    return 0 if red == len(MUTATIONS) else 1


if __name__ == "__main__":
    sys.exit(main())
