"""The ledger over HTTP: both sides are equal, and a loan's entries are what its events posted."""

from collections import Counter
from decimal import Decimal

from tests.api.conftest import LAST_CLOSED, Api


def test_a_trial_balance_has_two_equal_sides(book: Api) -> None:
    said = book.get("/v1/ledger/trial-balance", {"as_of": LAST_CLOSED.isoformat()})
    (total,) = said["totals"]
    assert total["currency"] == "USD"
    assert Decimal(total["debit"]) == Decimal(total["credit"]) > 0
    balances = {row["account"]: row for row in said["rows"]}
    assert balances["loan_portfolio"]["credit"] == "0.00"
    owed = sum(
        Decimal(book.get(f"/v1/loans/{loan}")["principal"])
        for loan in book.loans[:2]  # the third was charged off, the fourth not paid out
    )
    assert Decimal(balances["loan_portfolio"]["debit"]) == owed


def test_before_the_first_payout_nothing_stands_in_the_ledger(book: Api) -> None:
    said = book.get("/v1/ledger/trial-balance", {"as_of": "2017-12-31"})
    assert said == {"as_of": "2017-12-31", "rows": [], "totals": []}


def test_a_trial_balance_as_known_at_a_position_stays(api: Api) -> None:
    loan = api.open_loan()
    api.catch_up()
    position = str(api.parts.store.head())
    asked = {"as_of": "2018-03-01", "known": position}
    before = api.get("/v1/ledger/trial-balance", asked)
    api.pay(loan, "500.00", "2018-02-10")
    api.catch_up()
    assert api.get("/v1/ledger/trial-balance", asked) == before
    assert api.get("/v1/ledger/trial-balance", {"as_of": "2018-03-01"}) != before
    wrong = api.ask("/v1/ledger/trial-balance", {"known": "7:1"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "malformed_position")


def test_the_entries_of_a_loan_balance_and_come_in_pages(book: Api) -> None:
    path = f"/v1/loans/{book.loans[0]}/entries"
    first = book.get(path, {"limit": 2})
    rest = book.get(path, {"limit": 100, "cursor": first["cursor"]})
    rows = [*first["rows"], *rest["rows"]]
    assert rest["cursor"] is None
    assert rows == book.get(path, {"limit": 100})["rows"]
    assert rows[0]["topic"] == "loan.disbursed.v1"
    net: Counter[str] = Counter()
    for row in rows:
        debit = sum(Decimal(line["debit"]) for line in row["lines"])
        assert debit == sum(Decimal(line["credit"]) for line in row["lines"]) > 0
        for line in row["lines"]:
            net[line["account"]] += int(100 * (Decimal(line["debit"]) - Decimal(line["credit"])))
    owed = book.get(f"/v1/loans/{book.loans[0]}")["principal"]
    assert net["loan_portfolio"] == int(100 * Decimal(owed))


def test_the_entries_of_an_unknown_loan_are_an_error(book: Api) -> None:
    answer = book.ask("/v1/loans/nobody/entries")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_loan")
