"""Where each loan stands, by the narrowest fold of its events: status, balances and arrears.

It reads of an event only what changes a figure here, and nothing at all of most. It shares no code
with the read models' folds or with the domain: `loanbook verify --states` compares them.
"""

from collections.abc import Callable, Iterable
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from projections.narrow import Instalment
from projections.ports import Database

E = TypeVar("E")


class Standing(msgspec.Struct, gc=False):
    """A loan after the events so far. Amounts in minor units of its currency."""

    version: int = 0
    status: str = "applied"
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0
    bucket: str | None = None  # as published; None: never late
    in_arrears: bool = False
    missed: frozenset[int] = frozenset()
    charged_off: bool = False


class Stored(Protocol):
    """What is asked of a stored event."""

    @property
    def stream(self) -> str:
        """Its aggregate's stream."""
        ...

    @property
    def topic(self) -> str:
        """What it is stored as."""
        ...

    @property
    def state(self) -> bytes:
        """Envelope and event, UTF-8 JSON."""
        ...


class _Narrow(msgspec.Struct, Generic[E], gc=False):
    event: E


class _Figures(msgspec.Struct, gc=False):
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0


class _Owed(msgspec.Struct, gc=False):
    balances: _Figures


class _Rows(msgspec.Struct, gc=False):
    rows: list[Instalment]


class _Decided(msgspec.Struct, gc=False):
    decision: str


class _Missed(msgspec.Struct, gc=False):
    instalment: int


class _Bucket(msgspec.Struct, gc=False):
    after: str


_owed = msgspec.json.Decoder(_Narrow[_Owed]).decode
_rows = msgspec.json.Decoder(_Narrow[_Rows]).decode
_decided = msgspec.json.Decoder(_Narrow[_Decided]).decode
_missed = msgspec.json.Decoder(_Narrow[_Missed]).decode
_bucket = msgspec.json.Decoder(_Narrow[_Bucket]).decode

Change = Callable[[Standing, bytes], None]


def _balances(standing: Standing, state: bytes) -> None:
    owed = _owed(state).event.balances
    standing.principal_minor = owed.principal_minor
    standing.interest_minor = owed.interest_minor
    standing.fee_minor = owed.fee_minor
    standing.penalty_minor = owed.penalty_minor
    standing.overpaid_minor = owed.overpaid_minor


def _allocated(standing: Standing, state: bytes) -> None:
    _balances(standing, state)
    if standing.missed:
        met = {row.number for row in _rows(state).event.rows if row.met_on is not None}
        standing.missed -= met


def _disbursed(standing: Standing, state: bytes) -> None:
    standing.status = "active"
    _balances(standing, state)


def _reviewed(standing: Standing, state: bytes) -> None:
    standing.status = _decided(state).event.decision


def _restructured(standing: Standing, state: bytes) -> None:
    del state
    standing.missed = frozenset()


def _miss(standing: Standing, state: bytes) -> None:
    standing.in_arrears = True
    standing.missed |= {_missed(state).event.instalment}


def _cured(standing: Standing, state: bytes) -> None:
    del state
    standing.missed, standing.in_arrears = frozenset(), False


def _bucketed(standing: Standing, state: bytes) -> None:
    standing.bucket = _bucket(state).event.after


def _charged_off(standing: Standing, state: bytes) -> None:
    del state
    standing.status, standing.charged_off = "charged_off", True


def _charge_off_reversed(standing: Standing, state: bytes) -> None:
    del state
    standing.status, standing.charged_off = "active", False


def _reopened(standing: Standing, state: bytes) -> None:
    del state
    standing.status = "charged_off" if standing.charged_off else "active"


def _becomes(status: str) -> Change:
    def change(standing: Standing, state: bytes) -> None:
        del state
        standing.status = status

    return change


CHANGES: Final[dict[str, Change]] = {
    "loan.reviewed.v1": _reviewed,
    "loan.offer_accepted.v1": _becomes("accepted"),
    "loan.application_withdrawn.v1": _becomes("withdrawn"),
    "loan.disbursed.v1": _disbursed,
    "loan.disbursement_returned.v1": _becomes("returned"),
    "loan.payment_allocated.v1": _allocated,
    "loan.allocations_restated.v1": _allocated,
    "loan.schedule_changed.v1": _allocated,
    "loan.penalty_interest_charged.v1": _allocated,
    "loan.payment_missed.v1": _miss,
    "loan.arrears_cured.v1": _cured,
    "loan.delinquency_bucket_changed.v1": _bucketed,
    "loan.reaged.v1": _restructured,
    "loan.restructured.v1": _restructured,
    "loan.charged_off.v1": _charged_off,
    "loan.charge_off_reversed.v1": _charge_off_reversed,
    "loan.written_off.v1": _becomes("written_off"),
    "loan.settled.v1": _becomes("settled"),
    "loan.reopened.v1": _reopened,
}
"""Topic to what it changes; every other event only counts."""


def standings(events: Iterable[Stored]) -> dict[str, Standing]:
    """Fold events, each stream whole and in order of version. Raises msgspec.DecodeError."""
    found: dict[str, Standing] = {}
    changes = CHANGES.get
    stream, standing = "", Standing()
    for event in events:
        if event.stream != stream:
            stream = event.stream
            standing = found[stream] = Standing()
        standing.version += 1
        change = changes(event.topic)
        if change is not None:
            change(standing, event.state)
    return found


PUBLISHED = """
SELECT loan_id, version, status, principal_minor, interest_minor, fee_minor, penalty_minor,
    overpaid_minor, bucket, in_arrears, missed, charged_off_on IS NOT NULL
FROM loan_summary WHERE loan_id = ANY(%s)
"""


def published(db: Database, loan_ids: Iterable[str]) -> dict[str, Standing]:
    """Read where loans stand as `loan_summary` says, by loan id."""
    found: dict[str, Standing] = {}
    for loan_id, *figures, missed, charged_off in db.tuples(PUBLISHED, [list(loan_ids)]):
        found[loan_id] = Standing(*figures, missed=frozenset(missed), charged_off=charged_off)
    return found


def differences(one: Standing, other: Standing) -> str | None:
    """Say in which figures `one` differs from `other`; None: in none."""
    told = [
        f"{name} {getattr(one, name)} instead of {getattr(other, name)}"
        for name in Standing.__struct_fields__
        if getattr(one, name) != getattr(other, name)
    ]
    return ", ".join(told) or None
