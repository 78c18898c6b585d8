"""Folds every loan of the record to its state and compares the read model with the outcome.

Independent of the read models' code: a narrow fold for every loan, and the domain's own `evolve`
for some of them, or for all. Streams are read in pages; no more than a page is held.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from zlib import crc32

import msgspec

from consumers.checks import Check, Finding
from consumers.projector import Transactions
from domain.envelope import StreamId
from domain.loan.state import Loan
from domain.service import fold
from infra.codec import Codec
from projections import record_log
from projections.record_log import StoredRecord
from projections.standing import Standing, differences, published, standings

LOAN: Final = "loan-"

PAGE_EVENTS: Final = 20_000
DOMAIN_SHARE: Final = 64
"""One loan in so many is folded by the domain too."""


@dataclass(slots=True)
class _Outcome:
    loans: int = 0
    by_domain: int = 0
    different: list[Finding] = field(default_factory=list[Finding])

    def note(self, stream: str, reason: str | None) -> None:
        if reason is not None:
            self.different.append(Finding(id=stream.removeprefix(LOAN), reason=reason))


def states_fold(pool: Transactions, *, domain_share: int = DOMAIN_SHARE, shard: int = 0) -> Check:
    """Compare version, status, balances and arrears of every loan. No events may be under way.

    `domain_share` 1: the domain folds every loan, which takes some ten times as long.
    """
    codec, outcome = Codec(), _Outcome()
    with pool.transaction() as reading, pool.transaction() as db:
        until = record_log.head(reading, shard)
        pages = record_log.by_stream(reading, until, StreamId(LOAN), PAGE_EVENTS)
        for records in record_log.whole_streams(_loans(pages)):
            found = _standings(records, outcome)
            rows = published(db, [stream.removeprefix(LOAN) for stream in found])
            for stream, standing in found.items():
                row = rows.get(stream.removeprefix(LOAN))
                outcome.loans += 1
                outcome.note(stream, differences(row, standing) if row else "not in the read model")
            for stream, history in groupby(records, key=lambda record: record.stream):
                if stream in found and crc32(stream.encode()) % domain_share == 0:
                    outcome.by_domain += 1
                    by_domain = _by_domain(codec, stream, history)
                    reason = differences(by_domain, found[stream])
                    outcome.note(stream, reason and f"the domain says {reason}")
        row = db.row("SELECT count(*) AS loans FROM loan_summary")
    in_read_model = row["loans"] if row else 0
    if in_read_model != outcome.loans:
        outcome.note("loan_summary", f"{in_read_model} loans instead of {outcome.loans}")
    return Check(
        name="states_equal_read_model",
        ok=not outcome.different,
        expected=f"{outcome.loans} loans, {outcome.by_domain} of them by the domain too",
        actual=f"{outcome.loans - len({one.id for one in outcome.different})} equal",
        exceptions=tuple(outcome.different),
    )


def _standings(records: Sequence[StoredRecord], outcome: _Outcome) -> dict[str, Standing]:
    """Fold whole streams; one that cannot be read is noted and left out."""
    try:
        return standings(records)
    except msgspec.DecodeError:
        found: dict[str, Standing] = {}
        for stream, history in groupby(records, key=lambda record: record.stream):
            try:
                found |= standings(history)
            except msgspec.DecodeError as error:
                outcome.loans += 1
                outcome.note(stream, f"cannot be read: {error}")
        return found


def _loans(pages: Iterable[list[StoredRecord]]) -> Iterator[list[StoredRecord]]:
    """Stop after the last loan: streams come in order of name, and more kinds follow."""
    for page in pages:
        if page[-1].stream.startswith(LOAN):
            yield page
            continue
        last = [record for record in page if record.stream.startswith(LOAN)]
        if last:
            yield last
        return


def _by_domain(codec: Codec, stream: StreamId, history: Iterable[StoredRecord]) -> Standing:
    known = fold(stream, codec.events([(record.topic, record.state) for record in history]))
    loan = known.state
    assert isinstance(loan, Loan)
    balances = loan.balances
    return Standing(
        version=known.version,
        status=loan.status.value,
        principal_minor=balances.principal_minor,
        interest_minor=balances.interest_minor,
        fee_minor=balances.fee_minor,
        penalty_minor=balances.penalty_minor,
        overpaid_minor=balances.overpaid_minor,
        bucket=loan.bucket,
        in_arrears=loan.in_arrears,
        missed=loan.missed,
        charged_off=loan.charged_off,
    )
