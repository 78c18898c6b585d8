"""A loan's page says its class, what it may be charged, and why its penalties are what they are."""

from datetime import date
from typing import Any

import pytest

from consumers.daily_close import CloseOfDay
from domain.commands import servicing as cs
from domain.events.arrears import LoanClass
from domain.loan.terms import ArrearsConditions, PayoutFee
from tests.console.conftest import Console, Visitor
from tests.console.test_in_a_browser import DESK, PHONE, sign_in, then_nothing_complains
from tests.console.test_why import number, panel
from tests.support.book import Book
from tests.support.browser import Browser
from tests.support.html import Node

MARCH = date(2018, 3, 31)


@pytest.fixture
def penal(empty: Console) -> Visitor:
    """A loan with penalties of which nothing was paid for two due dates; it is substandard."""
    book = Book(empty.parts.store, payouts_max=1)
    book.open_loan("penal", product="N")
    book.today = MARCH
    close = CloseOfDay(
        service=empty.parts.service, database=empty.pool, catch_up=empty.api.catch_up
    )
    close.close_until(MARCH, first=MARCH)
    book.do(cs.ClassifyLoan(loan_id="penal", effective_on=MARCH, loan_class=LoanClass.SUBSTANDARD))
    empty.api.catch_up()
    return empty.signed_in("boss")


def test_the_class_and_the_penalty_rate_are_among_the_terms(penal: Visitor) -> None:
    facts = penal.get("/console/loans/penal").one("section", aria_labelledby="facts").text
    assert "3 Substandard" in facts
    assert "+50.00 % overdue, +100.00 % misused" in facts
    assert "compound interest on unpaid interest" in facts
    penal.http.get("/console/language/zh", params={})
    chinese = penal.get("/console/loans/penal").one("section", aria_labelledby="facts").text
    assert "五级分类" in chinese
    assert "次级" in chinese


def charges(page: Node) -> dict[str, str]:
    """The charges on a page: code to what is said of it."""
    shown = page.one("section", aria_labelledby="charges").one("dl")
    said = (dd.text for dd in shown.all("dd"))
    return dict(zip((dt.text for dt in shown.all("dt")), said, strict=True))


def test_every_charge_of_the_product_is_listed(penal: Visitor) -> None:
    listed = charges(penal.get("/console/loans/penal"))
    assert list(listed) == ["OVERDUE", "SERVICE", "SETUP", "LATE"]
    assert listed["OVERDUE"].startswith("2.00 % of principal and interest, while overdue")
    turns = "after 5 day(s), every 1 month(s), at most 100.00 an instalment"
    assert listed["OVERDUE"].endswith(turns)
    assert listed["SERVICE"].startswith("0.50 % of principal, with each instalment")
    assert "at most 4.00" in listed["SERVICE"]
    assert listed["SETUP"] == "added to principal when agreed"
    assert listed["LATE"] == "when asked for, as asked for"


def test_what_is_tolerated_is_not_shown_as_late(empty: Console) -> None:
    """45 days after the first due date, and 17 after the second."""
    book = Book(
        empty.parts.store, payouts_max=1, arrears=ArrearsConditions(tolerance_days=20, grace_days=5)
    )
    book.open_loan("patient")
    book.today = date(2018, 4, 1)
    book.do(cs.ClassifyLoan(loan_id="patient", effective_on=MARCH, loan_class=LoanClass.NORMAL))
    empty.api.catch_up()
    page = empty.signed_in("boss").get("/console/loans/patient", as_of="2018-04-01")
    rows = page.one("section", aria_labelledby="schedule").rows()
    assert [row[-1] for row in rows[:3]] == ["45 days late", "tolerated", "to come"]
    assert "40 delinquent" in page.text


def test_a_fee_that_is_kept_back_is_listed_with_what_it_comes_to(empty: Console) -> None:
    fee = PayoutFee(code="LATE", amount_minor=1_000)
    book = Book(empty.parts.store, payouts_max=1, payout_fees=(fee,))
    book.open_loan("fees")
    empty.api.catch_up()
    listed = charges(empty.signed_in("boss").get("/console/loans/fees"))
    assert listed["LATE"] == "10.00 USD, kept back from each payout"


def test_penalties_of_an_instalment_are_the_sum_of_their_days(penal: Visitor) -> None:
    page = penal.get("/console/loans/penal")
    schedule = page.one("section", aria_labelledby="schedule")
    asked = [a for a in schedule.all("a", class_="why") if "why_charged=" in a.get("href")]
    assert len(asked) == 2
    for link in asked:
        shown = panel(penal.get(link.get("href").partition("#")[0]))
        facts = [number(dd.text) for dd in shown.one("dl").all("dd")]
        assert sum(facts[:-1]) == facts[-1] == number(link.text) > 0
        rows = shown.rows()
        assert {row[0] for row in rows} == {"Penalty interest", "Compound interest"}
        for row in rows:
            days = (date.fromisoformat(row[2]) - date.fromisoformat(row[1])).days
            assert int(row[3]) == days
        earned = sum(number(row[6]) for row in rows)
        assert abs(earned - sum(facts[:2])) < 1
    assert (
        penal.get("/console/loans/penal", why_charged="12").all("section", class_="why-panel") == []
    )


def test_a_click_on_the_penalties_says_why_at_a_desk_and_on_a_phone(
    browser: Browser, penal: Visitor, empty: Console
) -> None:
    del penal
    sign_in(browser, empty, "rita", "/console/loans/penal")
    browser.click("tbody tr:nth-child(1) a.why[href*=why_charged]")
    assert browser.address.endswith("why_charged=1#why")
    told: Any = browser.run("document.querySelector('.why-panel').textContent")
    assert "Penalty interest" in told
    for language in ("en", "zh"):
        browser.open(f"{empty.address}/console/language/{language}")
        browser.open(f"{empty.address}/console/loans/penal?why_charged=1#why")
        for width in (DESK, PHONE):
            browser.resize(width)
            then_nothing_complains(browser)
    assert "罚息" in browser.run("document.querySelector('.why-panel').textContent")
