"""Row 4, the intake: it is killed between a message and its answer, and messages come twice."""

from contextlib import closing
from datetime import timedelta
from typing import Any, Final

from infra.outcome_topic import Answer
from infra.store import PostgresEventStore
from tests.faults import kafka_children
from tests.faults.found import Found
from tests.faults.invariants import (
    acknowledged_once,
    books_balance,
    dense,
    one_outcome_per_key,
    violations,
)
from tests.faults.kafka_children import UPSTREAM, Cluster, Orders
from tests.faults.ledger import Answered
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import SIGKILL
from tests.support.book import START, Book
from tests.support.messages import Upstream

PLACES: Final = (
    "intake.before_handle",
    "intake.after_handle",
    "intake.before_confirm",
    "answers.before_publish",
    "answers.after_publish",
    "answers.after_save",
)
LOANS: Final = 8
MESSAGES_PER_KILL: Final = 20
ANSWERED_SECONDS_MAX: Final = 60.0


def run(rig: Rig, count: int) -> Found:
    """Kill `count` intakes, each while it works on messages of its own and old ones again."""
    found = Found()
    with rig.database() as dsn, rig.kafka() as kafka, closing(Upstream(kafka)) as upstream:
        with PostgresEventStore(dsn) as store:
            book = Book(store, seed=rig.seed)
            for number in range(LOANS):
                book.open_loan(f"loan{number:04d}", amount=2_000_000, instalments=24)
        sent = 0
        while found.faults < count:
            names = upstream.send(_messages(rig, sent))
            sent += MESSAGES_PER_KILL
            _kill_one(rig, dsn, Cluster.of(kafka), found)
        names = upstream.send(_payment(number) for number in range(sent))
        last = rig.process(kafka_children.take_in, dsn, Cluster.of(kafka), Orders())
        upstream.wait_for(names)
        upstream.listen()
        last.kill()
        last.join()
        ledger = [_line(answers[0]) for answers in upstream.answers.values()]
        twice = [name for name, answers in upstream.answers.items() if len(answers) > 1]
        found.violations += violations("I2", (f"answered more than once: {name}" for name in twice))
        found.must(len(ledger) == sent, "I1", f"{len(ledger)} of {sent} messages are answered")
        found.violations += acknowledged_once(dsn, ledger)
        found.violations += one_outcome_per_key(dsn, ledger)
        found.violations += dense(dsn)
        with PostgresEventStore(dsn) as store:
            found.violations += books_balance(store)
    found.note = f"{sent} messages, each sent twice or more, {len(ledger)} answered once"
    return found


def _messages(rig: Rig, sent: int) -> list[dict[str, Any]]:
    """Make the next messages, and some that were sent before; one loan's need no order."""
    numbers = list(range(sent, sent + MESSAGES_PER_KILL))
    numbers += [rig.random.randrange(sent + MESSAGES_PER_KILL) for _ in range(MESSAGES_PER_KILL)]
    rig.random.shuffle(numbers)
    return [_payment(number) for number in numbers]


def _payment(number: int) -> dict[str, Any]:
    """Make a message; always the same. Every tenth will be refused."""
    on = (START + timedelta(days=1)).isoformat()
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": UPSTREAM.source,
        "type": "loan.receive_payment",
        "subject": f"loan{number % LOANS:04d}",
        "businessdate": on,
        "data": {
            "payment_id": f"payment-{number}",
            "amount": f"{1 + number % 97}.00",
            "currency": "EUR" if number % 10 == 9 else "USD",
            "effective_on": on,
        },
    }


def _kill_one(rig: Rig, dsn: str, cluster: Cluster, found: Found) -> None:
    r = rig.random
    at_random = r.random() < 0.3
    place = "" if at_random else f"{r.choice(PLACES)}=kill"
    child = rig.process(
        kafka_children.take_in, dsn, cluster, Orders(failpoints=place, batch=r.randint(5, 50))
    )
    if at_random:
        child.join(r.uniform(0.1, 1.5))
        child.kill()
    child.join(ANSWERED_SECONDS_MAX)
    assert child.exitcode == SIGKILL, f"the intake never came to {place}: {child.exitcode}"
    found.faults += 1


def _line(answer: Answer) -> Answered:
    number = int(answer.id)
    return Answered(
        scope=answer.source,
        key=answer.id,
        stream=f"loan-loan{number % LOANS:04d}",
        version=answer.version,
        position=int(answer.position.partition(":")[2]) if answer.position else None,
        code=answer.code,
        payment_id=f"payment-{number}" if answer.status == "recorded" else None,
    )
