"""Row 19: the whole system in one process from one number: fake clock, store, wire and crashes.

The domain, its service, the acceptance rule of the projector and the store's fake are the product's
own code; the wire and the read model are kept here. A failing seed reproduces by its number.
"""

from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from consumers.admission import admit, in_order
from domain.commands.ending import CloseLoanDay
from domain.commands.servicing import ReversePayment
from domain.decide import decider_of
from domain.envelope import Position, RecordedEvent, StreamId
from domain.ports import Append, AppendResult, Outcome
from domain.service import Instruction, Service
from infra.errors import Overloaded, Unavailable
from infra.memory_store import MemoryEventStore
from tests.faults.found import Found, Violation
from tests.faults.invariants import (
    all_events,
    books_balance,
    folding_is_reading,
    stream_order,
    violations,
)
from tests.faults.rig import Rig
from tests.support.book import BANK, Book

STEPS: Final = 60
LOANS: Final = 2
RELAY_BATCH: Final = 5
ATTEMPTS_MAX: Final = 50


class FaultyStore(MemoryEventStore):
    """The store in memory behind a bad connection: it refuses, or loses the answer."""

    def __init__(self, sim_random: Random, faults: Counter[str]) -> None:
        self.now = datetime(2018, 1, 15, tzinfo=UTC)
        super().__init__(clock=self._jumping)
        self._random = sim_random
        self._faults = faults
        self.trouble = 0.0
        """How likely a call meets trouble."""

    def _jumping(self) -> datetime:
        if self._random.random() < self.trouble:
            self._faults["clock jumped"] += 1
            self.now += timedelta(hours=self._random.randint(-30, 30))
        self.now += timedelta(seconds=1)
        return self.now

    def submit(self, append: Append) -> "Future[AppendResult]":
        draw = self._random.random() / self.trouble if self.trouble else 9.0
        if draw < 0.2:
            self._faults["overloaded"] += 1
            raise Overloaded(1)
        lost: Future[AppendResult] = Future()
        if draw < 0.5:
            self._faults["unavailable before the commit"] += 1
            lost.set_exception(Unavailable("before the commit"))
            return lost
        answered = super().submit(append)
        if draw < 1.0:
            self._faults["unavailable after the commit"] += 1
            lost.set_exception(Unavailable("after the commit"))
            return lost
        return answered


@dataclass(slots=True)
class ReadModel:
    """What a projector keeps in one transaction: states and applied versions."""

    versions: dict[StreamId, int] = field(default_factory=dict[StreamId, int])
    states: dict[StreamId, Any] = field(default_factory=dict[StreamId, Any])

    def copy(self) -> "ReadModel":
        """What a transaction works on until it commits."""
        return ReadModel(dict(self.versions), dict(self.states))


