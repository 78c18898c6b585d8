"""Folds every event into the audit trail, and reviews and payouts into their registers."""

from collections.abc import Callable, Collection

import msgspec

from projections import audit_trail, four_eyes, override_register
from projections.audit_trail import AuditEntry
from projections.folds.wording import in_words
from projections.four_eyes import FourEyes
from projections.loan_summary import LoanSummary
from projections.override_register import Override
from projections.ports import Database
from projections.reading import Entry


class AuditFold:
    """The lines of a batch."""

    def __init__(self) -> None:
        self.lines: list[AuditEntry] = []

    def apply(self, entry: Entry, currency: str | None) -> None:
        """Add an event's line; `currency` of its loan, None: of no loan."""
        stored = entry.stored
        self.lines.append(
            AuditEntry(
                entry.shard,
                entry.position,
                entry.stream,
                entry.version,
                entry.topic,
                entry.effective_on,
                entry.recorded_at,
                stored.source_recorded_at,
                stored.actor.kind,
                stored.actor.id,
                stored.actor.roles,
                stored.on_behalf_of,
                stored.reason_code,
                stored.policy_versions,
                stored.approvals,
                stored.command_id,
                stored.causation_id,
                stored.correlation_id,
                in_words(entry, currency),
            )
        )

    def save(self, db: Database) -> None:
        """Write the lines."""
        audit_trail.TABLE.insert(db, self.lines)


OVERRIDDEN = "loan.decision_overridden.v1"


class OverrideFold:
    """The overrides of a batch."""

    def __init__(self) -> None:
        self.rows: list[Override] = []

    def apply(self, entry: Entry, loan: LoanSummary) -> None:
        """Add a decision against a recommendation, of the topic OVERRIDDEN."""
        event, stored = entry.event, entry.stored
        self.rows.append(
            Override(
                loan_id=entry.key,
                version=entry.version,
                shard=entry.shard,
                position=entry.position,
                effective_on=entry.effective_on,
                recorded_at=entry.recorded_at,
                actor_kind=stored.actor.kind,
                actor_id=stored.actor.id,
                reason_code=stored.reason_code,
                approvals=stored.approvals,
                recommended=event.recommended,
                decided=event.decided,
                direction=event.direction,
                model_id=loan.model_id,
                model_version=loan.model_version,
                model_score=loan.model_score,
                grade=loan.grade,
                purpose=loan.purpose,
                region=loan.region,
            )
        )

    def save(self, db: Database) -> None:
        """Write the rows."""
        override_register.TABLE.insert(db, self.rows)


PAYOUT_TOPICS = frozenset(
    {
        "loan.disbursement_prepared.v1",
        "loan.disbursement_checked.v1",
        "loan.disbursed.v1",
        "loan.tranche_disbursed.v1",
    }
)
_LATEST = """
WHERE t.loan_id = ANY(%(loans)s) AND t.prepared_version = (
    SELECT max(u.prepared_version) FROM four_eyes u
    WHERE u.loan_id = t.loan_id AND u.disbursement_id = t.disbursement_id)
"""


class FourEyesFold:
    """The preparations of payouts that a batch makes, checks or pays out."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], FourEyes] = {}
        self._changed: dict[tuple[str, str, int], FourEyes] = {}

    def load(self, db: Database, entries: Collection[Entry]) -> None:
        """Read the latest preparations of the loans whose payout goes on."""
        loans = {entry.key for entry in entries if entry.topic in PAYOUT_TOPICS}
        if loans:
            for row in four_eyes.TABLE.load(db, _LATEST, {"loans": list(loans)}):
                self._latest[row.loan_id, row.disbursement_id] = row

    def apply(self, entry: Entry, loan: LoanSummary) -> None:
        """Apply one event of PAYOUT_TOPICS. Raises KeyError for a check of nothing."""
        _PAYOUT[entry.topic](self, entry, loan)

    def save(self, db: Database, *, fresh: bool) -> None:
        """Write what changed; `fresh`: none of it is there yet."""
        four_eyes.TABLE.save(db, self.changed, fresh=fresh)

    @property
    def changed(self) -> list[FourEyes]:
        """What was added or changed."""
        return list(self._changed.values())

    def _put(self, row: FourEyes) -> None:
        self._latest[row.loan_id, row.disbursement_id] = row
        self._changed[row.loan_id, row.disbursement_id, row.prepared_version] = row

    def prepared(self, entry: Entry, loan: LoanSummary) -> None:
        """The maker's half."""
        event = entry.event
        row = _new(entry, loan, event.disbursement_id, event.amount_minor)
        row.prepared_version = entry.version
        row.payload_hash, row.prepared_by = event.payload_hash, event.prepared_by
        row.prepared_at = entry.recorded_at
        self._put(row)

    def checked(self, entry: Entry, loan: LoanSummary) -> None:
        """The checker's half."""
        del loan
        event = entry.event
        row = self._latest[entry.key, event.disbursement_id]
        row.checked_by, row.checked_at = event.checked_by, entry.recorded_at
        row.checked_payload_hash, row.passed = event.payload_hash, event.passed
        row.checks = sorted(event.checks)
        self._put(row)

    def disbursed(self, entry: Entry, loan: LoanSummary) -> None:
        """The payout, with or without a preparation."""
        event = entry.event
        row = self._latest.get((entry.key, event.disbursement_id))
        if row is None:
            row = _new(entry, loan, event.disbursement_id, event.amount_minor)
        row = msgspec.structs.replace(row, disbursed_on=entry.effective_on)
        self._put(row)


def _new(entry: Entry, loan: LoanSummary, disbursement_id: str, amount_minor: int) -> FourEyes:
    return FourEyes(
        loan_id=entry.key,
        disbursement_id=disbursement_id,
        prepared_version=0,
        currency=loan.currency,
        amount_minor=amount_minor,
        four_eyes_from_minor=loan.four_eyes_from_minor,
        shard=entry.shard,
        position=entry.position,
    )


_PAYOUT: dict[str, Callable[[FourEyesFold, Entry, LoanSummary], None]] = {
    "loan.disbursement_prepared.v1": FourEyesFold.prepared,
    "loan.disbursement_checked.v1": FourEyesFold.checked,
    "loan.disbursed.v1": FourEyesFold.disbursed,
    "loan.tranche_disbursed.v1": FourEyesFold.disbursed,
}
