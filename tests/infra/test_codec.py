"""Stored bytes: what they look like, that they come back as they were, and what is refused."""

import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.envelope import Envelope
from domain.events import TOPICS, Event
from domain.events.servicing import PaymentReceived
from infra.codec import Codec, Upcaster, peek
from infra.errors import CorruptEvent, UnknownTopic
from tests.support.golden_events import ENVELOPE, FOLDER, golden_path, sample, stored_bytes
from tests.support.record import TELLER, payment

CODEC = Codec()
REWRITE = "run `python -m tests.support.golden_events` and look at the diff"


def test_the_bytes_are_json_for_human_eyes() -> None:
    topic, state = CODEC.encode(TELLER, payment(21_537))
    assert topic == "loan.payment_received.v1"
    assert state.decode() == (
        '{"actor":{"kind":"human","id":"t-7","roles":["teller"]},'
        '"event":{"effective_on":"2018-06-30","payment_id":"p-21537","amount_minor":21537,'
        '"currency":"USD","channel":null,"split":null,"kind":"repayment"}}'
    )


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_topic_has_a_golden_file_that_says_the_same_when_it_is_written_again(
    topic: str,
) -> None:
    assert golden_path(topic).exists(), REWRITE
    state = stored_bytes(golden_path(topic))
    envelope, event = CODEC.decode(topic, state)
    assert envelope == ENVELOPE
    again, written = CODEC.encode(envelope, event)
    assert again == topic
    assert says_all_of(json.loads(written), json.loads(state)), REWRITE


def says_all_of(written: Any, golden: Any) -> bool:  # noqa: ANN401 - any JSON
    """A field that was added after the release, with a default, is more than the file says."""
    if isinstance(golden, dict):
        fields = cast("dict[str, Any]", golden)
        return all(name in written and says_all_of(written[name], fields[name]) for name in fields)
    if isinstance(golden, list):
        items = cast("list[Any]", golden)
        return len(written) == len(items) and all(map(says_all_of, written, items))
    return written == golden


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_golden_file_can_still_be_read(path: Path) -> None:
    _, event = CODEC.decode(path.stem, stored_bytes(path))
    assert type(event) in TOPICS.values(), REWRITE


@pytest.mark.parametrize("kind", TOPICS.values(), ids=lambda kind: kind.__name__)
def test_every_event_comes_back_as_it_was(kind: type[Event]) -> None:
    event = sample(kind)
    assert CODEC.decode(*CODEC.encode(ENVELOPE, event)) == (ENVELOPE, event)


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.dates(),
)
def test_any_amount_text_and_date_come_back(amount: int, text: str, on: date) -> None:
    event = replace(payment(amount), payment_id=text, effective_on=on)
    envelope = replace(TELLER, reason_code=text)
    assert CODEC.decode(*CODEC.encode(envelope, event)) == (envelope, event)


@pytest.mark.parametrize("amount", [2**63, -(2**63) - 1, 2**64, 10**40])
def test_an_integer_beyond_bigint_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="bigint"):
        CODEC.encode(TELLER, payment(amount))
    with pytest.raises(ValueError, match="bigint"):
        CODEC.encode(replace(TELLER, policy_versions={"a": amount}), payment(1))


def test_long_digits_in_a_text_are_no_integer() -> None:
    event = replace(payment(2**63 - 1), payment_id="9" * 40)
    assert CODEC.decode(*CODEC.encode(TELLER, event))[1] == event


def test_a_class_without_a_topic_is_unknown() -> None:
    with pytest.raises(UnknownTopic, match="Event"):
        CODEC.encode(TELLER, Event(effective_on=date(2018, 6, 30)))


def test_a_topic_without_a_class_is_unknown() -> None:
    _, state = CODEC.encode(TELLER, payment())
    with pytest.raises(UnknownTopic, match=r"loan\.never_heard_of\.v1"):
        CODEC.decode("loan.never_heard_of.v1", state)


TOPIC, STATE = CODEC.encode(TELLER, payment(100))


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"\xff" + STATE,
        STATE[:-1],
        STATE + b"}",
        STATE.replace(b"100,", b"100.0,"),
        STATE.replace(b"100,", b'"100",'),
        STATE.replace(b"2018-06-30", b"2018-06-31"),
        STATE.replace(b'"human"', b'"angel"'),
        STATE.replace(b'"amount_minor"', b'"amount"'),
        STATE.replace(b'"event"', b'"evnt"'),
    ],
)
def test_bytes_that_say_something_else_are_corrupt(state: bytes) -> None:
    with pytest.raises(CorruptEvent):
        CODEC.decode(TOPIC, state)


def test_fields_that_a_class_does_not_know_are_ignored() -> None:
    value: dict[str, Any] = json.loads(STATE)
    value["mood"] = value["event"]["mood"] = "bright"
    assert CODEC.decode(TOPIC, json.dumps(value).encode()) == (TELLER, payment(100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(Event):
    """The third version of a payment: an amount with its currency, and who paid."""

    amount_minor: int
    currency: str
    payer: str
    fee_rate: Decimal


OLD = (
    b'{"actor":{"kind":"human","id":"t-7","roles":["teller"]},'
    b'"event":{"effective_on":"2018-06-30","amount_minor":5}}'
)
LIFTS = (
    Upcaster("test.paid.v1", "test.paid.v2", lambda old: {**old, "currency": "USD"}),
    Upcaster(
        "test.paid.v2",
        "test.paid.v3",
        lambda old: {**old, "payer": "unknown", "fee_rate": "0.10"},
    ),
)


def test_an_old_version_is_lifted_step_by_step() -> None:
    codec = Codec({"test.paid.v3": Paid}, LIFTS)
    now = Paid(
        effective_on=date(2018, 6, 30),
        amount_minor=5,
        currency="USD",
        payer="unknown",
        fee_rate=Decimal("0.10"),
    )
    two = OLD.replace(b":5}", b':5,"currency":"USD"}')
    assert codec.decode("test.paid.v1", OLD) == (TELLER, now)
    assert codec.decode("test.paid.v2", two) == (TELLER, now)
    assert codec.decode(*codec.encode(TELLER, now)) == (TELLER, now)


def test_the_events_of_a_stream_are_read_together_whatever_their_versions() -> None:
    codec = Codec({"test.paid.v3": Paid}, LIFTS)
    _, now = codec.decode("test.paid.v1", OLD)
    assert codec.events([("test.paid.v1", OLD), codec.encode(TELLER, now)]) == [now, now]
    with pytest.raises(CorruptEvent, match=r"test\.paid\.v3"):
        codec.events([("test.paid.v1", OLD), ("test.paid.v3", OLD)])
    with pytest.raises(UnknownTopic):
        codec.events([("test.paid.v4", OLD)])


def test_an_old_version_that_cannot_be_lifted_is_corrupt() -> None:
    codec = Codec({"test.paid.v3": Paid}, LIFTS)
    state = b'{"actor":{"kind":"human","id":"t-7"},"event":{"amount_minor":5}}'
    with pytest.raises(CorruptEvent):
        codec.decode("test.paid.v1", state)


def test_what_a_row_repeats_can_be_read_without_the_class() -> None:
    assert peek(STATE) == (TELLER.actor, date(2018, 6, 30))
    with pytest.raises(CorruptEvent):
        peek(b"{}")


def test_an_empty_envelope_takes_no_room() -> None:
    assert CODEC.encode(Envelope(actor=TELLER.actor), payment(100)) == (TOPIC, STATE)
    assert isinstance(CODEC.decode(TOPIC, STATE)[1], PaymentReceived)
