"""What operators see: readiness with lag, figures, one line a request, an answer to a crash."""

import json
import re

import pytest
import structlog
from structlog.testing import CapturingLogger

from api import gate
from api.parts import Parts
from infra import log
from infra.settings import Settings
from tests.api.conftest import Api, token_of


def test_readiness_says_how_far_the_read_models_are_behind(api: Api) -> None:
    api.catch_up()
    api.apply()
    (follower,) = api.http.get("/ready").json()["followers"]
    assert (follower["reader"], follower["shard"]) == ("read_models", 0)
    assert follower["events_behind"] == 1
    api.catch_up()
    (follower,) = api.http.get("/ready").json()["followers"]
    assert (follower["position"], follower["events_behind"]) == (str(api.parts.store.head()), 0)


def test_the_figures_count_requests_by_route_and_never_by_id(api: Api) -> None:
    loan = api.apply()
    for _ in range(3):
        api.ask(f"/v1/loans/{loan}/state")
    api.ask("/v1/made-up/path")
    figures = api.http.get("/metrics").text
    line = (
        'loanbook_requests_total{method="GET",route="/v1/loans/{loan_id}/state",status="200"} 3.0'
    )
    assert line in figures
    assert 'route="none",status="404"} 1.0' in figures
    assert loan not in figures
    assert re.search(r"^loanbook_append_queue_commands 0.0$", figures, re.MULTILINE)
    assert 'loanbook_events_behind{reader="read_models",shard="0"}' in figures


def test_a_request_leaves_one_line_with_its_id_and_no_secret(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A logger keeps where it first wrote to; this one has not written yet.
    monkeypatch.setattr(gate, "_log", log.logger("http"))
    written = CapturingLogger()
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=lambda *_: written,
        cache_logger_on_first_use=False,
    )
    sent = {"Authorization": f"Bearer {token_of('boss')}", "X-Request-Id": "mine-1"}
    answer = api.http.get("/v1/loans?status=secret-status", headers=sent)
    hostile = api.http.get("/v1/loans/a%0Ab", headers=sent | {"X-Request-Id": "x y"})
    log.configure(Settings(log_level="CRITICAL"))
    assert answer.headers["x-request-id"] == "mine-1"
    assert hostile.json()["request_id"] == hostile.headers["x-request-id"] != "x y"
    first, second = (call.args[0] for call in written.calls)
    assert "request_id='mine-1'" in first
    assert "route='/v1/loans' status=200" in first
    assert "actor='human:boss'" in first
    for line in (first, second):
        assert "secret" not in line
        assert "\n" not in line


def test_lines_for_machines_are_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    log.configure(Settings(log_format="json"))
    log.logger("test").info("request", loan_id="a\nb")
    log.configure(Settings(log_level="CRITICAL"))
    (line,) = capfdbinary.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["loan_id"], said["source"]) == ("request", "a\nb", "test")


def test_our_own_bug_is_a_problem_with_the_id_of_its_log_line(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Parts) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(api.parts.business_date), "today", fail)
    answer = api.ask("/v1/business-date")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"]
    assert "ZeroDivision" not in answer.text
