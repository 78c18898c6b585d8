"""Queries: pages, dates, what was known when, waiting for one's own write, figures of the book."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.chain import EventRow, event_hash
from tests.api.conftest import FIRST_CLOSED, LAST_CLOSED, Api


def pages(book: Api, path: str, query: dict[str, object], limit: int) -> list[list[dict[str, Any]]]:
    """Read a list page by page."""
    read: list[list[dict[str, Any]]] = []
    cursor = ""
    while True:
        page = book.get(path, query | {"limit": limit, "cursor": cursor})
        read.append(page["rows"])
        if page["cursor"] is None:
            return read
        cursor = page["cursor"]


def test_a_list_in_pages_is_the_list(book: Api) -> None:
    lists: list[tuple[str, dict[str, object]]] = [
        ("/v1/loans", {}),
        ("/v1/audit/trail", {}),
        (f"/v1/loans/{book.loans[0]}/timeline", {}),
        (f"/v1/loans/{book.loans[0]}/transactions", {"restated": True}),
        (f"/v1/loans/{book.loans[0]}/events", {}),
        ("/v1/queue", {}),
        ("/v1/audit/four-eyes", {}),
    ]
    for path, query in lists:
        (whole,) = pages(book, path, query, 500)
        assert len(whole) > 0, path
        parts = pages(book, path, query, 1)
        assert [row for page in parts for row in page] == whole, path
        assert all(len(page) <= 1 for page in parts)


def test_loans_are_found_by_what_they_are(book: Api) -> None:
    good, late, lost, applied = book.loans
    by_status = {
        status: [row["loan_id"] for row in book.get("/v1/loans", {"status": status})["rows"]]
        for status in ("active", "charged_off", "applied", "settled")
    }
    assert by_status["charged_off"] == [lost]
    assert by_status["applied"] == [applied]
    assert sorted(by_status["active"]) == sorted([good, late])
    assert by_status["settled"] == []
    assert book.get("/v1/loans", {"grade": "B", "bucket": "current"})["rows"]
    one = book.ask(f"/v1/loans/{good}")
    assert one.headers["etag"] == f'"{one.json()["version"]}"'
    assert (one.json()["principal_paid"], one.json()["region"]) == ("4022.09", "CA")


def test_a_schedule_as_of_a_date_is_the_one_that_held(book: Api) -> None:
    at = f"/v1/loans/{book.loans[0]}/schedule"
    now, then = book.get(at), book.get(at, {"as_of": "2018-03-20"})
    assert [row["met_on"] for row in now["rows"][:3]] == ["2018-02-15", "2018-03-15", "2018-04-15"]
    assert [row["met_on"] for row in then["rows"][:3]] == ["2018-02-15", "2018-03-15", None]
    assert now["currency"] == "USD"


def test_a_state_as_of_a_date_and_as_known_at_an_instant(book: Api) -> None:
    good = book.loans[0]
    at = f"/v1/loans/{good}/state"
    june, march = book.get(at), book.get(at, {"as_of": "2018-03-20"})
    assert (june["balances"]["principal"], march["balances"]["principal"]) == ("5977.91", "8415.14")
    assert (march["as_of"], march["version"]) == ("2018-03-20", 11)
    events = book.get(f"/v1/loans/{good}/events")["rows"]
    applied = datetime.fromisoformat(events[0]["recorded_at"])
    known = book.get(at, {"known_at": applied.isoformat()})
    assert (known["status"], known["version"], known["rows"]) == ("applied", 1, [])
    too_early = book.ask(at, {"known_at": (applied - timedelta(seconds=1)).isoformat()})
    assert (too_early.status_code, too_early.json()["code"]) == (404, "unknown_loan")
    assert (
        book.get(f"/v1/loans/{book.loans[1]}/state", {"as_of": "2018-06-16"})["days_past_due"]
        == (date(2018, 6, 16) - date(2018, 3, 15)).days
    )


def test_what_stands_in_the_record_proves_itself(book: Api) -> None:
    stream = f"loan-{book.loans[0]}"
    previous = bytes(32)
    for row in book.get(f"/v1/loans/{book.loans[0]}/events", {"limit": 500})["rows"]:
        shard, _, position = row["position"].partition(":")
        made = EventRow(
            shard=int(shard),
            position=int(position),
            stream=stream,
            version=row["version"],
            topic=row["topic"],
            effective_on=date.fromisoformat(row["effective_on"]),
            recorded_at=datetime.fromisoformat(row["recorded_at"]),
            state=row["state"].encode(),
            prev_hash=bytes.fromhex(row["prev_hash"]),
        )
        assert made.prev_hash == previous
        previous = event_hash(made)
        assert previous.hex() == row["hash"]


def test_the_portfolio_of_a_closed_day(book: Api) -> None:
    first = book.get("/v1/portfolio", {"on": FIRST_CLOSED})
    assert [(b["bucket"], b["loans"]) for b in first["buckets"]] == [
        ("current", 1),
        ("90-119", 1),
        ("120-149", 1),
    ]
    par = {ratio["definition"]: ratio for ratio in first["at_risk"]}
    owed = [Decimal(b["principal"]) for b in first["buckets"]]
    assert Decimal(par["par30"]["numerator"]) == sum(owed[1:])
    assert Decimal(par["par30"]["denominator"]) == sum(owed)
    assert Decimal(par["par30"]["value"]) == round(sum(owed[1:]) / sum(owed), 6)
    last = book.get("/v1/portfolio")
    assert (last["on"], len(last["buckets"])) == (LAST_CLOSED.isoformat(), 2)
    by_purpose = book.get("/v1/portfolio/delinquency", {"by": "purpose"})["rows"]
    assert [(r["segment"], r["currency"], r["numerator"]) for r in by_purpose] == [
        ("car", None, "1"),
        ("car", "USD", "9211.51"),
    ]


def test_how_the_book_moved(book: Api) -> None:
    dates = {"from": FIRST_CLOSED, "until": LAST_CLOSED}
    cells = book.get("/v1/portfolio/migration", dates)["rows"]
    assert {(c["from_bucket"], c["to_state"], c["loans"]) for c in cells} == {
        ("current", "current", 1),
        ("90-119", "90-119", 1),
        ("120-149", "charged_off", 1),
    }
    history = book.get("/v1/portfolio/history", dates)["rows"]
    assert len({row["business_date"] for row in history}) == 5
    days = book.get(f"/v1/loans/{book.loans[2]}/days", dates)["rows"]
    assert [(d["state"], d["days_past_due"]) for d in days] == [
        ("on_book", 121),
        ("charged_off", 0),
    ]
    (period,) = book.get("/v1/reports/business", {"from": "2018-06-01", "until": "2018-06-30"})[
        "rows"
    ]
    assert (period["payments"], period["charge_offs"], period["active_loans"]) == (1, 1, 2)


def test_an_answer_as_known_at_a_position_stays(book: Api) -> None:
    (row, *_) = book.get("/v1/audit/trail", {"stream": f"day-0-{FIRST_CLOSED}"})["rows"]
    known = {"on": FIRST_CLOSED, "known": row["position"]}
    assert book.get("/v1/portfolio", known) == book.get("/v1/portfolio", {"on": FIRST_CLOSED})
    nothing = book.get("/v1/portfolio", {"on": FIRST_CLOSED, "known": "0:1"})
    assert nothing["buckets"] == []


def test_the_queue_says_what_to_do_next(book: Api) -> None:
    (item,) = book.get("/v1/queue", {"tier": "recover"})["rows"]
    assert (item["loan_id"], item["next_action"]) == (book.loans[1], "legal_review")
    assert (item["days_past_due"], item["overdue"]) == (97, "3553.96")
    assert book.get("/v1/queue", {"unclaimed": "true"})["rows"] == [item]
    assert book.get("/v1/queue", {"claimed_by": "cal"})["rows"] == []


def test_a_reader_can_wait_for_its_own_write(api: Api) -> None:
    loan = api.open_loan()
    position = api.pay(loan, "100.00", "2018-02-10")["position"]
    late = api.ask(f"/v1/loans/{loan}", headers={"If-Position": position})
    assert (late.status_code, late.json()["code"]) == (503, "unavailable")
    assert int(late.headers["retry-after"]) > 0
    api.catch_up()
    seen = api.get(f"/v1/loans/{loan}", headers={"If-Position": position})
    assert seen["position"] == position
    for wrong in ("7:1", "x", "1", "0:99999999999999999999"):
        refused = api.ask("/v1/loans", headers={"If-Position": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, "If-Position")
    ahead = api.ask("/v1/loans", headers={"If-Position": "0:999999"})
    assert (ahead.status_code, ahead.json()["code"]) == (422, "position_unknown")


def test_the_business_date_follows_the_closed_days(book: Api) -> None:
    tomorrow = LAST_CLOSED + timedelta(days=1)
    assert book.get("/v1/business-date") == {"business_date": tomorrow.isoformat()}
    late = book.post(
        f"/v1/loans/{book.loans[0]}/payments",
        {
            "effective_on": (tomorrow + timedelta(days=1)).isoformat(),
            "payment_id": "p",
            "amount": "1.00",
            "currency": "USD",
        },
    )
    assert (late.status_code, late.json()["code"]) == (409, "effective_in_future")
