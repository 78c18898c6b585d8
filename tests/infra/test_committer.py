"""Group commit: what is gathered, who is refused and when, and whom an error reaches."""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import pytest

from infra.committer import GroupCommitter
from infra.errors import Overloaded, Unavailable
from infra.settings import Limits

WAIT = 30

Committer = GroupCommitter[str, str, str]


class Journal:
    """A commit that keeps its batches and, when told to, holds the next one or fails."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Event()
        self.may_go = threading.Event()
        self.may_go.set()
        self.error: Exception | None = None

    def __call__(self, batch: Sequence[str]) -> list[str]:
        self.entered.set()
        assert self.may_go.wait(WAIT)
        if self.error and ("bad" in batch or isinstance(self.error, Unavailable)):
            raise self.error
        self.batches.append(list(batch))
        return [payload.upper() for payload in batch]

    @contextmanager
    def held(self, committer: Committer) -> Generator[None]:
        """Hold the committer inside a first commit while the block runs."""
        self.may_go.clear()
        self.entered.clear()
        committer.submit("first", 1)
        assert self.entered.wait(WAIT)
        yield
        self.may_go.set()


def prepared(payload: str) -> str:
    if payload == "broken":
        raise ValueError(payload)
    return payload


@pytest.fixture
def journal() -> Journal:
    return Journal()


@contextmanager
def committing(journal: Journal, limits: Limits | None = None) -> Generator[Committer]:
    committer = GroupCommitter(prepared, [journal], limits or Limits())
    try:
        yield committer
    finally:
        journal.may_go.set()
        committer.close()


def test_what_queues_up_during_a_commit_is_the_next_batch(journal: Journal) -> None:
    with committing(journal) as committer:
        with journal.held(committer):
            futures = [committer.submit(name, 1) for name in ("a", "b", "c")]
        assert [future.result(WAIT) for future in futures] == ["A", "B", "C"]
    assert journal.batches == [["first"], ["a", "b", "c"]]


def test_a_batch_is_bounded_by_commands_and_by_events(journal: Journal) -> None:
    limits = Limits(append_batch_max=3, bulk_append_events_max=10)
    with committing(journal, limits) as committer:
        with journal.held(committer):
            for name, weight in (("a", 6), ("b", 5), ("c", 1), ("d", 1), ("e", 1), ("f", 99)):
                last = committer.submit(name, weight)
        last.result(WAIT)
    assert journal.batches == [["first"], ["a"], ["b", "c", "d"], ["e"], ["f"]]


def test_a_full_queue_refuses_at_once(journal: Journal) -> None:
    with (
        committing(journal, Limits(append_queue_max=2)) as committer,
        journal.held(committer),
    ):
        committer.submit("a", 1)
        committer.submit("b", 1)
        with pytest.raises(Overloaded) as refused:
            committer.submit("c", 1)
        assert refused.value.retry_after_seconds >= 1
    assert journal.batches == [["first"], ["a", "b"]]


def test_who_waited_too_long_is_dropped_before_it_is_sent(journal: Journal) -> None:
    with committing(journal, Limits(append_wait_seconds_max=0.5)) as committer:
        with journal.held(committer):
            late = committer.submit("late", 1)
            assert not threading.Event().wait(0.7)
        with pytest.raises(Overloaded):
            late.result(WAIT)
        assert committer.submit("next", 1).result(WAIT) == "NEXT"
    assert journal.batches == [["first"], ["next"]]


def test_an_old_queue_refuses_before_it_is_full(journal: Journal) -> None:
    with (
        committing(journal, Limits(append_wait_seconds_max=0.2)) as committer,
        journal.held(committer),
    ):
        committer.submit("old", 1)
        assert not threading.Event().wait(0.15)
        with pytest.raises(Overloaded):
            committer.submit("new", 1)


def test_a_caller_who_gave_up_is_not_sent(journal: Journal) -> None:
    with committing(journal) as committer:
        with journal.held(committer):
            assert committer.submit("gone", 1).cancel()
            kept = committer.submit("kept", 1)
        assert kept.result(WAIT) == "KEPT"
    assert journal.batches == [["first"], ["kept"]]


def test_one_bad_command_fails_alone(journal: Journal) -> None:
    journal.error = LookupError("bad")
    with committing(journal) as committer:
        with journal.held(committer):
            good, bad, fine = (committer.submit(name, 1) for name in ("good", "bad", "fine"))
        assert (good.result(WAIT), fine.result(WAIT)) == ("GOOD", "FINE")
        with pytest.raises(LookupError, match="bad"):
            bad.result(WAIT)


def test_what_cannot_be_prepared_is_not_sent_and_its_neighbours_stay_together(
    journal: Journal,
) -> None:
    with committing(journal) as committer:
        with journal.held(committer):
            good, broken, fine = (committer.submit(name, 1) for name in ("good", "broken", "fine"))
        assert (good.result(WAIT), fine.result(WAIT)) == ("GOOD", "FINE")
        with pytest.raises(ValueError, match="broken"):
            broken.result(WAIT)
    assert journal.batches == [["first"], ["good", "fine"]]


def test_when_the_database_is_away_everybody_hears_it_and_nothing_is_sent_again(
    journal: Journal,
) -> None:
    with committing(journal) as committer:
        with journal.held(committer):
            futures = [committer.submit(name, 1) for name in ("a", "b")]
            journal.error = Unavailable("away")
        for future in futures:
            with pytest.raises(Unavailable, match="away"):
                future.result(WAIT)
    assert journal.batches == []


def test_closing_answers_everybody_and_refuses_the_rest(journal: Journal) -> None:
    with committing(journal) as committer:
        with journal.held(committer):
            waiting = committer.submit("waiting", 1)
            closing = threading.Thread(target=committer.close)
            closing.start()
        closing.join(WAIT)
        assert waiting.result(0) == "WAITING"
        with pytest.raises(Unavailable):
            committer.submit("too late", 1)


@contextmanager
def committing_by_two(first: Journal, second: Journal) -> Generator[Committer]:
    """Let two threads commit, both held."""
    committer = GroupCommitter(prepared, [first, second], Limits())
    first.may_go.clear()
    second.may_go.clear()
    try:
        yield committer
    finally:
        first.may_go.set()
        second.may_go.set()
        committer.close()


def busy_and_free(committer: Committer, one: Journal, other: Journal) -> tuple[Journal, Journal]:
    """Send a command; return who commits it, and who is free."""
    committer.submit("first", 1)
    until = time.monotonic() + WAIT
    while not (one.entered.is_set() or other.entered.is_set()):
        assert time.monotonic() < until
        time.sleep(0.001)
    return (one, other) if one.entered.is_set() else (other, one)


def test_as_many_as_are_under_way_are_sent_before_those_are_answered() -> None:
    one, other = Journal(), Journal()
    with committing_by_two(one, other) as committer:
        _, free = busy_and_free(committer, one, other)
        for number in range(11):
            committer.submit(f"{number}", 1)
        assert not free.entered.wait(0.2), "so few are not worth a transaction of their own"
        committer.submit("11", 1)
        assert free.entered.wait(WAIT)
        free.may_go.set()
    assert free.batches[0] == [f"{number}" for number in range(12)]


def test_what_has_queued_up_goes_on_when_nothing_is_under_way_any_more() -> None:
    one, other = Journal(), Journal()
    with committing_by_two(one, other) as committer:
        busy, _ = busy_and_free(committer, one, other)
        queued = [committer.submit(name, 1) for name in ("a", "b")]
        other.may_go.set()
        one.may_go.set()
        assert [future.result(WAIT) for future in queued] == ["A", "B"]
    assert busy.batches[0] == ["first"]
    assert ["a", "b"] in one.batches + other.batches


def test_closing_ends_every_thread_and_answers_those_under_way() -> None:
    one, other = Journal(), Journal()
    with committing_by_two(one, other) as committer:
        busy_and_free(committer, one, other)
        replies = [committer.submit(f"{number}", 1) for number in range(9)]
        one.may_go.set()
        other.may_go.set()
        committer.close()
        assert all(reply.done() for reply in replies)
