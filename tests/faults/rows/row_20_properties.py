"""Row 20: every property of the test suite on new examples; the suite meets a few, always alike."""

import os
import re
import subprocess
import sys
from typing import Final

from tests.faults.found import Found
from tests.faults.rig import Rig

PASSED: Final = re.compile(r"(\d+) passed")
SAID_MAX: Final = 6_000
PROCESSES: Final = 2


def run(rig: Rig, count: int) -> Found:
    """Draw `count` examples for each property."""
    found = Found()
    done = subprocess.run(  # noqa: S603 - pytest on our own tests
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-m",
                "property and not postgres and not kafka",
            ),
            *("--hypothesis-profile=soak", f"--hypothesis-seed={rig.seed}"),
            *("-n", str(PROCESSES), "--dist", "worksteal"),
        ],
        env={**os.environ, "LOANBOOK_EXAMPLES": str(count)},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = PASSED.search(done.stdout)
    properties = int(passed[1]) if passed else 0
    found.faults = properties * count
    found.must(done.returncode == 0 and properties > 0, "I8", done.stdout[-SAID_MAX:])
    found.note = f"{properties} properties, {count} examples each"
    return found
