"""The edge: what a stranger's body becomes, and how it is refused."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.commands import NAMES
from domain.commands.application import ApplyForLoan
from domain.commands.product import DefineProductVersion
from domain.commands.servicing import ReceivePayment
from domain.errors import Rejected
from domain.events.application import CreditFeatures, Segments
from domain.events.servicing import Split
from domain.loan.terms import Conditions, Rounding, ScheduleDayCount
from infra.edge import BODIES, refusals_of, request_hash, to_command

TODAY = date(2018, 6, 30)
PAYMENT = {"payment_id": "P-1", "amount": "12.5", "currency": "USD", "effective_on": "2018-06-29"}


def read(name: str, body: Mapping[str, object]) -> object:
    return to_command(name, BODIES[name].model_validate(body), target="L-1", business_date=TODAY)


def refused(name: str, body: Mapping[str, object]) -> tuple[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        BODIES[name].model_validate(body)
    first = refusals_of(caught.value)[0]
    return first.code, first.field


def test_every_public_command_has_a_body() -> None:
    assert set(NAMES) - set(BODIES) == {"day.close"}


def test_an_amount_becomes_minor_units_of_its_currency() -> None:
    assert read("loan.receive_payment", PAYMENT) == ReceivePayment(
        loan_id="L-1", payment_id="P-1", amount_minor=1250, currency="USD",
        effective_on=date(2018, 6, 29),
    )  # fmt: skip


def test_without_a_value_date_the_business_date_counts() -> None:
    body = {k: v for k, v in PAYMENT.items() if k != "effective_on"}
    command = read("loan.receive_payment", body)
    assert isinstance(command, ReceivePayment)
    assert command.effective_on == TODAY


def test_the_parts_of_a_payment_are_in_its_currency() -> None:
    body = PAYMENT | {"currency": "KWD", "split": {"principal": "12", "interest": "0.5"}}
    command = read("loan.receive_payment", body)
    assert isinstance(command, ReceivePayment)
    assert command.split == Split(principal_minor=12_000, interest_minor=500)


def test_an_application_with_its_portrait() -> None:
    body: dict[str, object] = {
        "customer_id": "C-1",
        "product_code": "LC36",
        "amount": "10000",
        "currency": "USD",
        "instalments": 36,
        "segments": {"grade": "B"},
        "features": {"income_annual": "52000.00", "debt_to_income": "0.18"},
    }
    assert read("loan.apply", body) == ApplyForLoan(
        loan_id="L-1", customer_id="C-1", product_code="LC36", amount_minor=1_000_000,
        currency="USD", instalments=36, segments=Segments(grade="B"), effective_on=TODAY,
        features=CreditFeatures(income_annual_minor=5_200_000, debt_to_income=Decimal("0.18")),
    )  # fmt: skip


def test_a_products_bounds_are_in_the_products_currency() -> None:
    body: dict[str, object] = {
        "name": "Thirty-six months",
        "conditions": {
            "currency": "JPY",
            "day_count": "act/365f",
            "instalment_rounding": "ROUND_CEILING",
            "amount_max": "5000000",
            "rate_annual_max": "0.2",
            "instalments_max": 36,
        },
    }
    command = read("product.define_version", body)
    assert isinstance(command, DefineProductVersion)
    assert command.code == "L-1"
    assert command.conditions == Conditions(
        currency="JPY", day_count=ScheduleDayCount.ACT_365F, instalment_rounding=Rounding.UP,
        amount_max_minor=5_000_000, rate_annual_max=Decimal("0.2"), instalments_max=36,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amount": 12.5}, "malformed_field", "amount"),
        ({"amount": "-1"}, "malformed_field", "amount"),
        ({"amount": "1e3"}, "malformed_field", "amount"),
        ({"currency": "usd"}, "malformed_field", "currency"),
        ({"effective_on": 1_530_000_000}, "malformed_date", "effective_on"),
        ({"effective_on": "2018-02-30"}, "malformed_date", "effective_on"),
        ({"effective_on": "9999-12-31"}, "malformed_field", "effective_on"),
        ({"payment_id": "a\x00b"}, "malformed_field", "payment_id"),
        ({"payment_id": "x" * 201}, "too_long", "payment_id"),
        ({"actor": "somebody"}, "unknown_field", "actor"),
        ({"split": {"interest": "1", "vat": "1"}}, "unknown_field", "split.vat"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, object], code: str, field: str) -> None:
    assert refused("loan.receive_payment", PAYMENT | change) == (code, field)


def test_a_missing_field_is_named() -> None:
    body = {k: v for k, v in PAYMENT.items() if k != "payment_id"}
    assert refused("loan.receive_payment", body) == ("field_missing", "payment_id")


def test_a_rate_is_never_a_json_number() -> None:
    assert refused("loan.review", {"decision": "approved", "rate_annual": 0.12}) == (
        "malformed_decimal",
        "rate_annual",
    )


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (PAYMENT | {"amount": "1.005"}, "too_many_decimals", "amount"),
        (PAYMENT | {"currency": "XTS"}, "unknown_currency", "currency"),
        (PAYMENT | {"split": {"fee": "0.001"}}, "too_many_decimals", "split.fee"),
    ],
)
def test_an_amount_must_fit_its_currency(body: Mapping[str, object], code: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        read("loan.receive_payment", body)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_an_amount_without_a_currency_is_refused() -> None:
    with pytest.raises(Rejected, match="currency_missing"):
        read("loan.record_recovery", {"recovery_id": "R-1", "amount": "5"})


def test_a_command_without_amounts_takes_no_currency() -> None:
    assert refused("loan.accept_offer", {"currency": "USD"}) == ("unknown_field", "currency")


def test_the_fingerprint_knows_the_request_and_not_its_spelling() -> None:
    def fingerprint(body: Mapping[str, object], *circumstances: str | None) -> bytes:
        model = BODIES["loan.receive_payment"].model_validate(body)
        return request_hash("loan.receive_payment", "L-1", model, *circumstances)

    turned = dict(reversed(PAYMENT.items())) | {"channel": None}
    assert fingerprint(PAYMENT) == fingerprint(turned)
    assert fingerprint(PAYMENT) != fingerprint(PAYMENT | {"amount": "12.6"})
    assert fingerprint(PAYMENT, "goodwill") != fingerprint(PAYMENT, None, "goodwill")


def test_a_schema_carries_the_fields_notes() -> None:
    schema = BODIES["loan.review"].model_json_schema()
    assert schema["properties"]["amount"]["description"] == "None: as applied for"
    assert schema["additionalProperties"] is False


def test_an_amount_that_is_left_out_is_the_command_s_own_default_in_minor_units() -> None:
    conditions = {
        "currency": "KWD", "day_count": "act/365f", "amount_max": "9000", "rate_annual_max": "0.4",
        "instalments_max": 12,
    }  # fmt: skip
    command = read("product.define_version", {"name": "Plain", "conditions": conditions})
    assert isinstance(command, DefineProductVersion)
    assert command.conditions.amount_min_minor == 1
    null = {"name": "Plain", "conditions": conditions | {"amount_min": None}}
    assert read("product.define_version", null) == command
