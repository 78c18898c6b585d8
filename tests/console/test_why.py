"""A figure on a loan's page says why: its days, its rounding, the rule that took each part."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.console.formats import figure, unrounded
from consumers.daily_close import CloseOfDay
from domain.loan.terms import FloatingConditions, Recalculation, ResetRule, ScheduleDayCount
from tests.console.conftest import Console, Visitor
from tests.console.test_in_a_browser import DESK, PHONE, sign_in, then_nothing_complains
from tests.support.book import REFERENCE, Book
from tests.support.browser import Browser
from tests.support.html import Node

YEARLY = FloatingConditions(reference=REFERENCE, reset=ResetRule.NEW_YEAR)
NEW_YEAR = date(2019, 1, 1)


def number(text: str) -> Decimal:
    return Decimal(text.split(maxsplit=1)[0].replace(",", "").replace("−", "-"))


def panel(page: Node) -> Node:
    return page.one("section", aria_labelledby="why")


def links(page: Node, section: str) -> list[Node]:
    return page.one("section", aria_labelledby=section).all("a", class_="why")


def test_every_interest_of_the_schedule_is_the_sum_of_its_days(boss: Visitor) -> None:
    page = boss.get("/console/loans/restated")
    asked = links(page, "schedule")
    assert len(asked) > 6
    for link in asked:
        path, _, place = link.get("href").partition("#")
        assert place == "why"
        shown = panel(boss.get(path))
        facts = [number(dd.text) for dd in shown.one("dl").all("dd")]
        assert sum(facts[:-1]) == facts[-1] == number(link.text)
        for row in shown.rows():
            days = (date.fromisoformat(row[1]) - date.fromisoformat(row[0])).days
            assert int(row[2]) == days
            assert row[5].startswith("proportional")


def test_a_split_says_which_rule_took_which_part_and_what_split_it_anew(boss: Visitor) -> None:
    page = boss.get("/console/loans/restated", as_of="2018-05-31")
    link = links(page, "transactions")[0]
    shown = panel(boss.get(link.get("href").partition("#")[0]))
    rows = shown.rows()
    assert sum((number(row[2]) for row in rows), Decimal(0)) == number(link.text)
    assert {row[4] for row in rows} <= {"the product's order", "as the upstream system observed"}
    assert {row[3] for row in rows} <= {"past due", "due", "in advance", "–"}
    every = [
        panel(boss.get(one.get("href").partition("#")[0])).text
        for one in links(page, "transactions")
    ]
    assert any("Split anew because of" in text for text in every)


def test_what_there_is_not_is_not_explained(boss: Visitor) -> None:
    asked: list[dict[str, Any]] = [
        {"why": "999"},
        {"why_of": "nothing"},
        {"why": "1", "as_of": "2018-01-01"},
    ]
    for query in asked:
        page = boss.get("/console/loans/restated", **query)
        assert page.all("section", aria_labelledby="why") == []
    assert "why" in boss.get("/console/loans/restated", expect=422, why="0").text


def test_an_amount_is_shown_with_the_digits_that_rounding_takes() -> None:
    assert unrounded(Decimal("8333.33333333"), "USD") == "83.333333"
    assert unrounded(Decimal("-0.5"), "JPY") == "−0.5000"
    assert figure(8_333, "USD") == "83.33"


@pytest.fixture
def floating(empty: Console) -> Visitor:
    """A loan whose rate fell on 1 January, in the middle of an instalment."""
    book = Book(
        empty.parts.store,
        floating=YEARLY,
        recalculation=Recalculation.CONTINUOUS,
        day_count=ScheduleDayCount.ACT_365F,
    )
    book.open_loan("floats", instalments=24)
    for row in book.state("floats").rows[:11]:
        book.today = row.due_on
        book.pay("floats", row.unpaid_minor)
    book.today = NEW_YEAR
    book.publish("0.0385", date(2018, 12, 20))
    close = CloseOfDay(
        service=empty.parts.service, database=empty.pool, catch_up=empty.api.catch_up
    )
    close.close_until(NEW_YEAR, first=NEW_YEAR)
    empty.api.catch_up()
    return empty.signed_in("boss")


def test_a_rate_that_was_reset_is_shown_and_earns_in_two_stretches(floating: Visitor) -> None:
    page = floating.get("/console/loans/floats")
    facts = page.one("section", aria_labelledby="facts").text
    assert "LPR-1Y + 150 bp every 1 January" in facts
    assert "2020-01-01" in facts
    (reset,) = page.one("section", aria_labelledby="repricing").rows()
    assert reset == ["2019-01-01", "3.85 %", "2018-12-20", "5.80 %", "5.35 %"]
    shown = panel(floating.get("/console/loans/floats", why="12"))
    assert [(row[0], row[1], row[2], row[4], row[5]) for row in shown.rows()] == [
        ("2018-12-15", "2019-01-01", "17", "5.80 %", "act/365f"),
        ("2019-01-01", "2019-01-15", "14", "5.35 %", "act/365f"),
    ]
    before = floating.get("/console/loans/floats", as_of="2018-12-31")
    assert before.all("section", aria_labelledby="repricing") == []
    floating.http.get("/console/language/zh", params={})
    chinese = floating.get("/console/loans/floats", why="12")
    assert "为什么" in panel(chinese).text
    assert "四舍五入" in panel(chinese).text
    assert "利率重定价" in chinese.text


def test_a_click_on_a_figure_says_why_at_a_desk_and_on_a_phone(
    browser: Browser, floating: Visitor, empty: Console
) -> None:
    del floating
    sign_in(browser, empty, "rita", "/console/loans/floats")
    browser.click("tbody tr:nth-child(12) a.why")
    assert browser.address.endswith("why=12#why")
    told: Any = browser.run("document.querySelector('.why-panel').textContent")
    assert "2019-01-01" in told
    for width in (DESK, PHONE):
        browser.resize(width)
        then_nothing_complains(browser)
    browser.resize(DESK)
    browser.open(f"{empty.address}/console/language/zh")
    browser.open(f"{empty.address}/console/loans/floats?why=12#why")
    then_nothing_complains(browser)
    assert "为什么" in browser.run("document.querySelector('.why-panel').textContent")
    browser.click(".why-panel .steps a")
    assert browser.run("document.querySelectorAll('.why-panel').length") == 0
