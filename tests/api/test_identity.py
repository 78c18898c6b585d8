"""Who is let in, and to what."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from api.identity import SCOPES_OF_ROLE, Scope, Tokens, TokensUnreadable, read_tokens
from domain.actors import Actor, ActorKind
from domain.errors import Rejected
from infra.settings import Settings
from tests.api.conftest import Api

HERE = "127.0.0.1"
ANN: dict[str, object] = {"kind": "human", "id": "ann", "roles": ["servicer"]}


def tokens(folder: Path, *holders: dict[str, object]) -> Tokens:
    path = folder / "tokens.json"
    path.write_text(json.dumps({"tokens": holders}))
    return read_tokens(Settings(tokens_file=path))


def test_a_token_stands_for_an_actor_by_itself_or_by_its_hash(tmp_path: Path) -> None:
    hashed = sha256(b"the-token-of-bob-123").hexdigest()
    known = tokens(
        tmp_path,
        ANN | {"token": "the-token-of-ann-123"},
        {"sha256": hashed, "kind": "upstream", "id": "core", "roles": ["originator"]},
    )
    ann = known.caller("the-token-of-ann-123", "10.0.0.7")
    assert ann.actor == Actor(kind=ActorKind.HUMAN, id="ann", roles=("servicer",))
    core = known.caller("the-token-of-bob-123", None)
    assert (core.actor.kind, core.client) == (ActorKind.UPSTREAM, "http:upstream:core")
    for wrong in ("the-token-of-ann-124", "", hashed):
        with pytest.raises(Rejected) as no:
            known.caller(wrong, HERE)
        assert no.value.code == "unauthenticated"


@pytest.mark.parametrize(
    "holder",
    [
        ANN,
        ANN | {"token": "short"},
        ANN | {"token": "x" * 20, "sha256": "0" * 64},
        ANN | {"sha256": "0" * 63},
        ANN | {"token": "x" * 20, "roles": ["king"]},
        ANN | {"token": "x" * 20, "roles": list[str]()},
        ANN | {"token": "x" * 20, "kind": "ghost"},
        ANN | {"token": "x" * 20, "id": "a b"},
        ANN | {"token": "x" * 20, "password": "y"},
    ],
)
def test_a_tokens_file_that_is_not_right_stops_the_start(
    tmp_path: Path, holder: dict[str, object]
) -> None:
    with pytest.raises(TokensUnreadable):
        tokens(tmp_path, holder)


def test_a_tokens_file_has_each_token_once_and_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(TokensUnreadable, match="twice"):
        tokens(tmp_path, ANN | {"token": "x" * 20}, ANN | {"token": "x" * 20, "id": "bob"})
    with pytest.raises(TokensUnreadable):
        read_tokens(Settings(tokens_file=tmp_path / "missing.json"))


def test_without_a_file_the_development_token_works_from_this_machine_only() -> None:
    development = Tokens({}, development_token="for-development")  # noqa: S106 - a test's
    me = development.caller("for-development", HERE)
    assert (me.actor.id, me.scopes) == ("developer", frozenset(Scope))
    assert development.caller("for-development/bob", "::1").actor.id == "bob"
    for token, host in (
        ("for-development", "10.0.0.7"),
        ("for-development", None),
        ("for-development", "localhost.evil.example"),
        ("for-developmen", HERE),
        ("for-development/b b", HERE),
        ("/bob", HERE),
        ("", HERE),
    ):
        with pytest.raises(Rejected):
            development.caller(token, host)
    with pytest.raises(Rejected):
        Tokens({}).caller("", HERE)


def test_every_scope_is_given_by_a_role_of_its_own() -> None:
    given = {
        scope for role, scopes in SCOPES_OF_ROLE.items() if role != "admin" for scope in scopes
    }
    assert given == set(Scope) - {Scope.CONFIGURE}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer nonsense", "Basic eDp5", "bearer\tx", "Bearer é"]
)
def test_without_a_known_token_nothing_is_said(book: Api, header: str) -> None:
    sent = {b"Authorization": header.encode()} if header else {}
    for path in ("/v1/loans", f"/v1/loans/{book.loans[0]}", "/v1/audit/trail", "/v1/commands/k"):
        answer = book.http.get(path, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    command = book.http.post(f"/v1/loans/{book.loans[0]}/payments", json={}, headers=sent)
    assert command.status_code == 401
    assert book.http.post("/v1/simulations", json={}, headers=sent).status_code == 401
    assert book.http.post("/v1/commands", json={}, headers=sent).status_code == 401


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("rita", "/v1/loans/{loan}/payments"),
        ("ann", "/v1/loans/{loan}/disbursement-checks"),
        ("bob", "/v1/loans/{loan}/disbursements"),
        ("cal", "/v1/loans/{loan}/payments"),
        ("ann", "/v1/cases/{loan}/claim"),
        ("ann", "/v1/products/P/versions"),
        ("robot", "/v1/loans/{loan}/reviews"),
        ("aud", "/v1/loans/{loan}/payments"),
    ],
)
def test_a_command_asks_for_its_scope(book: Api, who: str, path: str) -> None:
    answer = book.as_(who).post(path.format(loan=book.loans[0]), {})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_query_asks_for_its_scope(book: Api) -> None:
    for path in ("/v1/audit/trail", "/v1/audit/refusals", f"/v1/loans/{book.loans[0]}/events"):
        assert book.as_("rita").ask(path).json()["code"] == "forbidden"
        assert book.as_("aud").ask(path).status_code == 200
    assert book.as_("rita").ask("/v1/loans").status_code == 200
    assert book.as_("robot").ask("/v1/loans").status_code == 403


def test_health_is_open(book: Api) -> None:
    for path in ("/health", "/ready", "/metrics", "/openapi.json"):
        assert book.http.get(path).status_code == 200
