"""Importing a file: what its lines become, what is wrong with them, nothing twice."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from consumers.import_file import ImportReport, check_file, import_file
from consumers.import_lines import NumberedEntry, id_of, read_lines
from domain.commands.application import DiscloseCost
from domain.commands.servicing import ReceivePayment
from domain.envelope import StreamId
from domain.service import Service
from infra.memory_store import MemoryEventStore

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LOAN = id_of("1001", "loan.apply", "core")

APPLY = {
    "on": "2026-03-02",
    "key": "a-1",
    "type": "loan.apply",
    "target": "1001",
    "data": {
        "customer_id": "C-77",
        "product_code": "PL24",
        "amount": "2400.00",
        "currency": "USD",
        "instalments": 24,
    },
}


def file_of(folder: Path, *lines: object) -> Path:
    path = folder / "lines.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def found(report: ImportReport) -> list[tuple[int, str, str | None]]:
    return [(error.line, error.code, error.field) for error in report.errors]


def test_the_example_tells_a_loan_up_to_its_first_payment() -> None:
    store = MemoryEventStore()
    report = import_file(Service(store), EXAMPLES / "import.jsonl", "core")
    assert report.errors == []
    assert (report.lines, report.accepted, report.repeated) == (7, 7, 0)
    loan = Service(store).state(StreamId(f"loan-{LOAN}")).state
    assert loan.balances.principal_minor == 240_000 - 8_898
    first = store.load({StreamId(f"loan-{LOAN}"): 0})[StreamId(f"loan-{LOAN}")][0]
    assert (first.envelope.actor.kind, first.envelope.actor.id) == ("upstream", "core")


def test_importing_again_changes_nothing() -> None:
    store = MemoryEventStore()
    import_file(Service(store), EXAMPLES / "import.jsonl", "core")
    head = store.head()
    report = import_file(Service(store), EXAMPLES / "import.jsonl", "core")
    assert (report.accepted, report.repeated, report.errors) == (0, 7, [])
    assert store.head() == head


def test_a_csv_row_becomes_the_same_command_as_a_json_line() -> None:
    commands = [e.entry.command for e in read_lines(EXAMPLES / "import.csv", "core")
                if isinstance(e, NumberedEntry)]  # fmt: skip
    assert len(commands) == 7
    cost = commands[3]
    assert isinstance(cost, DiscloseCost)
    assert cost.charges == ("late_fee", "nsf")
    report = import_file(Service(MemoryEventStore()), EXAMPLES / "import.csv", "core")
    assert report.errors == []


def test_a_payment_line_keeps_its_split_and_dates(tmp_path: Path) -> None:
    line = {
        "on": "2026-04-07",
        "key": "p",
        "type": "loan.receive_payment",
        "target": "1001",
        "data": {
            "effective_on": "2026-04-05",
            "payment_id": "P",
            "amount": "112.98",
            "currency": "USD",
            "split": {"principal": "88.98", "interest": "24.00"},
        },
    }
    (read,) = read_lines(file_of(tmp_path, line), "core")
    assert isinstance(read, NumberedEntry)
    assert read.entry.on == date(2026, 4, 7)
    command = read.entry.command
    assert isinstance(command, ReceivePayment)
    assert (command.effective_on, command.loan_id) == (date(2026, 4, 5), LOAN)


@pytest.mark.parametrize(
    ("line", "errors"),
    [
        ("{", [(2, "malformed_json", None)]),
        ("[1]", [(2, "malformed_field", None)]),
        (APPLY | {"type": "loan.burn"}, [(2, "unknown_type", "type")]),
        (APPLY | {"on": "2026-02-30"}, [(2, "malformed_date", "on")]),
        (APPLY | {"colour": "red"}, [(2, "unknown_field", "colour")]),
        ({k: v for k, v in APPLY.items() if k != "key"}, [(2, "field_missing", "key")]),
        (APPLY | {"target": "../1"}, [(2, "malformed_field", "target")]),
        (APPLY | {"data": {"amount": "1"}}, [
            (2, "field_missing", "customer_id"),
            (2, "field_missing", "product_code"),
            (2, "field_missing", "currency"),
            (2, "field_missing", "instalments"),
        ]),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_imported(
    line: object, errors: list[tuple[int, str, str | None]], tmp_path: Path
) -> None:
    store = MemoryEventStore()
    report = import_file(Service(store), file_of(tmp_path, APPLY, line), "core")
    assert [(n, code) for n, code, _ in found(report)] == [(n, code) for n, code, _ in errors]
    if "field_missing" not in {code for _, code, _ in errors}:
        assert found(report)[0][2] == errors[0][2]
    assert store.head().number == 0


def test_what_the_rules_refuse_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = _with_data(APPLY, {"amount": "2400.001"})
    assert found(check_file(file_of(tmp_path, bad), "core")) == [(1, "too_many_decimals", "amount")]

    product = (EXAMPLES / "import.jsonl").read_text().splitlines()[0]
    too_much = _with_data(APPLY | {"key": "a-2", "target": "1002"}, {"amount": "99999.00"})
    report = import_file(
        Service(MemoryEventStore()), file_of(tmp_path, product, too_much, APPLY), "core"
    )
    assert found(report) == [(2, "amount_outside_product", "amount")]
    assert report.accepted == 2


def test_a_key_used_for_another_command_is_named(tmp_path: Path) -> None:
    product = (EXAMPLES / "import.jsonl").read_text().splitlines()[0]
    other = _with_data(APPLY, {"amount": "100.00"})
    report = import_file(
        Service(MemoryEventStore()), file_of(tmp_path, product, APPLY, other), "core"
    )
    assert found(report) == [(3, "key_reused", "key")]
    assert report.accepted + report.repeated == 2


def test_a_csv_with_a_cell_too_many_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("on,key,type,target\n2026-03-02,k,loan.accept_offer,1,extra\n")
    assert found(check_file(path, "core")) == [(2, "wrong_cells", None)]


def test_a_uuid_is_a_loan_of_this_book() -> None:
    own = "0190a000-0000-7000-8000-000000000001"
    assert id_of(own, "loan.apply", "core") == own
    assert id_of("PL24", "product.define_version", "core") == "PL24"
    assert id_of("1", "loan.apply", "core") != id_of("1", "loan.apply", "other")


def _with_data(line: Mapping[str, object], data: Mapping[str, object]) -> dict[str, object]:
    before = line["data"]
    assert isinstance(before, dict)
    return {**line, "data": {**before, **data}}