class Simulation:
    """One seed's run."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seeded run
        self.faults: Counter[str] = Counter()
        self.store = FaultyStore(self.random, self.faults)
        self.client = Client(self)
        self.book = Book(self.store, seed=seed)
        self.book.service = self.client
        self.wire: list[RecordedEvent] = []
        self.sent = self.read = 0
        self.everything_sent: list[RecordedEvent] = []
        self.model = ReadModel()
        self.found: list[Violation] = []

    def run(self) -> None:
        """Live a while under faults, then let everything come to rest and check the invariants."""
        for number in range(LOANS):
            self.book.open_loan(f"loan{number}", instalments=6)
        self.store.trouble = 0.25
        for _ in range(STEPS):
            self._step()
        self.store.trouble = 0.0
        while self._relay(crashes=False):
            pass
        while self._project(crashes=False):
            pass
        self._sweep()
        self.found += self._checked()

    def _step(self) -> None:
        r = self.random
        match r.choice("cccccrrppbwsl"):
            case "c":
                self._command()
            case "r":
                self._relay(crashes=True)
            case "p":
                self._project(crashes=True)
            case "b":
                self._replay_request()
            case "w":
                self.faults["broker wiped"] += 1
                self.wire, self.sent, self.read = [], 0, 0
            case "s":
                self.faults["writer restarted"] += 1
                self.client.restart()
            case _:
                self._shuffle_wire()

    def _command(self) -> None:
        r, book = self.random, self.book
        book.today += timedelta(days=r.randint(0, 20))
        loan_id = r.choice(book.loans)
        loan = book.state(loan_id)
        match r.choice("ppppbrk"):
            case "p":
                book.pay(loan_id, r.randint(1, 200_000))
            case "b" if loan.disbursed_on:
                back = r.randint(0, min(90, (book.today - loan.disbursed_on).days))
                book.pay(loan_id, r.randint(1, 90_000), book.today - timedelta(days=back))
            case "r" if loan.timeline:
                facts = [fact.id for fact in reversed(loan.timeline.facts)]
                book.do(
                    ReversePayment(
                        loan_id=loan_id,
                        effective_on=book.today,
                        payment_id=r.choice(facts),
                        cause="bounced",
                    ),
                    BANK,
                )
            case _:
                book.do(CloseLoanDay(loan_id=loan_id, effective_on=book.today))

    def _replay_request(self) -> None:
        """An upstream system sends an old request again, with its key."""
        if self.client.answered:
            self.faults["request repeated"] += 1
            instruction, first = self.random.choice(self.client.answered)
            self._same(first, self.client.until_answered(instruction))

    def _same(self, first: Outcome, again: Outcome) -> None:
        if replace(first, repeated=True) != replace(again, repeated=True):
            self.found += violations("I2", [f"{first} became {again}"])

    def _relay(self, *, crashes: bool) -> bool:
        """Publish the next page; a crash before the checkpoint is saved repeats it later."""
        page = self.store.read(Position(shard=0, number=self.sent), RELAY_BATCH)
        for event in page:
            if crashes and self.random.random() < 0.05:
                self.faults["relay killed in mid-page"] += 1
                return True
            self.wire.append(event)
            self.everything_sent.append(event)
        if page and crashes and self.random.random() < 0.2:
            self.faults["relay killed before its checkpoint"] += 1
            return True
        if page:
            self.sent = page[-1].position.number
        return bool(page)

    def _shuffle_wire(self) -> None:
        """Lose, repeat and reorder what the projector has not read yet."""
        ahead = self.wire[self.read :]
        if ahead:
            self.faults["wire disturbed"] += 1
            again = [e for e in ahead for _ in range(self.random.choice([0, 1, 1, 2]))]
            self.random.shuffle(again)
            self.wire[self.read :] = again

    def _project(self, *, crashes: bool) -> bool:
        """Apply a batch in one transaction: all of it or nothing."""
        batch = self.wire[self.read : self.read + self.random.randint(1, 8)]
        self._apply(batch, crashes=crashes)
        return bool(batch)

    def _apply(self, batch: list[RecordedEvent], *, crashes: bool) -> None:
        work = self.model.copy()
        fresh, gaps, heads = admit(batch, work.versions)
        missing = [
            event
            for gap in gaps
            for event in self.store.load({gap.stream: gap.first - 1})[gap.stream]
            if event.version <= gap.last
        ]
        for record in in_order([*missing, *fresh]):
            assert isinstance(record, RecordedEvent)
            evolve = decider_of(record.stream).evolve
            work.states[record.stream] = evolve(work.states.get(record.stream), record.event)
        work.versions |= heads
        if crashes and self.random.random() < 0.2:
            self.faults["projector killed before its commit"] += 1
            return
        self.model = work
        if crashes and self.random.random() < 0.2:
            self.faults["projector killed before its offset"] += 1
            return
        self.read += len(batch)

    def _sweep(self) -> None:
        """Bring streams up whose last events were lost on the wire."""
        for event in all_events(self.store):
            if event.version > self.model.versions.get(event.stream, 0):
                self._apply([event], crashes=False)

    def _checked(self) -> list[Violation]:
        events = list(all_events(self.store))
        found = [*books_balance(self.store), *folding_is_reading(events)]
        places = [event.position.number for event in events]
        versions: Counter[str] = Counter()
        for event in events:
            versions[event.stream] += 1
            if event.version != versions[event.stream]:
                found += violations("I1", [f"{event.stream} is not dense at {event.version}"])
        if places != list(range(1, len(places) + 1)):
            found += violations("I1", ["positions are not dense"])
        times = [event.recorded_at for event in events]
        if times != sorted(times):
            found += violations("I1", ["recorded_at went back"])
        found += self.client.checked(events)
        fold = Service(self.store)
        for stream, version in versions.items():
            known = fold.state(StreamId(stream))
            mine = self.model.states.get(StreamId(stream))
            if self.model.versions.get(StreamId(stream)) != version:
                found += violations("I5", [f"{stream} was applied up to another version"])
            if stream.startswith("loan") and (mine is None or known.state.rows != mine.rows):
                found += violations("I5", [f"{stream} differs from the fold from zero"])
        return [*found, *stream_order(self.everything_sent, events)]


class Client(Service):
    """A client that asks again with the same key until it is answered, over writers that die."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation.store)
        self._store_behind = simulation.store
        self._service = Service(simulation.store)
        self.answered: list[tuple[Instruction, Outcome]] = []

    def restart(self) -> None:
        """The writer dies with its cache; the next one begins from the record."""
        self._service = Service(self._store_behind)

    def handle(self, instruction: Instruction) -> Outcome:
        """Hand in a command until there is an answer, and keep the answer."""
        outcome = self.until_answered(instruction)
        self.answered.append((instruction, outcome))
        return outcome

    def until_answered(self, instruction: Instruction) -> Outcome:
        """Repeat with the same key through every trouble."""
        for _ in range(ATTEMPTS_MAX):
            try:
                return self._service.handle(instruction)
            except (Unavailable, Overloaded):
                continue
        raise AssertionError("the client was never answered")

    def checked(self, events: list[RecordedEvent]) -> list[Violation]:
        """I1 and I2: each answer is in the record once, and a repeat gets it again."""
        places = {(event.stream, event.version): event.position for event in events}
        lost = [o for _, o in self.answered if o.position and places.get(_place(o)) != o.position]
        changed = [
            first
            for instruction, first in self.answered
            if replace(self.until_answered(instruction), repeated=True)
            != replace(first, repeated=True)
        ]
        ends = Counter(o.position.number for _, o in self.answered if o.position)
        doubled = [number for number, times in ends.items() if times > 1]
        return [
            *violations("I1", (f"lost: {o}" for o in lost)),
            *violations("I1", (f"two commands ended at position {n}" for n in doubled)),
            *violations("I2", (f"answered otherwise: {o}" for o in changed)),
        ]


def _place(outcome: Outcome) -> tuple[StreamId, int]:
    return outcome.stream, outcome.version or 0


def run(rig: Rig, count: int) -> Found:
    """Run `count` seeds, numbered from the rig's seed times ten million."""
    found = Found()
    kinds: Counter[str] = Counter()
    for number in range(count):
        seed = rig.seed * 10**7 + number
        simulation = Simulation(seed)
        simulation.run()
        kinds += simulation.faults
        found.violations += [
            replace(violation, detail=f"seed {seed}: {violation.detail}")
            for violation in simulation.found
        ]
    found.faults = kinds.total()
    found.note = f"{count} seeds, {len(kinds)} kinds of faults"
    return found
