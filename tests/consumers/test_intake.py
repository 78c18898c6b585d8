"""The intake: every message its own outcome, once, whoever sent it and whatever comes again."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from consumers.answers import Answers
from consumers.business_date import business_date
from consumers.intake import Intake, commands_feed
from consumers.sources import Source
from domain.actors import Actor, ActorKind
from domain.commands.servicing import ReceivePayment
from domain.context import Context
from domain.decide import LOAN_RULES
from domain.events.registry import Event
from domain.loan.state import Loan
from domain.service import Service
from infra.database import DatabasePool
from infra.dead_letters import DeadLetters
from infra.failpoints import Injected, installed
from infra.kafka_cluster import Kafka
from infra.outbox import OutcomeLog
from infra.outcome_topic import Answer, AnswerEvent
from infra.settings import Limits
from infra.store import PostgresEventStore
from tests.support.book import START, Book
from tests.support.record import everything
from tests.support.wire import consumed

STEPS_MAX = 1_500  # a group on a loaded machine may need several rebalances first
NO_HEADERS: list[tuple[str, bytes]] = []
HISTORY = Source(source="urn:history", id="old-system", commands=("*",), dated=True)
RAIL = Source(
    source="urn:rail",
    kind=ActorKind.SYSTEM,
    id="rail-7",
    commands=("loan.receive_payment",),
    dated=True,
)
TODAY = Source(source="urn:bank:core", id="core-banking", commands=("*",))
SOURCES = {source.source: source for source in (HISTORY, RAIL, TODAY)}


def pay(number: int, amount: str = "10.00", **attributes: str) -> dict[str, Any]:
    """A structured CloudEvent: a payment on loan L-1."""
    return {
        "specversion": "1.0",
        "id": f"m-{number}",
        "source": HISTORY.source,
        "businessdate": "2018-01-20",
        "type": "loan.receive_payment",
        "subject": "L-1",
        "data": {"payment_id": f"P-{number}", "amount": amount, "currency": "USD",
                 "effective_on": "2018-01-20"},
    } | attributes  # fmt: skip


@dataclass
class Desk:
    """An intake with its answers over a book with one loan, driven step by step."""

    kafka: Kafka
    store: PostgresEventStore
    taking: Callable[[], AbstractContextManager[Intake]]
    answers: Callable[[], Answers]
    sent: int = 0

    def send(self, *messages: Mapping[str, Any] | bytes, key: bytes = b"L-1") -> None:
        bodies = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        self.send_raw(*((body, NO_HEADERS) for body in bodies), key=key)

    def send_raw(
        self, *messages: tuple[bytes, list[tuple[str, bytes]]], key: bytes = b"L-1"
    ) -> None:
        self.kafka.create_topics()
        producer = self.kafka.producer()
        for value, headers in messages:
            producer.send(self.kafka.topics.commands, value, key, headers).get(timeout=30)
        producer.close()
        self.sent += len(messages)

    def work(self) -> None:
        """Take everything that was sent since, and answer it."""
        with self.taking() as intake:
            for _ in range(STEPS_MAX):
                self.sent -= intake.step()
                if self.sent <= 0:
                    break
        assert self.sent <= 0, f"{self.sent} messages did not come"
        self.answer()

    def answer(self) -> None:
        with closing(self.answers()) as answers:
            while answers.step():
                pass

    def answered(self) -> list[Answer]:
        records = consumed(self.kafka, self.kafka.topics.outcomes)
        return [msgspec.json.decode(r.value or b"", type=AnswerEvent).data for r in records]

    def buried(self) -> list[str]:
        records = consumed(self.kafka, self.kafka.topics.dead_letters)
        return [dict(record.headers)["code"].decode() for record in records]

    def payments(self) -> list[str]:
        return [
            recorded.event.payment_id  # type: ignore[attr-defined]
            for recorded in everything(self.store)
            if recorded.topic == "loan.payment_received.v1"
        ]


@pytest.fixture
def desk(
    kafka: Kafka, store: PostgresEventStore, pool: DatabasePool, database: str
) -> Iterator[Desk]:
    book = Book(store)
    book.open_loan("L-1")

    @contextmanager
    def taking() -> Generator[Intake]:
        limits = Limits(intake_batch_max=50)
        with (
            closing(DeadLetters(kafka)) as letters,
            closing(commands_feed(kafka, limits=limits)) as feed,
        ):
            yield Intake(
                Service(store),
                store,
                feed,
                letters,
                sources=SOURCES,
                business_date=lambda: business_date(pool),
            )

    with OutcomeLog(database) as outcomes:
        yield Desk(kafka, store, taking, lambda: Answers(outcomes, kafka, SOURCES))


def test_each_message_is_carried_out_and_answered_once(desk: Desk) -> None:
    desk.send(pay(1), pay(2, "0.00"))
    desk.work()
    done, refused = desk.answered()
    assert (done.source, done.id, done.status) == (HISTORY.source, "m-1", "recorded")
    assert (done.stream, done.command) == ("loan-L-1", "loan.receive_payment")
    assert done.version == desk.store.load({done.stream: 0})[done.stream][-1].version  # type: ignore[index]
    assert done.position == str(desk.store.head())
    assert (refused.id, refused.status, refused.version) == ("m-2", "refused", None)
    assert refused.code == "amount_out_of_range"
    assert desk.payments() == ["P-1"]


def test_headers_may_carry_the_envelope(desk: Desk) -> None:
    event = pay(1)
    data = event.pop("data")
    headers = [(f"ce_{name}", value.encode()) for name, value in event.items()]
    desk.send_raw((json.dumps(data).encode(), headers))
    desk.work()
    assert [answer.status for answer in desk.answered()] == ["recorded"]


def test_what_is_delivered_again_has_no_second_outcome(desk: Desk) -> None:
    desk.send(pay(1), pay(1))
    desk.work()
    desk.send(pay(1), pay(2))
    desk.work()
    assert [answer.id for answer in desk.answered()] == ["m-1", "m-2"]
    assert desk.payments() == ["P-1", "P-2"]
    assert desk.buried() == []


def test_another_content_under_a_known_id_is_buried(desk: Desk) -> None:
    desk.send(pay(1))
    desk.work()
    desk.send(pay(1, "11.00"))
    desk.work()
    assert [answer.id for answer in desk.answered()] == ["m-1"]
    assert desk.buried() == ["key_reused"]
    assert desk.payments() == ["P-1"]


UNREADABLE = {
    b"nonsense": "malformed_envelope",
    b"{}": "malformed_envelope",
    json.dumps(pay(1, specversion="0.3")).encode(): "malformed_envelope",
    json.dumps(pay(1, source="urn:stranger")).encode(): "unknown_source",
    b"x" * 70_000: "too_large",
}


def test_what_nobody_can_be_answered_for_is_buried_with_the_reason(desk: Desk) -> None:
    desk.send(*UNREADABLE, pay(2))
    desk.work()
    letters = consumed(desk.kafka, desk.kafka.topics.dead_letters)
    headers = {letter.value: dict(letter.headers) for letter in letters}
    assert {v: h["code"].decode() for v, h in headers.items()} == UNREADABLE
    assert all(h["reason"] and h["original_key"] == b"L-1" for h in headers.values())
    assert [answer.id for answer in desk.answered()] == ["m-2"]


MALFORMED = [
    (pay(1, "ten"), "malformed_field", "amount"),
    (pay(2, "10.001"), "too_many_decimals", "amount"),
    (pay(3, type="loan.explode"), "unknown_type", "type"),
    (pay(4, subject="L-2"), "key_mismatch", "subject"),
    (pay(5, source=TODAY.source), "forbidden", "businessdate"),
    (pay(6, businessdate="today"), "malformed_date", "businessdate"),
    (pay(7, source=RAIL.source, type="loan.reverse_payment"), "forbidden", "type"),
]


def test_what_is_malformed_is_refused_buried_and_answered_once(desk: Desk) -> None:
    desk.send(*(message for message, _, _ in MALFORMED))
    desk.work()
    desk.send(MALFORMED[0][0])
    desk.work()
    answers = sorted((a.id, a.status, a.code, a.field) for a in desk.answered())
    assert answers == [(m["id"], "refused", code, at) for m, code, at in MALFORMED]
    assert set(desk.buried()) == {code for _, code, _ in MALFORMED}
    assert desk.payments() == []


def test_who_acts_is_configured_and_never_said(desk: Desk) -> None:
    desk.send(pay(1, source=RAIL.source, actor="ann", kind="human"))
    desk.work()
    last = everything(desk.store)[-1]
    assert last.envelope.actor == Actor(kind=ActorKind.SYSTEM, id="rail-7")
    assert last.envelope.command_id == "m-1"


def test_a_dated_source_gives_its_own_business_date(desk: Desk) -> None:
    desk.send(pay(1, businessdate="2018-01-19"), pay(2, businessdate="2018-01-20"))
    desk.work()
    future, done = desk.answered()
    assert (future.code, future.field) == ("effective_in_future", "effective_on")
    assert done.status == "recorded"


def test_the_business_date_follows_the_last_closed_day(pool: DatabasePool) -> None:
    today = business_date(pool)
    with pool.transaction() as db:
        db.execute(
            "INSERT INTO portfolio_day (business_date, shard, currency, bucket_set, bucket,"
            " days_past_due_from, known_from, loans, principal_minor, overdue_minor,"
            " accrued_interest_minor) VALUES (%s, 0, 'USD', 'standard', '0', 0, 1, 0, 0, 0, 0)",
            [START],
        )
    assert today > START
    assert business_date(pool) == START + timedelta(days=1)


def test_a_bug_in_a_rule_buries_one_message_and_the_others_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = LOAN_RULES[ReceivePayment]

    def broken(loan: Loan, command: ReceivePayment, context: Context) -> list[Event]:
        assert command.payment_id != "P-2", "this one is broken"
        return sound(loan, command, context)

    monkeypatch.setitem(LOAN_RULES, ReceivePayment, broken)
    desk.send(pay(1), pay(2), pay(3))
    desk.work()
    assert [answer.id for answer in desk.answered()] == ["m-1", "m-3"]
    assert desk.buried() == ["internal_error"]
    monkeypatch.undo()
    desk.send(pay(2))
    desk.work()
    assert [answer.id for answer in desk.answered()] == ["m-1", "m-3", "m-2"]


@pytest.mark.parametrize("place", ["before_handle", "after_handle", "before_confirm"])
def test_an_intake_that_fails_in_mid_batch_leaves_no_trace(desk: Desk, place: str) -> None:
    def fail() -> None:
        raise Injected

    desk.send(pay(1), b"nonsense", pay(2, "ten"))
    with installed(f"intake.{place}", fail), pytest.raises(Injected):
        desk.work()
    desk.work()
    assert sorted(answer.id for answer in desk.answered()) == ["m-1", "m-2"]
    assert desk.payments() == ["P-1"]


@pytest.mark.parametrize("place", ["before_publish", "after_publish", "after_save"])
def test_answers_that_fail_anywhere_come_once(desk: Desk, place: str) -> None:
    def fail() -> None:
        raise Injected

    desk.send(pay(1))
    with installed(f"answers.{place}", fail), pytest.raises(Injected):
        desk.work()
    desk.answer()
    desk.send(pay(2))
    desk.work()
    assert [answer.id for answer in desk.answered()] == ["m-1", "m-2"]


def test_outcomes_of_others_are_not_answered(desk: Desk) -> None:
    assert everything(desk.store)
    desk.answer()
    assert desk.answered() == []
