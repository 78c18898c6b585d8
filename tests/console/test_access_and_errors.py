"""Who sees what, and what stands there when something is wrong."""

import pytest

from tests.console.conftest import PAGES, Console, Visitor
from tests.support.html import read
from tests.support.record import sql


def test_a_page_shows_no_desk_that_would_be_refused(console: Console) -> None:
    reader = console.signed_in("rita")
    desks = [
        link.text for link in reader.get("/console/queue").one("nav", aria_label="Desks").all("a")
    ]
    assert desks == ["Portfolio", "Collections", "Loans", "Report"]
    assert not reader.get("/console/queue").all("form", method="post", class_="release")
    assert not reader.get("/console/queue").all("button", class_="primary")
    assert "roles do not include" in reader.get("/console/audit", expect=403).text
    auditor = console.signed_in("aud").get("/console/audit")
    assert "Audit" in auditor.one("nav", aria_label="Desks").text


def test_a_model_sees_nothing_and_can_sign_out(console: Console) -> None:
    robot = console.signed_in("robot")
    page = robot.get("/console/portfolio", expect=403)
    assert robot.send(page.one("form", action="/console/sign-out")).status_code == 303


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/console/loans/nobody", 404, "No loan has this id"),
        ("/console/no/such/page", 404, "The address may be misspelt"),
        ("/console/loans/%00", 422, "Nothing was changed"),
        ("/console/loans/a%20b", 422, "Nothing was changed"),
        ("/console/portfolio?on=2018-02-30", 422, "there is no such day"),
        ("/console/portfolio?on=1234567890", 422, "a date is written"),
        ("/console/portfolio?by=colour", 422, "Nothing was changed"),
        ("/console/loans/restated?known_at=yesterday", 422, "an instant is written"),
        ("/console/loans?cursor=nonsense", 422, "begin at the first"),
        ("/console/loans?grade=%00", 422, "Nothing was changed"),
        ("/console/audit?cursor=%3Cscript%3E", 422, "Nothing was changed"),
        ("/console/language/tlh", 422, "Nothing was changed"),
    ],
)
def test_what_cannot_be_shown_is_a_page_too(
    path: str, status: int, says: str, boss: Visitor
) -> None:
    page = boss.get(path, expect=status)
    assert says in page.text
    assert "Back to the console" in [link.text for link in page.all("a", href="/console")]
    assert page.one("h1").text


def test_nothing_that_comes_in_is_markup(boss: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    for path, query in (
        ("/console/loans", {"q": hostile}),
        ("/console/loans", {"grade": hostile}),
        ("/console/audit", {"stream": hostile}),
        ("/console/queue", {"region": hostile, "done": hostile, "refused": hostile}),
    ):
        page = read(boss.http.get(path, params=query).text)
        assert not page.all("script"), path


def test_a_note_says_only_what_the_table_of_words_has(boss: Visitor) -> None:
    page = boss.get("/console/queue", refused="call_this_number", loan="a b")
    assert page.one("p", role="alert").text == "That was refused:"
    assert not boss.get("/console/queue", done="you_have_won").all("p", class_="note")


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_book_is_said_to_be_empty(path: str, empty: Console) -> None:
    page = empty.signed_in("boss").get(path)
    assert page.one("h1").text
    assert page.all("div", class_="empty") or "proof" in path


def test_our_own_mistake_is_told_without_its_insides(empty: Console, database: str) -> None:
    visitor = empty.signed_in("boss")
    sql(database, "DROP VIEW loan_summary")
    answer = visitor.http.get("/console/loans")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    for inside in ("Traceback", "psycopg", "loan_summary", "SELECT"):
        assert inside not in answer.text
