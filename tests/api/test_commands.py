"""What holds for every command: its place, keys, versions, previews, batches, many at once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from api.bodies import HTTP_BODIES
from api.command_table import PLACES
from api.examples import example_of
from infra.edge import BODIES
from tests.api.conftest import ON, Api

PAYMENT = {
    "effective_on": "2018-02-15", "payment_id": "p-1", "amount": "100.00", "currency": "USD",
}  # fmt: skip
APPLICATION = {
    "effective_on": ON, "customer_id": "c-1", "product_code": "P", "amount": "1000.00",
    "currency": "USD", "instalments": 3,
}  # fmt: skip


def test_every_public_command_has_one_place() -> None:
    assert set(BODIES) - set(PLACES) == set(), "give the command a line in api/command_table.py"
    assert set(PLACES) == set(BODIES)
    paths = [place.path for place in PLACES.values()]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("command", sorted(BODIES))
def test_the_example_of_a_command_is_valid(command: str) -> None:
    model = HTTP_BODIES[command]
    assert model.model_validate(example_of(model))


def test_the_same_key_and_body_give_the_first_answer_again(api: Api) -> None:
    loan = api.open_loan()
    path, key = f"/v1/loans/{loan}/payments", uuid4().hex
    first = api.post(path, PAYMENT, key=key)
    api.pay(loan, "1.00", "2018-02-16")
    again = api.post(path, PAYMENT, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() | {"repeated": True}
    assert first.headers["etag"] == again.headers["etag"]


def test_the_payment_that_settled_the_loan_can_be_repeated(api: Api) -> None:
    loan = api.open_loan("1000.00", instalments=1)
    amount = api.get(f"/v1/loans/{loan}/payoff-quote", {"on": "2018-02-15"})["amount"]
    payment, key = PAYMENT | {"amount": amount}, uuid4().hex
    first = api.done(f"/v1/loans/{loan}/payments", payment, key=key)
    again = api.done(f"/v1/loans/{loan}/payments", payment, key=key)
    assert again == first | {"repeated": True}


def test_a_refusal_is_an_outcome_too(api: Api) -> None:
    loan, key = api.apply(), uuid4().hex
    first = api.post(f"/v1/loans/{loan}/payments", PAYMENT, key=key)
    again = api.post(f"/v1/loans/{loan}/payments", PAYMENT, key=key)
    assert first.status_code == again.status_code == 409
    assert again.json() == first.json() | {"repeated": True}
    outcome = api.get(f"/v1/commands/{key}")
    assert (outcome["version"], outcome["problem"]["code"]) == (None, "wrong_status")
    assert api.as_("ann").ask(f"/v1/commands/{key}").status_code == 404, "keys are per client"
    api.catch_up()
    (refusal,) = api.get("/v1/audit/refusals")["rows"]
    assert (refusal["code"], refusal["actor"]) == ("wrong_status", "human:boss")


@pytest.mark.parametrize("change", [{"amount": "100.01"}, {"reason_code": "other"}])
def test_the_same_key_with_another_body_is_an_error(api: Api, change: dict[str, str]) -> None:
    loan, key = api.open_loan(), uuid4().hex
    first = api.done(f"/v1/loans/{loan}/payments", PAYMENT, key=key)
    other = api.post(f"/v1/loans/{loan}/payments", PAYMENT | change, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert api.get(f"/v1/loans/{loan}/state")["version"] == first["version"]


def test_keys_of_two_clients_do_not_meet(api: Api) -> None:
    loan, key = api.open_loan(), uuid4().hex
    api.as_("ann").done(f"/v1/loans/{loan}/payments", PAYMENT, key=key)
    second = api.as_("boss").post(f"/v1/loans/{loan}/payments", PAYMENT, key=key)
    assert (second.status_code, second.json()["code"]) == (409, "already_recorded")


def test_a_command_on_another_version_than_was_seen_is_refused(api: Api) -> None:
    loan = api.open_loan()
    path = f"/v1/loans/{loan}/payments"
    seen = api.ask(f"/v1/loans/{loan}/state").json()["version"]
    paid = api.done(path, PAYMENT, headers={"If-Match": f'"{seen}"'})
    late = PAYMENT | {"payment_id": "p-2"}
    key = uuid4().hex
    stale = api.post(path, late, headers={"If-Match": f'"{seen}"'}, key=key)
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert api.post(path, late, headers={"If-Match": f'"{seen}"'}, key=key).status_code == 412
    api.done(path, late, headers={"If-Match": str(paid["version"])})
    unquoted = api.post(path, late, headers={"If-Match": "W/7"})
    assert (unquoted.status_code, unquoted.json()["field"]) == (422, "If-Match")


def test_a_stale_cache_does_not_decide_on_the_version(api: Api) -> None:
    loan = api.open_loan()
    seen = api.get(f"/v1/loans/{loan}/state")["version"]

    def pay(number: int) -> int:
        body = PAYMENT | {"payment_id": f"p-{number}"}
        match = {"If-Match": f'"{seen}"'}
        return api.post(f"/v1/loans/{loan}/payments", body, headers=match).status_code

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(pay, range(8)))
    assert sorted(answers) == [201, *[412] * 7]


def test_a_preview_decides_and_stores_nothing(api: Api) -> None:
    loan = api.open_loan()
    before = api.parts.store.head()
    preview = api.post(f"/v1/loans/{loan}/payments?preview=true", PAYMENT, key="")
    assert preview.status_code == 200
    received, allocated = preview.json()["events"]
    assert received["topic"] == "loan.payment_received.v1"
    (line,) = allocated["lines"]
    assert (line["instalment"], line["interest"], line["principal"]) == (1, "100.00", "0.00")
    refused = api.post(f"/v1/loans/{loan}/payments?preview=1", PAYMENT | {"currency": "EUR"})
    assert (refused.status_code, refused.json()["field"]) == (409, "currency")
    assert api.parts.store.head() == before
    done = api.done(f"/v1/loans/{loan}/payments", PAYMENT)
    assert done["version"] == preview.json()["version"] + 2


def test_an_upstream_s_application_is_one_loan_whatever_its_key(api: Api) -> None:
    body = APPLICATION | {"external_id": "x-1"}
    first = api.done("/v1/loans", body)
    second = api.post("/v1/loans", body)
    assert (second.status_code, second.json()["code"]) == (409, "loan_exists")
    own = api.done("/v1/loans", APPLICATION)
    assert own["loan_id"] != first["loan_id"]
    named = api.post("/v1/loans/my-own-id/application", APPLICATION)
    assert named.headers["location"] == "/v1/loans/my-own-id"
    assert named.json()["loan_id"] == "my-own-id"


def test_many_payments_at_once_are_each_recorded_once(api: Api) -> None:
    loans = [api.open_loan() for _ in range(3)]

    def pay(number: int) -> int:
        body = PAYMENT | {"payment_id": f"p-{number}", "amount": "1.00"}
        return api.post(f"/v1/loans/{loans[number % 3]}/payments", body).status_code

    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(pay, range(60)))
    assert set(answers) == {201}
    for loan in loans:
        assert api.get(f"/v1/loans/{loan}/state")["rows"][0]["interest_paid"] == "20.00"


def test_a_batch_answers_each_command_for_itself(api: Api) -> None:
    loan, other = api.open_loan(), api.open_loan()

    def item(target: str, key: str, **changes: str) -> dict[str, object]:
        body = PAYMENT | {"payment_id": key} | changes
        return {"command": "loan.receive_payment", "target": target, "key": key, "body": body}

    commands = [
        item(loan, "k-1"),
        item(loan, "k-2"),
        item(other, "k-3"),
        item(other, "k-4", currency="EUR"),
        item(other, "k-5", amount="1.234"),
        item(other, "k-1", amount="5.00"),
        item("nobody", "k-6"),
        {"command": "loan.fly", "target": loan, "key": "k-7"},
        {"command": "loan.review", "target": loan, "key": "k-8", "body": {"decision": 7}},
        item(loan, "k-9") | {"if_version": 1},
    ]
    answer = api.post("/v1/commands", {"commands": commands}, key="")
    assert answer.status_code == 200, answer.text
    answers = answer.json()["answers"]
    codes = [one["problem"] and one["problem"]["code"] for one in answers]
    assert codes == [
        None, None, None, "currency_mismatch", "too_many_decimals", "key_reused", "unknown_loan",
        "unknown_command", "unknown_value", "version_mismatch",
    ]  # fmt: skip
    assert [one["status"] for one in answers[:3]] == [201, 201, 201]
    assert answers[1]["version"] == answers[0]["version"] + 2, "in order on one loan"
    again = api.post("/v1/commands", {"commands": commands[:3]}, key="").json()["answers"]
    assert again == [one | {"repeated": True} for one in answers[:3]]


def test_a_batch_asks_for_the_scope_of_each_command(api: Api) -> None:
    loan = api.open_loan()
    command = {"command": "loan.receive_payment", "target": loan, "key": "k", "body": PAYMENT}
    answer = api.as_("rita").post("/v1/commands", {"commands": [command]}, key="")
    assert answer.json()["answers"][0]["problem"]["code"] == "forbidden"
    empty = api.post("/v1/commands", {"commands": []}, key="")
    assert (empty.status_code, empty.json()["field"]) == (422, "commands")
    many = api.post("/v1/commands", {"commands": [command] * 101}, key="")
    assert (many.status_code, many.json()["code"]) == (422, "too_long")
