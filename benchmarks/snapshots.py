"""Loading a loan by folding its whole history, beside the cheapest snapshot one could keep of it.

The snapshot is one row: the loan without its time line, and the events that are facts of it, both
decoded and nothing rebuilt. A real one would cost more, so the length past which this one pays is
a lower bound. Loans are paid in order, two events a payment; nothing is cached on either side.

A load runs no engine; the first command on the loan lets it fold every fact. So each load stands
beside one that the decision of a payment follows, too.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import msgspec
import psycopg

from benchmarks import engine, harness, histories
from benchmarks.lives import LENDER, LOAN_ID, Life
from domain.context import Context
from domain.decide import decide_loan
from domain.envelope import StreamId
from domain.loan.state import Loan
from domain.service import Service
from infra.append import append_batch, pack
from infra.codec import Codec, peek
from infra.connections import configure
from infra.settings import Limits
from infra.staging import StagedAppend, StagedEvent, actor_text
from infra.store import PostgresEventStore

PAYMENTS = (6, 30, 60, 180, 350)
LOADS, LOADS_FULL = 10, 30  # a turn, of which the median counts
EVENTS_A_PAYMENT = 2
FACTS = ("loan.payment_received.v1",)

_TABLE = (
    "CREATE TABLE snapshots (stream text PRIMARY KEY, version bigint, state bytea, facts bytea[])"
)
_INSERT = "INSERT INTO snapshots VALUES (%s, %s, %s, %s)"
_SELECT = "SELECT version, state, facts FROM snapshots WHERE stream = %b"


@dataclass(frozen=True, slots=True)
class History:
    """A loan's stream with what was told of it."""

    stream: StreamId
    life: Life
    payments: int  # made

    @property
    def events(self) -> Sequence[tuple[str, bytes]]:
        """Topics and states."""
        return [(one.topic, one.state) for one in self.life.told]


def run(options: harness.Options) -> list[harness.Result]:
    """Compare times of one load, by length of the history."""
    loads = options.size or (LOADS_FULL if options.full else LOADS)
    told = [History(histories.stream_of(n), _paid(n), n) for n in PAYMENTS]
    results: list[harness.Result] = []
    with (
        harness.server() as server,
        server.database() as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
        PostgresEventStore(dsn) as store,
    ):
        configure(connection, Limits())
        connection.execute(_TABLE)
        service = Service(store, cached_streams_max=0)
        for history in told:
            _store(connection, history)
            rounds = harness.interleave(
                options.rounds,
                ours=lambda history=history: _milliseconds(loads, lambda: _fold(service, history)),
                peer=lambda history=history: _milliseconds(
                    loads, lambda: _snapshot(connection, history)
                ),
            )
            name = f"snapshots: load of {len(history.events)} events, snapshot"
            results.append(harness.compared(name, rounds, "ms"))
            rounds = harness.interleave(
                options.rounds,
                ours=lambda history=history: _milliseconds(loads, lambda: _pay(service, history)),
                peer=lambda history=history: _milliseconds(loads, lambda: _fold(service, history)),
            )
            name = f"snapshots: load of {len(history.events)} events and a payment, load alone"
            results.append(harness.compared(name, rounds, "ms"))
    return results


def _paid(payments: int) -> Life:
    life = engine.lent(payments + 10)
    for number in range(1, payments + 1):
        life.do(engine.payment(life.loan, number))
    return life


def _store(connection: psycopg.Connection, history: History) -> None:
    name = history.stream.partition("-")[2].encode()
    events = [(topic, state.replace(LOAN_ID.encode(), name)) for topic, state in history.events]
    part = 100  # events of one command
    for begin in range(0, len(events), part):
        staged = StagedAppend(
            stream=history.stream,
            expected_version=begin,
            events=tuple(
                StagedEvent(topic, peek(state)[1], state)
                for topic, state in events[begin : begin + part]
            ),
            command="bench.import",
            actor=actor_text(LENDER),
        )
        append_batch(connection, 0, [pack(staged)])
    state = msgspec.json.encode(replace(history.life.loan, timeline=None))
    facts = [state for topic, state in events if topic in FACTS]
    connection.execute(_INSERT, (history.stream, len(events), state, facts))


def _fold(service: Service, history: History) -> Loan:
    known = service.fetch([history.stream])[history.stream]
    assert known.version == len(history.events)
    return known.state


def _pay(service: Service, history: History) -> None:
    loan = _fold(service, history)
    command = engine.payment(loan, history.payments + 1)
    context = Context(actor=LENDER, business_date=command.effective_on, reason_code="bench")
    assert len(decide_loan(loan, command, context)) == EVENTS_A_PAYMENT


_loan = msgspec.json.Decoder(Loan).decode
_codec = Codec()


def _snapshot(connection: psycopg.Connection, history: History) -> None:
    row = connection.execute(_SELECT, (history.stream,), binary=True).fetchone()
    assert row is not None
    version, state, facts = row
    assert version == len(history.events)
    assert _loan(state).balances == history.life.loan.balances
    assert all(_codec.event(FACTS[0], fact) for fact in facts)


def _milliseconds(loads: int, load: Callable[[], object]) -> float:
    spent: list[float] = []
    for _ in range(loads):
        started = time.perf_counter()
        load()
        spent.append(time.perf_counter() - started)
    return median(spent) * 1000


if __name__ == "__main__":
    harness.main(run)
