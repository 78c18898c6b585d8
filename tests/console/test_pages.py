"""What stands on the pages, against what the projections and the record say."""

from datetime import UTC, date, datetime, timedelta

import pytest

from api.console.formats import figure, money, percent
from consumers.real_book.dataset import PublishedStatus
from consumers.real_book.life import loan_id_of
from consumers.real_book.snapshot import SNAPSHOT_ON
from domain.envelope import StreamId
from domain.loan.payoff import owed_on
from domain.replay import replay
from projections import business_report, four_eyes, loan_summary, override_register, risk, worklist
from projections.audit_trail import refusals, timeline
from tests.console.conftest import FIRST_CLOSED, PAGES, Console, Visitor
from tests.support.html import Node


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_plain(path: str, language: str, console: Console) -> None:
    visitor = console.signed_in("boss", **{"Accept-Language": language})
    page = visitor.get(path)
    then_it_is_readable_by_everybody(page, language)


def then_it_is_readable_by_everybody(page: Node, language: str) -> None:
    assert page.one("html").get("lang").startswith(language)
    assert page.one("h1").text
    assert page.one("main").get("id") == "main"
    assert page.one("a", class_="skip").get("href") == "#main"
    assert not page.all("script")
    for node in page.walk():
        assert not node.get("style"), "the policy forbids it"
        assert not [name for name in node.attributes if name.startswith("on")]
    for table in page.all("table"):
        assert table.one("caption").text
        assert all(cell.get("scope") for cell in table.all("th"))
    labelled = {label.get("for") for label in page.all("label")}
    for field in [*page.all("input"), *page.all("select")]:
        if field.get("type") != "hidden":
            inside = field.parent is not None and field.parent.tag == "label"
            assert inside or field.get("aria-label") or field.get("id") in labelled, (
                field.attributes
            )
    for picture in page.all("svg"):
        named = picture.get("aria-label") and picture.get("role")
        assert named or picture.get("aria-hidden") == "true", picture.attributes
    ids = [node.get("id") for node in page.walk() if node.get("id")]
    assert len(ids) == len(set(ids))
    for node in page.walk():
        for name in node.get("aria-labelledby").split():
            assert name in ids


def test_the_language_is_kept_in_a_cookie(boss: Visitor) -> None:
    assert boss.get("/console/loans").one("h1").text == "Loans 贷款"
    switch = boss.get("/console/loans", bucket="30-59").one("a", class_="language")
    answer = boss.http.get(switch.get("href"))
    assert answer.headers["location"] == "/console/loans?bucket=30-59"
    assert boss.get("/console/loans").one("h1").text == "贷款 Loans"


def test_the_portfolio_says_what_the_projections_say(console: Console, boss: Visitor) -> None:
    page = boss.get("/console/portfolio")
    buckets = console.ask(lambda db: risk.by_bucket(db, SNAPSHOT_ON))
    shown = page.one("section", aria_labelledby="by-bucket").rows()
    assert [(row[0].lower(), row[1], row[2], row[5]) for row in shown] == [
        (
            bucket["bucket"],
            str(bucket["loans"]),
            money(bucket["principal_minor"], "USD").replace("\u00a0", " "),
            money(bucket["overdue_minor"], "USD").replace("\u00a0", " "),
        )
        for bucket in buckets
    ]
    assert len(shown) >= 3
    at_risk = {
        r.definition: r for r in console.ask(lambda db: risk.portfolio_at_risk(db, SNAPSHOT_ON))
    }
    tiles = {tile.one("dt").text: tile.one("dd").text for tile in page.all("div", class_="tile")}
    assert tiles["PAR 30"].startswith(percent(at_risk["par30"].value).replace("\u00a0", " "))
    assert at_risk["par30"].numerator > 0


def test_the_portfolio_of_an_earlier_day_with_its_migration(
    console: Console, boss: Visitor
) -> None:
    on, since = SNAPSHOT_ON - timedelta(days=3), FIRST_CLOSED
    page = boss.get("/console/portfolio", on=str(on), since=str(since))
    cells = console.ask(lambda db: risk.migration(db, since, on))
    rows = page.one("section", aria_labelledby="migration").rows()
    assert {row[0].lower() for row in rows} == {cell.from_bucket for cell in cells}
    assert sum(int(row[1]) for row in rows) == sum(cell.loans for cell in cells)
    lines = page.one("section", aria_labelledby="trend-late").all("polyline")
    assert [len(line.get("points").split()) for line in lines] == [(on - FIRST_CLOSED).days + 1] * 3


