"""Who gets in, how long, and that nobody else's form or address is followed."""

import json
from pathlib import Path

import httpx
import pytest

from api.console.console import HEADERS, local
from api.console.sessions import SESSION_SECONDS, Sessions
from api.identity import Tokens, read_tokens
from domain.errors import Rejected
from infra.settings import Settings
from tests.api.conftest import token_of, write_tokens
from tests.console.conftest import Console, Visitor
from tests.support.html import Node

SIGNED, OTHERWISE, DEVELOPMENT = "signed-with-this", "and-not-with-that", "development-token"


def sessions(tokens: Tokens, *, at: float = 1_000_000.0, by: str = SIGNED) -> Sessions:
    return Sessions(tokens, by, lambda: at)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return read_tokens(Settings(tokens_file=write_tokens(tmp_path)))


def test_who_has_not_signed_in_is_led_there_and_back(console: Console) -> None:
    visitor = console.visitor()
    wanted = "/console/portfolio?by=purpose"
    asked = visitor.http.get(wanted)
    assert asked.status_code == 303
    form = read_form(visitor, asked.headers["location"])
    answer = visitor.send(form, token=token_of("rita"))
    assert answer.status_code == 303
    assert answer.headers["location"] == wanted
    assert "Portfolio" in visitor.get(wanted).one("h1").text


def read_form(visitor: Visitor, path: str) -> Node:
    return visitor.get(path).one("form")


def test_the_beginning_leads_to_the_portfolio(console: Console) -> None:
    visitor = console.signed_in("rita")
    for path in ("/", "/console", "/console/"):
        answer = visitor.http.get(path, follow_redirects=True)
        assert answer.status_code == 200
        assert answer.url.path == "/console/portfolio"


def test_a_token_that_nobody_has_is_refused(console: Console) -> None:
    visitor = console.visitor()
    answer = visitor.http.post("/console/sign-in", data={"token": "guess-guess-guess-guess"})
    assert answer.status_code == 401
    assert "That did not work" in answer.text
    assert not visitor.http.cookies


def test_the_cookie_is_kept_from_scripts_and_holds_no_token(console: Console) -> None:
    answer = console.visitor().http.post("/console/sign-in", data={"token": token_of("ann")})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/console", f"Max-Age={SESSION_SECONDS}"} <= {
        part.strip() for part in cookie.split(";")
    }
    assert token_of("ann") not in cookie


def test_signing_out_needs_the_session_s_own_form(console: Console) -> None:
    visitor = console.signed_in("rita")
    assert visitor.http.post("/console/sign-out", data={"form_secret": "x"}).status_code == 403
    form = visitor.get("/console/loans").one("form", action="/console/sign-out")
    assert visitor.send(form).status_code == 303
    assert visitor.http.get("/console/loans").status_code == 303


def test_a_session_ends_after_its_time(tokens: Tokens) -> None:
    cookie = sessions(tokens).begin(token_of("ann"), None)
    found = sessions(tokens, at=1_000_000.0 + SESSION_SECONDS - 1).find(cookie, None)
    assert found is not None
    assert found.caller.actor.id == "ann"
    assert sessions(tokens, at=1_000_000.0 + SESSION_SECONDS).find(cookie, None) is None


def test_a_session_ends_with_its_token(tokens: Tokens, tmp_path: Path) -> None:
    cookie = sessions(tokens).begin(token_of("ann"), None)
    left = [{"token": token_of("bob"), "kind": "human", "id": "bob", "roles": ["reader"]}]
    (tmp_path / "less.json").write_text(json.dumps({"tokens": left}))
    less = read_tokens(Settings(tokens_file=tmp_path / "less.json"))
    assert sessions(less).find(cookie, None) is None


def test_a_forged_cookie_is_no_session(tokens: Tokens) -> None:
    cookie = sessions(tokens).begin(token_of("ann"), None)
    body, _, mac = cookie.partition(".")
    others = sessions(tokens, by=OTHERWISE)
    forged = [None, "", "x", body, f"{body}.", f"{body}x.{mac}", f".{mac}", "é.é", "a" * 2_000]
    for one in forged:
        assert sessions(tokens).find(one, None) is None, one
    assert others.find(cookie, None) is None


def test_every_session_has_a_secret_of_its_own(tokens: Tokens) -> None:
    known = sessions(tokens)
    found = [known.find(known.begin(token_of("ann"), None), None) for _ in range(2)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].form_secret != found[1].form_secret


def test_the_development_token_works_on_this_machine_and_for_anybody_named() -> None:
    tokens = Tokens({}, development_token=DEVELOPMENT)
    known = sessions(tokens)
    session = known.find(known.begin(f"{DEVELOPMENT}/ann", "127.0.0.1"), "127.0.0.1")
    assert session is not None
    assert session.caller.actor.id == "ann"
    with pytest.raises(Rejected, match="unauthenticated"):
        known.begin(DEVELOPMENT, "203.0.113.7")
    cookie = known.begin(DEVELOPMENT, "::1")
    assert known.find(cookie, "203.0.113.7") is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.com/",
        "//example.com",
        "/\\example.com",
        "/console\\..\\x",
        "/consolexyz",
        "javascript:alert(1)",
        "/v1/loans",
        "/console/\r\nSet-Cookie: a=b",
        "",
    ],
)
def test_no_address_leads_off_the_console(elsewhere: str, console: Console) -> None:
    assert local(elsewhere) == "/console"
    visitor = console.visitor()
    answer = visitor.http.get("/console/language/zh", params={"back": elsewhere})
    assert answer.headers["location"] == "/console"
    posted = {"token": token_of("rita"), "wanted": elsewhere or "/console"}
    signed_in = visitor.http.post("/console/sign-in", data=posted)
    assert signed_in.headers.get("location", "/console") == "/console"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_on_another_site_is_not_taken(headers: dict[str, str], console: Console) -> None:
    form = {"token": token_of("ann")}
    answer = console.visitor().http.post("/console/sign-in", data=form, headers=headers)
    assert answer.status_code == 403
    assert not answer.cookies


def test_every_answer_carries_the_strict_headers(console: Console) -> None:
    visitor = console.signed_in("rita")
    answers: list[httpx.Response] = [
        visitor.http.get(path)
        for path in (
            "/console/portfolio",
            "/console/sign-in",
            "/console/no/such/page",
            "/console/loans/nobody",
            "/console/portfolio?on=never",
            "/console",
        )
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, answer.url
        assert "script" not in answer.headers["content-security-policy"]


def test_the_style_sheet_may_be_kept_because_its_address_changes_with_it(console: Console) -> None:
    visitor = console.visitor()
    address = visitor.get("/console/sign-in").one("link", rel="stylesheet").get("href")
    answer = visitor.http.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert "?" in address
