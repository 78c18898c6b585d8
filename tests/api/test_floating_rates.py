"""Floating rates over HTTP: a reference is published, a loan follows it, the close reprices it."""

from datetime import date
from decimal import Decimal

from consumers.daily_close import CloseOfDay
from infra.database import bulk_pool
from tests.api.conftest import ON, Api


def a_floating_loan(api: Api) -> str:
    """Paid out at 5.80 %: the LPR of 4.30 % and 150 basis points; it resets every month."""
    api.define_product(
        floating={"reference": "LPR-1Y", "reset": "monthly", "cap_annual": "0.09"},
        four_eyes_from="100000.00",
    )
    api.done("/v1/references/LPR-1Y/values", {"effective_on": "2017-12-20", "value": "0.0430"})
    loan, ann = api.apply(), api.as_("ann")
    at, review = f"/v1/loans/{loan}", {"effective_on": ON, "decision": "approved"}
    fixed = ann.refused(f"{at}/reviews", review | {"rate_annual": "0.058"}, status=422)
    assert fixed == ("rate_floats", "rate_annual")
    assert ann.refused(f"{at}/reviews", review, status=422) == ("spread_missing", "spread_bps")
    ann.done(f"{at}/reviews", review | {"spread_bps": 150})
    ann.done(f"{at}/offer-acceptances", {"effective_on": ON})
    money = {"effective_on": ON, "amount": "10000.00", "currency": "USD", "disbursement_id": "d-1"}
    ann.done(f"{at}/disbursements", money)
    return loan


def test_a_reference_is_published_and_corrected_by_somebody_on_record(api: Api) -> None:
    at, value = "/v1/references/LPR-5Y", {"effective_on": "2018-01-20", "value": "0.0460"}
    assert api.ask(at).status_code == 404
    assert api.as_("ann").post(f"{at}/values", value).status_code == 403
    done = api.done(f"{at}/values", value)
    assert done["code"] == "LPR-5Y"
    assert api.refused(f"{at}/values", value) == ("already_published", "effective_on")
    right = value | {"value": "0.0465"}
    assert api.refused(f"{at}/corrections", right, status=422) == ("reason_missing", "reason_code")
    assert [
        event["topic"]
        for event in api.preview(f"{at}/corrections", right | {"reason_code": "typo"})
    ] == ["reference.value_corrected.v1"]
    last = api.done(f"{at}/corrections", right | {"reason_code": "typo"})
    api.catch_up()
    (row,) = api.get(at, headers={"If-Position": last["position"]})["rows"]
    assert (row["value"], row["published_on"], row["corrected"]) == ("0.0465", "2018-01-20", True)
    assert (row["actor_kind"], row["actor_id"]) == ("human", "boss")


def test_a_loan_follows_its_reference_from_signing_to_the_close_of_its_reset(
    api: Api, database: str
) -> None:
    loan = a_floating_loan(api)
    at = f"/v1/loans/{loan}"
    api.done("/v1/references/LPR-1Y/values", {"effective_on": "2018-02-10", "value": "0.0390"})
    before = api.get(f"{at}/state")
    assert before["terms"]["signed"]["spread_bps"] == 150
    assert before["rate_annual"] == "0.0580"
    seen = api.preview(f"{at}/repricings", {"effective_on": "2018-02-15"})
    assert [event["topic"] for event in seen] == [
        "loan.rate_repriced.v1",
        "loan.schedule_changed.v1",
    ]
    assert (seen[0]["rate_annual_before"], seen[0]["rate_annual"]) == ("0.0580", "0.0540")
    with bulk_pool(database) as pool:
        close = CloseOfDay(service=api.parts.service, database=pool, catch_up=api.catch_up)
        close.close_until(date(2018, 2, 15), first=date(2018, 2, 14))
    api.catch_up()
    row = api.get(at)
    assert (row["rate_annual"], row["reference"], row["spread_bps"]) == ("0.0540", "LPR-1Y", 150)
    assert (row["repriced_on"], row["next_reset_on"]) == ("2018-02-15", "2018-03-15")
    (reset,) = api.get(f"{at}/repricings")["rows"]
    assert (reset["value"], reset["published_on"]) == ("0.0390", "2018-02-10")
    now = api.get(f"{at}/state")["rows"]
    assert Decimal(now[5]["unpaid"]) < Decimal(before["rows"][5]["unpaid"])
    change = {"effective_on": "2018-02-16", "change_id": "r-1", "rate_annual": "0.05"}
    by_hand = api.as_("ann").refused(
        f"{at}/rate-changes", change | {"reason_code": "relief"}, status=422
    )
    assert by_hand == ("rate_floats", "rate_annual")
