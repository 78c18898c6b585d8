"""Every family of error: its status, its code, its field, and that nothing was changed."""

import json
from uuid import uuid4

import httpx
import pytest

from api import problems
from tests.api.conftest import Api, token_of
from tests.architecture.source import FOLDERS, modules, text

PAYMENT = {
    "effective_on": "2018-02-15", "payment_id": "p-1", "amount": "100.00", "currency": "USD",
}  # fmt: skip


def problem(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Read a problem; its own status is the answer's."""
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["type"] == f"urn:loanbook:problem:{said['code']}"
    return answer.status_code, said["code"], said.get("field")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": "1.234"}, (422, "too_many_decimals", "amount")),
        ({"amount": "0.00"}, (422, "amount_out_of_range", "amount")),
        ({"amount": "-5.00"}, (422, "malformed_field", "amount")),
        ({"amount": "1e3"}, (422, "malformed_field", "amount")),
        ({"amount": "٣.٠٠"}, (422, "malformed_field", "amount")),  # noqa: RUF001 - Arabic digits
        ({"amount": "9" * 16}, (422, "amount_too_large", "amount")),
        ({"amount": "9" * 400}, (422, "malformed_field", "amount")),
        ({"amount": 100}, (422, "malformed_field", "amount")),
        ({"amount": None}, (422, "malformed_field", "amount")),
        ({"currency": "XXX"}, (422, "unknown_currency", "currency")),
        ({"currency": "usd"}, (422, "malformed_field", "currency")),
        ({"currency": "EUR"}, (409, "currency_mismatch", "currency")),
        ({"effective_on": "2018-02-30"}, (422, "malformed_date", "effective_on")),
        ({"effective_on": 1518652800}, (422, "malformed_date", "effective_on")),
        ({"effective_on": "2018-2-3"}, (422, "malformed_date", "effective_on")),
        ({"effective_on": "1899-12-31"}, (422, "malformed_field", "effective_on")),
        ({"effective_on": "2199-01-01"}, (409, "effective_in_future", "effective_on")),
        ({"effective_on": "2018-01-14"}, (409, "before_disbursement", "effective_on")),
        ({"payment_id": ""}, (422, "malformed_field", "payment_id")),
        ({"payment_id": "x" * 201}, (422, "too_long", "payment_id")),
        ({"payment_id": "a\u0000b"}, (422, "malformed_field", "payment_id")),
        ({"actor": "bob"}, (422, "unknown_field", "actor")),
        (
            {"split": {"principal": "1", "interest": "x"}},
            (422, "malformed_field", "split.interest"),
        ),
        ({"split": {"principal": "1", "interest": "2"}}, (422, "split_mismatch", "split")),
        ({"reason_code": "a b"}, (422, "malformed_field", "reason_code")),
    ],
)
def test_a_bad_payment_is_refused_with_the_field_and_changes_nothing(
    book: Api, change: dict[str, object], expected: tuple[int, str, str | None]
) -> None:
    at = f"/v1/loans/{book.loans[0]}"
    before = book.get(f"{at}/state")
    assert problem(book.post(f"{at}/payments", PAYMENT | change)) == expected
    assert book.get(f"{at}/state") == before


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"{", "application/json", (400, "malformed_json", None)),
        (b"\xff\xfe", "application/json", (400, "malformed_json", None)),
        (b'{"payment_id": "\\ud800"}', "application/json", (400, "malformed_json", None)),
        (b"[]", "application/json", (422, "malformed_field", None)),
        (b"null", "application/json", (422, "malformed_field", None)),
        (b"", "application/json", (422, "field_missing", "payment_id")),
        (b"{}", "application/x-www-form-urlencoded", (415, "not_json", None)),
        (b"[" * 30_000, "application/json", (400, "malformed_json", None)),
        (b"{}" + b" " * 65_536, "application/json", (413, "too_large", None)),
    ],
)
def test_a_body_that_cannot_be_read(
    book: Api, content: bytes, kind: str, expected: tuple[int, str, str | None]
) -> None:
    sent = {
        "Authorization": f"Bearer {token_of('boss')}",
        "Idempotency-Key": uuid4().hex,
        "Content-Type": kind,
    }
    path = f"/v1/loans/{book.loans[0]}/payments"
    assert problem(book.http.post(path, content=content, headers=sent)) == expected


def test_a_body_without_a_length_is_bounded_while_it_is_read(book: Api) -> None:
    sent = {"Authorization": f"Bearer {token_of('boss')}", "Idempotency-Key": uuid4().hex}
    path = f"/v1/loans/{book.loans[0]}/payments"
    pieces = (b" " * 4096 for _ in range(100))
    assert problem(book.http.post(path, content=pieces, headers=sent)) == (413, "too_large", None)