@pytest.mark.parametrize("by", ["grade", "purpose", "region"])
def test_every_segment_of_the_book_is_listed_once(by: str, console: Console, boss: Visitor) -> None:
    page = boss.get("/console/portfolio", by=by)
    ratios = console.ask(lambda db: risk.delinquency(db, SNAPSHOT_ON, by=by))
    rows = page.one("section", aria_labelledby="by-segment").rows()
    assert len(rows) == len({ratio.segment for ratio in ratios})
    loans = sum(ratio.n for ratio in ratios if ratio.currency is None)
    assert sum(int(row[1]) for row in rows) == loans


def test_a_day_that_is_not_closed_is_said_to_be_so(boss: Visitor) -> None:
    page = boss.get("/console/portfolio", on="2018-12-31")
    assert "2018-12-31 is not a closed business day" in page.text
    assert f"The last closed day is {SNAPSHOT_ON}" in page.text


def test_days_in_the_wrong_order_are_refused(boss: Visitor) -> None:
    query = {"on": str(FIRST_CLOSED), "since": str(SNAPSHOT_ON)}
    page = boss.get("/console/portfolio", expect=422, **query)
    assert "must lie before" in page.text


def test_the_queue_lists_who_is_late_by_urgency(console: Console, boss: Visitor) -> None:
    late = console.ask(lambda db: worklist.worklist(db, limit=100).rows)
    page = boss.get("/console/queue")
    links = [row.all("a", class_="id")[0].get("title") for row in page.one("tbody").all("tr")]
    assert links == [row["loan_id"] for row in late]
    tier = late[0]["tier"]
    some = boss.get("/console/queue", tier=tier).one("tbody").all("tr")
    assert len(some) == len([row for row in late if row["tier"] == tier])
    assert "No late loan fits" in boss.get("/console/queue", region="XX").text


def test_loans_come_in_pages_by_filters_and_by_any_name(console: Console, boss: Visitor) -> None:
    counts = console.ask(loan_summary.counts_by_status)
    page = boss.get("/console/loans")
    assert len(page.one("tbody").all("tr")) == sum(counts.values())
    settled = boss.get("/console/loans", status="settled")
    assert len(settled.one("tbody").all("tr")) == counts["settled"]
    assert "No loan fits" in boss.get("/console/loans", grade="Z9").text
    row = console.published[0].row
    found = boss.http.get("/console/loans", params={"q": f" {row} "})
    assert found.headers["location"] == f"/console/loans/{loan_id_of(row)}"
    assert boss.http.get("/console/loans", params={"q": loan_id_of(row)}).status_code == 303
    assert "No loan is known as “nobody”" in boss.get("/console/loans", q="nobody").text


def test_a_long_list_goes_on_where_it_stopped(boss: Visitor) -> None:
    seen: list[str] = []
    path = "/console/audit"
    while path:
        page = boss.get(path)
        seen += [row.all("th")[0].text for row in page.one("tbody").all("tr")]
        path = next((link.get("href") for link in page.all("a", rel="next")), "")
    positions = [int(text.partition(":")[2]) for text in seen]
    assert positions == list(range(positions[0], 0, -1))
    assert len(positions) > 200


def then_it_stands_as_replayed(page: Node, console: Console, loan_id: str, on: date) -> None:
    stream = StreamId(f"loan-{loan_id}")
    seen = replay(console.parts.store.load({stream: 0})[stream], as_of=on)
    assert seen.loan is not None
    tiles = {tile.one("dt").text: tile.one("dd").text for tile in page.all("div", class_="tile")}
    owed = money(seen.loan.balances.principal_minor, "USD").replace("\u00a0", " ")
    assert tiles["Principal owed"] == owed
    assert tiles["Days past due"].split()[0] == str(seen.days_past_due)
    rows = page.one("section", aria_labelledby="schedule").rows()
    assert [row[6] for row in rows] == [figure(r.unpaid_minor, "USD") for r in seen.loan.rows]


@pytest.mark.parametrize("back", [0, 10, 30, 75])
def test_a_loan_as_of_a_day_is_its_replay(back: int, console: Console, boss: Visitor) -> None:
    loan_id = console.loan_with(PublishedStatus.LATE_31)
    on = SNAPSHOT_ON - timedelta(days=back)
    page = boss.get(f"/console/loans/{loan_id}", as_of=str(on))
    then_it_is_readable_by_everybody(page, "en")
    then_it_stands_as_replayed(page, console, loan_id, on)
    later = [entry for entry in page.one("ol").all("li") if "unseen-yet" in entry.get("class")]
    entries = console.ask(lambda db: timeline(db, loan_id).rows)
    days = [str(entry["effective_on"]) for entry in entries if entry["effective_on"] > on]
    assert [entry.one("a").text for entry in later] == days


