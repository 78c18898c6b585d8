"""How far those who follow the record are behind it: the read models, and the relay where it runs.

One line a follower and shard, for readiness and metrics.
"""

from dataclasses import dataclass

from domain.envelope import Position
from projections.ports import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """One follower of one shard."""

    reader: str  # read_models, or relay: and the topic
    shard: int
    position: Position  # everything up to here has been taken in
    events_behind: int


LAGS = """
SELECT 'read_models' AS reader, h.shard, h.position AS head, coalesce(f.position, 0) AS position
FROM log_head h LEFT JOIN feed_positions f ON f.shard = h.shard
UNION ALL
SELECT 'relay:' || r.topic, h.shard, h.position, r.position
FROM log_head h JOIN relay_checkpoints r ON r.shard = h.shard
ORDER BY 1, 2
"""


def lags(db: Database) -> list[Lag]:
    """Say of every follower how many events it has not taken in yet."""
    return [
        Lag(
            reader=row["reader"],
            shard=row["shard"],
            position=Position(shard=row["shard"], number=row["position"]),
            events_behind=max(0, row["head"] - row["position"]),
        )
        for row in db.rows(LAGS)
    ]
