"""The table of words is whole: nothing missing, nothing left over, both languages alike."""

import re
import string
from pathlib import Path

import pytest

from api.console import queue
from api.console.words import LANGUAGES, Words, choose, table
from domain.decisions.charge_rules import TIMES
from domain.events.arrears import LoanClass
from domain.events.registry import TOPICS
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    ChargeBasis,
    Compounding,
    FeeTime,
    RepaymentMethod,
    Rounding,
    Unit,
)
from projections.worklist import DEFAULT_STRATEGY

SHARES = set(ChargeBasis) - {ChargeBasis.FLAT, ChargeBasis.PERCENT_OF_DISBURSED}
FOLDER = Path(__file__).parents[2] / "api" / "console"
LITERAL = re.compile(r"""["']([a-z_]+(?:\.[a-z_0-9-]+)+)["']""")
BUILT = re.compile(r"""["']([a-z_]+(?:\.[a-z_]+)*[._])["'] ~""")
KIND = re.compile(r"""\.of\(["']([a-z_.]+)["']""")
CHINESE = re.compile(r"[一-鿿]")


def source() -> str:
    files = [*FOLDER.rglob("*.html"), *FOLDER.glob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def kinds() -> set[str]:
    """Beginnings of keys whose end is a value, such as `status.`."""
    text = source()
    chosen = {"left", "bucket"}  # one expression chooses between these two
    return {f"{kind}." for kind in {*KIND.findall(text), *chosen}} | set(BUILT.findall(text))


def test_every_label_that_a_page_names_is_in_the_table() -> None:
    files = (".html", ".css", ".csv", ".svg")
    beginnings = {kind.rstrip(".") for kind in kinds()}
    literals = {word for word in LITERAL.findall(source()) if not word.endswith((*files, "_"))}
    named = literals - beginnings
    groups = {key.split(".")[0] for key in table()}
    wanted = {word for word in named if word.split(".")[0] in groups}
    assert sorted(wanted - set(table())) == []
    assert len(wanted) > 150


def test_every_label_of_the_table_is_used() -> None:
    text = source()
    left_over = [
        key
        for key in table()
        if f'"{key}"' not in text and f"'{key}'" not in text and not key.startswith(tuple(kinds()))
    ]
    assert left_over == []


def test_both_languages_say_something_with_the_same_blanks() -> None:
    for key, (english, chinese) in table().items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert blanks(english) == blanks(chinese), key
        assert not CHINESE.search(english) or key == "base.language", key


def blanks(label: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(label) if name is not None}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("status", list(LoanStatus)),
        ("method", list(RepaymentMethod)),
        ("every", list(Unit)),
        ("topic", list(TOPICS)),
        ("loan_class", list(LoanClass)),
        ("compounds", list(Compounding)),
        ("rounding", list(Rounding)),
        ("charge_when", [*TIMES, *FeeTime]),
        ("charge_basis", sorted(SHARES)),
        ("tier", [step.tier for step in DEFAULT_STRATEGY.steps]),
        ("action", [step.next_action for step in DEFAULT_STRATEGY.steps]),
        ("cause", list(queue.RELEASE_CAUSES)),
    ],
)
def test_every_value_of_ours_has_a_label(kind: str, names: list[str]) -> None:
    assert [name for name in names if f"{kind}.{name}" not in table()] == []


def test_a_value_from_outside_is_read_out() -> None:
    for language in LANGUAGES:
        assert Words(language).of("purpose", "horse_racing") == "Horse racing"
    assert Words("zh").of("purpose", "car") == "购车"
    assert Words("en").of("reason", None) == "–"


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("zh", "en", "zh"),
        ("en", "zh-CN", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "de, en-GB;q=0.7", "en"),
        ("tlh", None, "en"),
        (None, None, "en"),
    ],
)
def test_the_cookie_chooses_then_the_browser_then_english(
    cookie: str | None, accepted: str | None, language: str
) -> None:
    assert choose(cookie, accepted) == language
