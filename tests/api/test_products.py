"""Products over HTTP: what may be offered, what is refused, and a loan of such a product."""

from decimal import Decimal
from typing import Any

import pytest

from tests.api.conftest import CONDITIONS, ON, Api


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"method": "flat"}, "not_offered", "recalculation"),
        ({"grace_on_principal": 3}, "grace_too_long", "grace_on_principal"),
        (
            {"repayment_unit": "weeks", "day_count": "act/act-icma"},
            "needs_regular_periods",
            "day_count",
        ),
    ],
)
def test_a_product_that_cannot_be_served_is_refused_with_the_field(
    api: Api, change: dict[str, Any], code: str, field: str
) -> None:
    body = {"effective_on": ON, "name": "Loans", "conditions": CONDITIONS | change}
    assert api.refused("/v1/products/Q/versions", body, status=422) == (code, field)


def test_a_loan_of_two_weeks_interest_first_and_a_period_free(api: Api) -> None:
    api.define_product(
        method="interest_only",
        repayment_unit="weeks",
        repayment_every=2,
        interest_free_periods=1,
        instalments_min=2,
    )
    loan = api.open_loan("1000.00", instalments=4)
    rows = api.get(f"/v1/loans/{loan}/state")["rows"]
    assert [row["due_on"] for row in rows] == [
        "2018-01-29",
        "2018-02-12",
        "2018-02-26",
        "2018-03-12",
    ]
    # 1,000.00 x 12 % x 14/360 from the second period on; principal at the end.
    assert [row["unpaid"] for row in rows] == ["0.00", "4.67", "4.67", "1004.67"]
    api.pay(loan, "4.67", "2018-02-12")
    quote = api.get(f"/v1/loans/{loan}/payoff-quote", {"on": "2018-02-22"})
    assert (quote["principal"], quote["interest"]) == ("1000.00", "3.33")  # ten days
    api.pay(loan, "4.67", "2018-02-26")
    last = api.pay(loan, "1004.67", "2018-03-12")
    assert api.get(f"/v1/loans/{loan}/state")["status"] == "settled"
    api.catch_up()
    row = api.get(f"/v1/loans/{loan}", headers={"If-Position": last["position"]})
    assert (row["method"], row["principal"]) == ("interest_only", "0.00")
    moved = api.get(f"/v1/loans/{loan}/transactions")["rows"]
    assert sum(Decimal(one["interest"]) for one in moved) == Decimal("14.01")
    assert "loan_portfolio" not in api.accounts()


def test_due_dates_are_moved_to_the_working_days_of_a_country(api: Api) -> None:
    """15 February to 21 February 2018 was the Spring Festival; 15 April a Sunday."""
    bad = {"effective_on": ON, "name": "Loans"}
    nowhere = CONDITIONS | {"calendar": "XX", "business_days": "following"}
    refused = api.refused("/v1/products/Q/versions", bad | {"conditions": nowhere}, status=422)
    assert refused == ("unknown_calendar", "calendar")
    api.define_product(calendar="CN", business_days="following")
    assert api.get("/v1/products/P")["conditions"]["calendar"] == "CN"
    loan = api.open_loan("1000.00", instalments=4)
    rows = api.get(f"/v1/loans/{loan}/state")["rows"]
    assert [row["due_on"] for row in rows] == [
        "2018-02-22",
        "2018-03-15",
        "2018-04-16",
        "2018-05-15",
    ]
    longer = {
        "effective_on": ON, "change_id": "x-1", "instalments": 5, "reason_code": "request",
    }  # fmt: skip
    seen = api.as_("ann").preview(f"/v1/loans/{loan}/term-extensions", longer)
    assert {"2018-07-15", "2018-09-15"} <= set(seen[0]["closed_days"])
    api.as_("ann").done(f"/v1/loans/{loan}/term-extensions", longer)
    after = api.get(f"/v1/loans/{loan}/state")["rows"]
    assert [row["due_on"] for row in after[4:]] == [
        "2018-06-15",
        "2018-07-16",
        "2018-08-15",
        "2018-09-17",
        "2018-10-15",
    ]


