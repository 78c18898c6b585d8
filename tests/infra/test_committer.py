"""Group commit: what is gathered, who is refused and when, and whom an error reaches."""

import threading
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
    committer = GroupCommitter(prepared, journal, limits or Limits())
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