def test_a_correction_shows_only_from_its_day_on(console: Console, boss: Visitor) -> None:
    def notes(page: Node) -> list[str]:
        rows = page.one("section", aria_labelledby="transactions").rows()
        return [row[7] for row in rows if row[1] == "Payment"]

    before = boss.get("/console/loans/restated", as_of="2018-05-31")
    then_it_stands_as_replayed(before, console, "restated", date(2018, 5, 31))
    assert [note for note in notes(before) if "reversed" in note] == []
    after = boss.get("/console/loans/restated", as_of=str(SNAPSHOT_ON + timedelta(days=1)))
    assert [note for note in notes(after) if "reversed" in note]
    assert [note for note in notes(after) if "restated" in note]
    assert "Reversal" in after.one("section", aria_labelledby="transactions").text


def test_what_was_not_known_yet_is_not_shown(console: Console, boss: Visitor) -> None:
    stream = StreamId("loan-restated")
    events = console.parts.store.load({stream: 0})[stream]
    first = events[0].recorded_at
    long_before = first - timedelta(days=1)
    page = boss.get("/console/loans/restated", known_at=f"{long_before:%Y-%m-%dT%H:%M:%S}")
    assert "had not been applied for" in page.text
    now = datetime.now(UTC) + timedelta(days=1)
    page = boss.get("/console/loans/restated", known_at=f"{now:%Y-%m-%dT%H:%M}")
    assert page.one("section", aria_labelledby="schedule").rows()


def test_a_payoff_quote_is_what_ends_the_loan_that_day(console: Console, boss: Visitor) -> None:
    loan_id = console.loan_with(PublishedStatus.CURRENT)
    on = SNAPSHOT_ON + timedelta(days=12)
    page = boss.get(f"/console/loans/{loan_id}", quote_on=str(on))
    timeline = console.loan(loan_id).timeline
    assert timeline is not None
    owed = owed_on(timeline, on).owed_minor
    total = page.one("section", aria_labelledby="quote").one("dd", class_="total").text
    assert total == money(owed, "USD").replace("\u00a0", " ")
    assert f"To pay on {on}" in page.text
    settled = boss.get(f"/console/loans/{console.loan_with(PublishedStatus.FULLY_PAID)}")
    assert not settled.all("section", aria_labelledby="quote")


def test_a_charged_off_loan_is_shown(console: Console, boss: Visitor) -> None:
    page = boss.get(f"/console/loans/{console.loan_with(PublishedStatus.CHARGED_OFF)}")
    assert page.one("span", class_="s-charged_off").text == "Charged off"
    assert "Charge-off" in page.one("section", aria_labelledby="transactions").text


def test_the_audit_pages_list_the_registers(console: Console, boss: Visitor) -> None:
    expected = {
        "overrides": console.ask(lambda db: override_register.overrides(db).rows),
        "four-eyes": console.ask(lambda db: four_eyes.four_eyes(db).rows),
        "refusals": console.ask(lambda db: refusals(db).rows),
    }
    for tab, rows in expected.items():
        table = boss.get(f"/console/audit/{tab}").all("table")[-1]
        assert len(table.rows()) == len(rows) > 0, tab
    proof = boss.get("/console/audit/proof")
    assert "loanbook verify" in proof.text
    assert str(console.parts.store.head()) in proof.text


def test_the_trail_is_filtered(boss: Visitor) -> None:
    page = boss.get("/console/audit", stream="loan-restated", topic="loan.payment_reversed.v1")
    assert len(page.one("tbody").all("tr")) == 1
    assert "core-banking" in page.one("tbody").text
    none = boss.get("/console/audit", actor_id="nobody", since="2018-01-01", until="2018-01-02")
    assert "No event fits" in none.text


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_the_report_is_the_projection_s(period: str, console: Console, boss: Visitor) -> None:
    since, until = date(2018, 3, 1), date(2018, 5, 31)
    page = boss.get("/console/report", period=period, since=str(since), until=str(until))
    rows = console.ask(lambda db: business_report.business_report(db, since, until, period))
    shown = page.one("section", aria_labelledby="report-table").rows()
    assert [row[8] for row in reversed(shown)] == [figure(r["paid_minor"], "USD") for r in rows]
    assert len(rows) > 0


def test_a_report_without_business_says_so(boss: Visitor) -> None:
    page = boss.get("/console/report", since="1999-01-01", until="1999-12-31")
    assert "Nothing happened" in page.text
