"""The pages in headless Chromium: nothing complains, nothing sticks out, and clicks lead on."""

import pytest

from consumers.real_book.dataset import PublishedStatus
from projections import worklist
from tests.api.conftest import token_of
from tests.console.conftest import PAGES, Console
from tests.support.browser import Browser

DESK, PHONE = 1280, 390


def sign_in(browser: Browser, console: Console, who: str, wanted: str = "/console") -> None:
    browser.open(f"{console.address}{wanted}")
    browser.type("#token", token_of(who))
    browser.click("form.stack button")


def then_nothing_complains(browser: Browser) -> None:
    assert browser.problems == []
    wide = browser.run("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{browser.address} is {wide} wider than the window"


def test_every_page_is_quiet_and_fits_at_a_desk_and_on_a_phone(
    browser: Browser, console: Console
) -> None:
    sign_in(browser, console, "boss")
    late = console.loan_with(PublishedStatus.LATE_31)
    loans = [f"/console/loans/{late}", "/console/loans/restated?as_of=2018-05-01"]
    loans += [f"/console/loans/{late}?why=1", "/console/loans/restated?why=2"]
    for language in ("en", "zh"):
        browser.open(f"{console.address}/console/language/{language}")
        for width in (DESK, PHONE):
            browser.resize(width)
            for path in [*PAGES, *loans]:
                browser.open(f"{console.address}{path}")
                assert browser.run("document.querySelectorAll('h1').length") == 1
                then_nothing_complains(browser)


def test_the_style_sheet_is_applied_and_the_chart_drawn(browser: Browser, console: Console) -> None:
    sign_in(browser, console, "rita", "/console/portfolio")
    tile = "getComputedStyle(document.querySelector('.tile')).borderRadius"
    assert browser.run(tile) == "8px"
    line = "document.querySelector('.late .line-1').getTotalLength()"
    assert browser.run(line) > 100
    late = "getComputedStyle(document.querySelector('.strip .b3')).fill"
    assert browser.run(late) == "rgb(209, 101, 61)"


def test_a_day_is_picked_by_a_click_on_the_time_line(browser: Browser, console: Console) -> None:
    loan_id = console.loan_with(PublishedStatus.LATE_31)
    sign_in(browser, console, "rita", f"/console/loans/{loan_id}")
    browser.click(".strip-days a circle")
    assert "as_of=" in browser.address
    heading = browser.run("document.querySelector('#moment').textContent")
    assert heading.strip().startswith("As it stood on")
    browser.click(".steps a[rel=next]")
    assert "as_of=" in browser.address
    browser.click(".moment .pick a")
    assert browser.address == f"{console.address}/console/loans/{loan_id}"
    then_nothing_complains(browser)


def test_a_day_is_picked_in_the_form(browser: Browser, console: Console) -> None:
    sign_in(browser, console, "rita", "/console/loans/restated")
    browser.type("input[name=as_of]", "2018-04-20")
    browser.click(".moment .pick button")
    assert "as_of=2018-04-20" in browser.address
    heading = browser.run("document.querySelector('#moment').textContent")
    assert "2018-04-20" in heading


def test_a_case_is_claimed_and_released_by_clicks(browser: Browser, console: Console) -> None:
    loan_id = console.loan_with(PublishedStatus.LATE_16)
    sign_in(browser, console, "cal", "/console/queue")
    browser.click(f"form[action='/console/queue/{loan_id}/claim'] button")
    assert "The case is yours" in browser.run("document.querySelector('[role=status]').textContent")
    case = console.ask(lambda db: worklist.case(db, loan_id))
    assert case is not None
    assert case["claimed_by"] == "cal"
    browser.click(f"form[action='/console/queue/{loan_id}/release'] button")
    assert "back in the queue" in browser.run("document.querySelector('[role=status]').textContent")
    then_nothing_complains(browser)


def test_the_keyboard_alone_reaches_the_content(browser: Browser, console: Console) -> None:
    sign_in(browser, console, "rita", "/console/loans")
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip"
    reached: list[str] = []
    for _ in range(12):
        browser.press("Tab")
        reached.append(browser.run("document.activeElement.tagName"))
    assert {"A", "BUTTON", "INPUT"} <= set(reached)


@pytest.mark.parametrize("media", ["print", "screen"])
def test_what_is_printed_leaves_the_controls_out(
    media: str, browser: Browser, console: Console
) -> None:
    sign_in(browser, console, "rita", "/console/loans/restated")
    browser.ask("Emulation.setEmulatedMedia", media=media)
    shown = "getComputedStyle(document.querySelector('.top nav')).display"
    assert (browser.run(shown) == "none") == (media == "print")
    tall = "document.querySelector('.scroll.tall').scrollHeight"
    hidden = f"{tall} - document.querySelector('.scroll.tall').clientHeight"
    if media == "print":
        assert browser.run(hidden) <= 1
