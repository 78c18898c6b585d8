"""The intake: carries out the commands of the commands topic, each message's once.

Offsets are saved after the database's commit; what is delivered again meets its own idempotency key
(CloudEvents source and id) and changes nothing. `consumers.answers` publishes the answers from the
record of outcomes. What cannot be read goes to dead letters with the reason, and if it says whose
it is, its refusal is recorded and answered as well.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final, Protocol

from consumers.answers import NOBODY, Answers
from consumers.orders import Malformed, Unreadable, read_order
from consumers.sources import Sources
from domain.commands import name_of
from domain.envelope import Position, StreamId
from domain.ports import Append, EventStore, Outcome, Refusal
from domain.service import Instruction, KeyReused, Service, TooManyConflicts
from infra.errors import Overloaded, TooLarge, Unavailable
from infra.failpoints import Injected, failpoint
from infra.kafka_cluster import Kafka, KafkaUnavailable, Record
from infra.kafka_feed import KafkaFeed
from infra.log import logger
from infra.settings import Limits

GROUP: Final = "loanbook.intake"
START: Final = Position(shard=0, number=0)
"""Offsets of commands depend on nobody's position."""

_PASSING: Final = (Unavailable, Overloaded, TooManyConflicts, KafkaUnavailable)
"""The same batch is tried again."""

_log = logger(__name__)

Sound = tuple[Record, Instruction]


class Cemetery(Protocol):
    """Where messages go that cannot be used; `infra.dead_letters.DeadLetters` is one."""

    def bury(self, record: Record, code: str, reason: str) -> None:
        """Keep one durably. Raises KafkaUnavailable."""
        ...


def commands_feed(
    kafka: Kafka,
    *,
    limits: Limits,
    member: str | None = None,
    **consumer: Any,  # noqa: ANN401 - kafka-python's settings
) -> KafkaFeed[Record]:
    """Make a member of the intake's group; `member` as in `consumers.topic_feed`."""
    return KafkaFeed(
        kafka,
        GROUP,
        _as_it_is,
        topic=kafka.topics.commands,
        limits=limits.model_copy(update={"consume_batch_max": limits.intake_batch_max}),
        group_instance_id=member,
        isolation_level="read_committed",  # an upstream's aborted transaction was never said
        **consumer,
    )


def _as_it_is(record: Record) -> Record:
    return record


class Intake:
    """One member of the intake's group; one thread uses it."""

    def __init__(
        self,
        service: Service,
        store: EventStore,
        feed: KafkaFeed[Record],
        cemetery: Cemetery,
        *,
        sources: Sources,
        business_date: Callable[[], date],
    ) -> None:
        """`business_date` tells the day of commands that carry none of their own."""
        self._service = service
        self._store = store
        self._feed = feed
        self._cemetery = cemetery
        self._sources = sources
        self._business_date = business_date

    def step(self) -> int:
        """Carry out the next batch of messages; return how many came.

        Raises what passes (Unavailable, Overloaded, TooManyConflicts, KafkaUnavailable); the batch
        is then delivered again.
        """
        records = self._feed.poll()
        if records:
            try:
                self._carry_out(records)
            except _PASSING:
                self._feed.seek(START)
                raise
        self._feed.confirm(START)
        return len(records)

    def _carry_out(self, records: Sequence[Record]) -> None:
        today = self._business_date()
        sound: list[Sound] = []
        malformed: list[tuple[Record, Malformed]] = []
        for record in records:
            match read_order(record, self._sources, today):
                case Instruction() as instruction:
                    sound.append((record, instruction))
                case Malformed() as order:
                    malformed.append((record, order))
                case Unreadable() as order:
                    self._bury(record, order.code, order.detail)
        failpoint("intake.before_handle")
        if sound:
            self._handle(sound)
        failpoint("intake.after_handle")
        for record, order in malformed:
            self._refuse(record, order)
        failpoint("intake.before_confirm")

    def _handle(self, sound: Sequence[Sound]) -> None:
        try:
            self._service.handle_many([instruction for _, instruction in sound])
        except (*_PASSING, Injected):
            raise
        except Exception as error:  # noqa: BLE001 - one message is at fault; find it
            _log.info("batch_divided", messages=len(sound), reason=f"{type(error).__name__}")
            for record, instruction in sound:
                self._handle_one(record, instruction)

    def _handle_one(self, record: Record, instruction: Instruction) -> None:
        try:
            self._service.handle(instruction)
        except (*_PASSING, Injected):
            raise
        except KeyReused:
            self._bury(record, "key_reused", "this id was used before, with another content")
        except TooLarge as error:
            assert instruction.key is not None
            self._refuse(
                record,
                Malformed(
                    command=name_of(type(instruction.command)),
                    context=instruction.context,
                    key=instruction.key,
                    problems=[Refusal(code="too_large", detail=str(error))],
                ),
            )
        except Exception as error:  # noqa: BLE001 - our bug; the other messages go on
            # Nothing is recorded, so that the same message can be sent again when it is mended.
            self._bury(record, "internal_error", f"{type(error).__name__}: {error}")

    def _refuse(self, record: Record, order: Malformed) -> None:
        """Record a malformed message's refusal under its key, and bury the message."""
        append = Append(
            stream=StreamId(NOBODY),
            expected_version=0,
            events=(),
            envelope=order.context.envelope(),
            command=order.command,
            key=order.key,
            refusal=order.problems[0],
        )
        (result,) = self._store.append_many([append])
        if not isinstance(result, Outcome):
            self._bury(record, "key_reused", "this id was used before, with another content")
        else:
            said = "; ".join(
                f"{p.field or 'message'}: {p.code}: {p.detail}" for p in order.problems
            )
            self._bury(record, order.problems[0].code, said)

    def _bury(self, record: Record, code: str, reason: str) -> None:
        _log.warning("message_buried", code=code, partition=record.partition, offset=record.offset)
        self._cemetery.bury(record, code, reason)


def run(intake: Intake, answers: Answers, limits: Limits, stopping: Callable[[], bool]) -> None:
    """Carry out and answer until told to stop; what is away is waited for. Raises WrongTopic."""
    pause = limits.poll_seconds_max
    while not stopping():
        try:
            intake.step()
            while answers.step() and not stopping():
                pass
            pause = limits.poll_seconds_max
        except _PASSING as error:
            _log.warning("intake_waits", reason=f"{type(error).__name__}: {error}")
            time.sleep(pause)
            pause = min(2 * pause, limits.reconnect_seconds_max)
