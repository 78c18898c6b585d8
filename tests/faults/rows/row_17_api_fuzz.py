"""Row 17: calls that schemathesis makes up from the OpenAPI document, stateful links included.

Whatever comes, the API answers as its document says and never with a fault of its own; afterwards
the books balance and the read models are the fold of the record.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any, Final

import msgspec

from api.cli.openapi_document import openapi_document
from infra.database import bulk_pool
from infra.settings import Settings
from projections import applied
from tests.api.conftest import Api, api_on, token_of, write_tokens
from tests.faults.found import Found
from tests.faults.invariants import books_balance, projections_are_folds, violations
from tests.faults.rig import Rig

CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
CALLS_PER_EXAMPLE: Final = 130  # an example of each operation, and some that stateful links add
SECONDS_A_CALL_MAX: Final = 2
REPRODUCE: Final = re.compile(r"^ *(curl -X .*)$", re.MULTILINE)
"""How schemathesis tells which call failed; its report does not."""
UNKNOWN_LOAN: Final = "no-such-loan"
POLL_SECONDS: Final = 0.02


def run(rig: Rig, count: int) -> Found:
    """Make up at least `count` calls, or nearly."""
    found = Found()
    tokens = write_tokens(rig.folder)
    with rig.database() as dsn, api_on(dsn, Settings(tokens_file=tokens)) as api:
        api.define_product()
        loans = [api.open_loan() for _ in range(3)]
        api.catch_up()
        with _followed(api):
            report = _fuzzed(rig, api, loans, count)
        found.faults = report["test_cases"]["generated"]
        found.must(report["operations"]["errored"] == 0, "row 17", "operations could not be tried")
        found.violations += violations("row 17", map(_told, report["failures"]))
        found.violations += violations("row 17", map(str, report["errors"]))
        found.violations += violations("row 17", report["again"])
        api.catch_up()
        store = api.parts.store
        found.violations += books_balance(store)
        with bulk_pool(dsn) as pool:
            with pool.transaction() as db:
                reached = applied.position(db).number
            found.violations += projections_are_folds(pool, reached, store.head().number)
        found.note = f"{found.faults} calls to {report['operations']['tested']} operations"
    return found


@contextmanager
def _followed(api: Api) -> Generator[None]:
    """Let the read models follow the record, as they do wherever the API runs.

    Without it a call that sends the position of its own command as If-Position waits for what never
    comes, and is rightly told 503.
    """
    over = threading.Event()

    def follow() -> None:
        while not over.wait(POLL_SECONDS):
            api.catch_up()

    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(follow)
        try:
            yield
        finally:
            over.set()
            following.result()


def _fuzzed(rig: Rig, api: Api, loans: list[str], count: int) -> dict[str, Any]:
    """Run schemathesis in a folder of its own and read its report."""
    document, report = rig.folder / "openapi.json", rig.folder / "report.json"
    document.write_bytes(msgspec.json.encode(openapi_document()))
    # Ids that lead somewhere: a made-up one would only ever meet "not found".
    known = msgspec.json.encode([*loans, UNKNOWN_LOAN]).decode()
    config = rig.folder / "schemathesis.toml"
    config.write_text(f'[parameters]\n"path.loan_id" = {known}\n')
    arguments = [
        *("--config-file", str(config), "run", str(document)),
        *("--url", str(api.http.base_url)),
        *("--header", f"Authorization: Bearer {token_of('boss')}"),
        *("--phases", "examples,fuzzing,stateful", "--checks", CHECKS),
        *("--max-examples", str(ceil(count / CALLS_PER_EXAMPLE))),
        *("--seed", str(rig.seed), "--request-timeout", "30", "--suppress-health-check", "all"),
        *("--continue-on-failure", "--no-color"),
        *("--report", "json", "--report-json-path", str(report)),
    ]
    said = subprocess.run(  # noqa: S603 - our own tool and our own words
        [str(Path(sys.executable).with_name("schemathesis")), *arguments],
        cwd=rig.folder,
        capture_output=True,
        text=True,
        timeout=60 + SECONDS_A_CALL_MAX * count,
        check=False,
    )
    assert report.exists(), said.stdout[-2000:] + said.stderr[-2000:]
    again = REPRODUCE.findall(said.stdout)
    return msgspec.json.decode(report.read_bytes()) | {"again": again}


def _told(failure: dict[str, Any]) -> str:
    return f"{failure['operations']}: {failure['title']}"
