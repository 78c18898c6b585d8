"""Money out over HTTP: tranches, each checked by a second person, and one that comes back."""

from typing import Any

from tests.api.conftest import ON, REQUIRED_CHECKS, Api


def accepted(api: Api, amount: str = "10000.00", instalments: int = 6) -> str:
    """A loan whose offer was accepted; its path."""
    ann = api.as_("ann")
    at = f"/v1/loans/{api.apply(amount, instalments)}"
    on = {"effective_on": ON}
    ann.done(f"{at}/reviews", on | {"decision": "approved", "rate_annual": "0.12"})
    cost = {"annual_cost": "0.13", "method": "irr", "charges": ["LATE"]}
    ann.done(f"{at}/cost-disclosures", on | cost)
    ann.done(f"{at}/offer-acceptances", on)
    return at


def money(name: str, amount: str, on: str = ON, **more: str) -> dict[str, Any]:
    body = {"effective_on": on, "disbursement_id": name, "amount": amount, "currency": "USD"}
    return body | more


def checked(api: Api, at: str, body: dict[str, Any]) -> None:
    """Lay a payout out and let another person check it."""
    prepared = body | {"payee_account_hash": "f00d"}
    api.as_("ann").done(f"{at}/disbursement-preparations", prepared)
    check = {
        "effective_on": body["effective_on"],
        "disbursement_id": body["disbursement_id"],
        "payload_hash": api.get(f"{at}/state")["preparation"]["payload_hash"],
        "checks": sorted(REQUIRED_CHECKS),
    }
    api.as_("bob").done(f"{at}/disbursement-checks", check)


def test_a_loan_is_paid_out_in_tranches(api: Api) -> None:
    api.define_product(payouts_max=2, outstanding_max="9000.00", method="equal_principal")
    at, ann = accepted(api), api.as_("ann")
    first, second = money("d-1", "6000.00"), money("d-2", "3000.00", "2018-02-20")
    checked(api, at, first)
    ann.done(f"{at}/disbursements", first)
    for amount, code in (("4000.01", "above_approved"), ("3500.00", "above_outstanding_max")):
        assert ann.refused(f"{at}/disbursements", second | {"amount": amount}) == (code, "amount")
    assert ann.refused(f"{at}/disbursements", second) == ("not_prepared", "disbursement_id")
    checked(api, at, second)
    version = api.get(f"{at}/state")["version"]
    seen = ann.preview(f"{at}/disbursements", second)
    done = ann.done(f"{at}/disbursements", second, key="k-1")
    again = ann.done(f"{at}/disbursements", second, key="k-1")
    assert (again["version"], again["repeated"]) == (done["version"], True)
    loan = at.removeprefix("/v1/loans/")
    assert [event["topic"] for event in seen] == api.topics(loan, version)
    assert seen[0]["topic"] == "loan.tranche_disbursed.v1"
    assert seen[0]["amount"] == seen[0]["principal"] == "3000.00"
    more = money("d-3", "1.00", "2018-02-20")
    assert ann.refused(f"{at}/disbursements", more) == ("too_many_payouts", "disbursement_id")
    api.catch_up()
    assert (api.get(at)["amount"], api.get(at)["principal"]) == ("9000.00", "9000.00")
    assert api.accounts() == {"loan_portfolio": 9_000, "fund_source": -9_000}
    moved = api.get(f"{at}/transactions")["rows"]
    assert [(row["kind"], row["transaction_id"], row["amount"]) for row in moved] == [
        ("disbursement", "d-1", "6000.00"),
        ("disbursement", "d-2", "3000.00"),
    ]
    audited = api.get("/v1/audit/four-eyes")["rows"]
    assert {row["disbursement_id"]: row["disbursed_on"] for row in audited} == {
        "d-1": ON,
        "d-2": "2018-02-20",
    }
    assert not any(row["exception"] for row in audited)


def test_the_last_tranche_comes_back(api: Api) -> None:
    api.define_product(payouts_max=3, four_eyes_from="1000000.00")
    at, ann = accepted(api), api.as_("ann")
    ann.done(f"{at}/disbursements", money("d-1", "6000.00"))
    rows = api.get(f"{at}/state")["rows"]
    ann.done(f"{at}/disbursements", money("d-2", "3000.00", "2018-01-20"))
    back = {"effective_on": "2018-01-22", "disbursement_id": "d-1", "cause": "account closed"}
    refused = ann.refused(f"{at}/disbursement-returns", back)
    assert refused == ("not_last_payout", "disbursement_id")
    ann.done(f"{at}/disbursement-returns", back | {"disbursement_id": "d-2"})
    assert api.get(f"{at}/state")["rows"] == rows
    api.catch_up()
    shown = api.get(at)
    assert (shown["status"], shown["amount"], shown["principal"]) == (
        "active",
        "6000.00",
        "6000.00",
    )
    assert api.accounts() == {"loan_portfolio": 6_000, "fund_source": -6_000}
    kinds = [row["kind"] for row in api.get(f"{at}/transactions")["rows"]]
    assert kinds == ["disbursement", "disbursement", "disbursement_return"]
