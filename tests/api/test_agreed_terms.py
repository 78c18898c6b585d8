"""Terms of a loan's own over HTTP: what an approval agrees, what is refused, how it is shown."""

from typing import Any

from tests.api.conftest import ON, Api

REVIEW: dict[str, Any] = {"effective_on": ON, "decision": "approved", "rate_annual": "0.12"}


def refused(api: Api, status: int, **agreed: object) -> tuple[str, str | None]:
    """Refuse an approval, and return the code and the field."""
    loan = api.as_("ann").apply("1000.00", 3)
    return api.as_("ann").refused(f"/v1/loans/{loan}/reviews", REVIEW | agreed, status=status)


def test_a_due_day_is_agreed_with_the_approval(api: Api) -> None:
    api.define_product(due_days={"earliest": 1, "latest": 28, "first_period": "short"})
    assert refused(api, 422) == ("due_day_missing", "due_day")
    assert refused(api, 409, due_day=29) == ("due_day_outside_product", "due_day")
    loan = api.open_loan("1000.00", 3, due_day=20)
    state = api.get(f"/v1/loans/{loan}/state")
    assert state["terms"]["due_day"] == 20
    assert [row["due_on"] for row in state["rows"]] == ["2018-01-20", "2018-02-20", "2018-03-20"]
    api.catch_up()
    told = [row["summary"] for row in api.get(f"/v1/loans/{loan}/timeline")["rows"]]
    assert any("due on day 20 of the month" in line for line in told)
    said = api.get("/v1/products/P")["conditions"]["due_days"]
    assert said == {"earliest": 1, "latest": 28, "first_period": "short"}


def test_a_first_due_date_is_agreed_with_the_approval(api: Api) -> None:
    api.define_product(first_due_days_max=45)
    loan = api.open_loan("1000.00", 3, first_due_on="2018-02-28")
    state = api.get(f"/v1/loans/{loan}/state")
    assert state["terms"]["first_due_on"] == "2018-02-28"
    assert [row["due_on"] for row in state["rows"]] == ["2018-02-28", "2018-03-28", "2018-04-28"]
