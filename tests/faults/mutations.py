"""Checks the harness itself: `python -m tests.faults.mutations` takes away one safeguard at a time.

The row named beside it must then find violations, or break; a harness that stays green without a
safeguard proves nothing about it.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.faults.found import Found, NotHere
from tests.faults.mutants import Mutation, applied
from tests.faults.registry import Row, rows_of
from tests.faults.rig import Rig
from tests.faults.safeguards import MUTATIONS
from tests.support.postgres import Server, running_server


def caught(mutation: Mutation, server: Server, folder: Path, seed: int = 1) -> str | None:
    """Return what the row found without the safeguard; None: it stayed green."""
    for row in rows_of(mutation.row):
        rig = Rig(server=server, folder=folder, seed=seed, mutation=mutation)
        try:
            with applied(mutation):
                found = row.run(rig, mutation.count)
        except NotHere:
            continue
        except Exception as error:  # noqa: BLE001 - a row that breaks is red
            return f"the row broke: {type(error).__name__}: {error}".split("\n", 1)[0]
        finally:
            rig.forget()
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
            seen = caught(mutation, rig.server, folder, seed)
            found.must(seen, "row 20", f"row {mutation.row} is green without {mutation.safeguard}")
            found.faults += 1
    found.note = f"{len(MUTATIONS)} safeguards"
    return found


HARNESS: Final = Row(number=20, fault="a safeguard taken away", run=run, ci=1, short=1, full=1)


def main() -> int:
    """Try every mutation; exit code 0 only if all were caught."""
    red = 0
    print(f"{'safeguard taken away':<44} {'row':>3} {'seen':<4} {'seconds':>7}  what was found")
    with running_server() as server:
        for mutation in MUTATIONS:
            begun = time.monotonic()
            with tempfile.TemporaryDirectory(
                prefix="loanbook-mutation-", ignore_cleanup_errors=True
            ) as folder:
                seen = caught(mutation, server, Path(folder))
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
