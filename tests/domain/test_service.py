"""The road of a command: decided once, answered the same for ever, again after a conflict."""

from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest

from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command
from domain.context import Context
from domain.envelope import StreamId
from domain.loan.state import Loan
from domain.ports import Append, IdempotencyKey, Outcome
from domain.service import Instruction, KeyReused, Service
from infra.memory_store import MemoryEventStore
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    actor,
    apply_for,
    approve,
    context,
    disbursed,
    month,
    pay,
)

LOAN_STREAM = StreamId(f"loan-{LOAN}")


def key(name: str, command: Command) -> IdempotencyKey:
    body = sha256(repr(command).encode()).digest()
    return IdempotencyKey(scope="test", key=name, request_hash=body)


def instruct(command: Command, name: str | None = None, by: Context | None = None) -> Instruction:
    return Instruction(
        command=command,
        context=by or context(command.effective_on),
        key=key(name, command) if name else None,
    )


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture
def service(store: MemoryEventStore) -> Service:
    service = Service(store)
    product = DefineProductVersion(
        effective_on=START, code="P", name="Plain", conditions=CONDITIONS
    )
    service.handle(instruct(product, "product"))
    return service


def seed_disbursed(store: MemoryEventStore) -> None:
    """Put a loan in service into the store, as its events."""
    life = disbursed()
    store.append_many(
        [
            Append(
                stream=LOAN_STREAM,
                expected_version=0,
                events=tuple(life.events),
                envelope=context(START).envelope(),
                command="loan.apply",
            )
        ]
    )


def test_an_accepted_command_is_in_the_store(service: Service, store: MemoryEventStore) -> None:
    outcome = service.handle(instruct(apply_for(), "k"))
    assert (outcome.refusal, outcome.version) == (None, 1)
    assert [event.topic for event in store.load({LOAN_STREAM: 0})[LOAN_STREAM]] == [
        "loan.applied.v1"
    ]


def test_the_envelope_says_who_and_under_which_policies(
    service: Service, store: MemoryEventStore
) -> None:
    by = context(START, actor("ann", "officer"), reason_code="walk_in")
    service.handle(instruct(apply_for(), "k", by))
    (recorded,) = store.load({LOAN_STREAM: 0})[LOAN_STREAM]
    assert recorded.envelope.actor.id == "ann"
    assert recorded.envelope.reason_code == "walk_in"
    assert recorded.envelope.policy_versions == {"buckets": 1, "authority": 1}


def test_a_repeat_gets_the_first_answer(service: Service, store: MemoryEventStore) -> None:
    first = service.handle(instruct(apply_for(), "k"))
    again = service.handle(instruct(apply_for(), "k"))
    assert again == replace(first, repeated=True)
    assert len(store.load({LOAN_STREAM: 0})[LOAN_STREAM]) == 1


def test_a_refusal_is_recorded_and_repeated(service: Service) -> None:
    refused = service.handle(instruct(approve(), "k"))
    assert refused.refusal is not None
    assert refused.refusal.code == "unknown_loan"
    service.handle(instruct(apply_for(), "other"))
    again = service.handle(instruct(approve(), "k"))
    assert again == replace(refused, repeated=True), "a new attempt needs a new key"


def test_the_same_key_with_another_body_is_an_error(service: Service) -> None:
    service.handle(instruct(apply_for(), "k"))
    with pytest.raises(KeyReused):
        service.handle(instruct(apply_for(amount=5), "k"))


def test_the_repeat_of_the_payment_that_settled_gets_its_first_answer(
    service: Service, store: MemoryEventStore
) -> None:
    seed_disbursed(store)
    everything = instruct(pay(2_000_000, month(1), "all"), "k")
    first = service.handle(everything)
    assert first.refusal is None
    assert service.handle(everything) == replace(first, repeated=True)
    late = service.handle(instruct(pay(1, month(1), "more"), "k2"))
    assert late.refusal is not None
    assert late.refusal.code == "loan_settled"


def test_a_stale_cache_is_found_out_by_the_version(store: MemoryEventStore) -> None:
    seed_disbursed(store)
    here, there = Service(store), Service(store)
    here.handle(instruct(pay(100, month(1), "p1"), "k1"))
    there.handle(instruct(pay(100, month(1), "p2"), "k2"))
    outcome = here.handle(instruct(pay(100, month(1), "p3"), "k3"))
    loan = here.state(LOAN_STREAM).state
    assert isinstance(loan, Loan)
    assert outcome.version == here.state(LOAN_STREAM).version
    assert sum(row.paid_minor for row in loan.rows) == 300


def test_many_commands_follow_one_another_on_a_stream(
    service: Service, store: MemoryEventStore
) -> None:
    outcomes = service.handle_many(
        [
            instruct(apply_for(), "1"),
            instruct(approve(), "2"),
            instruct(approve(), "3"),  # refused: it is approved already
        ]
    )
    assert [outcome.refusal is None for outcome in outcomes] == [True, True, False]
    assert len(store.load({LOAN_STREAM: 0})[LOAN_STREAM]) == 2


def test_a_bulk_repeated_in_whole_or_part_changes_nothing(
    service: Service, store: MemoryEventStore
) -> None:
    first = [instruct(apply_for(), "1"), instruct(approve(), "2")]
    service.handle_many(first)
    seen = Service(store).handle_many([*first, instruct(approve("0.2"), "3")])
    assert [outcome.repeated for outcome in seen] == [True, True, False]
    assert len(store.load({LOAN_STREAM: 0})[LOAN_STREAM]) == 2
    partly = Service(store)
    outcomes = partly.handle_many([*first, instruct(pay(1, month(1)), "4")])
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)


def test_a_preview_stores_nothing(service: Service, store: MemoryEventStore) -> None:
    head = store.head()
    events = service.preview(instruct(apply_for())).events
    assert [type(event).__name__ for event in events] == ["LoanApplied"]
    assert store.head() == head


def test_an_application_pins_the_newest_version(service: Service, store: MemoryEventStore) -> None:
    newer = replace(CONDITIONS, rate_annual_max=Decimal("0.2"))
    service.handle(
        instruct(
            DefineProductVersion(effective_on=START, code="P", name="Plain", conditions=newer), "v2"
        )
    )
    service.handle(instruct(apply_for(), "k"))
    loan = service.state(LOAN_STREAM).state
    assert isinstance(loan, Loan)
    assert loan.conditions == newer
    del store


def test_an_unknown_product_is_refused(service: Service) -> None:
    outcome = service.handle(instruct(replace(apply_for(), product_code="NONE"), "k"))
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.refusal.field) == ("unknown_product", "product_code")