def test_all_that_is_wrong_with_a_body_is_listed(book: Api) -> None:
    body = {"effective_on": "soon", "amount": 5, "currency": "USD", "colour": "chartreuse"}
    said = book.post(f"/v1/loans/{book.loans[0]}/payments", body).json()
    found = {(one["field"], one["code"]) for one in said["errors"]}
    assert found == {
        ("effective_on", "malformed_date"),
        ("amount", "malformed_field"),
        ("payment_id", "field_missing"),
        ("colour", "unknown_field"),
    }
    assert "chartreuse" not in json.dumps(said), "what was sent is not sent back"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", (400, "idempotency_key_missing", "Idempotency-Key")),
        ("a b", (422, "malformed_header", "Idempotency-Key")),
        ("k" * 201, (422, "malformed_header", "Idempotency-Key")),
    ],
)
def test_a_command_needs_a_key(book: Api, key: str, expected: tuple[int, str, str | None]) -> None:
    answer = book.post(f"/v1/loans/{book.loans[0]}/payments", PAYMENT, key=key)
    assert problem(answer) == expected


def test_what_is_not_there(book: Api) -> None:
    assert problem(book.post("/v1/loans/nobody/payments", PAYMENT)) == (
        404, "unknown_loan", "loan_id",
    )  # fmt: skip
    assert problem(book.ask("/v1/loans/nobody")) == (404, "unknown_loan", "loan_id")
    assert problem(book.ask("/v1/loans/nobody/schedule"))[:2] == (404, "unknown_loan")
    assert problem(book.ask("/v1/loans/nobody/state"))[:2] == (404, "unknown_loan")
    assert problem(book.ask("/v1/cases/nobody")) == (404, "unknown_case", "loan_id")
    assert problem(book.ask("/v1/products/NONE"))[:2] == (404, "not_found")
    assert problem(book.ask("/v1/nothing"))[:2] == (404, "not_found")
    wrong = book.http.put("/v1/loans", headers={"Authorization": f"Bearer {token_of('boss')}"})
    assert problem(wrong)[:2] == (405, "method_not_allowed")


@pytest.mark.parametrize("name", ["a%20b", "%00", "x" * 65, "-x", "%E2%82%AC"])
def test_an_id_has_a_bounded_plain_form(book: Api, name: str) -> None:
    assert problem(book.post(f"/v1/loans/{name}/payments", PAYMENT)) == (
        422, "malformed_field", "loan_id",
    )  # fmt: skip
    assert problem(book.ask(f"/v1/loans/{name}")) == (422, "malformed_field", "loan_id")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/loans", {"limit": "0"}, "limit"),
        ("/v1/loans", {"limit": "501"}, "limit"),
        ("/v1/loans", {"limit": "many"}, "limit"),
        ("/v1/loans", {"cursor": "nonsense"}, "cursor"),
        ("/v1/loans", {"cursor": "x" * 501}, "cursor"),
        ("/v1/loans", {"colour": "chartreuse"}, "colour"),
        ("/v1/loans", {"status": "a\u0000"}, "status"),
        ("/v1/queue", {"claimed_by": "cal", "unclaimed": "true"}, "unclaimed"),
        ("/v1/portfolio/migration", {"from": "2018-06-20", "until": "2018-06-16"}, "from"),
        ("/v1/portfolio/migration", {"from": "2018-06-20"}, "until"),
        ("/v1/portfolio/history", {"from": "2000-01-01", "until": "2018-06-16"}, "until"),
        ("/v1/portfolio/delinquency", {"by": "shoe_size"}, "by"),
        ("/v1/portfolio", {"known": "1"}, "known"),
        ("/v1/portfolio", {"known": "7:1"}, "known"),
        ("/v1/reports/business", {"from": "2018-06-20", "until": "2018-06-16"}, "from"),
        ("/v1/audit/trail", {"recorded_from": "2018-06-20T00:00:00"}, "recorded_from"),
        ("/v1/audit/trail", {"recorded_from": "1529452800"}, "recorded_from"),
        ("/v1/audit/trail", {"actor_kind": "ghost"}, "actor_kind"),
    ],
)
def test_a_bad_question_is_refused_with_the_field(
    book: Api, path: str, query: dict[str, str], field: str
) -> None:
    status, _, named = problem(book.ask(path, query))
    assert (status, named) == (422, field)


def test_every_code_of_the_table_is_said_somewhere() -> None:
    sources = (
        "".join(
            text(path)
            for path in modules(*FOLDERS)
            if path != "api/problems.py" and "tests" not in path
        )
        + text("api/problems.py").partition("STATUS_OF_CODE")[2]
    )
    unsaid = {code for code in problems.STATUS_OF_CODE if f'"{code}"' not in sources}
    assert unsaid == set()
