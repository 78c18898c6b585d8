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


def test_a_fixed_instalment_is_agreed_with_the_approval(api: Api) -> None:
    api.define_product(method="fixed_instalment")
    usd = {"currency": "USD"}
    assert refused(api, 422, **usd) == ("field_missing", "instalment")
    assert refused(api, 422, **usd, instalment="340.00") == ("instalment_too_small", "instalment")
    loan = api.open_loan("1000.00", 12, **usd, instalment="400.00")
    state = api.get(f"/v1/loans/{loan}/state")
    assert state["terms"]["instalment"] == "400.00"
    # 1,000.00 and 10.00, then 610.00 and 6.10, then the rest of 216.10 with 2.16.
    assert [row["unpaid"] for row in state["rows"]] == ["400.00", "400.00", "218.26"]


def test_a_schedule_of_the_loans_own_is_agreed_with_the_approval(api: Api) -> None:
    api.define_product(method="custom")
    rows = [
        {"due_on": "2018-02-15", "principal": "0.00"},
        {"due_on": "2018-07-15", "principal": "1000.00"},
    ]
    short = [rows[0], rows[1] | {"principal": "999.99"}]
    usd = {"currency": "USD"}
    assert refused(api, 422, **usd, custom=short) == ("custom_inconsistent", "custom")
    loan = api.open_loan("1000.00", 12, **usd, custom=rows)
    state = api.get(f"/v1/loans/{loan}/state")
    assert [one["principal"] for one in state["terms"]["custom"]] == ["0.00", "1000.00"]
    assert [(row["due_on"], row["unpaid"]) for row in state["rows"]] == [
        ("2018-02-15", "10.00"),
        ("2018-07-15", "1050.00"),
    ]


def test_steps_of_the_rate_are_agreed_with_the_approval(api: Api) -> None:
    steps = [{"after_instalments": 1, "rate_annual": "0.24"}]
    api.define_product(method="equal_principal")
    assert refused(api, 422, rate_steps=steps) == ("too_many_rate_steps", "rate_steps")
    api.define_product(method="equal_principal", rate_steps_max=1)
    loan = api.open_loan("1000.00", 2, rate_steps=steps)
    state = api.get(f"/v1/loans/{loan}/state")
    assert state["terms"]["rate_steps"] == steps
    assert [row["unpaid"] for row in state["rows"]] == ["510.00", "510.00"]
    assert state["rate_annual"] == "0.12"
    assert api.get(f"/v1/loans/{loan}/state", {"as_of": "2018-02-16"})["rate_annual"] == "0.24"
