"""What happens past the bounds, and when the database is away."""

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from infra.embedded import EmbeddedPostgres
from infra.settings import Settings
from tests.api.conftest import Api, api_on, write_tokens

PAYMENT = {
    "effective_on": "2018-02-15", "payment_id": "p-1", "amount": "1.00", "currency": "USD",
}  # fmt: skip


@pytest.fixture
def small(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The application with bounds that a test can reach."""
    for name, value in (
        ("HTTP_IN_FLIGHT_MAX", "6"),
        ("IF_POSITION_WAIT_SECONDS_MAX", "60"),
        ("QUERY_SECONDS_MAX", "0.5"),
        ("LOCK_TIMEOUT_SECONDS", "0.5"),
        ("APPEND_QUEUE_MAX", "2"),
    ):
        monkeypatch.setenv(f"LOANBOOK_{name}", value)
    with api_on(database, Settings(tokens_file=write_tokens(tmp_path))) as running:
        running.define_product()
        yield running


@contextmanager
def held(dsn: str, statement: str) -> Generator[None]:
    """Hold locks for the time of the block."""
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode())
        yield


def test_too_many_requests_at_once_are_refused_early_and_health_is_not(small: Api) -> None:
    small.apply()  # nobody projects it
    ahead = {"If-Position": str(small.parts.store.head())}
    with ThreadPoolExecutor(7) as callers:
        asked = [callers.submit(small.ask, "/v1/loans", None, ahead) for _ in range(7)]
        (first,), waiting = wait(asked, timeout=20, return_when=FIRST_COMPLETED)
        refused = first.result()
        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        assert small.http.get("/health").status_code == 200
        small.catch_up()
        assert [one.result().status_code for one in waiting] == [200] * 6
    assert small.ask("/v1/loans").status_code == 200


def test_a_query_past_its_time_is_ended_and_says_so(small: Api, database: str) -> None:
    with held(database, "LOCK TABLE read_v1.loan_summary IN ACCESS EXCLUSIVE MODE"):
        slow = small.ask("/v1/loans")
    assert (slow.status_code, slow.json()["code"]) == (503, "unavailable")
    assert small.ask("/v1/loans").status_code == 200


def test_a_held_append_lock_is_unavailable_and_a_full_queue_is_overloaded(
    small: Api, database: str
) -> None:
    loans = [small.open_loan() for _ in range(6)]  # two may be in a batch, two wait
    answers: list[int] = []

    def pay(loan: str) -> None:
        answers.append(small.post(f"/v1/loans/{loan}/payments", PAYMENT).status_code)

    with held(database, "SELECT * FROM log_head FOR UPDATE"):
        threads = [threading.Thread(target=pay, args=(loan,)) for loan in loans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(answers) == {429, 503}
    assert small.post(f"/v1/loans/{loans[0]}/payments", PAYMENT).status_code == 201


@pytest.mark.slow
def test_when_the_database_is_away_a_repeat_with_the_same_key_settles_it(tmp_path: Path) -> None:
    settings = Settings(tokens_file=write_tokens(tmp_path))
    with (
        EmbeddedPostgres(tmp_path / "postgres") as server,
        api_on(server.dsn, settings) as running,
    ):
        running.define_product()
        loan = running.open_loan()
        path = f"/v1/loans/{loan}/payments"
        first = running.done(path, PAYMENT, key="k-1")
        server.kill()
        away = running.post(path, PAYMENT | {"payment_id": "p-2"}, key="k-2")
        assert (away.status_code, away.json()["code"]) == (503, "unavailable")
        assert running.http.get("/health").status_code == 200
        assert running.http.get("/ready").status_code == 503
        assert "loanbook_requests_total" in running.http.get("/metrics").text
        server.start()
        until = monotonic() + 30
        again = running.post(path, PAYMENT | {"payment_id": "p-2"}, key="k-2")
        while again.status_code == 503 and monotonic() < until:
            sleep(0.1)
            again = running.post(path, PAYMENT | {"payment_id": "p-2"}, key="k-2")
        assert again.status_code == 201
        assert running.done(path, PAYMENT, key="k-1") == first | {"repeated": True}
        assert running.get(f"/v1/loans/{loan}/state")["version"] == again.json()["version"]