def test_a_product_computes_its_charges(api: Api) -> None:
    rule = {
        "code": "LATE",
        "component": "fee",
        "time": "specified_due_date",
        "basis": "percent_of_amount",
        "percent": "1.5",
        "min": "20.00",
    }
    body = {"effective_on": ON, "name": "Loans", "conditions": CONDITIONS}
    bad = body | {"conditions": CONDITIONS | {"charge_rules": [rule | {"code": "X"}]}}
    refused = api.refused("/v1/products/Q/versions", bad, status=409)
    assert refused == ("unknown_charge", "charge_rules")
    bad = body | {"conditions": CONDITIONS | {"charge_rules": [rule | {"percent": "0"}]}}
    refused = api.refused("/v1/products/Q/versions", bad, status=422)
    assert refused == ("bad_bounds", "charge_rules")
    api.define_product(charge_rules=[rule])
    seen = api.get("/v1/products/P")["conditions"]["charge_rules"][0]
    assert (seen["percent"], seen["min"], seen["undue"]) == ("1.5", "20.00", "taken_back")
    loan = api.open_loan("1000.00", instalments=4)
    at, ann = f"/v1/loans/{loan}/charges", api.as_("ann")
    charge = {
        "effective_on": "2018-02-01", "charge_id": "c-1", "code": "LATE", "component": "fee",
        "instalment": 1, "currency": "USD",
    }  # fmt: skip
    assert ann.refused(at, charge | {"amount": "15.00"}) == ("not_as_agreed", "amount")
    ann.done(at, charge)  # 1.5 % are 15.00, at least 20.00
    assert api.get(f"/v1/loans/{loan}/state")["balances"]["fee"] == "20.00"


CONVENTIONS: dict[str, Any] = {
    "arrears": {
        "tolerance_percent": "0.5",
        "tolerance_days": 3,
        "tolerance_day": 20,
        "counted": "without_penalty",
        "grace_days": 2,
    },
    "arrears_tolerance": "1.00",
    "interest_period": "same_as_repayment_period",
    "interest_rounding": "ROUND_HALF_DOWN",
    "interest_rounding_scope": "per_segment",
    "day_inclusion": "last_not_first",
    "month_end": "first_day_of_next_month",
    "fixed_length": 6,
    "future_instalments": "last_instalment",
    "allocation_direction": "vertical",
    "re_age_window": "included",
    "instalments_max": 5,
}


def test_a_product_says_every_convention_and_its_loan_keeps_it(api: Api) -> None:
    """The fourth of four instalments is due after six months; the 20th ends what is tolerated."""
    api.define_product(**CONVENTIONS)
    said = api.get("/v1/products/P")["conditions"]
    assert {name: said[name] for name in CONVENTIONS} == CONVENTIONS
    loan = api.open_loan("1000.00", instalments=4)
    rows = api.get(f"/v1/loans/{loan}/state")["rows"]
    assert [row["due_on"] for row in rows] == [
        "2018-02-15",
        "2018-03-15",
        "2018-04-15",
        "2018-07-15",
    ]
    pause = {"effective_on": "2018-02-16", "until_on": "2018-02-19", "reason_code": "hardship"}
    api.as_("ann").done(f"/v1/loans/{loan}/delinquency-pauses", pause)
    for on, counted in (("2018-02-20", (0, 0)), ("2018-02-21", (6, 1))):
        seen = api.get(f"/v1/loans/{loan}/state", {"as_of": on})
        assert (seen["days_past_due"], seen["delinquent_days"]) == counted


def test_a_charge_is_cut_to_the_cap_of_the_product(api: Api) -> None:
    """1,000.00 for 31 days at 40 % allows 33.97; at 12 % it earns 10.00."""
    body = {"effective_on": ON, "name": "Loans"}
    above = body | {"conditions": CONDITIONS | {"rate_cap_annual": "0.24"}}
    refused = api.refused("/v1/products/Q/versions", above, status=422)
    assert refused == ("rate_above_cap", "rate_annual_max")
    api.define_product(rate_cap_annual="0.40")
    loan = api.open_loan("1000.00", instalments=4)
    at, ann = f"/v1/loans/{loan}/charges", api.as_("ann")
    charge = {
        "effective_on": "2018-02-15", "charge_id": "c-1", "code": "LATE", "component": "fee",
        "instalment": 1, "currency": "USD", "amount": "30.00",
    }  # fmt: skip
    (cut, *_) = ann.preview(at, charge)
    assert (cut["uncapped"], cut["capped"]) == ("30.00", "23.97")
    ann.done(at, charge)
    assert api.get(f"/v1/loans/{loan}/state")["balances"]["fee"] == "23.97"
    ann.done(at, charge | {"charge_id": "c-2"})
    assert api.get(f"/v1/loans/{loan}/state")["balances"]["fee"] == "23.97"
