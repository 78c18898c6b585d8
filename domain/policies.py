"""Policies as data: bucket sets and authorities, each versioned.

Regulators change these numbers; code does not.
"""

from dataclasses import dataclass, field

from domain.servicing.re_ageing_guard import ReAgeingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A range of days past due, both ends included; `to_days` None: no upper end."""

    name: str
    from_days: int
    to_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSet:
    """Contiguous buckets from 0 days on (domain rules, 2.5)."""

    name: str
    version: int
    buckets: tuple[Bucket, ...]

    def __post_init__(self) -> None:
        """Refuse gaps, overlaps and a missing end. Raises ValueError."""
        expected = 0
        for bucket in self.buckets:
            if bucket.from_days != expected:
                raise ValueError(f"{self.name}: {bucket.name} must start at {expected} days")
            expected = -1 if bucket.to_days is None else bucket.to_days + 1
        if expected != -1:
            raise ValueError(f"{self.name}: the last bucket must have no upper end")

    def at(self, days_past_due: int) -> str:
        """Name the bucket of a number of days past due."""
        for bucket in self.buckets:
            if bucket.to_days is None or days_past_due <= bucket.to_days:
                return bucket.name
        raise AssertionError("a bucket set has no upper end")


def _edges(name: str, version: int, *edges: tuple[str, int, int | None]) -> BucketSet:
    return BucketSet(
        name=name,
        version=version,
        buckets=tuple(Bucket(name=n, from_days=a, to_days=b) for n, a, b in edges),
    )


US_BUCKETS = _edges(
    "US",
    1,
    ("current", 0, 0),
    ("1-29", 1, 29),
    ("30-59", 30, 59),
    ("60-89", 60, 89),
    ("90-119", 90, 119),
    ("120-149", 120, 149),
    ("150-179", 150, 179),
    ("180+", 180, None),
)

M_SCALE_A = _edges(
    "M-scale A",
    1,
    ("M0", 0, 0),
    ("M1", 1, 29),
    ("M2", 30, 59),
    ("M3", 60, 89),
    ("M4", 90, 119),
    ("M5", 120, 149),
    ("M6", 150, 179),
    ("M7", 180, None),
)

M_SCALE_B = _edges(
    "M-scale B",
    1,
    ("M0", 0, 0),
    ("M1", 1, 30),
    ("M2", 31, 60),
    ("M3", 61, 90),
    ("M4", 91, 120),
    ("M5", 121, 150),
    ("M6", 151, 180),
    ("M7", 181, None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policy versions in force for a decision; envelopes name them."""

    buckets: BucketSet = US_BUCKETS
    authority_version: int = 1
    check_limit_minor: dict[str, int | None] = field(
        default_factory=lambda: {"checker": 5_000_000, "senior_checker": None}
    )
    """Role to the largest payout it may check, in minor units; None: any."""
    re_ageing: ReAgeingPolicy = field(default_factory=ReAgeingPolicy)

    @property
    def versions(self) -> dict[str, int]:
        """Policy name to version, as envelopes carry it."""
        return {"buckets": self.buckets.version, "authority": self.authority_version}


STANDARD = Policies()
"""In force where no others are named."""
