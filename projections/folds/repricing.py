"""Folds what was published, and what loans took over, into `reference_values` and `repricings`."""

from datetime import date

from projections.ports import Database
from projections.reading import Entry
from projections.repricing import REPRICINGS, VALUES, ReferenceValue, Repricing

REPRICED = "loan.rate_repriced.v1"


class RepricingFold:
    """The rows of a batch; a later one of the same day takes the place of an earlier one."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, date], ReferenceValue] = {}
        self._taken: dict[tuple[str, date], Repricing] = {}

    def publish(self, entry: Entry) -> None:
        """A value was published, or corrected."""
        event, actor = entry.event, entry.stored.actor
        self._values[entry.key, entry.effective_on] = ReferenceValue(
            code=entry.key,
            published_on=entry.effective_on,
            value=event.value,
            corrected=entry.topic == "reference.value_corrected.v1",
            shard=entry.shard,
            position=entry.position,
            recorded_at=entry.recorded_at,
            actor_kind=actor.kind,
            actor_id=actor.id,
        )

    def apply(self, entry: Entry) -> None:
        """Note what a loan took over; the topic is REPRICED."""
        event = entry.event
        self._taken[entry.key, entry.effective_on] = Repricing(
            loan_id=entry.key,
            effective_on=entry.effective_on,
            reference=event.reference,
            value=event.value,
            published_on=event.published_on,
            spread_bps=event.spread_bps,
            rate_annual_before=event.rate_annual_before,
            rate_annual=event.rate_annual,
            version=entry.version,
            shard=entry.shard,
            position=entry.position,
            recorded_at=entry.recorded_at,
        )

    def save(self, db: Database, *, fresh: bool) -> None:
        """Write the rows; `fresh`: none of them is there yet."""
        VALUES.save(db, list(self._values.values()), fresh=fresh)
        REPRICINGS.save(db, list(self._taken.values()), fresh=fresh)
