"""Every rule in docs/rules.md names a function that exists and a test that exists."""

import importlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import reduce

import pytest

from tests.architecture.source import ROOT, functions, text

ROW = re.compile(r"^\| (?P<id>[A-Z]+-\d+) \|(?P<cells>.*)\|$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    id: str
    text: str
    source: str
    function: str
    test: str


def read_rule(row: re.Match[str]) -> Rule:
    cells = [cell.strip() for cell in row["cells"].split("|")]
    assert len(cells) == 4, f"{row['id']} has {len(cells)} cells after its id, not 4"
    rule, source, function, test = cells
    return Rule(
        id=row["id"], text=rule, source=source, function=function.strip("`"), test=test.strip("`")
    )


RULES = [read_rule(row) for row in ROW.finditer(text("docs/rules.md"))]


def resolve(dotted: str) -> object:
    """Import the longest module of a dotted name and take the rest as attributes."""
    parts = dotted.split(".")
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:length])
        if (ROOT / (name.replace(".", "/") + ".py")).exists():
            return reduce(getattr, parts[length:], importlib.import_module(name))
    raise AssertionError(f"{dotted} is in no module")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_names_an_existing_function_and_an_existing_test(rule: Rule) -> None:
    assert rule.text
    assert rule.source
    assert callable(resolve(rule.function))
    path, _, name = rule.test.partition("::")
    assert name.startswith("test_")
    assert name in {function.name for function in functions(path)}


def test_a_rule_has_one_id() -> None:
    assert [rule for rule, times in Counter(rule.id for rule in RULES).items() if times > 1] == []


def test_no_row_of_the_table_escapes_the_check() -> None:
    rows = [line for line in text("docs/rules.md").splitlines() if line.startswith("|")]
    headers = [line for line in rows if line.startswith(("| id |", "|---"))]
    assert len(RULES) == len(rows) - len(headers) > 0
